"""Every file of a zip, read once and held against its checksum; whatever cannot be read is a BadZipFile."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

DAMAGE = (zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What Python's reader raises for entries that are cut, encrypted, said to lie before the file, or packed in a way that
it does not know."""

MOST_UNPACKED = 629_145_600
"""Bytes that one file of a zip may unpack to, or all files of a zip inside it: an org takes no more in a whole package
(facts/metadata.md 2); what says more of itself is made to fill the memory."""


def read_zip(path: Path) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    """The entries of a zip with their content, in the order of its directory. Raises BadZipFile."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as zipped:
                for one in zipped.infolist():
                    if one.file_size > MOST_UNPACKED:
                        raise ValueError("it would fill the memory")
                    yield one, zipped.read(one)
        except DAMAGE as error:
            raise zipfile.BadZipFile("a file in it cannot be read") from error


def unpacked_size(path: Path) -> int:
    """What the directory of a zip says that its files take, before one of them is read. Raises BadZipFile."""
    try:
        with zipfile.ZipFile(path) as zipped:
            return sum(one.file_size for one in zipped.infolist())
    except DAMAGE as error:
        raise zipfile.BadZipFile("its directory cannot be read") from error
