"""When one sandbox may be refreshed, of what production told, of the ledger, and of the dates kept by hand.

Decides nothing: it brings the workspace's settings and the kept history together for the ledger's rules.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rehearse import clock
from rehearse.cli.desk import Desk
from rehearse.errors import UsageError
from rehearse.schedule.ledger import Availability, Cycle, build_availability, merge_by_hand, with_licence
from rehearse.workspace.model import SandboxConfig


def availability_of(
    desk: Desk, name: str, config: SandboxConfig | None, cycles: tuple[Cycle, ...], now: datetime
) -> Availability:
    """The refresh dates of one sandbox; dates kept by hand count only where the org's own are missing."""
    known = known_cycles(desk, config, cycles, now) if config else with_licence(cycles, None)
    licence = known[-1].licence if known and known[-1].licence != "?" else config.type if config else None
    return build_availability(name, licence, with_interval(desk, known), now, desk.workspace.refresh.clock)


def with_interval(desk: Desk, cycles: tuple[Cycle, ...]) -> tuple[Cycle, ...]:
    """The cycles with the interval that rehearse.yaml gives for their licence type, where it gives one."""
    given = desk.workspace.refresh.interval
    return tuple(replace(one, interval=given[one.licence]) if one.licence in given else one for one in cycles)


def known_cycles(desk: Desk, config: SandboxConfig, cycles: tuple[Cycle, ...], now: datetime) -> tuple[Cycle, ...]:
    """The cycles that production told, else those that people wrote into rehearse.yaml, a sheet or the ledger.

    A refresh of unknown type has that of the sandbox. Raises UsageError where the one of rehearse.yaml is still to
    come: a mistyped year would lock the sandbox for long.
    """
    from rehearse.schedule.ledger_store import load_refusals, with_refusals

    hand = config.last_refresh
    cycles = with_licence(cycles, config.type)
    if hand is None or any(not one.by_hand for one in cycles):
        return cycles
    ends = (
        None if at is None else clock.until_now(at, now, desk.workspace.zone) for at in (hand.copied, hand.activated)
    )
    copied, activated = ends
    if max(one for one in (hand.requested, copied, activated) if one) > now:
        raise UsageError(
            f"The last_refresh of {config.name} in rehearse.yaml is in the future.",
            "Write the dates of the last one that was; a coming one is planned, or booked with `rehearse book`.",
        )
    state = "completed" if activated else "copying"
    dates = (hand.requested, copied or activated, activated)
    written = Cycle(f"hand:{config.name}", config.name, config.type or "?", state, None, *dates, by_hand=True)
    merged = merge_by_hand(cycles, written)
    return with_refusals(merged, load_refusals(desk.database).get(config.name, ()))
