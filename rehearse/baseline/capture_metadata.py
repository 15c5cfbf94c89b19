"""Reading the metadata in scope: list, freeze the manifest, retrieve in chunks, and the flow versions from Tooling.

A retrieve that the org refuses, or that reaches the most files a retrieve may hold, is halved until the culprit stands
alone, and that one is reported, not skipped in silence; where nothing at all comes, the rest is reported unasked.
Retrieves begin while types are still being listed.
"""

from __future__ import annotations

import itertools
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from rehearse.baseline.component_types import HELD_IN
from rehearse.baseline.components import TYPES_FILE
from rehearse.baseline.known_metadata import AskedManifest, Known
from rehearse.baseline.listing import INSTALLED, Listing, ListingWork
from rehearse.baseline.manifests import WITH_EVERY_CHUNK, halve_manifest, join_manifests, split_manifest
from rehearse.baseline.metadata_tree import NearFiles
from rehearse.baseline.model import CoverageRow
from rehearse.errors import AllowanceSpent, OrgBusy, OrgLimit, OrgRejected
from rehearse.events import Advanced, Finished, OnEvent, Started, ignore
from rehearse.org.model import MetadataItem, MetadataType
from rehearse.org.reader import OrgReader

MOST_FILES = 10_000
"""A retrieve never holds more files (facts/metadata.md 2): one that reaches this number may have been cut."""
_FAILURES = 12
"""After so many refused retrieves and none that came, halving goes no further."""
_MISSING = re.compile(r"Entity of type '(?P<type>[^']+)' named '(?P<name>.+)' cannot be found")
_TRIES = 3
Chunk = dict[str, tuple[str, ...]]
_Zip = tuple[Path, tuple[str, ...], int]
"""The zip of a retrieve, what the org said, and how many files it holds."""


@dataclass(frozen=True)
class MetadataRead:
    """What was read: the zips, files of our own, who touched what, the frozen manifest, and what is missing.

    For the hollow alarm: `listed` is what the org says it has, `held` what the files stand for, `said` what it told to
    be missing (type and name), `fields` the custom fields that it counts, object -> number. `kept` are files of an
    earlier capture that stand for what did not change.
    """

    zips: tuple[Path, ...]
    own: Mapping[str, bytes]
    items: tuple[MetadataItem, ...]
    manifest: Mapping[str, tuple[str, ...]]
    coverage: tuple[CoverageRow, ...]
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held: Mapping[str, Collection[str]] = field(default_factory=dict)
    said: frozenset[tuple[str, str]] = frozenset()
    kept: Mapping[str, bytes] = field(default_factory=dict)
    fields: Mapping[str, int] = field(default_factory=dict)
    near: NearFiles = field(default_factory=NearFiles)

    def holding(self, held: Mapping[str, Collection[str]]) -> MetadataRead:
        """The same with what its files stand for."""
        return replace(self, held=held)


@dataclass(frozen=True)
class MetadataWish:
    """What to read: what is being listed, the members of a frozen manifest, and what an earlier capture knows.

    `near`: where the small files of the zips are kept. `fetch_fields`: the custom fields of the org.
    """

    listing: ListingWork
    frozen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    known: Known | None = None
    near: NearFiles = field(default_factory=NearFiles)
    fetch_fields: Callable[[], Sequence[MetadataItem] | None] = tuple


@dataclass
class _Retrieved:
    """What came of the retrieves so far, in this folder."""

    scratch: Path
    near: NearFiles
    zips: list[Path] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    refused: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    said: set[tuple[str, str]] = field(default_factory=set)
    failures: int = 0

    def take(self, chunk: Mapping[str, Sequence[str]], future: Future[_Zip]) -> list[Chunk]:
        """Keep what a retrieve brought; or answer the halves to ask for in its place."""
        try:
            path, said, files = future.result()
        except AllowanceSpent:  # halves would be refused as well, and nothing is wrong with the members
            raise
        except (OrgLimit, OrgRejected) as error:
            self.failures += 1
            if (self.zips or self.failures < _FAILURES) and (halves := halve_manifest(chunk)):
                return halves
            self._refuse(chunk, error.message)
            return []
        if files >= MOST_FILES and (halves := halve_manifest(chunk)):
            return halves
        self.zips.append(path)
        self.messages += said
        return []

    def _refuse(self, chunk: Mapping[str, Sequence[str]], why: str) -> None:
        """Keep what was refused by type and reason; what comes along with every chunk is refused alone, and missing
        where no other chunk brought it either."""
        alone = set(chunk) <= set(WITH_EVERY_CHUNK)
        for type, names in chunk.items():
            if type not in WITH_EVERY_CHUNK or alone:
                self.refused.setdefault((type, why), []).extend(names)
                self.said |= {(type, name) for name in names}


def capture_metadata(reader: OrgReader, wish: MetadataWish, scratch: Path, on_event: OnEvent = ignore) -> MetadataRead:
    """Read the metadata of the given types into zips under `scratch`; `frozen` members are asked for verbatim as well.

    Raises OrgError where the org fails, DiskFull.
    """
    on_event(Started("metadata", unit="members"))
    asked = AskedManifest(wish.listing, wish.frozen, wish.known)
    got = _retrieve_all(reader, asked, _Retrieved(scratch, wish.near), on_event)
    listing = wish.listing.result()
    told = {(found["type"], found["name"]) for one in got.messages if (found := _MISSING.search(one))}
    on_event(Finished("metadata", f"{_count([dict(asked)]):,} members asked for"))
    return MetadataRead(
        zips=tuple(got.zips),
        own={TYPES_FILE: render_types(wish.listing.types), **(listing.flows or {})},
        items=listing.items,
        manifest=join_manifests(wish.frozen, listing.members),
        coverage=(*listing.coverage, *_refused(got.refused, listing), *_unretrieved(got.messages, listing)),
        listed=listing.members,
        said=frozenset(got.said | told),
        fields=_count_fields(wish.fetch_fields() or (), listing) if "CustomObject" in listing.members else {},
        kept=asked.kept(),
        near=got.near,
    )


