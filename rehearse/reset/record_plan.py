"""The record part of a reset plan while it is made: the changes by what happened, and what came of each so far.

Lives for one call of `plan_records`. Every change ends as an action or as a blocked item.
"""

from __future__ import annotations

from rehearse.baseline.model import Change, ComparableField
from rehearse.reset.fields_away import fields_away
from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Action, Blocked, Do, Hazard
from rehearse.reset.persons import follows_account
from rehearse.reset.row_state import guard_digest, guard_fields
from rehearse.reset.set_up_rows import find_owner


class RecordPlan:
    """Collects the actions of one plan: a small builder that lives for one call of `plan_records`."""

    def __init__(self, inputs: PlanInputs) -> None:
        self.inputs = inputs
        self.actions: list[Action] = []
        self.blocked: list[Blocked] = []
        self.warnings: list[str] = []
        self._away: dict[str, frozenset[str]] = {}
        self._guards: dict[str, tuple[ComparableField, ...]] = {}
        self.by_what: dict[str, list[Change]] = {"created": [], "updated": [], "deleted": []}
        for change in inputs.changes:
            if change.kind != "record" or change.key in inputs.choices.left_out or self._follows(change):
                continue
            if owned := find_owner(inputs, change):
                self.blocked.append(owned)
            else:
                self.by_what[change.what].append(change)

    def away(self, object: str) -> frozenset[str]:
        """The fields of an object that the org does not show and that this plan does not bring back."""
        if object not in self._away:
            self._away[object] = fields_away(self.inputs, object)
        return self._away[object]

    def book(self, object: str) -> RowBook:
        return self.inputs.rows.get(object, RowBook())

    def _follows(self, change: Change) -> bool:
        book = self.book(change.type)
        return follows_account(change.type, book.before.get(change.key, {}), book.after.get(change.key, {}))

    def act(self, phase: int, do: Do, change: Change, hazard: Hazard, fields: tuple[str, ...] = ()) -> Action:
        """Add one action; its guard digests are made of what both captures saw of the row."""
        book = self.book(change.type)
        if change.type not in self._guards:
            self._guards[change.type] = guard_fields(self.inputs.before, self.inputs.after, change.type)
        guard = self._guards[change.type]
        before, after = book.before.get(change.key), book.after.get(change.key)
        action = Action(
            id=f"{do}/{change.type}/{change.key}", phase=phase, do=do, kind="record", type=change.type, key=change.key,
            grade=hazard.grade, fields=fields, reason=hazard.reason, source=hazard.source,
            expects=None if after is None else guard_digest(change.type, after, guard),
            goal=None if before is None else guard_digest(change.type, before, guard),
        )  # fmt: skip
        self.actions.append(action)
        return action

    def block(self, change: Change, hazard: Hazard, detail: str = "") -> None:
        reason = f"{hazard.reason} ({detail})" if detail else hazard.reason
        grade = hazard.grade if hazard.grade in ("manual", "impossible") else "manual"
        self.blocked.append(Blocked("record", change.type, change.key, grade, reason, hazard.source))
