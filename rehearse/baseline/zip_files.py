"""Every file of a zip, read once and held against its checksum; whatever cannot be read is a BadZipFile."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from os import SEEK_CUR
from pathlib import Path
from typing import BinaryIO

DAMAGE = (zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What Python's reader raises for entries that are cut, encrypted, said to lie before the file, or packed in a way that
it does not know."""

MOST_UNPACKED = 629_145_600
"""Bytes that one file of a zip may unpack to, or all files of a zip inside it: an org takes no more in a whole package
(facts/metadata.md 2); what says more of itself is made to fill the memory."""

_SMALL = 1 << 16
_MOST_PACKED = 2 * _SMALL
_UTF8 = 1 << 11
_PLAIN = _UTF8 | 1 << 3 | 0b110
"""Flags of names in UTF-8, of sizes that follow the content, and of how hard the writer tried (APPNOTE 4.4.4)."""
_HEAD = struct.Struct("<4s5H3I2H")
"""What stands before an entry: signature, version, flags, …, and the lengths of its name and of what follows that."""


def read_zip(path: Path) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    """The entries of a zip with their content, in the order of its directory. Raises BadZipFile."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as zipped:
                for one in zipped.infolist():
                    if one.file_size > MOST_UNPACKED:
                        raise ValueError("it would fill the memory")
                    yield one, (_read_small(file, one) if _is_small(one) else zipped.read(one))
        except DAMAGE as error:
            raise zipfile.BadZipFile("a file in it cannot be read") from error


def _is_small(one: zipfile.ZipInfo) -> bool:
    """Whether an entry is one of the many small ones of a retrieve: deflated, no flag but those of any writer."""
    return one.compress_type == zipfile.ZIP_DEFLATED and one.file_size <= _SMALL and not one.flag_bits & ~_PLAIN


def _read_small(file: BinaryIO, one: zipfile.ZipInfo) -> bytes:
    """The content of a small entry, in a fifth of the time that Python's reader takes to open it. Raises `DAMAGE`."""
    file.seek(one.header_offset)
    head = _HEAD.unpack(file.read(_HEAD.size))
    name = file.read(head[-2])
    file.seek(head[-1], SEEK_CUR)
    if head[0] != b"PK\3\4" or name.decode("utf-8" if head[2] & _UTF8 else "cp437") != one.orig_filename:
        raise ValueError("it lies about its places")
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacking.decompress(file.read(min(one.compress_size, _MOST_PACKED)), one.file_size + 1)
    if len(content) != one.file_size or not unpacking.eof or zlib.crc32(content) != one.CRC:
        raise ValueError("it is damaged")
    return content


def unpacked_size(path: Path) -> int:
    """What the directory of a zip says that its files take, before one of them is read. Raises BadZipFile."""
    try:
        with zipfile.ZipFile(path) as zipped:
            return sum(one.file_size for one in zipped.infolist())
    except DAMAGE as error:
        raise zipfile.BadZipFile("its directory cannot be read") from error
