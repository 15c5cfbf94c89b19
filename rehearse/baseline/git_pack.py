"""One git pack, written object by object: whole, flushed and named last, or not there at all.

Blobs, trees and commits in git's own format (gitformat-pack, version 2, and its index, version 2), each compressed on
its own and none as a delta: the sweep of the store packs them tighter. Bytes go to the disk as they come, so that
memory holds one object and forty bytes for every other one. Git and libgit2 read it as any pack; a test holds that.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Mapping
from io import BufferedRandom
from pathlib import Path
from types import TracebackType

from rehearse.baseline.writing import sync_file, sync_folder

_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_LARGE = 1 << 31
"""Offsets from here on stand in a table of eight bytes each."""
_MODES = {"tree": b"40000", "blob": b"100644"}
Id = bytes
"""The twenty bytes that git names an object by."""


def object_id(kind: str, content: bytes) -> Id:
    """The name that git gives to an object of this kind with this content."""
    found = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(content)), usedforsecurity=False)
    found.update(content)
    return found.digest()


def render_tree(entries: Mapping[str, tuple[str, Id]]) -> bytes:
    """The content of a tree (name -> kind and id) in git's order, where a folder counts as if its name ended in /."""
    rows = sorted(
        (name.encode() + (b"/" if kind == "tree" else b""), name.encode(), kind, id)
        for name, (kind, id) in entries.items()
    )
    return b"".join(b"%s %s\0%s" % (_MODES[kind], name, id) for _, name, kind, id in rows)


def pack_object(kind: str, content: bytes) -> bytes:
    """An object as it stands in a pack: kind and size, then its content compressed on its own."""
    return _render_head(_KINDS[kind], len(content)) + zlib.compress(content)


class PackWriter:
    """Writes a pack below `folder`; use it in a `with`, then `move` what was written. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "new.pack"
        self._file: BufferedRandom = self._path.open("w+b")
        self._places: dict[Id, tuple[int, int]] = {}
        self._at = self._file.write(b"PACK" + struct.pack(">II", 2, 0))

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __contains__(self, id: Id) -> bool:
        return id in self._places

    def add(self, id: Id, piece: bytes) -> None:
        """Write an object that `pack_object` made, once."""
        if id in self._places:
            return
        self._places[id] = (self._at, zlib.crc32(piece))
        self._at += self._file.write(piece)

    def move(self, packs: Path) -> None:
        """Finish the pack and give it to a repository: the index, which names it, last. Both are on the disk then."""
        digest = self._seal()
        index = self._path.with_suffix(".idx")
        index.write_bytes(_render_index(self._places, digest))
        packs.mkdir(exist_ok=True)
        for made in (self._path, index):
            made.chmod(0o400)  # read-only, as git has it, and for its owner alone
            sync_file(made)
            os.replace(made, packs / f"pack-{digest.hex()}{made.suffix}")
        sync_folder(packs)

    def _seal(self) -> bytes:
        """Write the number of objects in front and the digest of everything at the end."""
        self._file.seek(8)
        self._file.write(struct.pack(">I", len(self._places)))
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, lambda: hashlib.sha1(usedforsecurity=False)).digest()
        self._file.seek(0, os.SEEK_END)
        self._file.write(digest)
        self._file.close()
        return digest


def _render_head(kind: int, size: int) -> bytes:
    """Kind and size of an object: four bits of the size in the first byte, seven in each further one."""
    byte, size = kind << 4 | size & 15, size >> 4
    head = bytearray()
    while size:
        head.append(byte | 128)
        byte, size = size & 127, size >> 7
    head.append(byte)
    return bytes(head)


def _render_index(places: Mapping[Id, tuple[int, int]], digest: bytes) -> bytes:
    """How many ids begin with at most each byte, the ids, their checksums, their offsets, and the digests."""
    ids = sorted(places)
    counts = [0] * 256
    for one in ids:
        counts[one[0]] += 1
    fan = [sum(counts[: number + 1]) for number in range(256)]
    large = [places[one][0] for one in ids if places[one][0] >= _LARGE]
    offsets = []
    seen = 0
    for one in ids:
        offset = places[one][0]
        if offset >= _LARGE:
            offset, seen = _LARGE | seen, seen + 1
        offsets.append(offset)
    body = b"".join(
        [
            b"\377tOc" + struct.pack(">I256I", 2, *fan),
            *ids,
            struct.pack(f">{len(ids)}I", *(places[one][1] for one in ids)),
            struct.pack(f">{len(ids)}I", *offsets),
            struct.pack(f">{len(large)}Q", *large),
            digest,
        ]
    )
    return body + hashlib.sha1(body, usedforsecurity=False).digest()
