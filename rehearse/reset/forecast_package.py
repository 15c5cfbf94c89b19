"""What a package would change in an org whose components are known: by name and content, before anything is deployed.

Pure. A deployment adds to containers and profiles and replaces everything else (facts/metadata.md 0); what the package
holds and the manifest does not name is not deployed. A component that is the same already is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from rehearse.baseline.canonical_xml import parse_xml, tag_of, text_of
from rehearse.baseline.component_types import CHILDREN, PARENT_OF
from rehearse.baseline.components import TYPES_FILE, file_digest, read_components, read_flow_versions
from rehearse.baseline.model import Component
from rehearse.baseline.packages import container_of
from rehearse.reset.component_marks import FLOW_TYPES, component_marks
from rehearse.reset.component_xml import write
from rehearse.reset.forecast_flows import find_flow_changes
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.model import What
from rehearse.reset.profile_undo import overlay_profile, without_entries_of

Place = tuple[str, str]

ACCESS_TYPES = ("MutingPermissionSet", "PermissionSet", "Profile")
DESTRUCTIVE = ("destructiveChanges.xml", "destructiveChangesPre.xml", "destructiveChangesPost.xml")


@dataclass(frozen=True)
class Package:
    """Files in the layout of the Metadata API; `members` is what package.xml names, decoded (None: all that is there).

    Made by `open_package`. `strange`: paths of metadata that belong to no type that is known.
    """

    files: Mapping[str, bytes]
    members: Mapping[str, frozenset[str]] | None
    deletes: tuple[Place, ...] = ()
    strange: tuple[str, ...] = ()

    def deploys(self, type: str, full_name: str) -> bool:
        """Whether a component of the files is named, by itself, by a wildcard, or by its container."""
        if self.members is None:
            return True
        places = {(type, full_name), container_of(type, full_name)}
        if type in PARENT_OF and not PARENT_OF[type][1].dotted:
            places.add((PARENT_OF[type][0], full_name))
        return any({"*", unquote(name)} & self.members.get(kind, frozenset()) for kind, name in places)


_OUTSIDE = frozenset({"outside-scope"})


@dataclass(frozen=True)
class Known:
    """What is known of the org: its components, the files of those that a package touches, and the types in scope.

    `held`: the objects of which the baseline holds every row, with the fields that it holds; None where nobody knows.
    `unseen`: types of which the baseline lacks something (`coverage.find_unseen`).
    """

    components: Mapping[Place, Component]
    files: Mapping[str, bytes]
    types: frozenset[str] | None = None
    held: Mapping[str, frozenset[str]] | None = None
    unseen: frozenset[str] = frozenset()

    def may_hide(self, type: str, name: str) -> bool:
        """Whether the org may have a component that the baseline lacks, because it could not read all of its type."""
        parent = PARENT_OF[type][0] if type in PARENT_OF else type
        fields = {f"{name.partition('.')[0]} (fields)"} if type == "CustomField" else set()
        lacking = {type, parent, "(retrieve)", *fields}
        return (type, name) not in self.components and not self.unseen.isdisjoint(lacking)

    def covers(self, type: str) -> bool:
        """Whether components of a type were captured at all."""
        parent = PARENT_OF[type][0] if type in PARENT_OF else type
        return self.types is None or type in self.types or parent in self.types


@dataclass(frozen=True)
class ComponentChange:
    """One component that a deployment would create, update or delete, with the marks that decide how it is undone."""

    type: str
    key: str
    what: What
    marks: frozenset[str] = frozenset()


def open_package(files: Mapping[str, bytes], *, whole: bool = False) -> Package:
    """A package from its files; with `whole` (source format) everything in it is deployed, whatever a manifest says."""
    manifest = files.get("package.xml")
    members = None if whole or manifest is None else _decoded(read_manifest(manifest))
    deletes = {
        (type, name)
        for path in DESTRUCTIVE
        for type, names in read_manifest(files.get(path, b"")).items()
        for name in names
    }
    return Package(files, members, tuple(sorted(deletes)))


def _decoded(members: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Names as they are: files and manifests of a retrieve write some with `%28` for a bracket (Metadata API guide)."""
    return {type: frozenset(map(unquote, names)) for type, names in members.items()}


def read_manifest(content: bytes) -> dict[str, frozenset[str]]:
    """Type -> members of a manifest; nothing for what is no manifest."""
    root = parse_xml(content)
    found: dict[str, frozenset[str]] = {}
    for group in root if root is not None else ():
        if tag_of(group) == "types":
            names = frozenset((one.text or "").strip() for one in group if tag_of(one) == "members")
            found[text_of(group, "name")] = found.get(text_of(group, "name"), frozenset()) | names
    return found


def name_parts(package: Package, types: bytes | None = None) -> tuple[Component, ...]:
    """The components of the files that a deployment takes; `types` is the list of types kept with a capture."""
    kept = {TYPES_FILE: types} if types else {}
    found = read_components({**package.files, **kept})
    return tuple(one for one in found if package.deploys(one.type, one.full_name) and not _is_shell(package, one))


