"""Flow versions that were deleted and made again under their old numbers: their contents need not be the same.

A retrieve shows the newest version alone, so that of older ones only the number is compared; when a version was made,
Tooling tells (facts/metadata.md 0, 5). Reads the org and the store; the newest version is compared elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rehearse import clock
from rehearse.baseline.components import FlowVersions, read_flow_versions
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.reset.model import ProofItem
from rehearse.reset.uncompared import first_second

_SOQL = "SELECT Definition.DeveloperName, VersionNumber, Status, CreatedDate FROM Flow"
_BACK = ("restored", "already equal")


def with_remade_flows(
    reader: OrgReader, store: CaptureStore, before: Capture, items: Sequence[ProofItem]
) -> tuple[ProofItem, ...]:
    """The items, and one for each flow with an older version that was made since the baseline. Raises Damaged."""
    known = _load_versions(store, before)
    found = {(one.type, one.key): one for one in items}
    for item in _find(reader, before, known) if known else ():
        place = (item.type, item.key)
        if place not in found or found[place].outcome in _BACK:
            found[place] = replace(item, by=found[place].by) if place in found else item
    return tuple(sorted(found.values(), key=lambda one: (one.kind, one.type, one.key)))


def _load_versions(store: CaptureStore, before: Capture) -> dict[str, FlowVersions]:
    """The flows of the baseline that had more than one version."""
    if "Flow" not in before.scope.types:
        return {}
    paths = {one.full_name: one.files[0] for one in store.load_components(before.ulid) if one.type == "FlowDefinition"}
    files = store.load_files(before.ulid, set(paths.values())) if paths else {}
    found = {name: read_flow_versions(files[path]) for name, path in paths.items() if path in files}
    return {name: one for name, one in found.items() if len(one.versions) > 1}


def _find(reader: OrgReader, before: Capture, known: dict[str, FlowVersions]) -> Iterator[ProofItem]:
    try:
        rows = list(reader.fetch_tooling_rows(_SOQL))
    except OrgRejected:
        return
    made: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        name, number = str(row["Definition.DeveloperName"]), int(str(row["VersionNumber"] or 0))
        held = known.get(name)
        old = held is not None and number in held.versions and number != max(held.versions)
        if old and clock.from_iso(str(row["CreatedDate"])) >= first_second(before):
            made.setdefault(name, []).append((number, str(row["Status"])))
    for name, versions in sorted(made.items()):
        numbers = ", ".join(str(number) for number, _ in sorted(versions))
        told = f"made again since the baseline, with contents that nobody can compare: version {numbers}"
        acts = any(status == "Active" for _, status in versions)
        yield ProofItem("component", "Flow", name, "impossible" if acts else "residue", told)
