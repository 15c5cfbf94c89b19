"""What a package would do to flows: deploying makes a new version, and a deleted version never comes back. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rehearse.baseline.canonical_xml import parse_xml, text_of
from rehearse.baseline.model import Component
from rehearse.reset.model import What

Flows = Mapping[str, tuple[Component | None, Mapping[int, str]]]
"""Flow -> the component of its captured file, and its version numbers with their status."""


def find_flow_changes(
    parts: Mapping[tuple[str, str], Component],
    files: Mapping[str, bytes],
    deletes: Sequence[tuple[str, str]],
    known: Flows,
) -> Iterator[tuple[str, What, frozenset[str]]]:
    """Each flow that would differ: its name, how, and whether versions of it would be lost, or the one that acts."""
    gone = _deleted_versions(deletes, known)
    names = {name.partition("-")[0] for type, name in parts if type in ("Flow", "FlowDefinition")}
    for name in sorted(names | gone.keys()):
        versions = known[name][1] if name in known else {}
        lost = gone.get(name, set()) & set(versions)
        if name not in known:
            if name in names:
                yield name, "created", frozenset()
        elif lost and lost == set(versions) and ("Flow", name) not in parts:
            yield name, "deleted", _lost_marks(versions, lost) if lost - {1} else frozenset()
        elif lost or _is_changed(name, parts, files, known):
            yield name, "updated", _lost_marks(versions, lost) if lost else frozenset()


def _lost_marks(versions: Mapping[int, str], lost: set[int]) -> frozenset[str]:
    """The contents of the newest version alone are held: one that acts and is older is gone for good."""
    acting = {number for number in lost if versions[number] == "Active"} - {max(versions)}
    return frozenset({"active-lost"} if acting else {"version-lost"})


def _deleted_versions(deletes: Sequence[tuple[str, str]], known: Flows) -> dict[str, set[int]]:
    """Flow -> the versions that destructive manifests name; a bare name means all of them."""
    found: dict[str, set[int]] = defaultdict(set)
    for type, full_name in deletes:
        if type not in ("Flow", "FlowDefinition"):
            continue
        name, _, number = full_name.partition("-")
        if name in known and number.isdigit():
            found[name].add(int(number))
        elif name in known and not number:
            found[name] |= set(known[name][1])
    return found


def _is_changed(
    name: str, parts: Mapping[tuple[str, str], Component], files: Mapping[str, bytes], known: Flows
) -> bool:
    before, versions = known[name]
    part = parts.get(("Flow", name))
    if part is not None and (before is None or before.digest != part.digest):
        return True
    definition = parts.get(("FlowDefinition", name))
    root = parse_xml(files[definition.files[0]]) if definition is not None else None
    if root is None:
        return False
    wanted = text_of(root, "activeVersionNumber") or "0"
    active = next((number for number, status in versions.items() if status == "Active"), 0)
    return wanted != str(active)