def find_component_changes(package: Package, known: Known) -> tuple[ComponentChange, ...]:
    """Every component that would differ afterwards, sorted by type and name; flows as one thing each."""
    merged = Package(dict(merge_files(package, known)), package.members, package.deletes)
    real = {(type, name.lower()): name for type, name in known.components}
    parts = {
        (one.type, real.get((one.type, one.full_name.lower()), one.full_name)): one
        for one in name_parts(merged, known.files.get(TYPES_FILE))
    }
    gone = set(_deleted(package, known, real))
    book = MetadataBook(
        {key: one for key, one in known.components.items() if key in parts or key in gone},
        {key: one for key, one in parts.items() if key not in gone},
        known.files,
        merged.files,
        held=known.held,
        types=known.types,
    )
    found = [
        ComponentChange(type, name, what, frozenset(_marks(known, book, type, name)))
        for type, name, what in [*_differences(known, parts, gone), *_followers(known, parts, gone)]
    ]
    flows = find_flow_changes(parts, merged.files, package.deletes, _flow_files(known))
    found += [
        ComponentChange(
            "Flow", name, what, marks if known.covers("Flow") and not known.may_hide("Flow", name) else _OUTSIDE
        )
        for name, what, marks in flows
    ]
    return tuple(sorted(found, key=lambda one: (one.type, one.key)))


def _differences(
    known: Known, parts: Mapping[Place, Component], gone: set[Place]
) -> Iterator[tuple[str, str, What]]:  # fmt: skip
    for (type, name), part in parts.items():
        before = known.components.get((type, name))
        if type in FLOW_TYPES or (type, name) in gone:
            continue
        if before is None:
            yield type, name, "created"
        elif before.digest != part.digest:
            yield type, name, "updated"
    for type, name in gone:
        yield type, name, "deleted"


def _followers(known: Known, parts: Mapping[Place, Component], gone: set[Place]) -> Iterator[tuple[str, str, What]]:
    """Profiles get an entry about each new field; profiles and permission sets lose theirs about what is deleted."""
    adds = any(type == "CustomField" and (type, name) not in known.components for type, name in parts)
    for (type, name), one in known.components.items():
        if type not in ACCESS_TYPES or (type, name) in parts or (type, name) in gone:
            continue
        if adds and type == "Profile":
            yield type, name, "updated"
            continue
        root = parse_xml(known.files.get(one.files[0], b"")) if gone else None
        if root is not None and len(without_entries_of(root, gone)) < len(root):
            yield type, name, "updated"


def _marks(known: Known, book: MetadataBook, type: str, name: str) -> set[str]:
    if not known.covers(type) or known.may_hide(type, name):
        return set(_OUTSIDE)
    return component_marks(book, type, name)


def _flow_files(known: Known) -> dict[str, tuple[Component | None, dict[int, str]]]:
    """Flow -> its captured file's component and its versions with their status."""
    found: dict[str, tuple[Component | None, dict[int, str]]] = {}
    for (type, name), one in known.components.items():
        if type == "FlowDefinition" and one.files[0] in known.files:
            versions = dict(read_flow_versions(known.files[one.files[0]]).versions)
            found[name] = (known.components.get(("Flow", name)), versions)
        elif type == "Flow":
            found.setdefault(name, (one, {}))
    return found


def _deleted(package: Package, known: Known, real: Mapping[Place, str]) -> Iterator[Place]:
    """What the destructive manifests name and the org has, or may have where the baseline does not look.

    An object takes everything of its own along.
    """
    for type, given in package.deletes:
        name = real.get((type, given.lower()))
        if not known.covers("Flow" if type in FLOW_TYPES else type) or (name is None and known.may_hide(type, given)):
            yield type, given
            continue
        if type in FLOW_TYPES or name is None:
            continue
        yield type, name
        if type == "CustomObject":
            for other, full in known.components:
                own = full.startswith((f"{name}.", f"{name}-")) or (full == name and other != "CustomObject")
                if own and other not in FLOW_TYPES:
                    yield other, full


def _is_shell(package: Package, one: Component) -> bool:
    """An object file whose manifest names children only says nothing about the object itself."""
    if one.type != "CustomObject":
        return False
    named = package.members is None or {"*", unquote(one.full_name)} & package.members.get("CustomObject", frozenset())
    if not named:
        return True
    root = parse_xml(package.files.get(one.files[0], b""))
    return root is not None and not any(not _is_child(child, "CustomObject") for child in root)


def merge_files(package: Package, known: Known) -> Iterator[tuple[str, bytes]]:
    """The files as the org would have them after the deployment, where a deployment adds to what is there."""
    for path, content in package.files.items():
        before = known.files.get(path)
        if before is None or file_digest(before) == file_digest(content):
            yield path, content
        elif path.endswith(".profile"):
            yield path, overlay_profile(before, content)
        elif path.endswith(".object"):
            yield path, _overlay_object(before, content)
        else:
            yield path, content


def _overlay_object(before: bytes, deployed: bytes) -> bytes:
    """The settings that a package does not mention stay as they are; children are compared one by one."""
    root, new = parse_xml(before), parse_xml(deployed)
    if root is None or new is None:
        return deployed
    mentioned = {tag_of(one) for one in new if not _is_child(one, "CustomObject")}
    if not mentioned:
        return deployed
    for element in root:
        if tag_of(element) not in mentioned and not _is_child(element, "CustomObject"):
            new.append(deepcopy(element))
    return write(new)


def _is_child(element: Any, container: str) -> bool:
    return bool(len(element)) and tag_of(element) in {one.tag for one in CHILDREN[container]}
