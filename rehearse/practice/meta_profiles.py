"""What of a profile a retrieve shows: it depends on the other members of the same request (facts 3.6).

Pure. A field permission needs its object (or field) in the request, a class access its class, and so on; user
permissions and log-in rules always show. For a field of a requested object that the profile does not name, a profile
shows an explicit "no", as Salesforce does; permission sets get such noise only where the setting says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lxml import etree

from rehearse.practice.meta_xml import elements, local, make, text_of

Resolved = Mapping[str, frozenset[str]]
NEEDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "applicationVisibilities": ("application", ("CustomApplication",)),
    "classAccesses": ("apexClass", ("ApexClass",)),
    "customPermissions": ("name", ("CustomPermission",)),
    "customSettingAccesses": ("name", ("CustomObject",)),
    "externalDataSourceAccesses": ("externalDataSource", ("ExternalDataSource",)),
    "flowAccesses": ("flow", ("Flow", "FlowDefinition")),
    "objectPermissions": ("object", ("CustomObject",)),
    "pageAccesses": ("apexPage", ("ApexPage",)),
    "tabVisibilities": ("tab", ("CustomTab",)),
}
STANDARD_TAB = "standard-"


def filter_profile(root: etree._Element, resolved: Resolved, permitted: Iterable[str]) -> None:
    """Leave in a profile what the request has a right to; `permitted` are the fields that could have a permission."""
    root[:] = [entry for entry in elements(root) if _shows(entry, resolved)]
    add_missing_fields(root, resolved, permitted)
    root[:] = sorted(elements(root), key=local)


def add_missing_fields(root: etree._Element, resolved: Resolved, permitted: Iterable[str]) -> None:
    """Add a permission of "no" for each permitted field of a requested object that is not named yet."""
    named = {text_of(entry, "field") for entry in elements(root, "fieldPermissions")}
    for path in sorted(set(permitted) - named):
        if _field_shows(path, resolved):
            no = (make("editable", text="false"), make("field", text=path), make("readable", text="false"))
            root.append(make("fieldPermissions", *no))


def _field_shows(path: str, resolved: Resolved) -> bool:
    return path.partition(".")[0] in _of(resolved, "CustomObject") or path in _of(resolved, "CustomField")


def _shows(entry: etree._Element, resolved: Resolved) -> bool:
    tag = local(entry)
    if tag == "fieldPermissions":
        return _field_shows(text_of(entry, "field"), resolved)
    if tag == "recordTypeVisibilities":
        path = text_of(entry, "recordType")
        return path.partition(".")[0] in _of(resolved, "CustomObject") or path in _of(resolved, "RecordType")
    if tag == "layoutAssignments":
        layout = text_of(entry, "layout")
        return layout in _of(resolved, "Layout") and layout.split("-", 1)[0] in _of(resolved, "CustomObject")
    if tag not in NEEDS:
        return True
    part, types = NEEDS[tag]
    name = text_of(entry, part)
    if tag == "tabVisibilities" and name.startswith(STANDARD_TAB):
        return name.removeprefix(STANDARD_TAB) in _of(resolved, "CustomObject")
    return any(name in _of(resolved, one) for one in types)


def _of(resolved: Resolved, type_name: str) -> frozenset[str]:
    return resolved.get(type_name, frozenset())
