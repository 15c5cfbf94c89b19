"""Grading: every change since the baseline gets one outcome, from what a fresh comparison shows. Pure.

A change that is gone from the comparison is restored (our hand) or already equal. One that is still there is residue
only when exactly the known residue is left; manual or impossible when the table of hazards said so; somebody else's
when apply saw that or the row was last touched by another user since; everything else has failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from rehearse.baseline.model import Change
from rehearse.reset.component_marks import FLOW_TYPES, component_marks, residue_of
from rehearse.reset.fields_away import fields_away
from rehearse.reset.flow_states import flow_of, flow_residue
from rehearse.reset.hazards import HAZARDS, find_hazard
from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Action, ActionResult, ApplyReport, Blocked, Outcome, ProofItem, ResetPlan
from rehearse.reset.next_steps import with_cure
from rehearse.reset.row_marks import (
    create_marks,
    delete_marks,
    derived_fields,
    differing_fields,
    platform_stamps,
    update_marks,
)
from rehearse.reset.row_state import scope_fields
from rehearse.reset.scheduled_again import schedule_line

Place = tuple[str, str]
UNREAD = frozenset({"encryptedstring", "base64"})
"""Field types that a capture does not hold unless it says so: masked for most users, or files."""

UNSEEN = frozenset({
    "retyped-unheld", "access-lost", "history-lost", "sharing-opened", "approval-process-put-off",
})  # fmt: skip
"""Hazards of what is back and equal, and of which something is lost all the same that nobody compares."""
_UNSEEN_REASONS = frozenset(row.reason for row in HAZARDS if row.kind == "component" and row.name in UNSEEN)
_SET_UP = {
    "00E": "UserRole",
    "00G": "Group",
    "00e": "Profile",
    "012": "RecordType",
    "0PG": "PermissionSetGroup",
    "0PS": "PermissionSet",
}
"""Rows of set-up that come back by deployment, under a new Id, whether their object is in scope or not, by prefix."""


@dataclass(frozen=True)
class Evidence:
    """What a proof is made from: the fresh comparison, and what plan and apply said.

    `since` is when the org was read for the plan, by its own clock: later edits of others are not the rehearsal's.
    """

    now: PlanInputs
    plan: ResetPlan | None
    report: ApplyReport | None
    user_id: str
    since: datetime | None

    @cached_property
    def planned(self) -> dict[Place, Literal["record", "component"]]:
        """Everything that the plan speaks about."""
        return {(one.type, one.key): one.kind for one in _things(self.plan)}

    @cached_property
    def _away(self) -> dict[str, frozenset[str]]:
        return {}

    def hides(self, change: Change) -> tuple[str, ...]:
        """The fields in which alone an updated row differs and that the org does not show: gone for good, or hidden."""
        if change.kind != "record" or change.what != "updated":
            return ()
        if change.type not in self._away:
            self._away[change.type] = fields_away(self.now, change.type)
        differing = _differing(self.now, change) if self._away[change.type] else ()
        return differing if self._away[change.type].issuperset(differing) else ()

    @cached_property
    def blocked(self) -> dict[Place, Blocked]:
        """What the plan left undone, with the reason."""
        return {(one.type, one.key): one for one in self.plan.blocked} if self.plan else {}

    @cached_property
    def made_again(self) -> dict[Place, str]:
        """What the plan deploys again although something of it does not come back along with it, and what that is."""
        found: dict[Place, str] = {}
        for one in self.plan.actions if self.plan else ():
            if (one.kind, one.do) != ("component", "deploy"):
                continue
            told = one.type == "Flow" or one.reason in _UNSEEN_REASONS
            lost = one if told or one.expects is not None else find_hazard("component", one.type, "deleted")
            if lost.grade == "residue" and (told or lost is not one):
                found[(one.type, one.key)] = lost.reason
        return found


def grade_changes(evidence: Evidence) -> tuple[ProofItem, ...]:
    """One item for each change that plan or comparison knows, and one for each row with a new Id; sorted."""
    remaining = {place_of(one): one for one in evidence.now.changes}
    results = _results(evidence.report)
    items: dict[Place, ProofItem] = {}
    for place, kind in evidence.planned.items():
        if place not in remaining:
            items[place] = _grade_equal(evidence, place, kind, results.get(place))
    for place, change in remaining.items():
        items[place] = _grade_remaining(evidence, change, results.get(place))
    for place, item in _re_inserted(evidence):
        if place not in remaining:
            items[place] = item
    return tuple(sorted(items.values(), key=lambda one: (one.kind, one.type, one.key)))


def _grade_equal(
    evidence: Evidence, place: Place, kind: Literal["record", "component"], result: ActionResult | None
) -> ProofItem:
    """Nothing differs any more; what came back without something that no comparison sees (a secret) is residue."""
    if result and result.state == "already":
        return ProofItem(kind, place[0], place[1], "already equal")
    lost = evidence.made_again.get(place)
    if lost is not None:
        return ProofItem(kind, place[0], place[1], "residue", lost)
    return ProofItem(kind, place[0], place[1], "restored")


def place_of(change: Change) -> Place:
    """A flow's definition and its file are one thing, as in the plan."""
    if change.type in FLOW_TYPES:
        return ("Flow", flow_of(change.key))
    return (change.type, change.key)


def _results(report: ApplyReport | None) -> dict[Place, ActionResult]:
    """The result that says most about each thing: a failure or somebody's edit before a success."""
    order = ("already", "done", "waiting", "failed", "foreign")
    found: dict[Place, ActionResult] = {}
    for one in report.results if report else ():
        known = found.get((one.type, one.key))
        if known is None or order.index(one.state) > order.index(known.state):
            found[(one.type, one.key)] = one
    return found


