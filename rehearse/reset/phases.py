"""One pass over a plan, phase by phase: metadata, then rows, then metadata again.

Destructive phases begin with a fresh proof that this is the sandbox. Rows that come back are handled together: what
the org refuses to undelete is re-inserted, then every returned row is finished (references that had to wait, values
that changed before the row was deleted), and only then are changed rows updated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rehearse.reset.apply_context import Context
from rehearse.reset.apply_flows import apply_flows
from rehearse.reset.apply_hard_deletes import apply_hard_deletes
from rehearse.reset.apply_inserts import apply_inserts
from rehearse.reset.apply_metadata import apply_deploys
from rehearse.reset.apply_records import apply_deletes, apply_undeletes
from rehearse.reset.apply_updates import apply_updates
from rehearse.reset.gather import load_metadata_of
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.model import Action, Blocked
from rehearse.reset.plan import by_phase
from rehearse.reset.plan_records import INSERT, UNDELETE, UPDATE

DESTRUCTIVE = frozenset({"delete", "destroy", "delete-flow-version"})


def run_phases(context: Context) -> None:
    """All phases of the context's plan, in order."""
    told: tuple[Action | Blocked, ...] = (*context.plan.actions, *context.plan.blocked)
    names = {(one.type, one.key) for one in told if one.kind == "component"}
    book = load_metadata_of(context.store, context.before, context.after, names)
    phases = by_phase(context.plan)
    context.read_schemas({one.type for one in context.plan.actions if one.kind == "record"})
    asked: set[int] = set()
    for phase, actions in phases.items():
        if phase < UNDELETE:
            _confirm_once(context, phase, actions, asked)
            _run(context, book, actions)
    _bring_back(context, {phase: actions for phase, actions in phases.items() if UNDELETE <= phase < UPDATE})
    for phase, actions in phases.items():
        if phase >= UPDATE:
            _confirm_once(context, phase, actions, asked)
            _run(context, book, actions)


def _confirm_once(context: Context, phase: int, actions: Sequence[Action], asked: set[int]) -> None:
    """Prove again that this is the sandbox before a destructive phase; its levels (400, 401 …) are one phase."""
    kind = phase - phase % 100
    if kind not in asked and any(one.do in DESTRUCTIVE for one in actions):
        context.writer.confirm()
        asked.add(kind)


def _run(context: Context, book: MetadataBook, actions: Sequence[Action]) -> None:
    soft = [one for one in actions if one.do == "delete" and not one.hard]
    hard = [one for one in actions if one.do == "delete" and one.hard]
    work: list[tuple[Callable[[Context, Sequence[Action]], None], list[Action]]] = [
        (apply_flows, [one for one in actions if one.do in ("activate-flow", "delete-flow-version")]),
        (apply_updates, [one for one in actions if one.do in ("detach", "update")]),
        (apply_hard_deletes, hard),
        (apply_deletes, soft),
    ]
    for act, group in work:
        if group:
            act(context, group)
    for do in ("destroy", "deploy"):
        group = [one for one in actions if one.do == do]
        if group:
            apply_deploys(context, book, group)


def _bring_back(context: Context, phases: dict[int, tuple[Action, ...]]) -> None:
    """Undelete level by level, insert what cannot be undeleted, then finish every row that is back."""
    lost: list[Action] = []
    for phase, actions in phases.items():
        if phase < INSERT:
            lost.extend(apply_undeletes(context, actions))
    absent = [one for phase, actions in phases.items() if phase >= INSERT for one in actions]
    lost.extend(apply_undeletes(context, absent))
    for one in (one for one in lost if one.goal is None):
        context.note(one, "failed", "it is in no recycle bin any more")  # what lay below it is inserted again
    lost = [one for one in lost if one.goal is not None]
    if lost:
        apply_inserts(context, lost, {one.id for one in lost})
    returned = [
        one
        for actions in phases.values()
        for one in actions
        if one.goal is not None and one.id in context.results and context.results[one.id].state in ("done", "already")
    ]
    apply_updates(context, returned)
