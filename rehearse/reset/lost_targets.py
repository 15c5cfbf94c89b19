"""Look-ups to rows that stay deleted: by choice, or because nothing brings the row back. No org takes such a value.

Pure. A plan names each such look-up and promises the rest of the row; a detail whose master stays away is not tried.
`gone_targets` is the side that writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from rehearse.reset.model import Action, Blocked
from rehearse.reset.record_plan import RecordPlan
from rehearse.reset.row_state import scope_fields

BACK = ("undelete", "insert", "update")


def leave_lost_targets(plan: RecordPlan) -> None:
    """Take look-ups to rows that stay deleted out of the actions, and say so; until nothing more stays away by that."""
    told: set[tuple[str, str]] = set()
    while lost := _stay_deleted(plan):
        kept: list[Action] = []
        before = len(plan.actions)
        for action in plan.actions:
            names = _pointing(plan, action, lost) if action.do in BACK else ()
            if names and (action.type, action.key) not in told:
                told.add((action.type, action.key))
                plan.blocked.append(Blocked("record", action.type, action.key, "manual", _reason(plan, action, names)))
            kept.extend([] if names and _hangs(plan, action, names) else _without(action, names))
        plan.actions[:] = kept
        if len(kept) == before:
            return


def _stay_deleted(plan: RecordPlan) -> set[str]:
    """The deleted rows of the baseline that no action of the plan brings back, and those outside of it."""
    back = {one.key for one in plan.actions if one.do in BACK}
    left_out = [one for one in plan.inputs.changes if one.kind == "record" and one.key in plan.inputs.choices.left_out]
    gone = [*plan.by_what["deleted"], *(one for one in left_out if one.what == "deleted")]
    away = {one.key for one in gone if one.key not in back and plan.book(one.type).bin.get(one.key) != "live"}
    return away | plan.inputs.gone


def _pointing(plan: RecordPlan, action: Action, lost: Collection[str]) -> tuple[str, ...]:
    """The references that this action would write and whose row stays deleted."""
    values = plan.book(action.type).before.get(action.key, {})
    names = (one.name for one in scope_fields(plan.inputs.before, action.type) if one.type == "reference")
    return tuple(
        sorted(one for one in names if values.get(one) in lost and (action.do != "update" or one in action.fields))
    )


def _hangs(plan: RecordPlan, action: Action, names: Iterable[str]) -> bool:
    """Whether a deleted row cannot come back at all without one of these."""
    schema = plan.inputs.schemas.get(action.type)
    fields = [schema.field(one) for one in names] if schema else []
    return action.do != "update" and any(
        one is not None and (one.is_master_detail or not one.nillable) for one in fields
    )


def _without(action: Action, names: Collection[str]) -> list[Action]:
    left = tuple(one for one in action.fields if one not in names)
    if action.do != "update" or not names:
        return [action]
    return [replace(action, fields=left)] if left else []


def _reason(plan: RecordPlan, action: Action, names: Iterable[str]) -> str:
    values = plan.book(action.type).before[action.key]
    return "; ".join(f"{one} names {values[one]}, which stays deleted" for one in names)
