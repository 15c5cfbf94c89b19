"""The files of several retrieve zips as one tree, read one by one: a Mapping of path to bytes, never all in memory.

Partial profiles of several zips are merged; files of our own (flow versions, the described types) are laid over it, and
under it lie files that an earlier capture kept.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rehearse.baseline.components import package_prefix
from rehearse.baseline.profiles import PROFILE, merge_profiles


class MetadataTree(Mapping[str, bytes]):
    """A read-only view over open zips; use it in a `with`."""

    def __init__(self, zips: Sequence[Path], own: Mapping[str, bytes], kept: Mapping[str, bytes] | None = None) -> None:
        self._kept = kept or {}
        self._zips = [zipfile.ZipFile(path) for path in zips]
        self._own = dict(own)
        self._merged: dict[str, bytes] = {}
        self._places: dict[str, list[tuple[int, str]]] = {}
        for number, zipped in enumerate(self._zips):
            names = [one.filename for one in zipped.infolist() if not one.is_dir()]
            top = package_prefix(names)
            for name in names:
                path = name.removeprefix(top)
                if path != "package.xml":
                    self._places.setdefault(path, []).append((number, name))

    def __enter__(self) -> MetadataTree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for zipped in self._zips:
            zipped.close()

    def __getitem__(self, path: str) -> bytes:
        if path in self._own:
            return self._own[path]
        if path not in self._places:
            return self._kept[path]
        if path in self._merged:
            return self._merged[path]
        contents = [self._zips[number].read(name) for number, name in self._places[path][: self._needed(path)]]
        if len(contents) < 2:
            return contents[0]
        self._merged[path] = merge_profiles(contents)
        return self._merged[path]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._places, *self._own, *self._kept}))

    def __len__(self) -> int:
        return len({*self._places, *self._own, *self._kept})

    def _needed(self, path: str) -> int | None:
        return None if path.endswith(PROFILE) else 1
