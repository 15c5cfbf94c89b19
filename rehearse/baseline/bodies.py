"""The contents of files (Attachment, ContentVersion, Document), kept encrypted beside the rows, by choice of the scope.

A row holds the digest and the length of a body in the body's own field (`sha256:<hex>:<bytes>`), which is what is
compared; the bytes lie in `<Object>/bodies/` of the capture that wrote the row's part, under its data key (AES-256-GCM,
bound to capture and place). Bodies come one call each: Bulk has no base64 fields.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from rehearse.baseline.layers import owners
from rehearse.baseline.record_parts import RowShape
from rehearse.baseline.record_store import CaptureStore, find_object
from rehearse.baseline.scope import BODY_TYPE
from rehearse.baseline.working import Working
from rehearse.baseline.writing import make_private_folder, write_durably
from rehearse.errors import Damaged, NotFound
from rehearse.ids import to_18
from rehearse.org.model import Value
from rehearse.org.reader import OrgReader

BODIES = "bodies"
"""The folder of the contents, in that of their object."""
BODIES_AT_ONCE = 4
_NONCE = 12


def body_fields(shape: RowShape) -> tuple[str, ...]:
    """The fields of a shape that hold the contents of files."""
    return tuple(one.name for one in shape.fields if one.type == BODY_TYPE)


def with_bodies(
    reader: OrgReader, working: Working, shape: RowShape, rows: Iterable[Mapping[str, Value]]
) -> Iterator[Mapping[str, Value]]:
    """The rows with each body stored and its digest in its place. Raises OrgRejected for a body that is not given."""
    return with_digests(reader, shape.object, body_fields(shape), rows, lambda content: _store(working, shape, content))


def with_digests(
    reader: OrgReader,
    object: str,
    names: Sequence[str],
    rows: Iterable[Mapping[str, Value]],
    keep: Callable[[bytes], None] = lambda content: None,
) -> Iterator[Mapping[str, Value]]:
    """The rows of an org with the digest of each body in the body's place; `keep` hears of each body."""
    if not names:
        yield from rows
        return

    def read(row: Mapping[str, Value]) -> Mapping[str, Value]:
        found: dict[str, Value] = {}
        for name in names:
            if row.get(name):
                content = reader.fetch_body(object, to_18(str(row["Id"])), name)
                keep(content)
                found[name] = digest_of(content)
        return {**row, **found}

    waiting = iter(rows)
    with ThreadPoolExecutor(BODIES_AT_ONCE) as pool:
        while batch := list(islice(waiting, BODIES_AT_ONCE * 8)):
            yield from pool.map(read, batch)


def load_body(store: CaptureStore, ulid: str, object: str, digest: str) -> bytes:
    """The contents that a captured row names by their digest. Raises NotFound, Damaged, KeyUnavailable."""
    found = find_object(store.load(ulid), object)
    for owner in sorted(owners(found, ulid) if found else {ulid}, reverse=True):
        path = store.folder(owner) / object / BODIES / _file_name(digest)
        if path.is_file():
            content = _open(path, store.keys.load(owner), owner, object)
            if digest_of(content) != digest:
                raise Damaged(f"{path} is not what was written.", "Take a new baseline, or restore the file.")
            return content
    raise NotFound(f"The capture {ulid} holds no such contents of {object}.", "Capture with scope.records.files.")


def take_over_bodies(store: CaptureStore, ulid: str, working: Working, shape: RowShape, rows: Any) -> None:
    """Keep the contents that rows of a capture name, where these rows are written anew. Raises NotFound, Damaged."""
    for name in body_fields(shape):
        for digest in rows.column(name).unique().to_pylist():
            if digest:
                _store(working, shape, load_body(store, ulid, shape.object, digest))


def digest_of(content: bytes) -> str:
    """What stands for a body in a row: its SHA-256 and its length."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}:{len(content)}"


def size_of(digest: str) -> int:
    """The bytes of a body, as its digest tells."""
    length = digest.rpartition(":")[2]
    return int(length) if length.isdigit() else 0


def _store(working: Working, shape: RowShape, content: bytes) -> None:
    """Keep a body under its digest; the same contents are kept once."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    folder = working.folder / shape.object / BODIES
    name = _file_name(digest_of(content))
    if (folder / name).exists():
        return
    make_private_folder(folder)
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(working.key).encrypt(nonce, content, _bound_to(working.ulid, shape.object, name))
    waiting = folder / f"{name}.{threading.get_ident()}"
    write_durably(waiting, nonce + sealed)
    os.replace(waiting, folder / name)


def _file_name(digest: str) -> str:
    return digest.split(":")[1] if digest.count(":") == 2 else "none"


def _open(path: Path, key: bytes, ulid: str, object: str) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = path.read_bytes()
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound_to(ulid, object, path.name))
    except (InvalidTag, ValueError) as error:
        raise Damaged(f"{path} is not what was written.", "Take a new baseline, or restore the file.") from error


def _bound_to(ulid: str, object: str, name: str) -> bytes:
    return f"rehearse body/1:{ulid}:{object}/{name}".encode()
