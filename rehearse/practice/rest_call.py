"""The frame of the REST endpoints: one call, one answer, one table of handlers.

A handler is a function from Call to Answer; the same table serves HTTP requests and the sub-requests of /composite.
Refuses bodies that are not JSON with JSON_PARSER_ERROR. Handlers raise ApiError for everything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import load_json
from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_assignment import AUTO_ASSIGN, assigning_as
from rehearse.practice.rows_duplicates import HEADER, duplicates_as
from rehearse.practice.rows_write import RowProblem, Saved

MISSING = "The requested resource does not exist"
BASE = "/services/data/v{version}"


@dataclass(frozen=True)
class Call:
    """One request: who asks which org, under which API version ("67.0"), and the parts of the request.

    `headers` has lower-case names; `api_calls` is how many calls the org answered so far."""

    org: OrgState
    user_id: str
    version: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    host: str = ""  # scheme and authority, for absolute addresses
    api_calls: int = 0

    def json(self) -> Any:
        """The body as JSON. Raises ApiError JSON_PARSER_ERROR."""
        try:
            return load_json(self.body or b"null")
        except ValueError as error:
            message = f"Unexpected character or end of the request at [{error}]"
            raise ApiError(400, "JSON_PARSER_ERROR", message) from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object."""
        found = self.json()
        if not isinstance(found, dict):
            raise ApiError(400, "JSON_PARSER_ERROR", "Expected a JSON object at [line:1, column:1]")
        return found


@dataclass(frozen=True)
class Answer:
    """What goes back: a status, a JSON body (None = no body at all) and extra headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None  # a file instead of JSON


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Entry:
    """One line of the table: methods and a path below the version, such as /sobjects/{name}/{id}."""

    method: str
    path: str
    handler: Handler


def make_response(answer: Answer) -> Response:
    """The HTTP form of an answer."""
    headers = dict(answer.headers)
    if answer.raw is not None:
        return Response(answer.raw, answer.status, headers, media_type="application/octet-stream")
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return Response(content, answer.status, headers, media_type="application/json;charset=UTF-8")


def make_routes(entries: list[Entry]) -> list[Route]:
    """Starlette routes for a table; entries of one path share a route, so that 405 names what is allowed."""
    by_path: dict[str, dict[str, Handler]] = {}
    for entry in entries:
        by_path.setdefault(entry.path, {})[entry.method] = entry.handler
    return [_route(path, handlers) for path, handlers in by_path.items()]


def _route(path: str, handlers: dict[str, Handler]) -> Route:
    def endpoint(request: Request) -> Response:
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        sent = request.headers
        with duplicates_as(sent.get(HEADER, "")), assigning_as(sent.get(AUTO_ASSIGN, "")):
            return make_response(handler(call_of(request)))

    return Route(BASE + path, endpoint, methods=list(handlers))


def call_of(request: Request) -> Call:
    """The Call in a request that passed the front."""
    state = request.state
    path = {name: str(value) for name, value in request.path_params.items() if name != "version"}
    counts: dict[str, int] = getattr(request.app.state, "api_calls", {})
    return Call(
        state.org,
        state.user_id,
        state.api_version,
        path,
        dict(request.query_params),
        {name.lower(): value for name, value in request.headers.items()},
        state.body,
        f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}",
        counts.get(state.org.org_id, 0),
    )


def find_handler(entries: list[Entry], method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
    """The handler for a path below the version, with its path parameters, as /composite needs it."""
    for entry in sorted(entries, key=lambda one: (one.path.count("{"), one.path)):
        pattern = re.sub(r"\{(\w+):path\}", r"(?P<\1>.+)", entry.path)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        found = re.fullmatch(pattern, path)
        if found is not None and entry.method == method:
            return entry.handler, found.groupdict()
    return None


def parse_http_date(header: str, name: str) -> datetime:
    """The moment in a header. Raises ApiError INVALID_HEADER."""
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        raise ApiError(400, "INVALID_HEADER", f"{name} is no HTTP date: {header}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def problem_json(problem: RowProblem) -> dict[str, Any]:
    """One error of a row, as collections answer it."""
    code, message, fields = problem
    return {"statusCode": code, "message": message, "fields": list(fields)}


def saved_json(saved: Saved, *, row_id: str | None = None, created: bool = False) -> dict[str, Any]:
    """One row's result, as collections answer it; `created` adds whether an upsert inserted."""
    if not saved.success:
        head = {"id": row_id} if row_id else {}
        return {**head, "success": False, "errors": [problem_json(one) for one in saved.errors]}
    answer: dict[str, Any] = {"id": saved.id, "success": True, "errors": []}
    if created:
        answer["created"] = saved.created
    return answer


def raise_refused(saved: Saved) -> None:
    """Raise the ApiError of a row that was refused; 404 where the row itself is gone."""
    if saved.success:
        return
    code, message, fields = saved.errors[0]
    status = 404 if code == "ENTITY_IS_DELETED" and not fields else 400
    raise ApiError(status, code, message, fields, of_row=True)
