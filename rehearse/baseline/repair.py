"""Repair of a damaged capture: a new capture of whatever is whole, here or in other captures of the store.

Never works on the only copy: the damaged files are read and stay as they are, everything is written anew into a folder
of its own, under a key of its own. Rows of another capture are taken only where their number and the sum of their
digests are those of the lost ones, metadata only where it gives the snapshot id again; so a repair that calls itself
whole is proven by the snapshot id. What nobody has any more is left out of the new capture's scope and named in its
coverage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from rehearse import clock
from rehearse.baseline.bodies import take_over_bodies
from rehearse.baseline.canonical import build_snapshot_id
from rehearse.baseline.components import read_components
from rehearse.baseline.manifest import save_components, save_manifest
from rehearse.baseline.model import CANONICALISER, Capture, Component, CoverageRow, ObjectCapture, Part, ResolvedScope
from rehearse.baseline.record_parts import PartWriter, RowShape, part_schema
from rehearse.baseline.record_store import CaptureStore, find_object, shape_of
from rehearse.baseline.row_reading import part_file, total
from rehearse.baseline.store_model import Damage
from rehearse.baseline.verify import verify_capture, verify_object_files, verify_rows
from rehearse.baseline.working import Purpose, Working, begin
from rehearse.errors import Damaged, KeyUnavailable, NotFound

_PART_ROWS = 250_000
_BROKEN = (Damaged, KeyUnavailable, NotFound)


@dataclass(frozen=True)
class _Metadata:
    """Metadata that gives the snapshot id, and the capture that has it."""

    source: Capture
    files: Mapping[str, bytes]
    components: tuple[Component, ...]


def find_damage(store: CaptureStore, capture: Capture) -> Damage:
    """What of a capture is damaged, and which capture of the store has it whole ('' = nobody). Reads every row.

    Raises KeyUnavailable where the workspace key is not the right one: then nothing is known to be damaged.
    """
    if store.keys.has(capture.ulid):
        with suppress(Damaged):
            store.keys.load(capture.ulid)
    try:
        verify_capture(store, capture.ulid, deep=True)
        return Damage(capture.ulid, {}, None)
    except _BROKEN:
        others = [one for one in _load_others(store, capture) if one.ulid != capture.ulid]
    objects: dict[str, str] = {}
    for found in capture.objects:
        if not _is_whole(store, capture, found):
            donors = (one for one in others if _has_rows(store, one, capture, found))
            objects[found.object] = next((one.ulid for one in donors), "")
    metadata = _find_metadata(store, capture, [capture, *others])
    whole = metadata is not None and metadata.source.ulid == capture.ulid and _lists_are_whole(store, capture)
    return Damage(capture.ulid, objects, None if whole else (metadata.source.ulid if metadata else ""))


def repair_capture(store: CaptureStore, capture: Capture, damage: Damage) -> Capture:
    """Build the new capture; verified deeply before it is returned. Raises Damaged, KeyUnavailable, DiskFull."""
    sources = {one.object: damage.objects.get(one.object, capture.ulid) for one in capture.objects}
    purpose = Purpose(f"repair {capture.ulid}", clock.now())
    with begin(store.root / "captures", store.keys, purpose) as working:
        objects = []
        for found in capture.objects:
            working.forget(found.object)
            if sources[found.object]:
                objects.append(_copy_rows(store, store.load(sources[found.object]), found.object, working))
        donors = [capture] if damage.metadata is None else [store.load(damage.metadata)] if damage.metadata else []
        metadata = _find_metadata(store, capture, donors)
        save_manifest(working.folder, _build(store, capture, working, (tuple(objects), metadata)))
    return verify_capture(store, working.ulid, deep=True)


def _load_others(store: CaptureStore, capture: Capture) -> list[Capture]:
    """The readable captures of the same org, newest first."""
    found = []
    for path in sorted((store.root / "captures").glob("*/manifest.json"), reverse=True):
        try:
            one = store.load(path.parent.name)
        except _BROKEN:
            continue
        if one.org_id == capture.org_id:
            found.append(one)
    return found


def _is_whole(store: CaptureStore, capture: Capture, found: ObjectCapture) -> bool:
    try:
        verify_object_files(store, capture, found)
        verify_rows(store, capture, found)
    except _BROKEN:
        return False
    return True


def _has_rows(store: CaptureStore, donor: Capture, capture: Capture, wanted: ObjectCapture) -> bool:
    """Whether another capture holds exactly these rows, whole."""
    found = find_object(donor, wanted.object)
    if found is None or (found.rows, found.digest_sum) != (wanted.rows, wanted.digest_sum):
        return False
    return shape_of(donor, wanted.object) == shape_of(capture, wanted.object) and _is_whole(store, donor, found)


def _find_metadata(store: CaptureStore, capture: Capture, sources: Iterable[Capture]) -> _Metadata | None:
    """The first metadata tree that gives the snapshot id of the capture; authors come from a list that is whole."""
    for source in sources:
        try:
            files = store.metadata.load_files(source.commit)
            built = _components(store, source, files, capture.canonicaliser)
        except _BROKEN:
            continue
        if build_snapshot_id(capture.scope, built, capture.objects, capture.canonicaliser) == capture.snapshot_id:
            return _Metadata(source, files, _signed(store, built, (capture, source)))
    return None


def _components(
    store: CaptureStore, source: Capture, files: Mapping[str, bytes], canonicaliser: str
) -> tuple[Component, ...]:
    """The components of a tree; what older rules made of it only a list can tell that they wrote. Raises Damaged."""
    if canonicaliser == CANONICALISER:
        return read_components(files)
    if source.canonicaliser != canonicaliser:
        raise Damaged(f"The capture {source.ulid} was digested by other rules.")
    return store.load_components(source.ulid)


def _signed(store: CaptureStore, components: tuple[Component, ...], lists: Iterable[Capture]) -> tuple[Component, ...]:
    for capture in lists:
        try:
            known = {(one.type, one.full_name, one.digest): one for one in store.load_components(capture.ulid)}
        except _BROKEN:
            continue
        return tuple(known.get((one.type, one.full_name, one.digest), one) for one in components)
    return components


def _lists_are_whole(store: CaptureStore, capture: Capture) -> bool:
    try:
        verify_capture(store, capture.ulid, records=False)
    except _BROKEN:
        return False
    return True


def _copy_rows(store: CaptureStore, source: Capture, object: str, working: Working) -> ObjectCapture:
    """All rows of an object, layers folded, in parts of the new capture."""
    fields = shape_of(source, object)
    shape = RowShape(object, fields)
    batches = store.read_batches(source, object, part_schema(fields).names)
    written: list[tuple[Part, int]] = []
    batch = next(batches, None)
    while batch is not None:
        with PartWriter(part_file(working, object, len(written) + 1), fields) as writer:
            while batch is not None and writer.rows < _PART_ROWS:
                take_over_bodies(store, source.ulid, working, shape, batch)
                writer.write(batch)
                batch = next(batches, None)
        written.append((writer.finish(), writer.digest_sum))
    return total(object, written)


def _build(
    store: CaptureStore, old: Capture, working: Working, content: tuple[tuple[ObjectCapture, ...], _Metadata | None]
) -> Capture:
    objects, metadata = content
    kept = {one.object for one in objects}
    lost = [one.object for one in old.objects if one.object not in kept]
    types = old.scope.types if metadata else ()
    scope = ResolvedScope(types, tuple(one for one in old.scope.objects if one.name not in lost))
    components = metadata.components if metadata else ()
    note = f"lost by damage of capture {old.ulid}"
    rows = [one for one in old.coverage if one.name not in lost and (metadata or one.kind == "records")]
    rows += [CoverageRow("records", one, "unreadable", note=note) for one in lost]
    rows += [] if metadata else [CoverageRow("metadata", "(all)", "unreadable", note=note)]
    return replace(
        old,
        ulid=working.ulid,
        snapshot_id=build_snapshot_id(scope, components, objects, old.canonicaliser),
        scope=scope,
        manifest=old.manifest if metadata else {},
        objects=objects,
        component_count=len(components),
        components_sha256=save_components(working.folder, components),
        commit=store.metadata.save(working.ulid, metadata.files if metadata else {}, old.sandbox, old.started),
        coverage=tuple(rows),
        verdict=old.verdict if metadata and not lost else "partial",
        listing_sha256="",
    )
