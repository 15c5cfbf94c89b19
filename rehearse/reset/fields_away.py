"""Fields that stay away: deleted ones that a plan does not make anew, for what they held or by choice, and hidden ones.

Rows that held values in them cannot be put back by this plan, and it says so in place of promising a write that no
field takes. Pure; a field that this login does not see comes back with the access that the plan puts back, if any.
"""

from __future__ import annotations

from rehearse.baseline.model import Change
from rehearse.reset.component_marks import element_of
from rehearse.reset.component_names import is_respelled
from rehearse.reset.inputs import PlanInputs
from rehearse.reset.lost_values import SHARED, loss_marks
from rehearse.reset.row_state import scope_fields

_ACCESS = frozenset({"MutingPermissionSet", "PermissionSet", "PermissionSetGroup", "Profile"})


def fields_away(inputs: PlanInputs, object: str) -> frozenset[str]:
    """The fields of an object that the org does not show and that this plan does not bring back."""
    schema = inputs.schemas.get(object)
    gone = [one.name for one in scope_fields(inputs.before, object) if schema and schema.field(one.name) is None]
    return frozenset(one for one in gone if not _comes_back(inputs, object, one))


def _comes_back(inputs: PlanInputs, object: str, name: str) -> bool:
    book = inputs.metadata
    for parent in (object, *(parent for parent, objects in SHARED.items() if object in objects)):
        place = ("CustomField", f"{parent}.{name}")
        if is_respelled(book, *place):
            return False
        if place in book.before and place not in book.after:
            lost = loss_marks(book, *place, element_of(book.before[place], book.files_before)) - {"master-detail"}
            return inputs.choices.create_missing and place[1] not in inputs.choices.left_out and not lost
    return any(_gives_access(inputs, one) for one in inputs.changes)


def _gives_access(inputs: PlanInputs, change: Change) -> bool:
    """Whether a plan puts back something that says who may see fields; which ones, only the org can tell."""
    choices = inputs.choices
    wanted = {"created": choices.delete_added, "updated": choices.update_changed, "deleted": choices.create_missing}
    return change.type in _ACCESS and wanted[change.what] and change.key not in choices.left_out
