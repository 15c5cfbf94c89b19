"""Components of files that an earlier capture of the same org held byte by byte: their digests need no computing.

A digest is a function of the bytes, the type table and the version of the canonical forms. Where all three are those of
the newest capture in the store, its components stand; who changed them is told anew by the listing. Nothing is trusted
that git does not name by its content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rehearse.baseline.components import TYPES_FILE, FindKnown
from rehearse.baseline.model import CANONICALISER, Component
from rehearse.baseline.record_store import CaptureStore
from rehearse.errors import Damaged, NotFound


def find_known(store: CaptureStore, sandbox: str, types: bytes) -> FindKnown | None:
    """What finds the components of a file group in the newest capture of this sandbox; None without a fitting one.

    `types`: what the org described, as `TYPES_FILE` holds it.
    """
    import pygit2  # heavy, and not needed before the first zip is there

    newest = store.metadata.newest(sandbox)
    if newest is None:
        return None
    try:
        capture = store.load(newest)
        if capture.canonicaliser != CANONICALISER:
            return None
        ids = store.metadata.load_ids(capture.commit)
        components = store.load_components(newest)
    except (NotFound, Damaged):
        return None  # it was pruned or is damaged: then everything is computed
    if ids.get(TYPES_FILE) != str(pygit2.hash(types)):
        return None
    by_files: dict[tuple[str, ...], list[Component]] = {}
    for one in components:
        by_files.setdefault(one.files, []).append(replace(one, by="", at=None))

    def known(paths: tuple[str, ...], contents: Mapping[str, bytes]) -> tuple[Component, ...] | None:
        if any(ids.get(path) != str(pygit2.hash(contents[path])) for path in paths):
            return None
        return tuple(by_files[paths]) if paths in by_files else None

    return known
