"""How many rows of an object there are, and how many hold each look-up: the org's own count against what was read.

A row that was deleted for good is in no bin, and look-ups that pointed at it are empty without a stamp (facts/data.md
3, Cascade). Nobody can say which; but there are fewer, and one aggregate query tells. Where the numbers differ, or the
org will not count, the object is read whole. What was read is counted as it is written, and what an increment takes
over is not counted again: only what it hides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearse.baseline.model import ObjectCapture, ObjectScope
from rehearse.baseline.row_reading import alive, build_where, fetch_expected, only_by_parent, with_archived
from rehearse.errors import OrgRejected
from rehearse.org.reader import OrgReader

_NEVER_EMPTY = frozenset({"OwnerId", "CreatedById", "LastModifiedById"})
_MOST = 50
"""Aggregates a query; an alias is given to each."""


@dataclass(frozen=True)
class Counts:
    """What an org counts of the live rows of a scope: all, and those that hold each look-up (None: it will not say)."""

    rows: int
    filled: Mapping[str, int] | None


def lookups_of(scope: ObjectScope) -> list[str]:
    """The references of an object that can be empty, record types among them."""
    return [one.name for one in scope.fields if one.type == "reference" and one.name not in _NEVER_EMPTY]


def fetch_counts(reader: OrgReader, scope: ObjectScope) -> Counts:
    """What the org counts in a scope, in one query as a rule. Raises OrgRejected where it will not count its rows."""
    names = lookups_of(scope)
    if names and not only_by_parent(scope.name):
        try:
            return _fetch_aggregates(reader, scope, names)
        except OrgRejected:
            return Counts(fetch_expected(reader, scope), None)
    return Counts(fetch_expected(reader, scope), None if names else {})


def _fetch_aggregates(reader: OrgReader, scope: ObjectScope, names: Sequence[str]) -> Counts:
    """COUNT(Id) counts what COUNT() does: no row is without an Id (SOQL reference, COUNT(fieldName))."""
    where, deleted = build_where(scope.where, alive(scope.name)), with_archived(scope.name)
    rows = 0
    found: dict[str, int] = {}
    for start in range(0, len(names), _MOST):
        asked = names[start : start + _MOST]
        counts = ", ".join(f"COUNT({name}) c{place}" for place, name in enumerate(asked))
        rows_told = list(reader.fetch_rows(f"SELECT COUNT(Id) c, {counts} FROM {scope.name}{where}", deleted=deleted))
        if len(rows_told) != 1:
            raise OrgRejected("INCOMPLETE", f"{len(rows_told)} rows where one was asked for", f"Counting {scope.name}")
        row = rows_told[0]
        rows = int(row["c"] or 0)
        found |= {name: int(row[f"c{place}"] or 0) for place, name in enumerate(asked)}
    return Counts(rows, found)


def count_lookups(
    names: Sequence[str], found: ObjectCapture, read: Callable[[Sequence[str]], Iterable[Any]]
) -> dict[str, int]:
    """The same of rows that were read: as counted when they were written, else from their batches (`read` columns)."""
    if not found.rows or all(name in found.filled for name in names):
        return {name: found.filled.get(name, 0) for name in names}
    return count_filled(names, read(names))


def count_filled(names: Sequence[str], batches: Iterable[Any]) -> dict[str, int]:
    """How many rows of some batches hold each of the named look-ups."""
    counted = dict.fromkeys(names, 0)
    for batch in batches:
        for name in names:
            column = batch.column(name)
            counted[name] += len(column) - column.null_count
    return counted
