"""/composite (up to 25 calls in one, later ones may quote earlier answers) and /composite/tree (rows with children).

Sub-requests go to the same handlers as requests over HTTP. With allOrNone everything is taken back when one fails; the
others then answer PROCESSING_HALTED, as Salesforce has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from rehearse.practice import rest_collections, rest_query, rest_resources, rest_rows
from rehearse.practice.http_errors import ApiError, error_body
from rehearse.practice.rest_call import Answer, Call, Entry, find_handler, make_routes, problem_json
from rehearse.practice.rest_resources import known_object
from rehearse.practice.rows_assignment import AUTO_ASSIGN, assigning_as
from rehearse.practice.rows_duplicates import HEADER, duplicates_as
from rehearse.practice.rows_rollup import recalculate
from rehearse.practice.rows_values import RowError
from rehearse.practice.rows_write import Work, insert_row
from rehearse.practice.schema import ObjectDef

MOST_REQUESTS = 25
MOST_TREE_ROWS = 200
MOST_GRAPHS, MOST_NODES, FAILED_GRAPHS = 75, 500, 14
TAKEN_OVER = ("accept", "authorization", "content-type")
QUOTED = re.compile(r"@\{([\w]+)((?:\.\w+|\[\d+\])*)\}")
TARGETS = [*rest_resources.ENTRIES, *rest_query.ENTRIES, *rest_rows.ENTRIES, *rest_collections.ENTRIES]
HALTED = "The transaction was rolled back since another operation in the same transaction failed."


class _Undone(Exception):
    """Takes the whole call back."""


def composite(call: Call) -> Answer:
    """POST /composite {allOrNone, compositeRequest: [{method, url, referenceId, body, httpHeaders}]}."""
    asked = call.json_object()
    requests = asked.get("compositeRequest")
    if not isinstance(requests, list) or not all(isinstance(one, dict) for one in requests):
        raise ApiError(400, "JSON_PARSER_ERROR", "compositeRequest must be a list of requests")
    if len(requests) > MOST_REQUESTS:
        raise ApiError(
            400, "LIMIT_EXCEEDED", f"Cannot have more than {MOST_REQUESTS} subrequests in a composite request"
        )
    return Answer(200, {"compositeResponse": _in_turn(call, requests, asked.get("allOrNone") is True)})


def _in_turn(call: Call, requests: list[dict[str, Any]], every: bool) -> list[dict[str, Any]]:
    """The answers of sub-requests; with `every`, one that fails takes all of them back."""
    done: list[dict[str, Any]] = []
    try:
        with call.org.transaction():
            for request in requests:
                done.append(_sub_request(call, request, done))
                if every and done[-1]["httpStatusCode"] >= 400:
                    raise _Undone
    except _Undone:
        done = _halted(requests, done)
    return done


def graph(call: Call) -> Answer:
    """POST /composite/graph {graphs: [{graphId, compositeRequest}]}: each graph is kept whole or not at all.

    75 graphs, 500 nodes; after 14 graphs have failed the rest is not begun (data.md 2.2)."""
    graphs = call.json_object().get("graphs")
    if not isinstance(graphs, list) or not all(isinstance(one, dict) for one in graphs):
        raise ApiError(400, "JSON_PARSER_ERROR", "graphs must be a list of graphs")
    parts = [one.get("compositeRequest") for one in graphs]
    if not all(isinstance(part, list) and all(isinstance(one, dict) for one in part) for part in parts):
        raise ApiError(400, "JSON_PARSER_ERROR", "compositeRequest must be a list of requests")
    if len(graphs) > MOST_GRAPHS or sum(len(part) for part in parts) > MOST_NODES:
        text = f"Cannot have more than {MOST_GRAPHS} graphs and {MOST_NODES} nodes in a composite graph request"
        raise ApiError(400, "LIMIT_EXCEEDED", text)
    answers: list[dict[str, Any]] = []
    for one in graphs:
        failed = sum(not answer["isSuccessful"] for answer in answers)
        requests: list[dict[str, Any]] = one["compositeRequest"]
        done = _in_turn(call, requests, True) if failed < FAILED_GRAPHS else [_not_begun(part) for part in requests]
        good = all(part["httpStatusCode"] < 400 for part in done)
        body = {"compositeResponse": done}
        answers.append({"graphId": str(one.get("graphId", "")), "graphResponse": body, "isSuccessful": good})
    return Answer(200, {"graphs": answers})


def _not_begun(request: dict[str, Any]) -> dict[str, Any]:
    body = [{"errorCode": "PROCESSING_HALTED", "message": "Processing was halted: too many graphs have failed."}]
    return _result(str(request.get("referenceId", "")), 400, body)


def _halted(requests: list[dict[str, Any]], done: list[dict[str, Any]]) -> list[dict[str, Any]]:
    failed = done[-1]
    body = [{"errorCode": "PROCESSING_HALTED", "message": HALTED}]
    others = [_result(str(one.get("referenceId", "")), 400, body) for one in requests]
    others[len(done) - 1] = failed
    return others


def _result(reference: str, status: int, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"body": body, "httpHeaders": dict(headers or {}), "httpStatusCode": status, "referenceId": reference}


def _sub_request(call: Call, request: dict[str, Any], done: list[dict[str, Any]]) -> dict[str, Any]:
    reference = str(request.get("referenceId", ""))
    headers = _headers(call, request)
    try:
        address = _quote_earlier(str(request.get("url", "")), done)
        sent = json.loads(_quote_earlier(json.dumps(request.get("body")), done))
        method = str(request.get("method", "GET")).upper()
        said = duplicates_as(headers.get(HEADER, "")), assigning_as(headers.get(AUTO_ASSIGN, ""))
        with call.org.transaction(), said[0], said[1]:
            answer = _dispatch(replace(call, headers=headers), method, address, sent)
        return _result(reference, answer.status, answer.body, answer.headers)
    except ApiError as error:
        return _result(reference, error.status, error_body(error))


def _headers(call: Call, request: dict[str, Any]) -> dict[str, str]:
    """The headers of a sub-request: its own, and those three that it takes over and may not name (REST guide)."""
    own = {str(name).lower(): str(value) for name, value in (request.get("httpHeaders") or {}).items()}
    if named := sorted(own.keys() & set(TAKEN_OVER)):
        raise ApiError(400, "INVALID_HEADER", f"A subrequest cannot have the header {named[0]}")
    return {**{name: call.headers[name] for name in TAKEN_OVER if name in call.headers}, **own}


def _quote_earlier(text: str, done: list[dict[str, Any]]) -> str:
    """Put values of earlier answers in the place of @{reference.field}."""
    bodies = {one["referenceId"]: one["body"] for one in done}

    def one(found: re.Match[str]) -> str:
        value: Any = bodies.get(found[1])
        for name, index in re.findall(r"\.(\w+)|\[([0-9]{1,9})\]", found[2]):
            try:
                value = value[int(index)] if index else value[name]
            except (KeyError, IndexError, TypeError):
                text = f"Invalid reference specified. No value for {found[0]} found"
                raise ApiError(400, "PROCESSING_HALTED", text) from None
        return str(value)

    return QUOTED.sub(one, text)


def _dispatch(call: Call, method: str, address: str, sent: Any) -> Answer:
    parts = urlsplit(address)
    found = re.fullmatch(r"/services/data/v\d+\.0(/.*?)/?", parts.path)
    handler = find_handler(TARGETS, method, unquote(found[1])) if found is not None else None
    if handler is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    inner = replace(call, path=handler[1], query=query, body=json.dumps(sent).encode() if sent is not None else b"")
    return handler[0](inner)


# ---- tree


def tree(call: Call) -> Answer:
    """POST /composite/tree/X {records: [{attributes: {type, referenceId}, …, Children: {records: […]}}]}: 201, or 400
    with the errors of the rows that failed, and then nothing is kept."""
    definition = known_object(call)
    records = call.json_object().get("records")
    if not isinstance(records, list) or not records:
        raise ApiError(400, "JSON_PARSER_ERROR", "records must be a list of at least one record")
    results: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    work = Work(call.org, call.user_id)
    try:
        with call.org.transaction():
            for record in records:
                _plant(work, definition, record, {}, (results, failures))
            recalculate(call.org, call.user_id, work.touched)
            rest_collections.check_size(len(results) + len(failures), "create", MOST_TREE_ROWS)
            if failures:
                raise _Undone
    except _Undone:
        return Answer(400, {"hasErrors": True, "results": failures})
    return Answer(201, {"hasErrors": False, "results": results})


def _plant(
    work: Work,
    definition: ObjectDef,
    record: dict[str, Any],
    link: dict[str, str],
    kept: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    """Insert one record of a tree and then its children, which point at it."""
    reference = str(record.get("attributes", {}).get("referenceId", ""))
    children = {
        key: value["records"] for key, value in record.items() if isinstance(value, dict) and "records" in value
    }
    values = {key: value for key, value in record.items() if key not in children and key != "attributes"}
    try:
        with work.org.transaction():
            saved = insert_row(work, definition, {**values, **link})
    except RowError as error:
        kept[1].append({"referenceId": reference, "errors": [problem_json((error.code, error.message, error.fields))]})
        return
    kept[0].append({"referenceId": reference, "id": saved.id})
    for key, planted in children.items():
        child, name = find_child(work, definition, key)
        for one in planted:
            _plant(work, child, one, {name: str(saved.id)}, kept)


def find_child(work: Work, definition: ObjectDef, key: str) -> tuple[ObjectDef, str]:
    """The object and reference field behind a child relationship. Raises ApiError INVALID_FIELD."""
    for child in work.org.objects().values():
        for field in child.fields:
            if (field.child_relationship or "").lower() == key.lower() and definition.name in field.reference_to:
                return child, field.name
    raise ApiError(400, "INVALID_FIELD", f"No such column '{key}' on sobject of type {definition.name}", (key,))


ENTRIES = [
    Entry("POST", "/composite", composite),
    Entry("POST", "/composite/graph", graph),
    Entry("POST", "/composite/tree/{name}", tree),
]
routes = make_routes(ENTRIES)
