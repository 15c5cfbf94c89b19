"""How far the drill of a sandbox came, as a small file tells it: whoever takes a baseline asks it and loads no more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rehearse.reset.model import ProofItem


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
