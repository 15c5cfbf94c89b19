"""Sandboxes and their copies as rows: what SandboxInfo and SandboxProcess hold, and how estate.db keeps them.

A sandbox is one Info and every Process it ever had; the newest Process is its state. Status is a code of one character
inside and a label outside, as Salesforce's queries take the one and answer the other. Values are frozen: a step makes a
new one and saves it. Nothing here decides anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from rehearse.practice.estate_file import EstateFile

LABELS = {
    "0": "Pending",
    "1": "Completed",
    "2": "Processing",
    "4": "Pending Activation",
    "5": "Activating: Activation Confirmed",
    "6": "Activating: Deactivation Confirmed",
    "7": "Activating: Deactivation Finished",
    "8": "Activating: Activation Processing",
    "X": "Sampling",
    "S": "Suspended",
    "G": "Stopped",
    "F": "Discarding",
    "E": "Deleting",
    "D": "Deleted",
    "L": "Locking",
    "B": "Locked",
}
ACTIVATING = "5678"
COPYING = "X2S"
"""Codes that occupy the one copying slot of a production."""
BUSY = "0X2SG45678FE"
"""Codes in which a sandbox takes no refresh and cannot be cloned."""

TABLES = """
CREATE TABLE IF NOT EXISTS sandbox_infos (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sandbox_processes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, info_id TEXT NOT NULL, code TEXT NOT NULL,
    body TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Info:
    """One sandbox: its name, its effective licence type, and the fields that were asked for by API name."""

    id: str
    name: str
    licence: str
    created: datetime
    created_by: str
    modified: datetime
    modified_by: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    deleted: bool = False
    number: int = 0


@dataclass(frozen=True)
class Process:
    """One copy. `since` is when the present code began, `released` when it gave the copying slot back; the `held_`
    values say what a suspended or stopped copy was doing, since when, and until when it is suspended."""

    id: str
    info_id: str
    name: str
    licence: str
    org: str
    is_refresh: bool
    created: datetime
    created_by: str
    modified: datetime
    since: datetime
    code: str = "0"
    started: datetime | None = None
    released: datetime | None = None
    copied: datetime | None = None
    ended: datetime | None = None
    activation_asked: datetime | None = None
    activated: datetime | None = None
    activated_by: str | None = None
    refresh_action: str | None = None
    discarded: bool = False
    held_code: str | None = None
    held_since: datetime | None = None
    held_until: datetime | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0

    @property
    def has_template(self) -> bool:
        """Whether records are chosen by a template: such a copy samples first and shows no progress."""
        return self.licence == "PARTIAL" or bool(self.asked.get("TemplateId"))

    def enter(self, code: str, at: datetime, **changes: Any) -> Process:
        """The same copy with another status from `at` on."""
        return replace(self, code=code, since=at, modified=at, **changes)


class SandboxRows:
    """The Info and Process rows of one estate file."""

    def __init__(self, file: EstateFile) -> None:
        self.file = file

    def add_info(self, info: Info) -> None:
        """Store a new sandbox."""
        with self.file.transaction() as db:
            db.execute("INSERT INTO sandbox_infos (id, body) VALUES (?, ?)", (info.id, _as_json(info)))

    def save_info(self, info: Info) -> None:
        """Store a changed sandbox."""
        with self.file.transaction() as db:
            db.execute("UPDATE sandbox_infos SET body = ? WHERE id = ?", (_as_json(info), info.id))

    def infos(self) -> list[Info]:
        """Every sandbox, deleted ones too, oldest first."""
        return [
            _value(Info, row, row["number"])
            for row in self.file.load_rows("SELECT number, body FROM sandbox_infos ORDER BY number")
        ]

    def info(self, info_id: str) -> Info | None:
        """The sandbox with this id of 15 or 18 characters, deleted or not."""
        rows = self.file.load_rows(
            "SELECT number, body FROM sandbox_infos WHERE substr(id, 1, 15) = ?", (info_id[:15],)
        )
        return _value(Info, rows[0], rows[0]["number"]) if rows else None

    def add_process(self, process: Process) -> None:
        """Store a new copy; it becomes the newest of its sandbox."""
        with self.file.transaction() as db:
            db.execute(
                "INSERT INTO sandbox_processes (id, info_id, code, body) VALUES (?, ?, ?, ?)",
                (process.id, process.info_id, process.code, _as_json(process)),
            )

    def save_process(self, process: Process) -> None:
        """Store a changed copy."""
        with self.file.transaction() as db:
            db.execute(
                "UPDATE sandbox_processes SET code = ?, body = ? WHERE id = ?",
                (process.code, _as_json(process), process.id),
            )

    def processes(self, info_id: str | None = None) -> list[Process]:
        """Every copy, or those of one sandbox, oldest request first."""
        where, values = ("WHERE info_id = ?", (info_id,)) if info_id else ("", ())
        rows = self.file.load_rows(f"SELECT number, body FROM sandbox_processes {where} ORDER BY number", values)
        return [_value(Process, row, row["number"]) for row in rows]

    def process(self, process_id: str) -> Process | None:
        """The copy with this id of 15 or 18 characters."""
        rows = self.file.load_rows(
            "SELECT number, body FROM sandbox_processes WHERE substr(id, 1, 15) = ?", (process_id[:15],)
        )
        return _value(Process, rows[0], rows[0]["number"]) if rows else None

    def newest(self, info_id: str) -> Process:
        """The copy that says what state a sandbox is in."""
        return self.processes(info_id)[-1]

    def any_open(self) -> bool:
        """Whether some copy is in a state that time may change."""
        return bool(self.file.load_rows("SELECT 1 FROM sandbox_processes WHERE code NOT IN ('1', 'D') LIMIT 1"))


def _as_json(value: Info | Process) -> str:
    plain = asdict(value)
    del plain["number"]
    return json.dumps({name: one.isoformat() if isinstance(one, datetime) else one for name, one in plain.items()})


def _value(kind: type[Any], row: sqlite3.Row, number: int) -> Any:
    body = json.loads(row["body"])
    for one in fields(kind):
        if "datetime" in str(one.type) and body.get(one.name) is not None:
            body[one.name] = datetime.fromisoformat(body[one.name])
    return kind(**body, number=number)
