"""Reading what a plan is built from: the difference of two captures, the values of changed rows, the bin, schemas.

Reads the store and the org; decides nothing. Rows that lost the values of a field which the rehearsal deleted are
changes too, although the two captures share no such field: they are found here, so that no value is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rehearse import clock
from rehearse.baseline.canonical import value_text
from rehearse.baseline.compare import compare, usable_pairs
from rehearse.baseline.components import read_flow_versions
from rehearse.baseline.model import Capture, Change, Component
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.scope import drifting_fields, masked_fields
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.org.model import Schema
from rehearse.reset.binned import fetch_carriers, fetch_places, find_buried
from rehearse.reset.ghosts import cascading_fields
from rehearse.reset.gone_targets import fetch_gone
from rehearse.reset.housed_rows import UNKNOWN, fetch_housed
from rehearse.reset.housed_values import fetch_written
from rehearse.reset.inactive_owners import fetch_inactive
from rehearse.reset.inputs import Carrier, FlowState, MetadataBook, PlanInputs, RowBook
from rehearse.reset.lost_values import held_fields
from rehearse.reset.model import Allowed, Choices, Switch
from rehearse.reset.people import fetch_names
from rehearse.reset.renamed import find_renamed
from rehearse.reset.row_state import Values, canonical_row, scope_fields

OVERLAP = timedelta(minutes=10)
"""A row that is committed late carries an earlier stamp (facts/data.md 3)."""


@dataclass(frozen=True)
class GatherRequest:
    """Which two captures, for which baseline of which sandbox; `ids` is the id map of the generation.

    `kept`: fields that an earlier plan left standing, in whose rows a reset may have hidden who wrote.
    """

    sandbox: str
    baseline: str
    before: Capture
    after: Capture
    made_at: datetime
    ids: Mapping[str, str] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)
    bypass: tuple[Switch, ...] = ()
    egress: tuple[Allowed, ...] = ()
    kept: frozenset[str] = frozenset()


def gather(reader: OrgReader, store: CaptureStore, request: GatherRequest) -> PlanInputs:
    """Everything that `build_plan` needs. Raises Damaged, KeyUnavailable, OrgError."""
    before, after = request.before, request.after
    ids = usable_pairs(store, before, after, request.ids)
    changes = compare(store, before, after, ids)
    schemas = fetch_schemas(reader, before, after)
    changes = with_lost_values(store, (before, after), schemas, changes)
    rows = {
        object: _row_book(reader, store, _Pick(before, after, object, group, ids, schemas.get(object)))
        for object, group in _records_by_object(changes).items()
    }
    rows, carriers = _with_bin(reader, rows, changes, schemas, ids)
    inactive = fetch_inactive(reader, rows)
    housed = {**fetch_housed(reader, changes), **fetch_written(reader, changes, before.started)}
    housed |= {field: {**housed[field], UNKNOWN: 1} for field in request.kept if field in housed}
    return PlanInputs(
        sandbox=request.sandbox,
        baseline=request.baseline,
        before=before,
        after=after,
        changes=changes,
        schemas=schemas,
        rows=rows,
        metadata=load_metadata(store, before, after, changes),
        made_at=request.made_at,
        ids=ids,
        choices=request.choices,
        bypass=request.bypass,
        egress=request.egress,
        ghosts=fetch_ghosts(reader, store, before, schemas) if _any_in_bin(rows) else {},
        people=fetch_names(reader, _users(changes, rows).union(inactive, *housed.values())),
        housed=housed,
        inactive=inactive,
        carriers=carriers,
        gone=fetch_gone(reader, (before, after), schemas, rows, ids),
    )


def _users(changes: Sequence[Change], rows: Mapping[str, RowBook]) -> set[str]:
    by = {one.by for one in changes if one.kind == "record"}
    return by | {one for book in rows.values() for one in book.creators.values()}


def _any_in_bin(rows: Mapping[str, RowBook]) -> bool:
    return any(place == "bin" for book in rows.values() for place in book.bin.values())


def fetch_ghosts(
    reader: OrgReader, store: CaptureStore, before: Capture, schemas: Mapping[str, Schema]
) -> dict[str, dict[str, Values]]:
    """Rows in the bin that the baseline does not have, with the references that a delete or undelete follows."""
    links = cascading_fields(schemas)
    since = clock.iso(before.started - OVERLAP)
    found: dict[str, dict[str, Values]] = {}
    for object in sorted({one.name for one in before.scope.objects} & links.keys()):
        names = sorted(links[object])
        soql = f"SELECT Id, {', '.join(names)} FROM {object} WHERE IsDeleted = true AND CreatedDate >= {since}"
        try:
            rows = {str(row["Id"]): row for row in reader.fetch_rows(soql, deleted=True)}
        except OrgRejected:
            continue  # an object without a recycle bin has no ghosts
        known = {str(row["Id"]) for row in store.load_rows(before.ulid, object, rows.keys(), ["Id"])}
        found[object] = {
            key: {name: value_text(rows[key][name]) for name in names} for key in sorted(rows.keys() - known)
        }
    return found


def fetch_schemas(reader: OrgReader, before: Capture, after: Capture) -> dict[str, Schema]:
    """The live describe of every object in either scope; an object that the org no longer has is absent."""
    found: dict[str, Schema] = {}
    for name in sorted({one.name for capture in (before, after) for one in capture.scope.objects}):
        try:
            found[name] = reader.fetch_schema(name)
        except OrgRejected as error:
            if error.org_code not in ("NOT_FOUND", "INVALID_TYPE"):
                raise
    return found


def with_lost_values(
    store: CaptureStore, sides: tuple[Capture, Capture], schemas: Mapping[str, Schema], changes: Sequence[Change]
) -> tuple[Change, ...]:
    """The changes, and one more for each unchanged row that held a value in a field which is gone."""
    before, after = sides
    known = {(one.type, one.key) for one in changes if one.kind == "record"}
    found = list(changes)
    for scope in before.scope.objects:
        there = {one.name for one in scope_fields(after, scope.name)}
        known_schema = schemas.get(scope.name)  # masked: there, and not to be read now
        unread = (*masked_fields(known_schema), *drifting_fields(known_schema)) if known_schema else ()
        lost = [one.name for one in scope.fields if one.name not in there and one.name not in unread]
        if not there or not lost:
            continue
        for row in store.load_rows(before.ulid, scope.name, None, lost):
            key = str(row["Id"])
            if (scope.name, key) not in known and any(row.get(name) is not None for name in lost):
                found.append(Change("record", scope.name, key, "with the lost field", "without it"))
    return tuple(found)


@dataclass(frozen=True)
class _Pick:
    before: Capture
    after: Capture
    object: str
    changes: Sequence[Change]
    ids: Mapping[str, str]
    schema: Schema | None


def _records_by_object(changes: Sequence[Change]) -> dict[str, list[Change]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        if change.kind == "record":
            groups.setdefault(change.type, []).append(change)
    return groups


def _row_book(reader: OrgReader, store: CaptureStore, pick: _Pick) -> RowBook:
    live = {pick.ids.get(one.key, one.key): one.key for one in pick.changes}
    older, creators = _fetch_births(reader, pick)
    return RowBook(
        before=_load(store, pick.before, pick.object, {one.key: one.key for one in pick.changes}, {}),
        after=_load(store, pick.after, pick.object, live, {new: old for old, new in pick.ids.items()}),
        older=older,
        creators=creators,
    )


def _load(
    store: CaptureStore, capture: Capture, object: str, keys: Mapping[str, str], back: Mapping[str, str]
) -> dict[str, Values]:
    fields = scope_fields(capture, object)
    rows = store.load_rows(capture.ulid, object, set(keys), [one.name for one in fields])
    return {keys[str(row["Id"])]: canonical_row(row, fields, back) for row in rows}


def _with_bin(
    reader: OrgReader,
    rows: Mapping[str, RowBook],
    changes: Sequence[Change],
    schemas: Mapping[str, Schema],
    ids: Mapping[str, str],
) -> tuple[dict[str, RowBook], dict[str, Carrier]]:
    """The rows with where the deleted ones are now, and what has to come back for them for a while."""
    gone: dict[str, dict[str, str]] = {}
    for one in changes:
        if one.kind == "record" and one.what == "deleted":
            gone.setdefault(one.type, {})[ids.get(one.key, one.key)] = one.key
    back = {new: old for old, new in ids.items()}
    places = {one: fetch_places(reader, schemas.get(one), one, keys, back) for one, keys in gone.items()}
    carriers = fetch_carriers(reader, places, {one: rows[one].before for one in places}, schemas)
    went = {key: at for place in places.values() for key, at in place.went.items()}
    went |= {id: one.went for id, one in carriers.items()}
    found = dict(rows)
    for object, place in places.items():
        buried = frozenset(find_buried(schemas[object], place, went)) if place.masters else frozenset()
        masters = {key: tuple(above.values()) for key, above in place.masters.items()}
        found[object] = replace(rows[object], bin=place.bin, masters=masters, buried=buried)
    return found, carriers


def _fetch_births(reader: OrgReader, pick: _Pick) -> tuple[frozenset[str], dict[str, str]]:
    """Created rows that are older than the baseline, which are never the rehearsal's own, and who made each row."""
    new = [one.live_id or one.key for one in pick.changes if one.what == "created"]
    names = [one for one in ("CreatedDate", "CreatedById") if pick.schema is not None and pick.schema.field(one)]
    if not new or not names:
        return frozenset(), {}
    start = pick.before.started.replace(microsecond=0)
    rows = reader.fetch_by_ids(pick.object, new, names)
    born = {id: str(row["CreatedDate"]) for id, row in rows.items() if row.get("CreatedDate")}
    older = frozenset(id for id, text in born.items() if clock.from_iso(text) < start)
    return older, {id: str(row["CreatedById"]) for id, row in rows.items() if row.get("CreatedById")}


