"""The nouns of a production's sandboxes: SandboxInfo, SandboxProcess and SandboxProcessStage rows, in our spelling.

Everybody imports them from org/model.py. Ids are 18 characters; what a Status label or code means is in sandboxes.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class SandboxRecord:
    """One SandboxInfo row of a production (Tooling API). `fields` holds every writable field, re-sent on refresh."""

    id: str
    name: str
    licence: str
    description: str | None
    auto_activate: bool
    template_id: str | None
    source_id: str | None
    fields: Mapping[str, str | int | float | bool | None]


SandboxState = Literal[
    "pending",
    "copying",
    "pending-activation",
    "activating",
    "completed",
    "suspended",
    "stopped",
    "discarding",
    "deleting",
    "deleted",
    "locked",
    "unknown",
]


@dataclass(frozen=True)
class SandboxCopy:
    """One SandboxProcess row, a create or refresh: `org_id` is the org that it makes, `requested` its CreatedDate."""

    id: str
    sandbox_id: str
    name: str
    licence: str
    state: SandboxState
    label: str
    org_id: str | None
    requested: datetime
    started: datetime | None = None
    copied: datetime | None = None
    activated: datetime | None = None
    progress: int | None = None
    source_id: str | None = None


@dataclass(frozen=True)
class CopyStage:
    """One SandboxProcessStage row: queue (0), data copy (1), waiting for activation (2), activation (3).

    Work counts sandboxes ahead in the queue; elsewhere it has no unit and means something only as a share. `actual` is
    set only once the org calls it final.
    """

    copy_id: str
    number: int
    kind: str
    status: str
    started: datetime | None
    ended: datetime | None
    estimated: int | None
    actual: int | None
    completed: int | None
