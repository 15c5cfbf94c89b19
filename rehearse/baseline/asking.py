"""What a capture asks an org before it reads: who it is, what it has, and so what the scope means there.

With a frozen capture its scope is used verbatim, plus what was added since. Reads nothing but descriptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from rehearse.baseline.access import fetch_unseen, fetch_unshared
from rehearse.baseline.model import Capture, CoverageRow, ResolvedScope, Scope
from rehearse.baseline.scope import (
    BODY_TYPE,
    add_to_frozen,
    match_objects,
    match_types,
    resolve_objects,
    skipped_objects,
    unread_rows,
    with_activation,
)
from rehearse.baseline.standing import Standing, fetch_standing
from rehearse.errors import GenerationChanged, OrgRejected
from rehearse.events import Noted, OnEvent
from rehearse.org.model import MetadataType, ObjectSummary, Schema
from rehearse.org.reader import OrgReader

DESCRIBES_AT_ONCE = 4


@dataclass(frozen=True)
class Question:
    """A scope after the org was asked what it has. `described` and `summaries` are all types and objects it told of."""

    org_id: str
    user_id: str
    started: datetime
    types: tuple[MetadataType, ...]
    described: tuple[MetadataType, ...]
    summaries: tuple[ObjectSummary, ...]
    schemas: Mapping[str, Schema]
    scope: ResolvedScope
    standing: Standing
    unread: tuple[CoverageRow, ...]


@dataclass(frozen=True)
class _Told:
    """What an org tells of itself whatever is asked of it."""

    described: tuple[MetadataType, ...]
    summaries: tuple[ObjectSummary, ...]
    standing: Standing


def _fetch_told(reader: OrgReader) -> _Told:
    """All of it at once: a far org takes its time over each answer."""
    with ThreadPoolExecutor(3) as pool:
        described = pool.submit(reader.fetch_metadata_types)
        summaries = pool.submit(reader.fetch_objects)
        standing = pool.submit(fetch_standing, reader)
        return _Told(described.result(), summaries.result(), standing.result())


def ask(reader: OrgReader, name: str, scope: Scope, frozen: Capture | None, on_event: OnEvent) -> Question:
    """Ask the org behind `reader`, which the user calls `name`. Raises GenerationChanged, OrgError, UsageError."""
    if frozen is not None and any(field.type == BODY_TYPE for one in frozen.scope.objects for field in one.fields):
        scope = replace(scope, files=True)
    started = reader.fetch_server_time()
    identity = reader.fetch_identity()
    if frozen is not None and frozen.org_id != identity.org_id:
        raise GenerationChanged(
            f"{name} was refreshed: its org id is {identity.org_id}, not {frozen.org_id} as in {frozen.ulid}.",
            "Take a new baseline of this generation.",
        )
    told = _fetch_told(reader)
    described, summaries, standing = told.described, told.summaries, told.standing
    wanted = set(match_types(scope, described))
    wanted = wanted | set(frozen.scope.types) if frozen is not None else with_activation(wanted, scope)
    types = tuple(one for one in described if one.name in wanted)
    names = set(match_objects(scope, summaries)) | {one.name for one in (frozen.scope.objects if frozen else ())}
    schemas = _fetch_schemas(reader, sorted(names))
    objects, warnings = resolve_objects(scope, schemas, started)
    resolved = ResolvedScope(tuple(one.name for one in types), objects)
    if frozen is not None:
        resolved = add_to_frozen(frozen.scope, resolved)
        warnings = _upgrades(name, frozen, standing)
    for warning in warnings:
        on_event(Noted(warning))
    # A login may have lost what it saw; fields that are hidden since are those that the frozen scope misses.
    unseen = (fetch_unseen if frozen is None else fetch_unshared)(reader, schemas, identity.user_id)
    return Question(
        org_id=identity.org_id,
        user_id=identity.user_id,
        started=started,
        types=types,
        described=described,
        summaries=summaries,
        schemas=schemas,
        scope=resolved,
        standing=standing,
        unread=(*unread_rows(scope, schemas, schemas), *skipped_objects(scope, summaries), *unseen),
    )


def _upgrades(name: str, frozen: Capture, standing: Standing) -> tuple[str, ...]:
    if not frozen.release or frozen.release == standing.release:
        return ()
    return (
        f"{name} was upgraded from {frozen.release} to {standing.release} since its baseline, which is read at API "
        f"{frozen.api_version} as before; the upgrade itself may show as differences. Take a new baseline.",
    )


def _fetch_schemas(reader: OrgReader, names: Sequence[str]) -> dict[str, Schema]:
    def fetch(name: str) -> Schema | None:
        try:
            return reader.fetch_schema(name)
        except OrgRejected:
            return None  # gone since the baseline, or hidden: the coverage says so

    with ThreadPoolExecutor(DESCRIBES_AT_ONCE) as pool:
        found = zip(names, pool.map(fetch, names), strict=True)
        return {name: schema for name, schema in found if schema is not None and schema.queryable}
