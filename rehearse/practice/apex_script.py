"""Anonymous Apex as far as scripts of administrators need it: text in, statements out. Runs nothing, knows no org.

Understood are calls with literal or named arguments, declarations with a value, DML on a query in brackets, try with
catches, `for (X one : [query])`, `throw new X('…')`, and blocks. Anything else is a Refused that says where and what:
the practice org has no Apex compiler and does not pretend to be one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(
    r"(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<text>'(?:\\.|[^'\\\n])*')|(?P<query>\[[^\]]*\])"
    r"|(?P<number>\d+(?:\.\d+)?L?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[(){}<>;,.=:+!&|?@*/%-])",
    re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
CONSTANTS = {"true": True, "false": False, "null": None}
DML = ("insert", "update", "upsert", "delete", "undelete")


class Refused(Exception):
    """A text that is not understood: line and column, counted from 1, and what is wrong there."""

    def __init__(self, line: int, column: int, problem: str) -> None:
        super().__init__(problem)
        self.line, self.column, self.problem = line, column, problem


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Expression:
    """A literal (`kind` literal), a dotted name (name), a call (call), `new X(…)` (new), or a query in brackets."""

    kind: str
    value: Any = None
    name: str = ""
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Statement:
    """One statement by its kind: call, declare, dml, throw, block, try, for. `line` is where it begins."""

    kind: str
    line: int
    expression: Expression | None = None
    name: str = ""
    body: tuple[Statement, ...] = ()
    catches: tuple[tuple[str, str, tuple[Statement, ...]], ...] = ()  # exception, variable, body
    last: tuple[Statement, ...] = ()


def split_tokens(text: str) -> list[Token]:
    """The tokens of a script. Raises Refused."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        if match is None:
            raise Refused(line, column, f"Unrecognized symbol '{text[at]}'")
        if match.lastgroup != "skip":
            found.append(Token(match.lastgroup or "", match[0], line, column))
        at = match.end()
    return found


def parse_script(text: str) -> tuple[Statement, ...]:
    """The statements of a script. Raises Refused."""
    reader = _Reader(split_tokens(text))
    found = []
    while not reader.at_end:
        found.append(reader.statement())
    return tuple(found)


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def _peek(self, ahead: int = 0) -> Token:
        place = self._at + ahead
        if place < len(self._tokens):
            return self._tokens[place]
        last = self._tokens[-1] if self._tokens else Token("end", "", 1, 1)
        return Token("end", "<EOF>", last.line, last.column)

    def _is(self, text: str, ahead: int = 0) -> bool:
        return self._peek(ahead).text.lower() == text

    def _take(self, text: str = "", kind: str = "") -> Token:
        token = self._peek()
        if (text and token.text.lower() != text) or (kind and token.kind != kind) or token.kind == "end":
            raise Refused(token.line, token.column, f"Unexpected token '{token.text}'.")
        self._at += 1
        return token

    # ---- statements

    def statement(self) -> Statement:
        token = self._peek()
        if token.text == "{":
            return Statement("block", token.line, body=self._block())
        word = token.text.lower()
        if word == "try":
            return self._try()
        if word == "for":
            return self._for()
        if word in (*DML, "throw"):
            self._at += 1
            found = Statement("throw" if word == "throw" else "dml", token.line, self._expression(), word)
        elif self._is_declaration():
            found = self._declaration()
        else:
            found = Statement("call", token.line, self._expression())
        self._take(";")
        return found

    def _block(self) -> tuple[Statement, ...]:
        self._take("{")
        body = []
        while not self._is("}"):
            body.append(self.statement())
        self._take("}")
        return tuple(body)

    def _try(self) -> Statement:
        start, catches = self._take(), []
        body = self._block()
        last: tuple[Statement, ...] = ()
        while self._is("catch"):
            self._at += 1
            self._take("(")
            kind = self._dotted()
            name = self._take(kind="name").text
            self._take(")")
            catches.append((kind, name, self._block()))
        if self._is("finally"):
            self._at += 1
            last = self._block()
        return Statement("try", start.line, body=body, catches=tuple(catches), last=last)

    def _for(self) -> Statement:
        start = self._take()
        self._take("(")
        self._dotted()
        name = self._take(kind="name").text
        self._take(":")
        source = self._expression()
        self._take(")")
        body = self._block() if self._is("{") else (self.statement(),)
        return Statement("for", start.line, source, name, body)

    def _is_declaration(self) -> bool:
        """`Type name =` and `List<Type> name =`, with dots in the type."""
        at, depth = self._at, 0
        while self._peek(at - self._at).text in ("<", ">", ".", ",") or self._peek(at - self._at).kind == "name":
            here, following = self._peek(at - self._at), self._peek(at - self._at + 1)
            depth += {"<": 1, ">": -1}.get(here.text, 0)
            ends = here.kind == "name" or here.text == ">"
            if depth == 0 and ends and following.kind == "name" and self._is("=", at - self._at + 2):
                return True
            at += 1
        return False

    def _declaration(self) -> Statement:
        start = self._peek()
        while not self._is("=", 1):
            self._at += 1
        name = self._take(kind="name").text
        self._take("=")
        return Statement("declare", start.line, self._expression(), name)

    # ---- expressions

    def _dotted(self) -> str:
        parts = [self._take(kind="name").text]
        while self._is(".") and self._peek(1).kind == "name":
            self._at += 1
            parts.append(self._take().text)
        return ".".join(parts)

    def _expression(self) -> Expression:
        first = self._operand()
        parts = [first]
        while self._is("+"):
            self._at += 1
            parts.append(self._operand())
        return Expression("join", arguments=tuple(parts)) if len(parts) > 1 else first

    def _operand(self) -> Expression:
        token = self._peek()
        if token.kind == "text":
            self._at += 1
            return Expression("literal", _unquoted(token.text))
        if token.kind == "number":
            self._at += 1
            number = token.text.rstrip("L")
            return Expression("literal", float(number) if "." in number or len(number) > 18 else int(number))
        if token.kind == "query":
            self._at += 1
            return Expression("query", token.text[1:-1].strip())
        if token.text.lower() in CONSTANTS:
            self._at += 1
            return Expression("literal", CONSTANTS[token.text.lower()])
        if token.text.lower() == "new":
            self._at += 1
            return Expression("new", name=self._dotted(), arguments=self._arguments())
        name = self._dotted()
        if self._is("("):
            return Expression("call", name=name, arguments=self._arguments())
        return Expression("name", name=name)

    def _arguments(self) -> tuple[Expression, ...]:
        self._take("(")
        found: list[Expression] = []
        while not self._is(")"):
            found.append(self._expression())
            if not self._is(")"):
                self._take(",")
        self._take(")")
        return tuple(found)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1])
