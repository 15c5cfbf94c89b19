"""The canonical form of metadata XML: two files that mean the same have one form, whatever their order and layout.

Salesforce returns the elements of a list in any order and the tags of a type in schema order; both are ignored, except
where order means something (picklist values, layout sections, rule entries, numbered conditions). Indentation,
comments, attributes other than xsi:type and xsi:nil, and the noise listed in `_is_noise` never count
(facts/metadata.md 6.2). The elements of a container get readable names by their keys (6.3), so that a change can say
`fieldPermissions[Invoice__c.Due__c].editable`. Compare with this form; deploy the org's own bytes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rehearse.baseline.metadata_xml import NAMESPACE as NAMESPACE
from rehearse.baseline.metadata_xml import parse_xml as parse_xml
from rehearse.baseline.model import FieldChange

_OURS = "{" + NAMESPACE + "}"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

_ORDERED_TAGS = """
value customValue standardValue layoutSections layoutColumns layoutItems quickActionLayoutColumns
quickActionLayoutItems quickActionListItems platformActionListItems relatedLists ruleEntry displayedFields
columns tabs criteriaItems conditions filters filterItems assignmentItems choiceReferences flexiPageRegions
itemInstances componentInstances approvalStep groupingsDown groupingsAcross customTabListAdditionalFields
lookupDialogsAdditionalFields lookupPhoneDialogsAdditionalFields searchFilterFields searchResultsAdditionalFields
sortOrder sections subscriptions dashboardGridComponents components matchingRuleItems ruleItems fieldNames stageSteps
botSteps valueListItems relatedContentItems leftComponents rightComponents narrowComponents wideComponents
dashboardFilters dashboardFilterColumns dashboardFilterOptions dashboardTableColumn flexTableColumn block chartSummaries
sortOptions appMenuItems exitCriteriaFilterItems milestoneCriteriaFilterItems entryConditions exitConditions
botStepConditions botMessages botQuickReplyOptions botNavigationLinks multilineLayoutFields groupingColumn groupingSorts
chartSummary dataCategory listViewButtons massQuickActions searchResultsCustomButtons standardTab customTab
subscriberTabs feedFilters containers sidebarComponents similarOpportunitiesDisplayColumns relatedObjects
"""
_ORDERED = frozenset(_ORDERED_TAGS.split())
_ORDERED_IN = frozenset(
    {
        ("decisions", "rules"), ("screens", "fields"), ("fields", "fields"), ("waits", "waitEvents"),
        ("approvalPageFields", "field"), ("buckets", "values"), ("visibilityRule", "criteria"), ("indexes", "fields"),
        ("sections", "items"), ("recommendationLoad", "condition"), ("recommendationLoad", "sortField"),
        ("EntitlementProcess", "milestones"), ("opportunityListFieldsSelectedSettings", "field"),
        ("if", "childNodeExpression"), ("sort", "field"), ("union", "childNode"), ("mutuallyExclusive", "childNode"),
    }
)  # fmt: skip
_ORDERED_LEAVES = frozenset({"fields", "miniLayout", "excludeButtons", "customButtons", "links"})

_KEYS: Mapping[str, tuple[str, ...]] = {
    "applicationVisibilities": ("application",),
    "categoryGroupVisibilities": ("dataCategoryGroup",),
    "classAccesses": ("apexClass",),
    "externalDataSourceAccesses": ("externalDataSource",),
    "fieldPermissions": ("field",),
    "flowAccesses": ("flow",),
    "layoutAssignments": ("layout", "recordType"),
    "loginFlows": ("friendlyName",),
    "objectPermissions": ("object",),
    "pageAccesses": ("apexPage",),
    "profileActionOverrides": ("actionName", "pageOrSobjectType", "recordType", "formFactor"),
    "actionOverrides": ("actionName", "formFactor"),
    "recordTypeVisibilities": ("recordType",),
    "tabVisibilities": ("tab",),
    "tabSettings": ("tab",),
    "picklistValues": ("picklist",),
    "versions": ("number",),
}
_TRIMMED = """
applicationVisibilities classAccesses customMetadataTypeAccesses customPermissions customSettingAccesses
fieldPermissions flowAccesses layoutAssignments objectPermissions pageAccesses recordTypeVisibilities tabVisibilities
tabSettings userPermissions
"""
_NOISY_ROOTS = frozenset({"PermissionSet", "PermissionSetGroup"})
_ANY_KEY = ("fullName", "name", "developerName", "masterLabel", "label")


def tag_of(element: Any) -> str:
    """The name of an element without its namespace."""
    return _local(element.tag)


@lru_cache(maxsize=4096)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def text_of(element: Any, tag: str) -> str:
    """The text of the first child with this name, or the empty text."""
    return next((one.text or "" for one in element if tag_of(one) == tag), "")


def canonical_form(element: Any, root: str = "") -> bytes:
    """The canonical bytes of an element and everything in it."""
    tag = tag_of(element)
    return _form(element, tag, root or tag)


def _form(element: Any, tag: str, root: str) -> bytes:
    groups = _grouped(element, root) if len(element) else None
    head = _head(element, tag)
    if groups:
        inner = b"".join([form for tag_, group in sorted(groups.items()) for form in _forms(tag, tag_, group, root)])
        return b"%s{%s}" % (head, inner)
    if groups is not None or element.getparent() is None:
        return b"%s=0:;" % head
    text = (element.text or "").replace("\r\n", "\n").encode()
    return b"%s=%d:%s;" % (head, len(text), text)


def join_forms(root: Any, forms: Sequence[tuple[str, bytes]]) -> bytes:
    """The canonical form of a root whose children stand in the order of their (tag, form), as given.

    Of all roots but a permission set it need not have them: elsewhere their names tell which never count.
    """
    tag = tag_of(root)
    told = zip(forms, root, strict=True) if tag == "PermissionSet" else ((one, None) for one in forms)
    counted = [form for (name, form), one in told if not _is_noise(tag, tag, name, one)]
    return b"%s{%s}" % (_head(root, tag), b"".join(counted)) if counted else canonical_form(root)


def _head(element: Any, tag: str) -> bytes:
    """The name of an element with the attributes that count."""
    told = element.items()
    if not told:
        return tag.encode()
    counted = sorted((name, value) for name, value in told if _counts(name))
    return (tag + "".join(f"@{one[len(_XSI) :]}={value}" for one, value in counted)).encode()


def form_digest(*forms: bytes) -> str:
    """The SHA-256 (hex) of canonical forms."""
    found = hashlib.sha256()
    for form in forms:
        found.update(b"%d:" % len(form))
        found.update(form)
    return found.hexdigest()


def compare_elements(before: Any | None, after: Any | None) -> tuple[FieldChange, ...]:
    """What differs between two elements (None = absent), by the names of their parts, in name order."""
    old, new = flatten(before), flatten(after)
    changes: list[FieldChange] = []
    for entry in sorted(old.keys() | new.keys()):
        left, right = old.get(entry), new.get(entry)
        if left is None or right is None:
            changes.append(FieldChange(entry, _short(left), _short(right)))
            continue
        for leaf in sorted(left.keys() | right.keys()):
            if left.get(leaf) != right.get(leaf):
                name = f"{entry}.{leaf}" if leaf else entry
                changes.append(FieldChange(name, _digest(left.get(leaf)), _digest(right.get(leaf))))
    return tuple(changes)


def trim_equal(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """Two files without the keyed entries (field permissions and the like) that both hold byte by byte.

    A profile has thousands of them and a rehearsal changes a few: only these need to be parsed. The entries are told
    apart by their keys, never nested, and their order means nothing.
    """
    for tag in _TRIMMED.encode().split():
        before, after = _trim(before, after, b"<%s>" % tag, b"</%s>" % tag)
    return before, after


def _trim(before: bytes, after: bytes, start: bytes, end: bytes) -> tuple[bytes, bytes]:
    sides = [[piece.partition(end) for piece in one.split(start)] for one in (before, after)]
    same = set.intersection(*({body for body, mark, _ in pieces[1:] if mark} for pieces in sides))
    if not same:
        return before, after
    left, right = (
        b"".join(
            [
                b"".join(pieces[0]),
                *(rest if body in same else start + body + mark + rest for body, mark, rest in pieces[1:]),
            ]
        )
        for pieces in sides
    )
    return left, right


def flatten(element: Any | None) -> dict[str, dict[str, bytes]]:
    """The parts of an element by readable name: `tag`, `tag[key]`, each with its leaves ('' for a plain value)."""
    if element is None:
        return {}
    root = tag_of(element)
    found: dict[str, dict[str, bytes]] = {}
    for tag, group in _grouped(element, root).items():
        if _keeps_order(root, tag, group) or (len(group) == 1 and not len(group[0])):
            found[tag] = {"": b"".join(_forms(root, tag, group, root))}
            continue
        for name, one in _named(tag, group, root, [find_key(tag, one) for one in group]):
            inner = _grouped(one, root)
            leaves = {part: b"".join(_forms(tag, part, list_, root)) for part, list_ in inner.items()}
            found[name] = leaves or {"": canonical_form(one, root)}
    return found


def flatten_names(element: Any, keys: Mapping[Any, str]) -> dict[str, Any]:
    """The child elements of a container by readable name, as in `flatten`; `keys`: what `find_key` says of them."""
    root = tag_of(element)
    return {
        name if len(one) or name == tag else f"{tag}[{one.text or ''}]": one
        for tag, group in _grouped(element, root).items()
        for name, one in _named(tag, group, root, [keys[one] for one in group])
    }


def _counts(attribute: str) -> bool:
    return attribute in (f"{_XSI}type", f"{_XSI}nil")


def _grouped(element: Any, root: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    parent = tag_of(element)
    noisy = root == "Flow" or (root in _NOISY_ROOTS and parent == root)
    for child in element:
        tag = _local(child.tag)
        if not (_is_noise(root, parent, tag, child) if noisy else tag == "packageVersions"):
            groups[tag].append(child)
    return groups


def _forms(parent: str, tag: str, group: list[Any], root: str) -> list[bytes]:
    forms = [_form(one, tag, root) for one in group]
    return forms if len(forms) < 2 or _keeps_order(parent, tag, group) else sorted(forms)


def _keeps_order(parent: str, tag: str, group: list[Any]) -> bool:
    if tag in _ORDERED or (parent, tag) in _ORDERED_IN:
        return True
    return tag in _ORDERED_LEAVES and not len(group[0])


def _is_noise(root: str, parent: str, tag: str, element: Any) -> bool:
    """What never counts: canvas positions and status of flows, package versions, permission set entries that say no,
    and how far the platform has reckoned a permission set group anew."""
    if root == "Flow":
        return tag in ("locationX", "locationY") or (tag == "status" and parent == "Flow")
    if tag == "packageVersions" or (tag == "status" and root == parent == "PermissionSetGroup"):
        return True
    if root == "PermissionSet" and parent == "PermissionSet" and len(element):
        said = [one.text for one in element if one.text in ("true", "false")]
        return bool(said) and "true" not in said
    return False


def _named(tag: str, group: list[Any], root: str, keys: list[str]) -> Iterable[tuple[str, Any]]:
    """Each element with a readable name; where the keys do not tell the elements apart, the content does."""
    if len(group) == 1 and not keys[0]:
        return [(tag, group[0])]
    if all(keys) and len(set(keys)) == len(keys):
        return [(f"{tag}[{key}]", one) for key, one in zip(keys, group, strict=True)]
    return [
        (f"{tag}[{key or ''}#{form_digest(canonical_form(one, root))[:8]}]", one)
        for key, one in zip(keys, group, strict=True)
    ]


def find_key(tag: str, element: Any, texts: Mapping[str, str] | None = None) -> str:
    """What tells an element apart from others of its name; `texts`: those in it, if known."""
    if not len(element):
        return element.text or ""
    names = _KEYS.get(tag)
    found = (text for name in names or _ANY_KEY if (text := texts.get(name) if texts else text_of(element, name)))
    return "/".join(found) if names else next(found, "")


def _short(parts: Mapping[str, bytes] | None) -> str | None:
    if parts is None:
        return None
    return form_digest(*(item for leaf in sorted(parts) for item in (leaf.encode(), parts[leaf])))[:32]


def _digest(form: bytes | None) -> str | None:
    return None if form is None else form_digest(form)[:32]
