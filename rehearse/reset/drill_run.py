"""One drill from beginning to end: plant, baseline, change, reset, proof, clean up; interrupted, it goes on.

How far it came is a small file beside the captures, written after each stage; every stage may be repeated. The reset
is the real one: a saved plan, applied from its file, and a proof by a fresh capture. Of the proof only the canary
counts: in a Developer sandbox others may be at work meanwhile, and what they change is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Capture, Change, Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.writing import write_durably
from rehearse.events import OnEvent
from rehearse.ids import build_ulid
from rehearse.journal import Journal
from rehearse.lock import Lock
from rehearse.org.connect import OrgWriter
from rehearse.reset import drill, drill_canary
from rehearse.reset.apply import apply
from rehearse.reset.apply_context import Tools
from rehearse.reset.context import ApplySettings
from rehearse.reset.drill_progress import Progress, find_progress, note_drill
from rehearse.reset.gather import GatherRequest, gather
from rehearse.reset.id_map import IdMap
from rehearse.reset.live_capture import capture_live
from rehearse.reset.model import Choices, Proof, ProofItem, ResetPlan
from rehearse.reset.plan import build_plan
from rehearse.reset.plan_file import load_plan, save_plan
from rehearse.reset.prove import ProofRequest, prove
from rehearse.state import Database

NAME = "drill"


@dataclass(frozen=True)
class Bench:
    """What a drill works at. `folder` holds its progress and its plan; `now` is the workspace's time."""

    sandbox: str
    writer: OrgWriter
    store: CaptureStore
    database: Database
    lock: Lock
    folder: Path
    now: Callable[[], datetime]
    on_event: OnEvent
    settings: ApplySettings

    @property
    def state(self) -> Path:
        return self.folder / f"{self.sandbox}.json"


@dataclass(frozen=True)
class DrillResult:
    """What a drill showed: the canary's items of the proof, and whether everything of it came back."""

    id: str
    clean: bool
    items: tuple[ProofItem, ...]
    continued: bool


def run_drill(bench: Bench, extra: Callable[[drill.Hand], None] | None = None) -> DrillResult:
    """Hold a drill, or go on with the one that was interrupted; `extra` runs while the canary still stands.

    Raises what capture, apply and proof raise, and OrgRejected where the org refuses the canary.
    """
    progress, continued = _begin(bench)
    hand = drill.Hand(bench.writer, Journal(bench.database, bench.lock, progress.id), bench.on_event)
    note_drill(hand.journal, progress.org_id)
    for stage, deed in (("planted", drill.plant), ("captured", None), ("changed", drill.change)):
        if stage in progress.done:
            continue
        if deed is None:
            progress = replace(progress, baseline=_capture(bench).ulid)
        else:
            deed(hand)
        progress = _note(bench, progress, stage)
    if "reset" not in progress.done:
        progress = _note(bench, replace(progress, items=_reset(bench, progress)), "reset")
    if extra is not None:
        extra(hand)
    drill.remove(hand)
    _forget(bench, hand.journal)
    clean = bool(progress.items) and all(one.outcome in ("restored", "already equal") for one in progress.items)
    return DrillResult(progress.id, clean, progress.items, continued)


def abandon_drill(bench: Bench) -> None:
    """Remove whatever a drill left in the sandbox and here, and go on with nothing. Raises OrgRejected."""
    known = find_progress(bench.folder, bench.sandbox)
    run = known.id if known else build_ulid(bench.now())
    hand = drill.Hand(bench.writer, Journal(bench.database, bench.lock, run), bench.on_event)
    drill.remove(hand)
    _forget(bench, hand.journal)


def _begin(bench: Bench) -> tuple[Progress, bool]:
    """A drill of another generation is void: the sandbox that it was held in is gone."""
    known = find_progress(bench.folder, bench.sandbox)
    if known is not None and known.org_id == bench.writer.org_id:
        return known, True
    bench.folder.mkdir(parents=True, exist_ok=True)
    (bench.folder / f"{bench.sandbox}.plan.json").unlink(missing_ok=True)
    return _note(bench, Progress(build_ulid(bench.now()), bench.writer.org_id), ""), False


def _note(bench: Bench, progress: Progress, stage: str) -> Progress:
    done = (*progress.done, stage) if stage else progress.done
    found = replace(progress, done=done)
    write_durably(bench.state, json.dumps(asdict(found), indent=1).encode())
    return found


def _capture(bench: Bench) -> Capture:
    scope = Scope(metadata_include=drill_canary.TYPES, objects=(drill_canary.OBJECT,))
    return capture(bench.writer.reader, CaptureRequest(bench.sandbox, scope), bench.store, bench.on_event)


def _reset(bench: Bench, progress: Progress) -> tuple[ProofItem, ...]:
    before = bench.store.load(progress.baseline)
    plan = _plan(bench, before)
    note_drill(Journal(bench.database, bench.lock, progress.id), progress.org_id, plan=plan.id)
    journal, ids = Journal(bench.database, bench.lock, plan.id), IdMap(bench.database, bench.writer.org_id)
    tools = Tools(bench.writer, bench.store, journal, ids, bench.on_event)
    report = apply(plan, tools, bench.settings)
    request = ProofRequest(NAME, before, bench.now(), plan, report, ids.load())
    proof: Proof = prove(bench.writer.reader, bench.store, request, bench.on_event)
    return tuple(one for one in proof.items if drill_canary.is_ours(one.type, one.key))


def _plan(bench: Bench, before: Capture) -> ResetPlan:
    """The plan of this drill: the saved one, where one was saved before the interruption."""
    path = bench.folder / f"{bench.sandbox}.plan.json"
    if not path.exists():
        live = capture_live(bench.writer.reader, bench.store, before, bench.on_event)
        ids = IdMap(bench.database, bench.writer.org_id).load()
        request = GatherRequest(bench.sandbox, NAME, before, live, bench.now(), ids, Choices())
        inputs = gather(bench.writer.reader, bench.store, request)
        others = frozenset(one.key for one in inputs.changes if not _is_ours(one))
        book = replace(inputs.metadata, types=None)  # nobody but the canary's own permission set gives access to it
        save_plan(build_plan(replace(inputs, choices=Choices(left_out=others), metadata=book)), path)
    return load_plan(path)


def _is_ours(change: Change) -> bool:
    return drill_canary.is_ours(change.type, change.key)


def _forget(bench: Bench, journal: Journal) -> None:
    """The captures and files of an ended drill go, the newest first; its journal stays."""
    note_drill(journal, bench.writer.org_id, over=True)
    for one in reversed(bench.store.load_all()):
        if one.sandbox == bench.sandbox and _is_drills(one):
            bench.store.drop(one.ulid)
    (bench.folder / f"{bench.sandbox}.plan.json").unlink(missing_ok=True)
    bench.state.unlink(missing_ok=True)


def _is_drills(one: Capture) -> bool:
    return tuple(scope.name for scope in one.scope.objects) == (drill_canary.OBJECT,)
