"""What a capture holds and what it does not, one row a type and object; and whether it can be relied on.

`hollow`: something that the scope names, or that the org listed, came back empty: a baseline of it would undo nothing.
`partial`: something was refused or kept changing. Otherwise `usable`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rehearse.baseline.component_types import PARENT_OF
from rehearse.baseline.model import CaptureVerdict, Component, CoverageRow, Scope

_MISSING = ("not-retrieved", "unreadable")


def metadata_rows(components: Sequence[Component], found: Iterable[CoverageRow]) -> list[CoverageRow]:
    """A row for each captured type (children under their own names), then what is not captured."""
    counted = Counter(one.type for one in components)
    captured = [CoverageRow("metadata", type, "captured", counted[type]) for type in sorted(counted)]
    return [*captured, *sorted(found, key=lambda one: (one.name, one.state))]


def record_rows(counts: Mapping[str, int], notes: Mapping[str, str]) -> list[CoverageRow]:
    """A row for each object that was read."""
    return [
        CoverageRow("records", name, "captured" if count else "empty", count, notes.get(name, ""))
        for name, count in sorted(counts.items())
    ]


def find_hollow(
    scope: Scope, counts: Mapping[str, int], manifest: Mapping[str, Sequence[str]], components: Sequence[Component]
) -> tuple[str, ...]:
    """The names that came back empty although the scope names them or the org listed them, sorted.

    Objects that the user said to be empty are left out.
    """
    held = {one.type for one in components} | {PARENT_OF[one.type][0] for one in components if one.type in PARENT_OF}
    objects = {name for name in scope.objects if counts.get(name) == 0 and not scope.may_lack_rows(name)}
    types = {type for type, members in manifest.items() if members and type not in held and type != "StandardValueSet"}
    return tuple(sorted(objects | types))


def build_verdict(rows: Iterable[CoverageRow], hollow: Sequence[str], moving: Sequence[str]) -> CaptureVerdict:
    """Whether a capture can be relied on; `moving` names the objects whose counts never settled."""
    if hollow:
        return "hollow"
    return "partial" if moving or any(one.state in _MISSING for one in rows) else "usable"
