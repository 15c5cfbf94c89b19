"""What a later pass may touch: keys of the plan, rows that our own user changed since apply began, and what the plan
could not see of a row before a field had its type back.

Everything else that differs is somebody's business: it is recorded, graded by the proof, and left alone. Rows that our
own writes made (automation) are deleted only after asking again, because no plan named them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from rehearse.reset.apply_context import Context
from rehearse.reset.batches import by_object
from rehearse.reset.live_rows import LiveRow, fetch_live, is_as_planned, is_others, is_ours
from rehearse.reset.model import Action, ResetPlan
from rehearse.reset.row_state import guard_fields

BRING_BACK = ("undelete", "insert")

MOST_DEPLOYMENTS = 2
"""A component that was deployed this often and still differs will not come closer by a third deployment."""


def keep_allowed(context: Context, original: ResetPlan, actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions of a new plan that this run may carry out; the others are recorded in `context.outside`."""
    derived = {(one.type, one.key) for one in original.blocked if one.kind == "record" and one.grade == "unknown"}
    planned = {(one.type, one.key) for one in original.actions} | derived  # what it follows may have let go of it
    deletable = {(one.type, one.key) for one in original.actions if one.do == "delete"}
    returning = {(one.type, one.key) for one in original.actions if one.do in BRING_BACK}
    closed = context.foreign.keys() | ((context.outside.keys() | context.left_alone) - planned)
    actions = [one for one in actions if (one.type, one.key) not in closed]
    rows = _fetch_rows(context, [one for one in actions if one.kind == "record"])
    unseen = _unseen_fields(context, original)
    kept: list[Action] = _asked(context, actions, deletable, rows)
    asked = {one.id for one in kept}
    for action in actions:
        place = (action.type, action.key)
        if action.id in asked:
            continue
        if action.kind == "component":
            allowed = place in planned and _may_deploy(context, action)
        elif action.do == "delete":
            allowed = place in deletable
        else:
            known = place in (returning if action.do in BRING_BACK else planned)
            row = rows.get(place)
            allowed = _may_write(context, action, known, row) or _is_revealed(context, action, row, unseen)
        if allowed:
            kept.append(action)
        elif place not in context.foreign and action.kind == "record":
            context.outside[place] = "changed since the plan was made"
    return tuple(kept)


def _asked(
    context: Context,
    actions: Iterable[Action],
    deletable: Collection[tuple[str, str]],
    rows: Mapping[tuple[str, str], LiveRow],
) -> list[Action]:
    """Deletions of rows that we made ourselves, as far as somebody agreed to them."""
    made = [
        one
        for one in actions
        if one.do == "delete"
        and (one.type, one.key) not in deletable
        and (row := rows.get((one.type, one.key))) is not None
        and row.created_by == context.user_id
        and row.created_at is not None
        and row.created_at >= context.began
    ]
    return made if made and context.settings.ask_more(made) else []


def _may_deploy(context: Context, action: Action) -> bool:
    if action.do not in ("deploy", "destroy"):
        return True
    times = context.deployed.get((action.type, action.key), 0)
    return times < (1 if action.grade == "residue" else MOST_DEPLOYMENTS)


def _may_write(context: Context, action: Action, planned: bool, row: LiveRow | None) -> bool:
    if planned:
        edited = row is not None and not row.deleted and action.do != "delete" and is_others(context, row)
        if edited and row is not None and not is_as_planned(context, action.type, action.key, row):
            context.note(action, "foreign", f"changed during the reset by {context.person(row.by)}; not written")
            return False
        return True
    if row is None:
        return False
    restored = action.do == "update" and all(row.values.get(name) in context.returned for name in action.fields)
    return restored or is_ours(context, row)


def _unseen_fields(context: Context, original: ResetPlan) -> dict[str, set[str]]:
    """Fields of the baseline, by object, that the plan could not compare: their type was another one then."""
    planned = context.store.load(original.live_capture)
    found: dict[str, set[str]] = {}
    for scope in context.before.scope.objects:
        seen = guard_fields(context.before, planned, scope.name)
        found[scope.name] = {one.name for one in scope.fields} - {one.name for one in seen}
    return found


def _is_revealed(context: Context, action: Action, row: LiveRow | None, unseen: Mapping[str, Collection[str]]) -> bool:
    """Whether a row differs in nothing but what the plan could not see, and nobody wrote it since the plan read it.

    A field that was empty in the baseline is no difference while its type is another one; our deployment shows it.
    """
    if action.do != "update" or row is None or row.deleted or row.at is None:
        return False
    return row.at < context.planned_at.replace(microsecond=0) and set(action.fields) <= set(unseen.get(action.type, ()))


def _fetch_rows(context: Context, actions: list[Action]) -> dict[tuple[str, str], LiveRow]:
    found: dict[tuple[str, str], LiveRow] = {}
    for object, group in by_object(actions).items():
        rows = fetch_live(context, object, sorted({one.key for one in group}))
        found.update({(object, key): row for key, row in rows.items()})
    return found
