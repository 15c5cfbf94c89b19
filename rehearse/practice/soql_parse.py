"""SOQL text to a small tree, with Salesforce's words for what cannot be read.

Knows the grammar of soql.lark and nothing of objects or rows. Every name and literal keeps its place in the text, so
that errors found later can point at it as Salesforce does. Refuses with ApiError MALFORMED_QUERY.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from rehearse.practice.http_errors import ApiError

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Path:
    """A dotted name; `place` is where it starts in the text."""

    names: tuple[str, ...]
    place: int = 0

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True)
class Function:
    """COUNT(Id), SUM(Amount) …, FIELDS(ALL); `argument` is None for COUNT()."""

    name: str
    argument: Path | None
    alias: str | None = None
    place: int = 0


@dataclass(frozen=True)
class Literal:
    """kind: string number date datetime boolean null word (a date literal such as TODAY or LAST_N_DAYS)."""

    kind: str
    value: Any
    place: int = 0
    raw: str = ""


@dataclass(frozen=True)
class Comparison:
    """operator: = != < <= > >= like in not_in includes excludes; `right` is a literal, literals or a query."""

    left: Path | Function
    operator: str
    right: Literal | tuple[Literal, ...] | Query


@dataclass(frozen=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negation:
    part: Condition


Condition = Comparison | AllOf | AnyOf | Negation


@dataclass(frozen=True)
class Order:
    by: Path | Function
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True)
class Item:
    """A selected field path, with the alias that grouped queries may give it."""

    path: Path
    alias: str | None = None


@dataclass(frozen=True)
class Query:
    """One SELECT; `items` are fields, functions and child queries in the order of the text."""

    items: tuple[Item | Function | Query, ...]
    source: Path
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Path | Function, ...] = ()
    having: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    using: str = ""  # the scope, in lower case
    text: str = ""

    @property
    def is_count(self) -> bool:
        """Whether this is SELECT COUNT() FROM …, which answers a number and no rows."""
        first = self.items[0]
        return isinstance(first, Function) and first.name == "COUNT" and first.argument is None and first.alias is None

    @property
    def is_aggregate(self) -> bool:
        functions = [item for item in self.items if isinstance(item, Function) and item.name in AGGREGATES]
        return bool(self.group or functions) and not self.is_count


AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "MIN", "MAX", "AVG"})


def malformed(text: str, place: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
    """The error that points at a place of a query, as Salesforce words it."""
    before = text[:place]
    row = before.count("\n") + 1
    start = before.rfind("\n") + 1
    line = text[start:].split("\n", 1)[0]
    column = place - start
    pointer = " " * column + "^"
    return ApiError(400, code, f"\n{line}\n{pointer}\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def unescape(text: str) -> str:
    """The value of a quoted SOQL string; an escaped percent sign or underscore keeps its backslash for LIKE."""

    def one(found: re.Match[str]) -> str:
        char = found[1]
        return found[0] if char in "%_" else ESCAPES.get(char, char)

    return re.sub(r"\\(.)", one, text[1:-1], flags=re.DOTALL)


class _Clause(tuple[str, Any]):
    """A finished clause on its way into a Query: (name, value)."""

    def __new__(cls, name: str, value: Any) -> _Clause:
        return super().__new__(cls, (name, value))


@v_args(inline=True)
class _Build(Transformer[Token, Query]):
    def path(self, *names: Token) -> Path:
        return Path(tuple(str(name) for name in names), names[0].start_pos or 0)

    def field_item(self, path: Path, alias: Token | None = None) -> Item:
        return Item(path, str(alias) if alias else None)

    def call_item(self, name: Token, *rest: Any) -> Function:
        argument = rest[0] if rest and isinstance(rest[0], Path) else None
        alias = rest[-1] if rest and isinstance(rest[-1], Token) else None
        return Function(name.upper(), argument, str(alias) if alias else None, name.start_pos or 0)

    def call(self, name: Token, argument: Path | None = None) -> Function:
        return Function(name.upper(), argument, None, name.start_pos or 0)

    def child_query(self, query: Query) -> Query:
        return query

    subquery = start = child_query

    def select_list(self, *items: Any) -> _Clause:
        return _Clause("items", items)

    def source(self, path: Path, alias: Token | None = None) -> _Clause:
        return _Clause("source", (path, str(alias) if alias else None))

    def where(self, _word: Token, condition: Condition) -> _Clause:
        return _Clause("where", condition)

    def having(self, _word: Token, condition: Condition) -> _Clause:
        return _Clause("having", condition)

    def group(self, _group: Token, _by: Token, *paths: Path | Function) -> _Clause:
        return _Clause("group", paths)

    def order(self, _order: Token, _by: Token, *orders: Order) -> _Clause:
        return _Clause("order", orders)

    def order_item(self, by: Path | Function, *words: Token) -> Order:
        said = {word.type for word in words}
        return Order(by, "DESC" in said, "LAST" in said)

    def limit(self, _word: Token, number: Token) -> _Clause:
        return _Clause("limit", int(number[:18]))  # more digits than any org has rows

    def offset(self, _word: Token, number: Token) -> _Clause:
        return _Clause("offset", int(number[:18]))

    def using(self, _using: Token, _scope: Token, name: Token) -> _Clause:
        return _Clause("using", name.lower())

    def ending(self, *_words: Token) -> _Clause:
        return _Clause("ending", None)

    def all_of(self, *parts: Any) -> AllOf:
        return AllOf(tuple(part for part in parts if not isinstance(part, Token)))

    def any_of(self, *parts: Any) -> AnyOf:
        return AnyOf(tuple(part for part in parts if not isinstance(part, Token)))

    def negation(self, _word: Token, part: Condition) -> Negation:
        return Negation(part)

    def compared(self, left: Path | Function, operator: Token, right: Literal) -> Comparison:
        return Comparison(left, "!=" if operator == "<>" else str(operator), right)

    def like(self, left: Path | Function, _word: Token, right: Literal) -> Comparison:
        return Comparison(left, "like", right)

    def within(self, left: Path | Function, _word: Token, right: Any) -> Comparison:
        return Comparison(left, "in", right)

    def not_within(self, left: Path | Function, _not: Token, _in: Token, right: Any) -> Comparison:
        return Comparison(left, "not_in", right)

    def includes(self, left: Path | Function, _word: Token, right: Any) -> Comparison:
        return Comparison(left, "includes", right)

    def excludes(self, left: Path | Function, _word: Token, right: Any) -> Comparison:
        return Comparison(left, "excludes", right)

    def list(self, values: Any) -> Any:
        return values

    def values(self, *values: Literal) -> tuple[Literal, ...]:
        return values

    def string(self, token: Token) -> Literal:
        return Literal("string", unescape(str(token)), token.start_pos or 0, str(token))

    def number(self, token: Token) -> Literal:
        value = int(token) if token.type == "INTEGER" and len(token) < 20 else float(token)
        return Literal("number", value, token.start_pos or 0, str(token))

    def dated(self, token: Token) -> Literal:
        return Literal(token.type.lower(), str(token), token.start_pos or 0, str(token))

    def word(self, token: Token) -> Literal:
        lower = token.lower()
        place = token.start_pos or 0
        if lower in ("true", "false"):
            return Literal("boolean", lower == "true", place, str(token))
        if lower == "null":
            return Literal("null", None, place, str(token))
        return Literal("word", (token.upper(), 0), place, str(token))

    def counted_word(self, token: Token, number: Token) -> Literal:
        return Literal("word", (token.upper(), int(number[:12])), token.start_pos or 0, f"{token}:{number}")

    def query(self, _select: Token, *parts: Any) -> Query:
        known: dict[str, Any] = {}
        for part in parts:
            if isinstance(part, _Clause) and part[0] != "ending":
                known[part[0]] = part[1]
        source, alias = known.pop("source")
        return Query(source=source, alias=alias, **known)


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = resources.files("rehearse.practice").joinpath("soql.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="contextual", transformer=None, propagate_positions=False)


@lru_cache(maxsize=64)  # several rules read what is asked, and the next page asks again; a tree never changes
def parse_soql(text: str) -> Query:
    """The tree of a query. Raises ApiError MALFORMED_QUERY with the place of the first thing that does not fit."""
    if not text.strip():
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    try:
        tree = _grammar().parse(text)
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise malformed(text, len(text.rstrip()), "unexpected token: '<EOF>'") from None
        raise malformed(text, error.token.start_pos or 0, f"unexpected token: '{error.token}'") from None
    except UnexpectedInput as error:
        place = error.pos_in_stream or 0
        raise malformed(text, place, f"unexpected token: '{text[place : place + 1]}'") from None
    query = _Build().transform(tree)
    return _with_text(query, text)


def _with_text(query: Query, text: str) -> Query:
    """The query and its child queries, each knowing the whole text that places count in."""
    items = tuple(_with_text(item, text) if isinstance(item, Query) else item for item in query.items)
    return replace(query, items=items, text=text)
