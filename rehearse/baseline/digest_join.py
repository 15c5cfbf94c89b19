"""Which rows of two captures can differ at all: the rows whose digest only one side has, paired by Id.

A row's digest covers its Id, so equal digests are equal rows and need no Id. Parts that both captures share are
skipped; parts that hold the same rows in the same order are compared in step; what is left is joined in memory where it
is little, else by DuckDB, out of core. Only digests, ids and places enter DuckDB, memory is limited, and what spills
goes to a scratch folder of the store that is removed afterwards: its spill is clear text.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rehearse.baseline.canonical_arrays import text_array
from rehearse.baseline.layers import LayeredPart
from rehearse.baseline.model import ComparableField
from rehearse.baseline.row_places import Places, ahead, number_array, read_at, read_digests
from rehearse.baseline.writing import make_private_folder
from rehearse.errors import DiskFull, StoreError

MEMORY_LIMIT = "600MB"
SMALL = 50_000
"""Up to so many rows are joined in memory."""
_INSERT_ROWS = 250_000
_SIDES = ("before", "after")
_Leftover = list[tuple[Any, Any]]
_PAIRS = """
    SELECT coalesce(b.id, a.id), b.place, b.high, b.low, a.place, a.high, a.low, a.live
    FROM before_rows b FULL OUTER JOIN (
        SELECT coalesce(m.old, r.id) AS id, r.id AS live, r.place, r.high, r.low
        FROM after_rows r LEFT JOIN mapping m ON r.id = m.new
    ) a ON b.id = a.id ORDER BY 1
"""


@dataclass(frozen=True)
class FoundRow:
    """Where a row is in its capture, and its digest over the compared fields, with the ids of its own side."""

    place: int
    digest: bytes


@dataclass(frozen=True)
class Pair:
    """A row that can differ: its Id on the before side, where each side has it, and its Id in the org ('' = absent)."""

    id: str
    before: FoundRow | None
    after: FoundRow | None
    live: str


def find_pairs(
    root: Path, sides: tuple[Places, Places], fields: Sequence[ComparableField] | None, back: Mapping[str, str]
) -> Iterator[Pair]:
    """The rows whose digests differ or that one side lacks, in Id order.

    `fields` None takes the stored digests; otherwise they are recomputed over these fields. `back` maps ids of
    the after side to those of the before side. Raises Damaged, StoreError.
    """
    leftovers, small, rows = _read_leftovers(sides, fields), [], 0
    for one in leftovers:
        small.append(one)
        rows += sum(len(places) for _, places in one)
        if rows > SMALL:
            yield from _join_out_of_core(root, sides, chain(small, leftovers), back)
            return
    yield from _join_in_memory(sides, small, back)


def _join_in_memory(
    sides: tuple[Places, Places], found: Sequence[_Leftover], back: Mapping[str, str]
) -> Iterator[Pair]:
    """The same for few rows: a database costs more than they do."""
    digests: list[dict[bytes, int]] = [{}, {}]
    for leftover in found:
        for known, (numbers, places) in zip(digests, leftover, strict=True):
            raw = np.ascontiguousarray(numbers).tobytes()
            known.update({raw[16 * at : 16 * at + 16]: place for at, place in enumerate(places.tolist())})
    alone = [digests[0].keys() - digests[1].keys(), digests[1].keys() - digests[0].keys()]
    rows: list[dict[str, FoundRow]] = []
    for side, known, mine in zip(sides, digests, alone, strict=True):
        by_place = {known[digest]: digest for digest in mine}
        read = read_at(side, np.array(sorted(by_place), np.int64), lambda part, group: ["Id"])
        pairs = (pair for at, batch in read for pair in zip(at.tolist(), batch.column("Id").to_pylist(), strict=True))
        rows.append({id: FoundRow(place, by_place[place]) for place, id in pairs})
    live = {back.get(id, id): id for id in rows[1]}
    for id in sorted(rows[0].keys() | live.keys()):
        yield Pair(id, rows[0].get(id), rows[1].get(live.get(id, "")), live.get(id, ""))


def _join_out_of_core(
    root: Path, sides: tuple[Places, Places], found: Iterable[_Leftover], back: Mapping[str, str]
) -> Iterator[Pair]:
    with _database(root) as database:
        _fill_digests(database, found)
        for side, other, places in zip(_SIDES, _SIDES[::-1], sides, strict=True):
            _fill_rows(database, (side, other), places)
        mapping = pa.table({"new": text_array(back), "old": text_array(back.values())})
        database.register("mapping", mapping)
        answer = database.execute(_PAIRS)
        while rows := answer.fetchmany(10_000):
            for id, *numbers, live in rows:
                yield Pair(id, _row(*numbers[:3]), _row(*numbers[3:]), live or "")


def _row(place: int | None, high: int, low: int) -> FoundRow | None:
    return None if place is None else FoundRow(place, high.to_bytes(8, "little") + low.to_bytes(8, "little"))


@dataclass(frozen=True)
class _Task:
    """Parts to read together, one of each side or of one: index, and the only ids that count (None: all)."""

    before: int | None
    after: int | None
    only: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None)


def _read_leftovers(sides: tuple[Places, Places], fields: Sequence[ComparableField] | None) -> Iterator[_Leftover]:
    """Digests and places of both sides, part by part, without most of those that both have."""

    def read(task: _Task) -> _Leftover:
        found = []
        for places, part, only in zip(sides, (task.before, task.after), task.only, strict=True):
            found.append(_nothing() if part is None else read_digests(places, part, fields, only))
        return _without_equal(found)

    yield from ahead(read, _tasks(*(one.parts for one in sides)))


def _fill_digests(database: Any, leftovers: Iterable[_Leftover]) -> None:
    for name in _SIDES:
        database.execute(f"CREATE TABLE {name} (high UBIGINT, low UBIGINT, place UBIGINT)")
    with _filling(database, _SIDES) as add:
        for found in leftovers:
            for name, side in zip(_SIDES, found, strict=True):
                columns = {"high": side[0][:, 0], "low": side[0][:, 1], "place": side[1]}
                add(name, {key: number_array(column) for key, column in columns.items()})


def _tasks(before: Sequence[LayeredPart], after: Sequence[LayeredPart]) -> Iterator[_Task]:
    named = {(one.file.ulid, one.file.path): place for place, one in enumerate(after)}
    shared = {place: named[key] for place, one in enumerate(before) if (key := (one.file.ulid, one.file.path)) in named}
    for left, right in shared.items():
        hidden = set(before[left].hidden), set(after[right].hidden)
        if hidden[0] != hidden[1]:
            yield _Task(left, right, (sorted(hidden[1] - hidden[0]), sorted(hidden[0] - hidden[1])))
    alone = [place for place in range(len(before)) if place not in shared]
    beside = [place for place in range(len(after)) if place not in set(shared.values())]
    for one, other in zip_longest(alone, beside):
        yield _Task(one, other)


def _nothing() -> tuple[Any, Any]:
    return np.empty((0, 2), np.uint64), np.empty(0, np.uint64)


def _without_equal(found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Digests of two parts without those that stand at the same row of both."""
    (left, places), (right, others) = found
    shared = min(len(left), len(right))
    differs = (left[:shared] != right[:shared]).any(axis=1)
    return [
        tuple(np.concatenate([one[:shared][differs], one[shared:]]) for one in side)  # type: ignore[misc]
        for side in ((left, places), (right, others))
    ]


