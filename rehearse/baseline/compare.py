"""What differs between two captures: by digests first, and by fields only where digests differ.

DuckDB joins (Id, digest) pairs out of core, in a folder of the store; no record value ever reaches it, because its
spill is clear text. The few candidates are then read through pyarrow and compared field by field, with re-inserted ids
mapped back to those of the before side; only fields comparable on both sides decide. `compare(a, a)` is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rehearse import clock
from rehearse.baseline.canonical import ID_TYPES, canonical_value, field_digest, row_digest
from rehearse.baseline.compare_components import compare_components
from rehearse.baseline.digest_join import Pair, find_candidates
from rehearse.baseline.model import Capture, Change, ComparableField, FieldChange
from rehearse.baseline.record_store import CaptureStore, find_object, shape_of

BATCH_IDS = 10_000
Row = Mapping[str, str | None]


def compare(
    store: CaptureStore, before: Capture, after: Capture, ids: Mapping[str, str] | None = None
) -> tuple[Change, ...]:
    """All changes from one capture to another, components first, each group sorted.

    `ids` maps old to new ids of this generation (hard-deleted rows that came back). Raises Damaged or KeyUnavailable.
    """
    components = compare_components(store, before, after)
    ids = usable_pairs(store, before, after, ids or {})
    objects = sorted({one.name for one in before.scope.objects} | {one.name for one in after.scope.objects})
    rows = [change for name in objects for change in compare_rows(store, before, after, name, ids)]
    return (*components, *rows)


def usable_pairs(store: CaptureStore, before: Capture, after: Capture, ids: Mapping[str, str]) -> dict[str, str]:
    """The pairs of an id map that speak about these two captures.

    A baseline taken after a re-insert knows the new Id itself. Where somebody brought the old row back as well, the
    old one is the row and the new one is a row too many.
    """
    if not ids:
        return {}
    known = {
        str(row["Id"])
        for one in before.scope.objects
        for row in store.load_rows(before.ulid, one.name, set(ids), ["Id"])
    }
    alive = {
        str(row["Id"]) for one in after.scope.objects for row in store.load_rows(after.ulid, one.name, set(ids), ["Id"])
    }
    return {old: new for old, new in ids.items() if old in known and old not in alive}


def compare_rows(
    store: CaptureStore, before: Capture, after: Capture, object: str, ids: Mapping[str, str]
) -> list[Change]:
    """The changes of one object's rows, by Id."""
    fields = common_fields(before, after, object)
    back = {new: old for old, new in ids.items()}
    same_fields = fields == shape_of(before, object) == shape_of(after, object)
    if same_fields and _content(before, object) == _content(after, object):
        return []
    pairs = find_candidates(store, (before, after), object, None if same_fields else fields, back)
    found: list[Change] = []
    question = _Question(store, before, after, object, fields, back)
    for batch in _batches(pairs):
        found += _resolve(question, batch)
    return sorted(found, key=lambda one: one.key)


def _content(capture: Capture, object: str) -> tuple[int, str]:
    found = find_object(capture, object)
    return (found.rows, found.digest_sum) if found else (0, "0" * 32)


def common_fields(before: Capture, after: Capture, object: str) -> tuple[ComparableField, ...]:
    """The fields that decide: those comparable on both sides; all of the one side that has the object, if only one."""
    left, right = shape_of(before, object), shape_of(after, object)
    if not left or not right:
        return left or right
    return tuple(one for one in left if one in right)


def map_back(row: Row, fields: Sequence[ComparableField], back: Mapping[str, str]) -> dict[str, str | None]:
    """A live row with every re-inserted id (its own, and in references) replaced by the one that it had before."""
    if not back:
        return dict(row)
    mapped = dict(row)
    for name in ("Id", *(one.name for one in fields if one.type in ID_TYPES)):
        value = mapped.get(name)
        if value is not None:
            mapped[name] = back.get(value, value)
    return mapped


def compare_fields(before: Row | None, after: Row | None, fields: Sequence[ComparableField]) -> tuple[FieldChange, ...]:
    """The fields that differ between two rows, whose ids are already those of the before side; None is no row."""
    found: list[FieldChange] = []
    for one in fields:
        left = canonical_value(one.type, before.get(one.name)) if before else None
        right = canonical_value(one.type, after.get(one.name)) if after else None
        if left != right:
            found.append(FieldChange(one.name, field_digest(one.type, left), field_digest(one.type, right)))
    return tuple(found)


@dataclass(frozen=True)
class _Question:
    store: CaptureStore
    before: Capture
    after: Capture
    object: str
    fields: tuple[ComparableField, ...]
    back: Mapping[str, str]

    def rows(self, side: Capture, ids: Sequence[str], more: Sequence[str]) -> dict[str, dict[str, str | None]]:
        names = [*(one.name for one in self.fields), *more]
        back = self.back if side is self.after else {}
        rows = (map_back(row, self.fields, back) for row in self.store.load_rows(side.ulid, self.object, ids, names))
        return {str(row["Id"]): row for row in rows}


def _resolve(question: _Question, batch: Sequence[Pair]) -> Iterator[Change]:
    fields = question.fields
    old = question.rows(question.before, [one.id for one in batch if one.in_before], [])
    new = question.rows(question.after, [one.live for one in batch if one.live], ["_stamp", "_by"])
    for pair in batch:
        left, right = old.get(pair.id), new.get(pair.id)
        changed = compare_fields(left, right, fields)
        if left is not None and right is not None and not changed:
            continue
        stamp = right.get("_stamp") if right else None
        yield Change(
            kind="record",
            type=question.object,
            key=pair.id,
            before=row_digest(pair.id, left, fields).hex() if left else None,
            after=row_digest(pair.id, right, fields).hex() if right else None,
            fields=changed,
            live_id=pair.live if pair.live not in ("", pair.id) else None,
            by=(right.get("_by") if right else None) or "",
            at=clock.from_iso(stamp) if stamp else None,
        )


def _batches(pairs: Iterator[Pair]) -> Iterator[list[Pair]]:
    batch: list[Pair] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == BATCH_IDS:
            yield batch
            batch = []
    if batch:
        yield batch
