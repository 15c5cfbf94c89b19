"""What every step of apply shares: the writer, the captures, the journal, the id map, and what came of each action.

The only state that changes while a plan is applied is here; truth about the org is never here, it is read again
before each write.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rehearse.baseline.model import Capture, ComparableField
from rehearse.baseline.record_store import CaptureStore
from rehearse.errors import LoginError, OrgLimit, OrgUnreachable, Refused, StoppedPartWay
from rehearse.events import OnEvent, ignore
from rehearse.journal import Entry, Journal, load_entries
from rehearse.org.connect import OrgWriter
from rehearse.org.model import Schema
from rehearse.reset.apply_progress import Progress
from rehearse.reset.context import ApplySettings
from rehearse.reset.id_map import IdMap, turn
from rehearse.reset.model import Action, ActionResult, ActionState, ResetPlan
from rehearse.reset.people import fetch_names
from rehearse.reset.row_state import Values, canonical_row, scope_fields

NOTHING_DONE = (OrgLimit, OrgUnreachable, LoginError, Refused, StoppedPartWay)
"""Errors of a call after which the org surely did nothing, so that nobody has to wait for it."""


@dataclass(frozen=True)
class Tools:
    """What an apply works with: the proven writer, the captures, the journal of this run, the generation's id map."""

    writer: OrgWriter
    store: CaptureStore
    journal: Journal
    id_map: IdMap
    on_event: OnEvent = ignore


@dataclass
class Context:
    """One run of apply. `began` is the org's clock at its very first start, also after a resume.

    `planned_at` is when the org was read for the plan; `left_alone` is what the plan does not undo; `silent` is what
    the switches are made of that silence the org's automation now; `captured`: what only the passes read. `alive`: old
    Ids whose own row was brought back, so no pair speaks of it; `renewed`: pairs of set-up that was deployed again.
    `alone`: in this pass it was seen that nobody else loads with our login.
    """

    plan: ResetPlan
    writer: OrgWriter
    store: CaptureStore
    journal: Journal
    id_map: IdMap
    settings: ApplySettings
    on_event: OnEvent
    before: Capture
    after: Capture
    began: datetime
    planned_at: datetime
    user_id: str
    ids: dict[str, str] = field(default_factory=dict)
    alive: frozenset[str] = frozenset()
    renewed: dict[str, str] = field(default_factory=dict)
    held: dict[str, bool] = field(default_factory=dict)
    results: dict[str, ActionResult] = field(default_factory=dict)
    written: set[tuple[str, str]] = field(default_factory=set)
    foreign: dict[tuple[str, str], str] = field(default_factory=dict)
    deployed: dict[tuple[str, str], int] = field(default_factory=dict)
    schemas: dict[str, Schema] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    outside: dict[tuple[str, str], str] = field(default_factory=dict)
    returned: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    left_alone: frozenset[tuple[str, str]] = frozenset()
    names: dict[str, str] = field(default_factory=dict)
    silent: frozenset[tuple[str, str]] = frozenset()
    progress: Progress = field(default_factory=Progress)
    captured: list[str] = field(default_factory=list)
    alone: bool = False

    def schema(self, object: str) -> Schema:
        """The live describe, read once between two deployments."""
        if object not in self.schemas:
            self.schemas[object] = self.writer.reader.fetch_schema(object)
        return self.schemas[object]

    def read_schemas(self, objects: Collection[str]) -> None:
        """Read the describes of these objects that are not known yet, many in one call."""
        left = sorted(set(objects) - self.schemas.keys())
        if left:
            self.schemas.update(self.writer.fetch_schemas(left))

    def live_id(self, key: str) -> str:
        """The Id in the org of a row of the baseline."""
        return self.ids.get(key, key)

    def take_ids(self) -> None:
        """Take the pairs of the generation as they are now."""
        pairs = self.id_map.load()
        self.ids = {old: new for old, new in pairs.items() if old not in self.alive} | self.renewed

    def back(self) -> Mapping[str, str]:
        """New Id -> Id in the baseline."""
        return turn(self.ids, self._held)

    def _held(self, ids: Collection[str]) -> set[str]:
        """Those of these Ids that the baseline knows rows by."""
        if not self.held.keys() >= set(ids):
            found = {
                str(row["Id"])
                for one in self.before.scope.objects
                for row in self.store.load_rows(self.before.ulid, one.name, set(ids), ["Id"])
            }
            self.held.update({one: one in found for one in ids})
        return {one for one in ids if self.held[one]}

    def note(self, action: Action, state: ActionState, detail: str = "") -> None:
        """Record what came of an action; somebody's edit stays recorded for the rest of the run."""
        place = (action.type, action.key)
        if state == "foreign":
            self.foreign[place] = detail
        if state == "done":
            self.written.add(place)
        if state in ("done", "already") and action.do in ("undelete", "delete"):
            (self.returned if action.do == "undelete" else self.removed).add(action.key)
        self.results[action.id] = ActionResult(action.id, action.kind, action.type, action.key, state, detail)
        if state != "waiting":
            self.progress.settle(action)

    def leave(self, object: str, key: str, detail: str, action: Action | None) -> None:
        """Record that somebody else's row is not to be written in this run, whether the plan names it or not."""
        if action is not None:
            self.note(action, "foreign", detail)
            return
        self.foreign[(object, key)] = self.outside[(object, key)] = detail
        name = f"leave/{object}/{key}"
        self.results[name] = ActionResult(name, "record", object, key, "foreign", detail)

    def person(self, user_id: str) -> str:
        """The name of a user, asked once; the Id where it cannot be read."""
        if user_id not in self.names:
            self.names.update(fetch_names(self.writer.reader, [user_id]))
        return self.names.setdefault(user_id, user_id)

    def entries(self) -> tuple[Entry, ...]:
        """All journal entries of this run, oldest first."""
        return load_entries(self.id_map.database, self.journal.run)

    def known_deploys(self) -> set[str]:
        """The ids of deployments that the journal of this run knows."""
        found: set[str] = set()
        for entry in self.entries():
            found.update([str(entry.detail["deploy"])] if "deploy" in entry.detail else [])
            found.update(str(one) for one in (entry.result or {}).get("deploys", ()))
        return found

    def note_equal(self, action: Action) -> None:
        """Record that an action is at its goal: by our own hand, or before we came."""
        self.note(action, "done" if (action.type, action.key) in self.written else "already")

    def load_values(self, capture: Capture, object: str, keys: list[str]) -> dict[str, dict[str, str | None]]:
        """Stored values of rows of a capture, by Id, as they are to be written (line ends kept)."""
        rows = self.store.load_rows(capture.ulid, object, keys, [one.name for one in scope_fields(capture, object)])
        return {str(row["Id"]): row for row in rows}

    def canonical(
        self, rows: Mapping[str, Mapping[str, str | None]], fields: tuple[ComparableField, ...]
    ) -> dict[str, Values]:
        """Stored rows in the form that is compared."""
        back = self.back()
        return {key: canonical_row(row, fields, back) for key, row in rows.items()}


def close_entry(context: Context, entry: Entry, ok: list[str], failed: Mapping[str, str]) -> None:
    """Write the result of a batch: keys that were written, and the org's status code of those that were not."""
    context.journal.close(entry, {"ok": ok, "failed": dict(failed)})
