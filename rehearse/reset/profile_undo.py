"""Undoing grants of a profile: a deployment merges profiles, so what was granted since needs an explicit "off".

Pure. Profiles behave as a merge (facts/metadata.md 0, 3): an entry that the baseline does not have stays granted
until the same entry is deployed as off. Some sections have no off; they are reported, never claimed.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lxml import etree

from rehearse.baseline.canonical_xml import parse_xml, tag_of
from rehearse.reset.component_xml import set_text, text_at, write
from rehearse.reset.profile_layouts import SECTION, find_assigned, redirect

KEYS: Mapping[str, tuple[str, ...]] = {
    "applicationVisibilities": ("application",),
    "classAccesses": ("apexClass",),
    "customSettingAccesses": ("name",),
    "fieldPermissions": ("field",),
    "flowAccesses": ("flow",),
    "layoutAssignments": ("layout", "recordType"),
    "objectPermissions": ("object",),
    "pageAccesses": ("apexPage",),
    "recordTypeVisibilities": ("recordType",),
    "tabVisibilities": ("tab",),
    "userPermissions": ("name",),
    "customPermissions": ("name",),
    "customMetadataTypeAccesses": ("name",),
    "externalDataSourceAccesses": ("externalDataSource",),
}
"""Section -> what names an entry in it (facts/metadata.md 6.3)."""

OFF: Mapping[str, Mapping[str, str]] = {
    "applicationVisibilities": {"default": "false", "visible": "false"},
    "classAccesses": {"enabled": "false"},
    "pageAccesses": {"enabled": "false"},
    "flowAccesses": {"enabled": "false"},
    "customSettingAccesses": {"enabled": "false"},
    "externalDataSourceAccesses": {"enabled": "false"},
    "fieldPermissions": {"editable": "false", "readable": "false"},
    "objectPermissions": {
        name: "false"
        for name in ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")
    },
    "recordTypeVisibilities": {"default": "false", "visible": "false"},
    "tabVisibilities": {"visibility": "Hidden"},
    "userPermissions": {"enabled": "false"},
}
"""How an entry of a section is switched off; sections that are not here cannot be taken back by a deployment."""


TARGETS: Mapping[str, str] = {
    "applicationVisibilities": "CustomApplication",
    "classAccesses": "ApexClass",
    "customMetadataTypeAccesses": "CustomObject",
    "customPermissions": "CustomPermission",
    "customSettingAccesses": "CustomObject",
    "externalDataSourceAccesses": "ExternalDataSource",
    "fieldPermissions": "CustomField",
    "flowAccesses": "Flow",
    "layoutAssignments": "Layout",
    "objectPermissions": "CustomObject",
    "pageAccesses": "ApexPage",
    "tabVisibilities": "CustomTab",
}
"""Section -> type of the component that an entry is about; when that component goes, its entries go with it."""


def without_entries_of(root: Any, gone: Collection[tuple[str, str]]) -> Any:
    """A copy of a profile without the entries about the named components (type, full name)."""
    kept = copy.deepcopy(root)
    for element in list(kept):
        if any(place in gone for place in _places(element)):
            kept.remove(element)
    return kept


def without_assignments_of(root: Any, record_types: Collection[tuple[str, str]]) -> Any:
    """A copy of a profile without what assigns layouts to these record types: no deployment takes that away."""
    kept = copy.deepcopy(root)
    for element in list(kept):
        if tag_of(element) == SECTION and _record_type(element) in record_types:
            kept.remove(element)
    return kept


def is_about(root: Any, record_types: Collection[tuple[str, str]]) -> bool:
    """Whether a profile has entries about one of these record types."""
    return any(_record_type(one) in record_types for one in root)


def _places(element: Any) -> Iterator[tuple[str, str]]:
    """The components that an entry is about."""
    for name in KEYS.get(tag_of(element), ())[:1]:
        yield TARGETS.get(tag_of(element), ""), text_at(element, name) or ""
    yield _record_type(element)


def _record_type(element: Any) -> tuple[str, str]:
    return "RecordType", text_at(element, "recordType") or ""


def grants_more(before: Any, after: Any) -> bool:
    """Whether a profile has entries that it did not have at all: undone, or off already, they stay as entries."""
    known = {_key(one) for one in before}
    more = any(_key(one) not in known and tag_of(one) in OFF for one in after)
    return more or bool(find_assigned(before, after))


def overlay_profile(before: bytes, deployed: bytes) -> bytes:
    """The profile that a deployment would leave: its entries take the place of those of the same key, others stay."""
    root, new = parse_xml(before), parse_xml(deployed)
    if root is None or new is None:
        return deployed
    entries = {_key(one): one for one in root}
    entries.update({_key(one): one for one in new})
    root[:] = [copy.deepcopy(one) for one in entries.values()]
    return write(root)


def undo_profile(before: bytes, after: bytes) -> bytes:
    """The baseline's profile, with an explicit "off" for every entry that only the live one has, and its layouts."""
    root, live = parse_xml(before), parse_xml(after)
    if root is None or live is None:
        return before
    known = {_key(one) for one in root}
    for element in live:
        if _key(element) in known or tag_of(element) not in OFF or is_off(element):
            continue
        off = copy.deepcopy(element)
        for name, value in {**OFF[tag_of(element)], **dict.fromkeys(_granted(off), "false")}.items():
            set_text(off, name, value)
        root.append(off)
    root.extend([back for one in find_assigned(root, live) if (back := redirect(root, one)) is not None])
    root[:] = sorted(root, key=lambda one: (tag_of(one), _key(one)))
    return write(root)


def not_removable(before: bytes, after: bytes) -> tuple[str, ...]:
    """Sections in which the live profile has entries that no deployment can take back; a description that it got."""
    old, live = parse_xml(before), parse_xml(after)
    if old is None or live is None:
        return ()
    known = {_key(one) for one in old}
    found = {
        tag_of(one) for one in live
        if _key(one) not in known and tag_of(one) not in (*OFF, SECTION) and (len(one) or one.text)
    }  # fmt: skip
    found |= {SECTION for one in find_assigned(old, live) if redirect(old, one) is None}
    return tuple(sorted(found))


def without_off(root: Any) -> Any:
    """A copy of a profile without the entries that grant nothing."""
    kept = copy.deepcopy(root)
    for element in list(kept):
        if is_off(element):
            kept.remove(element)
    return kept


def is_off(element: Any) -> bool:
    """Whether an entry grants nothing."""
    off = OFF.get(tag_of(element), {})
    said = all((text_at(element, name) or value) == value for name, value in off.items())
    return bool(off) and said and not _granted(element)


def _granted(element: Any) -> list[str]:
    """What an entry grants by a plain yes: releases of Salesforce add to what there is (viewAllFields of objects)."""
    return [tag_of(one) for one in element if one.text == "true"]


def _key(element: Any) -> tuple[str, ...]:
    section = tag_of(element)
    names = KEYS.get(section)
    if names is None:
        return (section, str(etree.tostring(element, method="c14n")) if len(element) else "")
    return (section, *(text_at(element, name) or "" for name in names))
