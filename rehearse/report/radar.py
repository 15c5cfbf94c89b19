"""Deadlines that are near, each once, with the command that clears it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.report.sandboxes import SandboxLine
from rehearse.report.view import Cell, Rows, Table, build_table
from rehearse.schedule.ledger import COPY_TIMES, DONE, leeway_of
from rehearse.schedule.model import Booking

_SOON, _DAY = timedelta(days=7), timedelta(days=1)
_WAITS = timedelta(days=30)
"""How long a finished copy waits for its activation (Salesforce Help)."""
_QUICK = timedelta(days=10)
"""How long a validation may be deployed quickly (Metadata API guide)."""
_IDLE, _IDLE_SEEN = timedelta(days=180), timedelta(days=120)
"""A sandbox that nobody logs in to is deleted after 180 days; Salesforce writes at about 90, 120 and 150 days."""
_OLD = timedelta(days=30)
"""Age at which a baseline or a proof says little: a release a fortnight has moved production twice."""
_CUT_OFF = timedelta(days=21)
_WORDS = {
    "pending": "the copy waits in the queue",
    "copying": "the copy is being made",
    "activating": "the new copy takes over; nobody can use it",
    "suspended": "the copy is suspended; it goes on by itself",
    "stopped": "the copy has stopped, and does not go on by itself: ask Salesforce Support",
    "discarding": "the new copy is being dropped",
    "locked": "the sandbox is locked: its licences are used up; free or buy one in Setup",
}
"""What the state of a copy means to those who wait for it."""

Kind = Literal[
    "activation",
    "refresh",
    "request",
    "copy",
    "burned",
    "ready",
    "preview",
    "validation",
    "idle",
    "booking",
    "broken",
    "approval",
    "baseline",
    "proof",
]


@dataclass(frozen=True)
class Deadline:
    """One thing that is due, and the command that clears it."""

    what: str
    due: datetime
    clear_with: str
    kind: Kind = "refresh"
    sandbox: str = ""
    subject: str = ""
    """What it is about, whenever it is due: a booking, a baseline, a validation. A calendar knows it by this."""


@dataclass(frozen=True)
class Sky:
    """What the radar looks at besides the sandboxes: previews (name, cut-off), validations (id, when), bookings.

    `broken` says by booking id why it can no longer be kept, `free` how it could be moved; `used` when a sandbox was
    last seen in use.
    """

    previews: tuple[tuple[str, datetime], ...] = ()
    validations: tuple[tuple[str, datetime], ...] = ()
    bookings: tuple[Booking, ...] = ()
    broken: Mapping[str, str] | None = None
    free: Mapping[str, str] | None = None
    used: Mapping[str, datetime] | None = None


def build_radar(lines: Sequence[SandboxLine], now: datetime, sky: Sky | None = None) -> tuple[Deadline, ...]:
    """What comes within a week (a booking: within a day) or is past, soonest first, each thing once."""
    sky = sky or Sky()
    found: list[Deadline] = []
    for line in lines:
        found += [*_copies(line, now, sky), *_refreshes(line, now), *_evidence(line, now), *_idle(line, now, sky)]
    found += [*_bookings(lines, now, sky), *_requests(lines, now, sky)]
    by_name = {line.availability.sandbox: line for line in lines}
    found = [replace(one, clear_with=_runnable(one, by_name.get(one.sandbox))) for one in found]
    return tuple(sorted([*found, *_announced(now, sky)], key=lambda one: (one.due, one.what)))


def _runnable(one: Deadline, line: SandboxLine | None) -> str:
    """The command that clears it, where it can run: most verbs know the sandboxes of rehearse.yaml only, and some need
    a login to them; else the one that shows what is known."""
    word = one.clear_with.split()[1]
    if word in ("book", "plan", "ledger") or (
        line is not None and line.listed and (line.can_log_in or word == "refresh")
    ):
        return one.clear_with
    if one.kind == "booking":
        return f"rehearse book show {one.subject}"
    return "rehearse book list" if line is None else f"rehearse ledger show {one.sandbox}"


def _copies(line: SandboxLine, now: datetime, sky: Sky) -> Iterator[Deadline]:
    """A copy on its way, one that waits, one that is needed, and what is left to do after one."""
    name, dates = line.availability.sandbox, line.availability
    if dates.state == "pending-activation" and dates.copied:
        due = dates.copied + _WAITS
        what = f"{name}: the copy is deleted unless it is activated"
        yield Deadline(what, due, f"rehearse refresh activate {name}", "activation", name, _asked_at(line))
    elif dates.state in ("locked", "stopped"):  # it waits for people, and not until an expected end
        clear = "rehearse ledger list" if dates.state == "locked" else f"rehearse refresh watch {name}"
        yield Deadline(f"{name}: {_WORDS[dates.state]}", now, clear, "copy", name, _asked_at(line))
    elif dates.state in _WORDS and dates.requested:
        due = now if dates.copied else dates.requested + (dates.copy_p90 or COPY_TIMES.get(dates.type or "", _DAY))
        waits = dates.copied is None and dates.state in ("pending", "copying", "suspended")
        expected = (
            ("; expected by then (P90)" if due >= now else "; it takes longer than expected (P90)") if waits else ""
        )
        what = f"{name}: {_WORDS[dates.state]}{expected}"
        yield Deadline(what, due, f"rehearse refresh watch {name}", "copy", name, _asked_at(line))
    refreshed = any(one.what == "refresh" and one.end > now and one.sandbox == name for one in sky.bookings)
    if line.condition == "burned" and line.burned_by and not refreshed:
        due = max(line.burned_by.end, dates.certain_from or line.burned_by.end)
        what = f"{name}: burned by {line.burned_by.label}; only a refresh helps"
        yield Deadline(what, due, f"rehearse refresh request {name}", "burned", name, line.burned_by.id)
    if line.open_items and dates.state == "completed":
        what = f"{name}: {line.open_items} item(s) of its ready list are open"
        yield Deadline(what, dates.live_since or now, f"rehearse refresh ready {name}", "ready", name, _asked_at(line))


def _asked_at(line: SandboxLine) -> str:
    return f"{line.availability.requested:%Y%m%d%H%M}" if line.availability.requested else ""


def _refreshes(line: SandboxLine, now: datetime) -> Iterator[Deadline]:
    name, dates = line.availability.sandbox, line.availability
    certain, possible = dates.certain_from, dates.possible_from
    ask = f"rehearse refresh check {name}"
    if dates.state not in DONE:
        return  # a copy under way: what follows it is not near, whatever its request would allow
    if possible and possible != certain and now <= possible <= now + _SOON:
        yield Deadline(f"{name}: a refresh becomes possible, not yet for certain", possible, ask, "refresh", name)
    if certain and now <= certain <= now + _SOON:
        yield Deadline(f"{name}: a refresh becomes possible for certain", certain, ask, "refresh", name)


def _evidence(line: SandboxLine, now: datetime) -> Iterator[Deadline]:
    """A baseline or a proof that says little any more; a proof of an old baseline is not told twice."""
    name, baseline = line.availability.sandbox, line.baseline
    if baseline is None:
        return
    if one := line.unproven:
        what = f"{name}: {one.label} is over, and nothing was proven since: is the sandbox as it was?"
        yield Deadline(what, one.free_at, f"rehearse reset prove {name}", "proof", name, one.id)
    due = baseline.taken_at + _OLD
    if due <= now + _SOON:
        what = f"{name}: the baseline {baseline.name} is too old to trust"
        yield Deadline(what, due, f"rehearse baseline capture {name}", "baseline", name, baseline.name)
    elif baseline.proof_at and baseline.proof_at + _OLD <= now + _SOON:
        what = f"{name}: its last proof ({baseline.proof_verdict}) is too old to trust"
        yield Deadline(what, baseline.proof_at + _OLD, f"rehearse reset prove {name}", "proof", name, baseline.name)


def _idle(line: SandboxLine, now: datetime, sky: Sky) -> Iterator[Deadline]:
    name = line.availability.sandbox
    seen = [line.availability.activated, line.availability.copied, (sky.used or {}).get(name)]
    if line.baseline is not None:
        seen += [line.baseline.taken_at, line.baseline.proof_at]
    last = max((one for one in seen if one and one <= now), default=None)
    if last is not None and now - last >= _IDLE_SEEN and line.booking is None:
        what = f"{name}: no use is known since {last:%Y-%m-%d}; a sandbox that nobody logs in to is deleted"
        clear = f"rehearse baseline capture {name}"
        if not line.can_log_in:
            what, clear = f"{what}: log in, then say so", f"rehearse ledger add {name} --used today"
        yield Deadline(what, last + _IDLE, clear, "idle", name)


def _bookings(lines: Sequence[SandboxLine], now: datetime, sky: Sky) -> Iterator[Deadline]:
    broken = sky.broken or {}
    known = sky.bookings or tuple(line.next_booking for line in lines if line.next_booking)
    by_name = {line.availability.sandbox: line for line in lines}
    for one in known:
        if one.end <= now:
            continue
        if one.id in broken and not _is_to_ask(by_name, one, now):
            what = f"{one.sandbox}: {one.label} cannot stay as booked. {broken[one.id]}"
            clear = (sky.free or {}).get(one.id, f"rehearse book cancel {one.id}")
            if one.release or one.what == "refresh":
                clear = "rehearse plan plans/*.yaml --replan"
            yield Deadline(what, one.start, clear, "broken", one.sandbox, one.id)
        elif one.state == "requested":
            what = f"{one.sandbox}: {one.label} waits for approval"
            yield Deadline(what, one.start, f"rehearse book confirm {one.id}", "approval", one.sandbox, one.id)
        elif one.what == "refresh":
            yield from _activation(by_name.get(one.sandbox), one, now)
        elif now < one.start <= now + _DAY:
            what = f"{one.sandbox}: {one.label} starts"
            yield Deadline(what, one.start, _next_step(by_name.get(one.sandbox), one), "booking", one.sandbox, one.id)


def _requests(lines: Sequence[SandboxLine], now: datetime, sky: Sky) -> Iterator[Deadline]:
    """Refreshes that are booked and not asked for yet."""
    by_name = {line.availability.sandbox: line for line in lines}
    for one in sky.bookings:
        if one.request is None or one.end <= now or one.request > now + _SOON or _is_asked(by_name, one):
            continue
        if one.id in (sky.broken or {}) and not _is_to_ask(by_name, one, now):
            continue  # too late: told as broken
        what = f"{one.sandbox}: the booked refresh is to be asked for"
        yield Deadline(what, one.request, f"rehearse refresh request {one.sandbox}", "request", one.sandbox)


def _is_to_ask(by_name: Mapping[str, SandboxLine], one: Booking, now: datetime) -> bool:
    """Whether the copy of a booked refresh is still to be requested, and would be made in time if it were now."""
    line = by_name.get(one.sandbox)
    if one.request is None or line is None or _is_asked(by_name, one):
        return False
    length = line.availability.copy_p90 or COPY_TIMES.get(line.availability.type or "", _DAY)
    return max(now, one.request) + length <= one.start


def _is_asked(by_name: Mapping[str, SandboxLine], one: Booking) -> bool:
    """Whether the copy of a booked refresh was requested: near the time that was booked for it, or later."""
    line = by_name.get(one.sandbox)
    asked = line and line.availability.requested
    return bool(line and asked and one.request and asked > one.request - leeway_of(line.availability.type))


def _activation(line: SandboxLine | None, one: Booking, now: datetime) -> Iterator[Deadline]:
    """The booked activation of a copy that waits for it."""
    if line and line.availability.state == "pending-activation" and one.start <= now + _DAY:
        what = f"{one.sandbox}: the booked activation of the new copy is due"
        yield Deadline(what, one.start, f"rehearse refresh activate {one.sandbox}", "booking", one.sandbox, one.id)


def _next_step(line: SandboxLine | None, one: Booking) -> str:
    if line is None or line.baseline is None:
        return f"rehearse baseline capture {one.sandbox}"
    return f"rehearse diff {one.sandbox}"


def _announced(now: datetime, sky: Sky) -> Iterator[Deadline]:
    for name, cut_off in sky.previews:
        if now <= cut_off <= now + _CUT_OFF:
            what = f"{name}: what is refreshed and active by now decides which sandboxes preview it"
            yield Deadline(what, cut_off, "rehearse sandboxes", "preview", subject=name)
    for id, completed in sky.validations:
        due = completed + _QUICK
        if due <= now:
            what = f"production: the validation {id} is older than 10 days and cannot be deployed quickly"
            yield Deadline(what, due, "sf project deploy validate", "validation", subject=id)
        elif due <= now + _SOON:
            what = f"production: the validation {id} can be deployed quickly until then"
            yield Deadline(what, due, f"sf project deploy quick --job-id {id}", "validation", subject=id)


def build_radar_table(due: Sequence[Deadline], zone: ZoneInfo) -> Table:
    """The deadlines as a table."""
    rows: Rows = [[clock.show(one.due, zone), one.what, Cell(one.clear_with, code=True)] for one in due]
    return build_table("Due soon", ["due", "what", "clear with"], rows, empty="nothing")


def build_radar_body(due: Sequence[Deadline]) -> list[dict[str, object]]:
    """The `radar[]` of formats.md."""
    keys = ("what", "due", "clear_with", "kind", "sandbox")
    return [{key: getattr(one, key) or None for key in keys} for one in due]
