"""Who uses a store of captures: many at once (shared), or one who sweeps it (alone).

An advisory lock on `store.lock`, held by the process and gone with it, however it ends. Captures, verifications and
comparisons hold it shared; prune and repair hold it alone, so that nothing is swept which somebody is about to name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearse.baseline.writing import make_private_folder, storing
from rehearse.errors import Locked

LOCK = "store.lock"


@contextmanager
def hold_store(root: Path, *, alone: bool) -> Iterator[None]:
    """Hold the store for the length of the block. Shared waits for a sweep; alone raises Locked while it is in use."""
    make_private_folder(root)
    with storing(root / LOCK):
        handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        except BlockingIOError as error:
            raise Locked(f"The store {root} is in use by another command.", "Run again when that has ended.") from error
        yield
    finally:
        os.close(handle)
