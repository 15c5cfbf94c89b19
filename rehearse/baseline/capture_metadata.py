"""Reading the metadata in scope: list, freeze the manifest, retrieve in chunks, and the flow versions from Tooling.

A retrieve that the org refuses, or that reaches the most files a retrieve may hold, is halved until the culprit stands
alone, and that one is reported, not skipped in silence; where nothing at all comes, the rest is reported unasked.
A flow's version history is invisible to the Metadata API (facts/metadata.md 0.5); it comes from Tooling as the
FlowDefinition component, where a version counts as Active or Inactive.
"""

from __future__ import annotations

import itertools
import json
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from xml.sax.saxutils import escape

from rehearse.baseline.canonical_xml import NAMESPACE
from rehearse.baseline.component_types import HELD_IN
from rehearse.baseline.components import OWN, TYPES_FILE
from rehearse.baseline.known_metadata import Known, split_known
from rehearse.baseline.manifests import (
    FROM_TOOLING,
    Listing,
    fetch_listing,
    halve_manifest,
    join_manifests,
    split_manifest,
)
from rehearse.baseline.metadata_tree import NearFiles
from rehearse.baseline.model import CoverageRow
from rehearse.errors import OrgBusy, OrgLimit, OrgRejected
from rehearse.events import Advanced, Finished, OnEvent, Started, ignore
from rehearse.ids import to_18
from rehearse.org.model import MetadataItem, MetadataType
from rehearse.org.reader import OrgReader

MOST_FILES = 10_000
"""A retrieve never holds more files (facts/metadata.md 2): one that reaches this number may have been cut."""
_FAILURES = 12
"""After so many refused retrieves and none that came, halving goes no further."""
_MISSING = re.compile(r"Entity of type '(?P<type>[^']+)' named '(?P<name>.+)' cannot be found")
_TRIES = 3
_RETRIEVES_AT_ONCE = 3
Listed = tuple[dict[str, bytes] | None, Listing]
"""The files of flow versions (None: the org does not tell them), and the members of everything else."""
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
    """What to read: types, the members of a frozen manifest, what an earlier capture knows, and the org's fields.

    `listed`: what `fetch_listed` told already. `near`: where the small files of the zips are kept.
    """

    types: Sequence[MetadataType]
    frozen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    known: Known | None = None
    fields: Sequence[MetadataItem] = ()
    listed: Listed | None = None
    near: NearFiles = field(default_factory=NearFiles)


@dataclass
class _Retrieved:
    """What came of the retrieves so far, in this folder."""

    scratch: Path
    near: NearFiles
    zips: list[Path] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    refused: list[CoverageRow] = field(default_factory=list)
    said: set[tuple[str, str]] = field(default_factory=set)
    failures: int = 0

    def take(self, chunk: Mapping[str, Sequence[str]], future: Future[_Zip]) -> list[dict[str, tuple[str, ...]]]:
        """Keep what a retrieve brought; or answer the halves to ask for in its place."""
        halves = halve_manifest(chunk)
        try:
            path, said, files = future.result()
        except (OrgLimit, OrgRejected) as error:
            self.failures += 1
            if halves and (self.zips or self.failures < _FAILURES):
                return halves
            self.refused += _refused(chunk, error)
            self.said |= {(type, name) for type, names in chunk.items() for name in names}
            return []
        if files >= MOST_FILES and halves:
            return halves
        self.zips.append(path)
        self.messages += said
        return []


def capture_metadata(reader: OrgReader, wish: MetadataWish, scratch: Path, on_event: OnEvent = ignore) -> MetadataRead:
    """Read the metadata of the given types into zips under `scratch`; `frozen` members are asked for verbatim as well.

    Raises OrgError where the org fails, DiskFull.
    """
    on_event(Started("metadata", unit="components"))
    types = wish.types
    flows, listing = wish.listed or fetch_listed(reader, types)
    manifest = join_manifests(wish.frozen, listing.members)
    asked, kept = split_known(wish.known, manifest, listing.items)
    got = _retrieve_all(reader, asked, _Retrieved(scratch, wish.near), on_event)
    told = {(found["type"], found["name"]) for one in got.messages if (found := _MISSING.search(one))}
    on_event(Finished("metadata", f"{sum(map(len, asked.values()))} components in {len(got.zips)} retrieves"))
    return MetadataRead(
        zips=tuple(got.zips),
        own={TYPES_FILE: render_types(types), **(flows or {})},
        items=listing.items,
        manifest=manifest,
        coverage=(*listing.coverage, *got.refused, *_unretrieved(got.messages, listing)),
        listed=listing.members,
        said=frozenset(got.said | told),
        fields=_count_fields(wish.fields, listing) if "CustomObject" in listing.members else {},
        kept=kept,
        near=got.near,
    )


