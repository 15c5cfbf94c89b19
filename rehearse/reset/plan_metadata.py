"""The metadata part of a reset plan: changed components -> deployments around the record work, and what is blocked.

Pure. Automation that the rehearsal added or switched on goes before any row is written; automation that it removed or
switched off comes back after; fields and objects come back before rows, and what the rehearsal added to hold rows is
destroyed after the rows that use it (facts/metadata.md 4.2). Flows go through versions, never through files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from rehearse.baseline.component_types import PARENT_OF, UNFILED
from rehearse.baseline.coverage import find_unseen
from rehearse.baseline.model import Change
from rehearse.reset.component_marks import (
    AUTOMATION,
    FLOW_TYPES,
    allows_more,
    component_marks,
    is_active,
    is_off_before_deletion,
)
from rehearse.reset.component_names import find_kept_part, is_respelled
from rehearse.reset.flow_states import FlowPair, flow_marks, flow_of, flow_pair
from rehearse.reset.hazards import find_hazard
from rehearse.reset.housed_rows import UNKNOWN, find_kept, object_of
from rehearse.reset.inputs import MetadataBook, PlanInputs
from rehearse.reset.lost_values import goes_with
from rehearse.reset.model import Action, Blocked, Do, Hazard, What
from rehearse.reset.plan_created import NO_PART, person
from rehearse.reset.renamed import waits_for_its_name
from rehearse.reset.scheduled_again import schedule_line

FLOW_FIRST, SWITCH_OFF, DESTROY_FIRST, DEPLOY_FIRST = 100, 105, 110, 200
DEPLOY_LAST, FLOW_LAST, DESTROY_LAST, DESTROY_USED = 900, 910, 920, 930
"""Phases: before the records (below 300) and after them (900 and more)."""

PARTLY = frozenset({
    "profile-section", "translation-added", "dependency-added", "master-detail-lost", "page-assigned",
})  # fmt: skip
"""Hazards of what is tried all the same: a part that no deployment takes away leaves the rest of its component, and an
object may have no rows."""


_BEFORE_PUBLIC = ("1", "2", "3")
"""Rules of older baselines, which hold nothing of the platform's public folder nor of Lightning template folders."""
_PUBLIC = f"{UNFILED}/"
_TEMPLATES = ("EmailTemplate", "EmailTemplateFolder")


def plan_metadata(inputs: PlanInputs) -> tuple[tuple[Action, ...], tuple[Blocked, ...]]:
    """Actions and blocked items for every component change of the inputs."""
    actions: list[Action] = []
    blocked: list[Blocked] = []
    flows: dict[str, Change] = {}
    wanted, stay = _sort_out(inputs)
    blocked.extend(stay.values())
    book = _without_what_stays(inputs, wanted)
    for change in wanted:
        if change.type in FLOW_TYPES:
            flows.setdefault(flow_of(change.key), change)
            continue
        marks = component_marks(book if change.type == "Profile" else inputs.metadata, change.type, change.key)
        hazard = find_hazard("component", change.type, change.what, marks)
        if hazard.grade in ("manual", "impossible"):
            reason = hazard.reason + schedule_line(inputs.metadata, change)
            blocked.append(replace(_block(change, hazard), reason=reason))
            if hazard.name not in PARTLY:
                continue
        if change.what == "created" and not is_off_before_deletion(inputs.metadata, change.type, change.key):
            actions.append(replace(_action(SWITCH_OFF, "deploy", change, hazard), reason="switched off, to be deleted"))
        actions.append(_action(_phase(inputs, change), _do(change), change, hazard))
    for name, change in sorted(flows.items()):
        found = tuple(_plan_flow(inputs, name, change))
        actions.extend(found)
        pair = flow_pair(inputs.metadata, name)
        if not found or pair.edited_in_place or pair.active_lost:
            blocked.append(_stuck_flow(inputs, name))
    return tuple(actions), tuple(blocked)


def _sort_out(inputs: PlanInputs) -> tuple[list[Change], dict[tuple[str, str], Blocked]]:
    """The component changes that are to be undone, and of what the user wants undone what is left, with the reason."""
    houses = find_kept(inputs.housed, inputs.choices)
    chosen = [
        one
        for one in inputs.changes
        if one.kind == "component" and one.key not in inputs.choices.left_out and _chosen(inputs, one)
    ]
    found = {(one.type, one.key): _stays(inputs, one, houses) for one in chosen}
    stay = {place: why for place, why in found.items() if why is not None}
    return [one for one in chosen if (one.type, one.key) not in stay], stay


def _without_what_stays(inputs: PlanInputs, wanted: Collection[Change]) -> MetadataBook:
    """The metadata as if what was added and stays had been there before: profiles keep their entries about it."""
    going = {(one.type, one.key) for one in wanted}
    created = {(one.type, one.key) for one in inputs.changes if one.kind == "component" and one.what == "created"}
    book = inputs.metadata
    stay = {place: one for place, one in book.after.items() if place in created and place not in going}
    return replace(book, before={**book.before, **stay}) if stay else book


def _stays(inputs: PlanInputs, change: Change, houses: Mapping[str, Mapping[str, int]]) -> Blocked | None:
    """Why a component is left as it is, whatever the table of hazards says; None where nothing speaks against it."""
    if is_respelled(inputs.metadata, change.type, change.key):
        return _block(change, find_hazard("component", change.type, change.what, {"respelled"}))
    if waits_for_its_name(inputs.metadata, change.type, change.key):
        return _block(change, find_hazard("component", change.type, change.what, {"renamed"}))
    if change.what == "created" and _came_into_sight(inputs, change):
        return _block(change, find_hazard("component", change.type, "created", {"came-into-sight"}))
    reason = ""
    if change.what == "created" and (object := object_of(change.type, change.key, houses)):
        reason = _lived_in(inputs, object, houses[object])
    elif change.what == "created" and (kept := find_kept_part(inputs, change)):
        reason = f"{kept} is left out by choice, and would go with it"
    elif change.what == "deleted" and (object := goes_with(inputs.metadata, change.type, change.key)):
        reason = f"it comes back with {object}"
    return Blocked("component", change.type, change.key, "manual", reason) if reason else None


