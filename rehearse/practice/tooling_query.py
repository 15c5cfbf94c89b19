"""Tooling queries: SOQL over SandboxInfo, Flow, DeployRequest and the like, and over plain objects where asked.

The rows of a Tooling object and of those it refers to are put into an org in memory, and the ordinary query engine
runs over that, so the same SOQL and the same refusals hold. Status of SandboxProcess compares codes in WHERE and
answers labels (sandbox facts 2.3). Answers carry the Tooling envelope.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearse.practice import deploy, soql_run, tooling_tables, tooling_tracking
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rest_query import describe_columns
from rehearse.practice.soql_parse import parse_soql
from rehearse.practice.soql_plan import build_plan
from rehearse.practice.tooling_tables import World

UNKNOWN_TYPE = "sObject type '{}' is not supported."


def endpoint(request: Request) -> Response:
    """GET tooling/query?q=: at most one page, however long."""
    soql = request.query_params.get("q", "")
    if not soql.strip():
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    world = World(request.app.state.estate, request.state.org)
    deploy.prepare(world.org)
    if request.query_params.get("columns", "").lower() == "true":
        return JSONResponse(columns(world, soql))
    return JSONResponse(answer(world, soql, request.state.api_version))


def columns(world: World, soql: str) -> dict[str, Any]:
    """What `columns=true` answers: the Salesforce CLI asks before it shows a table."""
    query = parse_soql(soql)
    definition = tooling_tables.find_object(world.org, query.source.names[0])
    if definition is None:
        return describe_columns(build_plan(world.org, query))
    with scratch(world, definition.name, {}) as org:
        return describe_columns(build_plan(org, query))


def answer(world: World, soql: str, version: str) -> dict[str, Any]:
    """The envelope with every row. Raises ApiError as a query does."""
    name = parse_soql(soql).source.names[0]
    definition = tooling_tables.find_object(world.org, name)
    if definition is not None and float(version) < tooling_tables.SINCE.get(definition.name, 0):
        raise ApiError(400, "INVALID_TYPE", UNKNOWN_TYPE.format(name))
    if definition is None:
        if name.lower() in {one.lower() for one in (*tooling_tables.ON_PRODUCTION, tooling_tracking.NAME)}:
            raise ApiError(400, "INVALID_TYPE", UNKNOWN_TYPE.format(name))
        result = soql_run.run_query(world.org, soql, version=version)
        records = [fix_urls(row) for row in result.rows]
    else:
        labels: dict[str, str] = {}
        with scratch(world, definition.name, labels) as org:
            result = soql_run.run_query(org, soql, version=version)
            records = [fix_urls(row) for row in result.rows]
        if definition.name == "SandboxProcess":
            for record in records:
                if "Status" in record:
                    record["Status"] = labels.get(record["Status"], record["Status"])
    return {
        "size": result.total,
        "totalSize": result.total,
        "done": True,
        "queryLocator": None,
        "entityTypeName": result.object,
        "records": records,
    }


def fix_urls(value: Any) -> Any:
    """The same row with the addresses of the Tooling API."""
    if isinstance(value, dict):
        if isinstance(value.get("url"), str):
            return {**value, "url": value["url"].replace("/sobjects/", "/tooling/sobjects/", 1)}
        return {key: fix_urls(one) for key, one in value.items()}
    if isinstance(value, list):
        return [fix_urls(one) for one in value]
    return value


@contextmanager
def scratch(world: World, name: str, labels: dict[str, str]) -> Iterator[OrgState]:
    """An org in memory with one Tooling object, what it refers to, and the users; fills `labels` code by code."""
    org = OrgState(Path(":memory:"), world.org.clock)
    try:
        with org.transaction():
            for one in sorted(_closure(name)):
                definition = tooling_tables.define(world, tooling_tables.OBJECTS[one])
                org.put_object(definition)
                rows = tooling_tables.load_rows(world, one)
                labels.update({row["Status"]: row["_label"] for row in rows if "_label" in row})
                known = {field.name for field in definition.stored_fields}
                for row in rows:
                    _insert(org, one, {key: value for key, value in row.items() if key in known})
            _copy_users(world.org, org)
        yield org
    finally:
        org.close()


def _closure(name: str) -> set[str]:
    found, todo = {name}, [name]
    while todo:
        for field in tooling_tables.OBJECTS[todo.pop()].fields:
            new = {one for one in field.reference_to if one in tooling_tables.OBJECTS} - found
            found |= new
            todo += new
    return found


def _copy_users(source: OrgState, target: OrgState) -> None:
    target.put_object(source.object("User"))
    columns = ("Id", "Username", "FirstName", "LastName", "Email", "IsActive")
    named = ", ".join(quote(one) for one in columns)
    with source.lock:
        rows = source.db.execute(f'SELECT {named} FROM "User"').fetchall()
    for row in rows:
        _insert(target, "User", dict(zip(columns, row, strict=True)))


def _insert(org: OrgState, table: str, row: dict[str, Any]) -> None:
    columns = ", ".join(quote(one) for one in row)
    marks = ", ".join("?" for _ in row)
    values = [int(value) if isinstance(value, bool) else value for value in row.values()]
    org.db.execute(f"INSERT INTO {quote(table)} ({columns}) VALUES ({marks})", values)


routes = [Route("/services/data/v{version}/tooling/query", endpoint, methods=["GET"])]
