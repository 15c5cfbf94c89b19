"""How far the drill of a sandbox came: a small file tells it to who goes on here, the journal to everybody else.

Whoever takes a baseline, or shows what was broken off, asks the journal: another machine may have held the drill.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rehearse.journal import Entry, Journal, load_by_kind
from rehearse.reset.model import ProofItem
from rehearse.state import Database

DRILL = "drill"
"""The kind of the journal entries that say that a drill began, which plan is its own, and that nothing is left."""


@dataclass(frozen=True)
class Progress:
    """How far a drill came: the stages that are done, its baseline, and what the proof said of the canary."""

    id: str
    org_id: str
    done: tuple[str, ...] = ()
    baseline: str = ""
    items: tuple[ProofItem, ...] = ()


def find_progress(folder: Path, sandbox: str) -> Progress | None:
    """The drill that was interrupted in a sandbox, or None."""
    path = folder / f"{sandbox}.json"
    if not path.exists():
        return None
    known = json.loads(path.read_text())
    items = tuple(ProofItem(**one) for one in known["items"])
    return Progress(**{**known, "done": tuple(known["done"]), "items": items})


def note_drill(journal: Journal, org_id: str, *, plan: str = "", over: bool = False) -> None:
    """Journal that a drill is under way in an org, and the plan that it applies, or that nothing of it is left."""
    journal.close(journal.open(DRILL, {"org": org_id, "plan": plan, "over": over}), {})


def is_drill_open(database: Database, sandbox: str, org_id: str) -> bool:
    """Whether a drill planted its canary in this generation of a sandbox and did not take it away again."""
    told = [one for one in load_by_kind(database, (DRILL,)) if one.sandbox == sandbox and one.detail["org"] == org_id]
    return bool(told) and not told[-1].detail["over"]


def list_drill_plans(entries: Iterable[Entry]) -> frozenset[str]:
    """The plans that drills applied: no reset of somebody's work, and continued by the drill alone."""
    return frozenset(str(one.detail["plan"]) for one in entries if one.kind == DRILL and one.detail["plan"])
