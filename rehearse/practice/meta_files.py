"""Files to components and back: split a package tree into components, put a container's file together again.

A file that belongs to no type that we know, or that is no XML, becomes a Problem and no component. What is read is
normalised by meta_xml, so reading what we wrote gives the same components again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from rehearse.practice.components import Component
from rehearse.practice.meta_types import BY_DIRECTORY, BY_NAME, FOLDER_TYPE, ChildType, MetaType
from rehearse.practice.meta_xml import NAMESPACE, BrokenXml, copy, elements, local, make, parse, render, text_of

META = "-meta.xml"
FOLDER_SUFFIX = f".{FOLDER_TYPE.suffix}"


@dataclass(frozen=True)
class Problem:
    """A file that could not be read, in Salesforce's wording."""

    path: str
    type: str
    name: str
    text: str
    line: int = 0
    column: int = 0


@dataclass
class Tree:
    """What a package tree holds: components without ids (containers before their children), and its problems."""

    components: list[Component] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_tree(files: Mapping[str, bytes]) -> Tree:
    """The components of a package tree (paths below the package root, manifests left out)."""
    tree = Tree()
    bundles: dict[tuple[str, str], dict[str, bytes]] = {}
    for path in sorted(files):
        directory, _, rest = path.partition("/")
        one = BY_DIRECTORY.get(directory)
        if one is None or not rest:
            tree.problems.append(Problem(path, "", rest or path, f"Unknown folder type: {directory}"))
        elif one.bundle:
            bundles.setdefault((one.name, rest.split("/", 1)[0]), {})[path] = files[path]
        else:
            _read_file(tree, one, path, files)
    for (type_name, name), members in sorted(bundles.items()):
        _read_bundle(tree, type_name, name, members)
    return tree


def _read_file(tree: Tree, one: MetaType, path: str, files: Mapping[str, bytes]) -> None:
    rest = path.split("/", 1)[1]
    if one.folder and _folder_name(rest):
        _add_plain(tree, FOLDER_TYPE, _folder_name(rest), path, files[path])
    elif one.content:
        if rest.endswith(META):
            if path.removesuffix(META) not in files:
                name = rest.removesuffix(META).removesuffix(f".{one.suffix}")
                tree.problems.append(Problem(path, one.name, name, f"Required field is missing: content for {name}"))
        else:
            _read_content(tree, one, path, files)
    elif rest.endswith(f".{one.suffix}"):
        _add_plain(tree, one, rest.removesuffix(f".{one.suffix}"), path, files[path])
    else:
        tree.problems.append(Problem(path, one.name, rest, f"Unknown file extension in {path}"))


def _folder_name(rest: str) -> str:
    """The folder that a file describes: `Sales-meta.xml`, `Sales.reportFolder` or `Sales.reportFolder-meta.xml`."""
    if "/" in rest or not rest.endswith((META, FOLDER_SUFFIX)):
        return ""
    return rest.removesuffix(META).removesuffix(FOLDER_SUFFIX)


def _read_content(tree: Tree, one: MetaType, path: str, files: Mapping[str, bytes]) -> None:
    name = path.split("/", 1)[1].removesuffix(f".{one.suffix}")
    companion = files.get(path + META)
    if companion is None:
        tree.problems.append(Problem(path, one.name, name, f"Missing metadata file: {path}{META}"))
        return
    xml = _parsed(tree, one.name, name, path + META, companion)
    if xml is not None:
        tree.components.append(Component(one.name, name, render(xml), path=path, files={path: files[path]}))


def _read_bundle(tree: Tree, type_name: str, name: str, members: Mapping[str, bytes]) -> None:
    companion = next((path for path in members if path.endswith(META)), "")
    if not companion:
        folder = f"{BY_NAME[type_name].directory}/{name}"
        tree.problems.append(Problem(folder, type_name, name, f"Cannot find Lightning Component Bundle {name}"))
        return
    xml = _parsed(tree, type_name, name, companion, members[companion])
    if xml is not None:
        content = {path: body for path, body in members.items() if path != companion}
        tree.components.append(Component(type_name, name, render(xml), path=companion, files=content))


def _add_plain(tree: Tree, one: MetaType, name: str, path: str, body: bytes) -> None:
    root = _parsed(tree, one.name, name, path, body)
    if root is None:
        return
    if one.name != "Settings" and local(root) != one.name:
        text = f"Element {root.tag} invalid at this location in type {one.name}"
        tree.problems.append(Problem(path, one.name, name, text, 2, 1))
        return
    if one.children:
        tree.components.extend(split_container(one, name, path, root))
    else:
        tree.components.append(Component(one.name, name, render(root), path=path))


def _parsed(tree: Tree, type_name: str, name: str, path: str, body: bytes) -> etree._Element | None:
    try:
        return parse(body)
    except BrokenXml as error:
        tree.problems.append(Problem(path, type_name, name, error.problem, error.line, error.column))
        return None


def split_container(one: MetaType, name: str, path: str, root: etree._Element) -> list[Component]:
    """The container's own part, then each child as a component of its own."""
    by_tag = {child.tag: child for child in one.children}
    own, parts = copy(root), []
    for element in list(elements(own)):
        child = by_tag.get(local(element))
        if child is None or not text_of(element, "fullName"):
            continue
        own.remove(element)
        short = text_of(element, "fullName").strip()
        full = f"{name}.{short}" if child.dotted else short
        parts.append(Component(child.name, full, render(element, child.name), parent=name, path=path))
    return [Component(one.name, name, render(own), path=path), *parts]


def child_element(child: ChildType, xml: bytes) -> etree._Element:
    """The element of a child as it stands in its container's file."""
    element = parse(xml)
    element.tag = f"{{{NAMESPACE}}}{child.tag}"
    return element


def join_container(one: MetaType, own: bytes | None, children: Iterable[Component]) -> etree._Element:
    """The root of a container's file: its own part (none: an empty one) and these children, groups by tag."""
    root = parse(own) if own else make(one.name)
    by_name = {child.name: child for child in one.children}
    for component in children:
        root.append(child_element(by_name[component.type], component.xml))
    root[:] = sorted(elements(root), key=local)
    return root


def shuffle(root: etree._Element, seed: str) -> None:
    """Put the elements of each group in another order, the same one for the same seed (facts 6.2)."""
    dice = random.Random(seed)
    groups: dict[str, list[etree._Element]] = {}
    for element in elements(root):
        groups.setdefault(local(element), []).append(element)
    for group in groups.values():
        group.sort(key=lambda one: etree.tostring(one, method="c14n", with_tail=False))  # what was first is forgotten
        dice.shuffle(group)
    root[:] = [element for group in groups.values() for element in group]


def files_of(component: Component, root: etree._Element | None = None) -> dict[str, bytes]:
    """The files of a top-level component as a retrieve gives them; `root` replaces its XML."""
    one = BY_NAME[component.type]
    xml = component.xml if root is None else render(root)
    if one.content:
        return {**component.files, component.path + META: xml}
    if one.bundle:
        return {**component.files, component.path: xml}
    if one is FOLDER_TYPE:
        return {f"{one.directory}/{component.name}{META}": xml}
    return {f"{one.directory}/{component.name}.{one.suffix}": xml}
