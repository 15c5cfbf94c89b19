"""The loss guard: what a refresh would take away. Reads the sandbox and production; sends nothing.

Three lists: who changed set-up or records since the last refresh, which components differ from production for it or
were deleted, and what no tool can bring back (each with an owner). An object that this login may not ask about is named
as not asked, never counted as unchanged. No record value is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rehearse import clock
from rehearse.baseline.components import read_components, read_package
from rehearse.baseline.listing import Listing, fetch_listing
from rehearse.baseline.manifests import split_manifest
from rehearse.baseline.writing import nameless_file
from rehearse.errors import OrgLimit, OrgRejected
from rehearse.events import OnEvent, Started, ignore
from rehearse.org.model import MetadataItem, MetadataType
from rehearse.org.reader import OrgReader
from rehearse.refresh.model import Keepsake, Losses, LostComponent, Since, Touch

MOST_COMPARED = 2000
"""More changed components than this are listed and not compared: a retrieve of both orgs would take hours."""


def fetch_losses(
    sandbox: OrgReader,
    production: OrgReader | None,
    since: Since,
    objects: Sequence[str],
    on_event: OnEvent = ignore,
) -> Losses:
    """What this sandbox holds that a refresh would take; `objects` are those whose rows count. Raises OrgError.

    What was deleted in the sandbox is in production since before `since.copy_began` and not in the sandbox.
    """
    on_event(Started("Looking for what the refresh would take"))
    refused: list[str] = []
    setup = _fetch_setup(sandbox, since.in_use, refused)
    records = [one for name in sorted(objects) for one in _fetch_rows(sandbox, name, since.in_use, refused)]
    types = _fetch_types(sandbox)
    here = fetch_listing(sandbox, types)
    refused += [f"{one.name}: {one.note}" for one in here.coverage if one.state == "not-listable"]
    changed = [one for one in here.items if one.changed_at is not None and one.changed_at >= since.in_use]
    components = _compare(sandbox, production, changed, on_event, refused)
    components += _find_deleted(here, production, types, since.copy_began)
    keepsakes = [*_fetch_schedules(sandbox, refused), *_fetch_own_users(sandbox, production, refused)]
    keepsakes += _kept_components(changed)
    return Losses(since.in_use, setup, tuple(records), components, tuple(keepsakes), tuple(refused))


def _fetch_setup(sandbox: OrgReader, since: datetime, refused: list[str]) -> tuple[Touch, ...]:
    soql = (
        "SELECT Section, Display, CreatedDate, CreatedBy.Name FROM SetupAuditTrail "
        f"WHERE CreatedDate >= {clock.iso(since)} ORDER BY CreatedDate DESC"
    )
    found: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
    for row in _ask(sandbox, "SetupAuditTrail", soql, refused):
        key = (str(row.get("CreatedBy.Name") or "somebody"), str(row.get("Section") or "set-up"))
        found.setdefault(key, []).append((clock.from_iso(str(row["CreatedDate"])), str(row.get("Display") or "")))
    return tuple(Touch(who, where, len(own), own[0][0], own[0][1][:120]) for (who, where), own in found.items())


def _fetch_rows(sandbox: OrgReader, object: str, since: datetime, refused: list[str]) -> list[Touch]:
    soql = (
        f"SELECT LastModifiedById who, COUNT(Id) n, MAX(LastModifiedDate) last FROM {object} "
        f"WHERE LastModifiedDate >= {clock.iso(since)} GROUP BY LastModifiedById"
    )
    rows = _ask(sandbox, object, soql, refused)
    names = _names(sandbox, [str(one["who"]) for one in rows if one.get("who")])
    return [
        Touch(names.get(str(one["who"]), str(one["who"])), object, int(str(one["n"])), clock.from_iso(str(one["last"])))
        for one in rows
        if one.get("who") and one.get("last")
    ]


def _names(sandbox: OrgReader, ids: Sequence[str]) -> dict[str, str]:
    rows = sandbox.fetch_by_ids("User", ids, ["Name"]) if ids else {}
    found = {key: str(row["Name"]) for key, row in rows.items()}
    return {one: found[key] for one in ids for key in found if key[:15] == one[:15]}


def _fetch_types(sandbox: OrgReader) -> list[MetadataType]:
    types = sandbox.fetch_metadata_types()
    # fields, rules and the like carry dates of their own; their object's does not move with them
    children = {child for one in types for child in one.children} - {one.name for one in types}
    parts = [MetadataType(child, "objects", None, in_folder=False, meta_file=False) for child in sorted(children)]
    return [*types, *parts]


def _find_deleted(
    here: Listing, production: OrgReader | None, types: Sequence[MetadataType], before: datetime | None
) -> tuple[LostComponent, ...]:
    """What production had before the copy began and this sandbox has no more: somebody deleted it here.

    A type that either org does not list, and a component whose creation Salesforce does not date, tell nothing.
    """
    if production is None or before is None:
        return ()
    hidden = {one.name for one in here.coverage if one.state == "not-listable"}
    there = fetch_listing(production, [one for one in types if one.name not in hidden])
    known = {(one.type, one.full_name) for one in here.items}
    return tuple(
        LostComponent(one.type, one.full_name, "", None, "deleted here")
        for one in there.items
        if one.created_at is not None and one.created_at < before and (one.type, one.full_name) not in known
    )


def _compare(
    sandbox: OrgReader,
    production: OrgReader | None,
    changed: Sequence[MetadataItem],
    on_event: OnEvent,
    refused: list[str],
) -> tuple[LostComponent, ...]:
    """Which of the changed components are not the same in production: those are what a refresh takes."""
    if not changed:
        return ()
    if production is None or len(changed) > MOST_COMPARED:
        return tuple(_lost(one, "not compared") for one in changed)
    wanted: dict[str, tuple[str, ...]] = {}
    for one in changed:
        wanted[one.type] = (*wanted.get(one.type, ()), one.full_name)
    try:
        here, there = (_fetch_digests(reader, wanted, on_event) for reader in (sandbox, production))
    except (OrgLimit, OrgRejected) as error:
        refused.append(f"the comparison with production: {error.message}")
        return tuple(_lost(one, "not compared") for one in changed)
    found = []
    for one in changed:
        key = (one.type, one.full_name)
        mine, theirs = here.get(key), there.get(key)
        if mine is None:
            found.append(_lost(one, "not compared"))
        elif theirs != mine:
            found.append(_lost(one, "only here" if theirs is None else "differs from production"))
    return tuple(found)


def _lost(item: MetadataItem, state: str) -> LostComponent:
    return LostComponent(item.type, item.full_name, item.changed_by, item.changed_at, state)


def _fetch_digests(
    reader: OrgReader, wanted: dict[str, tuple[str, ...]], on_event: OnEvent
) -> dict[tuple[str, str], str]:
    types = reader.fetch_metadata_types()
    found: dict[tuple[str, str], str] = {}
    for chunk in split_manifest(wanted):
        with nameless_file() as path:
            reader.retrieve(chunk, path, on_event)
            for one in read_components(read_package(path), types=types):
                found[(one.type, one.full_name)] = one.digest
    return found


def _fetch_schedules(sandbox: OrgReader, refused: list[str]) -> Iterable[Keepsake]:
    soql = "SELECT CronJobDetail.Name, OwnerId FROM CronTrigger WHERE State IN ('WAITING', 'ACQUIRED', 'PAUSED')"
    rows = _ask(sandbox, "CronTrigger", soql, refused)
    names = _names(sandbox, [str(one["OwnerId"]) for one in rows if one.get("OwnerId")])
    for row in rows:
        title = str(row.get("CronJobDetail.Name") or "unnamed")
        why = "a schedule does not run in a new copy; only its owner can start it"
        yield Keepsake(f"schedule {title}"[:120], names.get(str(row.get("OwnerId")), ""), why)


def _fetch_own_users(sandbox: OrgReader, production: OrgReader | None, refused: list[str]) -> Iterable[Keepsake]:
    """People who have a user here and none in production: a refresh removes them."""
    if production is None:
        return
    soql = "SELECT Username FROM User WHERE IsActive = true"
    here = _ask(sandbox, "User", soql, refused)
    there = {str(one["Username"]).lower() for one in _ask(production, "User of production", soql, refused)}
    if not there:  # refused, and said: it has at least the user of its own login
        return
    extra = [str(one["Username"]) for one in here if not any(_is_copy(str(one["Username"]), own) for own in there)]
    for name in sorted(extra):
        yield Keepsake(f"user {name}"[:120], "", "this user exists only here and is gone after the refresh")


def _is_copy(username: str, original: str) -> bool:
    """Whether a sandbox's username is that of production with the sandbox's name behind it, and characters in front
    where that was taken (facts 1.8)."""
    return username.lower() == original or username.lower().rpartition(".")[0].endswith(original)


# types whose components hold a secret or a registration that a deployment does not carry (facts 1.8)
_NOT_DEPLOYABLE = {
    "ConnectedApp": "its consumer key and secret cannot be made again since Spring '26",
    "ExternalClientApplication": "its key and secret are new in a new org",
    "NamedCredential": "its secret is not in any package",
    "ExternalCredential": "its secret is not in any package",
    "AuthProvider": "its secret is not in any package",
    "Certificate": "its private key cannot be exported",
    "SamlSsoConfig": "its certificates belong to this org",
}


def _kept_components(changed: Sequence[MetadataItem]) -> list[Keepsake]:
    return [
        Keepsake(f"{one.type} {one.full_name}"[:120], one.changed_by, _NOT_DEPLOYABLE[one.type])
        for one in changed
        if one.type in _NOT_DEPLOYABLE
    ]


def _ask(reader: OrgReader, what: str, soql: str, refused: list[str]) -> list[dict[str, object]]:
    try:
        return [dict(row) for row in reader.fetch_rows(soql)]
    except OrgRejected as error:
        refused.append(f"{what}: {error.org_code}")
        return []
