"""What happens in each sandbox over some weeks, as a timeline: windows of refresh, copies, blackouts, bookings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rehearse.report.sandboxes import SandboxLine
from rehearse.report.view import Bar, Lane, Timeline
from rehearse.schedule.ledger import COPY_TIMES
from rehearse.schedule.model import Booking, Closed

Span = tuple[datetime, datetime]


def build_timeline(
    lines: Sequence[SandboxLine], bookings: Sequence[Booking], closed: Sequence[Closed], now: datetime, span: Span
) -> Timeline:
    """One lane a sandbox, with what touches the span."""
    lanes = []
    for line in lines:
        own = [one for one in bookings if one.sandbox == line.availability.sandbox]
        bars = [*_windows(line, span), *_copies(line), *_closed(line, closed), *_booked(line, own, span)]
        touching = tuple(one for one in bars if one.end > span[0] and one.start < span[1])
        lanes.append(Lane(line.availability.sandbox, touching))
    return Timeline("Timeline", *span, tuple(lanes), ((now, "now"),))


def _windows(line: SandboxLine, span: Span) -> Iterator[Bar]:
    found, (start, end) = line.availability, span
    if found.possible_from:
        certain = found.certain_from or end
        yield Bar("possible", found.possible_from, max(certain, found.possible_from), "refresh possible")
        yield Bar("certain", max(certain, start), max(certain, end), "refresh certain")


def _copies(line: SandboxLine) -> Iterator[Bar]:
    """The last copy, or the one under way with the time that it is expected to take."""
    found = line.availability
    if found.requested and found.copied:
        yield Bar("copy", found.requested, found.copied, "last copy")
        if found.activated:
            yield Bar("settling", found.copied, max(found.activated, found.copied), "waiting for activation")
    elif found.requested:
        length = found.copy_p90 or COPY_TIMES.get(found.type or "")
        if length is not None:
            yield Bar("copy", found.requested, found.requested + length, "copy under way, until P90")


def _closed(line: SandboxLine, closed: Sequence[Closed]) -> Iterator[Bar]:
    for one in closed:
        if not one.sandboxes or line.availability.sandbox in one.sandboxes:
            yield Bar("blackout", one.window.start, one.window.end, one.name)


def _booked(line: SandboxLine, own: Sequence[Booking], span: Span) -> Iterator[Bar]:
    asked = line.availability.requested
    for one in own:
        if one.what == "refresh":
            if one.request and (asked is None or asked < one.request):
                yield Bar("copy", one.request, one.start, "booked copy")
            yield Bar("settling", one.start, one.end, "activation and settling")
            continue
        yield Bar(one.what if one.what in ("advance", "use") else "booking", one.start, one.end, one.label)
        if one.burns:
            yield Bar("burned", one.end, _mended(line, own, one) or span[1], f"burned by {one.label}")
        elif one.free_at > one.end:
            yield Bar("reset", one.end, one.free_at, f"hold and reset after {one.label}")


def _mended(line: SandboxLine, own: Sequence[Booking], burnt: Booking) -> datetime | None:
    """When a refresh ended or is to end what a rehearsal burned; None while none is booked."""
    live = line.availability.activated
    if live and live > burnt.end:
        return live
    return min((one.end for one in own if one.what == "refresh" and one.start >= burnt.end), default=None)
