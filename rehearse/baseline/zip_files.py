"""Every file of a zip, read once and held against its checksum.

Python's own zip reader makes several objects a file, which takes longer than the files of a retrieve themselves: these
are many and small. So plain entries (stored or deflated, not encrypted, not large) are cut out here, with the same
checks; every other entry goes the usual way. Whatever does not agree is a BadZipFile.
"""

from __future__ import annotations

import mmap
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_HEAD = struct.Struct("<4s5H3L2H")
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNUSUAL = 0x01 | 0x20 | 0x40
"""Flags of encrypted and of patched entries."""
_UTF8 = 0x800
_LARGE = 1 << 20
_DAMAGE = (zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError)
"""What Python's reader raises for entries that are cut, encrypted or packed in a way that it does not know."""


def read_zip(path: Path) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    """The entries of a zip with their content, in the order of its directory. Raises BadZipFile."""
    try:
        with (
            zipfile.ZipFile(path) as zipped,
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            for one in zipped.infolist():
                plain = one.compress_type in _PLAIN and not one.flag_bits & _UNUSUAL and one.file_size <= _LARGE
                yield one, _cut_out(data, one) if plain else zipped.read(one)
    except _DAMAGE as error:
        raise zipfile.BadZipFile("a file in it cannot be read") from error


def _cut_out(data: mmap.mmap, entry: zipfile.ZipInfo) -> bytes:
    start = entry.header_offset + _HEAD.size
    head = _HEAD.unpack(data[entry.header_offset : start])
    named = start + head[9]
    name = data[start:named].decode("utf-8" if head[2] & _UTF8 else "cp437", "replace")
    begin = named + head[10]
    content = data[begin : begin + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        inflated = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflated.decompress(content, entry.file_size + 1)
    whole = len(content) == entry.file_size and zlib.crc32(content) == entry.CRC
    if head[0] != b"PK\x03\x04" or name != entry.orig_filename or not whole:
        raise zipfile.BadZipFile(f"{entry.filename} is not what its directory says")
    return content
