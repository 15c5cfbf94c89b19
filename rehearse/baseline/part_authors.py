"""Who last wrote a component that shares its file with others: a field, a rule, a list view, a label.

A capture lists files, and a file has one author; its parts have theirs in lists of their own. Those are asked for only
where something differs, three types a call. What the org does not list stays without an author; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from rehearse.baseline.component_types import PARENT_OF
from rehearse.baseline.listing import FROM_TOOLING
from rehearse.baseline.model import Change
from rehearse.errors import OrgRejected
from rehearse.org.metadata import LISTS_A_CALL
from rehearse.org.model import MetadataItem
from rehearse.org.reader import OrgReader

PARTS = frozenset({*PARENT_OF, FROM_TOOLING})
"""Types of which a capture does not know who wrote them."""

Authors = Mapping[tuple[str, str], MetadataItem]


def fetch_part_authors(reader: OrgReader, types: Iterable[str]) -> Authors:
    """The listed components of those of these types that are parts, by type and full name. Raises OrgUnreachable."""
    asked = sorted(PARTS.intersection(types))
    found: dict[tuple[str, str], MetadataItem] = {}
    for start in range(0, len(asked), LISTS_A_CALL):
        for type, items in _fetch_lists(reader, asked[start : start + LISTS_A_CALL]).items():
            found |= {(type, one.full_name): one for one in items}
    return found


def _fetch_lists(reader: OrgReader, types: Sequence[str]) -> Mapping[str, Sequence[MetadataItem]]:
    if len(types) > 1:
        with suppress(OrgRejected):  # one type that is not listed spoils the others
            together = reader.fetch_metadata_lists(types)
            if together is not None:
                return together
    found: dict[str, Sequence[MetadataItem]] = {}
    for one in types:
        with suppress(OrgRejected):
            found[one] = reader.fetch_metadata_items(one)
    return found


def with_authors(reader: OrgReader, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes with who wrote what is there now, and when, also of components that are parts of a file."""
    nameless = {one.type for one in changes if one.kind == "component" and one.after is not None and not one.by}
    authors = fetch_part_authors(reader, nameless)
    return tuple(_signed(one, authors) for one in changes)


def _signed(change: Change, authors: Authors) -> Change:
    item = authors.get((change.type, change.key)) if change.kind == "component" and change.after is not None else None
    return change if item is None or change.by else replace(change, by=item.changed_by, at=item.changed_at)
