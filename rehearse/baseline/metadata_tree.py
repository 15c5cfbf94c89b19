"""The files of several retrieve zips as one tree: a Mapping of path to bytes; of many files only some are in memory.

A zip is read whole once, when it comes: small files are kept as long as there is room, others are read again. Partial
profiles of several zips are merged; files of our own (flow versions, the described types) are laid over it, and under
it lie files that an earlier capture kept.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rehearse.baseline.components import package_prefix
from rehearse.baseline.profiles import PROFILE, merge_profiles

_ROOM = 64 << 20
_SMALL = 64 << 10


class NearFiles:
    """Small files of zips that were read already, of about 64 MB at most; whatever is not here is in its zip."""

    def __init__(self) -> None:
        self._found: dict[Path, dict[str, bytes]] = {}
        self._size = 0

    def read_whole(self, path: Path) -> int:
        """Read every file of a zip against its checksum, keep the small ones, and count them. Raises BadZipFile."""
        found = self._found[path] = {}  # whatever came before under this name is forgotten
        with zipfile.ZipFile(path) as zipped:
            try:
                for one in zipped.infolist():
                    content = zipped.read(one)
                    if len(content) <= _SMALL and self._size + len(content) <= _ROOM:
                        found[one.filename] = content
                        self._size += len(content)
            except (zlib.error, EOFError) as error:
                raise zipfile.BadZipFile("a file in it is cut") from error
            return len(zipped.infolist())

    def find(self, path: Path, name: str) -> bytes | None:
        """A file of a zip; None where it has to be read."""
        return self._found.get(path, {}).get(name)


class MetadataTree(Mapping[str, bytes]):
    """A read-only view over open zips; use it in a `with`."""

    def __init__(
        self,
        zips: Sequence[Path],
        own: Mapping[str, bytes],
        kept: Mapping[str, bytes] | None = None,
        near: NearFiles | None = None,
    ) -> None:
        self._kept = kept or {}
        self._near = near or NearFiles()
        self._paths = tuple(zips)
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
        contents = [self._read(*place) for place in self._places[path][: self._needed(path)]]
        if len(contents) < 2:
            return contents[0]
        self._merged[path] = merge_profiles(contents)
        return self._merged[path]

    def _read(self, number: int, name: str) -> bytes:
        near = self._near.find(self._paths[number], name)
        return self._zips[number].read(name) if near is None else near

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._places, *self._own, *self._kept}))

    def __len__(self) -> int:
        return len({*self._places, *self._own, *self._kept})

    def _needed(self, path: str) -> int | None:
        return None if path.endswith(PROFILE) else 1
