"""Any package or retrieve becomes components: named by type and full name, each with the digest of its canonical form.

What lives inside a container's file (the fields of an object, the labels) counts on its own. A component of several
files (Apex with its companion, a bundle) has one digest over all. Bodies count byte by byte, whatever they look like: a
static resource may hold metadata of its own; zips among them by their entries. Reads bytes only; the same files give
the same components, in any order.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rehearse.baseline.canonical_xml import canonical_form, form_digest, parse_xml, tag_of, text_of
from rehearse.baseline.component_types import ALWAYS_THERE, CHILDREN, Place, TypeTable
from rehearse.baseline.model import Component
from rehearse.baseline.zip_files import DAMAGE, MOST_UNPACKED, read_zip
from rehearse.errors import NotFound, UsageError
from rehearse.org.model import MetadataItem, MetadataType

OWN = "rehearse/"
TYPES_FILE = f"{OWN}types.json"
"""What the org described, kept in the metadata tree of each capture; its other files below `rehearse/` are ours too."""

_SMALL = 1_024
_MANIFESTS = ("package.xml", "destructiveChanges.xml", "destructiveChangesPre.xml", "destructiveChangesPost.xml")


@dataclass(frozen=True)
class FlowVersions:
    """The versions of one flow: the active number (None = inactive) and the status of each."""

    active: int | None
    versions: Mapping[int, str]


def read_package(path: Path) -> dict[str, bytes]:
    """The files of a package: a zip or a folder, without the folder that a retrieve wraps around it.

    Raises NotFound, or UsageError for a file that is no whole zip.
    """
    if path.is_dir():
        found = {one.relative_to(path).as_posix(): one.read_bytes() for one in path.rglob("*") if one.is_file()}
    elif path.is_file():
        try:
            entries = list(read_zip(path))
            # a cut zip may end in a whole one that was inside it: then bytes stand before the first entry
            if min((one.header_offset for one, _ in entries), default=0):
                raise zipfile.BadZipFile("cut")
            found = {one.filename: content for one, content in entries if not one.is_dir()}
        except zipfile.BadZipFile as error:
            raise UsageError(f"{path} is no whole zip file.", "Make or download it again.") from error
    else:
        raise NotFound(f"There is no package at {path}.", "Name a folder or a zip that holds package.xml.")
    top = package_prefix(found)
    return {name[len(top) :]: content for name, content in found.items() if name.startswith(top)}


def package_prefix(names: Iterable[str]) -> str:
    """The folder in front of package.xml (`unpackaged/`), or the empty text; it is looked for, never assumed."""
    found = sorted((name for name in names if name.rpartition("/")[2] == "package.xml"), key=len)
    return found[0][: -len("package.xml")] if found else ""


FindKnown = Callable[[tuple[str, ...]], tuple[Component, ...] | None]
"""Finds the components of some files of a tree where they are known already; None: read the files."""


def read_components(
    files: Mapping[str, bytes],
    items: Sequence[MetadataItem] = (),
    types: Sequence[MetadataType] | TypeTable = (),
    known: FindKnown | None = None,
) -> tuple[Component, ...]:
    """All components of a package tree, sorted. `items` tell who changed them; `types` what the org described.

    Without `types`, those kept inside the tree of a capture are used, and the usual ones.
    """
    table = types if isinstance(types, TypeTable) else TypeTable(types or _kept_types(files))
    grouped = group_files(files, table)
    authors = {(one.type, one.full_name): one for one in items}
    found = [
        one
        for (_, full_name), (place, paths) in grouped.items()
        for one in (known and known(tuple(paths))) or components_of(place, full_name, paths, files)
    ]
    return tuple(sorted((_signed(one, authors) for one in found), key=lambda one: (one.type, one.full_name)))


def group_files(paths: Iterable[str], table: TypeTable) -> dict[tuple[str, str], tuple[Place, list[str]]]:
    """The files that belong together, sorted, by the type and full name that they stand for."""
    grouped: dict[tuple[str, str], tuple[Place, list[str]]] = {}
    for path in sorted(paths):
        named = name_file(path, table)
        if named is not None:
            place, full_name = named
            grouped.setdefault((place.type, full_name), (place, []))[1].append(path)
    return grouped


def name_file(path: str, table: TypeTable) -> tuple[Place, str] | None:
    """The type and full name that a file belongs to; None for a manifest."""
    if path not in table.named:
        table.named[path] = _name(path, table)
    return table.named[path]


def _name(path: str, table: TypeTable) -> tuple[Place, str] | None:
    if path in _MANIFESTS or path == TYPES_FILE:
        return None
    inner = path.removeprefix(OWN)
    place = table.place_of(inner)
    directory, _, rest = inner.partition("/")
    if place is None:
        return Place(directory, directory), rest.removesuffix("-meta.xml")
    if place.bundle:
        return place, _bundle_name(place, rest)
    if place.inside:
        return place, _inside_name(place, rest.removesuffix("-meta.xml"))
    bare = rest.removesuffix("-meta.xml")
    ending = next((one for one in _endings(place.type, place.suffix) if bare.endswith(one)), "")
    return place, bare.removesuffix(ending)


def _bundle_name(place: Place, rest: str) -> str:
    """The folder of a bundle; a file beside the folders is about the one of its name (`Shop.site-meta.xml`)."""
    steps = rest.split("/")
    if len(steps) <= place.depth and steps[-1].endswith("-meta.xml"):
        steps[-1] = steps[-1].removesuffix("-meta.xml").rpartition(".")[0] or steps[-1]
    return "/".join(steps[: place.depth])


def _inside_name(place: Place, bare: str) -> str:
    """`EU/territories/France.territory2` is `EU.France`, and `EU/EU.territory2Model` the owner itself."""
    owner, _, inner = bare.partition("/")
    item = inner.rpartition("/")[2].removesuffix(f".{place.suffix}")
    return f"{owner}.{item}" if item and item != owner else owner.removesuffix(f".{place.suffix}")


@lru_cache(maxsize=1024)
def _endings(type: str, suffix: str) -> tuple[str, ...]:
    """What the files of a type may end in: its suffix, or what says that they stand for a folder."""
    own = (f".{suffix}",) if suffix else ()
    return (*own, f".{type[:1].lower()}{type[1:]}Folder", ".emailFolder")


def is_body(place: Place, path: str) -> bool:
    """Whether a file is the content of a component and no metadata: a class, a resource, a part of a bundle."""
    return (place.content or place.bundle) and not path.endswith("-meta.xml")


def file_digest(content: bytes, *, body: bool = False) -> str:
    """The digest of one file's meaning: canonical XML, of a zip its entries; of a `body` the bytes themselves."""
    if body:
        return _body_digest(content)
    return _small_digest(content) if len(content) <= _SMALL else _digest(content)


