"""Whether an org stood still while a proof was made: a capture reads for minutes, and what is written then is unseen.

One question an object tells how many rows live and when the newest was written; only where that is not before the
capture began are the rows read again and held against it, value by value. Set-up is asked by its audit trail and by
deployments. An object that answers neither is counted. Reads only; no value leaves this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

from rehearse import clock
from rehearse.baseline.canonical import canonical_value, stored_value, value_text
from rehearse.baseline.model import Capture, ObjectScope
from rehearse.baseline.record_parts import RowShape
from rehearse.baseline.record_store import CaptureStore, find_object
from rehearse.baseline.row_reading import alive, build_query, build_where, fetch_expected, with_archived
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader

_AT_ONCE = 4
_BODY = "base64"
"""Contents of files are not read again: a new version of a file is a row of its own."""


def find_moved(reader: OrgReader, store: CaptureStore, live: Capture) -> tuple[str, ...]:
    """What was written in the scope of a capture after it was read, a sentence each. Raises Damaged, OrgError."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        told = pool.map(lambda one: _find_moved_rows(reader, store, live, one), live.scope.objects)
        found = [one for one in told if one]
    return tuple(sorted((*found, *(_find_moved_setup(reader, live) if live.scope.types else ()))))


def _find_moved_rows(reader: OrgReader, store: CaptureStore, live: Capture, scope: ObjectScope) -> str:
    captured = find_object(live, scope.name)
    if captured is None:
        return ""
    start = live.started.replace(microsecond=0)
    try:
        rows, newest = _fetch_count(reader, scope)
        moved = _count_written(reader, store, live, scope) if newest is not None and newest >= start else 0
    except OrgRejected:
        rows, moved = captured.rows, 0
        with suppress(OrgRejected):
            rows = fetch_expected(reader, scope)
    if rows != captured.rows:
        return f"records {scope.name}: rows came or went while the proof was made"
    return f"records {scope.name}: {moved} row(s) were written while the proof was made" if moved else ""


def _fetch_count(reader: OrgReader, scope: ObjectScope) -> tuple[int, datetime | None]:
    where = build_where(scope.where, alive(scope.name))
    soql = f"SELECT COUNT(Id) c, MAX(SystemModstamp) m FROM {scope.name}{where}"
    rows = list(reader.fetch_rows(soql, deleted=with_archived(scope.name)))
    newest = rows[0]["m"]
    return int(str(rows[0]["c"] or 0)), clock.from_iso(str(newest)) if newest else None


def _count_written(reader: OrgReader, store: CaptureStore, live: Capture, scope: ObjectScope) -> int:
    """Rows whose stamp is not before the capture and whose values are not the captured ones."""
    fields = tuple(one for one in scope.fields if one.type != _BODY)
    shape = RowShape(scope.name, fields, author=None)
    since = f"SystemModstamp >= {clock.iso(live.started.replace(microsecond=0))}"
    soql = build_query(shape, scope.where, alive(scope.name), since)
    rows = {
        str(stored_value("id", value_text(row["Id"]))): row
        for row in reader.fetch_rows(soql, deleted=with_archived(scope.name))
    }
    known = {
        str(row["Id"]): row for row in store.load_rows(live.ulid, scope.name, set(rows), [one.name for one in fields])
    }
    return sum(
        1
        for id, row in rows.items()
        if id not in known
        or any(
            canonical_value(one.type, value_text(row[one.name])) != canonical_value(one.type, known[id].get(one.name))
            for one in fields
        )
    )


def _find_moved_setup(reader: OrgReader, live: Capture) -> Iterator[str]:
    """Set-up that was changed in a later second than the one in which the capture began."""
    since = clock.iso(live.started.replace(microsecond=0) + timedelta(seconds=1))
    with suppress(OrgRejected):
        if reader.fetch_count(f"SELECT COUNT() FROM SetupAuditTrail WHERE CreatedDate >= {since}"):
            yield "metadata: the setup was changed while the proof was made"
    with suppress(OrgRejected):
        soql = f"SELECT Id FROM DeployRequest WHERE CheckOnly = false AND CompletedDate >= {since}"
        if list(reader.fetch_tooling_rows(soql)):
            yield "metadata: a deployment ended while the proof was made"
