"""REST query and queryAll: the first page, the pages behind nextRecordsUrl, and the columns of a query.

`?columns=true` answers what the columns are instead of rows; the Salesforce CLI asks for it and dies without.
"""

from __future__ import annotations

from typing import Any

from rehearse.practice import entity_tables
from rehearse.practice.rest_call import Answer, Call, Entry, make_routes
from rehearse.practice.schema import ObjectDef
from rehearse.practice.soql_pages import Asked, Page, first_page, held_batch, next_page
from rehearse.practice.soql_parse import parse_soql
from rehearse.practice.soql_plan import Child, Output, Plan, build_plan

APEX_TYPES = {
    "id": "Id",
    "reference": "Id",
    "boolean": "Boolean",
    "int": "Integer",
    "long": "Long",
    "double": "Double",
    "currency": "Double",
    "percent": "Double",
    "date": "Date",
    "datetime": "Datetime",
    "address": "Address",
    "location": "Location",
}
LARGEST_ANSWER = 1_000_000
NUMBERS = ("int", "long", "double", "currency", "percent")


def run(call: Call) -> Answer:
    """GET /query?q=…"""
    return _run(call, deleted=False)


def run_all(call: Call) -> Answer:
    """GET /queryAll?q=…: deleted rows too."""
    return _run(call, deleted=True)


def _run(call: Call, *, deleted: bool) -> Answer:
    soql = call.query.get("q", "")
    with entity_tables.opened(call.org, soql) as org:
        if call.query.get("columns", "").lower() == "true":
            return Answer(200, describe_columns(build_plan(org, parse_soql(soql))))
        whole = LARGEST_ANSWER if org is not call.org else None  # rows in memory are not there for a second page
        batch = whole or held_batch(call.headers.get("sforce-query-options"))
        return _page(call, first_page(org, Asked(soql, deleted, batch, call.version)))


def run_next(call: Call) -> Answer:
    """GET /query/LOCATOR; a batch size given now changes the size of this page."""
    header = call.headers.get("sforce-query-options")
    batch = held_batch(header) if header else None
    return _page(call, next_page(call.org, call.path["locator"], call.version, batch))


def _page(call: Call, page: Page) -> Answer:
    body: dict[str, Any] = {"totalSize": page.total, "done": page.locator is None}
    if page.locator is not None:
        body["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{page.locator}"
    body["records"] = page.records
    return Answer(200, body)


def describe_columns(plan: Plan) -> dict[str, Any]:
    """What `columns=true` answers for a query."""
    definition = plan.definition
    columns = [_child_column(one) if isinstance(one, Child) else _column(one, definition) for one in plan.outputs]
    return {
        "columnMetadata": columns,
        "entityName": definition.name,
        "groupBy": bool(plan.query.group),
        "idSelected": any(isinstance(one, Output) and one.name == "Id" for one in plan.outputs),
        "keyPrefix": definition.key_prefix,
    }


def _column(output: Output, definition: ObjectDef) -> dict[str, Any]:
    field = output.field
    last = _column_base(output.path[-1], output, definition)
    last["joinColumns"] = []
    for step in reversed(output.path[:-1]):  # a parent's column hangs below the relationship that leads to it
        last = {**_column_base(step, output, definition), "joinColumns": [last], "apexType": None}
    if field is not None:
        last["displayName"] = last["columnName"]
    return last


def _column_base(name: str, output: Output, definition: ObjectDef) -> dict[str, Any]:
    field = output.field
    own = field is not None and len(output.path) == 1
    return {
        "aggregate": output.function is not None,
        "apexType": APEX_TYPES.get(output.type, "String"),
        "booleanType": output.type == "boolean",
        "columnName": name,
        "custom": bool(field and field.custom),
        "displayName": name,
        "foreignKeyName": field.relationship_name if own and field is not None else None,
        "insertable": bool(own and field is not None and field.writable and field.createable),
        "joinColumns": [],
        "numberType": output.type in NUMBERS,
        "textType": APEX_TYPES.get(output.type, "String") == "String",
        "updatable": bool(own and field is not None and field.writable and field.updateable),
    }


def _child_column(child: Child) -> dict[str, Any]:
    inner = [_column(one, child.plan.definition) for one in child.plan.outputs if isinstance(one, Output)]
    return {
        "aggregate": False,
        "apexType": None,
        "booleanType": False,
        "columnName": child.key,
        "custom": child.key.endswith("__r"),
        "displayName": child.key,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": inner,
        "numberType": False,
        "textType": False,
        "updatable": False,
    }


ENTRIES = [
    Entry("GET", "/query", run),
    Entry("GET", "/queryAll", run_all),
    Entry("GET", "/query/{locator}", run_next),
    Entry("GET", "/queryAll/{locator}", run_next),
]
routes = make_routes(ENTRIES)