@lru_cache(maxsize=1024)
def _small_digest(content: bytes) -> str:
    """Thousands of classes come with the same few lines beside them."""
    return _digest(content)


def _digest(content: bytes) -> str:
    root = parse_xml(content)
    if root is not None:
        return form_digest(canonical_form(root))
    return _body_digest(content)


def _body_digest(content: bytes) -> str:
    if content[:4] == b"PK\x03\x04":
        return _zip_digest(content) or hashlib.sha256(content).hexdigest()
    return hashlib.sha256(content).hexdigest()


def digest_files(digests: Mapping[str, str]) -> str:
    """The digest of a component out of those of its files, path -> digest in the order of the paths."""
    return form_digest(*(part.encode() for path, digest in digests.items() for part in (path, digest)))


def find_child(root: Any, type: str, name: str) -> Any | None:
    """The element of a child component in its container's root; `name` is the part after the dot."""
    tags = {child.tag for found in CHILDREN.values() for child in found if child.type == type}
    return next((one for one in root if tag_of(one) in tags and text_of(one, "fullName") == name), None)


def without_children(root: Any, type: str) -> Any:
    """A copy of a container's root without the elements that are components of their own."""
    copy = deepcopy(root)
    tags = {child.tag for child in CHILDREN.get(type, ())}
    for one in list(copy):
        if tag_of(one) in tags and len(one):
            copy.remove(one)
    return copy


def read_flow_versions(content: bytes) -> FlowVersions:
    """The versions of a flow from the FlowDefinition file of a capture."""
    root = parse_xml(content)
    if root is None:
        return FlowVersions(None, {})
    active = text_of(root, "activeVersionNumber")
    versions = {int(text_of(one, "number")): text_of(one, "status") for one in root if tag_of(one) == "versions"}
    return FlowVersions(int(active) if active and active != "0" else None, versions)


def components_of(place: Place, full_name: str, paths: list[str], files: Mapping[str, bytes]) -> Iterator[Component]:
    """The components in the files of one group: of a container its children first, then what is left of itself."""
    children = CHILDREN.get(place.type)
    root = parse_xml(files[paths[0]]) if children and len(paths) == 1 else None
    if root is None or children is None:
        digest = digest_files({path: file_digest(files[path], body=is_body(place, path)) for path in paths})
        yield Component(place.type, full_name, digest, tuple(paths))
        return
    tags = {child.tag: child for child in children}
    for element in root:
        child = tags.get(tag_of(element))
        if child is not None and len(element):
            name = text_of(element, "fullName")
            dotted = f"{full_name}.{name}" if child.dotted else name
            yield Component(child.type, dotted, form_digest(canonical_form(element, tag_of(root))), (paths[0],))
    rest = without_children(root, place.type)
    if place.type in ALWAYS_THERE or len(rest):
        yield Component(place.type, full_name, form_digest(canonical_form(rest)), (paths[0],))


def _signed(component: Component, authors: Mapping[tuple[str, str], MetadataItem]) -> Component:
    item = authors.get((component.type, component.full_name))
    if item is None:
        return component
    return Component(
        component.type, component.full_name, component.digest, component.files, item.changed_by, item.changed_at
    )


def _zip_digest(content: bytes) -> str | None:
    """The digest over the entries; None for what is no whole zip, or would unpack to more than any resource holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            if sum(one.file_size for one in zipped.infolist()) > MOST_UNPACKED:
                return None
            entries = sorted((one.filename, _entry_digest(zipped, one)) for one in zipped.infolist())
    except (zipfile.BadZipFile, *DAMAGE):
        return None
    return form_digest(*(part for name, digest in entries for part in (name.encode(), digest)))


def _entry_digest(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Read in pieces: a few kilobytes may unpack to all the memory there is."""
    found = hashlib.sha256()
    with zipped.open(entry) as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.digest()


def _kept_types(files: Mapping[str, bytes]) -> list[MetadataType]:
    if TYPES_FILE not in files:
        return []
    return [MetadataType(**{**one, "children": tuple(one["children"])}) for one in json.loads(files[TYPES_FILE])]
