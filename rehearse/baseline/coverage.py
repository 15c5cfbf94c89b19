"""What a capture holds and what it does not, a row for every metadata type and object; and whether to rely on it.

`hollow`: something that the scope names, or that the org counts, came back empty or short: a reset to it would undo
nothing, or the wrong thing. `partial`: something was refused, hidden from this login, or kept changing. Else `usable`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from rehearse.baseline.model import Capture, CaptureVerdict, Component, CoverageRow
from rehearse.baseline.row_kinds import NOT_ROWS, why_no_rows
from rehearse.org.model import MetadataType, ObjectSummary

_MISSING = ("not-retrieved", "unreadable")

NOT_METADATA = (
    ("Permission assignments", "rows of PermissionSetAssignment; name that object in scope.records to keep them"),
    ("Users and their roles", "rows of User; name that object in scope.records to keep them"),
    ("Custom setting rows", "rows of the setting's object; name it in scope.records to keep them"),
    ("OAuth tokens, sessions and secrets", "no API gives them"),
    ("Paused flow interviews", "no API brings them back"),
    ("E-mail deliverability", "a switch in Setup without an API"),
    ("Reports' and dashboards' schedules", "kept as scheduled work, made again by hand"),
)
"""What people look for in the metadata and that no metadata type holds (facts/metadata.md 5)."""


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


def outside_rows(
    types: Sequence[MetadataType], summaries: Sequence[ObjectSummary], told: Collection[tuple[str, str]]
) -> list[CoverageRow]:
    """A row for every type and object of the org that no other row tells about (`told`: kind and name), with why."""
    rows = [CoverageRow("metadata", name, "not-metadata", note=why) for name, why in NOT_METADATA]
    rows += [
        CoverageRow("metadata", one.name, "excluded", note="not in scope.metadata")
        for one in types
        if ("metadata", one.name) not in told
    ]
    rows += [_outside(one) for one in summaries if ("records", one.name) not in told]
    return rows


def _outside(one: ObjectSummary) -> CoverageRow:
    if not one.queryable:
        return CoverageRow("records", one.name, "not-listable", note="the org lets nobody query it")
    reason = why_no_rows(one.name)
    if reason is None and one.name.endswith(NOT_ROWS):
        reason = "the platform writes its rows along with those of another object"
    return CoverageRow("records", one.name, "excluded", note=reason or "not in scope.records")


def build_verdict(rows: Iterable[CoverageRow], hollow: Sequence[str], moving: Sequence[str]) -> CaptureVerdict:
    """Whether a capture can be relied on; `moving` names the objects whose counts never settled."""
    if hollow:
        return "hollow"
    return "partial" if moving or any(one.state in _MISSING for one in rows) else "usable"


def find_unseen(of: Capture) -> frozenset[str]:
    """Metadata types and objects of which a capture lacks something that the org may have; `Account (fields)` too."""
    rows = {row.name for row in of.coverage if row.state in ("not-listable", "not-retrieved", "unreadable")}
    return frozenset(rows | set(of.hollow))
