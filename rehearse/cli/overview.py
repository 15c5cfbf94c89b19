"""Everything known of each sandbox in one place: refresh dates, copy times, bookings, baseline and last proof.

The only step that asks an org is `refresh_ledger`; without a production login, dates kept by hand are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rehearse.baseline.model import Baseline
from rehearse.cli.availability import availability_of
from rehearse.cli.desk import Desk
from rehearse.cli.leftovers import find_broken_off
from rehearse.events import OnEvent
from rehearse.ids import is_same_name
from rehearse.report.sandboxes import SandboxLine
from rehearse.schedule.ledger import Availability
from rehearse.schedule.model import Booking

if TYPE_CHECKING:
    from rehearse.org.connect import OrgReader


def refresh_ledger(desk: Desk, on_event: OnEvent) -> None:
    """Ask production which copies it knows and keep them; nothing happens without a production login."""
    from rehearse.refresh.observe import observe

    production = desk.connect_production()
    if production is not None:
        with desk.database.for_now():
            unseen = observe(production, desk.database, desk.fetch_now(), on_event)
            _record_validations(desk, production)
            for name in unseen:
                _start_list(desk, name, on_event)


def _start_list(desk: Desk, name: str, on_event: OnEvent) -> None:
    """Others refreshed a sandbox, and nobody here saw it coming: what is to be done after a refresh is to be done all
    the same, above all before its records are kept anywhere."""
    from rehearse.cli.ready_list import start_list
    from rehearse.events import Noted
    from rehearse.schedule.ledger import find_in_force
    from rehearse.schedule.ledger_store import load_cycles

    config = next((one for one in desk.workspace.sandboxes if is_same_name(one.name, name)), None)
    cycle = find_in_force(load_cycles(desk.database).get(name, ()))
    if config is not None and cycle is not None and start_list(desk, config.name, cycle, None):
        on_event(
            Noted(f"note: {config.name} was refreshed by others. What is left to do: rehearse refresh ready {name}")
        )


def _record_validations(desk: Desk, production: OrgReader) -> None:
    """Which validated deployment waits; a login that may not read deployments shows none."""
    from rehearse.errors import OrgRejected
    from rehearse.schedule.validations import SOQL, find_open, record_validations

    try:
        found = find_open(production.fetch_tooling_rows(SOQL))
    except OrgRejected:
        found = ()
    record_validations(desk.database, found)


def load_overview(desk: Desk, now: datetime) -> tuple[SandboxLine, ...]:
    """One line a sandbox, of the file and of the ledger, in the order of the file and then by name."""
    from rehearse.refresh.ready_count import count_open
    from rehearse.schedule.ledger_sandboxes import is_gone, load_sandboxes
    from rehearse.schedule.ledger_store import load_cycles

    cycles, known = load_cycles(desk.database), load_sandboxes(desk.database)
    bookings, waiting = desk.load_bookings(), count_open(desk.database)
    half = {one.sandbox: one.began for one in find_broken_off(desk)}
    kept = _load_baselines(desk)
    names = [one.name for one in desk.workspace.sandboxes]
    written = {name.casefold() for name in names}
    names += sorted(
        name for name in cycles if name.casefold() not in written and not is_gone(known, name, cycles[name])
    )
    lines = []
    for name in names:
        config = next((one for one in desk.workspace.sandboxes if one.name == name), None)
        availability = availability_of(desk, name, config, cycles.get(name, ()), now)
        own = sorted((one for one in bookings if one.sandbox == name), key=lambda one: one.start)
        running = next((one for one in own if one.start <= now < one.end), None)
        held = next((one for one in own if one.end <= now < one.free_at), None)
        coming = next((one for one in own if one.start > now), None)
        left = waiting.get((name.casefold(), availability.org_id or ""), 0)
        burned = _find_burned(own, availability, now)
        baseline, proven = kept.get(name.casefold(), (None, None))
        line = SandboxLine(availability, running, coming, baseline, left, burned, proven=proven, held=held)
        line = replace(line, listed=config is not None, can_log_in=config is not None and config.login is not None)
        line = replace(line, half_reset=name in half and half[name] > _settled_at(availability, proven or baseline))
        lines.append(replace(line, unproven=_find_unproven(own, line, now)))
    return tuple(lines)


def _load_baselines(desk: Desk) -> dict[str, tuple[Baseline, Baseline | None]]:
    """By sandbox the baseline that commands use where none is named, and the one that was proven last, where that says
    more of the sandbox than that baseline does: it was proven after it was taken."""
    from rehearse.baseline.index import pick_newest

    known: dict[str, list[Baseline]] = {}
    for one in desk.baselines().load(None):
        if one.voided is None:
            known.setdefault(one.sandbox.casefold(), []).append(one)
    found: dict[str, tuple[Baseline, Baseline | None]] = {}
    for name, own in known.items():
        base = pick_newest(own)
        since = [(one.proof_at, one) for one in own if one.org_id == base.org_id and one.proof_at]
        last = max(since, key=lambda pair: pair[0], default=None)
        found[name] = (base, last[1] if last and last[0] >= base.taken_at else None)
    return found


def _settled_at(availability: Availability, baseline: Baseline | None) -> datetime:
    """Since when it does not matter what an earlier reset left: a new copy, or a proof that says what is so."""
    instants = (availability.live_since, baseline and baseline.proof_at, datetime.min.replace(tzinfo=UTC))
    return max(one for one in instants if one)


def _find_unproven(own: Sequence[Booking], line: SandboxLine, now: datetime) -> Booking | None:
    """The last rehearsal that is over, hold and reset too, where there is a baseline, and nothing says what became of
    the sandbox: no proof since it began (a reset may end before the booked time does), no baseline or refresh since."""
    over = [one for one in own if one.what == "rehearsal" and one.state != "requested" and one.free_at <= now]
    if not over or line.baseline is None or line.burned_by:
        return None
    last, proven = over[-1], line.last_proof.proof_at if line.last_proof else None
    newer = max(one for one in (line.baseline.taken_at, line.availability.live_since) if one)
    return last if newer < last.end and (proven is None or proven < last.start) else None


def _find_burned(own: Sequence[Booking], availability: Availability, now: datetime) -> Booking | None:
    """The rehearsal after which nothing can be put back, unless a refresh was activated since."""
    live = availability.live_since
    burns = [one for one in own if one.burns and one.end <= now and (live is None or live < one.end)]
    return burns[-1] if burns else None
