"""How many rows of an object hold each look-up: the org's own count against that of an increment.

A row that was deleted for good is in no bin, and look-ups that pointed at it are empty without a stamp (facts/data.md
3, Cascade). Nobody can say which; but there are fewer, and one aggregate query tells. Where the numbers differ, or the
org will not count, the object is read whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rehearse.baseline.layers import LayeredPart, read_layer
from rehearse.baseline.model import ObjectScope
from rehearse.baseline.record_parts import PartFile, read_part
from rehearse.baseline.row_reading import alive, build_where, with_archived
from rehearse.org.reader import OrgReader

_NEVER_EMPTY = frozenset({"OwnerId", "CreatedById", "LastModifiedById"})
_MOST = 50
"""Aggregates a query; an alias is given to each."""


def lookups_of(scope: ObjectScope) -> list[str]:
    """The references of an object that can be empty, record types among them."""
    return [one.name for one in scope.fields if one.type == "reference" and one.name not in _NEVER_EMPTY]


def fetch_lookup_counts(reader: OrgReader, scope: ObjectScope) -> dict[str, int]:
    """How many live rows of a scope hold each look-up, by the org. Raises OrgRejected where it will not count."""
    names = lookups_of(scope)
    where = build_where(scope.where, alive(scope.name))
    found: dict[str, int] = {}
    for start in range(0, len(names), _MOST):
        asked = names[start : start + _MOST]
        counts = ", ".join(f"COUNT({name}) c{place}" for place, name in enumerate(asked))
        (row,) = reader.fetch_rows(f"SELECT {counts} FROM {scope.name}{where}", deleted=with_archived(scope.name))
        found |= {name: int(row[f"c{place}"] or 0) for place, name in enumerate(asked)}
    return found


def count_lookups(
    names: Sequence[str], parts: Iterable[LayeredPart], hidden: Sequence[str], delta: Iterable[PartFile]
) -> dict[str, int]:
    """The same of the rows in layers, without those with hidden (sorted) ids, and with those of the delta."""
    found = dict.fromkeys(names, 0)
    if not names:
        return found
    for part in parts:
        _add(found, read_layer(part, names), 1)
        if hidden:
            _add(found, read_layer(part, ["Id", *names], hidden), -1)
    for file in delta:
        _add(found, read_part(file, names), 1)
    return found


def _add(found: dict[str, int], batches: Iterable[Any], sign: int) -> None:
    for batch in batches:
        for name in found:
            column = batch.column(name)
            found[name] += sign * (len(column) - column.null_count)
