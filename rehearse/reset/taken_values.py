"""Unique values that a row of the baseline needs back while another row keeps them: no org takes a value twice.

Pure. A row keeps a value that the plan neither deletes nor writes over: by choice, because somebody who took no part
made it, or because nothing can undo it. The plan names the row and the holder, and promises the rest; a deleted row
does not come back at all while another one holds its value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rehearse.org.model import Field
from rehearse.reset.inputs import RowBook
from rehearse.reset.model import Action, Blocked
from rehearse.reset.record_plan import RecordPlan
from rehearse.reset.row_state import Values, scope_fields

Taken = dict[str, dict[str, str]]
"""Id of an action -> field -> the key of the row that keeps the value."""


def leave_taken_values(plan: RecordPlan) -> None:
    """Take values that another row keeps out of the actions, and say so; until no row keeps more by that."""
    while taken := _find_taken(plan):
        kept: list[Action] = []
        for action in plan.actions:
            names = taken.get(action.id, {})
            if names:
                reason = "; ".join(f"{field} is taken by {holder}, which stays" for field, holder in names.items())
                plan.blocked.append(Blocked("record", action.type, action.key, "manual", reason))
            left = tuple(one for one in action.fields if one not in names)
            if not names or (left and action.do == "update"):
                kept.append(replace(action, fields=left))
        plan.actions[:] = kept


def _find_taken(plan: RecordPlan) -> Taken:
    by_object: dict[str, list[Action]] = {}
    for one in plan.actions:
        by_object.setdefault(one.type, []).append(one)
    found: Taken = {}
    for object, actions in by_object.items():
        schema, scoped = plan.inputs.schemas.get(object), {one.name for one in scope_fields(plan.inputs.before, object)}
        for field in schema.fields if schema else ():
            if field.unique and field.name in scoped:
                for action, holder in _clashes(plan.book(object), field, actions):
                    found.setdefault(action, {})[field.name] = holder
    return found


def _clashes(book: RowBook, field: Field, actions: list[Action]) -> Iterator[tuple[str, str]]:
    free = {one.key for one in actions if one.do == "delete" or (one.do == "update" and field.name in one.fields)}
    held = {_value(row, field): key for key, row in book.after.items() if key not in free}
    for action in actions:
        if action.do in ("undelete", "insert") or (action.do == "update" and field.name in action.fields):
            needed = _value(book.before.get(action.key, {}), field)
            if needed is not None and held.get(needed, action.key) != action.key:
                yield action.id, held[needed]


def _value(values: Values, field: Field) -> str | None:
    value = values.get(field.name)
    return value if value is None or field.case_sensitive else value.lower()
