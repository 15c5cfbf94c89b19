"""Taking a capture: the one place that reads an org into the store, in an order that survives a crash at any point.

Parts and their fsync, then the git objects and `refs/captures/<ULID>`, then the list of components, and last the
manifest: a folder with a manifest is whole, one without is no capture. A capture that was killed is continued by the
next one for the same purpose. With `frozen`, the scope and manifest of an earlier capture are used verbatim, plus what
was added since: only so can two captures be compared (facts/metadata.md 0.4).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from rehearse.baseline.canonical import build_snapshot_id
from rehearse.baseline.capture_metadata import MetadataRead, capture_metadata
from rehearse.baseline.capture_records import REST_ROWS, ReadObject, capture_records
from rehearse.baseline.components import read_components
from rehearse.baseline.coverage import build_verdict, find_hollow, metadata_rows, record_rows
from rehearse.baseline.manifest import save_components, save_manifest
from rehearse.baseline.metadata_tree import MetadataTree
from rehearse.baseline.model import CANONICALISER, Capture, Component, CoverageRow, ResolvedScope, Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.scope import (
    add_to_frozen,
    match_objects,
    match_types,
    resolve_objects,
    skipped_objects,
    unread_rows,
)
from rehearse.baseline.settle import settle_object
from rehearse.baseline.working import Purpose, Working, begin
from rehearse.baseline.writing import make_private_folder
from rehearse.errors import GenerationChanged, OrgRejected
from rehearse.events import Finished, Noted, OnEvent, Started, ignore
from rehearse.ids import build_content_id
from rehearse.org.model import MetadataType, Schema
from rehearse.org.reader import OrgReader

_DESCRIBES_AT_ONCE = 4


@dataclass(frozen=True)
class CaptureRequest:
    """What to capture; `frozen`: reuse that capture's scope and manifest. Objects up to `rest_rows` rows skip Bulk."""

    sandbox: str
    scope: Scope
    frozen: Capture | None = None
    rest_rows: int = REST_ROWS


@dataclass(frozen=True)
class _Question:
    """The request after the org was asked what it has."""

    org_id: str
    started: datetime
    types: tuple[MetadataType, ...]
    schemas: Mapping[str, Schema]
    scope: ResolvedScope
    unread: tuple[CoverageRow, ...]


@dataclass(frozen=True)
class _Content:
    """Everything that was read."""

    read: Sequence[ReadObject]
    refused: Sequence[CoverageRow]
    metadata: MetadataRead
    components: Sequence[Component]
    commit: str


def capture(reader: OrgReader, request: CaptureRequest, store: CaptureStore, on_event: OnEvent = ignore) -> Capture:
    """Read an org into the store and return the manifest that was written last.

    Raises GenerationChanged when `frozen` is of another org id, OrgError, KeyUnavailable, DiskFull, UsageError.
    """
    question = _ask(reader, request, on_event)
    purpose = Purpose(_fingerprint(reader, request, question), question.started)
    with begin(store.root / "captures", store.keys, purpose) as working:
        if working.continued:
            on_event(Noted(f"Continuing the interrupted capture {working.ulid}."))
        content = _read(reader, request, store, (question, working), on_event)
        built = _build(reader, request, question, working, content)
        save_manifest(working.folder, built)
    return built


def estimate_records(reader: OrgReader, scope: Scope) -> dict[str, int]:
    """How many rows each object in scope holds; with no objects in it, each object that people work with."""
    summaries = reader.fetch_objects()
    everything = Scope(objects=("*",), objects_exclude=scope.objects_exclude)
    names = match_objects(scope if scope.objects else everything, summaries)
    layoutable = {one.name for one in summaries if one.layoutable or one.custom_setting}
    found: dict[str, int] = {}
    for name in names if scope.objects else [one for one in names if one in layoutable]:
        try:
            found[name] = reader.fetch_count(f"SELECT COUNT() FROM {name}")
        except OrgRejected:
            continue  # some objects cannot be counted without a filter
    return found


def _ask(reader: OrgReader, request: CaptureRequest, on_event: OnEvent) -> _Question:
    started = reader.fetch_server_time()
    org_id = reader.fetch_identity().org_id
    frozen = request.frozen
    if frozen is not None and frozen.org_id != org_id:
        raise GenerationChanged(
            f"{request.sandbox} was refreshed: its org id is {org_id}, not {frozen.org_id} as in {frozen.ulid}.",
            "Take a new baseline of this generation.",
        )
    all_types = reader.fetch_metadata_types()
    wanted = set(match_types(request.scope, all_types)) | set(frozen.scope.types if frozen else ())
    types = tuple(one for one in all_types if one.name in wanted)
    summaries = reader.fetch_objects()
    names = set(match_objects(request.scope, summaries))
    names |= {one.name for one in frozen.scope.objects} if frozen else set()
    schemas = _fetch_schemas(reader, sorted(names))
    objects, warnings = resolve_objects(request.scope, schemas, started)
    scope = ResolvedScope(tuple(one.name for one in types), objects)
    if frozen is not None:
        scope = add_to_frozen(frozen.scope, scope)
    for warning in warnings if frozen is None else ():
        on_event(Noted(warning))
    unread = (*unread_rows(request.scope, schemas, schemas), *skipped_objects(request.scope, summaries))
    return _Question(org_id, started, types, schemas, scope, unread)


