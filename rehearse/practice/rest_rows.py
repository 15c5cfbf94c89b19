"""REST rows: create, read, update, delete and upsert one row, by id or by external id.

Every rule lives in rows.py; this file knows paths, status codes and headers. If-Unmodified-Since on an update is the
guard against overwriting somebody's newer edit: 412 where the row changed after it.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime
from typing import Any

from rehearse.practice import rows
from rehearse.practice.deploy_rest import read_parts
from rehearse.practice.field_security import hidden_fields
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.org_state import OrgState
from rehearse.practice.rest_call import MISSING, Answer, Call, Entry, make_routes, parse_http_date, raise_refused
from rehearse.practice.rest_resources import known_object
from rehearse.practice.rows_values import RowError
from rehearse.practice.rows_write import find_by_key, load_row
from rehearse.practice.schema import ObjectDef
from rehearse.practice.soql_parse import Item, Path, Query
from rehearse.practice.soql_plan import build_plan
from rehearse.practice.soql_run import Row, Shape


def create(call: Call) -> Answer:
    """POST /sobjects/X: 201 with the new id and its Location."""
    definition = known_object(call)
    values = _values(call)
    saved = rows.insert(call.org, call.user_id, definition.name, [values])[0]
    raise_refused(saved)
    return Answer(201, {"id": saved.id, "success": True, "errors": []}, _location(call, definition, str(saved.id)))


def _values(call: Call) -> dict[str, Any]:
    values = _from_parts(call) if _in_parts(call) else call.json_object()
    if any(name.lower() == "id" for name in values):
        raise ApiError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ("Id",))
    return values


def _in_parts(call: Call) -> bool:
    return call.headers.get("content-type", "").lower().startswith("multipart/form-data")


def _from_parts(call: Call) -> dict[str, Any]:
    """A row whose file comes as a part of its own, beside the JSON of the other fields (REST guide, blob data)."""
    values, content = read_parts(call.headers["content-type"], call.body)
    body = next((one.name for one in known_object(call).fields if one.type == "base64"), None)
    if body is None:
        raise ApiError(400, "INVALID_MULTIPART_REQUEST", f"{call.path['name']} has no field for a file")
    return {**values, body: base64.b64encode(content).decode()}


def _location(call: Call, definition: ObjectDef, row_id: str) -> dict[str, str]:
    return {"Location": f"/services/data/v{call.version}/sobjects/{definition.name}/{row_id}"}


def path_id(call: Call, definition: ObjectDef) -> str:
    """The id in a path, of a row that is there and not deleted.

    Raises ApiError 404 NOT_FOUND, or 404 ENTITY_IS_DELETED for a row in the recycle bin."""
    given = call.path["id"]
    row_id = restore_case(given) if is_id(given) else ""
    if not row_id.startswith(definition.key_prefix):
        text = f"Provided external ID field does not exist or is not accessible: {given}"
        raise ApiError(404, "NOT_FOUND", text)
    with call.org.lock:
        row = load_row(call.org, definition, row_id)
    if row is None:
        raise ApiError(404, "NOT_FOUND", MISSING)
    if row["IsDeleted"]:
        raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", of_row=True)
    return row_id


def read(call: Call) -> Answer:
    """GET /sobjects/X/ID[?fields=A,B]."""
    definition = known_object(call)
    row_id = path_id(call, definition)
    asked = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    return Answer(200, read_row(call, definition, row_id, asked))


def read_row(call: Call, definition: ObjectDef, row_id: str, asked: list[str]) -> Row:
    """One row with the named fields, or with all of them. Raises ApiError INVALID_FIELD."""
    return read_rows(call, definition, [row_id], asked)[row_id]


def read_rows(call: Call, definition: ObjectDef, ids: list[str], asked: list[str]) -> dict[str, Row]:
    """Live rows by id, each with the named fields (default: all)."""
    hidden = hidden_fields(call.org, definition)
    names = asked or [field.name for field in definition.fields if field.name not in hidden]
    items = tuple(Item(Path(tuple(name.split(".")))) for name in dict.fromkeys(names))
    text = f"SELECT {', '.join(names)} FROM {definition.name}"
    with call.org.lock:
        plan = build_plan(call.org, Query(items, Path((definition.name,)), text=text))
        marks = ", ".join("?" * len(ids))
        sql = f'{plan.sql()} AND {plan.scope.root.alias}."Id" IN ({marks})'
        shape = Shape(plan, call.org, call.version)
        return {str(raw[0]): shape.row(raw) for raw in call.org.db.execute(sql, ids)}


def change(call: Call) -> Answer:
    """PATCH /sobjects/X/ID: 204, or 412 where the row changed after If-Unmodified-Since."""
    definition = known_object(call)
    values = _values(call)
    with call.org.transaction():
        row_id = path_id(call, definition)
        check_unmodified(call, definition, row_id)
        saved = rows.update(call.org, call.user_id, definition.name, [{**values, "Id": row_id}])[0]
        raise_refused(saved)
    return Answer(204)


def check_unmodified(call: Call, definition: ObjectDef, row_id: str) -> None:
    """Raise ApiError 412 where LastModifiedDate, in whole seconds, is after the header If-Unmodified-Since."""
    header = call.headers.get("if-unmodified-since")
    if not header:
        return
    since = parse_http_date(header, "If-Unmodified-Since")
    row = load_row(call.org, definition, row_id) or {}
    modified = row.get("LastModifiedDate")
    if modified is None:
        return
    moment = datetime.fromisoformat(str(modified).replace("Z", "+00:00")).replace(microsecond=0)
    if moment > since:
        raise ApiError(412, "PRECONDITION_FAILED", "The record was modified after the time in If-Unmodified-Since")


def remove(call: Call) -> Answer:
    """DELETE /sobjects/X/ID: 204."""
    definition = known_object(call)
    row_id = path_id(call, definition)
    raise_refused(rows.delete(call.org, call.user_id, [row_id])[0])
    return Answer(204)


# ---- by external id


def _matches(org: OrgState, definition: ObjectDef, call: Call) -> list[str]:
    try:
        return find_by_key(org, definition, call.path["field"], call.path["value"])
    except RowError as error:
        text = "Provided external ID field does not exist or is not accessible"
        raise ApiError(404, "NOT_FOUND", f"{text}: {call.path['field']}") from error


def _several(call: Call, definition: ObjectDef, found: list[str]) -> Answer:
    return Answer(300, [_location(call, definition, row_id)["Location"] for row_id in found])


def upsert(call: Call) -> Answer:
    """PATCH /sobjects/X/FIELD/VALUE: 201 when inserted, 200 when updated, 300 with addresses when several match."""
    definition = known_object(call)
    values = _values(call)
    key = call.path["field"]
    if any(name.lower() == key.lower() for name in values):
        text = f"The {key} field should not be specified in the sobject data."
        raise ApiError(400, "INVALID_FIELD", text, (key,))
    with call.org.transaction():
        found = _matches(call.org, definition, call)
        if len(found) > 1:
            return _several(call, definition, found)
        row = {**values, key: call.path["value"]}
        saved = rows.upsert(call.org, call.user_id, definition.name, key, [row])[0]
        raise_refused(saved)
    body: dict[str, Any] = {"id": saved.id, "success": True, "errors": [], "created": saved.created}
    if saved.created:
        return Answer(201, body, _location(call, definition, str(saved.id)))
    return Answer(200, body)


def read_by_key(call: Call) -> Answer:
    """GET /sobjects/X/FIELD/VALUE, and GET /sobjects/X/ID/FIELD for the body of a file."""
    definition = known_object(call)
    with call.org.lock:
        column = definition.find(call.path["value"])
        if column is not None and column.type == "base64":
            row = load_row(call.org, definition, path_id(_with_id(call), definition)) or {}
            return Answer(200, raw=base64.b64decode(str(row.get(column.name) or "")))
        found = _matches(call.org, definition, call)
        if not found:
            raise ApiError(404, "NOT_FOUND", MISSING)
        if len(found) > 1:
            return _several(call, definition, found)
        return Answer(200, read_row(call, definition, found[0], []))


def _with_id(call: Call) -> Call:
    return replace(call, path={**call.path, "id": call.path["field"]})


def remove_by_key(call: Call) -> Answer:
    """DELETE /sobjects/X/FIELD/VALUE: 204."""
    definition = known_object(call)
    with call.org.transaction():
        found = _matches(call.org, definition, call)
        if not found:
            raise ApiError(404, "NOT_FOUND", MISSING)
        if len(found) > 1:
            return _several(call, definition, found)
        raise_refused(rows.delete(call.org, call.user_id, found)[0])
    return Answer(204)


ENTRIES = [
    Entry("POST", "/sobjects/{name}", create),
    Entry("GET", "/sobjects/{name}/{id}", read),
    Entry("PATCH", "/sobjects/{name}/{id}", change),
    Entry("DELETE", "/sobjects/{name}/{id}", remove),
    Entry("GET", "/sobjects/{name}/{field}/{value:path}", read_by_key),
    Entry("PATCH", "/sobjects/{name}/{field}/{value:path}", upsert),
    Entry("DELETE", "/sobjects/{name}/{field}/{value:path}", remove_by_key),
]
routes = make_routes(ENTRIES)
