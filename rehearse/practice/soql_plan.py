"""From a parsed query to one SQL statement and the shape of its rows.

A Plan holds the SQL, its parameters, and where in a result tuple each selected value stands. It reads no row. Refuses
what Salesforce refuses: unknown objects (INVALID_TYPE) and fields, ungrouped fields, sorting by long text, a too deep
offset.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from rehearse.practice.field_security import find_readable, may, owner_in_scope
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import MAYBE_CUSTOM, OrgState
from rehearse.practice.schema import COMPOUND_TYPES, FieldDef, ObjectDef
from rehearse.practice.soql_dates import DATE_FUNCTIONS
from rehearse.practice.soql_parse import AGGREGATES, Function, Item, Order, Path, Query, malformed
from rehearse.practice.soql_scope import Column, Scope, shown_sql
from rehearse.practice.soql_where import Param, Where

LARGEST_OFFSET = 2000


@dataclass(frozen=True)
class Output:
    """One selected thing: its canonical path, its type, the field if it is one, and its place in the result tuple."""

    path: tuple[str, ...]
    type: str
    field: FieldDef | None
    index: int
    parts: tuple[str, ...] = ()  # of a compound: the keys of its object, from index on
    function: str | None = None

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class Child:
    """A child query: its key in the row and how to ask for the children of one parent."""

    key: str
    plan: Plan


@dataclass
class Plan:
    """A query ready to run. The id of each place on a path (the root is the empty path) stands at `ids`."""

    query: Query
    definition: ObjectDef
    scope: Scope
    columns: list[str] = field(default_factory=list)
    outputs: list[Output | Child] = field(default_factory=list)
    ids: dict[tuple[str, ...], int] = field(default_factory=dict)
    params: list[Param] = field(default_factory=list)
    where: str = ""
    tail: str = ""

    def sql(self, columns: str | None = None, tail: bool = True) -> str:
        """The statement; `columns` in place of the selected ones, for counting and for collecting row numbers."""
        chosen = columns if columns is not None else ", ".join(self.columns)
        return f"SELECT {chosen} {self.scope.from_sql()}{self.where}{self.tail if tail else ''}"

    def add(self, sql: str) -> int:
        self.columns.append(sql)
        return len(self.columns) - 1


def build_plan(org: OrgState, query: Query, *, deleted: bool = False) -> Plan:
    """The plan of a query. Raises ApiError INVALID_TYPE, INVALID_FIELD or MALFORMED_QUERY."""
    definition = find_readable(org, query.source.names[0])
    if definition is None or not definition.queryable or len(query.source.names) > 1:
        message = f"sObject type '{query.source}' is not supported. {MAYBE_CUSTOM}"
        raise malformed(query.text, query.source.place, message, "INVALID_TYPE")
    return _Planner(org, deleted).plan(query, definition, count())


class _Planner:
    def __init__(self, org: OrgState, deleted: bool) -> None:
        self.org = org
        self.deleted = deleted

    def plan(self, query: Query, definition: ObjectDef, numbers: count[int], link: FieldDef | None = None) -> Plan:
        scope = Scope(self.org, definition, query.text, numbers)
        scope.alias = query.alias
        plan = Plan(query, definition, scope)
        if query.is_aggregate:
            self.select_groups(plan)
        elif not query.is_count:
            self.select(plan)
        self.filter(plan, link)
        plan.tail = self.tail(plan)
        return plan

    # ---- SELECT

    def select(self, plan: Plan) -> None:
        plan.ids[()] = plan.add(f'{plan.scope.root.alias}."Id"')
        for item in plan.query.items:
            if isinstance(item, Query):
                plan.outputs.append(self.child(plan, item))
            elif isinstance(item, Item):
                self.select_field(plan, plan.scope.column(item.path), item.path)
            else:
                self.select_function(plan, item)

    def select_function(self, plan: Plan, item: Function) -> None:
        if item.name == "FIELDS" and item.argument is not None:
            self.select_all(plan, item.argument)
        elif item.name == "TOLABEL" and item.argument is not None:
            column = plan.scope.column(item.argument)
            plan.outputs.append(Output(_named(item, column), "label", column.field, plan.add(column.sql)))
        elif item.name in ("FORMAT", "CONVERTCURRENCY") and item.argument is not None:
            column = plan.scope.column(item.argument)
            plan.outputs.append(Output(_named(item, column), column.type, column.field, plan.add(column.sql)))
        else:
            raise malformed(plan.query.text, item.place, f"unexpected token: '{item.name}'")

    def select_all(self, plan: Plan, which: Path) -> None:
        if plan.query.limit is None or plan.query.limit > 200:
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise ApiError(400, "MALFORMED_QUERY", message)
        wanted = str(which).upper()
        for one in plan.scope.shown_fields():
            if wanted == "ALL" or (wanted == "CUSTOM") == one.custom:
                path = Path((one.name,), which.place)
                self.select_field(plan, plan.scope.column(path), path)

    def select_field(self, plan: Plan, column: Column, path: Path) -> None:
        if any(isinstance(one, Output) and one.path == column.path for one in plan.outputs):
            raise malformed(plan.query.text, path.place, f"duplicate field selected: {column.path[-1]}")
        for depth in range(1, len(column.path)):
            self.add_parent_id(plan, column.path[:depth])
        if column.type in COMPOUND_TYPES and column.field is not None:
            self.select_compound(plan, column, column.field)
            return
        plan.outputs.append(Output(column.path, column.type, column.field, plan.add(shown_sql(self.org, column))))

    def add_parent_id(self, plan: Plan, steps: tuple[str, ...]) -> None:
        if steps in plan.ids:
            return
        tables = plan.scope.place(steps).tables
        ids = [f'{table.alias}."Id"' for table in tables]
        plan.ids[steps] = plan.add(f"coalesce({', '.join(ids)})" if len(ids) > 1 else ids[0])

    def select_compound(self, plan: Plan, column: Column, compound: FieldDef) -> None:
        table = plan.scope.place(column.path[:-1]).tables[0]
        prefix = compound.name[: -len("Address")] if compound.type == "address" else ""
        parts = [table.definition.find(part) for part in compound.parts]
        known = [part for part in parts if part is not None]
        places = [plan.add(plan.scope.sql_of(table, part)) for part in known]
        keys = tuple(_part_key(part.name, prefix, compound.type) for part in known)
        plan.outputs.append(Output(column.path, compound.type, compound, places[0], keys))

    def child(self, plan: Plan, query: Query) -> Child:
        wanted = query.source.names[-1].lower()
        for definition in (one for one in self.org.objects().values() if may(self.org, "read", one)):
            for one in definition.fields:
                if (one.child_relationship or "").lower() == wanted and plan.definition.name in one.reference_to:
                    return Child(one.child_relationship or "", self.plan(query, definition, count(), one))
        custom = "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom "
        message = (
            f"Didn't understand relationship '{query.source}' in FROM part of query call. {custom}relationship name."
        )
        raise malformed(query.text, query.source.place, message, "INVALID_TYPE")

    # ---- GROUP BY

    def select_groups(self, plan: Plan) -> None:
        grouped = {self.by(plan, one).sql for one in plan.query.group}
        number = 0
        for item in plan.query.items:
            if isinstance(item, Function):
                column = self.function(plan, item)
                name = item.alias or (f"expr{number}" if item.name in AGGREGATES else column.path[-1])
                number += item.alias is None
                plan.outputs.append(
                    Output((name,), column.type, column.field, plan.add(column.sql), function=item.name)
                )
                continue
            if isinstance(item, Query):
                raise malformed(plan.query.text, item.source.place, "unexpected token: 'SELECT'")
            column = plan.scope.column(item.path)
            if column.sql not in grouped:
                message = f"Field must be grouped or aggregated: {item.path}"
                raise malformed(plan.query.text, item.path.place, message)
            name = item.alias or column.path[-1]
            plan.outputs.append(Output((name,), column.type, column.field, plan.add(column.sql)))

    def by(self, plan: Plan, one: Path | Function) -> Column:
        return self.function(plan, one) if isinstance(one, Function) else plan.scope.column(one)

    def function(self, plan: Plan, one: Function) -> Column:
        """An aggregate or a date function as a column."""
        if one.argument is None:
            return Column("count(*)", "int", None, ("COUNT",))
        column = plan.scope.column(one.argument)
        if one.name in AGGREGATES:
            function = {"COUNT_DISTINCT": "count(DISTINCT "}.get(one.name, f"{one.name.lower()}(")
            kept = one.name in ("SUM", "MIN", "MAX")
            kind = column.type if kept else ("double" if one.name == "AVG" else "int")
            return Column(f"{function}{column.sql})", kind, column.field if kept else None, (one.name,))
        if one.name in DATE_FUNCTIONS:
            sql = DATE_FUNCTIONS[one.name].replace("#", column.sql)
            return Column(sql, "date" if one.name == "DAY_ONLY" else "int", None, (one.name,))
        raise malformed(plan.query.text, one.place, f"unexpected token: '{one.name}'")

    # ---- WHERE and what follows

    def filter(self, plan: Plan, link: FieldDef | None) -> None:
        tests: list[str] = []
        if link is not None:
            tests.append(f'{plan.scope.root.alias}."{link.name}" = ?')  # bound first, by whoever runs the child query
        if not self.deleted:
            tests.append(f'{plan.scope.root.alias}."IsDeleted" = 0')
        if owner := owner_in_scope(plan.definition, plan.query.using):
            tests.append(f"{plan.scope.root.alias}.\"OwnerId\" = '{owner}'")
        where = Where(plan.scope, self.subselect, lambda one: self.plain_function(plan, one), plan.params)
        if plan.query.where is not None:
            tests.append(where.sql(plan.query.where))
        if tests:
            plan.where = " WHERE " + " AND ".join(tests)
        if plan.query.group:
            plan.where += " GROUP BY " + ", ".join(self.by(plan, one).sql for one in plan.query.group)
        if plan.query.having is not None:
            where.expression = lambda one: self.function(plan, one)
            plan.where += " HAVING " + where.sql(plan.query.having)

    def plain_function(self, plan: Plan, one: Function) -> Column:
        """A function that looks at one row: no aggregate."""
        if one.name in AGGREGATES:
            raise malformed(plan.query.text, one.place, f"unexpected token: '{one.name}'")
        return self.function(plan, one)

    def subselect(self, query: Query, outer: Scope) -> tuple[str, list[Param]]:
        definition = find_readable(self.org, query.source.names[0])
        if definition is None:
            message = f"sObject type '{query.source}' is not supported. {MAYBE_CUSTOM}"
            raise malformed(outer.text, query.source.place, message, "INVALID_TYPE")
        scope = Scope(self.org, definition, outer.text, outer.numbers)
        scope.alias = query.alias
        inner = Plan(query, definition, scope)
        first = query.items[0]
        if len(query.items) != 1 or not isinstance(first, Item):
            raise malformed(outer.text, query.source.place, "a semi join sub-select must have exactly one field")
        column = scope.column(first.path)
        self.filter(inner, None)
        limit = f" LIMIT {query.limit}" if query.limit is not None else ""
        found = f"SELECT x FROM ({inner.sql(f'{column.sql} AS x', tail=False)}{limit}) WHERE x IS NOT NULL"
        return found, inner.params

    def tail(self, plan: Plan) -> str:
        query = plan.query
        if query.offset > LARGEST_OFFSET:
            message = f"Maximum SOQL offset allowed is {LARGEST_OFFSET}"
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
        tail = ""
        if query.order:
            tail = " ORDER BY " + ", ".join(self.sorted_by(plan, one) for one in query.order)
        if query.limit is not None or query.offset:
            tail += f" LIMIT {-1 if query.limit is None else query.limit}"
        if query.offset:
            tail += f" OFFSET {query.offset}"
        return tail

    def sorted_by(self, plan: Plan, one: Order) -> str:
        if isinstance(one.by, Function) and not plan.query.is_aggregate:
            raise malformed(plan.query.text, one.by.place, f"unexpected token: '{one.by.name}'")
        column = self.by(plan, one.by)
        long_text = column.field is not None and column.field.type == "textarea" and column.field.length > 255
        if long_text or column.type in ("address", "location", "multipicklist", "base64"):
            message = f"field '{column.path[-1]}' can not be sorted in a query call"
            raise malformed(plan.query.text, one.by.place, message, "INVALID_FIELD")
        collate = " COLLATE NOCASE" if column.kind == "text" else ""
        nulls = "LAST" if one.nulls_last else "FIRST"  # nulls come first in both directions unless the query says LAST
        return f"{column.sql}{collate} {'DESC' if one.descending else 'ASC'} NULLS {nulls}"


def _named(item: Function, column: Column) -> tuple[str, ...]:
    return (item.alias,) if item.alias else column.path


def _part_key(name: str, prefix: str, kind: str) -> str:
    """The key of a part in a compound's object: BillingPostalCode -> postalCode, Place__Latitude__s -> latitude."""
    if kind == "location":
        return "latitude" if "latitude" in name.lower() else "longitude"
    bare = name[len(prefix) :]
    return bare[0].lower() + bare[1:]
