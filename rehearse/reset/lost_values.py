"""Values that a deleted field or object took along: does the baseline hold them, and can they be written back at all?

A field or object that is deployed again is a new, empty one (facts/metadata.md 0, 7). Where the baseline holds every
row's value these are written again; where it does not (another scope, a filter, masked values) or nothing can write
them (auto-numbers), only Setup brings them back, for 15 days; a deployment before that would stand in its way. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearse.baseline.model import Capture
from rehearse.baseline.scope import DEMAND_FILTER
from rehearse.reset.component_xml import text_at
from rehearse.reset.inputs import MetadataBook

SHARED: Mapping[str, tuple[str, ...]] = {"Activity": ("Task", "Event")}
"""Custom fields of Activity are fields of both (Object reference, Activity)."""
WITHOUT_ROWS = ("__e", "__mdt", "__x")
"""Platform events keep no rows, those of custom metadata are metadata, those of external objects lie elsewhere."""

_GIVING_ACCESS = frozenset({"Profile", "PermissionSet"})
_GIVEN_ACCESS = frozenset({
    "ApexClass", "ApexPage", "CustomApplication", "CustomField", "CustomObject", "CustomPermission", "CustomTab",
    "RecordType",
})  # fmt: skip
"""Types that profiles and permission sets have entries about (Metadata API guide, Profile; PermissionSet)."""

MARKS: Mapping[str | None, str] = {"AutoNumber": "auto-number", "MasterDetail": "master-detail"}
"""Types of fields that no deployment and no call puts back as they were."""


def held_fields(capture: Capture) -> dict[str, frozenset[str]]:
    """The objects of which a capture holds every row, with the fields that it holds."""
    whole = [one for one in capture.scope.objects if one.where in (None, DEMAND_FILTER.get(one.name))]
    return {one.name: frozenset(field.name for field in one.fields) for one in whole}


def loss_marks(book: MetadataBook, type: str, full_name: str, old: Any) -> set[str]:
    """Marks of a field or object of the baseline that is gone, or has another type; `old`: its element there."""
    if type == "CustomObject" and full_name.endswith(("__b", "__mdt")):
        return set() if _are_records_held(book, full_name) else {"rows-unheld"}
    if type == "CustomObject" and full_name.endswith("__c"):
        if book.held is not None and full_name not in book.held:
            return {"rows-unheld"}
        return _fill_marks(book)
    if type != "CustomField" or old is None or _with_object(book, full_name):
        return set()
    kind = text_at(old, "type")
    if kind == "Summary" or text_at(old, "formula") is not None:
        return set()
    marks = {MARKS[kind]} if kind in MARKS else set()
    if not _open_to_all(old) and not full_name.partition(".")[0].endswith(WITHOUT_ROWS):
        marks |= _fill_marks(book)
    return marks if _is_held(book, full_name) else marks | {"values-unheld"}


def _fill_marks(book: MetadataBook) -> set[str]:
    """A field that is made anew is hidden from everybody until a profile or permission set says otherwise."""
    return {"unfillable"} if book.types is not None and book.types.isdisjoint(_GIVING_ACCESS) else set()


def access_marks(book: MetadataBook, type: str, old: Any) -> set[str]:
    """A mark of a deleted component to which people had access that the baseline does not hold.

    Profiles and permission sets lose their entries about it, and a deployment grants nobody any (facts/metadata.md
    3.6). A field that must be filled has no access of its own (Metadata API guide, Profile, fieldPermissions).
    """
    if book.types is None or type not in _GIVEN_ACCESS or book.types.issuperset(_GIVING_ACCESS):
        return set()
    if type == "CustomField" and old is not None and _open_to_all(old):
        return set()
    return {"access-unheld"}


def _open_to_all(field: Any) -> bool:
    return text_at(field, "required") == "true" or text_at(field, "type") == "MasterDetail"


def goes_with(book: MetadataBook, type: str, full_name: str) -> str:
    """The object whose rows nobody holds and whose part a deleted component is: it comes back with that object."""
    object = full_name.partition(".")[0].partition("-")[0]
    place = ("CustomObject", object)
    lost = place in book.before and place not in book.after and (type, full_name) != place
    return object if lost and loss_marks(book, *place, None) else ""


def _with_object(book: MetadataBook, full_name: str) -> bool:
    """Whether a field went with its object, whose rows come back, or do not, as a whole."""
    place = ("CustomObject", full_name.partition(".")[0])
    return place in book.before and place not in book.after


def _are_records_held(book: MetadataBook, object: str) -> bool:
    """Whether a baseline has the records of a type of custom metadata; those of a big object no baseline has."""
    if object.endswith("__mdt"):
        return book.types is None or "CustomMetadata" in book.types
    return book.held is None


def _is_held(book: MetadataBook, full_name: str) -> bool:
    object, _, name = full_name.partition(".")
    if object.endswith("__mdt"):
        return _are_records_held(book, object)
    if book.held is None or object.endswith(WITHOUT_ROWS):
        return True
    return all(name in book.held.get(one, ()) for one in SHARED.get(object, (object,)))