def fetch_listed(reader: OrgReader, types: Sequence[MetadataType]) -> Listed:
    """The flow versions, from Tooling while the other types are listed; listed like any type where it will not say.

    Raises OrgError where the org fails.
    """
    definitions = [one for one in types if one.name == FROM_TOOLING]
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(_fetch_flows, reader) if definitions else None
        listing = fetch_listing(reader, [one for one in types if one.name != FROM_TOOLING])
        flows = asked.result() if asked else None
    return flows, listing if flows is not None else listing.with_more(fetch_listing(reader, definitions))


def _retrieve_all(
    reader: OrgReader, manifest: Mapping[str, tuple[str, ...]], got: _Retrieved, on_event: OnEvent
) -> _Retrieved:
    """A few retrieves at a time; what an org allows at once is not published (Salto takes three)."""
    size = sum(len(names) for names in manifest.values())
    waiting = list(split_manifest(manifest)) if size else []
    running: dict[Future[_Zip], dict[str, tuple[str, ...]]] = {}
    names = (got.scratch / f"retrieve-{number:05d}.zip" for number in itertools.count())
    with ThreadPoolExecutor(_RETRIEVES_AT_ONCE) as pool:
        while waiting or running:
            while waiting and len(running) < _RETRIEVES_AT_ONCE:
                chunk = waiting.pop(0)
                running[pool.submit(_retrieve, reader, chunk, next(names), got.near, on_event)] = chunk
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                waiting = [*got.take(running.pop(future), future), *waiting]
            open = [*waiting, *running.values()]
            left = sum(len(names) for part in open for names in part.values())
            on_event(Advanced("metadata", max(0, size - left), size, "components"))
    got.zips.sort()
    return got


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


def _refused(chunk: Mapping[str, Sequence[str]], error: OrgLimit | OrgRejected) -> list[CoverageRow]:
    return [
        CoverageRow("metadata", type, "not-retrieved", len(names), f"{', '.join(names)}: {error.message}")
        for type, names in chunk.items()
        if type != "Profile" or len(chunk) == 1
    ]


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
        CoverageRow("metadata", type, "not-retrieved", len(names), ", ".join(names)) for type, names in lost.items()
    ]
    return [*rows, *other]


def _listed_as(item: MetadataItem) -> str:
    return HELD_IN.get(item.type, item.type)


def _fetch_flows(reader: OrgReader) -> dict[str, bytes] | None:
    """A FlowDefinition file a flow, from Tooling; None where Tooling will not say."""
    try:
        definitions = list(reader.fetch_tooling_rows("SELECT Id, DeveloperName, ActiveVersionId FROM FlowDefinition"))
        flows = list(reader.fetch_tooling_rows("SELECT Id, DefinitionId, VersionNumber, Status FROM Flow"))
    except OrgRejected:
        return None
    versions: dict[str, list[tuple[int, str]]] = {}
    for row in flows:
        active = "Active" if row["Status"] == "Active" else "Inactive"
        versions.setdefault(to_18(str(row["DefinitionId"])), []).append((int(row["VersionNumber"] or 0), active))
    return {
        f"{OWN}flowDefinitions/{row['DeveloperName']}.flowDefinition": _render_flow(
            sorted(versions.get(to_18(str(row["Id"])), []))
        )
        for row in definitions
    }


def _render_flow(versions: Sequence[tuple[int, str]]) -> bytes:
    active = next((number for number, status in versions if status == "Active"), None)
    said = f"<activeVersionNumber>{active}</activeVersionNumber>" if active else ""
    listed = "".join(
        f"<versions><number>{number}</number><status>{escape(status)}</status></versions>"
        for number, status in versions
    )
    return f'<FlowDefinition xmlns="{NAMESPACE}">{said}{listed}</FlowDefinition>\n'.encode()


def render_types(types: Sequence[MetadataType]) -> bytes:
    """What an org described, as it is kept with a capture."""
    return json.dumps([asdict(one) for one in sorted(types, key=lambda one: one.name)], indent=1).encode()
