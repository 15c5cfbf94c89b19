"""The nouns of keeping a store: what becomes of the records of a capture, and what a sweep removed. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Fate:
    """What becomes of the records of one capture; `name` is its baseline's, empty for one that only a proof names."""

    capture: str
    name: str
    sandbox: str
    taken: datetime
    records: int
    destroyed: bool
    why: str


@dataclass(frozen=True)
class Swept:
    """What a sweep removed: keys, files and folders that nothing names, and the bytes that came free."""

    keys: int
    files: int
    bytes: int
