"""Conditions of a query as SQL, with SOQL's own logic: two-valued, null equals null, text without regard to case.

Literals are bound, never pasted. Ids compare in 15 or 18 characters; date literals become half-open spans. Refuses
filters that Salesforce refuses: a wrong kind of literal, long text, an id that is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.soql_dates import as_instant, day_start, find_span
from rehearse.practice.soql_parse import AllOf, AnyOf, Comparison, Condition, Function, Literal, Negation, Path, Query
from rehearse.practice.soql_parse import malformed as pointing
from rehearse.practice.soql_scope import Column, Scope

Param = str | int | float | None
SPELLED = {"text": "string", "number": "double", "boolean": "boolean", "date": "date", "datetime": "dateTime"}
FITS = {
    "text": {"string"},
    "id": {"string"},
    "number": {"number"},
    "boolean": {"boolean"},
    "date": {"date", "word"},
    "datetime": {"datetime", "word"},
}
Subselect = Callable[[Query, Scope], tuple[str, list[Param]]]


@dataclass
class Where:
    """Turns conditions into SQL for one scope; `params` grows in the order in which the SQL asks for them."""

    scope: Scope
    subselect: Subselect
    expression: Callable[[Function], Column]
    params: list[Param]

    def sql(self, condition: Condition) -> str:
        """The SQL of a condition: always 0 or 1, never NULL."""
        if isinstance(condition, AllOf):
            return "(" + " AND ".join(self.sql(part) for part in condition.parts) + ")"
        if isinstance(condition, AnyOf):
            return "(" + " OR ".join(self.sql(part) for part in condition.parts) + ")"
        if isinstance(condition, Negation):
            return f"(NOT coalesce({self.sql(condition.part)}, 0))"
        return self.comparison(condition)

    def comparison(self, one: Comparison) -> str:
        column = self.expression(one.left) if isinstance(one.left, Function) else self.scope.column(one.left)
        self.check_filterable(column, one.left)
        if isinstance(one.right, Query):
            return self.within_query(column, one.operator, one.right)
        if one.operator in ("in", "not_in"):
            return self.within(column, one.operator, one.right if isinstance(one.right, tuple) else (one.right,))
        if one.operator in ("includes", "excludes"):
            return self.includes(column, one.operator, one.right if isinstance(one.right, tuple) else (one.right,))
        if isinstance(one.right, tuple):
            raise pointing(self.scope.text, one.right[0].place, "unexpected token: ','")
        if one.operator == "like":
            return self.like(column, one.right)
        return self.compared(column, one.operator, one.right)

    def check_filterable(self, column: Column, left: Path | Function) -> None:
        field = column.field
        long_text = field is not None and field.type == "textarea" and field.length > 255
        if long_text or column.type in ("address", "location", "base64", "encryptedstring"):
            name = field.name if field else str(left)
            raise pointing(
                self.scope.text, left.place, f"field '{name}' can not be filtered in a query call", "INVALID_FIELD"
            )

    def value(self, column: Column, literal: Literal) -> Param:
        """What to compare a column with. Raises ApiError where the kind of literal does not fit the field."""
        if literal.kind == "null":
            return None
        kind = column.kind
        if literal.kind not in FITS[kind]:
            raise self.misfit(column, literal)
        if kind == "id":
            return self.id_value(literal)
        if kind == "datetime":
            try:
                return as_instant(str(literal.value))
            except ValueError:
                raise self.misfit(column, literal) from None
        if kind == "boolean":
            return int(literal.value)
        if kind == "text":
            return str(literal.value) or None
        value: Param = literal.value
        return value

    def misfit(self, column: Column, literal: Literal) -> ApiError:
        name = column.path[-1]
        kind = "string" if column.kind == "id" else SPELLED[column.kind]
        how = "should be enclosed in quotes" if kind == "string" else "should not be enclosed in quotes"
        message = f"value of filter criterion for field '{name}' must be of type {kind} and {how}"
        return pointing(self.scope.text, literal.place, message, "INVALID_FIELD")

    def id_value(self, literal: Literal) -> Param:
        text = str(literal.value)
        if not text:
            return None
        if not is_id(text):
            raise pointing(self.scope.text, literal.place, f"invalid ID field: {text}", "INVALID_QUERY_FILTER_OPERATOR")
        return restore_case(text)

    def bind(self, value: Param) -> str:
        self.params.append(value)
        return "?"

    def compared(self, column: Column, operator: str, literal: Literal) -> str:
        if literal.kind == "word":
            return self.spanned(column, operator, literal)
        value = self.value(column, literal)
        collate = (
            " COLLATE NOCASE" if column.kind == "text" and not (column.field and column.field.case_sensitive) else ""
        )
        if operator in ("=", "!="):
            return f"({column.sql} {'IS' if operator == '=' else 'IS NOT'} {self.bind(value)}{collate})"
        if column.kind == "boolean" or value is None:
            message = f"invalid operator on {'boolean' if column.kind == 'boolean' else column.type} field"
            raise pointing(self.scope.text, literal.place, message, "INVALID_QUERY_FILTER_OPERATOR")
        return f"({column.sql} {operator} {self.bind(value)}{collate})"

    def spanned(self, column: Column, operator: str, literal: Literal) -> str:
        word, number = literal.value
        span = find_span(word, number, self.scope.org.now().date())
        if span is None:
            raise pointing(self.scope.text, literal.place, f"unexpected token: '{literal.raw}'")
        if column.kind not in ("date", "datetime"):
            raise self.misfit(column, literal)
        first, after = (day_start(day, column.kind) for day in span)
        if operator in ("=", "!="):
            inside = f"({column.sql} >= {self.bind(first)} AND {column.sql} < {self.bind(after)})"
            return inside if operator == "=" else f"(NOT coalesce({inside}, 0))"
        sign, edge = {"<": ("<", first), ">=": (">=", first), ">": (">=", after), "<=": ("<", after)}[operator]
        return f"({column.sql} {sign} {self.bind(edge)})"

    def like(self, column: Column, literal: Literal) -> str:
        if column.kind != "text":
            raise pointing(
                self.scope.text,
                literal.place,
                f"invalid operator on {column.type} field",
                "INVALID_QUERY_FILTER_OPERATOR",
            )
        value = self.value(column, literal)
        if value is None:
            return f"({column.sql} IS NULL)"
        return f"({column.sql} LIKE {self.bind(value)} ESCAPE '\\')"

    def within(self, column: Column, operator: str, literals: tuple[Literal, ...]) -> str:
        values = [self.value(column, literal) for literal in literals]
        marks = ", ".join(self.bind(value) for value in values if value is not None)
        collate = " COLLATE NOCASE" if column.kind == "text" else ""
        inside = f"{column.sql}{collate} IN ({marks})"
        if None in values:
            inside = f"({column.sql} IS NULL OR {inside})"
        return f"({inside})" if operator == "in" else f"(NOT coalesce({inside}, 0))"

    def within_query(self, column: Column, operator: str, query: Query) -> str:
        sql, params = self.subselect(query, self.scope)
        self.params.extend(params)
        inside = f"{column.sql} IN ({sql})"
        return f"({inside})" if operator == "in" else f"(NOT coalesce({inside}, 0))"

    def includes(self, column: Column, operator: str, literals: tuple[Literal, ...]) -> str:
        if column.type != "multipicklist":
            raise pointing(
                self.scope.text, literals[0].place, "invalid operator on field", "INVALID_QUERY_FILTER_OPERATOR"
            )
        groups = []
        for literal in literals:
            wanted = [name.strip() for name in str(literal.value).split(";")]
            tests = [f"instr(';' || {column.sql} || ';', {self.bind(f';{name};')}) > 0" for name in wanted]
            groups.append("(" + " AND ".join(tests) + ")")
        inside = "coalesce(" + " OR ".join(groups) + ", 0)"
        return f"({inside})" if operator == "includes" else f"(NOT {inside})"
