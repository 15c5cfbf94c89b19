"""Small reads and edits of metadata elements: texts, picklist values, one child in a new file.

Pure; what a file means as a component, and how it is cut for a deployment, is the baseline's business
(`baseline/components`, `baseline/packages`).
"""

from __future__ import annotations

import copy
from typing import Any

from lxml import etree

from rehearse.baseline.canonical_xml import NAMESPACE

_NS = "{" + NAMESPACE + "}"


def write(root: Any) -> bytes:
    """A metadata file of an element, indented as orgs write it."""
    etree.cleanup_namespaces(root)
    etree.indent(root, "    ")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def text_at(element: Any, path: str) -> str | None:
    """The text at a slash-separated path of local names; None where there is none."""
    found = element.find("/".join(_NS + step for step in path.split("/")))
    return None if found is None or found.text is None else str(found.text).strip()


def set_text(element: Any, name: str, value: str) -> None:
    """Set the text of a direct child element that is there, or append it."""
    found = element.find(_NS + name)
    if found is None:
        found = etree.SubElement(element, _NS + name)
    found.text = value


def wrap(root_name: str, child: Any) -> bytes:
    """A container file that holds a copy of one child and nothing else."""
    root: Any = etree.Element(_NS + root_name, nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    root.append(copy.deepcopy(child))
    return write(root)


def picklist_values(element: Any) -> dict[str, bool]:
    """The values of a picklist field or value set with whether each is active, in order."""
    values: dict[str, bool] = {}
    for path in ("valueSet/valueSetDefinition/value", "customValue", "standardValue"):
        for one in element.iterfind("/".join(_NS + step for step in path.split("/"))):
            name = text_at(one, "fullName")
            if name is not None:
                values[name] = text_at(one, "isActive") != "false"
    return values


def dependencies(field: Any) -> set[tuple[str, str]]:
    """The values of a picklist field with each value of the controlling field under which they can be chosen."""
    return {
        (text_at(one, "valueName") or "", str(under.text or "").strip())
        for one in field.iterfind(f"{_NS}valueSet/{_NS}valueSettings")
        for under in one.iterfind(f"{_NS}controllingFieldValue")
    }