class _Chunks:
    """What is to be asked for: halves of what was refused first, then the manifest, chunk by chunk as it is listed."""

    def __init__(self, manifest: Mapping[str, tuple[str, ...]]) -> None:
        self._fresh = split_manifest(manifest)
        self._again: list[Chunk] = []
        self._size = 0
        self._listed = False

    def next(self) -> Chunk | None:
        """The next chunk; None when nothing is left for now."""
        if self._again:
            return self._again.pop(0)
        chunk = next(self._fresh, None)
        self._size += _count([chunk] if chunk else [])
        self._listed = chunk is None
        return chunk

    def put_back(self, halves: Sequence[Chunk]) -> None:
        """Ask for these before anything else."""
        self._again = [*halves, *self._again]

    def told(self, running: Iterable[Chunk]) -> Advanced:
        """How far it is; the total is known when everything is listed."""
        left = _count([*self._again, *running])
        return Advanced("metadata", max(0, self._size - left), self._size if self._listed else None, "members")


def _retrieve_all(
    reader: OrgReader, manifest: Mapping[str, tuple[str, ...]], got: _Retrieved, on_event: OnEvent
) -> _Retrieved:
    """A few retrieves at a time, as many as `budget.retrieves` of rehearse.yaml allows."""
    chunks = _Chunks(manifest)
    running: dict[Future[_Zip], Chunk] = {}
    names = (got.scratch / f"retrieve-{number:05d}.zip" for number in itertools.count())
    with ThreadPoolExecutor(reader.retrieves_at_once) as pool:
        while True:
            while len(running) < reader.retrieves_at_once and (chunk := chunks.next()) is not None:
                running[pool.submit(_retrieve, reader, chunk, next(names), got.near, on_event)] = chunk
            if not running:
                break
            got.near.expect()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                chunks.put_back(got.take(running.pop(future), future))
            on_event(chunks.told(running.values()))
    got.zips.sort()
    return got


def _count(chunks: Iterable[Chunk]) -> int:
    return sum(len(names) for chunk in chunks for names in chunk.values())


def _retrieve(
    reader: OrgReader, chunk: Mapping[str, Sequence[str]], to: Path, near: NearFiles, on_event: OnEvent
) -> _Zip:
    """The zip of a chunk, checked, with what the org said and how many files it holds."""
    manifest = {type: tuple(names) for type, names in chunk.items()}
    for _ in range(_TRIES):
        result = reader.retrieve(manifest, to, on_event)
        try:
            return result.zip_path, result.messages, near.read_whole(result.zip_path)
        except zipfile.BadZipFile:
            continue
    raise OrgBusy("The zip of a retrieve came damaged three times.", "Run again.")


def _count_fields(fields: Sequence[MetadataItem], listing: Listing) -> dict[str, int]:
    """How many custom fields the org counts on each object that was listed."""
    objects = set(listing.members["CustomObject"])
    own = (one.full_name.partition(".")[0] for one in fields if one.manageable_state != "installed")
    return dict(Counter(object for object in own if object in objects))


def _refused(refused: Mapping[tuple[str, str], Sequence[str]], listing: Listing) -> list[CoverageRow]:
    """What the org would not give; objects of packages, which some hide, are told and make no capture partial."""
    hidden = {(one.type, one.full_name) for one in listing.installed}
    rows: list[CoverageRow] = []
    for (type, why), names in refused.items():
        own = sorted(one for one in names if (type, one) not in hidden)
        if own:
            rows.append(CoverageRow("metadata", type, "not-retrieved", len(own), f"{', '.join(own)}: {why}"))
        if kept := sorted({*names}.difference(own)):
            note = f"{INSTALLED}: {', '.join(kept)}: {why}"
            rows.append(CoverageRow("metadata", f"{type} (installed packages)", "excluded", len(kept), note))
    return rows


def _unretrieved(messages: Sequence[str], listing: Listing) -> list[CoverageRow]:
    """Members that the org listed a moment ago and then did not give; a frozen member that is gone is no surprise."""
    lost: dict[str, list[str]] = {}
    other: list[CoverageRow] = []
    listed = {(_listed_as(one), one.full_name) for one in listing.items} if messages else set()
    for message in messages:
        found = _MISSING.search(message)
        if found is None:
            other.append(CoverageRow("metadata", "(retrieve)", "not-retrieved", 1, message))
        elif (found["type"], found["name"]) in listed:
            lost.setdefault(found["type"], []).append(found["name"])
    rows = [
        CoverageRow("metadata", type, "not-retrieved", len(names), f"listed, then not found: {', '.join(names)}")
        for type, names in lost.items()
    ]
    return [*rows, *other]


def _listed_as(item: MetadataItem) -> str:
    return HELD_IN.get(item.type, item.type)


def render_types(types: Sequence[MetadataType]) -> bytes:
    """What an org described, as it is kept with a capture."""
    return json.dumps([asdict(one) for one in sorted(types, key=lambda one: one.name)], indent=1).encode()
