"""What can be observed on one changed component that decides how it can be undone, and what a residue looks like.

Pure. A residue is claimed only when the live file shows exactly that residue: a record type that is there but
inactive, a picklist that has nothing more than inactive values. Anything else that differs is a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from lxml import etree

from rehearse.baseline.canonical_xml import canonical_form, parse_xml, tag_of
from rehearse.baseline.component_types import PARENT_OF
from rehearse.baseline.components import find_child
from rehearse.baseline.model import Component
from rehearse.reset import component_xml as xml
from rehearse.reset.change_marks import change_marks, is_of_platform, lost_marks, translation_marks
from rehearse.reset.component_names import is_managed
from rehearse.reset.flow_states import flow_marks, flow_of
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.lost_values import access_marks, loss_marks
from rehearse.reset.profile_layouts import without_redirected
from rehearse.reset.profile_undo import (
    grants_more,
    is_about,
    not_removable,
    without_assignments_of,
    without_entries_of,
    without_off,
)

AUTOMATION = frozenset({
    "ValidationRule", "ApexTrigger", "Flow", "FlowDefinition", "WorkflowRule", "DuplicateRule", "AssignmentRule",
    "AutoResponseRule", "EscalationRule", "ApprovalProcess", "MatchingRule", "Territory2Rule",
})  # fmt: skip
"""Types that act when rows are written: what the rehearsal added of them goes before rows are touched."""

FLOW_TYPES = frozenset({"Flow", "FlowDefinition"})

OFF: Mapping[str, tuple[str, str]] = {
    "ApprovalProcess": ("active", "false"),
    "MatchingRule": ("ruleStatus", "Inactive"),
    "RecordType": ("active", "false"),
}
"""What is deployed inactive where it was added: the element that says so, and what it says (facts/metadata.md 4.1)."""


def element_of(component: Component, files: Mapping[str, bytes]) -> Any | None:
    """The XML element of a component: its own root, or its element in the container's file; None for code files."""
    path = next((one for one in component.files if one in files and not one.endswith("-meta.xml")), None)
    root = parse_xml(files[path]) if path else None
    if root is None or component.type not in PARENT_OF:
        return root
    dotted = PARENT_OF[component.type][1].dotted
    name = component.full_name.partition(".")[2] if dotted else component.full_name
    return find_child(root, component.type, name)


def component_marks(book: MetadataBook, type: str, full_name: str) -> set[str]:
    """Marks of a changed component, from both files."""
    before, after = book.before.get((type, full_name)), book.after.get((type, full_name))
    marks: set[str] = {"managed"} if is_managed(type, full_name) else set()
    if type in FLOW_TYPES:
        return flow_marks(book, flow_of(full_name))
    if is_of_platform(type, full_name) and (before is not None or book.types is not None):
        marks.add("standard")
    if before is not None and after is None:
        gone = element_of(before, book.files_before)
        marks |= loss_marks(book, type, full_name, gone) | access_marks(book, type, gone)
        return marks | lost_marks(type, gone)
    if before is None and _is_used_by_record_type(book, type, full_name):
        marks.add("record-type-uses")
    if after is None:
        return marks
    old, new = element_of(before, book.files_before) if before else None, element_of(after, book.files_after)
    if new is not None:
        added = {key for key in book.after if key not in book.before and key != (type, full_name)}
        marks |= translation_marks((type, full_name), old, new, added)
    if old is None or new is None:
        return marks
    if set(xml.picklist_values(new)) - set(xml.picklist_values(old)):
        marks.add("value-added")
    if type == "CustomField":
        if xml.text_at(old, "type") != xml.text_at(new, "type"):
            marks |= {"type-changed", *(loss_marks(book, type, full_name, old) & {"values-unheld"})}
        if _depends_more(old, new):
            marks.add("dependency-added")
    if type == "Profile":
        marks |= _profile_marks(book, old, new)
    return marks | change_marks(type, old, new)


_USED = {"BusinessProcess": "businessProcess", "CompactLayout": "compactLayoutAssignment"}
"""What record types use of their object -> the element that names it."""


def _is_used_by_record_type(book: MetadataBook, type: str, full_name: str) -> bool:
    """Whether a record type that was added too, and that no API deletes, uses an added component."""
    object, _, name = full_name.partition(".")
    return type in _USED and any(
        (kind, key.partition(".")[0]) == ("RecordType", object)
        and (kind, key) not in book.before
        and (element := element_of(one, book.files_after)) is not None
        and xml.text_at(element, _USED[type]) == name
        for (kind, key), one in book.after.items()
    )


