"""SOSL: `FIND {words} IN … FIELDS RETURNING Object(fields WHERE …)`, as the search resources and SOAP ask it.

A word is found as a whole word, `*` and `?` stand for more, quotes hold a phrase; AND, OR, AND NOT and brackets join.
What a RETURNING clause says of an object is run as SOQL over the rows that were found. Refuses a search without braces
or with one letter. Rows are found at once: there is no index that lags behind (assumption).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rehearse.practice.field_security import hidden_fields
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.schema import ObjectDef
from rehearse.practice.soql_run import Row, run_query

MOST_FOUND = 2_000
NO_TERM = "No search term found. The search term must be enclosed in braces."
FIND = re.compile(r"\s*FIND\s*\{((?:\\.|[^}\\])*)\}\s*", re.I | re.S)
SCOPE = re.compile(r"IN\s+(ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS\s*", re.I)
RETURNED = re.compile(r"\s*(\w+)\s*(\()?", re.S)
REST = re.compile(r"\b(WHERE|ORDER\s+BY|LIMIT|OFFSET)\b", re.I)
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[()]|(?:\\.|[^\s()"\\])+', re.S)
KINDS = {
    "ALL": ("string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox"),
    "EMAIL": ("email",),
    "PHONE": ("phone",),
    "SIDEBAR": ("email", "phone"),
    "NAME": (),
}
WORD = re.compile(r"\w+")
Test = Callable[[Sequence[str]], bool]  # of the words of a row, in lower case


@dataclass(frozen=True)
class Wanted:
    """One object of RETURNING: its fields, and the clauses behind them."""

    name: str
    fields: str = "Id"
    where: str = ""
    rest: str = ""


@dataclass(frozen=True)
class Search:
    """A parsed search; an empty `wanted` means every searchable object."""

    words: str
    scope: str
    wanted: tuple[Wanted, ...]
    limit: int


def search(org: OrgState, text: str, version: str) -> list[Row]:
    """The records that a search finds, object by object, nested as REST has them.

    Raises ApiError MALFORMED_SEARCH, INVALID_TYPE for an unknown object, and what its SOQL raises.
    """
    asked = parse_search(text)
    test = _parse_words(asked.words)
    wanted = asked.wanted or tuple(Wanted(one.name) for one in org.objects().values() if one.searchable)
    found: list[Row] = []
    for one in wanted:
        definition = org.object(one.name)
        if not definition.searchable:
            raise ApiError(400, "INVALID_TYPE", f"entity type {definition.name} does not support search")
        found += _read(org, definition, one, test, asked, version)
        if len(found) >= asked.limit:
            break
    return found[: asked.limit]


def _read(org: OrgState, definition: ObjectDef, one: Wanted, test: Test, asked: Search, version: str) -> list[Row]:
    ids = list(_matching(org, definition, test, asked.scope))
    if not ids:
        return []
    named = ", ".join(f"'{row_id}'" for row_id in ids)
    where = f" AND ({one.where})" if one.where else ""
    return list(run_query(org, f"SELECT {one.fields} FROM {definition.name} WHERE Id IN ({named}){where} {one.rest}",
                          version=version).rows)  # fmt: skip


def _matching(org: OrgState, definition: ObjectDef, test: Test, scope: str) -> Iterator[str]:
    """The ids of live rows whose searched fields hold the words, up to 2,000."""
    hidden, kinds = hidden_fields(org, definition), KINDS[scope]
    columns = [
        quote(field.name)
        for field in definition.fields
        if field.stored
        and field.name not in hidden
        and (field.type in kinds or _is_name(field.name, definition, scope))
    ]
    if not columns:
        return
    alive = ' WHERE "IsDeleted" = 0' if definition.find("IsDeleted") is not None else ""
    joined = " || char(10) || ".join(f"coalesce({one}, '')" for one in columns)
    with org.lock:
        count = 0
        for row_id, words in org.db.execute(
            f'SELECT "Id", {joined} FROM {quote(definition.name)}{alive} ORDER BY "Id"'
        ):
            if test(WORD.findall(str(words).lower())):
                yield str(row_id)
                count += 1
                if count == MOST_FOUND:
                    return


def _is_name(field: str, definition: ObjectDef, scope: str) -> bool:
    own = definition.name_field
    return scope in ("ALL", "NAME", "SIDEBAR") and (
        field in ("FirstName", "LastName", "Name", "Subject") or field == own
    )


# ---- the text of a search


def parse_search(text: str) -> Search:
    """A SOSL text as its parts. Raises ApiError MALFORMED_SEARCH."""
    found = FIND.match(text)
    if found is None or not found[1].strip():
        raise ApiError(400, "MALFORMED_SEARCH", NO_TERM)
    rest, scope = text[found.end() :], "ALL"
    if (said := SCOPE.match(rest)) is not None:
        rest, scope = rest[said.end() :], said[1].upper()
    wanted: list[Wanted] = []
    if (said := re.match(r"RETURNING\b", rest, re.I)) is not None:
        rest = _parse_returning(rest[said.end() :], wanted)
    tail = re.fullmatch(r"\s*(?:WITH\s.*?)?\s*(?:LIMIT\s+([0-9]{1,18}))?\s*(?:UPDATE\s.*)?", rest, re.I | re.S)
    if tail is None:
        raise ApiError(400, "MALFORMED_SEARCH", f"unexpected token: {rest.split()[0]}")
    return Search(found[1], scope, tuple(wanted), min(int(tail[1] or MOST_FOUND), MOST_FOUND))


def _parse_returning(rest: str, wanted: list[Wanted]) -> str:
    while True:
        head = RETURNED.match(rest)
        if head is None:
            raise ApiError(400, "MALFORMED_SEARCH", "RETURNING names no object")
        rest = rest[head.end() :]
        inner = ""
        if head[2]:
            inner, rest = _until_bracket(rest)
        wanted.append(_wanted(head[1], inner))
        following = re.match(r"\s*,", rest)
        if following is None:
            return rest
        rest = rest[following.end() :]


def _until_bracket(text: str) -> tuple[str, str]:
    """What stands before the bracket that closes, and what behind it; brackets in quotes do not count."""
    depth, quoted, place = 1, False, 0
    while place < len(text):
        letter = text[place]
        if quoted and letter == "\\":
            place += 1
        elif letter == "'":
            quoted = not quoted
        elif not quoted and letter in "()":
            depth += 1 if letter == "(" else -1
            if not depth:
                return text[:place], text[place + 1 :]
        place += 1
    raise ApiError(400, "MALFORMED_SEARCH", "expecting a right parentheses, found '<EOF>'")


def _wanted(name: str, inner: str) -> Wanted:
    first = REST.search(inner)
    fields = (inner[: first.start()] if first else inner).strip() or "Id"
    if first is None:
        return Wanted(name, fields)
    clauses = inner[first.start() :]
    if first[1].upper() != "WHERE":
        return Wanted(name, fields, "", clauses)
    clauses = clauses[5:]
    quoted = re.sub(r"'(?:\\.|[^'\\])*'", lambda part: "x" * len(part[0]), clauses)
    behind = REST.search(quoted)
    cut = behind.start() if behind else len(clauses)
    return Wanted(name, fields, clauses[:cut].strip(), clauses[cut:])


# ---- the words of a search


def _parse_words(words: str) -> Test:
    tokens = TOKEN.findall(words)
    test, rest = _any_of(tokens)
    if rest:
        raise ApiError(400, "MALFORMED_SEARCH", f"unexpected token: {rest[0]}")
    return test


def _any_of(tokens: list[str]) -> tuple[Test, list[str]]:
    test, tokens = _all_of(tokens)
    while tokens and tokens[0].upper() == "OR":
        other, tokens = _all_of(tokens[1:])
        test = _either(test, other)
    return test, tokens


def _all_of(tokens: list[str]) -> tuple[Test, list[str]]:
    test, tokens = _one(tokens)
    while tokens and tokens[0] != ")" and tokens[0].upper() != "OR":
        said_and = tokens[0].upper() == "AND"
        tokens = tokens[1:] if said_and else tokens
        negated = bool(tokens) and tokens[0].upper() == "NOT"
        other, tokens = _one(tokens[1:] if negated else tokens)
        test = _both(test, other, negated)
    return test, tokens


def _one(tokens: list[str]) -> tuple[Test, list[str]]:
    if not tokens:
        raise ApiError(400, "MALFORMED_SEARCH", "unexpected end of the search term")
    if tokens[0] == "(":
        test, rest = _any_of(tokens[1:])
        if rest[:1] != [")"]:
            raise ApiError(400, "MALFORMED_SEARCH", "expecting a right parentheses, found '<EOF>'")
        return test, rest[1:]
    return _word(tokens[0]), tokens[1:]


def _either(one: Test, other: Test) -> Test:
    return lambda words: one(words) or other(words)


def _both(one: Test, other: Test, negated: bool) -> Test:
    return lambda words: one(words) and other(words) is not negated


def _word(token: str) -> Test:
    """Whether a row has the word, or the words of a phrase one after the other; linear, whatever stars there are."""
    plain = token[1:-1] if token.startswith('"') else token
    parts = re.findall(r"\\.|.", plain.lower(), re.S)
    if len([one for one in parts if one not in "*?"]) < 2:
        raise ApiError(400, "MALFORMED_SEARCH", f"search term must be longer than one character: {plain}")
    globs = re.findall(
        r"[\w*?]+", "".join(one if len(one) == 1 else one[-1] if one[-1] not in "*?" else " " for one in parts)
    )
    size = len(globs)

    def test(words: Sequence[str]) -> bool:
        return any(all(map(_fits, globs, words[start : start + size])) for start in range(len(words) - size + 1))

    return test


def _fits(glob: str, word: str) -> bool:
    """Whether a word is what a pattern with `*` and `?` means: from left to right, going back to the last star only."""
    place = star = mark = 0
    at, starred = 0, False
    while at < len(word):
        if place < len(glob) and glob[place] == "*":
            starred, star, mark, place = True, place, at, place + 1
        elif place < len(glob) and glob[place] in ("?", word[at]):
            place, at = place + 1, at + 1
        elif starred:
            mark += 1
            place, at = star + 1, mark
        else:
            return False
    return not glob[place:].strip("*")
