"""The captures of one store: rows, components and files by capture id, each checked as it is read.

Rows leave as canonical text, keyed by field; values are decrypted group by group, only where wanted ids may be.
Damage is always an error that names the file, never a wrong answer. Whoever reads or adds captures holds the store
shared; whoever sweeps it holds it alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearse.baseline.keys import Keys
from rehearse.baseline.manifest import MANIFEST, load_components, load_manifest
from rehearse.baseline.model import Capture, ComparableField, Component, ObjectCapture
from rehearse.baseline.store_lock import SCRATCH, hold_store
from rehearse.baseline.writing import make_private_folder, storing

if TYPE_CHECKING:
    from rehearse.baseline.layers import LayeredPart
    from rehearse.baseline.metadata_store import MetadataStore


class CaptureStore:
    """The folder that holds captures: `captures/<ULID>/`, `metadata.git/`, `keys/`."""

    def __init__(self, root: Path, keys: Keys) -> None:
        self.root = root
        self.keys = keys
        self._alone = False

    @cached_property
    def metadata(self) -> MetadataStore:
        """The repository of the metadata."""
        from rehearse.baseline.metadata_store import MetadataStore  # heavy: git

        return MetadataStore(self.root)

    def shared(self) -> AbstractContextManager[None]:
        """Keep the store from being swept for the length of the block; waits while it is."""
        return nullcontext() if self._alone else hold_store(self.root, alone=False)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the store to oneself for the length of the block. Raises Locked while anybody uses it."""
        with hold_store(self.root, alone=True):
            self._alone = True
            try:
                yield
            finally:
                self._alone = False

    def folder(self, ulid: str) -> Path:
        """Where the files of a capture lie."""
        return self.root / "captures" / ulid

    def make_scratch(self) -> Path:
        """A folder for what may be lost: whoever opens the store after everybody has left it empties it."""
        make_private_folder(self.root / SCRATCH)
        return self.root / SCRATCH

    def load(self, ulid: str) -> Capture:
        """The manifest of a finished capture. Raises NotFound or Damaged."""
        return load_manifest(self.folder(ulid))

    def load_all(self) -> tuple[Capture, ...]:
        """All finished captures, oldest first. Raises Damaged."""
        folder = self.root / "captures"
        found = sorted(one.parent.name for one in folder.glob("*/manifest.json"))
        return tuple(self.load(ulid) for ulid in found)

    def load_components(self, ulid: str, *, signed: bool = True) -> tuple[Component, ...]:
        """The components of a capture, with who changed them unless not `signed`. Raises NotFound or Damaged."""
        return load_components(self.folder(ulid), self.load(ulid).components_sha256, signed=signed)

    def load_files(self, ulid: str, paths: Collection[str] | None = None) -> dict[str, bytes]:
        """The org's own files of a capture: all, or those of `paths` that it has. Raises NotFound or Damaged."""
        return self.metadata.load_files(self.load(ulid).commit, paths)

    def load_rows(
        self, ulid: str, object: str, ids: Collection[str] | None = None, fields: Sequence[str] | None = None
    ) -> Iterator[dict[str, str | None]]:
        """Rows of an object as canonical text keyed by field, always with Id; all rows, or those of `ids` that it has.

        `fields` may also name `_stamp` and `_by`. An object or field that the capture does not have yields nothing.
        Raises NotFound, Damaged, or KeyUnavailable.
        """
        capture = self.load(ulid)
        known = {one.name for one in shape_of(capture, object)} | {"_stamp", "_by"}
        wanted = sorted(known - {"_stamp", "_by"}) if fields is None else [one for one in fields if one in known]
        columns = ["Id", *(one for one in wanted if one != "Id")]
        for batch in self.read_batches(capture, object, columns, ids):
            yield from batch.to_pylist()

    def read_batches(
        self, capture: Capture, object: str, columns: Sequence[str], ids: Collection[str] | None = None
    ) -> Iterator[Any]:
        """The same as Arrow batches, a row group at a time. Raises Damaged or KeyUnavailable."""
        from rehearse.baseline.layers import read_layer  # heavy: Arrow

        found = find_object(capture, object)
        if found is None or (ids is not None and not ids):
            return
        wanted = None if ids is None else sorted(ids)
        for part in self.open_parts(capture.ulid, found):
            yield from read_layer(part, columns, wanted)

    def open_parts(self, ulid: str, found: ObjectCapture) -> list[LayeredPart]:
        """The parts of an object with the keys that open them. Raises KeyUnavailable, or Damaged."""
        from rehearse.baseline.layers import open_layers

        return open_layers(found, ulid, self.folder, self.keys.load)

    def drop(self, ulid: str) -> None:
        """Destroy a capture that nothing names: its manifest first (then it is no capture), its key, its files.

        The caller has made sure that no baseline, plan or proof needs it. It stays, until it is pruned, when another
        capture is built on its parts. Killed half-way, the next capture sweeps up.
        """
        from rehearse.baseline.metadata_sweep import drop_metadata

        folder = self.folder(ulid)
        others = (one for one in (self.root / "captures").glob(f"*/{MANIFEST}") if one.parent != folder)
        if any(ulid.encode() in one.read_bytes() for one in others):
            return
        with storing(folder):
            (folder / MANIFEST).unlink(missing_ok=True)
            self.keys.drop(ulid)
            shutil.rmtree(folder, ignore_errors=True)
        drop_metadata(self.metadata.path, ulid)

    def size(self, ulid: str) -> int:
        """The bytes of the capture's own folder (its metadata is shared with other captures)."""
        return sum(one.stat().st_size for one in self.folder(ulid).rglob("*") if one.is_file())


def find_object(capture: Capture, object: str) -> ObjectCapture | None:
    """What a capture holds of an object, or None."""
    return next((one for one in capture.objects if one.object == object), None)


def shape_of(capture: Capture, object: str) -> tuple[ComparableField, ...]:
    """The comparable fields of an object in a capture; empty when the object is not in its scope."""
    found = next((one for one in capture.scope.objects if one.name == object), None)
    return found.fields if found else ()
