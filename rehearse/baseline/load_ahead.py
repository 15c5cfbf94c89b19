"""Libraries that a capture will need, loaded on a thread of its own while there is nothing else to do.

Before it reads the first row or file a capture asks a dozen short questions, and what is loaded then holds up each
answer: only Arrow is, where rows are wanted, for it takes longest and is needed next. What reads files and shows the
outcome is loaded when the first files are on their way. Nothing depends on it: whoever needs a library first loads it.
Two threads that load at once take as long as one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from threading import Thread

ROWS = (
    "cryptography.hazmat.primitives.ciphers.aead",
    "pyarrow",
    "pyarrow.compute",
    "pyarrow.parquet",
    "pyarrow.parquet.encryption",
)
FILES = ("pygit2", "rich.console", "rich.table", "rich.text")


def load_ahead(names: Sequence[str]) -> None:
    """Begin to load these.

    The thread is no daemon: the end of the process waits for it, for a library may not be torn down half loaded.
    """
    Thread(target=_load, args=(names,), name="loading").start()


def _load(names: Sequence[str]) -> None:
    with suppress(ImportError):  # whoever needs it says so
        for one in names:
            import_module(one)
