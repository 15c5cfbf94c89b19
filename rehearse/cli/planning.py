"""From rehearse.yaml, release files and the workspace database to one planning: what is wanted, what there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from rehearse.cli.desk import Desk
from rehearse.cli.overview import availability_of, known_cycles, with_interval
from rehearse.release.model import Release
from rehearse.schedule.blackouts import expand_ics, expand_rrule
from rehearse.schedule.ledger import COPY_TIMES, Cycle
from rehearse.schedule.ledger_store import load_cycles
from rehearse.schedule.model import Closed, Policy, Somebody, Supply, Window, Wish
from rehearse.schedule.releases_store import load_other_releases
from rehearse.schedule.store import load_bookings
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
    span = Window(now - timedelta(days=31), now + workspace.horizon.amount + timedelta(days=14))
    found: list[Closed] = []
    for one in workspace.blackouts:
        found += [Closed(name, window, one.sandboxes) for name, window in _windows(one, workspace, span)]
    return tuple(found)


def _windows(one: Blackout, workspace: Workspace, span: Window) -> list[tuple[str, Window]]:
    if one.ics:
        return list(expand_ics(one.ics, workspace.zone, span))
    if one.rrule:
        starts = expand_rrule(one.rrule, one.first_day, one.at, workspace.zone, span)
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
        cycles=with_interval(desk, known_cycles(config, cycles)),
        bookings=load_bookings(desk.database, config.name),
        copy_time=found.copy_p90 or configured or COPY_TIMES.get(found.type or ""),
    )
