"""Bytes that survive a crash: fsync before a name is given, and a full disk said as such.

A file is written under another name, flushed to the disk, and only then renamed; the folder is flushed after it.
Whatever stood there before is untouched until the rename.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from rehearse.errors import DiskFull, StoreError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Translate what the operating system says while `path` is being written; raises DiskFull or StoreError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL or "No space left" in str(error):
            raise DiskFull(
                f"There is no room left to write {path}; what was stored before is untouched.",
                "Free some space and run again: it continues.",
            ) from error
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Look at the folder and its permissions (that of the store is storage.path of rehearse.yaml).",
        ) from error


def write_durably(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a whole file in place, or nothing: temporary name, fsync, rename, fsync of the folder. Raises DiskFull."""
    waiting = path.with_name(f"{path.name}.tmp")
    with storing(path):
        try:
            handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(handle, view) :]
                os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(waiting, path)
        except OSError:
            waiting.unlink(missing_ok=True)  # half of it would lie there for good, on a disk that is full
            raise
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Flush the bytes of a finished file to the disk."""
    with storing(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_private_folder(folder: Path) -> None:
    """Make a folder (and its parents) that only its owner can read."""
    with storing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def file_sha256(path: Path) -> str:
    """The SHA-256 (hex) of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def nameless_file(folder: Path | None = None) -> Iterator[Path]:
    """A path to a scratch file on the disk of `folder` (None: of the machine's temporary files).

    On Linux the file has no name in any folder, so that a crash leaves nothing to read.
    """
    if Path("/proc/self/fd").is_dir():
        with tempfile.TemporaryFile(dir=folder) as file:
            yield Path(f"/proc/self/fd/{file.fileno()}")
    else:
        with tempfile.TemporaryDirectory(dir=folder) as private:
            yield Path(private) / "scratch"


@contextmanager
def waiting_folder(target: Path) -> Iterator[Path]:
    """A private folder beside `target`, to be filled and renamed to it; what is not renamed is destroyed at the end.

    What killed processes left there for the same target is destroyed first: it may hold records in clear text. A folder
    whose process lives is let be. Raises DiskFull, StoreError.
    """
    waiting = target.with_name(f".{target.name}.{os.getpid()}.part")
    with storing(target):
        for folder in target.parent.glob(f".{escape(target.name)}.*.part"):
            process = folder.name.split(".")[-2]
            if process.isdigit() and not _lives(int(process)):
                shutil.rmtree(folder)
        waiting.mkdir(mode=0o700)
    try:
        with storing(target):
            yield waiting
    finally:
        shutil.rmtree(waiting, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()
