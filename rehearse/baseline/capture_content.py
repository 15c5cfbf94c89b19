"""What was read in one capture, weighed: the coverage report, and what of it is hollow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rehearse.baseline.asking import Question
from rehearse.baseline.capture_metadata import MetadataRead
from rehearse.baseline.coverage import metadata_rows, outside_rows, record_rows
from rehearse.baseline.hollow import find_empty, find_fieldless, find_missing, missing_rows
from rehearse.baseline.model import Capture, Component, CoverageRow, ResolvedScope, Scope

if TYPE_CHECKING:
    from rehearse.baseline.capture_records import ReadObject


@dataclass(frozen=True)
class Content:
    """Everything that was read."""

    read: Sequence[ReadObject]
    refused: Sequence[CoverageRow]
    metadata: MetadataRead
    components: Sequence[Component]
    commit: str
    listing_sha256: str = ""


def build_coverage(
    question: Question, frozen: Capture | None, scope: ResolvedScope, content: Content
) -> tuple[CoverageRow, ...]:
    """A row for everything that the org has: captured, or why not. Of a frozen scope only what is of that scope."""
    counts = {one.found.object: one.found.rows for one in content.read}
    found = [*_unlisted(frozen, content.metadata.coverage), *question.standing.coverage, *_missing(content)]
    rows = [
        *metadata_rows(content.components, found),
        *record_rows(counts, {one.scope.name: one.note for one in content.read}),
        *content.refused,
        *question.unread,
        *_gone(frozen, scope, {one.name for one in question.types}),
    ]
    if frozen is None:
        told = {(one.kind, one.name) for one in rows} | {("metadata", one) for one in content.metadata.manifest}
        rows += outside_rows(question.described, question.summaries, told)
    return tuple(rows)


def find_hollow(scope: Scope, content: Content) -> tuple[str, ...]:
    """The names that make a baseline hollow, sorted: empty, without their fields, or fewer than the org counts."""
    counts = {one.found.object: one.found.rows for one in content.read}
    short = {one.scope.name for one in content.read if one.expected is not None and one.found.rows < one.expected}
    lacking = {one.name for one in _missing(content)}
    return tuple(sorted(find_empty(scope, counts, content.metadata.manifest, content.components) | short | lacking))


def _missing(content: Content) -> tuple[CoverageRow, ...]:
    metadata = content.metadata
    missing = find_missing(metadata.listed, metadata.held, metadata.said)
    objects = metadata.held.get("CustomObject", set())
    return (*missing_rows(missing), *find_fieldless(metadata.fields, content.components, objects))


def _unlisted(frozen: Capture | None, rows: Sequence[CoverageRow]) -> list[CoverageRow]:
    """Types that could be listed for the frozen capture and cannot be now: what was added of them is not seen."""
    if frozen is None:
        return list(rows)
    never = {one.name for one in frozen.coverage if one.kind == "metadata" and one.state == "not-listable"}
    return [
        replace(one, state="unreadable") if one.state == "not-listable" and one.name not in never else one
        for one in rows
    ]


def _gone(frozen: Capture | None, scope: ResolvedScope, described: set[str]) -> list[CoverageRow]:
    """What the frozen scope has and this capture could not read: types, whole objects, and single fields."""
    if frozen is None:
        return []
    now = {one.name: set(one.fields) for one in scope.objects}
    rows: list[CoverageRow] = []
    for type in sorted(set(frozen.scope.types) - described):
        rows.append(CoverageRow("metadata", type, "unreadable", note="the org does not describe this type any more"))
    for one in frozen.scope.objects:
        if one.name not in now:
            rows.append(CoverageRow("records", one.name, "unreadable", note="it was there in the frozen scope"))
            continue
        lost = sorted(field.name for field in one.fields if field not in now[one.name])
        if lost:
            note = f"fields of the frozen scope that are gone, hidden or of another type now: {', '.join(lost)}"
            rows.append(CoverageRow("records", f"{one.name} (fields)", "unreadable", len(lost), note))
    return rows
