"""The nouns of undoing: reset plan, action, blocked item, grade, proof. Frozen values; no I/O.

A reset plan is saved, shown and then applied from the file alone. It names keys, fields and captures and holds no
record value. A proof says, item by item, what became of every change since the baseline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Literal

Grade = Literal["exact", "residue", "manual", "impossible", "unknown"]
"""What a plan or forecast expects of one item."""

Outcome = Literal["restored", "already equal", "residue", "manual", "impossible", "failed", "changed by someone else"]
"""What a proof found for one item."""

Verdict = Literal["clean", "clean-with-residue", "dirty", "partial"]

Do = Literal[
    "detach", "delete", "undelete", "insert", "update", "deploy", "destroy", "activate-flow", "delete-flow-version",
]  # fmt: skip


What = Literal["created", "updated", "deleted", "any"]


@dataclass(frozen=True)
class Hazard:
    """One row: for changes that fit, the grade to expect, the reason in words, and where that is known from."""

    name: str
    kind: Literal["record", "component", "step"]
    types: tuple[str, ...]
    what: What
    when: tuple[str, ...]
    grade: Grade
    reason: str
    source: str

    def fits(self, type: str, what: str, marks: Collection[str]) -> bool:
        """Whether this row speaks about a change of this type with these marks."""
        named = any(fnmatchcase(type, pattern) for pattern in self.types)
        return named and self.what in ("any", what) and all(mark in marks for mark in self.when)


@dataclass(frozen=True)
class ForecastItem:
    """One thing that a rehearsal would change, or `count` rows of one object that one step would change alike.

    `key` is a component's full name, or the id of the step of the runbook that would change the rows.
    """

    kind: Literal["record", "component", "step"]
    type: str
    key: str
    change: What
    grade: Grade
    reason: str
    source: str
    hazard: str
    count: int = 1


@dataclass(frozen=True)
class Forecast:
    """What a rehearsal would leave: `undoable` (all exact), `partly`, or `burns` (something is impossible to undo).

    Until `undelete_until` everything that was deleted since the baseline is still in the recycle bin.
    """

    verdict: Literal["undoable", "partly", "burns"]
    items: tuple[ForecastItem, ...]
    undelete_until: datetime | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do: `key` is the record Id or component name **as in the baseline** (or live, for a created one).

    `fields` are the fields to write. `expects` is the digest that the live thing must have right before the write
    (None: it must be absent); anything else is somebody's newer edit and is not written.
    `goal` is the digest that it has when done (None: absent).
    """

    id: str
    phase: int
    do: Do
    kind: Literal["record", "component"]
    type: str
    key: str
    grade: Grade
    fields: tuple[str, ...] = ()
    expects: str | None = None
    goal: str | None = None
    reason: str = ""
    source: str = ""
    hard: bool = False


@dataclass(frozen=True)
class Blocked:
    """Something that this plan does not undo, and why; `grade` is manual or impossible."""

    kind: Literal["record", "component"]
    type: str
    key: str
    grade: Grade
    reason: str
    source: str = ""


@dataclass(frozen=True)
class Settled:
    """What a drill found about one open question in one org; `settled` is False where it could not be asked."""

    question: str
    answer: str
    settled: bool = True
    detail: str = ""


@dataclass(frozen=True)
class Choices:
    """What the user switched off for one plan.

    `participants` names the users who took part in the rehearsal; None means that everybody did. Rows created by
    anybody else stay unless `delete_others`. `left_out` holds keys (record Ids, component names) to leave alone.
    """

    create_missing: bool = True
    update_changed: bool = True
    delete_added: bool = True
    participants: frozenset[str] | None = None
    delete_others: bool = False
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Allowed:
    """A way out of the sandbox that somebody let through by name while the reset writes, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Switch:
    """One way to silence the org's automation while a reset writes, as the scope names it (formats.md, `bypass`).

    `name` is a custom permission, a custom setting, the object of the rows, or `Type:Name` of what is deactivated.
    """

    kind: Literal["custom_permission", "custom_setting", "rows", "deactivate"]
    name: str
    where: str = ""
    values: tuple[tuple[str, str | bool | int | float | None], ...] = ()

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.name}"


@dataclass(frozen=True)
class Silenced:
    """A switch that was put on, with what was before: rows (`prior`), or the files of what was deactivated."""

    switch: Switch
    prior: Mapping[str, Any] | None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Creation:
    """Rows of one object that somebody made since the baseline; `stay`: the plan leaves them, he took no part."""

    by: str
    type: str
    count: int
    stay: bool


@dataclass(frozen=True)
class ResetPlan:
    """Ordered actions that turn `live` (a capture) back into `baseline` (a capture) on one sandbox generation.

    `fingerprint` is the content id of everything else here; apply refuses a file whose fingerprint differs.
    """

    id: str
    sandbox: str
    org_id: str
    baseline: str
    baseline_capture: str
    live_capture: str
    made_at: datetime
    actions: tuple[Action, ...]
    blocked: tuple[Blocked, ...]
    warnings: tuple[str, ...]
    fingerprint: str
    created: tuple[Creation, ...] = ()
    bypass: tuple[Switch, ...] = ()
    egress: tuple[Allowed, ...] = ()

    @property
    def deletions(self) -> int:
        return sum(1 for one in self.actions if one.do in ("delete", "destroy", "delete-flow-version"))


ActionState = Literal["done", "already", "failed", "foreign", "waiting"]
"""done: written and seen · already: it was at its goal · failed: the org refused · foreign: somebody's edit, not
written · waiting: what it needs is not there yet."""


@dataclass(frozen=True)
class ActionResult:
    """What came of one action; `detail` is the org's own refusal, or who changed the row."""

    action: str
    kind: Literal["record", "component"]
    type: str
    key: str
    state: ActionState
    detail: str = ""


@dataclass(frozen=True)
class ApplyReport:
    """What apply did, over all its passes. `began` is the org's own clock; `user_id` is who wrote."""

    run: str
    began: datetime
    user_id: str
    passes: int
    results: tuple[ActionResult, ...]
    outside: tuple[str, ...] = ()
    silenced: tuple[Silenced, ...] = ()

    def count(self, state: ActionState) -> int:
        """How many actions ended in this state."""
        return sum(1 for one in self.results if one.state == state)


@dataclass(frozen=True)
class ProofItem:
    """One change since the baseline and what became of it; `by` names who changed it where that is known."""

    kind: Literal["record", "component"]
    type: str
    key: str
    outcome: Outcome
    detail: str = ""
    by: str = ""


@dataclass(frozen=True)
class SetupChange:
    """Entries of the org's audit trail since the baseline began, by person, section and action; `last`: UTC ISO."""

    by: str
    section: str
    action: str
    count: int
    last: str


@dataclass(frozen=True)
class Proof:
    """The verdict after a reset. It always names its scope, what changed outside it, and what it assumes."""

    id: str
    sandbox: str
    org_id: str
    baseline: str
    baseline_snapshot: str
    live_snapshot: str
    plan: str | None
    at: datetime
    verdict: Verdict
    items: tuple[ProofItem, ...]
    counts: Mapping[str, int]
    scope: Mapping[str, tuple[str, ...]]
    outside_scope: Mapping[str, int]
    assumptions: tuple[str, ...]
    digests: Mapping[str, str]
    accepted_by: str = ""
    accept_reason: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    not_compared: tuple[str, ...] = ()
    egress: tuple[Allowed, ...] = ()
    setup_changes: tuple[SetupChange, ...] = ()
    carried: tuple[str, ...] = ()
