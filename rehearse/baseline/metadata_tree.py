"""The files of several retrieve zips as one tree: a Mapping of path to bytes; of many files only some are in memory.

A zip is read whole once, when it comes: small files are kept as long as there is room, others are read again. Partial
profiles of several zips are merged; files of our own (flow versions, the described types) are laid over it, and under
it lie files that an earlier capture kept.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rehearse.baseline.components import package_prefix
from rehearse.baseline.profiles import PARTIAL, MergedProfile, ProfilePart, merge_profiles, read_part
from rehearse.baseline.zip_files import read_zip

_ROOM = 64 << 20
_SMALL = 1 << 20


class NearFiles:
    """Small files of zips that were read already, of about 64 MB at most; whatever is not here is in its zip.

    `then` hears of each zip that came whole, in the thread that read it; `before` that zips are on their way.
    """

    def __init__(
        self, then: Callable[[Path, NearFiles], None] | None = None, before: Callable[[], object] | None = None
    ) -> None:
        self._then = then
        self._before = before
        self._found: dict[Path, dict[str, bytes]] = {}
        self._names: dict[Path, tuple[str, ...]] = {}
        self._parts: dict[tuple[Path, str], ProfilePart] = {}
        self._size = 0

    def expect(self) -> None:
        """Zips are on their way: there is time for what will be needed to read them."""
        if self._before is not None:
            self._before()

    def read_whole(self, path: Path) -> int:
        """Read every file of a zip against its checksum, keep the small ones, and count them. Raises BadZipFile."""
        found = self._found[path] = {}  # whatever came before under this name is forgotten
        names: list[str] = []
        for one, content in read_zip(path):
            if not one.is_dir():
                names.append(one.filename)
            if len(content) <= _SMALL and self._size + len(content) <= _ROOM:
                found[one.filename] = content
                self._size += len(content)
        self._names[path] = tuple(names)
        if self._then is not None:
            self._then(path, self)
        return len(names)

    def names(self, path: Path) -> tuple[str, ...]:
        """The names of all files in a zip."""
        if path not in self._names:
            with zipfile.ZipFile(path) as zipped:
                return tuple(one.filename for one in zipped.infolist() if not one.is_dir())
        return self._names[path]

    def keep_part(self, path: Path, name: str, part: ProfilePart) -> None:
        """Keep what was found out of a partial profile in a zip."""
        self._parts[path, name] = part

    def find_part(self, path: Path, name: str) -> ProfilePart | None:
        """What was found out of a partial profile; None where nobody has looked."""
        return self._parts.get((path, name))

    def find(self, path: Path, name: str) -> bytes | None:
        """A file of a zip; None where it has to be read."""
        return self._found.get(path, {}).get(name)


class MetadataTree(Mapping[str, bytes]):
    """A read-only view over zips, opened where something is read from them; use it in a `with`."""

    def __init__(
        self,
        zips: Sequence[Path],
        own: Mapping[str, bytes],
        kept: Mapping[str, bytes] | None = None,
        near: NearFiles | None = None,
    ) -> None:
        self._kept = kept or {}
        self._near = near or NearFiles()
        self._open: dict[Path, zipfile.ZipFile] = {}
        self._own = dict(own)
        self._merged: dict[str, MergedProfile] = {}
        self._sources: dict[Path, set[str]] = {}
        self._places: dict[str, list[tuple[Path, str]]] = {}
        for zip_path in zips:
            names = self._near.names(zip_path)
            top = package_prefix(names)
            for name in names:
                path = name.removeprefix(top)
                if path != "package.xml":
                    self._places.setdefault(path, []).append((zip_path, name))

    def __enter__(self) -> MetadataTree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for zipped in self._open.values():
            zipped.close()

    def __getitem__(self, path: str) -> bytes:
        if path in self._own:
            return self._own[path]
        if path not in self._places:
            return self._kept[path]
        if self._is_merged(path):
            return self._merge(path).content
        return self._read(*self._places[path][0])

    def merged_digest(self, path: str) -> str | None:
        """The digest of the meaning of a file that several zips hold parts of; None for any other file."""
        return self._merge(path).digest if self._is_merged(path) else None

    def read_parts(self) -> None:
        """Find out what can be known of the partial profiles before those of other zips are there."""
        for path, places in self._places.items():
            if path.endswith(PARTIAL):
                for place in places:
                    self._near.keep_part(*place, read_part(self._read(*place)))

    def _is_merged(self, path: str) -> bool:
        return path.endswith(PARTIAL) and path not in self._own and len(self._places.get(path, ())) > 1

    def _merge(self, path: str) -> MergedProfile:
        if path not in self._merged:
            places = self._places[path]
            parts = [self._near.find_part(*place) or read_part(self._read(*place)) for place in places]
            self._merged[path] = merge_profiles(parts)
        return self._merged[path]

    def sources(self) -> Mapping[Path, set[str]]:
        """The files whose bytes each zip gives: not those that are merged, kept, or ours."""
        if not self._sources:
            for path, places in self._places.items():
                if path not in self._own and not self._is_merged(path):
                    self._sources.setdefault(places[0][0], set()).add(path)
        return self._sources

    def _read(self, zip_path: Path, name: str) -> bytes:
        near = self._near.find(zip_path, name)
        if near is not None:
            return near
        if zip_path not in self._open:
            self._open[zip_path] = zipfile.ZipFile(zip_path)
        return self._open[zip_path].read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._places, *self._own, *self._kept}))

    def __len__(self) -> int:
        return len({*self._places, *self._own, *self._kept})
