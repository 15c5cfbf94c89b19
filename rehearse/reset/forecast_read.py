"""Reading what a forecast is made from: a package on disk, and what it would meet (a baseline, or the org itself).

Reads only, and of an org nothing but the components that the package names. Without a baseline the org's own
components are compared, and rows are not.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from rehearse.baseline.components import TYPES_FILE, read_components, read_package
from rehearse.baseline.coverage import find_unseen
from rehearse.baseline.model import Capture, Component
from rehearse.baseline.packages import container_of
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.source_tree import META, PROJECT, find_strange, read_source
from rehearse.baseline.writing import nameless_file
from rehearse.baseline.zip_files import unpacked_size
from rehearse.errors import UsageError
from rehearse.events import OnEvent, Started, ignore
from rehearse.org.connect import OrgReader
from rehearse.reset.forecast import ForecastInputs, RowChanges, Work
from rehearse.reset.forecast_doubts import find_doubts, require_package
from rehearse.reset.forecast_package import (
    ACCESS_TYPES,
    ComponentChange,
    Known,
    Package,
    Place,
    find_component_changes,
    name_parts,
    open_package,
)
from rehearse.reset.forecast_rows import RowFile, find_row_changes, find_row_doubts
from rehearse.reset.listed import listed
from rehearse.reset.lost_values import held_fields

MOST_UNPACKED = 629_145_600
"""The most bytes of a package, unpacked (Metadata API guide; facts/metadata.md 2)."""
_FLOWS = ("Flow", "FlowDefinition")


@dataclass(frozen=True)
class Demand:
    """What is to be forecast: packages in the order of their deployment, files of rows, and other steps."""

    packages: tuple[Package, ...] = ()
    files: tuple[RowFile, ...] = ()
    work: tuple[Work, ...] = ()


@dataclass(frozen=True)
class Base:
    """The baseline to compare with: the store, its capture, and when it was taken."""

    store: CaptureStore
    capture: Capture


def load_package(path: Path, kind: Literal["mdapi", "source", "zip", ""] = "") -> Package:
    """A package from a folder or a zip; without `kind`, a folder without package.xml is taken for source format.

    Raises NotFound, UsageError.
    """
    _require_size(path)
    _require_one(path)
    source = kind == "source" or (not kind and _is_source(path))
    if source:
        package = replace(open_package(read_source(path), whole=True), strange=find_strange(path))
    else:
        package = open_package(read_package(path))
    require_package(package, path)
    return package


def _require_one(path: Path) -> None:
    """A folder of several packages is not one: which of them is meant is asked, never guessed."""
    if not path.is_dir() or (path / "package.xml").is_file() or (path / PROJECT).is_file():
        return
    inside = sorted(one.parent.relative_to(path).as_posix() for one in path.rglob("package.xml"))
    if len(inside) > 1:
        raise UsageError(f"{path} holds several packages: {listed(inside, 5)}.", "Name the folder of one of them.")


def _require_size(path: Path) -> None:
    """A zip of a few bytes may be told to hold any number of them: no more is unpacked than an org would take."""
    if not path.is_file():
        return
    try:
        size = unpacked_size(path)
    except zipfile.BadZipFile:
        return  # whoever reads it says so
    if size > MOST_UNPACKED:
        raise UsageError(f"{path} holds more than 600 MB, and no deployment takes more.", "Split the package.")


def forecast_inputs(
    demand: Demand, base: Base | None, reader: OrgReader | None, now: datetime, on_event: OnEvent = ignore
) -> ForecastInputs:  # fmt: skip
    """Everything that a forecast needs. With neither baseline nor org, every component counts as new.

    Raises NotFound, UsageError, Damaged, KeyUnavailable, OrgError.
    """
    changes: dict[Place, ComponentChange] = {}
    rows: list[RowChanges] = []
    for package in demand.packages:
        known = _known(package, base, reader, on_event)
        for one in find_component_changes(package, known):
            changes[one.type, one.key] = one
        rows += _rows_of_schema(base, list(changes.values()))
    added = frozenset(one.key for one in changes.values() if (one.type, one.what) == ("CustomObject", "created"))
    fields = {(one.key.partition(".")[0], one.key.partition(".")[2]) for one in changes.values() if _is_new_field(one)}
    doubts = [said for package in demand.packages for said in find_doubts(package)]
    for file in demand.files:
        on_event(Started(f"Reading {file.path.name}"))
        rows += find_row_changes(base.store if base else None, base.capture if base else None, file, added)
        doubts += find_row_doubts(base.capture if base else None, file, fields)
    return ForecastInputs(
        tuple(changes[key] for key in sorted(changes)),
        tuple(rows),
        demand.work,
        now,
        base.capture.started if base else None,
        (*_doubts(base), *doubts),
        sound=base is None or base.capture.verdict == "usable",
    )


def _is_new_field(change: ComponentChange) -> bool:
    return (change.type, change.what) == ("CustomField", "created")


def _is_source(path: Path) -> bool:
    if not path.is_dir() or (path / PROJECT).is_file():
        return path.is_dir()
    return not any(path.rglob("package.xml")) and any(path.rglob(f"*{META}"))


def _doubts(base: Base | None) -> tuple[str, ...]:
    if base is None or base.capture.verdict == "usable":
        return ()
    return (f"The baseline is {base.capture.verdict}: what it lacks cannot be put back, and no reset to it is proven.",)


def _known(package: Package, base: Base | None, reader: OrgReader | None, on_event: OnEvent) -> Known:
    if base is not None:
        return load_known(package, base)
    return _fetch_known(package, reader, on_event) if reader is not None else Known({}, {})


def load_known(package: Package, base: Base) -> Known:
    """What a baseline knows of everything that a package touches, with the files of those. Raises Damaged."""
    store, ulid = base.store, base.capture.ulid
    components = {(one.type, one.full_name): one for one in store.load_components(ulid)}
    names = {(one.type, one.full_name.lower()) for one in name_parts(package)}
    names |= {(type, name.lower()) for type, name in package.deletes}
    containers = {container_of(type, name) for type, name in names}
    paths = {
        path
        for (type, name), one in components.items()
        if _touches(type, name.lower(), names, containers) or (package.deletes and type in ACCESS_TYPES)
        for path in one.files
    }
    types = frozenset({*base.capture.scope.types, *(type for type, _ in components)})
    return Known(
        components,
        store.load_files(ulid, paths | {TYPES_FILE}),
        types,
        held_fields(base.capture),
        find_unseen(base.capture),
    )


def _touches(type: str, name: str, names: Collection[Place], containers: Collection[Place]) -> bool:
    """Whether the file of a component is needed: named, beside a named child, or the versions of a named flow."""
    if (type, name) in names or (type, name) in containers or container_of(type, name) in containers:
        return True
    return type in _FLOWS and any(
        (one, name) == (kind, full.partition("-")[0]) for kind, full in names for one in _FLOWS
    )


def _rows_of_schema(base: Base | None, changes: Sequence[ComponentChange]) -> list[RowChanges]:
    """Rows that a deployment changes by itself: those of a deleted object, and the values of a deleted field."""
    if base is None:
        return []
    counts = {one.object: one.rows for one in base.capture.objects}
    gone = {one.key for one in changes if (one.type, one.what) == ("CustomObject", "deleted")}
    marks = frozenset({"object-lost", "hard-deleted"})
    found = [RowChanges("deploy", one, "deleted", counts[one], marks) for one in sorted(gone) if one in counts]
    fields: dict[str, list[str]] = {}
    for one in changes:
        object, _, field = one.key.partition(".")
        if (one.type, one.what) == ("CustomField", "deleted") and object in counts and object not in gone:
            fields.setdefault(object, []).append(field)
    for object, names in sorted(fields.items()):
        held = sum(
            1
            for row in base.store.load_rows(base.capture.ulid, object, None, names)
            if any(row.get(name) is not None for name in names)
        )
        found.append(RowChanges("deploy", object, "updated", held, frozenset({"field-lost"})))
    return found


def _fetch_known(package: Package, reader: OrgReader, on_event: OnEvent) -> Known:
    """The components of an org that a package names, by one retrieve; a member that is not there is no error."""
    manifest = _manifest(package)
    if not manifest:
        return Known({}, {})
    on_event(Started("Reading what the package would meet"))
    with nameless_file() as path:
        reader.retrieve(manifest, path, on_event)
        files = read_package(path)
    components: Iterable[Component] = read_components(files, (), reader.fetch_metadata_types())
    return Known({(one.type, one.full_name): one for one in components}, files)


def _manifest(package: Package) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    places = [(one.type, one.full_name) for one in name_parts(package)]
    for type, name in [*places, *package.deletes]:
        bare = name.partition("-")[0] if type in _FLOWS else name
        found.setdefault(type, set()).add(bare)
    return {type: tuple(sorted(names)) for type, names in found.items()}
