"""The way back: from stored files to the files that a deployment of given components needs.

A child (a field, a label) alone is deployed inside its container's file holding only the wanted children, because
deploying a container never removes what it does not name (facts/metadata.md 0.2). Everything else goes as the org's own
bytes. Also builds the manifests; never a wildcard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from lxml import etree

from rehearse.baseline.canonical_xml import NAMESPACE, parse_xml, tag_of, text_of
from rehearse.baseline.component_types import CHILDREN, PARENT_OF, TypeTable
from rehearse.baseline.components import OWN, name_file, read_components
from rehearse.errors import NotFound


def build_deploy_files(
    wanted: Iterable[tuple[str, str]], files: Mapping[str, bytes], api_version: str
) -> dict[str, bytes]:
    """The files, package.xml included, that deploy just the components (type, full name) out of stored `files`.

    Raises NotFound for a component that the files do not hold.
    """
    chosen = set(wanted)
    known = {(one.type, one.full_name): one.files for one in read_components(files)}
    missing = sorted(chosen - known.keys())
    if missing:
        raise NotFound(f"The stored metadata has no {missing[0][0]} {missing[0][1]}.", "Take the baseline again.")
    paths = {path for one in chosen for path in known[one] if not path.startswith(OWN)}
    found: dict[str, bytes] = {}
    for path in sorted(paths):
        found[path] = _only(path, files[path], chosen)
    members: dict[str, set[str]] = defaultdict(set)
    for type, name in chosen:
        members[type].add(name)
    found["package.xml"] = build_package_xml(members, api_version)
    return found


def build_package_xml(members: Mapping[str, Iterable[str]], api_version: str) -> bytes:
    """A manifest: types and members sorted, then the version. Also serves as a destructive manifest.

    CustomObject comes first, which avoids odd failures of deployments (facts/metadata.md 4.2).
    """
    root = etree.Element("Package", xmlns=NAMESPACE)
    for type in sorted(members, key=lambda one: (one != "CustomObject", one)):
        names = sorted(set(members[type]))
        if names:
            group = etree.SubElement(root, "types")
            for name in names:
                etree.SubElement(group, "members").text = name
            etree.SubElement(group, "name").text = type
    etree.SubElement(root, "version").text = api_version
    return _render(root)


def read_package_xml(content: bytes) -> dict[str, tuple[str, ...]]:
    """The members of a manifest by type; empty when these bytes are no manifest."""
    root = parse_xml(content)
    found: dict[str, tuple[str, ...]] = {}
    for group in () if root is None else (one for one in root if tag_of(one) == "types"):
        names = tuple(sorted(one.text or "" for one in group if tag_of(one) == "members"))
        found[text_of(group, "name")] = names
    return found


def _only(path: str, content: bytes, chosen: set[tuple[str, str]]) -> bytes:
    named = name_file(path, TypeTable())
    if named is None or named[0].type not in CHILDREN:
        return content
    container, full_name = named[0].type, named[1]
    root = parse_xml(content)
    if root is None:
        return content
    tags = {child.tag: child for child in CHILDREN[container]}
    keeps_own = (container, full_name) in chosen
    for element in list(root):
        child = tags.get(tag_of(element)) if len(element) else None
        if child is None:
            if not keeps_own:
                root.remove(element)
            continue
        name = text_of(element, "fullName")
        if (child.type, f"{full_name}.{name}" if child.dotted else name) not in chosen:
            root.remove(element)
    return _render(root)


def container_of(type: str, full_name: str) -> tuple[str, str]:
    """The component whose file holds a component: its container for a child, else itself."""
    if type not in PARENT_OF:
        return type, full_name
    parent, child = PARENT_OF[type]
    return parent, full_name.partition(".")[0] if child.dotted else parent


def _render(root: etree._Element) -> bytes:
    etree.indent(root, "    ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
