"""sObject Collections: up to 200 rows in one call, of mixed objects, each with its own result in input order.

A well-formed call is always 200, whatever became of its rows; `allOrNone` (default false) takes all of them back when
one is refused. Refuses calls that are too large: 200 rows, ten runs of one object after another.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from rehearse.practice import rows
from rehearse.practice.faults import LOCKED
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.org_state import OrgState
from rehearse.practice.rest_call import Answer, Call, Entry, make_routes, saved_json
from rehearse.practice.rest_resources import known_object
from rehearse.practice.rest_rows import read_rows
from rehearse.practice.rows_write import ROLLED_BACK, RowProblem, Saved

MOST_ROWS = 200
MOST_RUNS = 10
MOST_READ = 2000
MIXED = "DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa)"
SaveRun = Callable[[str, list[Any]], list[Saved]]  # object, its rows -> results


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def check_size(count: int, verb: str, most: int = MOST_ROWS) -> None:
    """Raise ApiError where a call carries too many rows."""
    if count > most:
        text = f"Max number of records to {verb} is {most}"
        raise ApiError(400, "LIMIT_EXCEEDED", text)


def save_runs(org: OrgState, items: list[tuple[str, Any]], save: SaveRun, all_or_none: bool) -> list[Saved]:
    """Save (object, row) pairs as consecutive runs of one object, at most ten, in one transaction."""
    runs = [(name, [row for _, row in group]) for name, group in groupby(items, key=lambda item: item[0])]
    if len(runs) > MOST_RUNS:
        text = "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking."
        raise ApiError(400, "LIMIT_EXCEEDED", text)
    saved: list[Saved] = []
    try:
        with org.transaction():
            for name, group in runs:
                problem = _mixed(org, runs[0][0], name) or _locked(org, name)
                saved += [Saved(None, False, False, (problem,))] * len(group) if problem else save(name, group)
            if all_or_none and not all(one.success for one in saved):
                raise _Undone
    except _Undone:
        return [Saved(None, False, False, (ROLLED_BACK,)) if one.success else one for one in saved]
    return saved


def _mixed(org: OrgState, first: str, name: str) -> RowProblem | None:
    """The refusal of set-up rows in one transaction with others (data.md 2.2 and row 25 of 4); names may be prefixes.

    That it refuses the later rows and not the whole call is an assumption."""
    one, other = (org.find_object(kind) or org.object_of_id(f"{kind}000000000000") for kind in (first, name))
    if one is None or other is None or one.setup == other.setup:
        return None
    text = f"{MIXED}: {other.name}, original object: {one.name}"
    return "MIXED_DML_OPERATION", text, ()


def _locked(org: OrgState, name: str) -> RowProblem | None:
    """The refusal of a run whose rows or parents somebody else holds just now: a fault that was asked for."""
    kind = org.find_object(name) or org.object_of_id(f"{name}000000000000")
    if kind is None or org.faults is None or org.faults.take("CHUNK", kind.name, org.org_id) != "lock-row":
        return None
    return "UNABLE_TO_LOCK_ROW", LOCKED.format(f"{kind.key_prefix}000000000000"), ()


class _Undone(Exception):
    """Takes back every run when allOrNone was asked."""


def _typed_records(call: Call, verb: str) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise ApiError(400, "JSON_PARSER_ERROR", "records must be a list of at least one record")
    check_size(len(records), verb)
    items = []
    for record in records:
        named = record.get("attributes") if isinstance(record, dict) else None
        kind = named.get("type") if isinstance(named, dict) else None
        if not isinstance(kind, str):
            raise ApiError(400, "INVALID_INPUT", "Each record needs attributes with a type")
        items.append((call.org.object(kind).name, {k: v for k, v in record.items() if k != "attributes"}))
    return items, _true(body.get("allOrNone", False))


def create(call: Call) -> Answer:
    """POST /composite/sobjects."""
    items, all_or_none = _typed_records(call, "create")
    saved = save_runs(call.org, items, lambda name, run: rows.insert(call.org, call.user_id, name, run), all_or_none)
    return Answer(200, [saved_json(one) for one in saved])


def change(call: Call) -> Answer:
    """PATCH /composite/sobjects: rows carry their id."""
    items, all_or_none = _typed_records(call, "update")
    saved = save_runs(call.org, items, lambda name, run: rows.update(call.org, call.user_id, name, run), all_or_none)
    ids = [next((str(v) for k, v in row.items() if k.lower() == "id" and v), None) for _, row in items]
    return Answer(200, [saved_json(one, row_id=row_id) for one, row_id in zip(saved, ids, strict=True)])


def upsert(call: Call) -> Answer:
    """PATCH /composite/sobjects/X/FIELD: insert or update by external id."""
    definition = known_object(call)
    items, all_or_none = _typed_records(call, "upsert")
    key = call.path["field"]

    def save(name: str, run: list[Any]) -> list[Saved]:
        return rows.upsert(call.org, call.user_id, name, key, run)

    if any(name != definition.name for name, _ in items):
        raise ApiError(400, "INVALID_INPUT", f"All records must be of type {definition.name}")
    return Answer(200, [saved_json(one, created=True) for one in save_runs(call.org, items, save, all_or_none)])


def remove(call: Call) -> Answer:
    """DELETE /composite/sobjects?ids=…&allOrNone=…"""
    ids = [one.strip() for one in call.query.get("ids", "").split(",") if one.strip()]
    if not ids:
        raise ApiError(400, "INVALID_INPUT", "The ids parameter names no record")
    check_size(len(ids), "delete")
    items: list[tuple[str, Any]] = [(one[:3], one) for one in ids]
    all_or_none = _true(call.query.get("allOrNone", "false"))
    saved = save_runs(call.org, items, lambda _prefix, run: rows.delete(call.org, call.user_id, run), all_or_none)
    return Answer(200, [saved_json(one, row_id=row_id) for one, row_id in zip(saved, ids, strict=True)])


def _retrieved(call: Call, ids: list[str], fields: list[str]) -> Answer:
    definition = known_object(call)
    if not ids or not fields:
        raise ApiError(400, "INVALID_INPUT", "ids and fields must each name at least one")
    wanted = [restore_case(one) if is_id(one) else one for one in ids]
    found = read_rows(call, definition, list(dict.fromkeys(wanted)), fields)
    return Answer(200, [found.get(row_id) for row_id in wanted])


def retrieve(call: Call) -> Answer:
    """POST /composite/sobjects/X {ids, fields}: rows in the order of ids, null for what is not there."""
    body = call.json_object()
    ids, fields = body.get("ids"), body.get("fields")
    if not isinstance(ids, list) or not isinstance(fields, list):
        raise ApiError(400, "JSON_PARSER_ERROR", "ids and fields must be lists")
    check_size(len(ids), "retrieve", MOST_READ)
    return _retrieved(call, [str(one) for one in ids], [str(one) for one in fields])


def retrieve_by_address(call: Call) -> Answer:
    """GET /composite/sobjects/X?ids=…&fields=…"""
    ids = [one.strip() for one in call.query.get("ids", "").split(",") if one.strip()]
    fields = [one.strip() for one in call.query.get("fields", "").split(",") if one.strip()]
    check_size(len(ids), "retrieve", MOST_READ)
    return _retrieved(call, ids, fields)


ENTRIES = [
    Entry("POST", "/composite/sobjects", create),
    Entry("PATCH", "/composite/sobjects", change),
    Entry("DELETE", "/composite/sobjects", remove),
    Entry("GET", "/composite/sobjects/{name}", retrieve_by_address),
    Entry("POST", "/composite/sobjects/{name}", retrieve),
    Entry("PATCH", "/composite/sobjects/{name}/{field}", upsert),
]
routes = make_routes(ENTRIES)
