"""The part of rehearse.yaml that is about time, as pydantic models: hours, blackouts, people, announcements.

A duration is checked with the shape of the file; what a wall clock has against a date is told when it is converted.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rehearse import clock
from rehearse.documents import Entry
from rehearse.errors import UsageError

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WORKDAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")


def _is_span(text: str) -> str:
    try:
        if text:
            clock.parse_span(text)
    except UsageError as error:
        raise ValueError(f"{error.message} {error.hint}") from error
    return text


SpanText = Annotated[str, AfterValidator(_is_span)]
"""A duration, checked with the shape of the file so that all mistakes are named at once; empty is none."""


class HoursEntry(Entry):
    days: list[Day] = Field(default=list(_WORKDAYS), min_length=1)
    start: str = Field(default="09:00", alias="from")
    end: str = Field(default="18:00", alias="to")


class BlackoutEntry(Entry):
    """A window (from, to), a recurrence (rrule, from, at, for), or a calendar file (ics)."""

    name: str = ""
    start: str = Field(default="", alias="from")
    end: str = Field(default="", alias="to")
    rrule: str = ""
    at: str = ""
    length: SpanText = Field(default="", alias="for")
    ics: str = ""
    sandboxes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.ics:
            return self
        if not self.name:
            raise ValueError("a blackout needs a name")
        if self.rrule and not (self.start and self.length):
            raise ValueError("a recurring blackout needs from: (its first day) and for: (its length)")
        if not self.rrule and not (self.start and self.end):
            raise ValueError("a blackout needs from: and to:, or rrule:, or ics:")
        return self


class PreviewEntry(Entry):
    """One preview of the next Salesforce release: the cut-off for refreshes, and from when until when it lasts."""

    name: str
    cut_off: str
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    sandboxes: list[str] = Field(default_factory=list)
    closed: bool = False


class SalesforceEntry(Entry):
    """What Salesforce announces: previews, and maintenance in the form of blackouts."""

    preview: list[PreviewEntry] = Field(default_factory=list)
    maintenance: list[BlackoutEntry] = Field(default_factory=list)


class BookingsEntry(Entry):
    """Who approves bookings; nobody named: every booking is confirmed at once."""

    approvers: list[str] = Field(default_factory=list)


class CalendarEntry(Entry):
    grid: SpanText = "30m"
    horizon: SpanText = "26w"
    hours: HoursEntry = Field(default_factory=HoursEntry)
    blackouts: list[BlackoutEntry] = Field(default_factory=list)


class AwayEntry(Entry):
    start: str = Field(alias="from")
    end: str = Field(alias="to")


class PersonEntry(Entry):
    timezone: str = ""
    hours: HoursEntry | None = None
    away: list[AwayEntry] = Field(default_factory=list)