def _fill_rows(database: Any, names: tuple[str, str], places: Places) -> None:
    """A table of the rows of one side that the other side has not: Id, place and digest."""
    side, other = names
    database.execute(
        f"CREATE TABLE {side}_left AS SELECT place, high, low FROM {side} s WHERE NOT EXISTS"
        f" (SELECT 1 FROM {other} o WHERE o.high = s.high AND o.low = s.low)"
    )
    database.execute(f"CREATE TABLE {side}_ids (place UBIGINT, id VARCHAR)")
    wanted = database.execute(f"SELECT place FROM {side}_left ORDER BY 1").fetchnumpy()["place"].astype(np.int64)
    with _filling(database, [f"{side}_ids"]) as add:
        for found, batch in read_at(places, wanted, lambda part, group: ["Id"]):
            add(f"{side}_ids", {"place": number_array(found), "id": batch.column("Id")})
    database.execute(f"CREATE TABLE {side}_rows AS SELECT * FROM {side}_left JOIN {side}_ids USING (place)")


@contextmanager
def _filling(database: Any, tables: Sequence[str]) -> Iterator[Callable[[str, Mapping[str, Any]], None]]:
    """Adds columns of rows to tables, many at a time: an insert costs more than its few rows."""
    waiting: dict[str, list[Any]] = {name: [] for name in tables}

    def insert(name: str) -> None:
        if waiting[name]:
            database.register("incoming", pa.concat_tables(waiting[name]))
            database.execute(f"INSERT INTO {name} SELECT * FROM incoming")
            database.unregister("incoming")
            waiting[name].clear()

    def add(name: str, columns: Mapping[str, Any]) -> None:
        waiting[name].append(pa.table(dict(columns)))
        if sum(one.num_rows for one in waiting[name]) >= _INSERT_ROWS:
            insert(name)

    yield add
    for name in tables:
        insert(name)


@contextmanager
def _database(root: Path) -> Iterator[Any]:
    import duckdb

    make_private_folder(root / "scratch")
    folder = tempfile.mkdtemp(prefix="compare-", dir=root / "scratch")
    try:
        with duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT, "temp_directory": folder}) as database:
            yield database
    except duckdb.Error as error:
        if "No space left" in str(error) or "disk space" in str(error):
            raise DiskFull("There is no room left to compare captures.", "Free some space and run again.") from error
        raise StoreError("The comparison of row digests failed.", "Run again; the captures are untouched.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
