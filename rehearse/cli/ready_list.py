"""The list of what is to be done after a refresh, begun for the generation that a copy makes: by whoever notices it.

Its items come from rehearse.yaml where it names them, else from what a licence type needs; nothing is added twice.
"""

from __future__ import annotations

from rehearse.cli.desk import Desk
from rehearse.refresh.model import Losses, ReadyItem
from rehearse.refresh.ready import build_items
from rehearse.refresh.ready_store import add_items
from rehearse.schedule.ledger import Cycle


def start_list(desk: Desk, name: str, cycle: Cycle | None, losses: Losses | None) -> int:
    """Begin the ready list of the generation that a copy makes, or add to it what the loss guard found; how many items
    were added."""
    if cycle is None or cycle.org_id is None:
        return 0
    given = desk.workspace.refresh.ready
    configured = None
    if given is not None:
        fitting = [one for one in given if not one.types or cycle.licence in one.types]
        configured = [ReadyItem(one.item, one.owner, one.soql and f"counted by: {one.soql}") for one in fitting]
    items = build_items(cycle.licence, configured, losses.keepsakes if losses else ())
    return add_items(desk.database, name, cycle.org_id, items)
