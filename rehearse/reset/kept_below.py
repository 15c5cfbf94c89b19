"""What hangs below rows that a plan deletes or brings back, and that the plan itself is to leave alone.

Pure. A created row is not deleted while a row below it stays: one that is left out by choice, one of somebody who took
no part, one of the baseline that nothing moves back (`cascades` asks the org again when the plan is applied, and sees
more). A row that is left out by choice and went along with its master comes back with it, and that is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from rehearse.baseline.model import Change
from rehearse.reset import row_marks
from rehearse.reset.file_parts import goes_along
from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Action, Blocked
from rehearse.reset.record_plan import RecordPlan

Place = tuple[str, str]


def spare_masters(plan: RecordPlan, wanted: dict[str, Change]) -> None:
    """Take created rows above rows that stay out of `wanted`, and say so; until nothing more stays by that."""
    links = list(_links_down(plan.inputs, live=True))
    along = {(one.type, one.key) for one in plan.blocked if goes_along(one)}
    stays = {(one.type, one.key) for one in plan.inputs.changes if _stays(plan, one, wanted)} - along
    moved = {(one.key, name) for one in plan.actions if one.do == "update" for name in one.fields}
    found = True
    while found:
        found = False
        for place, field, master in links:
            if master in wanted and place in stays and (place[1], field) not in moved:
                spared = wanted.pop(master)
                reason = f"{place[1]} of {place[0]} stays and would be deleted with it"
                plan.blocked.append(Blocked("record", spared.type, spared.key, "manual", reason))
                stays.add((spared.type, spared.key))
                found = True


def find_along(inputs: PlanInputs, actions: Collection[Action]) -> dict[str, str]:
    """Deleted row that no action brings back -> its master, with which it comes out of the recycle bin."""
    coming = {one.key: "" for one in actions if one.do == "undelete"}
    links = list(_links_down(inputs, live=False)) if coming else []
    grown = -1
    while grown != len(coming):
        grown = len(coming)
        for (object, key), _, master in links:
            if master in coming and inputs.rows[object].bin.get(key) == "bin":
                coming.setdefault(key, master)
    return {key: master for key, master in coming.items() if master}


def _links_down(inputs: PlanInputs, *, live: bool) -> Iterator[tuple[Place, str, str]]:
    """Row, field and master of every changed row that goes, and comes back, with the master."""
    cascading = {
        (child.object, child.field)
        for schema in inputs.schemas.values()
        for child in schema.children
        if child.cascade_delete
    }
    for object, field in sorted(cascading):
        book = inputs.rows.get(object, RowBook())
        for key, values in (book.after if live else book.before).items():
            if master := values.get(field):
                yield (object, key), field, master


def _stays(plan: RecordPlan, change: Change, wanted: Mapping[str, Change]) -> bool:
    """Whether a changed row is there afterwards: one of the baseline, or a created one that somebody keeps."""
    if change.kind != "record" or change.what == "deleted" or change.key in wanted:
        return False
    left_out = change.key in plan.inputs.choices.left_out
    return left_out or change.what == "updated" or row_marks.is_foreign(plan.inputs, change)
