"""A folder in source format (one file a field, `-meta.xml` everywhere) as the files of a Metadata API package.

Reads bytes only. Children that lie in files of their own are put back into their container's file; everything else
changes its name. Where a source project names package folders in sfdx-project.json, only those are read. Nothing is
deployed from the result: it is made to be compared.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from lxml import etree

from rehearse.baseline.canonical_xml import NAMESPACE, parse_xml
from rehearse.baseline.component_types import CHILDREN, FOLDER_TYPES, PLACES, Place
from rehearse.errors import NotFound, UsageError

META = "-meta.xml"
_NS = "{" + NAMESPACE + "}"
PROJECT = "sfdx-project.json"
_DIRECTORIES: Mapping[str, Place] = {one.directory: one for one in sorted(PLACES, key=lambda one: not one.rare)}
_RARE_ENDINGS: Mapping[str, tuple[str, ...]] = {
    directory: tuple(f".{one.suffix}" for one in PLACES if one.directory == directory)
    for directory in {one.directory for one in PLACES if one.rare}
}
"""Directories whose names may mean something else too, with what files of metadata in them end in."""
_DECOMPOSED: Mapping[str, str] = {"objects": "CustomObject", "objectTranslations": "CustomObjectTranslation"}
_TAGS: Mapping[str, str] = {
    **{f"{child.type[:1].lower()}{child.type[1:]}": child.tag for child in CHILDREN["CustomObject"]},
    "field": "fields",
    "fieldTranslation": "fields",
}
"""Suffix of a child's own file (`field`, `validationRule`) -> its element in the container's file."""


def read_source(path: Path) -> dict[str, bytes]:
    """The files of a source folder in the layout of the Metadata API. Raises NotFound, UsageError."""
    if not path.is_dir():
        raise NotFound(f"There is no source folder at {path}.", "Name a folder in source format.")
    files = {
        one.relative_to(path).as_posix(): one.read_bytes()
        for root in _roots(path)
        for one in root.rglob("*")
        if one.is_file()
    }
    return convert_source(files)


def convert_source(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same for files by their path in any source folder; what belongs to no metadata type is left out.

    Raises UsageError for the file of an object's part that is no metadata.
    """
    found: dict[str, bytes] = {}
    parts: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
    archives: dict[str, dict[str, bytes]] = defaultdict(dict)
    for path in sorted(files):
        inner = _inside(path)
        if inner is None or _is_for_developers(inner):
            continue
        directory, _, rest = inner.partition("/")
        if directory in _DECOMPOSED:
            parts[f"{directory}/{rest.partition('/')[0]}"].append((inner, files[path]))
        elif directory == "staticresources" and "/" in rest:
            name, _, entry = rest.partition("/")
            archives[name][entry] = files[path]
        else:
            found[_renamed(inner, directory, files, path)] = files[path]
    found.update(_composed(parts))
    found.update((f"staticresources/{name}.resource", _zip(entries)) for name, entries in archives.items())
    return found


def _roots(path: Path) -> list[Path]:
    project = path / PROJECT
    if not project.is_file():
        return [path]
    try:
        folders = [str(one["path"]) for one in json.loads(project.read_text())["packageDirectories"]]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{project} names no package folders.", "Mend it, or name the source folder itself."
        ) from error
    gone = [one for one in folders if not (path / one).is_dir()]
    if gone:
        raise UsageError(f"{project} names the package folder {gone[0]}, which is not there.", "Mend it.")
    return [path / one for one in folders]


def _inside(path: str) -> str | None:
    """The path from the folder of its type on: the first folder that is one, wherever the project keeps it."""
    steps = path.split("/")
    for place, step in enumerate(steps[:-1]):
        endings = _RARE_ENDINGS.get(step, ("",))
        if step in _DIRECTORIES and steps[-1].removesuffix(META).endswith(endings):
            return "/".join(steps[place:])
    return None


def _is_for_developers(inner: str) -> bool:
    """Whether a file beside Lightning components is for editors and tests: no deployment takes these along."""
    directory, *steps = inner.split("/")
    return directory in ("aura", "lwc") and any(
        one.startswith(".") or one in ("__tests__", "__mocks__", "__utam__", "jsconfig.json", "tsconfig.json")
        for one in steps
    )


def find_strange(path: Path) -> tuple[str, ...]:
    """The metadata files of a source folder that belong to no type that is known, sorted. Raises UsageError."""
    files = (one.relative_to(path).as_posix() for root in _roots(path) for one in root.rglob(f"*{META}"))
    return tuple(sorted(one for one in files if _inside(one) is None))


def _renamed(inner: str, directory: str, files: Mapping[str, bytes], path: str) -> str:
    """`X.layout-meta.xml` is `X.layout`; content files keep their companion; static resources are all `.resource`."""
    place = _DIRECTORIES[directory]
    if place.bundle:
        return inner
    if directory == "staticresources":
        bare, meta = inner.removesuffix(META), META if inner.endswith(META) else ""
        return f"{bare.rpartition('.')[0]}.resource{meta}"
    if not inner.endswith(META):
        return inner
    if place.in_folder and (folder := _folder_of(place, inner)):
        return f"{folder}{META}"
    if place.type == "Document" and inner.endswith(f".document{META}"):
        start = path.removesuffix(f"document{META}")  # a picture and its companion have two endings here
        content = next((one for one in files if one.startswith(start) and not one.endswith(META)), start)
        return f"{inner.removesuffix(f'.document{META}')}.{content.removeprefix(start)}{META}"
    companion = place.content and path.removesuffix(META) in files
    bare = inner if companion else inner.removesuffix(META)
    *_, folder, name = bare.split("/")
    alone = place.rare and name == f"{folder}.{place.suffix}"  # a bot has a folder of its own
    return f"{directory}/{name}" if alone else bare


def _folder_of(place: Place, inner: str) -> str:
    """The path of the folder that a file describes (`reports/Sales.reportFolder-meta.xml`), or the empty text."""
    bare, _, ending = inner.removesuffix(META).rpartition(".")
    return bare if inner.endswith(META) and ending in (_lower(one) for one in FOLDER_TYPES[place.type]) else ""


def _lower(type: str) -> str:
    return f"{type[:1].lower()}{type[1:]}"


def _composed(parts: Mapping[str, list[tuple[str, bytes]]]) -> Iterator[tuple[str, bytes]]:
    for container, members in parts.items():
        directory, _, name = container.partition("/")
        suffix = "object" if directory == "objects" else "objectTranslation"
        root: Any = etree.Element(_NS + _DECOMPOSED[directory], nsmap={None: NAMESPACE})  # type: ignore[dict-item]
        for path, content in members:
            element = parse_xml(content)
            if element is None:
                if path.endswith(META):
                    raise UsageError(f"{path} is no metadata file.", "Mend it: a deployment would refuse it.")
                continue
            kind = path.removesuffix(META).rpartition(".")[2]
            if kind == suffix:
                root.extend(deepcopy(one) for one in element)
            elif kind in _TAGS:
                child = etree.SubElement(root, _NS + _TAGS[kind])
                child.extend(deepcopy(one) for one in element)
        yield f"{directory}/{name}.{suffix}", etree.tostring(root)


def _zip(entries: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as zipped:
        for name, content in sorted(entries.items()):
            zipped.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()
