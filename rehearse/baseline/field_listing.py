"""The custom fields of an org as it lists them, kept beside a capture: the next one sees which were made or changed.

A field that was deleted and made again is empty, and one whose type was changed there and back may have lost digits:
neither moves a row's stamp (facts/metadata.md 4.1; facts/data.md 3). So an object with such a field is read whole. And
what names fields, as reports do, may follow them without a date of its own. Where the org will not list its fields,
nothing is known, and nothing is built on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rehearse import clock
from rehearse.errors import OrgRejected
from rehearse.org.model import MetadataItem
from rehearse.org.reader import OrgReader

FIELDS = "CustomField"
_ALSO = {"Task": ("Activity",), "Event": ("Activity",), "Account": ("Contact",)}
"""Objects that show the custom fields of another one: activities share theirs, person accounts show their contact's."""
Key = tuple[str, str]
Dated = tuple[str, str]


def fetch_fields(reader: OrgReader) -> tuple[MetadataItem, ...] | None:
    """All custom fields, those of packages as well; None where the org will not list them."""
    try:
        return tuple(reader.fetch_metadata_items(FIELDS))
    except OrgRejected:
        return None


def dates_of_fields(items: Sequence[MetadataItem] | None) -> dict[Key, Dated]:
    """What is kept of a list of fields; one nameless entry says that they were listed."""
    if items is None:
        return {}
    found = {(FIELDS, one.full_name): (one.id, clock.iso(one.changed_at) if one.changed_at else "") for one in items}
    return {**found, (FIELDS, ""): ("listed", "")}


def changed_fields(
    before: Mapping[Key, Dated], now: Sequence[MetadataItem] | None, since: datetime
) -> frozenset[str] | None:
    """The fields that came, went or were changed between two lists, or since an instant; None: nobody knows."""
    old = {key: dated for key, dated in before.items() if key[0] == FIELDS}
    new = dates_of_fields(now)
    if not old or not new:
        return None
    moved = {key[1] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return (fields_since(now, since) or frozenset()) | moved


def fields_since(now: Sequence[MetadataItem] | None, since: datetime) -> frozenset[str] | None:
    """The fields that were made or changed since an instant, and those without an id; None: nobody knows."""
    if now is None:
        return None
    edge = since.replace(microsecond=0)
    return frozenset(one.full_name for one in now if not one.id or (one.changed_at and one.changed_at >= edge))


def is_redefined(object: str, changed: frozenset[str] | None) -> bool:
    """Whether values of an object may have changed with its fields, or nobody knows."""
    if changed is None:
        return True
    objects = {one.partition(".")[0] for one in changed}
    return bool(objects & {object, *_ALSO.get(object, ())})
