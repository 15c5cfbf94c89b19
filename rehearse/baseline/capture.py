"""Taking a capture: the one place that reads an org into the store, in an order that survives a crash at any point.

Parts and their fsync, then the git objects and `refs/captures/<ULID>`, then the list of components, and last the
manifest: a folder with a manifest is whole, one without is no capture. A capture that was killed is continued by the
next one for the same purpose. With `frozen`, the scope, manifest and API version of an earlier capture are used
verbatim, plus what was added since: only so can two captures be compared (facts/metadata.md 0.4).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Protocol

from rehearse.baseline.asking import Question, ask, hear
from rehearse.baseline.canonical import build_snapshot_id
from rehearse.baseline.capture_content import Content, build_coverage, find_hollow
from rehearse.baseline.capture_metadata import MetadataRead, MetadataWish, capture_metadata, render_types
from rehearse.baseline.component_types import TypeTable
from rehearse.baseline.components import read_components
from rehearse.baseline.coverage import build_verdict
from rehearse.baseline.early_digests import EarlyDigests, Shelf
from rehearse.baseline.field_listing import changed_fields, fetch_fields, fields_since, is_redefined
from rehearse.baseline.hollow import name_held
from rehearse.baseline.known_digests import find_known
from rehearse.baseline.known_metadata import Dates, load_dates, load_known, save_listing
from rehearse.baseline.listing import ListingWork, listing_threads
from rehearse.baseline.load_ahead import FILES, load_ahead
from rehearse.baseline.manifest import save_components, save_manifest
from rehearse.baseline.metadata_tree import MetadataTree, NearFiles
from rehearse.baseline.model import CANONICALISER, Capture, Component, CoverageRow, ResolvedScope, Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.scope import spell
from rehearse.baseline.standing import PACKAGE
from rehearse.baseline.working import Purpose, Working, begin
from rehearse.baseline.writing import make_private_folder
from rehearse.errors import OrgBusy, OrgUnreachable, StoppedPartWay
from rehearse.events import Event, Noted, OnEvent, ignore
from rehearse.ids import build_content_id
from rehearse.org.model import MetadataItem, ObjectSummary
from rehearse.org.reader import OrgReader

if TYPE_CHECKING:
    from rehearse.baseline.capture_records import ReadObject


@dataclass(frozen=True)
class CaptureRequest:
    """What to capture; `frozen`: reuse that capture's scope and manifest.

    Objects up to `rest_rows` rows skip Bulk (None: as many as `row_reading` has it).
    `base`: an earlier capture of the same generation; only what may have changed since is read. `gate` is looked
    through while the objects are described, and passed before anything is read.
    """

    sandbox: str
    scope: Scope
    frozen: Capture | None = None
    rest_rows: int | None = None
    base: Capture | None = None
    gate: Gate | None = None


class Gate(Protocol):
    """What may keep a capture from beginning."""

    def look(self, objects: Sequence[ObjectSummary]) -> None:
        """Look whether it is open, once; `objects` are all that the org has. Raises OrgError."""

    def pass_through(self) -> bool:
        """Go on where it was open; else wait for it, and say so by False. Raises GateClosed."""


@dataclass(frozen=True)
class _Work:
    """A capture under way: whom to read, what for, where to, and what the org said it has."""

    reader: OrgReader
    request: CaptureRequest
    store: CaptureStore
    question: Question
    working: Working
    on_event: OnEvent

    @property
    def base(self) -> Capture | None:
        """The capture to build on, where this org and user may."""
        base = self.request.base
        return base if base and _may_build_on(base, self.reader, self.question.user_id) else None


@dataclass(frozen=True)
class _Early:
    """What is asked while the objects are described: members of the types, and custom fields; and who asks."""

    beside: ThreadPoolExecutor
    listing: ListingWork
    fields: Future[tuple[MetadataItem, ...] | None]


def capture(reader: OrgReader, request: CaptureRequest, store: CaptureStore, on_event: OnEvent = ignore) -> Capture:
    """Read an org into the store and return the manifest that was written last.

    Raises GenerationChanged when `frozen` is of another org id, OrgError, KeyUnavailable, DiskFull, UsageError, and
    GateClosed, before anything is stored; StoppedPartWay when the org went away while it was read.
    """
    if request.frozen is not None:
        reader = reader.at_version(request.frozen.api_version)
    told = hear(reader, request.sandbox, request.scope, request.frozen)
    request = replace(request, scope=spell(request.scope, told.summaries))
    with ThreadPoolExecutor(1) as beside, listing_threads() as lists:
        looking = beside.submit(request.gate.look, told.summaries) if request.gate else None
        # what to read on top of a base is known when the fields are; else retrieves need them last
        fields = lists.submit(fetch_fields, reader) if request.base else None
        listing = ListingWork(reader, told.listable, lists)
        early = _Early(beside, listing, fields or lists.submit(fetch_fields, reader))
        notes: list[Event] = []
        question = ask(reader, (request.sandbox, told), request.scope, request.frozen, notes.append)
        if looking is not None:
            looking.result()
        if request.gate is None or request.gate.pass_through():
            for note in notes:
                on_event(note)
            return _capture(reader, request, store, (question, early), on_event)
    # it was waited for: what the org said before that may not hold any more
    return capture(reader, replace(request, gate=None), store, on_event)


def _capture(
    reader: OrgReader, request: CaptureRequest, store: CaptureStore, asked: tuple[Question, _Early], on_event: OnEvent
) -> Capture:
    question, early = asked
    series = f"{question.org_id} {'live' if request.frozen else 'baseline'}"
    purpose = Purpose(_fingerprint(reader, request, question), question.started, series)
    with store.shared(), begin(store.root / "captures", store.keys, purpose) as working:
        if working.continued:
            on_event(Noted(f"Continuing the interrupted capture {working.ulid}."))
        work = _Work(reader, request, store, question, working, on_event)
        try:
            built = _build(work, _read(work, early))
        except (OrgBusy, OrgUnreachable) as error:  # what was read so far is kept
            raise StoppedPartWay(error.message, error.hint or "Run the same command again: it goes on.") from error
        save_manifest(working.folder, built)
    return built


def _may_build_on(base: Capture, reader: OrgReader, user_id: str) -> bool:
    """Whether a capture of this org by this user may reuse an earlier one."""
    return (
        base.verdict == "usable"
        and base.org_id == reader.org_id
        and base.api_version == reader.api_version
        and base.read_by == user_id
        and base.canonicaliser == CANONICALISER
    )


def _fingerprint(reader: OrgReader, request: CaptureRequest, question: Question) -> str:
    frozen = request.frozen.ulid if request.frozen else None
    scope = {**asdict(request.scope), "where": dict(request.scope.where or {})}
    del scope["may_be_empty"]  # it changes the verdict, not what is read: an interrupted capture is continued
    return build_content_id([CANONICALISER, request.sandbox, question.org_id, reader.api_version, frozen, scope])


def _read(work: _Work, early: _Early) -> Content:
    """Rows and metadata side by side: both wait for the org most of the time."""
    question = work.question
    if work.working.continued:
        _forget_redefined(work.working, question.scope, fields_since(early.fields.result(), work.working.started))
    dates = load_dates(work.store, work.base) if work.base else {}
    changed = changed_fields(dates, early.fields.result(), work.base.started) if work.base else None
    metadata = early.beside.submit(_read_metadata, work, (dates, changed), early)
    read, refused = _read_rows(work, changed) if question.scope.objects else ([], [])
    listed = early.listing.result()
    items = (*listed.items, *listed.installed)
    listing_sha256 = save_listing(work.working.folder, items, early.fields.result())
    found, components, commit = metadata.result()
    return Content(read, refused, found, components, commit, listing_sha256)


def _read_rows(work: _Work, changed: frozenset[str] | None) -> tuple[Sequence[ReadObject], Sequence[CoverageRow]]:
    """The rows of all objects in scope; what only they need (Arrow) is loaded here, while the org is listing."""
    from rehearse.baseline.capture_rows import RowsWork, read_rows
    from rehearse.baseline.row_reading import REST_ROWS
    from rehearse.baseline.silent_changes import Base

    question = work.question
    wanted = [(one, question.schemas[one.name]) for one in question.scope.objects]
    base = Base(work.base, work.store, work.reader, question.schemas, changed) if work.base else None
    rest_rows = REST_ROWS if work.request.rest_rows is None else work.request.rest_rows
    return read_rows(RowsWork(work.reader, work.working, base, rest_rows, work.on_event), wanted)


def _forget_redefined(working: Working, scope: ResolvedScope, changed: frozenset[str] | None) -> None:
    """Read objects anew whose fields were made or changed since the interrupted capture read them."""
    for one in scope.objects:
        if is_redefined(one.name, changed):
            working.forget(one.name)


def _read_metadata(
    work: _Work, before: tuple[Dates, frozenset[str] | None], early: _Early
) -> tuple[MetadataRead, tuple[Component, ...], str]:
    scratch = work.store.root / "scratch" / work.working.ulid
    make_private_folder(scratch)
    sandbox, standing, frozen = work.request.sandbox, work.question.standing, work.request.frozen
    types = early.listing.types
    left_out = {PACKAGE} if standing.knows_packages else set()
    asked = {type: names for type, names in (frozen.manifest if frozen else {}).items() if type not in left_out}
    try:
        with ExitStack() as writing:

            def make_shelf() -> Shelf:
                load_ahead(FILES)
                writer = writing.enter_context(work.store.metadata.writing(work.working.ulid))
                return Shelf(writer, find_known(work.store, sandbox, render_types(types)))

            table = TypeTable(types)
            digests = EarlyDigests(table, make_shelf)
            near = NearFiles(digests.read, digests.shelf)
            known = load_known(work.store, work.base, *before) if work.base else None
            wish = MetadataWish(early.listing, asked, known, near, early.fields.result)
            metadata = capture_metadata(work.reader, wish, scratch, work.on_event)
            own = {**metadata.own, **(standing.files() if frozen is None or frozen.release else {})}
            with MetadataTree(metadata.zips, own, metadata.kept, metadata.near) as files:
                components = read_components(files, metadata.items, table, digests.find_in(files))
                metadata = metadata.holding(name_held(files, table))
                commit = digests.shelf().writer.commit(files, sandbox, work.question.started, digests.ids_in(files))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return metadata, components, commit


def _build(work: _Work, content: Content) -> Capture:
    question, working, request = work.question, work.working, work.request
    objects = tuple(one.found for one in content.read)
    names = {one.object for one in objects}
    scope = ResolvedScope(question.scope.types, tuple(one for one in question.scope.objects if one.name in names))
    coverage = build_coverage(question, request.frozen, scope, content)
    hollow = () if request.frozen else find_hollow(request.scope, content)
    moving = [one.scope.name for one in content.read if "writes to it" in one.note]
    return Capture(
        ulid=working.ulid,
        snapshot_id=build_snapshot_id(scope, content.components, objects),
        sandbox=request.sandbox,
        org_id=question.org_id,
        started=working.started,
        ended=work.reader.fetch_server_time(),
        api_version=work.reader.api_version,
        scope=scope,
        manifest=content.metadata.manifest,
        objects=objects,
        component_count=len(content.components),
        components_sha256=save_components(working.folder, content.components),
        commit=content.commit,
        coverage=coverage,
        verdict=build_verdict(coverage, hollow, moving),
        hollow=hollow,
        release=question.standing.release,
        read_by=question.user_id,
        packages=question.standing.packages,
        schedules=question.standing.schedules,
        listing_sha256=content.listing_sha256,
    )
