"""Formulas as SQL: one meaning for formula fields, validation rules and automation.

A formula tree becomes an SQL expression over the row's table; whoever compiles gives a `resolve` that knows fields and
joins. So a formula field can be selected, filtered and sorted like a column, and a rule is asked of the row that was
just written. Blank text is NULL, as in the tables; numbers count as zero when blank where the field says so.
Refuses, with a FormulaError, functions and names that are not there.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rehearse.practice.formula_parse import TOO_BIG, Call, FormulaError, Literal, Name, Node, parse_formula


@dataclass(frozen=True)
class Sql:
    """An SQL expression and what it yields: text, number, boolean, date, datetime or id."""

    text: str
    kind: str


@dataclass(frozen=True)
class Context:
    """What a formula may ask beyond fields: the moment, and for rules what the row was before."""

    now: datetime
    user_id: str = ""
    is_new: bool = False
    prior: Mapping[str, str | int | float | None] = field(
        default_factory=dict
    )  # column -> value before; {} = no change
    special: Mapping[str, str] = field(default_factory=dict)  # $Permission.X, $Setup.Y.Z -> SQL


LONGEST = 100_000  # characters of SQL
MOST_PARTS = 1_000
Resolve = Callable[[tuple[str, ...]], Sql]
Compile = Callable[[Node], Sql]


def sql_literal(value: str | int | float | None) -> str:
    """A value as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("\0", "") + "'"
    return repr(value)


def as_text(value: Sql) -> str:
    """An expression as text; whole numbers lose their `.0`."""
    if value.kind == "number":
        whole = f"CAST(CAST({value.text} AS INTEGER) AS TEXT)"
        return (
            f"CASE WHEN {value.text} = CAST({value.text} AS INTEGER) THEN {whole} ELSE CAST({value.text} AS TEXT) END"
        )
    return value.text


def _join_text(parts: Sequence[Sql]) -> Sql:
    pieces = " || ".join(f"coalesce({as_text(part)}, '')" for part in parts)
    return Sql(f"nullif({pieces}, '')", "text")


def _add(sign: str, left: Sql, right: Sql) -> Sql:
    if left.kind == "text" or right.kind == "text":
        if sign == "-":
            raise FormulaError("Incorrect parameter type for operator '-'")
        return _join_text((left, right))
    for first, second in ((left, right), (right, left)):
        if first.kind == "date" and second.kind == "number" and (sign == "+" or first is left):
            return Sql(f"date({first.text}, '{sign}' || CAST({second.text} AS INTEGER) || ' days')", "date")
        if first.kind == "datetime" and second.kind == "number" and (sign == "+" or first is left):
            moved = f"strftime('%Y-%m-%dT%H:%M:%fZ', {first.text}, '{sign}' || ({second.text}) || ' days')"
            return Sql(moved, "datetime")
    if left.kind in ("date", "datetime") and sign == "-":
        return Sql(f"(julianday({left.text}) - julianday({right.text}))", "number")
    return Sql(f"({left.text} {sign} {right.text})", "number")


def _compare(sign: str, left: Sql, right: Sql) -> Sql:
    collate = " COLLATE BINARY" if "text" in (left.kind, right.kind) else ""  # formulas compare text exactly
    if sign in ("=", "<>"):
        return Sql(f"({left.text} {'IS' if sign == '=' else 'IS NOT'} {right.text}{collate})", "boolean")
    return Sql(f"coalesce({left.text} {sign} {right.text}{collate}, 0)", "boolean")


def _truth(value: Sql) -> str:
    return f"coalesce({value.text}, 0)"


def _choose(pairs: Sequence[tuple[str, Sql]], otherwise: Sql) -> Sql:
    kind = next((value.kind for _, value in pairs if value.text != "NULL"), otherwise.kind)
    cases = " ".join(f"WHEN {test} THEN {value.text}" for test, value in pairs)
    if otherwise.text.startswith(
        "(CASE WHEN "
    ):  # a choice inside an `otherwise` goes on in the same one: SQLite nests few
        return Sql(f"(CASE {cases} {otherwise.text.removeprefix('(CASE ')}", kind)
    return Sql(f"(CASE {cases} ELSE {otherwise.text} END)", kind)


def _case(arguments: Sequence[Sql]) -> Sql:
    subject, *rest, otherwise = arguments
    pairs = [(f"{subject.text} IS {rest[place].text}", rest[place + 1]) for place in range(0, len(rest) - 1, 2)]
    return _choose(pairs, otherwise)


def _ceiling(value: str) -> str:
    return f"(CAST({value} AS INTEGER) + ({value} > CAST({value} AS INTEGER)))"


def _floor(value: str) -> str:
    return f"(CAST({value} AS INTEGER) - ({value} < CAST({value} AS INTEGER)))"


