"""Who made what a reset deletes or leaves: the rows that the baseline does not have, counted for who confirms a plan.

Pure. A deletion is confirmed by name, so everything that goes is told by who made it, rows inside an added object too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from rehearse.reset import row_marks
from rehearse.reset.housed_rows import find_kept
from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Blocked, Creation
from rehearse.reset.row_state import scope_fields

NO_PART = "who took no part; it stays (--participant or --delete-others would take it along)"


def person(inputs: PlanInputs, user_id: str) -> str:
    """The name of a user, or his Id where no name is known."""
    return inputs.people.get(user_id, user_id) or "an unknown user"


def with_emptied(inputs: PlanInputs, blocked: Sequence[Blocked], deleted: Collection[str]) -> list[Blocked]:
    """The same, with the look-ups of rows that stay and name a row that is deleted: these are emptied along with it."""
    found = []
    for one in blocked:
        values = inputs.rows.get(one.type, RowBook()).after.get(one.key, {}) if one.reason.endswith(NO_PART) else {}
        types = {field.name: field.type for field in scope_fields(inputs.after, one.type)}
        names = sorted(name for name, to in values.items() if to in deleted and types.get(name) == "reference")
        told = f"{one.reason}; what it names in {', '.join(names)} is deleted" if names else one.reason
        found.append(replace(one, reason=told))
    return found


def count_created(inputs: PlanInputs, blocked: Collection[tuple[str, str]] = ()) -> tuple[Creation, ...]:
    """Who made how many of the rows that the baseline does not have, by object; most first. What is `blocked` stays.

    Rows of an object that the rehearsal added are no changes of their own: they go, or stay, with it.
    """
    new = [one for one in inputs.changes if one.kind == "record" and one.what == "created"]
    found = Counter(
        (
            person(inputs, row_marks.creator_of(inputs, one)),
            one.type,
            (one.type, one.key) in blocked or row_marks.is_foreign(inputs, one),
        )
        for one in new
    )
    kept = find_kept(inputs.housed, inputs.choices)
    for object, makers in inputs.housed.items():
        if object not in inputs.schemas:
            stays = object in kept or ("CustomField" if "." in object else "CustomObject", object) in blocked
            found.update({(person(inputs, by), object, stays): count for by, count in makers.items() if by})
    return tuple(Creation(by, type, count, stay) for (by, type, stay), count in found.most_common())
