"""Components of the zips that have come, digested and stored while the org still works on the next ones.

A capture spends most of its time waiting for retrieves; what can be read of a zip alone is read in that time, also of
the part of a profile that each zip holds, and the files go into the pack that the capture will commit. A result counts
only where the tree in the end takes exactly these files from exactly this zip; everything else is read then. The
outcome is the same with or without.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rehearse.baseline.component_types import CHILDREN, TypeTable
from rehearse.baseline.components import FindKnown, components_of, digest_files, group_files, name_file
from rehearse.baseline.git_pack import Id
from rehearse.baseline.known_digests import KnownComponents, Paths
from rehearse.baseline.metadata_tree import MetadataTree, NearFiles
from rehearse.baseline.model import Component
from rehearse.baseline.profiles import PARTIAL

if TYPE_CHECKING:
    from rehearse.baseline.metadata_store import MetadataWriter


@dataclass(frozen=True)
class Shelf:
    """Where files are kept as they come, and what an earlier capture knows of them."""

    writer: MetadataWriter
    known: KnownComponents | None


@dataclass
class _Zip:
    """What was found out of one zip: the ids of its files, and the components of those that belong together."""

    ids: dict[str, Id] = field(default_factory=dict)
    components: dict[Paths, tuple[Component, ...]] = field(default_factory=dict)


class EarlyDigests:
    """Hears of each zip by `read`, answers by `find_in`; `make` makes the shelf, once, when zips are on their way."""

    def __init__(self, table: TypeTable, make: Callable[[], Shelf]) -> None:
        self._table = table
        self._make = make
        self._asking = threading.Lock()
        self._made: list[Shelf] = []
        self._zips: dict[Path, _Zip] = {}
        self._rest: dict[str, Id] = {}

    def shelf(self) -> Shelf:
        """The shelf, made now if it was not yet. Any thread may call it. Raises DiskFull or StoreError."""
        with self._asking:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def read(self, path: Path, near: NearFiles) -> None:
        """Digest what a zip holds whole. Any thread may call it."""
        with MetadataTree([path], {}, near=near) as files:
            shelf = self.shelf()
            whole = [one for one in files if not one.endswith(PARTIAL)]
            found = _Zip({one: shelf.writer.keep(files[one]) for one in whole})
            for (_, full_name), (place, paths) in group_files(whole, self._table).items():
                group = tuple(paths)
                stands = shelf.known.find(group, found.ids) if shelf.known else None
                found.components[group] = stands or tuple(components_of(place, full_name, paths, files))
            self._zips[path] = found
            files.read_parts()

    def find_in(self, tree: MetadataTree) -> FindKnown:
        """What finds the components of a group of files of this tree: here, else in an earlier capture."""
        shelf, sources = self.shelf(), tree.sources()
        taken = {
            group: components
            for path, zip in self._zips.items()
            for group, components in zip.components.items()
            if sources.get(path, frozenset()).issuperset(group)
        }

        def find(paths: Paths) -> tuple[Component, ...] | None:
            if paths in taken:
                return taken[paths]
            digest = tree.merged_digest(paths[0]) if len(paths) == 1 else None
            if digest is not None:
                return self._name_merged(paths[0], digest)
            if shelf.known is None:
                return None
            self._rest |= {one: shelf.writer.keep(tree[one]) for one in paths}
            return shelf.known.find(paths, self._rest)

        return find

    def ids_in(self, tree: MetadataTree) -> dict[str, Id]:
        """The ids of the files of this tree that were stored when their zip came, or to find them, by path."""
        sources = tree.sources()
        early = {
            one: zip.ids[one] for path, zip in self._zips.items() for one in zip.ids.keys() & sources.get(path, ())
        }
        return {**self._rest, **early}

    def _name_merged(self, path: str, digest: str) -> tuple[Component, ...] | None:
        named = name_file(path, self._table)
        if named is None or named[0].type in CHILDREN:
            return None
        return (Component(named[0].type, named[1], digest_files({path: digest}), (path,)),)
