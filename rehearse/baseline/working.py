"""A capture under way: its folder without a manifest, held by a lock that dies with its process.

What a killed capture left is continued by the next one that asks for the same thing within days (finished objects
are kept; everything changed since its first start is read again), and swept away by one that takes its place. A folder
without a manifest is never taken for a capture.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rehearse import clock
from rehearse.baseline.keys import Keys
from rehearse.baseline.manifest import MANIFEST, dump_checked, load_checked, object_from
from rehearse.baseline.model import ComparableField, ObjectCapture, ObjectScope
from rehearse.baseline.writing import file_sha256, make_private_folder, storing, write_durably
from rehearse.errors import Damaged, KeyUnavailable
from rehearse.ids import build_ulid

STATE, LOCK, DONE = "working.json", "working.lock", "done.json"
CONTINUE_WITHIN = timedelta(days=3)
"""Longer than an API budget takes to come back; results of a query job are kept for seven days."""


@dataclass(frozen=True)
class Purpose:
    """What a capture is for: a content id of org, scope and version; only the same purpose is continued.

    `series` names what takes its place: a capture sweeps away what others of its series left, and nobody else's.
    """

    fingerprint: str
    started: datetime
    series: str = ""


@dataclass(frozen=True)
class Working:
    """The folder, id, data key and first start of a capture under way."""

    folder: Path
    ulid: str
    key: bytes
    started: datetime
    continued: bool

    def __repr__(self) -> str:
        return f"Working({self.ulid})"

    def save_done(self, scope: ObjectScope, found: ObjectCapture, note: str) -> None:
        """Remember that an object is read whole, so that a continued capture need not read it again."""
        content = {"scope": asdict(scope), "found": asdict(found), "note": note}
        write_durably(self.folder / found.object / DONE, dump_checked(content))

    def load_done(self, scope: ObjectScope) -> tuple[ObjectCapture, str] | None:
        """What an interrupted capture read of an object, if it is whole and was read in the same shape."""
        path = self.folder / scope.name / DONE
        if not path.exists():
            return None
        try:
            content = load_checked(path)
        except Damaged:
            return None
        found = object_from(content["found"])
        whole = all(
            (self.folder / part.path).is_file() and file_sha256(self.folder / part.path) == part.sha256
            for part in found.parts
        )
        return (found, str(content["note"])) if whole and _scope(content["scope"]) == scope else None

    def forget(self, object: str) -> None:
        """Remove what an interrupted capture left of an object."""
        with storing(self.folder / object):
            shutil.rmtree(self.folder / object, ignore_errors=True)


@contextmanager
def begin(captures: Path, keys: Keys, purpose: Purpose) -> Iterator[Working]:
    """A capture folder of our own for the length of the block: continued where one can be, else new.

    Folders that dead captures left for another purpose are removed with their keys. Raises KeyUnavailable, DiskFull.
    """
    make_private_folder(captures)
    working, handle = _continue(captures, keys, purpose) or _start(captures, keys, purpose)
    try:
        yield working
    finally:
        os.close(handle)
        if (working.folder / MANIFEST).exists():
            _tidy(working.folder)


def _tidy(folder: Path) -> None:
    for path in (folder / STATE, folder / LOCK, *folder.glob(f"*/{DONE}")):
        path.unlink(missing_ok=True)


def _start(captures: Path, keys: Keys, purpose: Purpose) -> tuple[Working, int]:
    ulid = build_ulid(clock.now())
    key = keys.create(ulid)
    folder = captures / ulid
    make_private_folder(folder)
    handle = _lock(folder)
    if handle is None:
        raise AssertionError("a new folder is locked")
    state = {"fingerprint": purpose.fingerprint, "started": clock.iso(purpose.started), "series": purpose.series}
    try:
        write_durably(folder / STATE, dump_checked(state))
    except BaseException:
        os.close(handle)
        raise
    return Working(folder, ulid, key, purpose.started, continued=False), handle


def _continue(captures: Path, keys: Keys, purpose: Purpose) -> tuple[Working, int] | None:
    chosen: tuple[Working, int] | None = None
    for folder in sorted(captures.iterdir(), reverse=True):
        if not folder.is_dir() or (folder / MANIFEST).exists():
            continue
        handle = _lock(folder)
        if handle is None:
            continue
        working = None if chosen else _same_purpose(folder, keys, purpose)
        if working is not None and not (folder / MANIFEST).exists():
            chosen = working, handle
            continue
        if not (folder / MANIFEST).exists() and _is_waste(folder, purpose):
            keys.drop(folder.name)
            shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)
    return chosen


def _is_waste(folder: Path, purpose: Purpose) -> bool:
    """Whether nobody will continue what lies here: it cannot be read, is too old, or this capture takes its place."""
    try:
        state: dict[str, Any] = load_checked(folder / STATE)
        age = abs(purpose.started - clock.from_iso(state["started"]))
    except Damaged:
        return True
    return state.get("series", "") == purpose.series or age >= CONTINUE_WITHIN


def _same_purpose(folder: Path, keys: Keys, purpose: Purpose) -> Working | None:
    try:
        state: dict[str, Any] = load_checked(folder / STATE)
        started = clock.from_iso(state["started"])
        young = timedelta() <= purpose.started - started < CONTINUE_WITHIN
        if state["fingerprint"] != purpose.fingerprint or not young:
            return None
        return Working(folder, folder.name, keys.load(folder.name), started, continued=True)
    except (Damaged, KeyUnavailable):
        return None


def _lock(folder: Path) -> int | None:
    """Hold the lock of a capture folder; None while a living capture holds it."""
    with storing(folder / LOCK):
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _scope(content: dict[str, Any]) -> ObjectScope:
    fields = tuple(ComparableField(**one) for one in content["fields"])
    return ObjectScope(content["name"], fields, content["where"])
