"""Components of files that an earlier capture of the same org held byte by byte: their digests need no computing.

A digest is a function of the bytes, the type table and the version of the canonical forms. Where all three are those of
the newest capture in the store, its components stand; who changed them is told anew by the listing. Nothing is trusted
that git does not name by its content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rehearse.baseline.components import TYPES_FILE
from rehearse.baseline.git_pack import Id, object_id
from rehearse.baseline.model import CANONICALISER, Component
from rehearse.baseline.record_store import CaptureStore
from rehearse.errors import Damaged, NotFound

Paths = tuple[str, ...]


@dataclass(frozen=True)
class KnownComponents:
    """The ids of the files of a capture by path, and its components, unsigned, by the files that they are made of."""

    ids: Mapping[str, Id]
    components: Mapping[Paths, tuple[Component, ...]]

    def find(self, paths: Paths, ids: Mapping[str, Id]) -> tuple[Component, ...] | None:
        """The components of a group of files, all of which have the ids that they had then."""
        if any(self.ids.get(one) != ids[one] for one in paths):
            return None
        return self.components.get(paths)


def find_known(store: CaptureStore, sandbox: str, types: bytes) -> KnownComponents | None:
    """What the newest capture of this sandbox knows; None without a fitting one.

    `types`: what the org described, as `TYPES_FILE` holds it.
    """
    newest = store.metadata.newest(sandbox)
    if newest is None:
        return None
    try:
        capture = store.load(newest)
        if capture.canonicaliser != CANONICALISER:
            return None
        ids = store.metadata.load_ids(capture.commit)
        components = store.load_components(newest, signed=False)
    except (NotFound, Damaged):
        return None  # it was pruned or is damaged: then everything is computed
    if ids.get(TYPES_FILE) != object_id("blob", types):
        return None
    by_files: dict[Paths, list[Component]] = {}
    for one in components:
        by_files.setdefault(one.files, []).append(one)
    return KnownComponents(ids, {paths: tuple(found) for paths, found in by_files.items()})
