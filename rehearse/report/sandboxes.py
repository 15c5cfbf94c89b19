"""Everything known of each sandbox, as a table and as data: dates, copy times, bookings, baseline and last proof."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.baseline.model import Baseline
from rehearse.report.view import Cell, Page, Paragraph, Table, Tone, build_table
from rehearse.schedule.ledger import Availability
from rehearse.schedule.model import Booking


@dataclass(frozen=True)
class SandboxLine:
    """One sandbox: its dates, the booking that runs now, the next one, and its newest baseline that is sound.

    `proven` is another baseline that was proven last, after this one was taken: that proof says what is so now.
    `open_items` counts what its ready list still wants; `burned_by` is the rehearsal after which only a refresh helps;
    `listed` is False for one that only a sheet or production names, and rehearse.yaml does not; `can_log_in` is False
    for one whose dates are kept by hand; `held` is over, its hold or reset is not: nobody else may have the sandbox.
    `unproven` is over altogether, and nothing was proven since.
    """

    availability: Availability
    booking: Booking | None
    next_booking: Booking | None
    baseline: Baseline | None
    open_items: int = 0
    burned_by: Booking | None = None
    listed: bool = True
    can_log_in: bool = True
    half_reset: bool = False
    proven: Baseline | None = None
    held: Booking | None = None
    unproven: Booking | None = None

    @property
    def last_proof(self) -> Baseline | None:
        """The baseline whose proof tells what the sandbox is like now, where there is one."""
        found = self.proven or self.baseline
        return found if found and found.proof else None

    @property
    def condition(self) -> str:
        """What the sandbox is good for now: the state of a copy under way, `not-ready`, `in-use` (held and being reset
        included), `burned`, `dirty` (by its last proof, or half put back), `free`, or `unknown`."""
        if self.availability.state not in ("completed", "discarded"):
            return self.availability.state
        if self.open_items:
            return "not-ready"
        if self.booking is not None:
            return "in-use"
        if self.burned_by is not None:
            return "burned"
        dirty = self.last_proof and self.last_proof.proof_verdict in ("dirty", "partial")
        if dirty or self.half_reset:
            return "dirty"
        return "in-use" if self.held else "free"


def build_body(lines: tuple[SandboxLine, ...]) -> list[dict[str, Any]]:
    """The `sandboxes[]` of formats.md."""
    return [_row_body(line) for line in lines]


def _row_body(line: SandboxLine) -> dict[str, Any]:
    found = line.availability
    return {
        "name": found.sandbox,
        "type": found.type,
        "state": found.state,
        "condition": line.condition,
        "open_items": line.open_items,
        "burned_by": line.burned_by and line.burned_by.id,
        "org_id": found.org_id,
        "generation": found.generation,
        "requested": found.requested,
        "copied": found.copied,
        "activated": found.activated,
        "possible_from": found.possible_from,
        "certain_from": found.certain_from,
        "refreshable": found.refreshable,
        "days_left": found.days_left,
        "note": found.note or None,
        "copy_p50_hours": found.copy_p50,
        "copy_p90_hours": found.copy_p90,
        "booking": _booking_body(line.booking),
        "held": line.held and {**(_booking_body(line.held) or {}), "free_at": line.held.free_at},
        "next_booking": _booking_body(line.next_booking),
        "baseline": line.baseline and {"name": line.baseline.name, "taken_at": line.baseline.taken_at},
        "proof": _proof_body(line.last_proof),
        "unproven": _booking_body(line.unproven),
    }


def _proof_body(of: Baseline | None) -> dict[str, Any] | None:
    return {"verdict": of.proof_verdict, "at": of.proof_at, "baseline": of.name} if of else None


def _booking_body(booking: Booking | None) -> dict[str, Any] | None:
    return None if booking is None else {"id": booking.id, "start": booking.start, "end": booking.end}


_STALE = timedelta(hours=1)
"""How old production's word may be before a page says so: a copy ends, and colleagues activate, at any time."""


