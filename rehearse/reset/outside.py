"""What changed outside the scope since the baseline began: counted by object and by metadata type, named in the proof.

Of an object whose rows are chosen by a filter the others are outside too. Rows that metadata in scope covers, logs and
jobs of the platform, and companions of rows (history, feed, share) are no changes of their own; but shares that people
or Apex gave are (facts/data.md 4, row 31). A row that was deleted is a change, one that was made and deleted again is
none. Where an org refuses to count (big objects, external ones), an object of data is named; the proof speaks only of
its scope.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from rehearse import clock
from rehearse.baseline.component_types import CHILDREN
from rehearse.baseline.listing import fetch_items
from rehearse.baseline.model import Capture, ObjectScope
from rehearse.baseline.row_kinds import LOGS, NOT_DATA, NOT_ROWS, is_covered, metadata_of
from rehearse.baseline.scope import DEMAND_FILTER
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.org.model import MetadataType
from rehearse.reset.uncompared import first_second

AT_ONCE = 4


UNCOUNTED = "nobody can count what was written there"


def count_outside(reader: OrgReader, before: Capture, uncounted: list[str] | None = None) -> dict[str, int]:
    """Changes since the baseline began, by object and by metadata type outside its scope; only those with any.

    Objects of people's data that the org does not count are added to `uncounted`, in a sentence each.
    """
    types = [one for one in reader.fetch_metadata_types() if one.name not in before.scope.types]
    asked = {one.name for one in types}
    types += _parts_of(types)
    inside = {one.name for one in before.scope.objects}
    objects = [one for one in reader.fetch_objects() if one.queryable and one.name not in inside]
    names = [one.name for one in objects if _has_changes(one.name, before, asked)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        demands = {one: f" AND ({where})" for one, where in DEMAND_FILTER.items()}
        numbers = pool.map(lambda one: _count_rows(reader, before, one, demands.get(one, "")), names)
        rows = dict(zip(names, numbers, strict=True))
        items = {
            one.name: number
            for one, number in zip(types, pool.map(lambda one: _count_items(reader, before, one), types), strict=True)
        }
        given = [one.name for one in objects if shared(one.name) in inside]
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
    if uncounted is not None:
        telling = {one.name for one in objects if one.layoutable or one.name.endswith(NOT_DATA)}
        uncounted += [f"records {one}: {UNCOUNTED}" for one, n in rows.items() if n is None and one in telling]
    found = {name: number for name, number in {**rows, **behind, **shares, **items}.items() if number}
    return dict(sorted(found.items()))


def _has_changes(name: str, before: Capture, asked: Collection[str]) -> bool:
    """Whether rows of an object outside the scope change by themselves, and not as metadata or by the platform."""
    told = name in LOGS or name.endswith(NOT_ROWS) or is_covered(name, before.scope.types)
    return not told and not set(asked).intersection(metadata_of(name))


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
    chosen = _count_rows(reader, before, scope.name, f" AND ({scope.where})") or 0
    return max(0, (_count_rows(reader, before, scope.name) or 0) - chosen)


def _count_rows(reader: OrgReader, before: Capture, name: str, more: str = "") -> int | None:
    """Rows written since, and rows in the bin that lived before; an object without a bin tells of living ones only,
    one without SystemModstamp (UserLogin) by when it was modified last. None where the org refuses to count."""
    since = clock.iso(first_second(before))
    written = f"SELECT COUNT() FROM {name} WHERE SystemModstamp >= {since}{more}"
    with suppress(OrgRejected):
        return reader.fetch_count(f"{written} AND (IsDeleted = false OR CreatedDate < {since})", deleted=True)
    for stamp in ("SystemModstamp", "LastModifiedDate"):
        with suppress(OrgRejected):
            return reader.fetch_count(f"SELECT COUNT() FROM {name} WHERE {stamp} >= {since}{more}")
    return None


def _count_items(reader: OrgReader, before: Capture, type: MetadataType) -> int:
    """Components that were written since; deleted ones leave no trace in a list."""
    try:
        items, _ = fetch_items(reader, type)
    except OrgRejected:
        return 0
    return sum(1 for one in items if one.changed_at is not None and one.changed_at >= first_second(before))
