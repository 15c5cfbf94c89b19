"""Rows of the baseline that lie in the bin below a row that the plan is not to bring back: how they return all the
same.

Pure. A detail that was moved to another master and deleted with it cannot be undeleted while that master lies in the
bin. So the master comes back for a while, the detail goes to where the baseline has it, and the master is deleted
again, with what else came with it. Where it cannot come back, the detail is inserted again under a new Id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rehearse.baseline.model import Change
from rehearse.reset.inputs import Carrier, PlanInputs, RowBook
from rehearse.reset.order import Link, order_rows
from rehearse.reset.record_plan import RecordPlan

CARRIED = "carrier"
"""What stands in place of the values of a carrier, of which the baseline knows nothing."""


def masters_of(inputs: PlanInputs, change: Change) -> tuple[str, ...]:
    """Below what a row lies in the recycle bin."""
    if change.key in inputs.carriers:
        return inputs.carriers[change.key].masters
    return inputs.rows.get(change.type, RowBook()).masters.get(change.key, ())


def move_buried(plan: RecordPlan, back: dict[str, Change], insert: dict[str, Change]) -> dict[str, Change]:
    """The carriers that have to come back for the rows `back`; what lies below a row that stays away is inserted."""
    deleted = {key for book in plan.inputs.rows.values() for key, place in book.bin.items() if place != "live"}
    moved = True
    while moved:
        moved = False
        for key, change in list(back.items()):
            if not _can_return(plan.inputs, masters_of(plan.inputs, change), deleted, back):
                insert[key] = back.pop(key)
                moved = True
    needed: dict[str, Change] = {}
    left = [master for change in back.values() for master in masters_of(plan.inputs, change)]
    while left:
        master = left.pop()
        if master in plan.inputs.carriers and master not in needed:
            carrier = plan.inputs.carriers[master]
            needed[master] = Change("record", carrier.object, master, CARRIED, None)
            left.extend(carrier.masters)
    return needed


def _can_return(inputs: PlanInputs, masters: Collection[str], deleted: Collection[str], back: Collection[str]) -> bool:
    """Whether all of these live or come out of the bin, and those above them."""
    for master in masters:
        carrier = inputs.carriers.get(master)
        if carrier is None:
            if master in deleted and master not in back:
                return False
        elif not (carrier.there and _can_return(inputs, carrier.masters, deleted, back)):
            return False
    return True


def carrier_levels(known: Mapping[str, Carrier], carriers: Collection[str]) -> tuple[tuple[tuple[str, str], ...], ...]:
    """(object, key) of the carriers in the order in which they go again: what lies below before what it lies below."""
    links = [Link(master, "", key, True) for key in carriers for master in known[key].masters if master in carriers]
    return tuple(tuple((known[key].object, key) for key in level) for level in order_rows(carriers, links).levels)
