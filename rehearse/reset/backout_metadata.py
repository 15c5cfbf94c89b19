"""The metadata of a back-out package: two deployments that undo a release package, made from a baseline. Pure.

The first goes before any row is touched: automation that the release brought is taken away or switched off, and what
the release changed or deleted comes back. The second takes away what the release added, after the rows that use it
are gone. Nothing here speaks to an org: the team's own pipeline deploys the files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from rehearse.baseline.canonical_xml import NAMESPACE, parse_xml, text_of
from rehearse.baseline.components import TYPES_FILE, read_flow_versions
from rehearse.baseline.model import Capture, Change, Component
from rehearse.baseline.packages import build_package_xml, read_package_xml
from rehearse.reset.component_marks import FLOW_TYPES
from rehearse.reset.deploy_zip import build_destruction, build_upserts
from rehearse.reset.flow_states import NO_FLOW
from rehearse.reset.forecast_package import (
    ComponentChange,
    Known,
    Package,
    Place,
    find_component_changes,
    merge_files,
    name_parts,
)
from rehearse.reset.inputs import FlowState, MetadataBook, PlanInputs
from rehearse.reset.model import Action, Blocked
from rehearse.reset.plan_metadata import SWITCH_OFF, plan_metadata

BEFORE_ROWS = 300
"""Phases of a reset plan below this one come before the rows (plan_metadata)."""

POST = "destructiveChangesPost.xml"


@dataclass(frozen=True)
class BackoutMetadata:
    """Files of the two deployments (empty: not needed), their actions, and what no deployment undoes."""

    first: Mapping[str, bytes]
    last: Mapping[str, bytes]
    actions: tuple[Action, ...]
    blocked: tuple[Blocked, ...]


def build_backout_metadata(
    packages: Sequence[tuple[Package, Known]], base: Capture, api_version: str, now: datetime
) -> BackoutMetadata:
    """The deployments that undo the packages, applied in this order. Raises NotFound for what the baseline lacks."""
    book, changes = _foresee(packages)
    inputs = PlanInputs(
        sandbox=base.sandbox, baseline=base.ulid, before=base, after=base, changes=tuple(changes.values()),
        schemas={}, rows={}, metadata=book, made_at=now,
    )  # fmt: skip
    actions, blocked = plan_metadata(inputs)
    off = {(one.type, one.key) for one in actions if one.phase == SWITCH_OFF}
    first = [
        one
        for one in actions
        if one.phase < BEFORE_ROWS
        and one.do != "delete-flow-version"
        and not (one.do == "destroy" and (one.type, one.key) in off)  # in no deployment both ways (facts 4.2)
    ]
    last = [one for one in actions if one not in first]
    away = {(one.type, one.key) for one in blocked} & (book.before.keys() - book.after.keys())
    deployed = [_deployment(book, some, api_version, away) for some in (first, last)]
    return BackoutMetadata(deployed[0], deployed[1], tuple(actions), tuple(blocked))


def _foresee(packages: Sequence[tuple[Package, Known]]) -> tuple[MetadataBook, dict[Place, Change]]:
    """What the org will look like after the packages, beside what the baseline holds, and the difference."""
    before: dict[Place, Component] = {}
    after: dict[Place, Component] = {}
    gone: set[Place] = set()
    old: dict[str, bytes] = {}
    new: dict[str, bytes] = {}
    changes: dict[Place, Change] = {}
    flows: dict[str, tuple[FlowState, FlowState]] = {}
    for package, known in packages:
        merged = Package(dict(merge_files(package, known)), package.members, package.deletes)
        parts = {(one.type, one.full_name): one for one in name_parts(merged, known.files.get(TYPES_FILE))}
        found = find_component_changes(package, known)
        for one in _own(found, parts, package):
            changes[one.type, one.key] = _change(one)
            if one.type in FLOW_TYPES:
                flows[one.key] = _flow_states(one, known, merged.files)
        gone = (gone - parts.keys()) | {(one.type, one.key) for one in found if one.what == "deleted"}
        after = {key: one for key, one in {**known.components, **after, **parts}.items() if key not in gone}
        before.update(known.components)
        old.update(known.files)
        new = {**known.files, **new, **merged.files}
    book = MetadataBook(
        before, after, old, new,
        {name: one for name, (one, _) in flows.items() if one.versions},
        {name: two for name, (_, two) in flows.items() if two.versions},
        held=packages[-1][1].held if packages else None, types=packages[-1][1].types if packages else None,
    )  # fmt: skip
    return book, changes


def _own(
    found: Iterable[ComponentChange], parts: Mapping[Place, Component], package: Package
) -> Iterator[ComponentChange]:
    """The changes that the package makes itself; profiles that merely follow a new field lose it with the field."""
    names = {(type, name.lower()) for type, name in parts}
    for one in found:
        if "outside-scope" in one.marks:
            continue  # whether the release made it or changed it, the baseline does not know
        if one.what == "deleted" or one.type in FLOW_TYPES or (one.type, one.key.lower()) in names:
            yield one
        elif package.deletes and one.what == "updated":
            yield one  # a profile or permission set that loses its entries about what is deleted


def _change(one: ComponentChange) -> Change:
    """As a reset would see it after the release; the digests only tell which side there is."""
    before = None if one.what == "created" else "before"
    after = None if one.what == "deleted" else "after"
    return Change("component", one.type, one.key, before, after)


def _flow_states(one: ComponentChange, known: Known, files: Mapping[str, bytes]) -> tuple[FlowState, FlowState]:
    """The versions of a flow now and after the release: a deployed flow becomes a new version, active if it says so."""
    definition = known.components.get(("FlowDefinition", one.key))
    before = NO_FLOW
    if definition is not None and definition.files[0] in known.files:
        versions = read_flow_versions(known.files[definition.files[0]])
        before = FlowState(versions.active or 0, tuple(sorted(versions.versions)))
    elif ("Flow", one.key) in known.components:
        before = FlowState(1, (1,))
    if one.what == "deleted":
        return before, NO_FLOW
    content = next((body for path, body in files.items() if path.endswith(f"/{one.key}.flow")), None)
    root = parse_xml(content) if content is not None else None
    if root is None:
        return before, FlowState(0, before.versions)
    number = max(before.versions, default=0) + 1
    active = number if text_of(root, "status") == "Active" else before.active
    return before, FlowState(active, (*before.versions, number))


def _deployment(
    book: MetadataBook, actions: Sequence[Action], api_version: str, away: Collection[Place]
) -> dict[str, bytes]:
    """One deployment: what comes back, and after it what goes; empty when there is nothing to do.

    Access to what stays `away` is left out: for one such entry an org refuses the whole profile.
    """
    if not actions:
        return {}
    deploys = [one for one in actions if one.do == "deploy"]
    files = build_upserts(book, deploys, api_version, away) if deploys else {}
    members = {type: set(names) for type, names in read_package_xml(files.get("package.xml", b"<x/>")).items()}
    for one in actions:
        if one.do == "activate-flow":
            members.setdefault("FlowDefinition", set()).add(one.key)
            files[f"flowDefinitions/{one.key}.flowDefinition"] = _flow_definition(one.fields[0])
    files["package.xml"] = build_package_xml(members, api_version)
    gone: dict[str, set[str]] = {}
    destroyed = [one for one in actions if one.do == "destroy"]
    if destroyed:
        manifest = build_destruction(destroyed, api_version)["destructiveChanges.xml"]
        gone = {type: set(names) for type, names in read_package_xml(manifest).items()}
    for one in actions:
        if one.do == "delete-flow-version":
            gone.setdefault("Flow", set()).add(f"{one.key}-{one.fields[0]}")
    if gone:
        files[POST] = build_package_xml(gone, api_version)
    return files


def _flow_definition(version: str) -> bytes:
    """Which version of a flow is active; 0 switches it off (facts/metadata.md 4.1)."""
    root = etree.Element("FlowDefinition", xmlns=NAMESPACE)
    etree.SubElement(root, "activeVersionNumber").text = version
    etree.indent(root, "    ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