def _things(plan: ResetPlan | None) -> list[Action | Blocked]:
    return [] if plan is None else [*plan.actions, *plan.blocked]


def _grade_remaining(evidence: Evidence, change: Change, result: ActionResult | None) -> ProofItem:
    place = place_of(change)
    blocked = evidence.blocked.get(place)
    outcome, detail = _outcome(evidence, change, result, blocked)
    return ProofItem(change.kind, place[0], place[1], outcome, detail, change.by)


def _outcome(
    evidence: Evidence, change: Change, result: ActionResult | None, blocked: Blocked | None
) -> tuple[Outcome, str]:
    residue = _residue(evidence, change)
    if residue is not None:
        return "residue", residue
    if result is not None and result.state == "foreign":
        return "changed by someone else", result.detail
    left, hidden = _left_filter(evidence.now, change), evidence.hides(change)
    marks = set() if left else {"field-away"} if hidden else _marks(evidence.now, change)
    hazard = find_hazard(change.kind, change.type, "updated" if left else change.what, marks)
    if hazard.grade == "manual" or (blocked and blocked.grade == "manual"):
        named = f" ({', '.join(hidden)})" if hidden else schedule_line(evidence.now.metadata, change)
        return "manual", blocked.reason if blocked else hazard.reason + named
    if hazard.grade == "impossible" or (blocked and blocked.grade == "impossible"):
        return "impossible", blocked.reason if blocked else hazard.reason
    if _by_others(evidence, change):
        return "changed by someone else", "changed after the plan was made"
    if marks == {"platform-stamp"} and _only_stamps(evidence.now, change):
        return "residue", hazard.reason
    if marks == {"only-derived"}:
        return "manual", f"{', '.join(_differing(evidence.now, change))}: {hazard.reason}"
    told = "left the filter of the baseline" if left else change.what
    return "failed", with_cure(result.detail if result else "") or f"{told} and not put back"


def _only_stamps(now: PlanInputs, change: Change) -> bool:
    """Whether nothing differs but instants that only the platform sets: everything that can be written is back."""
    differing = set(_differing(now, change))
    return differing <= platform_stamps(now, change.type, derived_fields(now, change))


def _differing(now: PlanInputs, change: Change) -> tuple[str, ...]:
    book = now.rows.get(change.type, RowBook())
    return differing_fields(now, change.type, book.before.get(change.key, {}), book.after.get(change.key, {}))


def _left_filter(now: PlanInputs, change: Change) -> bool:
    """Whether a row that the capture does not show is alive: it was updated, not deleted."""
    gone = change.kind == "record" and change.what == "deleted"
    return gone and now.rows.get(change.type, RowBook()).bin.get(change.key) == "live"


def _by_others(evidence: Evidence, change: Change) -> bool:
    """Touched since the org was read for the plan by a user who is not ours.

    Components name their users by name only: there, what no plan mentions was not us.
    """
    if evidence.since is None or change.at is None or not change.by or change.at < evidence.since:
        return False
    if change.kind == "component":
        return place_of(change) not in evidence.planned
    if place_of(change) in evidence.planned and change.at < evidence.since.replace(microsecond=0) + timedelta(
        seconds=1
    ):
        return False  # the plan read it in that very second; whatever came after that, apply has seen
    return change.by != evidence.user_id


def _residue(evidence: Evidence, change: Change) -> str | None:
    now = evidence.now
    if change.kind == "component":
        if change.type in FLOW_TYPES:
            return flow_residue(now.metadata, flow_of(change.key))
        return residue_of(now.metadata, change.type, change.key)
    if change.what == "updated" and change.key in now.ids:
        differing = _differing(now, change)
        marks, fixed = update_marks(now, change, differing)
        if marks == {"only-platform-fields"} and set(fixed) == set(differing):
            lost = _unread(now, change.type)
            return f"re-inserted: {change.key} is now {now.ids[change.key]}, with a new {', '.join(fixed)}{lost}"
    return None


def _marks(now: PlanInputs, change: Change) -> set[str]:
    if change.kind == "component":
        return component_marks(now.metadata, change.type, change.key)
    if change.what == "created":
        return create_marks(now, change)
    if change.what == "deleted":
        return delete_marks(now, change)
    return update_marks(now, change, _differing(now, change))[0]


def _re_inserted(evidence: Evidence) -> Iterator[tuple[Place, ProofItem]]:
    """Rows of the baseline that live under a new Id: residue, always, also when every field is equal."""
    kinds = {one.key: one.type for one in _things(evidence.plan)}
    prefixes = {schema.key_prefix: name for name, schema in evidence.now.schemas.items() if schema.key_prefix}
    for old, new in evidence.now.ids.items():
        object = kinds.get(old) or prefixes.get(old[:3]) or _SET_UP.get(old[:3], old[:3])
        detail = f"re-inserted: {old} is now {new}{_unread(evidence.now, object)}"
        yield (object, old), ProofItem("record", object, old, "residue", detail)


def _unread(now: PlanInputs, object: str) -> str:
    """The fields whose values nobody could read, so that a re-inserted row has lost them."""
    schema = now.schemas.get(object)
    known = {one.name for one in scope_fields(now.before, object)}
    names = {one.name for one in schema.fields if one.type in UNREAD or one.encrypted} - known if schema else set()
    hidden = [one.note for one in now.before.coverage if one.name == f"{object} (hidden fields)"]
    names |= {name for note in hidden for name in note.rpartition(": ")[2].split(", ")}
    return f"; values that cannot be read are lost: {', '.join(sorted(names))}" if names else ""