def _fetch_schemas(reader: OrgReader, names: Sequence[str]) -> dict[str, Schema]:
    def fetch(name: str) -> Schema | None:
        try:
            return reader.fetch_schema(name)
        except OrgRejected:
            return None  # gone since the baseline, or hidden: the coverage says so

    with ThreadPoolExecutor(_DESCRIBES_AT_ONCE) as pool:
        found = zip(names, pool.map(fetch, names), strict=True)
        return {name: schema for name, schema in found if schema is not None and schema.queryable}


def _fingerprint(reader: OrgReader, request: CaptureRequest, question: _Question) -> str:
    frozen = request.frozen.ulid if request.frozen else None
    scope = {**asdict(request.scope), "where": dict(request.scope.where or {})}
    del scope["may_be_empty"]  # it changes the verdict, not what is read: an interrupted capture is continued
    return build_content_id([CANONICALISER, request.sandbox, question.org_id, reader.api_version, frozen, scope])


def _read(
    reader: OrgReader,
    request: CaptureRequest,
    store: CaptureStore,
    begun: tuple[_Question, Working],
    on_event: OnEvent,
) -> _Content:
    """Rows and metadata side by side: both wait for the org most of the time."""
    question, working = begun
    wanted = [(one, question.schemas[one.name]) for one in question.scope.objects]
    with ThreadPoolExecutor(1) as beside:
        metadata = beside.submit(_read_metadata, reader, request, store, begun, on_event)
        read, refused = capture_records(reader, working, wanted, request.rest_rows, on_event)
        found = metadata.result()
    return _Content(_settle(reader, working, read, on_event), refused, *found)


def _read_metadata(
    reader: OrgReader,
    request: CaptureRequest,
    store: CaptureStore,
    begun: tuple[_Question, Working],
    on_event: OnEvent,
) -> tuple[MetadataRead, tuple[Component, ...], str]:
    question, working = begun
    scratch = store.root / "scratch" / working.ulid
    make_private_folder(scratch)
    try:
        frozen = request.frozen.manifest if request.frozen else {}
        metadata = capture_metadata(reader, question.types, frozen, scratch, on_event)
        with MetadataTree(metadata.zips, metadata.own) as files:
            components = read_components(files, metadata.items, question.types)
            commit = store.metadata.save(working.ulid, files, request.sandbox, question.started)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return metadata, components, commit


def _settle(reader: OrgReader, working: Working, read: Sequence[ReadObject], on_event: OnEvent) -> list[ReadObject]:
    on_event(Started("changes during the capture", len(read), "objects"))
    with ThreadPoolExecutor(_DESCRIBES_AT_ONCE) as pool:
        settled = list(pool.map(lambda one: settle_object(reader, working, one), read))
    on_event(Finished("changes during the capture"))
    return settled


def _build(
    reader: OrgReader, request: CaptureRequest, question: _Question, working: Working, content: _Content
) -> Capture:
    objects = tuple(one.found for one in content.read)
    names = {one.object for one in objects}
    scope = ResolvedScope(question.scope.types, tuple(one for one in question.scope.objects if one.name in names))
    counts = {one.object: one.rows for one in objects}
    coverage = (
        *metadata_rows(content.components, _unlisted(request, content.metadata.coverage)),
        *record_rows(counts, {one.scope.name: one.note for one in content.read}),
        *content.refused,
        *question.unread,
        *_gone(request, scope, {one.name for one in question.types}),
    )
    hollow = () if request.frozen else find_hollow(request.scope, counts, content.metadata.manifest, content.components)
    moving = [one.scope.name for one in content.read if "writes to it" in one.note]
    return Capture(
        ulid=working.ulid,
        snapshot_id=build_snapshot_id(scope, content.components, objects),
        sandbox=request.sandbox,
        org_id=question.org_id,
        started=working.started,
        ended=reader.fetch_server_time(),
        api_version=reader.api_version,
        scope=scope,
        manifest=content.metadata.manifest,
        objects=objects,
        component_count=len(content.components),
        components_sha256=save_components(working.folder, content.components),
        commit=content.commit,
        coverage=coverage,
        verdict=build_verdict(coverage, hollow, moving),
        hollow=hollow,
    )


def _unlisted(request: CaptureRequest, rows: Sequence[CoverageRow]) -> list[CoverageRow]:
    """Types that could be listed for the frozen capture and cannot be now: what was added of them is not seen."""
    if request.frozen is None:
        return list(rows)
    never = {one.name for one in request.frozen.coverage if one.state == "not-listable"}
    return [
        replace(one, state="unreadable") if one.state == "not-listable" and one.name not in never else one
        for one in rows
    ]


def _gone(request: CaptureRequest, scope: ResolvedScope, described: set[str]) -> list[CoverageRow]:
    """What the frozen scope has and this capture could not read: types, whole objects, and single fields."""
    now = {one.name: set(one.fields) for one in scope.objects}
    rows: list[CoverageRow] = []
    for type in sorted(set(request.frozen.scope.types) - described) if request.frozen else ():
        rows.append(CoverageRow("metadata", type, "unreadable", note="the org does not describe this type any more"))
    for one in request.frozen.scope.objects if request.frozen else ():
        if one.name not in now:
            rows.append(CoverageRow("records", one.name, "unreadable", note="it was there in the frozen scope"))
            continue
        lost = sorted(field.name for field in one.fields if field not in now[one.name])
        if lost:
            note = "fields of the frozen scope that are gone or have another type: " + ", ".join(lost)
            rows.append(CoverageRow("records", f"{one.name} (fields)", "unreadable", len(lost), note))
    return rows
