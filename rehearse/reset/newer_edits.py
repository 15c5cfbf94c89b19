"""Edits of somebody else between the plan and the first write: found once, before our own writes can hide them.

Later, automation that our writes set off becomes the last modifier of such a row, and nothing in it tells any more
that somebody else was there. So they are looked up when a run begins, kept in the journal, and never written. Values
tell, not stamps: two edits of one second, with our read between them, bear the same stamp.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rehearse import clock
from rehearse.baseline.canonical import stored_value, value_text
from rehearse.baseline.model import Capture
from rehearse.errors import OrgRejected
from rehearse.org.model import Value
from rehearse.reset.apply_context import Context
from rehearse.reset.live_rows import fetch_live
from rehearse.reset.row_state import guard_fields

UNGUARDED = frozenset({"CustomObjectTranslation", "Profile", "Translations"})
"""Types whose retrieved content depends on what else is retrieved (facts/metadata.md 0, 4): not guarded by digest."""

Newer = dict[str, dict[str, str]]
"""Object -> key -> the Id of the user who wrote the row last."""


def fetch_newer(context: Context, since: Capture, *, everyone: bool = False) -> Newer:
    """Rows of the scope that somebody else wrote after `since` read them, and whose values are not what it holds.

    `everyone`: also those that our own user wrote, for a run that has written nothing yet.
    """
    found: Newer = {}
    back = context.back()
    everything = _fetch_touched(context, since, "" if everyone else context.user_id)
    for scope in since.scope.objects:
        touched = everything.get(scope.name, {})
        captured = {str(row["Id"]) for row in context.store.load_rows(since.ulid, scope.name, set(touched), ["Id"])}
        second = clock.iso(since.started.replace(microsecond=0))[:19]  # what nobody captured may be of this very second
        unseen = {
            back.get(one, one): row.by
            for one, row in touched.items()
            if one in captured or (not row.deleted and (row.stamp or "")[:19] > second)
        }
        gone = {back.get(one, one) for one, row in touched.items() if row.deleted}
        differing = set(_differing(context, since, scope.name, sorted(unseen.keys() - gone))) if unseen else set()
        differing |= gone & unseen.keys() if everyone else set()
        if differing:
            found[scope.name] = {key: unseen[key] for key in sorted(differing)}
    return found


def fetch_newer_components(context: Context, since: Capture) -> Newer:
    """Components of the plan that no digest guards (profiles, translations), written after `since` read them."""
    planned = {(one.type, one.key) for one in context.plan.actions if one.type in UNGUARDED}
    known = {(one.type, one.full_name): one.at for one in context.store.load_components(since.ulid)} if planned else {}
    found: Newer = {}
    for type in sorted({type for type, _ in planned}):
        for item in context.writer.reader.fetch_metadata_items(type):
            place = (type, item.full_name)
            if place in planned and item.changed_at is not None and item.changed_at != known.get(place):
                found.setdefault(type, {})[item.full_name] = item.changed_by
    return found


def note_newer(context: Context, newer: Mapping[str, Mapping[str, str]]) -> None:
    """Leave these rows alone for the whole run; the proof then says whose they are."""
    actions = {(one.type, one.key): one for one in context.plan.actions}
    for object, rows in newer.items():
        for key, by in rows.items():
            detail = f"changed since the plan was made by {context.person(by)}; not written"
            context.leave(object, key, detail, actions.get((object, key)))


@dataclass(frozen=True)
class _Touched:
    stamp: str | None
    by: str
    deleted: bool


def _fetch_touched(context: Context, since: Capture, but: str) -> dict[str, dict[str, _Touched]]:
    """The rows, binned ones too, that anybody `but` this user wrote since the capture began, by object and Id.

    An object without a recycle bin has no IsDeleted; one that does not say who wrote last is compared at each write.
    """
    others = f" AND LastModifiedById != '{but}'" if but else ""
    where = f"WHERE SystemModstamp >= {clock.iso(since.started.replace(microsecond=0))}{others}"
    found: dict[str, dict[str, _Touched]] = {}
    left = [one.name for one in since.scope.objects]
    for bin in (", IsDeleted", ""):
        soqls = [f"SELECT Id, SystemModstamp, LastModifiedById{bin} FROM {object} {where}" for object in left]
        answers = dict(zip(left, context.writer.fetch_queries(soqls, deleted=True), strict=True))
        found |= {object: _touched(rows) for object, rows in answers.items() if not isinstance(rows, OrgRejected)}
        left = [object for object, rows in answers.items() if isinstance(rows, OrgRejected)]
    return found


def _touched(rows: Iterable[Mapping[str, Value]]) -> dict[str, _Touched]:
    return {
        str(row["Id"]): _Touched(
            stored_value("datetime", value_text(row["SystemModstamp"])),
            str(row["LastModifiedById"]),
            row.get("IsDeleted") is True,
        )
        for row in rows
    }


def _differing(context: Context, since: Capture, object: str, keys: Sequence[str]) -> list[str]:
    guard = guard_fields(context.before, since, object)
    live = [context.live_id(key) for key in keys]
    seen = context.canonical(context.load_values(since, object, live), guard)
    rows = fetch_live(context, object, keys)
    planned = {one.key for one in context.plan.actions if one.type == object}
    filtered = any(one.name == object and one.where for one in since.scope.objects)
    found: list[str] = []
    for key, row in rows.items():
        known = seen.get(context.live_id(key))
        if known is None:
            theirs = key in planned or not filtered  # others may stand outside the filter: no concern of this reset
        else:
            theirs = any(row.values.get(name, value) != value for name, value in known.items())
        found += [key] if theirs else []
    return found
