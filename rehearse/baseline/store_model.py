"""The nouns around captures: fields that a comparison leaves out, the fate of old records, what a sweep removed.

Frozen values; no record value in any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


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


@dataclass(frozen=True)
class SchemaChange:
    """One field that is not compared: it was added, is gone, or has another type; types are None where absent."""

    object: str
    field: str
    before: str | None
    after: str | None

    @property
    def what(self) -> Literal["added", "gone", "other type"]:
        if self.before is None:
            return "added"
        return "gone" if self.after is None else "other type"


@dataclass(frozen=True)
class Exported:
    """What an export wrote as clear text."""

    objects: int
    records: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Damage:
    """What of a capture is damaged: objects, each with the capture that has its rows whole ('' = nobody).

    `metadata` is None where it is whole, else the capture that has it, or ''.
    """

    capture: str
    objects: Mapping[str, str]
    metadata: str | None

    @property
    def is_whole(self) -> bool:
        return not self.objects and self.metadata is None

    @property
    def is_mendable(self) -> bool:
        """Whether everything that is damaged is somewhere else in the store."""
        return all(self.objects.values()) and self.metadata != ""
