"""Rows that a filtered scope shows no more: fetched by Id before anybody may call them deleted.

A row that still lives left the filter: it is updated. One that is new in the filter and older than the baseline entered
it: it was not created by anybody since. Both are told as such, with the fields that differ where both sides are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rehearse import clock
from rehearse.baseline.canonical import row_digest, value_text
from rehearse.baseline.compare import common_fields, compare_fields, map_back
from rehearse.baseline.model import Capture, Change
from rehearse.baseline.record_store import CaptureStore
from rehearse.errors import OrgRejected
from rehearse.org.reader import OrgReader

LEFT = "left the filter of the baseline"
ENTERED = "older than the baseline; entered its filter"


@dataclass(frozen=True)
class Comparison:
    """Two captures that were compared, the store that holds them, the live org, and its id map."""

    reader: OrgReader
    store: CaptureStore
    before: Capture
    after: Capture
    ids: Mapping[str, str]


def recheck_filtered(of: Comparison, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes, with rows of filtered objects that left or entered their filter told as that.

    Raises OrgError, Damaged, KeyUnavailable.
    """
    filtered = {one.name for one in of.before.scope.objects if one.where}
    told: dict[tuple[str, str], Change] = {}
    for object in sorted(filtered & {one.type for one in changes if one.kind == "record"}):
        mine = [one for one in changes if one.kind == "record" and one.type == object]
        found = [
            *_left(of, object, [one for one in mine if one.what == "deleted"]),
            *_entered(of, [one for one in mine if one.what == "created"]),
        ]
        told.update({(object, one.key): one for one in found})
    return tuple(told.get((one.type, one.key), one) if one.kind == "record" else one for one in changes)


def _left(of: Comparison, object: str, gone: Sequence[Change]) -> list[Change]:
    if not gone:
        return []
    fields = common_fields(of.before, of.after, object)
    names = [one.name for one in fields]
    author = ["LastModifiedById"] if of.reader.fetch_schema(object).field("LastModifiedById") else []
    wanted = {of.ids.get(one.key, one.key): one for one in gone}
    old = {str(row["Id"]): row for row in of.store.load_rows(of.before.ulid, object, {one.key for one in gone}, names)}
    back = {new: key for key, new in of.ids.items()}
    found = []
    for id, row in of.reader.fetch_by_ids(object, list(wanted), [*names, *author]).items():
        change = wanted[id]
        live = map_back({name: value_text(value) for name, value in row.items()}, fields, back)
        found.append(
            replace(
                change,
                after=row_digest(change.key, live, fields).hex(),
                fields=compare_fields(old.get(change.key), live, fields),
                live_id=id if id != change.key else None,
                by=str(row.get("LastModifiedById") or ""),
                note=LEFT,
            )
        )
    return found


def _entered(of: Comparison, new: Sequence[Change]) -> list[Change]:
    if not new:
        return []
    try:
        rows = of.reader.fetch_by_ids(new[0].type, [one.live_id or one.key for one in new], ["CreatedDate"])
    except OrgRejected:
        return []  # the object does not say when its rows were made
    start = of.before.started.replace(microsecond=0)
    older = {id for id, row in rows.items() if row["CreatedDate"] and clock.from_iso(str(row["CreatedDate"])) < start}
    return [replace(one, note=ENTERED) for one in new if (one.live_id or one.key) in older]
