"""Verification of a capture: are its stored bytes still what was written, and do they still mean the snapshot id?

Quick verification compares every file with the digest in the manifest; deep verification recomputes every row digest,
every component and the snapshot id. Of an incremental capture the parts of its base count as well. Changes nothing.
The first damage found is raised with the name of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rehearse.baseline.bodies import load_body
from rehearse.baseline.canonical import DIGEST_MODULUS, build_snapshot_id
from rehearse.baseline.canonical_arrays import digest_rows, sum_digest_array
from rehearse.baseline.components import read_components
from rehearse.baseline.known_metadata import LISTING
from rehearse.baseline.layers import read_layer
from rehearse.baseline.model import CANONICALISER, Capture, Component, ObjectCapture
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.scope import BODY_TYPE
from rehearse.baseline.writing import file_sha256
from rehearse.errors import Damaged, NotFound


def verify_capture(store: CaptureStore, ulid: str, *, deep: bool = False, records: bool = True) -> Capture:
    """Check a capture: every file against its digest; deep: every row, component and the snapshot id again.

    `records` False leaves out the rows, where they were destroyed on purpose. Raises NotFound, Damaged (naming what is
    damaged), or, for deep, KeyUnavailable.
    """
    with store.shared():
        capture = store.load(ulid)
        _verify_metadata_files(store, capture)
        if records:
            for found in capture.objects:
                verify_object_files(store, capture, found)
        if deep:
            _verify_deeply(store, capture, capture.objects if records else ())
        return capture


def require_keys(store: CaptureStore, capture: Capture) -> None:
    """Raise KeyUnavailable where its rows cannot be read, whole as their files may be.

    A key of theirs is gone, or the workspace key is another one: what digests alone would call equal is not read.
    """
    owners = {part.capture or capture.ulid for found in capture.objects for part in (*found.parts, *found.removed)}
    for owner in sorted(owners):
        store.keys.load(owner)


def _verify_metadata_files(store: CaptureStore, capture: Capture) -> None:
    components = store.load_components(capture.ulid)
    if len(components) != capture.component_count:
        raise _damaged(f"The list of components of capture {capture.ulid}")
    listing = store.folder(capture.ulid) / LISTING
    if capture.listing_sha256 and (not listing.is_file() or file_sha256(listing) != capture.listing_sha256):
        raise _damaged(str(listing))
    store.metadata.verify(capture.commit, capture.ulid)


def verify_object_files(store: CaptureStore, capture: Capture, found: ObjectCapture) -> None:
    """Compare the parts of one object with their recorded digests. Raises Damaged."""
    for part in (*found.parts, *found.removed):
        path = store.folder(part.capture or capture.ulid) / part.path
        if not path.is_file() or file_sha256(path) != part.sha256:
            raise _damaged(str(path))
    if not found.removed and sum(part.rows for part in found.parts) != found.rows:
        raise _damaged(f"The row count of {found.object} in capture {capture.ulid}")


def _verify_deeply(store: CaptureStore, capture: Capture, objects: Sequence[ObjectCapture]) -> None:
    """Recompute every digest from the stored values, and the snapshot id from these."""
    for found in objects:
        verify_rows(store, capture, found)
    stored = store.load_components(capture.ulid)
    if capture.canonicaliser == CANONICALISER:  # files of older rules have git's digests, which were checked
        built = read_components(store.load_files(capture.ulid))
        if _digests(stored) != _digests(built):
            raise _damaged(f"The metadata of capture {capture.ulid}")
    if build_snapshot_id(capture.scope, stored, capture.objects, capture.canonicaliser) != capture.snapshot_id:
        raise _damaged(f"The snapshot id of capture {capture.ulid}")


def _digests(components: Iterable[Component]) -> set[tuple[str, str, str]]:
    return {(one.type, one.full_name, one.digest) for one in components}


def verify_rows(store: CaptureStore, capture: Capture, found: ObjectCapture) -> None:
    """Recompute the digests of one object's rows. Raises Damaged, KeyUnavailable."""
    fields = next(one.fields for one in capture.scope.objects if one.name == found.object)
    total, rows = 0, 0
    for part in store.open_parts(capture.ulid, found):
        for batch in read_layer(part, ["Id", *(one.name for one in fields), "_digest"]):
            again = digest_rows(batch.column("Id"), [batch.column(one.name) for one in fields], fields)
            if not again.equals(batch.column("_digest")):
                raise _damaged(str(part.file.folder / part.file.path))
            total, rows = total + sum_digest_array(again), rows + batch.num_rows
    _verify_bodies(store, capture, found)
    if rows != found.rows or f"{total % DIGEST_MODULUS:032x}" != found.digest_sum:
        raise _damaged(f"The rows of {found.object} in capture {capture.ulid}")


def _verify_bodies(store: CaptureStore, capture: Capture, found: ObjectCapture) -> None:
    """The contents of files that the rows name by their digest are there and whole."""
    fields = next(one.fields for one in capture.scope.objects if one.name == found.object)
    names = [one.name for one in fields if one.type == BODY_TYPE]
    for row in store.load_rows(capture.ulid, found.object, None, names) if names else ():
        for digest in (row[name] for name in names):
            try:
                if digest:
                    load_body(store, capture.ulid, found.object, digest)
            except NotFound as error:
                raise _damaged(f"The contents of {found.object} {row['Id']} in capture {capture.ulid}") from error


def _damaged(what: str) -> Damaged:
    return Damaged(
        f"{what} is not what was written.",
        "Mend it with `rehearse baseline repair NAME`, restore the store from a copy, or take a new baseline.",
    )
