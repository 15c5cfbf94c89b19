"""REST's pages of a query: the first batch at once, the rest behind a locator that lives for two days.

A cursor keeps the row numbers that the query found, in order; a later page reads those rows as they are then. Cursors
lie in the org's file and survive a restart. Refuses an unknown or expired locator with INVALID_QUERY_LOCATOR.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import timedelta

from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import read_whole
from rehearse.practice.org_state import OrgState, as_stamp
from rehearse.practice.recycle_bin import expire
from rehearse.practice.soql_filters import require_filter
from rehearse.practice.soql_parse import parse_soql
from rehearse.practice.soql_plan import Plan, build_plan
from rehearse.practice.soql_run import Raw, Row, Shape, count_rows

LIFETIME = timedelta(days=2)
SMALLEST, LARGEST = 200, 2000


@dataclass(frozen=True)
class Page:
    """One batch: `total` rows in all; `locator` (id-offset) of the next batch, or None when this is the last."""

    total: int
    records: list[Row]
    locator: str | None


@dataclass(frozen=True)
class Asked:
    """A query as REST asks it; `batch` is held to 200…2000."""

    soql: str
    deleted: bool
    batch: int
    version: str


def first_page(org: OrgState, asked: Asked) -> Page:
    """Run a query and answer its first batch. Raises ApiError in Salesforce's words."""
    query = require_filter(parse_soql(asked.soql))
    if asked.deleted:
        expire(org)
    plan = build_plan(org, query, deleted=asked.deleted)
    if query.is_count:
        return Page(count_rows(org, plan), [], None)
    with org.lock:
        shape = Shape(plan, org, asked.version)
        cursor = org.db.execute(plan.sql(), plan.params)
        found = cursor.fetchmany(asked.batch + 1)
        if len(found) <= asked.batch or query.is_aggregate:
            found += cursor.fetchall()
            return Page(len(found), [shape.row(raw) for raw in found], None)
        cursor.close()
        numbers = array(
            "q", (row[0] for row in org.db.execute(plan.sql(f"{plan.scope.root.alias}.rowid"), plan.params))
        )
        locator = _keep(org, asked, numbers)
        records = [shape.row(raw) for raw in found[: asked.batch]]
    return Page(len(numbers), records, f"{locator}-{asked.batch}")


def _keep(org: OrgState, asked: Asked, numbers: array[int]) -> str:
    with org.transaction() as db:
        db.execute("DELETE FROM query_cursors WHERE created_at < ?", (as_stamp(org.now() - LIFETIME),))
        locator = org.new_id("01g")
        row = (locator, org.stamp(), asked.soql, int(asked.deleted), asked.batch, numbers.tobytes())
        db.execute("INSERT INTO query_cursors VALUES (?, ?, ?, ?, ?, ?)", row)
    return locator


def next_page(org: OrgState, locator: str, version: str, batch: int | None = None) -> Page:
    """The batch that a locator stands for; it may be asked for again. Raises ApiError INVALID_QUERY_LOCATOR."""
    cursor_id, _, offset = locator.partition("-")
    edge = as_stamp(org.now() - LIFETIME)
    sql = "SELECT soql, deleted, batch, rows FROM query_cursors WHERE id = ? AND created_at >= ?"
    with org.lock:
        found = org.db.execute(sql, (cursor_id, edge)).fetchone()
        start = read_whole(offset)
        if found is None or start is None:
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        soql, deleted, kept_batch, blob = found
        numbers = array("q")
        numbers.frombytes(blob)
        size = batch or int(kept_batch)
        plan = build_plan(org, parse_soql(soql), deleted=bool(deleted))
        shape = Shape(plan, org, version)
        records = [shape.row(raw) for raw in _read(org, plan, list(numbers[start : start + size]))]
    end = start + size
    return Page(len(numbers), records, f"{cursor_id}-{end}" if end < len(numbers) else None)


def _read(org: OrgState, plan: Plan, numbers: list[int]) -> list[Raw]:
    """The rows of these numbers, in this order; one that was purged meanwhile is left out."""
    rowid = f"{plan.scope.root.alias}.rowid"
    marks = ", ".join("?" * len(numbers))
    sql = f"SELECT {', '.join(plan.columns)}, {rowid} {plan.scope.from_sql()} WHERE {rowid} IN ({marks})"
    by_number = {raw[-1]: raw for raw in org.db.execute(sql, numbers)}
    return [by_number[number] for number in numbers if number in by_number]


def held_batch(text: str | None) -> int:
    """The batch size of a Sforce-Query-Options header such as `batchSize=500`, held to its bounds; 2000 without one."""
    for part in (text or "").replace(",", ";").split(";"):
        name, _, value = part.partition("=")
        rows = read_whole(value.strip())
        if name.strip().lower() == "batchsize" and rows is not None:
            return max(SMALLEST, min(LARGEST, rows))
    return LARGEST