def _part(pattern: str, value: str) -> Sql:
    return Sql(f"CAST(strftime('{pattern}', {value}) AS INTEGER)", "number")


def _number(text: str) -> Sql:
    return Sql(text, "number")


def _text(text: str) -> Sql:
    return Sql(text, "text")


def _boolean(text: str) -> Sql:
    return Sql(text, "boolean")


Plain = Callable[[Sequence[Sql]], Sql]

FUNCTIONS: dict[str, tuple[int, int, Plain]] = {  # name: fewest arguments, most, SQL
    "+": (2, 2, lambda a: _add("+", a[0], a[1])),
    "-": (2, 2, lambda a: _add("-", a[0], a[1])),
    "*": (2, 2, lambda a: _number(f"({a[0].text} * {a[1].text})")),
    "/": (2, 2, lambda a: _number(f"(CAST({a[0].text} AS REAL) / nullif({a[1].text}, 0))")),
    "^": (2, 2, lambda a: _number(f"power({a[0].text}, {a[1].text})")),
    "&": (2, MOST_PARTS, _join_text),
    "=": (2, 2, lambda a: _compare("=", a[0], a[1])),
    "<>": (2, 2, lambda a: _compare("<>", a[0], a[1])),
    "<": (2, 2, lambda a: _compare("<", a[0], a[1])),
    ">": (2, 2, lambda a: _compare(">", a[0], a[1])),
    "<=": (2, 2, lambda a: _compare("<=", a[0], a[1])),
    ">=": (2, 2, lambda a: _compare(">=", a[0], a[1])),
    "NEGATE": (1, 1, lambda a: _number(f"(-{a[0].text})")),
    "AND": (1, 99, lambda a: _boolean("(" + " AND ".join(map(_truth, a)) + ")")),
    "OR": (1, 99, lambda a: _boolean("(" + " OR ".join(map(_truth, a)) + ")")),
    "NOT": (1, 1, lambda a: _boolean(f"(NOT {_truth(a[0])})")),
    "IF": (3, 3, lambda a: _choose([(_truth(a[0]), a[1])], a[2])),
    "CASE": (4, 99, _case),
    "ISBLANK": (1, 1, lambda a: _boolean(f"({a[0].text} IS NULL)")),
    "ISNULL": (1, 1, lambda a: _boolean(f"({a[0].text} IS NULL)")),
    "BLANKVALUE": (2, 2, lambda a: Sql(f"coalesce({a[0].text}, {a[1].text})", a[0].kind)),
    "NULLVALUE": (2, 2, lambda a: Sql(f"coalesce({a[0].text}, {a[1].text})", a[0].kind)),
    "TEXT": (1, 1, lambda a: _text(as_text(a[0]))),
    "VALUE": (1, 1, lambda a: _number(f"CAST({a[0].text} AS REAL)")),
    "ISPICKVAL": (2, 2, lambda a: _boolean(f"({a[0].text} IS {a[1].text})")),
    "INCLUDES": (
        2,
        2,
        lambda a: _boolean(f"(coalesce(instr(';' || {a[0].text} || ';', ';' || {a[1].text} || ';'), 0) > 0)"),
    ),
    "LEN": (1, 1, lambda a: _number(f"coalesce(length({as_text(a[0])}), 0)")),
    "LEFT": (2, 2, lambda a: _text(f"substr({as_text(a[0])}, 1, {a[1].text})")),
    "RIGHT": (2, 2, lambda a: _text(f"substr({as_text(a[0])}, -({a[1].text}))")),
    "MID": (3, 3, lambda a: _text(f"substr({as_text(a[0])}, {a[1].text}, {a[2].text})")),
    "UPPER": (1, 1, lambda a: _text(f"upper({as_text(a[0])})")),
    "LOWER": (1, 1, lambda a: _text(f"lower({as_text(a[0])})")),
    "TRIM": (1, 1, lambda a: _text(f"trim({as_text(a[0])})")),
    "SUBSTITUTE": (3, 3, lambda a: _text(f"replace({as_text(a[0])}, {a[1].text}, {a[2].text})")),
    "CONTAINS": (2, 2, lambda a: _boolean(f"(coalesce(instr({as_text(a[0])}, {a[1].text}), 0) > 0)")),
    "BEGINS": (2, 2, lambda a: _boolean(f"(coalesce(instr({as_text(a[0])}, {a[1].text}), 0) = 1)")),
    "BR": (0, 0, lambda a: _text("char(10)")),
    "ABS": (1, 1, lambda a: _number(f"abs({a[0].text})")),
    "ROUND": (2, 2, lambda a: _number(f"round({a[0].text}, {a[1].text})")),
    "CEILING": (1, 1, lambda a: _number(_ceiling(a[0].text))),
    "FLOOR": (1, 1, lambda a: _number(_floor(a[0].text))),
    "MAX": (1, 99, lambda a: Sql(f"max({', '.join(one.text for one in a)})", a[0].kind)),
    "MIN": (1, 99, lambda a: Sql(f"min({', '.join(one.text for one in a)})", a[0].kind)),
    "MOD": (2, 2, lambda a: _number(f"({a[0].text} % {a[1].text})")),
    "YEAR": (1, 1, lambda a: _part("%Y", a[0].text)),
    "MONTH": (1, 1, lambda a: _part("%m", a[0].text)),
    "DAY": (1, 1, lambda a: _part("%d", a[0].text)),
    "DATEVALUE": (1, 1, lambda a: Sql(f"date({a[0].text})", "date")),
    "DATE": (3, 3, lambda a: Sql(f"printf('%04d-%02d-%02d', {a[0].text}, {a[1].text}, {a[2].text})", "date")),
    "CASESAFEID": (1, 1, lambda a: Sql(a[0].text, "text")),
}


