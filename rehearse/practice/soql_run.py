"""Queries that answer: run a plan on an org and give rows as REST nests them.

`run_query` reads everything at once under the org's lock; what may be large goes through soql_pages.py (REST) or the
Bulk jobs. Refuses whatever soql_plan refuses, before the first row is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rehearse.practice.org_state import OrgState
from rehearse.practice.recycle_bin import expire
from rehearse.practice.schema import FieldDef
from rehearse.practice.soql_filters import require_filter
from rehearse.practice.soql_parse import parse_soql
from rehearse.practice.soql_plan import Child, Output, Plan, build_plan

Row = dict[str, Any]
Raw = Sequence[Any]
NEWEST = "67.0"


@dataclass
class QueryResult:
    """The answer to a query: `columns` are the selected fields and functions in the order of the query (child queries
    are only in `rows`); `total` counts all rows (for SELECT COUNT() it is the answer, and there are no rows)."""

    object: str
    plan: Plan
    columns: tuple[Output, ...]
    total: int
    version: str
    found: Sequence[Raw]
    org: OrgState

    @property
    def rows(self) -> Iterator[Row]:
        """Rows as REST answers them: nested, each with `attributes`, datetimes with +0000."""
        shape = Shape(self.plan, self.org, self.version)
        return (shape.row(raw) for raw in self.found)


def _rest_instant(value: Any) -> str:
    return str(value).replace("Z", "+0000")


_REST: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "datetime": _rest_instant,
    **dict.fromkeys(("double", "currency", "percent"), float),
    **dict.fromkeys(("int", "long"), int),
}
"""What REST makes of a stored value, by the kind of its field; of other kinds nothing."""


def rest_value(kind: str, value: Any) -> Any:
    """A stored value as REST writes it."""
    write = _REST.get(kind)
    return value if write is None or value is None else write(value)


def _step(output: Output | Child) -> Output | Child | tuple[str, int, Callable[[Any], Any] | None]:
    """Name, place and writer of a plain field of the object itself; anything else as it is."""
    if isinstance(output, Child) or output.parts or len(output.path) > 1 or output.type in ("base64", "label"):
        return output
    return output.path[0], output.index, _REST.get(output.type)


class Shape:
    """Builds nested rows, as REST answers them, out of result tuples."""

    def __init__(self, plan: Plan, org: OrgState, version: str) -> None:
        self.plan = plan
        self.org = org
        self.base = f"/services/data/v{version}/sobjects"
        self.version = version
        self.is_aggregate = plan.query.is_aggregate
        self.name, self.id_place = plan.definition.name, plan.ids.get((), 0)  # aggregates have none
        self.steps = [_step(one) for one in plan.outputs]

    def row(self, raw: Raw) -> Row:
        if self.is_aggregate:
            row: Row = {"attributes": {"type": "AggregateResult"}}
            for output in self.plan.outputs:
                if isinstance(output, Output):
                    row[output.path[0]] = rest_value(output.type, raw[output.index])
            return row
        row_id = str(raw[self.id_place])
        row = {"attributes": self.attributes(self.name, row_id)}
        for step in self.steps:
            if isinstance(step, tuple):
                name, place, write = step
                value = raw[place]
                row[name] = value if write is None or value is None else write(value)
            elif isinstance(step, Child):
                row[step.key] = self.children(step.plan, row_id)
            else:
                self.put(row, step, raw)
        return row

    def attributes(self, name: str, row_id: str) -> Row:
        return {"type": name, "url": f"{self.base}/{name}/{row_id}"}

    def put(self, row: Row, output: Output, raw: Raw) -> None:
        """Set one value, making the parents on its path; a parent that is not there is null as a whole."""
        here = row
        for depth, step in enumerate(output.path[:-1], start=1):
            steps = output.path[:depth]
            parent_id = raw[self.plan.ids[steps]] if steps in self.plan.ids else None
            if parent_id is None:
                here[step] = None
                return
            if here.get(step) is None:
                here[step] = {"attributes": self.parent_attributes(steps, str(parent_id))}
            here = here[step]
        here[output.path[-1]] = self.value(output, raw)

    def parent_attributes(self, steps: tuple[str, ...], parent_id: str) -> Row:
        tables = self.plan.scope.place(steps).tables
        real = next((t.definition for t in tables if t.definition.key_prefix == parent_id[:3]), tables[0].definition)
        shown = self.attributes(real.name, parent_id)
        return {**shown, "type": "Name"} if len(tables) > 1 else shown

    def value(self, output: Output, raw: Raw) -> Any:
        if output.parts:
            found = {key: raw[output.index + place] for place, key in enumerate(output.parts)}
            return found if any(value is not None for value in found.values()) else None
        if output.type == "base64" and raw[output.index] is not None:  # the body has an address of its own
            row_id, name = raw[self.plan.ids[()]], self.plan.definition.name
            return f"{self.base}/{name}/{row_id}/{output.path[-1]}"
        if output.type == "label":
            return label_of(output.field, raw[output.index])
        return rest_value(output.type, raw[output.index])

    def children(self, plan: Plan, parent_id: str) -> Row | None:
        with self.org.lock:
            found = self.org.db.execute(plan.sql(), [parent_id, *plan.params]).fetchall()
        if not found:
            return None
        shape = Shape(plan, self.org, self.version)
        return {"totalSize": len(found), "done": True, "records": [shape.row(raw) for raw in found]}


def label_of(field: FieldDef | None, value: Any) -> Any:
    """The label of a picklist value, or the value itself."""
    return next((one.label for one in field.values if one.name == value), value) if field is not None else value


def run_query(org: OrgState, soql: str, *, deleted: bool = False, version: str = NEWEST) -> QueryResult:
    """Run a query; `deleted` reads what queryAll reads. Raises ApiError in Salesforce's words."""
    query = require_filter(parse_soql(soql))
    if deleted:
        expire(org)
    with org.lock:
        plan = build_plan(org, query, deleted=deleted)
        columns = tuple(output for output in plan.outputs if isinstance(output, Output))
        if query.is_count:
            return QueryResult(plan.definition.name, plan, (), count_rows(org, plan), version, (), org)
        found = org.db.execute(plan.sql(), plan.params).fetchall()
    return QueryResult(plan.definition.name, plan, columns, len(found), version, found, org)


def count_rows(org: OrgState, plan: Plan) -> int:
    """How many rows a plan answers, LIMIT and OFFSET counted in."""
    with org.lock:
        inner = plan.sql("1", tail=bool(plan.query.limit is not None or plan.query.offset))
        row = org.db.execute(f"SELECT count(*) FROM ({inner})", plan.params).fetchone()
    return int(row[0])
