"""Sandboxes that are clones: what a plan promises of production's likeness does not hold for them. Pure.

A clone is refreshed from its source sandbox, not from production (Salesforce Help, refresh a cloned sandbox). The
planner counts each copy as one of production; where a schedule uses a clone, that is said instead of promised.
"""

from __future__ import annotations

from rehearse.schedule.demand import in_force
from rehearse.schedule.model import Schedule, Wish


def name_clones(wish: Wish, schedule: Schedule) -> tuple[str, ...]:
    """A warning for each clone that a schedule uses, by name."""
    used = {one.sandbox for one in schedule.bookings} | {one.sandbox for one in schedule.refreshes}
    found = []
    for supply in wish.supplies:
        force = in_force(supply)
        source = force.clone_of if force is not None else ""
        if source and supply.name in used:
            found.append(
                f"{supply.name} is a clone of {source}: a refresh copies {source} as it is then, not production. "
                "Whether it resembles production, and how old its data is, depends on that sandbox."
            )
    return tuple(sorted(found))
