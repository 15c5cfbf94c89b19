"""The contents of files (Attachment, ContentVersion, Document), kept encrypted beside the rows, by choice of the scope.

A row holds the digest and the length of a body in the body's own field (`sha256:<hex>:<bytes>`), which is what is
compared; the bytes lie in `<Object>/bodies/` of the capture that wrote the row's part, under its data key (AES-256-GCM,
bound to capture and place). Bodies come one call each: Bulk has no base64 fields.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from rehearse.baseline.layers import owners
from rehearse.baseline.model import ObjectCapture
from rehearse.baseline.record_parts import RowShape
from rehearse.baseline.record_store import CaptureStore, find_object
from rehearse.baseline.scope import BODY_TYPE
from rehearse.baseline.working import Working
from rehearse.baseline.writing import make_private_folder, write_durably
from rehearse.errors import Damaged, NotFound
from rehearse.ids import to_18
from rehearse.org.model import Value
from rehearse.org.reader import OrgReader

BODIES_AT_ONCE = 4
_NONCE = 12


def body_fields(shape: RowShape) -> tuple[str, ...]:
    """The fields of a shape that hold the contents of files."""
    return tuple(one.name for one in shape.fields if one.type == BODY_TYPE)


def with_bodies(
    reader: OrgReader, working: Working, shape: RowShape, rows: Iterable[Mapping[str, Value]]
) -> Iterator[Mapping[str, Value]]:
    """The rows with each body stored and its digest in its place. Raises OrgRejected for a body that is not given."""
    names = body_fields(shape)
    if not names:
        yield from rows
        return

    def keep(row: Mapping[str, Value]) -> Mapping[str, Value]:
        id = to_18(str(row["Id"]))
        found = {
            name: _store(working, shape.object, f"{id}-{name}", reader.fetch_body(shape.object, id, name))
            for name in names
            if row.get(name)
        }
        return {**row, **found}

    waiting = iter(rows)
    with ThreadPoolExecutor(BODIES_AT_ONCE) as pool:
        while batch := list(islice(waiting, BODIES_AT_ONCE * 8)):
            yield from pool.map(keep, batch)


def load_body(store: CaptureStore, ulid: str, object: str, id: str, name: str) -> bytes:
    """The contents of one captured file. Raises NotFound, Damaged, KeyUnavailable."""
    found = find_object(store.load(ulid), object)
    row = next(iter(store.load_rows(ulid, object, [id], [name])), None)
    said = row.get(name) if row else None
    if found is None or not said:
        raise NotFound(f"The capture {ulid} holds no {name} of {object} {id}.", "Capture with scope.records.files.")
    for owner in _newest_first(found, ulid):
        path = store.folder(owner) / object / "bodies" / f"{id}-{name}"
        if path.is_file():
            content = _open(path, store.keys.load(owner), owner, object)
            if _digest(content) == said:
                return content
    raise Damaged(f"The contents of {object} {id} are not what was captured in {ulid}.", "Take a new baseline.")


def _newest_first(found: ObjectCapture, ulid: str) -> list[str]:
    return sorted(owners(found, ulid) | {ulid}, reverse=True)


def _store(working: Working, object: str, name: str, content: bytes) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    folder = working.folder / object / "bodies"
    make_private_folder(folder)
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(working.key).encrypt(nonce, content, _bound_to(working.ulid, object, name))
    write_durably(folder / name, nonce + sealed)
    return _digest(content)


def _open(path: Path, key: bytes, ulid: str, object: str) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = path.read_bytes()
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound_to(ulid, object, path.name))
    except (InvalidTag, ValueError) as error:
        raise Damaged(f"{path} is not what was written.", "Take a new baseline, or restore the file.") from error


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}:{len(content)}"


def _bound_to(ulid: str, object: str, name: str) -> bytes:
    return f"rehearse body/1:{ulid}:{object}/{name}".encode()
