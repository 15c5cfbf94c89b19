"""From what a user asks to count to what is compared, once the org has been asked: types, objects, fields, filters.

Comparable is what a person or a program wrote and could write back: never formulas and roll-ups, audit and viewed
fields, stamps, compound parents, file bodies, or values that come masked (facts/data.md 4.2, and rows 15 and 50).
The result is frozen with a baseline and reused verbatim by diff and proof.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase

from rehearse.baseline.filters import freeze_filter
from rehearse.baseline.model import ComparableField, CoverageRow, ObjectScope, ResolvedScope, Scope
from rehearse.baseline.row_kinds import NOT_DATA, NOT_ROWS, why_no_rows
from rehearse.org.model import Field, MetadataType, ObjectSummary, Schema

NEVER_COMPARED = frozenset(
    {
        "Id", "IsDeleted", "SystemModstamp", "CreatedDate", "CreatedById", "LastModifiedDate",
        "LastModifiedById", "LastViewedDate", "LastReferencedDate", "LastActivityDate", "LastLoginDate",
        "LastCURequestDate", "LastCUUpdateDate", "LastPasswordChangeDate", "NumberOfFailedLogins", "PhotoUrl",
        "SmallPhotoUrl", "FullPhotoUrl", "MediumPhotoUrl", "SmallBannerPhotoUrl", "MediumBannerPhotoUrl",
        "BannerPhotoUrl", "IsPasswordLocked", "UserRecordAccessId", "MasterRecordId", "JigsawCompanyId",
        "JigsawContactId",
    }
)  # fmt: skip
DRIFTING: Mapping[str, frozenset[str]] = {
    "Case": frozenset({"MilestoneStatus"}),
    "CaseMilestone": frozenset({
        f"{what}In{unit}" for what in ("TimeRemaining", "TimeSinceTarget", "ElapsedTime", "ActualElapsedTime")
        for unit in ("Days", "Hrs", "Mins")
    } | {"IsViolated"}),
    "ContractLineItem": frozenset({"Status"}),
    "Entitlement": frozenset({"Status"}),
    "Opportunity": frozenset({"AgeInDays", "HasOverdueTask", "LastActivityInDays", "LastStageChangeInDays"}),
    "PermissionSetAssignment": frozenset({"IsActive"}),
    "ServiceContract": frozenset({"Status"}),
}  # fmt: skip
"""Fields that only the platform sets and that change while nobody writes anything: ages, what is overdue, states that
follow from dates (object reference). No reset brings them back, so they decide nothing where nobody may write them."""
AGING = frozenset({"Event", "Task"})
"""Objects whose rows the platform archives by their age; a product, a price book or a file is archived by somebody."""
_NEVER_TYPES = frozenset({"address", "location", "base64", "anyType", "complexvalue", "junctionidlist", "json"})
MASKED_TYPE = "encryptedstring"
DEMAND_FILTER = {
    "ContentDocumentLink": "ContentDocumentId IN (SELECT Id FROM ContentDocument)",
    "FeedItem": "Type NOT IN ('CreateRecordEvent', 'TrackedChange')",
    "PermissionSetAssignment": "PermissionSet.IsOwnedByProfile = false",
}
"""Objects that answer no query without a filter (facts/data.md 1.5), and one that lets every row through; and what
leaves out what nobody writes: each user holds the permission set of his profile, by a row that only another profile
replaces (Salesforce Help 000230980 and 000394118); a feed tells of each tracked change, a reset's own too (object
reference, FeedItem.Type)."""
BODY_TYPE = "base64"
FLOW_ACTIVATION = "FlowDefinition"


def match_types(scope: Scope, types: Iterable[MetadataType]) -> tuple[str, ...]:
    """The metadata types in scope, sorted."""
    return tuple(
        sorted(one.name for one in types if _matches(one.name, scope.metadata_include, scope.metadata_exclude))
    )


def with_activation(types: Collection[str], scope: Scope) -> set[str]:
    """These types, and with flows also which of their versions is active: a file of a flow does not compare that."""
    more = {FLOW_ACTIVATION} if "Flow" in types else set()
    return {*types, *(one for one in more if not any(fnmatchcase(one, left) for left in scope.metadata_exclude))}


def match_objects(scope: Scope, summaries: Iterable[ObjectSummary]) -> tuple[str, ...]:
    """The objects in scope, sorted. A glob never means history, feed, share, setup or log rows; a name may."""
    summaries = tuple(summaries)
    scope = spell(scope, summaries)
    named = set(scope.objects)
    return tuple(
        sorted(
            one.name
            for one in summaries
            if one.queryable
            and not one.name.endswith(NOT_DATA)
            and _matches(one.name, scope.objects, scope.objects_exclude)
            and (one.name in named or not (why_no_rows(one.name) or one.name.endswith(NOT_ROWS)))
        )
    )


def spell(scope: Scope, summaries: Iterable[ObjectSummary]) -> Scope:
    """The scope with names of objects as the org writes them: API names are the same in any letter case."""
    names = {one.name.lower(): one.name for one in summaries}

    def told(given: Iterable[str]) -> tuple[str, ...]:
        return tuple(names.get(one.lower(), one) for one in given)

    where = scope.where and dict(zip(told(scope.where), scope.where.values(), strict=True))
    return replace(
        scope,
        objects=told(scope.objects),
        objects_exclude=told(scope.objects_exclude),
        where=where,
        may_be_empty=told(scope.may_be_empty),
    )


def find_unused(scope: Scope, types: Iterable[MetadataType], summaries: Iterable[ObjectSummary]) -> tuple[str, ...]:
    """Sentences on what a scope says to no effect in this org, which mostly is a typing error.

    Objects that are named and not there are rows of the coverage instead.
    """
    objects, described = [one.name for one in summaries], [one.name for one in types]
    parts = (
        ("scope.records.include", [one for one in scope.objects if set("*?[") & set(one)], objects, "object"),
        ("scope.records.exclude", scope.objects_exclude, objects, "object"),
        ("scope.metadata.include", scope.metadata_include, described, "type"),
        ("scope.metadata.exclude", scope.metadata_exclude, described, "type"),
    )
    said = [
        f"{key} of rehearse.yaml: {glob!r} fits no {thing} of the org."
        for key, globs, names, thing in parts
        for glob in globs
        if not any(fnmatchcase(name, glob) for name in names)
    ]
    for name in scope.where or () if scope.objects else ():
        if name not in objects or not _matches(name, scope.objects, scope.objects_exclude):
            said.append(
                f"scope.records.where of rehearse.yaml: {name} is no object in scope, so its filter does nothing."
            )
    return tuple(said)


def skipped_objects(scope: Scope, summaries: Iterable[ObjectSummary]) -> tuple[CoverageRow, ...]:
    """A coverage row for each object that a glob of the scope fits and that it does not mean, with the reason."""
    named = set(scope.objects)
    fits = (
        one.name
        for one in summaries
        if one.queryable and one.name not in named and _matches(one.name, scope.objects, scope.objects_exclude)
    )
    return tuple(
        CoverageRow("records", name, "excluded", note=reason) for name in sorted(fits) if (reason := why_no_rows(name))
    )


def comparable_fields(schema: Schema, *, files: bool = False, encrypted: bool = False) -> tuple[ComparableField, ...]:
    """The fields of an object that decide equality, in name order; with `files` also the contents of files, with
    `encrypted` also those that come masked to most."""
    compound = {one.compound_field for one in schema.fields if one.compound_field and one.compound_field != one.name}
    found = [
        ComparableField(one.name, one.type)
        for one in schema.fields
        if one.name not in NEVER_COMPARED
        and not (one.name == "IsArchived" and schema.name in AGING)
        and (one.type not in _NEVER_TYPES or (files and one.type == BODY_TYPE))
        and (one.type != MASKED_TYPE or encrypted)
        and not one.calculated
        and (one.name not in compound or one.createable or one.updateable)
        and not is_drifting(schema, one)
    ]
    return tuple(sorted(found, key=lambda one: one.name))


def is_drifting(schema: Schema, field: Field) -> bool:
    """Whether a value follows the clock, and nobody writes it."""
    return field.name in DRIFTING.get(schema.name, ()) and not (field.createable or field.updateable)


def drifting_fields(schema: Schema) -> tuple[str, ...]:
    """The fields whose values follow the clock: a baseline of an older rehearse may hold them."""
    return tuple(sorted(one.name for one in schema.fields if is_drifting(schema, one)))


def masked_fields(schema: Schema) -> tuple[str, ...]:
    """The fields whose values come masked to who lacks View Encrypted Data: for him never compared, never written."""
    return tuple(sorted(one.name for one in schema.fields if one.type == MASKED_TYPE))


def resolve_objects(
    scope: Scope, schemas: Mapping[str, Schema], now: datetime
) -> tuple[tuple[ObjectScope, ...], tuple[str, ...]]:
    """The objects of a scope with comparable fields and frozen filters, and warnings about filters that may leak rows.

    Raises UsageError for a filter that cannot be frozen.
    """
    found: list[ObjectScope] = []
    warnings: list[str] = []
    for name in sorted(schemas):
        own = (scope.where or {}).get(name)
        where = own or DEMAND_FILTER.get(name)
        if where is not None:
            where, changeable = freeze_filter(where, schemas[name], now)
            if changeable and own:
                warnings.append(
                    f"The filter of {name} uses {', '.join(changeable)}, which can change: a row may leave the filter."
                )
        found.append(
            ObjectScope(name, comparable_fields(schemas[name], files=scope.files, encrypted=scope.encrypted), where)
        )
    return tuple(found), tuple(warnings)


def add_to_frozen(frozen: ResolvedScope, resolved: ResolvedScope) -> ResolvedScope:
    """A frozen scope as it can be read now: objects and fields that are gone left out, new objects added.

    Filters stay as they were frozen; fields that are new on an object of the frozen scope stay out.
    """
    now = {one.name: one for one in resolved.objects}
    kept = [
        ObjectScope(one.name, tuple(field for field in one.fields if _still(field, now[one.name])), one.where)
        for one in frozen.objects
        if one.name in now
    ]
    known = {one.name for one in frozen.objects}
    added = [one for one in resolved.objects if one.name not in known]
    return ResolvedScope(
        tuple(sorted({*frozen.types, *resolved.types})), tuple(sorted([*kept, *added], key=lambda one: one.name))
    )


def unread_rows(scope: Scope, found: Iterable[str], schemas: Mapping[str, Schema]) -> tuple[CoverageRow, ...]:
    """Coverage of what the scope names and no capture can hold: unknown objects, masked fields, file bodies."""
    known = set(found)
    rows = [
        CoverageRow("records", name, "unreadable", note=f"named in the scope, but {_why_unread(name)}")
        for name in scope.objects
        if not any(sign in name for sign in "*?[") and name not in known
    ]
    for name, schema in sorted(schemas.items()):
        if (masked := masked_fields(schema)) and not scope.encrypted:
            note = "comes masked, never compared: " + ", ".join(masked)
            rows.append(CoverageRow("records", f"{name} (encrypted fields)", "masked", len(masked), note))
        bodies = sorted(one.name for one in schema.fields if one.type == BODY_TYPE)
        if bodies and not scope.files:
            note = "file contents are not captured: " + ", ".join(bodies)
            rows.append(CoverageRow("records", f"{name} (files)", "excluded", len(bodies), note))
    return tuple(rows)


def _why_unread(name: str) -> str:
    why = why_no_rows(name) if name.endswith(NOT_DATA) else None
    return why or "the org has no such readable object"


def _still(field: ComparableField, live: ObjectScope) -> bool:
    return field in live.fields


def _matches(name: str, include: Iterable[str], exclude: Iterable[str]) -> bool:
    return any(fnmatchcase(name, one) for one in include) and not any(fnmatchcase(name, one) for one in exclude)
