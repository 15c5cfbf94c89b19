"""What changed outside the scope since the baseline began: counted by object and by metadata type, named in the proof.

Of an object whose rows are chosen by a filter the others are outside too. Rows that metadata in scope covers, logs and
jobs of the platform, and companions of rows (history, feed, share) are no changes of their own; but shares that people
or Apex gave are (facts/data.md 4, row 31). A row that was deleted is a change, one that was made and deleted again is
none. Where an org refuses to count, the object is left out; the proof speaks only about its scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from rehearse import clock
from rehearse.baseline.component_types import CHILDREN
from rehearse.baseline.listing import fetch_items
from rehearse.baseline.model import Capture, ObjectScope
from rehearse.baseline.row_kinds import AS_METADATA, LOGS, NOT_ROWS, is_covered
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.org.model import MetadataType
from rehearse.reset.uncompared import first_second

AT_ONCE = 4


def count_outside(reader: OrgReader, before: Capture) -> dict[str, int]:
    """Changes since the baseline began, by object and by metadata type outside its scope; only those with any."""
    types = [one for one in reader.fetch_metadata_types() if one.name not in before.scope.types]
    asked = {one.name for one in types}
    types += _parts_of(types)
    inside = {one.name for one in before.scope.objects}
    objects = tuple(reader.fetch_objects())
    names = [
        one.name
        for one in objects
        if one.queryable
        and one.name not in inside
        and one.name not in LOGS
        and not one.name.endswith(NOT_ROWS)
        and not is_covered(one.name, before.scope.types)
        and not asked.intersection(AS_METADATA.get(one.name, ()))
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = dict(zip(names, pool.map(lambda one: _count_rows(reader, before, one), names), strict=True))
        items = {
            one.name: number
            for one, number in zip(types, pool.map(lambda one: _count_items(reader, before, one), types), strict=True)
        }
        given = [one.name for one in objects if one.queryable and one.name not in inside and shared(one.name) in inside]
        counts = pool.map(lambda one: _count_given(reader, before, one), given)
        shares = {f"{one} (given by hand)": number for one, number in zip(given, counts, strict=True)}
        filtered = [one for one in before.scope.objects if one.where]
        behind = dict(
            zip(
                (f"{one.name} outside its filter" for one in filtered),
                pool.map(lambda one: _count_behind(reader, before, one), filtered),
                strict=True,
            )
        )
    found = {name: number for name, number in {**rows, **behind, **shares, **items}.items() if number}
    return dict(sorted(found.items()))


def _parts_of(types: Sequence[MetadataType]) -> list[MetadataType]:
    """The types of what lives inside components of these (fields, rules): a new one leaves no date on the whole."""
    names = {child.type for one in types for child in CHILDREN.get(one.name, ())} - {one.name for one in types}
    listed = {name for one in types for name in one.children}
    return [MetadataType(name, "", None, False, False) for name in sorted(names & listed)]


def shared(name: str) -> str:
    """The object whose rows an object of shares gives away; nothing for other objects."""
    custom = name.removesuffix("__Share")
    return f"{custom}__c" if custom != name else name.removesuffix("Share") if name.endswith("Share") else ""


def _count_given(reader: OrgReader, before: Capture, share: str) -> int:
    """Shares that people or Apex gave or changed since; the platform sees to all others, and taken ones leave no trace.

    Reasons of Apex are named by the object, so they end in `__c` (object reference, AccountShare.RowCause).
    """
    by_apex = " OR RowCause LIKE '%__c'" if share.endswith("__Share") else ""
    since = clock.iso(first_second(before))
    with suppress(OrgRejected):
        where = f"LastModifiedDate >= {since} AND (RowCause = 'Manual'{by_apex})"
        return reader.fetch_count(f"SELECT COUNT() FROM {share} WHERE {where}")
    return 0


def _count_behind(reader: OrgReader, before: Capture, scope: ObjectScope) -> int:
    """Rows of a filtered object that the filter does not choose; one that left it counts here, and is an item too."""
    chosen = _count_rows(reader, before, scope.name, f" AND ({scope.where})")
    return max(0, _count_rows(reader, before, scope.name) - chosen)


def _count_rows(reader: OrgReader, before: Capture, name: str, more: str = "") -> int:
    """Rows written since, and rows in the bin that lived before; an object without a bin tells of living ones only,
    one without SystemModstamp (UserLogin) by when it was modified last."""
    since = clock.iso(first_second(before))
    written = f"SELECT COUNT() FROM {name} WHERE SystemModstamp >= {since}{more}"
    with suppress(OrgRejected):
        return reader.fetch_count(f"{written} AND (IsDeleted = false OR CreatedDate < {since})", deleted=True)
    for stamp in ("SystemModstamp", "LastModifiedDate"):
        with suppress(OrgRejected):
            return reader.fetch_count(f"SELECT COUNT() FROM {name} WHERE {stamp} >= {since}{more}")
    return 0


def _count_items(reader: OrgReader, before: Capture, type: MetadataType) -> int:
    """Components that were written since; deleted ones leave no trace in a list."""
    try:
        items, _ = fetch_items(reader, type)
    except OrgRejected:
        return 0
    return sum(1 for one in items if one.changed_at is not None and one.changed_at >= first_second(before))
