"""Rows that changed although their own stamp may not have moved: lookups that were cleared, or that came back.

When a row goes to the bin, optional lookups that point at it become null; when it comes back, they are restored
(facts/data.md 3, Cascade, and 4, row 6). Salesforce does not say whether the stamps of the pointing rows move, so such
rows are looked for from the side of the parent, in scope or not. Lookups to rows that were purged before anybody asked
are not found so; `lookup_counts.py` sees that some are empty, and then the object is read whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pyarrow.compute as pc

from rehearse import clock
from rehearse.baseline.canonical_arrays import text_array
from rehearse.baseline.layers import LayeredPart, read_layer
from rehearse.baseline.model import Capture, ObjectCapture, ObjectScope
from rehearse.baseline.record_parts import RowShape
from rehearse.baseline.record_store import CaptureStore, find_object
from rehearse.baseline.settle import OVERLAP, fetch_deleted
from rehearse.errors import OrgRejected
from rehearse.ids import to_18
from rehearse.org.model import Row, Schema
from rehearse.org.reader import OrgReader

IDS_A_QUERY = 200
_A_PAGE = 2_000
"""Rows that one answer of a query holds at the most (REST guide, query)."""
_SYSTEM = frozenset({"OwnerId", "RecordTypeId", "CreatedById", "LastModifiedById"})
"""References to users, queues and record types: these do not come and go through the bin."""


@dataclass
class Base:
    """An earlier capture to build on, and what went and came in objects that rows point at (asked once each).

    `changed_fields`: the custom fields that were made, changed or deleted since; None where nobody knows.
    """

    capture: Capture
    store: CaptureStore
    reader: OrgReader
    schemas: Mapping[str, Schema]
    changed_fields: frozenset[str] | None
    _asked: dict[tuple[str, str], Future[Any]] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock)

    @property
    def since(self) -> str:
        """From when on a row may have changed unseen, as SOQL writes it."""
        return f"{self.capture.started - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"

    def gone(self, object: str) -> frozenset[str]:
        """The rows of an object that went to the bin since, in scope or not."""
        return self._moved(object).gone

    def live(self, object: str) -> int | None:
        """How many live rows of an object, in scope or not, changed since; None where they are too many to tell."""
        return self._moved(object).live

    def returned(self, object: str) -> frozenset[str]:
        """Older rows of an object that changed since and that the base does not hold: they may come from the bin."""
        found: frozenset[str] = self._once("returned", object, lambda: self._fetch_returned(object))
        return found

    def _moved(self, object: str) -> _Moved:
        found: _Moved = self._once("moved", object, lambda: self._fetch_moved(object))
        return found

    def _once(self, what: str, object: str, fetch: Callable[[], Any]) -> Any:
        """Ask once, whoever asks first; others wait for that answer, and nobody for another one."""
        mine: Future[Any] = Future()
        with self._lock:
            known = self._asked.setdefault((what, object), mine)
        if known is mine:
            try:
                mine.set_result(fetch())
            except BaseException as error:
                mine.set_exception(error)
        return known.result()

    def _fetch_moved(self, object: str) -> _Moved:
        """One question where a page holds the answer; else what went is asked for alone."""
        soql = f"SELECT Id, IsDeleted, CreatedDate FROM {object} WHERE SystemModstamp >= {self.since} LIMIT {_A_PAGE}"
        with suppress(OrgRejected):  # no recycle bin, or no such date
            rows = list(self.reader.fetch_rows(soql, deleted=True))
            if len(rows) < _A_PAGE:
                live = [row for row in rows if not row["IsDeleted"]]
                older = frozenset(_id(row) for row in live if self._is_older(row))
                return _Moved(frozenset(_id(row) for row in rows if row["IsDeleted"]), older, len(live))
        return _Moved(frozenset(fetch_deleted(self.reader, RowShape(object, ()), self.since)), None, None)

    def _is_older(self, row: Row) -> bool:
        return clock.from_iso(str(row["CreatedDate"])) < clock.from_iso(self.since)

    def _fetch_older(self, object: str) -> frozenset[str]:
        """The live rows that changed since and were made before."""
        if (older := self._moved(object).older) is not None:
            return older
        where = f"SystemModstamp >= {self.since} AND CreatedDate < {self.since}"
        return frozenset(_id(row) for row in self.reader.fetch_rows(f"SELECT Id FROM {object} WHERE {where}"))

    def _fetch_returned(self, object: str) -> frozenset[str]:
        try:
            ids = self._fetch_older(object)
            if not ids or not (self.schemas.get(object) or self.reader.fetch_schema(object)).undeletable:
                return frozenset()
        except OrgRejected:
            return frozenset()  # nothing of it can be asked, so nothing of it is known to be back
        old = find_object(self.capture, object)
        parts = self.store.open_parts(self.capture.ulid, old) if old is not None else []
        return ids - {one for part in parts for one in _ids(part, sorted(ids))}


@dataclass(frozen=True)
class _Moved:
    """What moved in an object: what went to the bin, what lives and was made before, and how many live in all."""

    gone: frozenset[str]
    older: frozenset[str] | None
    live: int | None


def _id(row: Row) -> str:
    return to_18(str(row["Id"]))


def find_silent(base: Base, old: ObjectCapture, schema: Schema, scope: ObjectScope) -> set[str]:
    """The rows of an object whose lookups pointed at what went since, or point at what came back."""
    gone: dict[str, Collection[str]] = {}
    found: set[str] = set()
    for one in scope.fields:
        described = schema.field(one.name)
        if one.type != "reference" or one.name in _SYSTEM or described is None:
            continue
        lost = frozenset[str]().union(*(base.gone(target) for target in described.reference_to))
        if lost:
            gone[one.name] = lost
        back = frozenset[str]().union(*(base.returned(target) for target in described.reference_to))
        found |= _fetch_pointing(base.reader, scope.name, one.name, sorted(back))
    return found | (_find_pointing(base.store.open_parts(base.capture.ulid, old), gone) if gone else set())


def _fetch_pointing(reader: OrgReader, object: str, name: str, ids: Sequence[str]) -> set[str]:
    """The live rows whose lookup holds one of these ids now."""
    found: set[str] = set()
    for start in range(0, len(ids), IDS_A_QUERY):
        listed = ", ".join(f"'{one}'" for one in ids[start : start + IDS_A_QUERY])
        for row in reader.fetch_rows(f"SELECT Id FROM {object} WHERE {name} IN ({listed})"):
            found.add(to_18(str(row["Id"])))
    return found


def _find_pointing(parts: Sequence[LayeredPart], lookups: Mapping[str, Collection[str]]) -> set[str]:
    """The captured rows whose lookups held one of these ids."""
    found: set[str] = set()
    for part in parts:
        for batch in read_layer(part, ["Id", *lookups]):
            rows: Any = batch
            for name, gone in lookups.items():
                fits = rows.filter(pc.is_in(rows.column(name), text_array(sorted(gone))))
                found.update(fits.column("Id").to_pylist())
    return found


def _ids(part: LayeredPart, ids: Sequence[str]) -> Iterator[str]:
    for batch in read_layer(part, ["Id"], ids):
        rows: Any = batch
        yield from rows.column("Id").to_pylist()
