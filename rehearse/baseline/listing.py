"""What an org has: the members of every metadata type, listed in the background and to be had type by type.

What the first retrieve needs (profiles, objects, layouts, classes) first and alone, so that it can begin while the rest
is being listed; then types in folders, and the others three a call. One that cannot be listed spoils its call, and each
is asked for alone. A type that cannot be listed, or of which there is nothing, is a coverage row and no error.
Components of installed packages stay out (the packages themselves are in).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from rehearse.baseline.component_types import FOLDER_TYPES, HAS_UNFILED, UNFILED
from rehearse.baseline.flow_versions import fetch_flow_versions
from rehearse.baseline.model import CoverageRow
from rehearse.baseline.standard_value_sets import STANDARD_VALUE_SETS
from rehearse.errors import OrgRejected
from rehearse.org.metadata import LISTS_A_CALL
from rehearse.org.model import MetadataItem, MetadataType
from rehearse.org.reader import OrgReader

LISTS_AT_ONCE = 4
_FIRST = ("Profile", "CustomObject", "Layout", "ApexClass")
_NEXT = ("CustomObjectTranslation", "QuickAction", "Translations")
"""What the first retrieve needs too, by one call."""
FROM_TOOLING = "FlowDefinition"
HOLD_LOCAL_PARTS = frozenset({"CustomObject"})
"""Types of which an installed component may hold parts that people made: a field on an object of a package."""
INSTALLED = "components of installed packages; the packages are listed with their versions"
_UNNAMED = ("GlobalValueSetTranslation", "StandardValueSetTranslation")
"""Their lines do not say of which type they are (facts/metadata.md 1.3), so they share no call."""


@dataclass(frozen=True)
class Listing:
    """What an org has: members by type, who touched them, and what could not be listed.

    `flows`: the files of flow versions; None where Tooling was not asked or does not tell them. `installed`: what came
    with packages and is not retrieved, but for objects, which may hold parts that people made.
    """

    members: Mapping[str, tuple[str, ...]]
    items: tuple[MetadataItem, ...]
    coverage: tuple[CoverageRow, ...]
    flows: Mapping[str, bytes] | None = None
    installed: tuple[MetadataItem, ...] = ()


@dataclass(frozen=True)
class TypeListing:
    """What an org has of one type; `flows` where that came from Tooling, `held`: what is retrieved though installed."""

    members: tuple[str, ...] = ()
    items: tuple[MetadataItem, ...] = ()
    coverage: tuple[CoverageRow, ...] = ()
    flows: Mapping[str, bytes] | None = None
    installed: tuple[MetadataItem, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        return tuple(sorted(one.full_name for one in self.installed if one.type in HOLD_LOCAL_PARTS))


Found = Mapping[str, TypeListing]
"""What there is of the types that were asked for together, by name."""


@contextmanager
def listing_threads() -> Iterator[ThreadPoolExecutor]:
    """Threads to list in; where the block fails, calls that have not begun are dropped and not waited for."""
    pool = ThreadPoolExecutor(LISTS_AT_ONCE)
    try:
        yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


class ListingWork:
    """A listing under way in the threads of `pool`; `flows`: take flow versions from Tooling where it tells them."""

    def __init__(self, reader: OrgReader, types: Sequence[MetadataType], pool: Executor, *, flows: bool = True) -> None:
        self.types = tuple(types)
        self._found: dict[str, Future[Found]] = {}
        for group in _share_out(types):
            asked = pool.submit(_fetch_types, reader, group, flows=flows)
            self._found |= dict.fromkeys((one.name for one in group), asked)

    def of(self, type: str) -> TypeListing:
        """What there is of one type, once it is listed; nothing of a type that was not asked for. Raises OrgError."""
        return self._found[type].result()[type] if type in self._found else TypeListing()

    def result(self) -> Listing:
        """All of it, once it is there. Raises OrgError where the org fails."""
        found = {one.name: self.of(one.name) for one in self.types}
        return Listing(
            members={type: one.members for type, one in found.items() if one.members},
            items=tuple(item for one in found.values() for item in one.items),
            coverage=tuple(row for one in found.values() for row in one.coverage),
            flows=next((one.flows for one in found.values() if one.flows is not None), None),
            installed=tuple(item for one in found.values() for item in one.installed),
        )


def fetch_listing(reader: OrgReader, types: Sequence[MetadataType]) -> Listing:
    """The members of the given types. Raises OrgError where the org fails; a refused type is a coverage row."""
    with listing_threads() as pool:
        return ListingWork(reader, types, pool, flows=False).result()


def count_calls(types: Sequence[MetadataType]) -> int:
    """How many calls list these types, where the reports of one are in three folders at the most."""
    more = {FROM_TOOLING: 1} | {one.name: len(FOLDER_TYPES.get(one.name, ("",))) for one in types if one.in_folder}
    return sum(1 + max(more.get(one.name, 0) for one in group) for group in _share_out(types))


def _share_out(types: Sequence[MetadataType]) -> Iterator[Sequence[MetadataType]]:
    """The types in the order in which they are asked for, those together that share a call."""
    alone: list[MetadataType] = []
    others: list[MetadataType] = []
    for one in sorted(types, key=lambda one: (one.name not in (*_FIRST, *_NEXT), not one.in_folder, one.name)):
        is_alone = one.in_folder or one.name in (*_FIRST, *_UNNAMED, FROM_TOOLING)
        if one.name not in _NEXT:
            (alone if is_alone else others).append(one)
    yield from ([one] for one in alone if one.name in _FIRST)
    if following := [one for one in types if one.name in _NEXT]:
        yield following
    yield from ([one] for one in alone if one.name not in _FIRST)
    yield from (others[start : start + LISTS_A_CALL] for start in range(0, len(others), LISTS_A_CALL))


def _fetch_types(reader: OrgReader, types: Sequence[MetadataType], *, flows: bool) -> Found:
    found = None
    if len(types) > 1:
        with suppress(OrgRejected):
            found = reader.fetch_metadata_lists([one.name for one in types])
    if found is not None and all(_is_of(one, item) for one in types for item in found[one.name]):
        return {one.name: _listed(one, found[one.name]) for one in types}
    return {one.name: _fetch_type(reader, one, flows=flows) for one in types}


def _is_of(type: MetadataType, item: MetadataItem) -> bool:
    """Whether the place of an item says too that it is of this type."""
    return item.file_name.partition("/")[0] == type.directory


def _fetch_type(reader: OrgReader, type: MetadataType, *, flows: bool) -> TypeListing:
    versions = fetch_flow_versions(reader) if flows and type.name == FROM_TOOLING else None
    if versions is not None:
        return TypeListing(flows=versions)
    try:
        items, unlisted = fetch_items(reader, type)
    except OrgRejected as error:
        return TypeListing(coverage=(_unlisted(type.name, error),))
    found = _listed(type, items)
    return replace(found, coverage=(*found.coverage, *unlisted))


def _listed(type: MetadataType, found: Sequence[MetadataItem]) -> TypeListing:
    own: list[MetadataItem] = []
    brought: list[MetadataItem] = []
    for one in found:
        is_own = one.manageable_state != "installed" or type.name == "InstalledPackage"
        (own if is_own else brought).append(one)
    names = {one.full_name for one in own}
    if type.name == "StandardValueSet":
        names |= set(STANDARD_VALUE_SETS)
    coverage = _cover(type, len(found), len(own), names)
    return TypeListing(tuple(sorted(names)), tuple(own) if names else (), coverage, installed=tuple(brought))


def fetch_items(reader: OrgReader, type: MetadataType) -> tuple[Sequence[MetadataItem], tuple[CoverageRow, ...]]:
    """The components of one type, of a type in folders with the folders, and what of these the org does not list.

    Raises OrgRejected where it lists none.
    """
    if not type.in_folder:
        return reader.fetch_metadata_items(type.name), ()
    first, *more = FOLDER_TYPES.get(type.name, (f"{type.name}Folder",))
    folders = list(reader.fetch_metadata_items(first))
    unlisted: list[CoverageRow] = []
    for other in more:
        try:
            folders += reader.fetch_metadata_items(other)
        except OrgRejected as error:
            unlisted.append(_unlisted(f"{type.name} ({other})", error))
    names = list(dict.fromkeys(one.full_name for one in folders))
    own = [UNFILED] if type.name in HAS_UNFILED and UNFILED not in names else []
    return [*folders, *reader.fetch_metadata_items(type.name, [*names, *own])], tuple(unlisted)


def _unlisted(name: str, error: OrgRejected) -> CoverageRow:
    return CoverageRow("metadata", name, "not-listable", note=f"{error.org_code}: {error.org_message}")


def _cover(type: MetadataType, found: int, own: int, names: set[str]) -> tuple[CoverageRow, ...]:
    if own < found and type.name not in HOLD_LOCAL_PARTS:
        return (CoverageRow("metadata", type.name, "excluded", found - own, INSTALLED),)
    return () if names or own < found else (CoverageRow("metadata", type.name, "empty"),)
