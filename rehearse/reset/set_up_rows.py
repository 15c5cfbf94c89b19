"""Rows of set-up that metadata also holds: a queue is a component and a row of Group, and one of the two is written.

Pure. Where its metadata is in scope as well, a component that was added or removed takes its row along; writing the row
too would make a second one, or be refused for the name that the deployment has just brought back.
"""

from __future__ import annotations

from rehearse.baseline.model import Change
from rehearse.baseline.row_kinds import is_covered
from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Blocked

_BY_TYPE = {"Queue": "Queue", "Regular": "Group"}
"""Type of a row of Group -> the metadata type that holds it; rows of roles and territories are of the platform."""


def find_owner(inputs: PlanInputs, change: Change) -> Blocked | None:
    """What a plan says of a row that comes and goes with its metadata; None for a row that is written as one."""
    if change.what == "updated" or not _is_owned(inputs, change):
        return None
    return Blocked("record", change.type, change.key, "unknown", "comes and goes with its metadata, which is in scope")


def _is_owned(inputs: PlanInputs, change: Change) -> bool:
    types = inputs.before.scope.types
    if change.type != "Group":
        return is_covered(change.type, types)
    book = inputs.rows.get("Group", RowBook())
    values = book.before.get(change.key) or book.after.get(change.key) or {}
    return _BY_TYPE.get(values.get("Type") or "") in types
