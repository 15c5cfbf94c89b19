"""Every file of a zip, read once and held against its checksum; whatever cannot be read is a BadZipFile."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_DAMAGE = (zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError)
"""What Python's reader raises for entries that are cut, encrypted or packed in a way that it does not know."""


def read_zip(path: Path) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    """The entries of a zip with their content, in the order of its directory. Raises BadZipFile."""
    try:
        with zipfile.ZipFile(path) as zipped:
            for one in zipped.infolist():
                yield one, zipped.read(one)
    except _DAMAGE as error:
        raise zipfile.BadZipFile("a file in it cannot be read") from error
