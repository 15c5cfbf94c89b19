"""From rehearse.yaml, release files and the workspace database to one planning: what is wanted, what there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from rehearse.cli.availability import availability_of, known_cycles, with_interval
from rehearse.cli.desk import Desk
from rehearse.errors import UsageError
from rehearse.release.model import Release
from rehearse.schedule.blackout_feed import expand_ics
from rehearse.schedule.blackouts import expand_rrule
from rehearse.schedule.ledger import COPY_TIMES, Cycle, percentile
from rehearse.schedule.ledger_store import load_cycles
from rehearse.schedule.model import Closed, Policy, Somebody, Supply, Window, Wish
from rehearse.schedule.releases_store import load_other_releases
from rehearse.schedule.store import load_bookings
from rehearse.schedule.wall import add_span
from rehearse.workspace.model import Blackout, SandboxConfig, Workspace


def load_plans(desk: Desk, paths: Sequence[Path]) -> tuple[Release, ...]:
    """Read release files against the calendar of rehearse.yaml; raises DocumentError with all mistakes."""
    from rehearse.release.read import Calendar, load_releases

    workspace = desk.workspace
    calendar = Calendar(
        workspace.zone,
        workspace.hours,
        workspace.grid,
        tuple(one.name for one in workspace.people),
        tuple(one.name for one in workspace.sandboxes),
    )
    return load_releases(paths, calendar)


RESET_TIME = timedelta(hours=2)
"""How long a reset takes where none was done yet."""


def build_wish(
    desk: Desk,
    releases: Sequence[Release],
    now: datetime,
    *,
    replan: bool = False,
    burns: frozenset[tuple[str, str]] = frozenset(),
) -> Wish:
    """Everything that one planning is about; releases that were booked before count, whatever files are given now.

    `burns` names rehearsals (release, name) that a forecast says burn their sandbox.
    """
    workspace = desk.workspace
    cycles = load_cycles(desk.database)
    return Wish(
        now=now,
        policy=build_policy(workspace),
        supplies=tuple(_supply(desk, one, cycles.get(one.name, ()), now) for one in workspace.sandboxes),
        releases=(*releases, *load_other_releases(desk.database, releases)),
        closed=load_closed(workspace, now),
        people=tuple(
            Somebody(one.name, one.zone, one.hours, tuple(Window(*span) for span in one.away))
            for one in workspace.people
        ),
        burns=burns,
        replan=replan,
    )


def build_policy(workspace: Workspace) -> Policy:
    """The team's calendar and refresh policy."""
    return Policy(
        zone=workspace.zone,
        hours=workspace.hours,
        grid=workspace.grid,
        horizon=workspace.horizon,
        prefer=workspace.refresh.prefer,
        clock=workspace.refresh.clock,
        plan_with=workspace.refresh.plan_with,
        usable_during_copy=workspace.refresh.usable_during_copy,
        settle=workspace.refresh.settle,
    )


def load_closed(workspace: Workspace, now: datetime) -> tuple[Closed, ...]:
    """All blackouts, recurring and imported ones as the windows that fall between last month and the horizon."""
    last = add_span(now, workspace.horizon, workspace.zone, workspace.hours.days)
    span = Window(now - timedelta(days=31), last + timedelta(days=14))
    found: list[Closed] = []
    for one in workspace.blackouts:
        found += [Closed(name, window, one.sandboxes) for name, window in _windows(one, workspace, span)]
    return tuple(found)


def _windows(one: Blackout, workspace: Workspace, span: Window) -> list[tuple[str, Window]]:
    if one.start is None and not one.rrule:
        try:
            return list(expand_ics(one.ics, workspace.zone, span))
        except UsageError as error:
            raise UsageError(f"{one.name}: {error.message}", error.hint) from error
    if one.rrule:
        starts = expand_rrule(
            one.rrule, one.first_day, one.at, workspace.zone, Window(span.start - one.length, span.end)
        )
        return [(one.name, Window(start, start + one.length)) for start in starts]
    assert one.start is not None and one.end is not None
    return [(one.name, Window(one.start, one.end))]


def _supply(desk: Desk, config: SandboxConfig, cycles: tuple[Cycle, ...], now: datetime) -> Supply:
    found = availability_of(desk, config.name, config, cycles, now)
    configured = dict(desk.workspace.refresh.copy_time or {}).get(found.type or "")
    return Supply(
        name=config.name,
        type=found.type,
        tags=config.tags,
        cycles=with_interval(desk, known_cycles(desk, config, cycles, now)),
        bookings=load_bookings(desk.database, config.name),
        reset_time=percentile(load_reset_times(desk, config.name), 90) or RESET_TIME,
        copy_time=found.copy_p90 or configured or COPY_TIMES.get(found.type or ""),
    )


def load_reset_times(desk: Desk, sandbox: str) -> list[timedelta]:
    """How long the resets of a sandbox took that came to their end, from the first intent to the last result."""
    from rehearse.journal import load_by_kind

    began: dict[str, datetime] = {}
    found = []
    for entry in load_by_kind(desk.database, ("begin", "end")):
        if entry.sandbox.casefold() != sandbox.casefold():
            continue
        if entry.kind == "begin":
            began.setdefault(entry.run, entry.opened)
        elif entry.closed is not None and entry.run in began:
            found.append(max(entry.closed - began[entry.run], timedelta(minutes=1)))
    return found
