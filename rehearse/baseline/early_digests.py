"""Components of the zips that have come, digested and stored while the org still works on the next ones.

A capture spends most of its time waiting for retrieves; what can be read of a zip alone is read in that time, also of
the part of a profile that each zip holds, and the files go into the pack that the capture will commit. A result counts
only where the tree in the end takes exactly these files from exactly this zip; everything else is read then. The
outcome is the same with or without.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rehearse.baseline.component_types import CHILDREN, TypeTable
from rehearse.baseline.components import FindKnown, components_of, digest_files, group_files, name_file
from rehearse.baseline.metadata_tree import MetadataTree, NearFiles
from rehearse.baseline.model import Component
from rehearse.baseline.profiles import PROFILE
from rehearse.org.model import MetadataType

Paths = tuple[str, ...]


class EarlyDigests:
    """Hears of each zip by `read`, answers by `find_in`; `find_known` is asked once, when the first zip is there.

    `keep` stores the content of a file and tells its id.
    """

    def __init__(
        self,
        types: Sequence[MetadataType],
        find_known: Callable[[], FindKnown | None],
        keep: Callable[[bytes], bytes],
    ) -> None:
        self._table = TypeTable(types)
        self._find_known = find_known
        self._keep = keep
        self._kept: dict[tuple[Path, str], bytes] = {}
        self._asking = threading.Lock()
        self._known: list[FindKnown | None] = []
        self._found: dict[tuple[Path, Paths], tuple[Component, ...]] = {}

    def read(self, path: Path, near: NearFiles) -> None:
        """Digest what a zip holds whole. Any thread may call it."""
        with MetadataTree([path], {}, near=near) as files:
            known = self._load_known()
            whole = [one for one in files if not one.endswith(PROFILE)]
            for one in whole:
                self._kept[path, one] = self._keep(files[one])
            for (_, full_name), (place, paths) in group_files(whole, self._table).items():
                group = tuple(paths)
                found = known(group, files) if known else None
                self._found[path, group] = found or tuple(components_of(place, full_name, paths, files))
            files.read_parts()

    def find_in(self, tree: MetadataTree) -> FindKnown:
        """What finds the components of a group of files of this tree: here, else in an earlier capture."""
        known = self._load_known()

        def find(paths: Paths, contents: Mapping[str, bytes]) -> tuple[Component, ...] | None:
            sources = {tree.source(one) for one in paths}
            only = sources.pop()
            if not sources and only is not None and (only, paths) in self._found:
                return self._found[only, paths]
            digest = tree.merged_digest(paths[0]) if len(paths) == 1 else None
            if digest is not None:
                return self._name_merged(paths[0], digest)
            return known(paths, contents) if known else None

        return find

    def ids_in(self, tree: MetadataTree) -> dict[str, bytes]:
        """The ids of the files of this tree that were stored when their zip came, by path."""
        sources = ((one, tree.source(one)) for one in tree)
        return {one: self._kept[zip, one] for one, zip in sources if zip is not None and (zip, one) in self._kept}

    def _name_merged(self, path: str, digest: str) -> tuple[Component, ...] | None:
        named = name_file(path, self._table)
        if named is None or named[0].type in CHILDREN:
            return None
        return (Component(named[0].type, named[1], digest_files({path: digest}), (path,)),)

    def _load_known(self) -> FindKnown | None:
        with self._asking:
            if not self._known:
                self._known.append(self._find_known())
            return self._known[0]
