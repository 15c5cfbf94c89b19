"""The nouns of a back-out package: steps of a runbook to take back, files of rows, and the package itself. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rehearse.reset.model import Blocked, Forecast

Operation = Literal["update", "insert", "undelete", "find and delete"]


@dataclass(frozen=True)
class RecordFile:
    """One file of rows: what to do with them, how many there are; `note` says what the file cannot say."""

    step: str
    object: str
    operation: Operation
    path: str
    rows: int
    note: str = ""


@dataclass(frozen=True)
class RunStep:
    """One step of the runbook in the order in which it ran, as far as taking it back is concerned.

    `undo` is the kind of its undo step (empty: none is written), `undo_text` what that does.
    """

    id: str
    kind: Literal["manual", "deploy", "records", "apex", "shell", "soql"]
    text: str
    undo: str = ""
    undo_text: str = ""


@dataclass(frozen=True)
class BackoutStep:
    """One thing to do, in order: deploy a zip, load a file, work by hand, or look."""

    do: Literal["deploy", "load", "by hand", "unknown"]
    step: str
    text: str
    file: str = ""


@dataclass(frozen=True)
class Backout:
    """A back-out package that was written: its steps, its files with their SHA-256, and the forecast it rests on."""

    folder: Path
    steps: tuple[BackoutStep, ...]
    records: tuple[RecordFile, ...]
    digests: Mapping[str, str]
    forecast: Forecast
    blocked: tuple[Blocked, ...] = ()