def build_page(lines: tuple[SandboxLine, ...], now: datetime, zone: ZoneInfo, told: datetime | None = None) -> Page:
    """The windows of all sandboxes as a page; `told`: when production last said so, where it was not asked just now."""
    notes: dict[str, list[str]] = {}
    for line in lines:
        if line.availability.note:
            notes.setdefault(line.availability.note, []).append(line.availability.sandbox)
    blocks: list[Table | Paragraph] = [
        build_table(
            f"Sandboxes on {clock.show(now, zone)} ({zone.key})",
            ["sandbox", "type", "state", "last request", "possible from", "certain from", "left", "copy P50/P90",
             "booking", "baseline", "proof"],
            [_row(line, now, zone) for line in lines],
        )
    ]  # fmt: skip
    blocks += [
        Paragraph(f"{', '.join(names)}: {clock.show_within(note, zone)}", "faint") for note, names in notes.items()
    ]
    if told is not None and now - told >= _STALE:
        words = f"As production told on {clock.show(told, zone)}. Ask it again with `rehearse sandboxes`."
        blocks.append(Paragraph(words, "warn"))
    return Page("", tuple(blocks))


def _row(line: SandboxLine, now: datetime, zone: ZoneInfo) -> list[Cell | str]:
    found = line.availability
    tone: Tone = {"yes": "good", "maybe": "warn", "no": "plain"}[found.refreshable]  # type: ignore[assignment]

    def day(instant: datetime | None) -> str:
        return "-" if instant is None else clock.show_minute(instant, zone)

    left = "now" if found.refreshable == "yes" else show_wait(found.certain_from, now)
    if found.requested is None:
        left, tone = "?", "faint"  # nobody asked yet: what may be refreshed now is only assumed
    hours = [f"{one.total_seconds() / 3600:.0f}" for one in (found.copy_p50, found.copy_p90) if one is not None]
    return [
        found.sandbox,
        found.type or "?",
        Cell(line.condition, _CONDITIONS.get(line.condition, "warn")),
        day(found.requested),
        Cell(day(found.possible_from), tone),
        Cell(day(found.certain_from), tone),
        Cell(left, tone),
        f"{'/'.join(hours)} h" if hours else "-",
        _booking_text(line, day),
        f"{line.baseline.name}, {_age(now, line.baseline.taken_at)}" if line.baseline else "-",
        _proof(line),
    ]


def show_wait(until: datetime | None, now: datetime) -> str:
    """How long until then, never too short: whole days, on the last day whole hours, in the last hour minutes."""
    if until is None:
        return "-"
    minutes = max(0, math.ceil((until - now) / timedelta(minutes=1)))
    if minutes < 60:
        return f"{minutes} min"
    return f"{math.ceil(minutes / 60)} h" if minutes < 24 * 60 else f"{math.ceil(minutes / (24 * 60))} d"


_CONDITIONS: dict[str, Tone] = {"free": "good", "in-use": "plain", "unknown": "faint", "burned": "bad", "dirty": "bad"}


def _booking_text(line: SandboxLine, day: Any) -> str:
    if line.booking:
        return f"now: {line.booking.label}"
    if line.held:
        return f"hold and reset of {line.held.label}, until {day(line.held.free_at)}"
    return f"{day(line.next_booking.start)} {line.next_booking.label}" if line.next_booking else "-"


def _age(now: datetime, then: datetime) -> str:
    days = (now - then).days
    return f"{days} d old" if days else "today"


def _proof(line: SandboxLine) -> Cell:
    of = line.last_proof
    if of is None or of.proof_verdict is None:
        return Cell("-")
    tone: Tone = {"clean": "good", "clean-with-residue": "warn"}.get(of.proof_verdict, "bad")  # type: ignore[assignment]
    if line.unproven:
        return Cell(f"{of.proof_verdict}, before {line.unproven.label}", "bad" if tone == "bad" else "warn")
    other = line.baseline is not None and of.name != line.baseline.name
    return Cell(f"{of.proof_verdict} ({of.name})" if other else of.proof_verdict, tone)
