"""The reset plan: a comparison of baseline and live org becomes ordered actions. Pure; apply needs nothing else.

Every change ends up in exactly one of three places: an action, a blocked item with its reason, or left out by the
user's own choice. The plan names keys, fields and captures and holds no record value; its fingerprint is the content
id of everything in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from rehearse import clock
from rehearse.ids import build_content_id, build_ulid
from rehearse.reset.inputs import PlanInputs
from rehearse.reset.kept_below import find_along
from rehearse.reset.model import Action, Blocked, ResetPlan
from rehearse.reset.named_parts import without_promises
from rehearse.reset.plan_created import count_created
from rehearse.reset.plan_metadata import plan_metadata
from rehearse.reset.plan_records import plan_records

_ACTION = tuple(one.name for one in fields(Action))


def build_plan(inputs: PlanInputs) -> ResetPlan:
    """The plan that undoes `inputs.changes`: actions by phase, then object or type, then key."""
    records, blocked_records, warnings = plan_records(inputs)
    planned, blocked_metadata = plan_metadata(inputs)
    metadata, unpromised = without_promises(inputs.metadata, inputs.changes, planned)
    blocked = (*blocked_records, *blocked_metadata, *unpromised, *_left_out(inputs, records))
    actions = sorted((*records, *metadata), key=lambda one: (one.phase, one.type, one.key, one.id))
    plan = ResetPlan(
        id=build_ulid(inputs.made_at),
        sandbox=inputs.sandbox,
        org_id=inputs.after.org_id,
        baseline=inputs.baseline,
        baseline_capture=inputs.before.ulid,
        live_capture=inputs.after.ulid,
        made_at=inputs.made_at.replace(microsecond=inputs.made_at.microsecond // 1000 * 1000),  # as a file keeps it
        actions=tuple(actions),
        blocked=blocked,
        warnings=warnings,
        fingerprint="",
        created=count_created(inputs, {(one.type, one.key) for one in blocked}),
        bypass=inputs.bypass,
        egress=inputs.egress,
    )
    return replace(plan, fingerprint=build_fingerprint(plan))


def _left_out(inputs: PlanInputs, records: Collection[Action]) -> Iterator[Blocked]:
    """What the user chose to leave alone: it stays different, so a proof has to name it."""
    choices = inputs.choices
    wanted = {"created": choices.delete_added, "updated": choices.update_changed, "deleted": choices.create_missing}
    along = find_along(inputs, records)
    for change in inputs.changes:
        if change.key in choices.left_out or not wanted[change.what]:
            more = f", but comes back with {along[change.key]}" if change.key in along else ""
            yield Blocked(change.kind, change.type, change.key, "manual", f"left out by choice{more}")


def build_fingerprint(plan: ResetPlan) -> str:
    """The content id of a plan, without the fingerprint itself."""
    return build_content_id(plain(replace(plan, fingerprint="")))


def plain(plan: ResetPlan) -> dict[str, Any]:
    """A plan as dicts, lists and texts, ready for JSON."""
    short = replace(plan, actions=())
    return {**asdict(short), "made_at": clock.iso(plan.made_at), "actions": [_plain(one) for one in plan.actions]}


def _plain(action: Action) -> dict[str, Any]:
    """An action as a dict that shares its values: there may be a million, and each plan is read and digested often."""
    return {name: getattr(action, name) for name in _ACTION}


def by_phase(plan: ResetPlan) -> Mapping[int, tuple[Action, ...]]:
    """The actions of a plan by phase, in order."""
    phases: dict[int, list[Action]] = {}
    for action in plan.actions:
        phases.setdefault(action.phase, []).append(action)
    return {phase: tuple(phases[phase]) for phase in sorted(phases)}
