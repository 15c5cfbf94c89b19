"""Deadlines that are near, each once, with the command that clears it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.report.sandboxes import SandboxLine
from rehearse.report.view import Table, build_table

_SOON = timedelta(days=7)


@dataclass(frozen=True)
class Deadline:
    """One thing that is due, and the command that clears it."""

    what: str
    due: datetime
    clear_with: str


def build_radar(lines: Sequence[SandboxLine], now: datetime) -> tuple[Deadline, ...]:
    """What comes within a week (a booking: within a day), soonest first."""
    found: list[Deadline] = []
    for line in lines:
        name, dates = line.availability.sandbox, line.availability
        if dates.state == "pending-activation" and dates.copied:
            due = dates.copied + timedelta(days=30)
            found.append(Deadline(f"{name}: the copy is deleted unless it is activated", due, "Setup > Sandboxes"))
        opens = dates.certain_from
        if opens and now <= opens <= now + _SOON:
            found.append(Deadline(f"{name}: a refresh becomes possible for certain", opens, "rehearse sandboxes"))
        coming = line.next_booking
        if coming and coming.start <= now + timedelta(days=1):
            found.append(Deadline(f"{name}: {coming.label} starts", coming.start, _next_step(line)))
    return tuple(sorted(found, key=lambda one: (one.due, one.what)))


def _next_step(line: SandboxLine) -> str:
    if line.baseline is None:
        return f"rehearse baseline capture {line.availability.sandbox}"
    return f"rehearse diff {line.availability.sandbox}"


def build_radar_table(due: Sequence[Deadline], zone: ZoneInfo) -> Table:
    """The deadlines as a table."""
    rows = [[clock.show(one.due, zone), one.what, one.clear_with] for one in due]
    return build_table("Due soon", ["due", "what", "clear with"], rows, empty="nothing")
