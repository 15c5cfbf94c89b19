"""What a capture asks an org before it reads: who it is, what it has, and so what the scope means there.

First what it tells of itself (`hear`), then its objects in scope (`ask`). Reads nothing but descriptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from rehearse.baseline.access import fetch_custom_fields, fetch_unshared, find_hidden, sees_encrypted
from rehearse.baseline.model import Capture, CoverageRow, ResolvedScope, Scope
from rehearse.baseline.scope import (
    BODY_TYPE,
    MASKED_TYPE,
    add_to_frozen,
    find_unused,
    match_objects,
    match_types,
    resolve_objects,
    skipped_objects,
    unread_rows,
    with_activation,
)
from rehearse.baseline.standing import PACKAGE, Standing, fetch_standing
from rehearse.errors import GenerationChanged, OrgRejected
from rehearse.events import Noted, OnEvent
from rehearse.org.model import MetadataType, ObjectSummary, Schema
from rehearse.org.reader import OrgReader

DESCRIBES_AT_ONCE = 8
"""Short questions: an org limits only calls that take 20 seconds or more (facts/sandbox-and-auth.md)."""


@dataclass(frozen=True)
class Told:
    """What an org tells of itself whatever is asked of it; `types` are those of them that are in scope.

    `started` is an instant of the org's clock before everything else here was asked, but for the identity.
    """

    org_id: str
    user_id: str
    started: datetime
    types: tuple[MetadataType, ...]
    described: tuple[MetadataType, ...]
    summaries: tuple[ObjectSummary, ...]
    standing: Standing

    @property
    def listable(self) -> list[MetadataType]:
        """The types to ask the Metadata API for; packages come from Tooling where it tells them."""
        left_out = {PACKAGE} if self.standing.knows_packages else set()
        return [one for one in self.types if one.name not in left_out]


@dataclass(frozen=True)
class Question(Told):
    """A scope after the org was asked what it has of it."""

    schemas: Mapping[str, Schema]
    scope: ResolvedScope
    unread: tuple[CoverageRow, ...]


def hear(reader: OrgReader, name: str, scope: Scope, frozen: Capture | None) -> Told:
    """Ask the org behind `reader`, which the user calls `name`, for what it tells of itself: all of it at once.

    Raises GenerationChanged, OrgError.
    """
    with ThreadPoolExecutor(4) as pool:
        asked = pool.submit(reader.fetch_identity)
        started = reader.fetch_server_time()
        described = pool.submit(reader.fetch_metadata_types)
        summaries = pool.submit(reader.fetch_objects)
        standing = pool.submit(fetch_standing, reader)
        identity = asked.result()
        if frozen is not None and frozen.org_id != identity.org_id:
            raise GenerationChanged(
                f"{name} was refreshed: its org id is {identity.org_id}, not {frozen.org_id} as in {frozen.ulid}.",
                "Take a new baseline of this generation.",
            )
        wanted = set(match_types(scope, described.result()))
        wanted = wanted | set(frozen.scope.types) if frozen is not None else with_activation(wanted, scope)
        types = tuple(one for one in described.result() if one.name in wanted)
        return Told(
            org_id=identity.org_id,
            user_id=identity.user_id,
            started=started,
            types=types,
            described=described.result(),
            summaries=summaries.result(),
            standing=standing.result(),
        )


def ask(
    reader: OrgReader, named: tuple[str, Told], scope: Scope, frozen: Capture | None, on_event: OnEvent
) -> Question:
    """Ask the org, which the user calls `named` and told this of itself, for its objects. Raises OrgError, UsageError.

    With a frozen capture its scope is used verbatim, plus what was added since.
    """
    name, told = named
    if frozen is not None and _holds(frozen, BODY_TYPE):
        scope = replace(scope, files=True)
    names = set(match_objects(scope, told.summaries)) | {one.name for one in (frozen.scope.objects if frozen else ())}
    schemas, unseen = _fetch_schemas(reader, told, sorted(names), frozen)
    if frozen is None or _holds(frozen, MASKED_TYPE):
        scope = replace(scope, encrypted=sees_encrypted(reader, schemas))
    objects, warnings = resolve_objects(scope, schemas, told.started)
    resolved = ResolvedScope(tuple(one.name for one in told.types), objects)
    warnings += find_unused(scope, told.described, told.summaries)
    if frozen is not None:
        resolved = add_to_frozen(frozen.scope, resolved)
        warnings = _upgrades(name, frozen, told.standing)
    for warning in warnings:
        on_event(Noted(warning))
    unread = (*unread_rows(scope, schemas, schemas), *skipped_objects(scope, told.summaries), *unseen)
    return Question(**vars(told), schemas=schemas, scope=resolved, unread=unread)


def _holds(capture: Capture, type: str) -> bool:
    """Whether fields of a type count in a capture."""
    return any(field.type == type for one in capture.scope.objects for field in one.fields)


def _upgrades(name: str, frozen: Capture, standing: Standing) -> tuple[str, ...]:
    if not frozen.release or frozen.release == standing.release:
        return ()
    return (
        f"{name} was upgraded from {frozen.release} to {standing.release} since its baseline, which is read at API "
        f"{frozen.api_version} as before; the upgrade itself may show as differences. Take a new baseline.",
    )


def _fetch_schemas(
    reader: OrgReader, told: Told, names: Sequence[str], frozen: Capture | None
) -> tuple[dict[str, Schema], tuple[CoverageRow, ...]]:
    """The objects that can be read, and what this login does not see of them.

    A login may have lost what it saw; fields that are hidden since are those that a frozen scope misses.
    """

    def fetch(name: str) -> Schema | None:
        try:
            return reader.fetch_schema(name)
        except OrgRejected:
            return None  # gone since the baseline, or hidden: the coverage says so

    with ThreadPoolExecutor(DESCRIBES_AT_ONCE) as pool:
        unshared = pool.submit(fetch_unshared, reader, names, told.user_id)
        listed = pool.submit(fetch_custom_fields, reader, names) if frozen is None else None
        found = zip(names, pool.map(fetch, names), strict=True)
        schemas = {name: schema for name, schema in found if schema is not None and schema.queryable}
        hidden = find_hidden(schemas, listed.result()) if listed else ()
        return schemas, (*hidden, *(unshared.result() if schemas else ()))
