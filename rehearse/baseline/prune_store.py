"""Sweeping a store: destroys the records that were decided on, then everything that no manifest names.

Mark and sweep over all manifests, by somebody who has the store to himself. First the keys (from then on the records
are gone for good), then the files; killed at any point, the next sweep finishes. A manifest is never touched, so every
proof stays valid; what a kept manifest names is never touched either.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from rehearse.baseline.bodies import BODIES
from rehearse.baseline.metadata_sweep import Kept, sweep_metadata
from rehearse.baseline.model import Capture
from rehearse.baseline.prune import needed_by
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.store_model import Swept
from rehearse.baseline.working import CONTINUE_WITHIN, STATE
from rehearse.baseline.writing import storing

_ULID = re.compile(r"[0-9A-Z]{26}\Z")


def sweep(store: CaptureStore, destroy: Collection[str], now: datetime) -> Swept:
    """Destroy the records of these captures and sweep the store. `now` is the machine's clock, for its files.

    The caller holds the store alone. Raises Damaged for a manifest that cannot be read: then nothing is swept, because
    nobody knows what it names.
    """
    captures = store.load_all()
    before = _size(store.root)
    keys = sum(1 for ulid in destroy if _drop_key(store, ulid))
    alive = {one.ulid for one in captures if store.keys.has(one.ulid)}
    needed = {ulid for one in captures for ulid in needed_by(one) if one.ulid in alive}
    files = _sweep_parts(store, captures, alive)
    files += _sweep_folders(store, {one.ulid for one in captures} | needed, now)
    keys += _sweep_keys(store, {one.ulid for one in captures} | needed)
    shutil.rmtree(store.root / "scratch", ignore_errors=True)
    kept = tuple(Kept(one.ulid, one.sandbox, one.commit) for one in captures)
    sweep_metadata(store.metadata, kept, store.root / "scratch" / "sweep")
    return Swept(keys, files, max(0, before - _size(store.root)))


def _drop_key(store: CaptureStore, ulid: str) -> bool:
    had = store.keys.has(ulid)
    store.keys.drop(ulid)
    return had


def _sweep_parts(store: CaptureStore, captures: Sequence[Capture], alive: Collection[str]) -> int:
    """Remove parts that no manifest with living records names; one whose key is gone is noise.

    Parts lie in folders by object, and the contents of files beside them: these live as long as a part of their object
    does. What lies beside the manifest is the capture's own list of something, and stays.
    """
    named = {
        (part.capture or one.ulid, part.path)
        for one in captures
        for found in one.objects
        for part in (*found.parts, *found.removed)
        if (part.capture or one.ulid) in alive and one.ulid in alive
    }
    bodies = {(ulid, f"{path.partition('/')[0]}/{BODIES}") for ulid, path in named}
    removed = 0
    for one in captures:
        folder = store.folder(one.ulid)
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).as_posix()
            kept = (one.ulid, inside) in named or (one.ulid, inside.rpartition("/")[0]) in bodies
            if path.is_file() and "/" in inside and not kept:
                removed += _remove(path)
        for empty in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
            if not any(empty.iterdir()):
                empty.rmdir()
    return removed


def _sweep_folders(store: CaptureStore, known: Collection[str], now: datetime) -> int:
    """Remove what dead captures left and nobody will continue: nobody captures while the store is held alone."""
    removed = 0
    for folder in sorted((store.root / "captures").glob("*")):
        if folder.name in known or not folder.is_dir() or _may_continue(folder, now):
            continue
        store.keys.drop(folder.name)
        removed += sum(1 for one in folder.rglob("*") if one.is_file())
        with storing(folder):
            shutil.rmtree(folder)
    return removed


def _may_continue(folder: Path, now: datetime) -> bool:
    state = folder / STATE
    return state.exists() and now.timestamp() - state.stat().st_mtime < CONTINUE_WITHIN.total_seconds()


def _sweep_keys(store: CaptureStore, known: Collection[str]) -> int:
    folder = store.root / "keys"
    lost = [
        one.name
        for one in (sorted(folder.iterdir()) if folder.is_dir() else ())
        if _ULID.match(one.name) and one.name not in known and not store.folder(one.name).exists()
    ]
    for name in lost:
        store.keys.drop(name)
    return len(lost)


def _remove(path: Path) -> int:
    with storing(path):
        path.unlink()
    return 1


def _size(root: Path) -> int:
    return sum(one.stat().st_size for one in root.rglob("*") if one.is_file() and not one.is_symlink())
