"""The rows of a clash: each names one rule that somebody wrote and could lift. Pure.

A planning enforces every rule but the lifted ones. Never a row, and so never lifted: one at a time in a sandbox, copy
time, settling, the hours of activations and advances, the 30 days of an activation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rehearse.release.model import Rehearsal, Release
from rehearse.schedule.model import Wish

Rule = Literal[
    "type",
    "tags",
    "hours",
    "not_before",
    "not_after",
    "ready",
    "before_go_live",
    "after",
    "data_age",
    "fresh",
    "burns",
    "hold",
    "reset",
    "people",
    "blackout",
    "interval",
    "copies",
    "go_live_copy",
    "advance",
    "pin",
]
Key = tuple[str, str]
"""(release, rehearsal)"""


@dataclass(frozen=True, order=True)
class Row:
    """One rule as it applies to a rehearsal, a release, a sandbox, or a name (a person, a blackout)."""

    rule: Rule
    release: str = ""
    rehearsal: str = ""
    sandbox: str = ""
    name: str = ""


Lifted = frozenset[Row]


def row_of(rule: Rule, rehearsal: Rehearsal) -> Row:
    """The row of a rule that one rehearsal carries."""
    return Row(rule, rehearsal.release, rehearsal.name)


def list_rows(wish: Wish, keys: frozenset[Key]) -> tuple[Row, ...]:
    """Every row that could stand in the way of some rehearsals, whether it does or not."""
    found: set[Row] = set()
    for release in wish.releases:
        wanted = [one for one in release.rehearsals if (release.name, one.name) in keys]
        for rehearsal in wanted:
            found.update(_own_rows(release, rehearsal, wish))
        if wanted and release.ready:
            found.add(Row("ready", release.name))
        found |= {Row("go_live_copy", release.name), Row("advance", release.name)}
    found |= {Row("blackout", name=one.name) for one in wish.closed}
    found |= {Row("interval", sandbox=one.name) for one in wish.supplies}
    found.add(Row("copies"))
    found |= {
        Row("burns", booking.release or "", booking.rehearsal or booking.id, supply.name)
        for supply in wish.supplies
        for booking in supply.bookings
        if booking.burns and (booking.release, booking.rehearsal) not in keys
    }
    return tuple(sorted(found))


def _own_rows(release: Release, one: Rehearsal, wish: Wish) -> Iterator[Row]:
    given: tuple[tuple[Rule, object], ...] = (
        ("type", one.needs.types),
        ("tags", one.needs.tags),
        ("hours", one.hours != "any"),
        ("not_before", one.not_before),
        ("not_after", one.not_after),
        ("before_go_live", True),
        ("after", one.after),
        ("data_age", one.needs.data_age),
        ("fresh", one.needs.start == "fresh"),
        ("burns", one.forecast != "undoable"),
        ("hold", one.hold.amount or one.hold.working_days),
        ("reset", True),
        ("pin", one.pin.sandbox or one.pin.at),
    )
    for rule, is_given in given:
        if is_given:
            yield row_of(rule, one)
    for name in one.people:
        yield Row("people", name=name)
