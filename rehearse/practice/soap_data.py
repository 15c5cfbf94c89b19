"""The data operations of SOAP: rows written, read, listed and searched, for partner and enterprise alike.

Writing goes through rows.py and reading through the query engine of REST, so every road obeys the same rules. Refuses
more than 200 rows a call (2,000 to retrieve). Promise: one result for each row asked, in the order asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rehearse.practice import entity_tables, rest_replication, rows, soap_describe
from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import read_whole
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.org_state import OrgState
from rehearse.practice.recycle_bin import empty_bin
from rehearse.practice.rest_call import Call
from rehearse.practice.rest_collections import save_runs
from rehearse.practice.rest_rows import read_rows
from rehearse.practice.rows import Saved
from rehearse.practice.rows_assignment import assigning_as
from rehearse.practice.rows_duplicates import duplicates_as
from rehearse.practice.soap_call import DataCall
from rehearse.practice.soap_forms import render_value
from rehearse.practice.soap_records import read_records, render_record
from rehearse.practice.soql_pages import LARGEST, Asked, Page, first_page, held_batch, next_page
from rehearse.practice.sosl import search

MOST_ROWS = 200
MOST_READ = 2_000
FIRST_BATCH = 500  # rows that a query gives at once where nobody asks for another number [SOAP guide, QueryOptions]
NOT_IN_BIN = ("DELETE_FAILED", "Entity is not in the recycle bin", ())  # the code is our guess


def create(call: DataCall) -> str:
    return _save(call, lambda name, run: rows.insert(call.org, call.user_id, name, run))


def update(call: DataCall) -> str:
    return _save(call, lambda name, run: rows.update(call.org, call.user_id, name, run), by_id=True)


def upsert(call: DataCall) -> str:
    key = call.text("externalIDFieldName") or "Id"
    return _save(call, lambda name, run: rows.upsert(call.org, call.user_id, name, key, run), created=True)


def _save(
    call: DataCall, save: Callable[[str, list[Any]], list[Saved]], *, by_id: bool = False, created: bool = False
) -> str:
    items = read_records(call.body, call.org)
    check_count(len(items))
    with as_headers_say(call):
        saved = save_runs(call.org, items, save, _all_or_none(call))
    asked = [str(next((v for k, v in row.items() if k.lower() == "id" and v), "")) if by_id else "" for _, row in items]
    return _results(asked, saved, created=created)


@contextmanager
def as_headers_say(call: DataCall) -> Iterator[None]:
    """Duplicate and assignment rules as the headers want them; without one SOAP assigns nobody."""
    allow = f"allowSave={call.option('DuplicateRuleHeader', 'allowSave')}"
    with duplicates_as(allow), assigning_as(call.option("AssignmentRuleHeader", "useDefaultRule") or "false"):
        yield


def delete(call: DataCall) -> str:
    ids = _ids(call)
    items: list[tuple[str, Any]] = [(one[:3], one) for one in ids]
    saved = save_runs(call.org, items, lambda _, run: rows.delete(call.org, call.user_id, run), _all_or_none(call))
    return _results(ids, saved)


def undelete(call: DataCall) -> str:
    ids = _ids(call)
    return _results(ids, rows.undelete(call.org, call.user_id, ids, all_or_none=_all_or_none(call)))


def empty_recycle_bin(call: DataCall) -> str:
    ids = _ids(call)
    with call.org.transaction():
        emptied = [empty_bin(call.org, one) for one in ids]
    return _results(
        ids,
        [
            Saved(one, True) if gone else Saved(one, False, errors=(NOT_IN_BIN,))
            for one, gone in zip(ids, emptied, strict=True)
        ],
    )


def retrieve(call: DataCall) -> str:
    """One record an id, nil for a row that is not there."""
    definition = call.org.object(call.text("sObjectType"))
    ids = call.texts("ids")
    check_count(len(ids), MOST_READ)
    fields = [one.strip() for one in call.text("fieldList").split(",") if one.strip()]
    if not fields:
        raise ApiError(500, "MALFORMED_QUERY", "fieldList must name at least one field")
    wanted = [restore_case(one) if is_id(one) else one for one in ids]
    found = read_rows(call.as_rest(), definition, list(dict.fromkeys(wanted)), fields)
    return "".join(
        render_record("result", found[one], call.org, call.dialect) if one in found else render_value("result", None)
        for one in wanted
    )


def query(call: DataCall) -> str:
    return _query(call, deleted=False)


def query_all(call: DataCall) -> str:
    return _query(call, deleted=True)


def _query(call: DataCall, *, deleted: bool) -> str:
    soql = call.text("queryString")
    with entity_tables.opened(call.org, soql) as org:
        batch = _batch(call) if org is call.org else LARGEST
        return _page(call, first_page(org, Asked(soql, deleted, batch, call.version)), org)


def query_more(call: DataCall) -> str:
    return _page(call, next_page(call.org, call.text("queryLocator"), call.version, _batch(call)), call.org)


def _batch(call: DataCall) -> int:
    asked = call.option("QueryOptions", "batchSize")
    return held_batch(f"batchSize={asked}") if read_whole(asked) is not None else FIRST_BATCH


def _page(call: DataCall, page: Page, org: OrgState) -> str:
    records = "".join(render_record("records", one, org, call.dialect) for one in page.records)
    done, locator = render_value("done", page.locator is None), render_value("queryLocator", page.locator)
    return f'<result xsi:type="QueryResult">{done}{locator}{records}{render_value("size", page.total)}</result>'


def find(call: DataCall) -> str:
    """`search`: the records that a SOSL text finds."""
    found = search(call.org, call.text("searchString"), call.version)
    records = "".join(
        f"<searchRecords>{render_record('record', one, call.org, call.dialect)}</searchRecords>" for one in found
    )
    return f"<result><queryId>{call.org.new_id('0sR')}</queryId>{records}</result>"


def get_updated(call: DataCall) -> str:
    return _replicated(call, rest_replication.list_updated)


def get_deleted(call: DataCall) -> str:
    return _replicated(call, rest_replication.list_deleted)


def _replicated(call: DataCall, listing: Callable[[Call], Any]) -> str:
    body: dict[str, Any] = listing(call.as_rest(start=call.text("startDate"), end=call.text("endDate"))).body
    shown = soap_describe.in_order(body)
    for name in ("earliestDateAvailable", "latestDateCovered"):
        if name in shown:
            shown[name] = shown[name].replace("+0000", "Z")
    for row in shown.get("deletedRecords", []):
        row["deletedDate"] = row["deletedDate"].replace("+0000", "Z")
    return render_value("result", shown)


def _ids(call: DataCall) -> list[str]:
    ids = call.texts("ids") or call.texts("id")  # beatbox and pyforce say `id`, and have worked with it for years
    check_count(len(ids))
    return ids


def check_count(count: int, most: int = MOST_ROWS) -> None:
    """Raise ApiError EXCEEDED_ID_LIMIT for a call about more rows than it may be."""
    if count > most:
        text = f"record limit reached. cannot submit more than {most} records into this call"
        raise ApiError(500, "EXCEEDED_ID_LIMIT", text)


def _all_or_none(call: DataCall) -> bool:
    return call.option("AllOrNoneHeader", "allOrNone") in ("true", "1")


def _results(asked: Sequence[str], saved: Sequence[Saved], *, created: bool = False) -> str:
    return "".join(_result(one, saving, created) for one, saving in zip(asked, saved, strict=True))


def _result(asked: str, saved: Saved, created: bool) -> str:
    errors = [
        {"fields": list(fields), "message": message, "statusCode": code} for code, message, fields in saved.errors
    ]
    head: dict[str, Any] = {"created": saved.created} if created else {}
    shown = saved.id or asked or None
    return render_value("result", {**head, "errors": errors, "id": shown, "success": saved.success})
