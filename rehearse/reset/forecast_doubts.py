"""Is it a package, and would an org take it? Asked before a forecast, which says nothing about what is never deployed.

Pure. A folder or zip without a component and without a manifest is refused, and so is a manifest that cannot be read: a
forecast of nothing would call a rehearsal undoable. What an org would refuse, or pass over, is told as a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from rehearse.baseline.canonical_xml import parse_xml, tag_of
from rehearse.baseline.component_types import PARENT_OF, TypeTable
from rehearse.baseline.components import read_components
from rehearse.baseline.hollow import name_held
from rehearse.baseline.model import Component
from rehearse.errors import UsageError
from rehearse.reset.forecast_package import DESTRUCTIVE, Package
from rehearse.reset.listed import listed

_NAMED = 5
_META = "-meta.xml"


def require_package(package: Package, path: Path) -> None:
    """Raise UsageError for a folder or zip that holds nothing to deploy, or whose manifest nobody can read."""
    for name in ("package.xml", *DESTRUCTIVE):
        root = parse_xml(package.files[name]) if name in package.files else None
        if name in package.files and (root is None or tag_of(root) != "Package"):
            raise UsageError(
                f"{name} of {path} is no manifest: it is not well-formed, or no Package of the metadata namespace.",
                "Mend it, or make the package again.",
            )
    held = [one for one in read_components(package.files) if one.full_name]
    if not (held or package.deletes):
        raise UsageError(
            f"{path} holds nothing that could be deployed: no file of a metadata type, and no destructive manifest.",
            "Name the folder or zip with package.xml, or a folder in source format.",
        )
    if package.members is not None and not package.deletes and not _deployed(package, held):
        raise UsageError(
            f"package.xml of {path} names nothing that lies beside it, so nothing of it would be deployed.",
            "Add the files that it names, or name the files that are there.",
        )


def find_doubts(package: Package) -> tuple[str, ...]:
    """Sentences on what a deployment would refuse or pass over."""
    held = read_components(package.files)
    doubts = (
        ("a deployment would refuse the package", "package.xml names what is not there", _find_missing(package, held)),
        ("a deployment would refuse the package", "not to be read as metadata", _find_broken(package.files)),
        ("not deployed", "files that package.xml does not name", _find_unnamed(package, held)),
        ("not foreseen, and a deployment may take them", "files of no type that is known here", package.strange),
    )
    return tuple(
        f"{_capital(what)} ({listed(_shortened(found), _NAMED)}): {so}." for so, what, found in doubts if found
    )


def _deployed(package: Package, held: Iterable[Component]) -> bool:
    return any(package.deploys(one.type, one.full_name) for one in held)


def _find_missing(package: Package, held: Sequence[Component]) -> list[str]:
    """Members that no file stands for; of types in folders and bundles only where there is none of the type."""
    table = TypeTable()
    given = {type: {name.lower() for name in names} for type, names in name_held(package.files, table).items()}
    for one in held:
        given.setdefault(one.type, set()).add(unquote(one.full_name).lower())
    missing: list[str] = []
    for type, names in sorted((package.members or {}).items()):
        place, there = table.place(type), given.get(type, set())
        loose = place is not None and (place.in_folder or place.bundle or place.rare)
        if (place is None and type not in PARENT_OF) or (loose and there):
            continue
        missing += [f"{type} {one}" for one in sorted(names) if one != "*" and one.lower() not in there]
    return missing


def _find_broken(files: Mapping[str, bytes]) -> list[str]:
    table = TypeTable()
    return sorted(path for path in files if _is_xml(path, table) and parse_xml(files[path]) is None)


def _is_xml(path: str, table: TypeTable) -> bool:
    place = table.place_of(path)
    return place is not None and not place.bundle and (path.endswith(_META) or not place.content)


def _find_unnamed(package: Package, held: Sequence[Component]) -> list[str]:
    """Files of which no component is named; companions follow their content."""
    taken = {path for one in held if package.deploys(one.type, one.full_name) for path in one.files}
    return sorted({path for one in held for path in one.files if not path.endswith(_META)} - taken)


def _shortened(names: Iterable[str]) -> list[str]:
    """A name of a thousand characters would hide the others."""
    return [one if len(one) <= 120 else f"{one[:119]}…" for one in names]


def _capital(text: str) -> str:
    return text if text.startswith("package.xml") else text[:1].upper() + text[1:]
