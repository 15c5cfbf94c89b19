"""What differs between two captures: by digests first, and by fields only where digests differ.

The join of digests is out of core, in a folder of the store; no record value ever reaches it, because its spill is
clear text. The few candidates are then read at their places and compared field by field, with re-inserted ids mapped
back to those of the before side; only fields comparable on both sides decide. `compare(a, a)` is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rehearse import clock
from rehearse.baseline.canonical import ID_TYPES, canonical_value, field_digest, row_digest
from rehearse.baseline.compare_components import compare_components
from rehearse.baseline.digest_join import FoundRow, Pair, find_pairs
from rehearse.baseline.model import Capture, Change, ComparableField, FieldChange
from rehearse.baseline.record_store import CaptureStore, find_object, shape_of
from rehearse.baseline.row_places import Places, read_at
from rehearse.baseline.set_up_ids import find_new_ids

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
    old one is the row and the new one is a row too many. Set-up that was deployed again makes pairs of its own.
    """
    renewed = find_new_ids(store, before, after)
    if not ids:
        return renewed
    known = {
        str(row["Id"])
        for one in before.scope.objects
        for row in store.load_rows(before.ulid, one.name, set(ids), ["Id"])
    }
    alive = find_living(store, after, ids)
    return {**{old: new for old, new in ids.items() if old in known and old not in alive}, **renewed}


def find_living(store: CaptureStore, after: Capture, ids: Mapping[str, str]) -> set[str]:
    """The old Ids of an id map whose own row lives all the same: somebody brought it back as well."""
    return {
        str(row["Id"]) for one in after.scope.objects for row in store.load_rows(after.ulid, one.name, set(ids), ["Id"])
    }


def compare_rows(
    store: CaptureStore, before: Capture, after: Capture, object: str, ids: Mapping[str, str]
) -> list[Change]:
    """The changes of one object's rows, by Id."""
    fields = common_fields(before, after, object)
    back = {new: old for old, new in ids.items()}
    same_fields = fields == shape_of(before, object) == shape_of(after, object)
    if same_fields and _content(before, object) == _content(after, object):
        return []
    places = _places(store, before, object), _places(store, after, object)
    question = _Question(places, object, fields, back, stored=same_fields)
    found: list[Change] = []
    for batch in _batches(find_pairs(store.root, places, None if same_fields else fields, back)):
        found += _resolve(question, batch)
    return sorted(found, key=lambda one: one.key)


def _places(store: CaptureStore, capture: Capture, object: str) -> Places:
    found = find_object(capture, object)
    return Places(store.open_parts(capture.ulid, found) if found else ())


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
            found.append(_field_change(one.name, one.type, left, right))
    return tuple(found)


@lru_cache(maxsize=10_000)
def _field_change(name: str, type: str, left: str | None, right: str | None) -> FieldChange:
    """One for all rows that changed alike: a load of a million rows brings most of its values again and again."""
    return FieldChange(name, field_digest(type, left), field_digest(type, right))


@dataclass(frozen=True)
class _Question:
    """`stored`: the digests are those of the parts, so that their prints tell which columns can differ."""

    sides: tuple[Places, Places]
    object: str
    fields: tuple[ComparableField, ...]
    back: Mapping[str, str]
    stored: bool

    def differing(self, pair: Pair) -> frozenset[str]:
        """The fields that can differ between the two rows of a pair."""
        everything = frozenset(one.name for one in self.fields)
        if not self.stored or self.back or pair.before is None or pair.after is None:
            return everything
        found = [
            side.prints(*side.group_of(row.place)) for side, row in zip(self.sides, _rows(pair), strict=True) if row
        ]
        old, new = found
        if "Id" not in old or old["Id"] != new.get("Id"):
            return everything
        return frozenset(name for name in everything if old.get(name) != new.get(name) or name not in old)


def _rows(pair: Pair) -> tuple[FoundRow | None, FoundRow | None]:
    return pair.before, pair.after


def _resolve(question: _Question, batch: Sequence[Pair]) -> Iterator[Change]:
    wanted = [question.differing(pair) for pair in batch]
    old = _load(question, 0, batch, wanted)
    new = _load(question, 1, batch, wanted)
    for pair, names in zip(batch, wanted, strict=True):
        left = old[pair.before.place] if pair.before else None
        right = new[pair.after.place] if pair.after else None
        changed = compare_fields(left, right, [one for one in question.fields if one.name in names])
        if left is not None and right is not None and not changed:
            continue  # only its id, or one that it names, is another: mapped back, they are the same
        stamp = right.get("_stamp") if right else None
        yield Change(
            kind="record",
            type=question.object,
            key=pair.id,
            before=pair.before.digest.hex() if pair.before else None,
            after=_digest_after(question, pair, right),
            fields=changed,
            live_id=pair.live if pair.live not in ("", pair.id) else None,
            by=(right.get("_by") if right else None) or "",
            at=clock.from_iso(stamp) if stamp else None,
        )


def _digest_after(question: _Question, pair: Pair, row: Row | None) -> str | None:
    if pair.after is None or row is None:
        return None
    return (row_digest(pair.id, row, question.fields) if question.back else pair.after.digest).hex()


def _load(
    question: _Question, side: int, batch: Sequence[Pair], wanted: Sequence[frozenset[str]]
) -> dict[int, dict[str, str | None]]:
    """The rows of one side by place, with the fields that can differ; on the after side also who and when."""
    places = question.sides[side]
    columns: dict[tuple[int, int], set[str]] = {}
    numbers = []
    for pair, names in zip(batch, wanted, strict=True):
        row = _rows(pair)[side]
        if row is not None:
            numbers.append(row.place)
            columns.setdefault(places.group_of(row.place), set()).update(names)
    more = ("_stamp", "_by") if side else ()
    back = question.back if side else {}
    found: dict[int, dict[str, str | None]] = {}
    read = read_at(places, np.array(sorted(numbers), np.int64), lambda *at: ["Id", *sorted(columns[at]), *more])
    for at, rows in read:
        for place, row in zip(at.tolist(), rows.to_pylist(), strict=True):
            found[place] = map_back(row, question.fields, back)
    return found


def _batches(pairs: Iterator[Pair]) -> Iterator[list[Pair]]:
    batch: list[Pair] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == BATCH_IDS:
            yield batch
            batch = []
    if batch:
        yield batch
