"""getUpdated and getDeleted: which rows of an object changed or went, minute by minute, as replication asks for them.

Both go by SystemModstamp. Seconds are ignored; updated looks back 30 days, deleted as far as the recycle bin and the
log of deletions reach. Refuses windows that are no window with INVALID_REPLICATION_DATE, and more than 600,000 ids
with EXCEEDED_ID_LIMIT. Settings bring a lag, a smaller cap and a purged log [data.md 2.4].
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import as_stamp
from rehearse.practice.org_tables import quote
from rehearse.practice.recycle_bin import expire
from rehearse.practice.rest_call import Answer, Call, Entry, make_routes
from rehearse.practice.rest_resources import known_object
from rehearse.practice.schema import ObjectDef
from rehearse.practice.soql_dates import as_instant

UPDATED_DAYS = 30
MOST_IDS = 600_000
MINUTE = timedelta(minutes=1)


def _instant(call: Call, name: str) -> datetime:
    """An instant of the address, down to its minute; a plus sign arrives as a space."""
    text = call.query.get(name, "").replace(" ", "+")
    try:
        found = datetime.fromisoformat(as_instant(text).replace("Z", "+00:00"))
    except (ValueError, IndexError):
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"{name} is no date and time: {text}") from None
    return found.astimezone(UTC).replace(second=0, microsecond=0)


def _window(call: Call, definition: ObjectDef, days: float) -> tuple[datetime, datetime]:
    start, end = _instant(call, "start"), _instant(call, "end")
    now = call.org.now()
    if not definition.replicateable or definition.find("SystemModstamp") is None:
        raise ApiError(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {definition.name} does not support replication")
    if end - start <= MINUTE:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate must be more than one minute before endDate")
    if start > now:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate must be before the present time")
    if start < now - timedelta(days=days):
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"startDate cannot be more than {days:g} days ago")
    covered = now - timedelta(minutes=float(call.org.settings.get("replication_lag_minutes", 0)))
    return start, min(end, covered)


def _check_count(call: Call, count: int) -> None:
    most = int(call.org.settings.get("replication_most_ids", MOST_IDS))
    if count > most:
        raise ApiError(400, "EXCEEDED_ID_LIMIT", f"more than {most} ids were found: ask for a shorter time")


def _wire(moment: datetime) -> str:
    return as_stamp(moment).replace("Z", "+0000")


def list_updated(call: Call) -> Answer:
    """GET /sobjects/X/updated?start=…&end=…"""
    definition = known_object(call)
    start, end = _window(call, definition, UPDATED_DAYS)
    tests = '"SystemModstamp" >= ? AND "SystemModstamp" < ? AND "IsDeleted" = 0'
    sql = f'SELECT "Id" FROM {quote(definition.name)} WHERE {tests} ORDER BY "SystemModstamp", "Id"'
    with call.org.lock:
        ids = [row[0] for row in call.org.db.execute(sql, (as_stamp(start), as_stamp(end)))]
    _check_count(call, len(ids))
    return Answer(200, {"ids": ids, "latestDateCovered": _wire(end)})


def list_deleted(call: Call) -> Answer:
    """GET /sobjects/X/deleted?start=…&end=…"""
    definition = known_object(call)
    days = float(call.org.settings.get("bin_days", 15))
    start, end = _window(call, definition, days)
    expire(call.org)
    earliest = _earliest(call, definition, days)
    if start < earliest.replace(second=0, microsecond=0):
        raise ApiError(
            400, "INVALID_REPLICATION_DATE", f"startDate before org replication enabled date: {_wire(earliest)}"
        )
    tests = '"SystemModstamp" >= ? AND "SystemModstamp" < ? AND "IsDeleted" = 1'
    sql = f'SELECT "Id", "SystemModstamp" FROM {quote(definition.name)} WHERE {tests} ORDER BY "SystemModstamp", "Id"'
    with call.org.lock:
        found = call.org.db.execute(sql, (as_stamp(start), as_stamp(end))).fetchall()
    _check_count(call, len(found))
    rows = [{"id": row_id, "deletedDate": stamp.replace("Z", "+0000")} for row_id, stamp in found]
    dates = {"earliestDateAvailable": _wire(earliest), "latestDateCovered": _wire(end)}
    return Answer(200, {"deletedRecords": rows, **dates})


def _earliest(call: Call, definition: ObjectDef, days: float) -> datetime:
    """From when on deletions are known: as far back as the bin reaches, or later where the log was purged."""
    reach = call.org.now() - timedelta(days=days)
    most = int(call.org.settings.get("delete_log_rows", 0))
    if not most:
        return reach
    sql = f'SELECT "SystemModstamp" FROM {quote(definition.name)} WHERE "IsDeleted" = 1'
    with call.org.lock:
        found = call.org.db.execute(f'{sql} ORDER BY "SystemModstamp" DESC LIMIT 2 OFFSET ?', (most - 1,)).fetchall()
    return reach if len(found) < 2 else max(reach, datetime.fromisoformat(found[0][0].replace("Z", "+00:00")))


ENTRIES = [
    Entry("GET", "/sobjects/{name}/updated", list_updated),
    Entry("GET", "/sobjects/{name}/deleted", list_deleted),
]
routes = make_routes(ENTRIES)
