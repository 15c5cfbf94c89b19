"""Which metadata to ask for: the members of every type in scope, by name, and how to split them into retrieves.

One type a list call. A type that cannot be listed, or of which there is nothing, is a coverage row and no error.
Components of installed packages stay out (the packages themselves are in). Never a wildcard. A profile goes with every
chunk, and a layout with its object, because what a profile shows depends on them (facts/metadata.md 2 and 3.6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rehearse.baseline.component_types import FOLDER_TYPES
from rehearse.baseline.model import CoverageRow
from rehearse.errors import OrgRejected
from rehearse.org.model import MetadataItem, MetadataType
from rehearse.org.reader import OrgReader

MEMBERS_AT_ONCE = 2_500
_LISTS_AT_ONCE = 4
_WITH_EVERY_CHUNK = ("Profile",)
FROM_TOOLING = "FlowDefinition"
STANDARD_VALUE_SETS = """
AccountContactMultiRoles AccountContactRole AccountOwnership AccountRating AccountType AssetStatus CampaignMemberStatus
CampaignStatus CampaignType CaseContactRole CaseOrigin CasePriority CaseReason CaseStatus CaseType ContactRole
ContractContactRole ContractStatus EntitlementType EventSubject EventType Industry LeadSource LeadStatus
OpportunityCompetitor OpportunityStage OpportunityType OrderStatus OrderType PartnerRole Product2Family QuoteStatus
SalesTeamRole Salutation SolutionStatus TaskPriority TaskStatus TaskSubject TaskType WorkOrderPriority WorkOrderStatus
""".split()  # noqa: SIM905
"""Standard value sets cannot be listed (facts/metadata.md 1.3); those that an org lacks only make a message."""


@dataclass(frozen=True)
class Listing:
    """What an org has: members by type, who touched them, and what could not be listed."""

    members: Mapping[str, tuple[str, ...]]
    items: tuple[MetadataItem, ...]
    coverage: tuple[CoverageRow, ...]

    def with_more(self, other: Listing) -> Listing:
        """Both together; they are of different types."""
        return Listing(
            {**self.members, **other.members}, (*self.items, *other.items), (*self.coverage, *other.coverage)
        )


def fetch_listing(reader: OrgReader, types: Sequence[MetadataType]) -> Listing:
    """The members of the given types. Raises OrgError where the org fails; a refused type is a coverage row."""
    members: dict[str, tuple[str, ...]] = {}
    items: list[MetadataItem] = []
    coverage: list[CoverageRow] = []
    with ThreadPoolExecutor(_LISTS_AT_ONCE) as pool:
        for type, found in zip(types, pool.map(lambda one: _fetch_type(reader, one), types), strict=True):
            if isinstance(found, CoverageRow):
                coverage.append(found)
                continue
            own = [one for one in found if one.manageable_state != "installed" or type.name == "InstalledPackage"]
            names = {one.full_name for one in own}
            if type.name == "StandardValueSet":
                names |= set(STANDARD_VALUE_SETS)
            if names:
                members[type.name] = tuple(sorted(names))
                items += own
            if len(own) < len(found):
                note = "components of installed packages; the packages are listed with their versions"
                coverage.append(CoverageRow("metadata", type.name, "excluded", len(found) - len(own), note))
            elif not names:
                coverage.append(CoverageRow("metadata", type.name, "empty"))
    return Listing(members, tuple(items), tuple(coverage))


def join_manifests(
    frozen: Mapping[str, Sequence[str]], added: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """A frozen manifest verbatim plus what was added since."""
    return {type: tuple(sorted({*frozen.get(type, ()), *added.get(type, ())})) for type in sorted({*frozen, *added})}


def split_manifest(
    manifest: Mapping[str, Sequence[str]], limit: int = MEMBERS_AT_ONCE
) -> Iterator[dict[str, tuple[str, ...]]]:
    """The manifest in chunks of about `limit` members; all in one where it fits."""
    if sum(len(names) for names in manifest.values()) <= limit:
        yield {type: tuple(names) for type, names in manifest.items()}
        return
    always = {type: tuple(manifest[type]) for type in _WITH_EVERY_CHUNK if type in manifest}
    chunk: dict[str, list[str]] = {}
    size = 0
    for group in _groups(manifest):
        if size and size + len(group) > limit:
            yield _with(chunk, always)
            chunk, size = {}, 0
        for type, name in group:
            chunk.setdefault(type, []).append(name)
        size += len(group)
    if size:
        yield _with(chunk, always)


def halve_manifest(manifest: Mapping[str, Sequence[str]]) -> list[dict[str, tuple[str, ...]]]:
    """Two halves of a chunk, profiles in both; empty when there is nothing left to halve."""
    always = {type: tuple(manifest[type]) for type in _WITH_EVERY_CHUNK if type in manifest}
    groups = list(_groups(manifest))
    if len(groups) < 2:
        return []
    halves = groups[: len(groups) // 2], groups[len(groups) // 2 :]
    found: list[dict[str, tuple[str, ...]]] = []
    for half in halves:
        chunk: dict[str, list[str]] = {}
        for type, name in (pair for group in half for pair in group):
            chunk.setdefault(type, []).append(name)
        found.append(_with(chunk, always))
    return found


def _groups(manifest: Mapping[str, Sequence[str]]) -> Iterator[list[tuple[str, str]]]:
    """What must stay together: an object with its layouts; anything else stands alone. Profiles are left out."""
    layouts: dict[str, list[str]] = {}
    for name in manifest.get("Layout", ()):
        layouts.setdefault(name.partition("-")[0], []).append(name)
    for name in manifest.get("CustomObject", ()):
        yield [("CustomObject", name), *(("Layout", one) for one in layouts.pop(name, ()))]
    yield from ([("Layout", one)] for names in layouts.values() for one in names)
    for type in sorted(manifest):
        if type not in ("CustomObject", "Layout", *_WITH_EVERY_CHUNK):
            yield from ([(type, name)] for name in manifest[type])


def _with(chunk: Mapping[str, Sequence[str]], always: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {**{type: tuple(names) for type, names in chunk.items()}, **always}


def _fetch_type(reader: OrgReader, type: MetadataType) -> list[MetadataItem] | CoverageRow:
    try:
        if not type.in_folder:
            return list(reader.fetch_metadata_items(type.name))
        folders = reader.fetch_metadata_items(FOLDER_TYPES.get(type.name, f"{type.name}Folder"))
        found = [item for folder in folders for item in reader.fetch_metadata_items(type.name, folder.full_name)]
        return [*folders, *found]
    except OrgRejected as error:
        return CoverageRow("metadata", type.name, "not-listable", note=f"{error.org_code}: {error.org_message}")
