"""What of a translation a retrieve shows: it depends on the other members of the same request, as with profiles.

Pure. The file of a language holds the texts of what the request names (an app, the labels, a tab); that of an object
its own names always, and the rest with the object alone (Metadata API guide, Translations; CustomObjectTranslation).
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from rehearse.practice.meta_xml import elements, local, text_of

Resolved = Mapping[str, frozenset[str]]
NEEDS: Mapping[str, tuple[str, ...]] = {
    "customApplications": ("CustomApplication",),
    "customLabels": ("CustomLabel",),
    "customTabs": ("CustomTab",),
    "flowDefinitions": ("Flow", "FlowDefinition"),
    "globalPicklists": ("GlobalValueSet",),
    "quickActions": ("QuickAction",),
    "reportTypes": ("ReportType",),
    "reports": ("Report",),
}
_WITH_OBJECT = (
    "fieldSets", "fields", "layouts", "recordTypes", "sharingReasons", "standardFields", "validationRules", "webLinks",
)  # fmt: skip


def filter_translation(root: etree._Element, name: str, resolved: Resolved) -> None:
    """Leave in the translation of a language, or of an object, what the request has a right to."""
    if local(root) == "CustomObjectTranslation":
        if name.rpartition("-")[0] not in resolved.get("CustomObject", frozenset()):
            root[:] = [one for one in elements(root) if local(one) not in _WITH_OBJECT]
        return
    root[:] = [one for one in elements(root) if _shows(one, resolved)]


def _shows(entry: etree._Element, resolved: Resolved) -> bool:
    name = text_of(entry, "name") or text_of(entry, "fullName")
    if local(entry) == "customLabels" and resolved.get("CustomLabels"):
        return True
    needed = NEEDS.get(local(entry))
    return needed is None or any(name in resolved.get(type, frozenset()) for type in needed)
