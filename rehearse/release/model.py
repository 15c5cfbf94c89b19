"""The nouns of a release file: the release, its rehearsals, what they need. Frozen values; no I/O.

A rehearsal is demand: it holds no date. Instants are aware; what depends on wall time keeps its zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from rehearse.clock import Hours, Span


@dataclass(frozen=True)
class Needs:
    """What a rehearsal asks of its sandbox: any of the types (none = all), every tag, start, age of data."""

    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    start: Literal["any", "baseline", "fresh"] = "any"
    data_age: Span | None = None


@dataclass(frozen=True)
class Pin:
    """A rehearsal fixed to a sandbox, to a start, or to both."""

    sandbox: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Rehearsal:
    """One rehearsal of a release; `target` is the wished distance from the go-live (kind's default unless given)."""

    name: str
    release: str
    kind: Literal["mock", "dry-run", "dress"]
    duration: Span
    zone: ZoneInfo
    target: Span
    needs: Needs = Needs()
    before_go_live: Span = Span()
    after: str | None = None
    gap: Span = Span()
    hold: Span = Span()
    forecast: Literal["auto", "undoable", "burns"] = "auto"
    not_before: datetime | None = None
    not_after: datetime | None = None
    pin: Pin = Pin()
    people: tuple[str, ...] = ()
    hours: Literal["calendar", "any", "go_live"] | Hours = "calendar"


@dataclass(frozen=True)
class Package:
    """What a release deploys: an mdapi folder, a source folder or a zip; the path is absolute."""

    kind: Literal["mdapi", "source", "zip"]
    path: Path


@dataclass(frozen=True)
class Deed:
    """One thing that a step does or that undoes it. `text` is what people read of it: where, a query, a command.

    `path` is the file or package that it takes, absolute; `object`, `operation` and `key` belong to records.
    """

    kind: Literal["manual", "deploy", "records", "apex", "shell", "soql"]
    text: str
    path: Path | None = None
    object: str = ""
    operation: Literal["", "insert", "update", "upsert", "delete"] = ""
    key: str = ""


@dataclass(frozen=True)
class Step:
    """One step of the runbook, as far as it changes an org."""

    id: str
    title: str
    do: Deed
    undo: Deed | None = None
    no_return: bool = False


@dataclass(frozen=True)
class Release:
    """One plans/RELEASE.yaml. `window` is production's, `advance` the time to apply it to a sandbox for keeps."""

    name: str
    title: str
    file: str
    go_live: datetime
    ready: datetime | None
    window: Span
    advance: Span
    priority: int
    package: Package | None
    rehearsals: tuple[Rehearsal, ...]
    runbook: tuple[Step, ...] = ()
