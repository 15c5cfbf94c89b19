"""What a change of a flow means, in words: which version was active and is now, and which versions came or went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehearse.baseline.components import FlowVersions, read_flow_versions
from rehearse.baseline.model import Capture, Change
from rehearse.baseline.record_store import CaptureStore


def load_flow_notes(
    store: CaptureStore, before: Capture, after: Capture, changes: Sequence[Change]
) -> dict[tuple[str, str], str]:
    """A note for each changed FlowDefinition, by type and name. Raises Damaged."""
    wanted = {one.key for one in changes if one.type == "FlowDefinition" and one.kind == "component"}
    if not wanted:
        return {}
    old, new = (_load(store, capture, wanted) for capture in (before, after))
    return {("FlowDefinition", name): note for name in wanted if (note := tell_flow(old.get(name), new.get(name)))}


def tell_flow(before: FlowVersions | None, after: FlowVersions | None) -> str:
    """How the versions of a flow differ: `active version 3 -> 4; version 4 added`."""
    old, new = before or FlowVersions(None, {}), after or FlowVersions(None, {})
    told = []
    if old.active != new.active:
        told.append(f"active version {old.active or 'none'} -> {new.active or 'none'}")
    for word, numbers in (("added", new.versions.keys() - old.versions.keys()),
                          ("gone", old.versions.keys() - new.versions.keys())):  # fmt: skip
        if numbers:
            listed = ", ".join(str(one) for one in sorted(numbers))
            told.append(f"version{'s' if len(numbers) > 1 else ''} {listed} {word}")
    return "; ".join(told)


def _load(store: CaptureStore, capture: Capture, wanted: set[str]) -> Mapping[str, FlowVersions]:
    components = [
        one for one in store.load_components(capture.ulid) if one.type == "FlowDefinition" and one.full_name in wanted
    ]
    files = store.load_files(capture.ulid, {one.files[0] for one in components})
    return {one.full_name: read_flow_versions(files[one.files[0]]) for one in components if one.files[0] in files}
