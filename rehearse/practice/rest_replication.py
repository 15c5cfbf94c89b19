"""getUpdated and getDeleted: which rows of an object changed or went, minute by minute, as replication asks for them.

Both go by SystemModstamp. Seconds are ignored; updated looks back 30 days, deleted as far as the recycle bin reaches.
Refuses windows that are no window with INVALID_REPLICATION_DATE.
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
    if end - start < MINUTE:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    if start > now:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate must be before the present time")
    if start < now - timedelta(days=days):
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"startDate cannot be more than {days:g} days ago")
    return start, min(end, now)


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
    return Answer(200, {"ids": ids, "latestDateCovered": _wire(end)})


def list_deleted(call: Call) -> Answer:
    """GET /sobjects/X/deleted?start=…&end=…"""
    definition = known_object(call)
    days = float(call.org.settings.get("bin_days", 15))
    start, end = _window(call, definition, days)
    expire(call.org)
    tests = '"SystemModstamp" >= ? AND "SystemModstamp" < ? AND "IsDeleted" = 1'
    sql = f'SELECT "Id", "SystemModstamp" FROM {quote(definition.name)} WHERE {tests} ORDER BY "SystemModstamp", "Id"'
    with call.org.lock:
        found = call.org.db.execute(sql, (as_stamp(start), as_stamp(end))).fetchall()
    rows = [{"id": row_id, "deletedDate": stamp.replace("Z", "+0000")} for row_id, stamp in found]
    earliest = _wire(call.org.now() - timedelta(days=days))
    return Answer(200, {"deletedRecords": rows, "earliestDateAvailable": earliest, "latestDateCovered": _wire(end)})


ENTRIES = [
    Entry("GET", "/sobjects/{name}/updated", list_updated),
    Entry("GET", "/sobjects/{name}/deleted", list_deleted),
]
routes = make_routes(ENTRIES)
