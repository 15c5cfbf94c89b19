"""Who uses a store of captures: many at once (shared), or one who sweeps it (alone).

An advisory lock on `store.lock`, held by the process and gone with it, however it ends. Captures, verifications and
comparisons hold it shared; prune and repair hold it alone, so that nothing is swept which somebody is about to name.
Whoever comes while nobody else is there removes what killed ones left in `scratch`: it is clear text.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearse.baseline.writing import make_private_folder, storing
from rehearse.errors import Locked
from rehearse.state import is_read_only

LOCK, SCRATCH = "store.lock", "scratch"


@contextmanager
def hold_store(root: Path, *, alone: bool) -> Iterator[None]:
    """Hold the store for the length of the block. Shared waits for a sweep; alone raises Locked while it is in use."""
    if is_read_only(root) and not alone:
        with _hold_for_reading(root / LOCK):
            yield
        return
    make_private_folder(root)
    with storing(root / LOCK):
        handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(root / SCRATCH, ignore_errors=True)  # only who holds the store writes there
        except BlockingIOError as error:
            if alone:
                raise Locked(
                    f"The store {root} is in use by another command.", "Run again when that has ended."
                ) from error
        if not alone:
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


@contextmanager
def _hold_for_reading(lock: Path) -> Iterator[None]:
    """Share a store that may only be read; without a lock file nobody has swept it, and nobody who could is here."""
    try:
        handle = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)
