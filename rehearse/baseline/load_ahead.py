"""Libraries that a capture will need, loaded while the org is being asked: Arrow and git take a quarter of a second.

A capture asks a dozen short questions before it reads the first row or file, and each of them is mostly waiting; what
is large is loaded on a thread of its own meanwhile. Nothing depends on it: whoever needs a library first loads it.
Begun before the first question and not sooner: two threads that load at once take as long as one after the other.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from threading import Thread

_FILES = ("cryptography.hazmat.primitives.ciphers.aead", "pygit2")
_ROWS = ("pyarrow", "pyarrow.compute", "pyarrow.parquet", "pyarrow.parquet.encryption")
_TELLING = ("rich.console", "rich.table", "rich.text")


def load_ahead(*, rows: bool) -> None:
    """Begin to load what reading files takes, and rows where these are wanted, and what shows the outcome.

    The thread is no daemon: the end of the process waits for it, for a library may not be torn down half loaded.
    """
    names = (*_FILES, *(_ROWS if rows else ()), *_TELLING)
    Thread(target=_load, args=(names,), name="loading").start()


def _load(names: tuple[str, ...]) -> None:
    with suppress(ImportError):  # whoever needs it says so
        for one in names:
            import_module(one)