def _depends_more(old: Any, new: Any) -> bool:
    """Whether a picklist depends on another one since, or old values on more of its values: no API takes that away."""
    controlled = [xml.text_at(one, "valueSet/controllingField") is not None for one in (old, new)]
    values = xml.picklist_values(old)
    more = {one for one in xml.dependencies(new) - xml.dependencies(old) if not values or one[0] in values}
    return controlled == [False, True] or bool(more)


def _profile_marks(book: MetadataBook, old: Any, new: Any) -> set[str]:
    """Entries about what the rehearsal added go with it and decide nothing."""
    added = {key for key in book.after if key not in book.before}
    left = without_entries_of(new, added)
    marks = {"grant-added"} if grants_more(old, left) or is_about(new, added) else set()
    if not_removable(etree.tostring(old), etree.tostring(left)):
        marks.add("profile-not-removable")
    return marks


def allows_more(book: MetadataBook, type: str, full_name: str) -> bool:
    """Whether a field lets rows be what the baseline's field would refuse: another master, a value twice.

    Such a field is put back after the rows, which otherwise could not be written back at all.
    """
    before, after = book.before.get((type, full_name)), book.after.get((type, full_name))
    if type != "CustomField" or before is None or after is None:
        return False
    old, new = element_of(before, book.files_before), element_of(after, book.files_after)
    if old is None or new is None:
        return False
    reparents = [xml.text_at(one, "reparentableMasterDetail") == "true" for one in (old, new)]
    unique = [xml.text_at(one, "unique") == "true" for one in (old, new)]
    return reparents == [False, True] or unique == [True, False]


def is_off_before_deletion(book: MetadataBook, type: str, full_name: str) -> bool:
    """Whether an added component can be deleted as it is; approval processes and matching rules not while they act."""
    after = book.after.get((type, full_name))
    if type not in OFF or type == "RecordType" or after is None:
        return True
    element = element_of(after, book.files_after)
    return element is None or xml.text_at(element, OFF[type][0]) in (OFF[type][1], None)


def is_active(component: Component | None, files: Mapping[str, bytes]) -> bool:
    """Whether a piece of automation acts at present; what cannot be read counts as active."""
    if component is None:
        return False
    for path in component.files:
        if path.endswith("-meta.xml") and path in files:
            root = parse_xml(files[path])
            return root is None or xml.text_at(root, "status") != "Inactive"
    element = element_of(component, files)
    return element is None or xml.text_at(element, "active") != "false"


def residue_of(book: MetadataBook, type: str, full_name: str) -> str | None:
    """What is left of an undone component, in words; None when the difference is more than a known residue."""
    before, after = book.before.get((type, full_name)), book.after.get((type, full_name))
    new = element_of(after, book.files_after) if after else None
    if new is None or after is None:
        return None
    if type == "RecordType" and before is None and xml.text_at(new, "active") == "false":
        return "the record type stays, inactive"
    old = element_of(before, book.files_before) if before else None
    if old is None:
        return None
    if type == "Profile":
        left = without_assignments_of(new, {key for key in book.after if key not in book.before})
        left = without_redirected(old, left)
        same = canonical_form(without_off(old)) == canonical_form(without_off(left))
        stay = "; so do layouts that were assigned to record types" if len(left) < len(new) else ""
        return f"entries that were granted stay in the profile, switched off{stay}" if same else None
    extra = set(xml.picklist_values(new)) - set(xml.picklist_values(old))
    if extra and not any(xml.picklist_values(new)[one] for one in extra) and _same_without(old, new, extra):
        return f"inactive picklist values stay: {len(extra)}"
    return None


def _same_without(old: Any, new: Any, extra: set[str]) -> bool:
    """Whether two elements mean the same once the named picklist values are taken out of the new one."""
    stripped = deepcopy(new)
    for one in list(stripped.iter()):
        tag = tag_of(one)
        value = tag in ("value", "customValue", "standardValue") and xml.text_at(one, "fullName") in extra
        if value or (tag == "valueSettings" and xml.text_at(one, "valueName") in extra):
            one.getparent().remove(one)
    return canonical_form(stripped) == canonical_form(old)
