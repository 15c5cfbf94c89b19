"""From the ledger in the database to the lines that are shown, and from what a person says to an entry of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rehearse import clock
from rehearse.cli import overview
from rehearse.cli.answers import say, user
from rehearse.cli.availability import availability_of, known_cycles, with_interval
from rehearse.cli.desk import Desk
from rehearse.errors import NotFound, UsageError
from rehearse.ids import is_same_name, to_18
from rehearse.report.ledger import LedgerLine
from rehearse.schedule.ledger import Cycle, Refusal, holds
from rehearse.schedule.ledger_outlook import (
    LicenceUse,
    build_copy_time,
    build_errors,
    build_licences,
    build_next_dates,
    build_phases,
    count_left,
    find_clashes,
    quarter_end,
    year_end,
)
from rehearse.schedule.ledger_sandboxes import is_gone, load_sandboxes
from rehearse.schedule.ledger_sheet import HandCycle, build_hand_cycle, read_licence
from rehearse.schedule.ledger_stages import load_stages
from rehearse.schedule.ledger_store import load_cycles, record_refusal, save_cycles


def ask_production(desk: Desk, *, offline: bool) -> None:
    """Ask production which copies it knows, unless nobody is to be asked."""
    from rehearse.cli import progress

    if not offline:
        with progress.shown() as on_event:
            overview.refresh_ledger(desk, on_event)


def load_lines(desk: Desk, now: datetime) -> tuple[LedgerLine, ...]:
    """One line a sandbox: those of rehearse.yaml in their order, then what production or a sheet told, by name."""
    ledger, known = load_cycles(desk.database), load_sandboxes(desk.database)
    names = [one.name for one in desk.workspace.sandboxes]
    names += sorted(one for one in ledger if not any(is_same_name(one, name) for name in names))
    return tuple(_line(desk, name, ledger.get(name, ()), now, gone=is_gone(known, name, ledger.get(name, ())))
                 for name in names)  # fmt: skip


def _line(desk: Desk, name: str, kept: tuple[Cycle, ...], now: datetime, *, gone: bool) -> LedgerLine:
    workspace = desk.workspace
    config = next((one for one in workspace.sandboxes if is_same_name(one.name, name)), None)
    cycles = known_cycles(desk, config, kept, now) if config else kept
    cycles = with_interval(desk, cycles)
    found = availability_of(desk, name, config, cycles, now)
    took = build_copy_time(found.type, cycles, workspace.refresh.copy_time)
    stages = load_stages(desk.database)
    asked = {key: next((one.started for one in own if one.number == 3), None) for key, own in stages.items()}
    until = quarter_end(now, workspace.zone), year_end(now, workspace.zone)
    quarter, year = (count_left(found, cycles, took, now, one) for one in until)
    return LedgerLine(
        found,
        cycles,
        build_next_dates(found, cycles, took, now),
        quarter,
        year,
        took,
        build_errors(cycles, workspace.refresh.copy_time),
        {one.id: build_phases(one, asked.get(one.id)) for one in cycles},
        find_clashes(cycles, desk.workspace.zone),
        gone,
    )


def load_licences(desk: Desk, lines: tuple[LedgerLine, ...] | list[LedgerLine]) -> tuple[LicenceUse, ...]:
    """Licences bought (by rehearse.yaml) and in use by the sandboxes that exist now."""
    types = {one.availability.sandbox: one.availability.type or "?" for one in lines if not one.gone and one.cycles}
    return build_licences(desk.workspace.licences, types)


@dataclass(frozen=True)
class Entry:
    """What a person says about a refresh, as typed: requested, copied, activated; or when it was refused, with the code
    and the text; or when somebody logged in."""

    sandbox: str
    dates: tuple[str | None, str | None, str | None]
    refused: str | None
    answer: tuple[str, str]
    kind: str | None
    org_id: str | None
    by: str
    note: str
    used: str | None = None


def write_entry(desk: Desk, given: Entry, now: datetime, *, dry_run: bool) -> str:
    """Keep an entry, and say what it is. Raises UsageError for dates that cannot be."""

    if sum(one is not None for one in (given.dates[0], given.refused, given.used)) != 1:
        what = "Give --requested for a refresh, --refused for a refused request, or --used for a login."
        raise UsageError(what, "See --help.")
    zone, by = desk.workspace.zone, given.by or user()
    if given.used is not None:
        return _write_use(desk, given, (given.used, by), now, dry_run=dry_run)
    ledger = load_cycles(desk.database)
    name = _spelled(desk, given.sandbox)
    own = ledger.get(name, ())
    if not own and not any(one.name == name for one in desk.workspace.sandboxes):
        say(f"note: {name} is not in rehearse.yaml, and the ledger did not know it.")
    if given.refused is not None:
        at, (code, text) = clock.parse_instant(given.refused, zone), given.answer
        text = text or "no text was written down"
        _check_past(at, now)
        if not dry_run:
            record_refusal(desk.database, name, Refusal(at, code, text, by))
        return f"{name}: a request of {clock.show(at, zone)} was refused: {text}"
    made = _cycle_of(desk, given, name, own, now)
    if not dry_run:
        save_cycles(desk.database, [replace(made, by=by)], now)
    dates = [f"requested {clock.show(made.requested, zone)}"]
    dates += [f"copied {clock.show(made.copied, zone)}"] if made.copied else []
    dates += [f"activated {clock.show(made.activated, zone)}"] if made.activated else []
    return f"{name}: {', '.join(dates)} ({made.state}), by {by}"


def _write_use(desk: Desk, given: Entry, use: tuple[str, str], now: datetime, *, dry_run: bool) -> str:
    """Keep when somebody (`use`: when, who) logged in to a sandbox, and say so."""
    from rehearse.schedule.uses import record_use

    zone, (when, by) = desk.workspace.zone, use
    name = _spelled(desk, given.sandbox)
    at = now if when.casefold() in ("today", "now") else clock.parse_edge(when, zone, last=False)
    _check_past(at, now)
    if not dry_run:
        record_use(desk.database, name, at, by)
    return f"{name}: used {clock.show(at, zone)}, by {by}"


def _spelled(desk: Desk, given: str) -> str:
    """The name of a sandbox as rehearse.yaml spells it."""
    return next((one.name for one in desk.workspace.sandboxes if is_same_name(one.name, given)), given)


def _cycle_of(desk: Desk, given: Entry, name: str, own: tuple[Cycle, ...], now: datetime) -> Cycle:
    zone = desk.workspace.zone
    edges = [  # a bare date means that whole day, as in a sheet: what counts from its end must not come too early
        None if one is None else clock.parse_edge(one, zone, last=number > 0) for number, one in enumerate(given.dates)
    ]
    dates = [edges[0], *(None if one is None else clock.until_now(one, now, zone) for one in edges[1:])]
    present = [one for one in dates if one is not None]
    for one in present:
        _check_past(one, now)
    if present != sorted(present):
        raise UsageError("The dates do not follow one another: requested, copied, activated.", "Check them.")
    assert dates[0] is not None
    near = next((one for one in own if one.source == "org" and holds(one, dates[0])), None)
    if near is not None:
        raise UsageError(
            f"Production itself knows the refresh of {name} requested {clock.show(near.requested, zone)}.",
            "Nothing has to be written down: see `rehearse ledger show`.",
        )
    config = next((one for one in desk.workspace.sandboxes if one.name == name), None)
    licence = read_licence(given.kind or (config.type if config and config.type else ""))
    if licence == "?" and own:
        licence = own[-1].licence
    hand = HandCycle(name, licence, dates[0], dates[1], dates[2], to_18(given.org_id) if given.org_id else None)
    return build_hand_cycle(hand, now, source="hand", note=given.note)


def find_entry(desk: Desk, sandbox: str, requested: str) -> Cycle:
    """The entry of a sandbox with this request, to the minute; raises NotFound."""
    at = clock.parse_instant(requested, desk.workspace.zone)
    for one in load_cycles(desk.database).get(sandbox, ()):
        if abs(one.requested - at) < timedelta(minutes=1):
            return one
    raise NotFound(f"The ledger has no refresh of {sandbox} requested {requested}.", "See `rehearse ledger show`.")


def _check_past(at: datetime, now: datetime) -> None:
    if at > now:
        raise UsageError(f"{clock.iso(at)} lies in the future.", "The ledger keeps what happened.")