def load_metadata(store: CaptureStore, before: Capture, after: Capture, changes: Sequence[Change]) -> MetadataBook:
    """The changed components on both sides, their files, and the versions of their flows."""
    names = {(one.type, one.key) for one in changes if one.kind == "component"}
    return load_metadata_of(store, before, after, names)


def load_metadata_of(
    store: CaptureStore, before: Capture, after: Capture, names: Collection[tuple[str, str]]
) -> MetadataBook:
    """The named components on both sides, their files, and the versions of their flows."""
    names = set(names)
    names |= {("FlowDefinition", key.partition("-")[0]) for type, key in names if type == "Flow"}
    names |= {("Flow", key) for type, key in names if type == "FlowDefinition"}
    sides = [_side(store, capture, names) for capture in (before, after)]
    (old, old_files), (new, new_files) = sides
    flows = _flows(old, old_files), _flows(new, new_files)
    renamed = find_renamed(store, before, after, old.keys() - new.keys(), new.keys() - old.keys())
    types = frozenset(before.scope.types)
    return MetadataBook(old, new, old_files, new_files, *flows, held=held_fields(before), types=types, renamed=renamed)


def _side(
    store: CaptureStore, capture: Capture, names: set[tuple[str, str]]
) -> tuple[dict[tuple[str, str], Component], dict[str, bytes]]:
    found = {
        (one.type, one.full_name): one
        for one in store.load_components(capture.ulid)
        if (one.type, one.full_name) in names
    }
    paths = {path for one in found.values() for path in one.files}
    return found, store.load_files(capture.ulid, paths) if paths else {}


def _flows(components: Mapping[tuple[str, str], Component], files: Mapping[str, bytes]) -> dict[str, FlowState]:
    found: dict[str, FlowState] = {}
    for (type, name), component in components.items():
        if type == "FlowDefinition" and component.files[0] in files:
            versions = read_flow_versions(files[component.files[0]])
            found[name] = FlowState(versions.active or 0, tuple(sorted(versions.versions)))
    return found