def _changed(node: Node, compiled: Sql, context: Context) -> Sql:
    if not isinstance(node, Name) or len(node.path) != 1:
        raise FormulaError("ISCHANGED and PRIORVALUE need a field of the record")
    prior = {key.lower(): value for key, value in context.prior.items()}
    key = node.path[0].lower()
    return Sql(sql_literal(prior[key]) if key in prior else compiled.text, compiled.kind)


def _context_call(node: Call, context: Context, compiler: Compile) -> Sql | None:
    """The functions that ask for the moment, or for the row as it was; None for all others."""
    if node.function == "TODAY":
        return Sql(sql_literal(context.now.strftime("%Y-%m-%d")), "date")
    if node.function == "NOW":
        return Sql(sql_literal(context.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")), "datetime")
    if node.function == "ISNEW":
        return _boolean(str(int(context.is_new)))
    if node.function in ("PRIORVALUE", "ISCHANGED"):
        current = compiler(node.arguments[0])
        before = _changed(node.arguments[0], current, context)
        if node.function == "PRIORVALUE":
            return before
        return _boolean("0" if context.is_new else f"({current.text} IS NOT {before.text} COLLATE BINARY)")
    return None


def compile_node(node: Node, resolve: Resolve, context: Context) -> Sql:
    """SQL for a formula tree. Raises FormulaError for an unknown function or a wrong number of arguments."""

    def compiler(one: Node) -> Sql:
        return compile_node(one, resolve, context)

    if isinstance(node, Literal):
        if isinstance(node.value, str):
            return _text(sql_literal(node.value) if node.value else "NULL")
        return _number(repr(int(node.value)) if node.value.is_integer() else repr(node.value))
    if isinstance(node, Name):
        return _name(node, resolve, context)
    found = _context_call(node, context, compiler)
    if found is not None:
        return found
    known = FUNCTIONS.get(node.function)
    if known is None:
        raise FormulaError(f"Unknown function {node.function}. Check spelling.")
    fewest, most, build = known
    if not fewest <= len(node.arguments) <= most:
        wanted = f"Expected {fewest}, received {len(node.arguments)}"
        raise FormulaError(f"Incorrect number of parameters for function '{node.function}()'. {wanted}")
    built = build([compiler(argument) for argument in node.arguments])
    if len(built.text) > LONGEST:  # some functions say their argument twice
        raise FormulaError(TOO_BIG)
    return built


def _name(node: Name, resolve: Resolve, context: Context) -> Sql:
    first = node.path[0].upper()
    if len(node.path) == 1 and first in ("TRUE", "FALSE"):
        return _boolean(str(int(first == "TRUE")))
    if len(node.path) == 1 and first == "NULL":
        return _text("NULL")
    if first == "$USER" and node.path[1:] == ("Id",):
        return Sql(sql_literal(context.user_id), "id")
    if first.startswith("$"):
        path = ".".join(node.path)
        if path not in context.special:
            return _boolean("0")  # a permission that nobody was given, a setting that has no row
        return Sql(context.special[path], "boolean")
    return resolve(node.path)


def compile_formula(text: str, resolve: Resolve, context: Context) -> Sql:
    """SQL for a formula. Raises FormulaError."""
    return compile_node(parse_formula(text), resolve, context)


def check_size(text: str) -> None:
    """Raise FormulaError for a formula that can be read and is too big to be reckoned; what it names may be missing."""
    try:
        tried = compile_formula(text, lambda _path: Sql("1", "number"), Context(datetime.now(UTC)))
    except FormulaError as error:
        if str(error) == TOO_BIG:
            raise
        return
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(f"EXPLAIN SELECT {tried.text}")
        except sqlite3.OperationalError as error:
            if re.search("overflow|too large", str(error)):
                raise FormulaError(TOO_BIG) from None