def _block(change: Change, hazard: Hazard) -> Blocked:
    return Blocked("component", change.type, change.key, hazard.grade, hazard.reason, hazard.source)


def _came_into_sight(inputs: PlanInputs, change: Change) -> bool:
    """Whether a component that the baseline lacks was there before: its type was not listed, or it is older."""
    if inputs.before.canonicaliser in _BEFORE_PUBLIC and (change.type in _TEMPLATES or change.key.startswith(_PUBLIC)):
        return True
    container = PARENT_OF[change.type][0] if change.type in PARENT_OF else change.type
    older = change.at is not None and change.at < inputs.before.started.replace(microsecond=0)
    return older or not find_unseen(inputs.before).isdisjoint({change.type, container, "(retrieve)"})


def _lived_in(inputs: PlanInputs, object: str, makers: Mapping[str, int]) -> str:
    if UNKNOWN in makers and "." in object:
        return f"an earlier plan kept {object} for values of others in it: it stays (--delete-others would delete it)"
    if UNKNOWN in makers:
        return f"nobody can tell whose rows {object} holds: it stays (--delete-others would take it along)"
    who = ", ".join(sorted(person(inputs, one) for one in makers))
    if "." in object:
        return f"{object} may hold a value in {sum(makers.values())} row(s) last written by {who}, {NO_PART}"
    return f"{object} holds {sum(makers.values())} row(s) made by {who}, {NO_PART}"


def _chosen(inputs: PlanInputs, change: Change) -> bool:
    choices = inputs.choices
    return {
        "created": choices.delete_added,
        "updated": choices.update_changed,
        "deleted": choices.create_missing,
    }[change.what]


def _do(change: Change) -> Do:
    """A record type is never destroyed: an API cannot, so it is deployed inactive."""
    return "destroy" if change.what == "created" and change.type != "RecordType" else "deploy"


def _phase(inputs: PlanInputs, change: Change) -> int:
    automation = change.type in AUTOMATION
    if change.what == "created":
        if automation:
            return DESTROY_FIRST
        return {"RecordType": DEPLOY_LAST, "GlobalValueSet": DESTROY_USED}.get(change.type, DESTROY_LAST)
    if automation:
        live = inputs.metadata.after.get((change.type, change.key))
        return DEPLOY_FIRST if is_active(live, inputs.metadata.files_after) else DEPLOY_LAST
    return DEPLOY_LAST if allows_more(inputs.metadata, change.type, change.key) else DEPLOY_FIRST


def _action(phase: int, do: Do, change: Change, hazard: Hazard) -> Action:
    grade = hazard.grade if hazard.grade not in ("manual", "impossible") else "residue"
    return Action(
        id=f"{do}/{change.type}/{change.key}", phase=phase, do=do, kind="component", type=change.type,
        key=change.key, grade=grade, expects=change.after, goal=change.before,
        reason=hazard.reason, source=hazard.source,
    )  # fmt: skip


def _stuck_flow(inputs: PlanInputs, name: str) -> Blocked:
    """A flow that differs in what nothing switches or deletes: versions are lost, or one was edited in place."""
    hazard, pair = _flow_hazard(inputs, name), flow_pair(inputs.metadata, name)
    if not pair.active_lost and (hazard.name != "flow-version-lost" or pair.edited_in_place):
        hazard = find_hazard("component", "Flow", "updated", {"edited-in-place"})
    return Blocked("component", "Flow", name, hazard.grade, hazard.reason, hazard.source)


def _flow_hazard(inputs: PlanInputs, name: str) -> Hazard:
    pair = flow_pair(inputs.metadata, name)
    return find_hazard("component", "Flow", _flow_what(pair), flow_marks(inputs.metadata, name))


def _plan_flow(inputs: PlanInputs, name: str, change: Change) -> Iterator[Action]:
    """Activation first (off before the records, on after them), then the versions that the rehearsal added.

    A newest version that is gone is deployed again, after the records; where it acted, a later pass sees to that.
    """
    pair = flow_pair(inputs.metadata, name)
    base = replace(_action(FLOW_LAST, "activate-flow", change, _flow_hazard(inputs, name)), type="Flow", key=name)
    live = pair.after.active
    goal = 0 if pair.newest_lost and live in pair.added else pair.goal
    if pair.after.versions and goal is not None and goal != live:
        yield replace(base, id=f"activate-flow/Flow/{name}", phase=FLOW_FIRST if live else FLOW_LAST,
                      fields=(str(goal),), expects=str(live), goal=str(goal))  # fmt: skip
    for version in pair.added:
        yield replace(base, id=f"delete-flow-version/Flow/{name}-{version}", do="delete-flow-version",
                      phase=FLOW_FIRST + 1, fields=(str(version),), expects=str(version), goal=None)  # fmt: skip
    now, held = (found.get(("Flow", name)) for found in (inputs.metadata.after, inputs.metadata.before))
    if pair.newest_lost and held is not None:
        yield replace(base, id=f"deploy/Flow/{name}", do="deploy", phase=DEPLOY_LAST,
                      expects=now.digest if now else None, goal=held.digest)  # fmt: skip


def _flow_what(pair: FlowPair) -> What:
    if not pair.before.versions:
        return "created"
    return "updated" if pair.after.versions else "deleted"
