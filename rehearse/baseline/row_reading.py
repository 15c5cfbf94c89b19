"""What all ways of reading rows share: the shape and the query of an object, its parts, and the workers and the line.

Nothing here decides which way an object is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock, Semaphore
from typing import Any

from rehearse.baseline.canonical import DIGEST_MODULUS, value_text
from rehearse.baseline.canonical_arrays import text_array
from rehearse.baseline.model import ObjectCapture, ObjectScope, Part
from rehearse.baseline.record_parts import PartFile, PartWriter, RowShape, build_batch
from rehearse.baseline.working import Working
from rehearse.events import Advanced, OnEvent, ignore
from rehearse.org.model import Schema, Value
from rehearse.org.reader import OrgReader

REST_ROWS = 2_000
"""Objects of up to so many rows are read over REST: one call instead of the five of a query job."""
_ARCHIVED = frozenset({"Task", "Event"})
_BY_PARENT = {"ContentDocumentLink": ("ContentDocumentId", "ContentDocument")}
"""Objects that are only told for named parents (facts/data.md 1.5): the field, and the object of the parents."""
_PARENTS_A_QUERY = 200


@dataclass
class Tally:
    """Rows read so far, of all that the org counts; says so as they come."""

    total: int = 0
    on_event: OnEvent = ignore
    rows: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add(self, rows: int) -> None:
        """So many rows more are stored."""
        with self._lock:
            self.rows += rows
            done = self.rows
        self.on_event(Advanced("records", done, max(done, self.total), "rows"))


@dataclass(frozen=True)
class RowReading:
    """What reading rows needs: the org, the capture under way, the page workers, the line, and the limit for REST."""

    reader: OrgReader
    working: Working
    pages: ThreadPoolExecutor
    line: Semaphore
    rest_rows: int = REST_ROWS
    tally: Tally = field(default_factory=Tally)


def shape_of_rows(scope: ObjectScope, schema: Schema) -> RowShape:
    """What to select of an object: comparable fields, and its stamp and author where it has them."""
    stamp = next((one for one in ("SystemModstamp", "LastModifiedDate", "CreatedDate") if schema.field(one)), None)
    author = next((one for one in ("LastModifiedById", "CreatedById") if schema.field(one)), None)
    return RowShape(scope.name, scope.fields, stamp, author)


def build_query(shape: RowShape, *conditions: str | None) -> str:
    """The SELECT of an object's columns under all given conditions."""
    return f"SELECT {', '.join(shape.columns)} FROM {shape.object}{build_where(*conditions)}"


def build_where(*conditions: str | None) -> str:
    """` WHERE` with all given conditions, each in brackets; the empty text without any."""
    said = [f"({one})" for one in conditions if one]
    return f" WHERE {' AND '.join(said)}" if said else ""


def with_archived(object: str) -> bool:
    """Whether the object's old rows are archived, so that only queryAll sees them (SOAP guide, archived activities)."""
    return object in _ARCHIVED


def alive(object: str) -> str | None:
    """The condition that leaves out binned rows where queryAll is used."""
    return "IsDeleted = false" if with_archived(object) else None


def fetch_expected(reader: OrgReader, scope: ObjectScope) -> int:
    """How many live rows the org counts in a scope."""
    deleted = with_archived(scope.name)
    return sum(
        reader.fetch_count(
            f"SELECT COUNT() FROM {scope.name}{build_where(scope.where, alive(scope.name), parents)}", deleted=deleted
        )
        for parents in _parents(reader, scope.name)
    )


def fetch_all_rows(reader: OrgReader, shape: RowShape, scope: ObjectScope) -> Iterator[dict[str, Value]]:
    """All live rows of a scope over REST, one by one."""
    for parents in _parents(reader, scope.name):
        soql = build_query(shape, scope.where, alive(shape.object), parents)
        yield from reader.fetch_rows(soql, deleted=with_archived(shape.object))


def only_by_parent(object: str) -> bool:
    """Whether an object is only told for named parents, so that no job can read it."""
    return object in _BY_PARENT


def _parents(reader: OrgReader, object: str) -> Iterator[str | None]:
    """The conditions under which an object is asked for: none, or one for each group of its parents."""
    if object not in _BY_PARENT:
        yield None
        return
    name, parent = _BY_PARENT[object]
    rows = iter([str(row["Id"]) for row in reader.fetch_rows(f"SELECT Id FROM {parent}")])
    while group := list(islice(rows, _PARENTS_A_QUERY)):
        yield f"{name} IN ({', '.join(repr(one) for one in group)})"


def write_rows(file: PartFile, shape: RowShape, rows: Iterable[Mapping[str, Value]]) -> tuple[Part, int]:
    """Write rows that came as JSON into one part; returns it with the sum of its digests."""
    with PartWriter(file, shape.fields) as writer:
        waiting = iter(rows)
        while batch := list(islice(waiting, REST_ROWS)):
            writer.write(batch_of_rows(shape, batch))
    return writer.finish(), writer.digest_sum


def batch_of_rows(shape: RowShape, rows: Sequence[Mapping[str, Value]]) -> Any:
    """Rows that came as JSON in the layout of a part."""
    columns = {name: text_array(_texts([row.get(name) for row in rows])) for name in shape.columns}
    return build_batch(columns, shape)


def _texts(values: Iterable[Value]) -> list[str | None]:
    """`value_text` of each; most values are texts or null already, and need no call."""
    return [one if one is None or (type(one) is str and one) else value_text(one) for one in values]


def total(object: str, parts: Iterable[tuple[Part, int]]) -> ObjectCapture:
    """The capture of an object from its parts and their digest sums; empty parts are left out."""
    weighed = [(part, digests) for part, digests in parts if part.rows]
    kept = tuple(part for part, _ in weighed)
    digest_sum = sum(digests for _, digests in weighed) % DIGEST_MODULUS
    known = set(kept[0].filled).intersection(*(one.filled for one in kept)) if kept else set()
    filled = {name: sum(one.filled[name] for one in kept) for name in sorted(known)}
    return ObjectCapture(object, sum(one.rows for one in kept), f"{digest_sum:032x}", kept, filled=filled)


def part_file(working: Working, object: str, number: int) -> PartFile:
    """Where the part of this number of an object goes."""
    return PartFile(working.folder, f"{object}/part-{number:05d}.parquet", working.ulid, working.key)
