"""Bookings and refresh dates as an iCalendar feed that any calendar program can subscribe to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Happening:
    """One entry of the feed; `uid` stays the same for the same thing, so a calendar updates it."""

    uid: str
    start: datetime
    end: datetime
    title: str
    text: str = ""
    sequence: int = 0
    """How often it was changed since it first stood in a feed."""
    status: Literal["", "CONFIRMED", "TENTATIVE", "CANCELLED"] = ""
    """What became of something that keeps a sandbox busy; a date to know of has none, and keeps nobody busy."""


def render_ical(name: str, happenings: Iterable[Happening], at: datetime) -> bytes:
    """The feed as bytes (RFC 5545, instants in UTC)."""
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//rehearse//calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    for one in sorted(happenings, key=lambda found: (found.start, found.uid)):
        event = Event()
        event.add("uid", f"{one.uid}@rehearse")
        event.add("dtstamp", at)
        event.add("dtstart", one.start)
        event.add("dtend", one.end)
        event.add("sequence", one.sequence)
        event.add("summary", one.title)
        event.add("transp", "OPAQUE" if one.status in ("CONFIRMED", "TENTATIVE") else "TRANSPARENT")
        if one.status:
            event.add("status", one.status)
        if one.text:
            event.add("description", one.text)
        calendar.add_component(event)
    return bytes(calendar.to_ical())
