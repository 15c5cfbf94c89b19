"""The formula language of Salesforce, as far as the practice org speaks it: text to a small tree.

Names with dots, numbers, text in either quotes, + - * / ^ &, comparisons (= == <> !=), && || !, and function calls in
any case. Refuses everything else with a FormulaError that names the place; it knows no field and no function.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


class FormulaError(ValueError):
    """A formula that cannot be read or that names something that is not there."""


@dataclass(frozen=True)
class Literal:
    value: str | float


@dataclass(frozen=True)
class Name:
    path: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    function: str  # upper case; operators are calls too: "+", "AND", "NEGATE"
    arguments: tuple[Node, ...]


Node = Literal | Name | Call

MOST_CHARACTERS = 3_900  # Salesforce's limit for every formula
DEEPEST = 150  # calls and signs inside each other; what SQLite can still take
TOO_BIG = "Compiled formula is too big to execute"
TOKEN = re.compile(
    r"""\s*(?:(?P<comment>/\*.*?\*/)|(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<name>\$?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    |(?P<sign><>|!=|==|<=|>=|&&|\|\||[-+*/^&=<>!(),]))""",
    re.VERBOSE | re.DOTALL,
)
LEVELS: tuple[dict[str, str], ...] = (
    {"||": "OR"},
    {"&&": "AND"},
    {"=": "=", "==": "=", "<>": "<>", "!=": "<>"},
    {"<": "<", ">": ">", "<=": "<=", ">=": ">="},
    {"+": "+", "-": "-", "&": "&"},
    {"*": "*", "/": "/"},
    {"^": "^"},
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(text.rstrip()):
        found = TOKEN.match(text, place)
        if found is None:
            raise FormulaError(f"Syntax error at character {place + 1}")
        kind = str(found.lastgroup)
        if kind != "comment":
            tokens.append((kind, found[kind]))
        place = found.end()
    return tokens


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.place = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def take(self, sign: str) -> bool:
        if self.peek() == ("sign", sign):
            self.place += 1
            return True
        return False

    def binary(self, level: int) -> Node:
        if level == len(LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek()[0] == "sign" and self.peek()[1] in LEVELS[level]:
            function = LEVELS[level][self.peek()[1]]
            self.place += 1
            right = self.binary(level + 1)
            chained = function == "&" and isinstance(left, Call) and left.function == "&"
            left = Call(function, (*left.arguments, right) if chained and isinstance(left, Call) else (left, right))
        return left

    def unary(self) -> Node:
        if self.take("-"):
            return Call("NEGATE", (self.unary(),))
        if self.take("!"):
            return Call("NOT", (self.unary(),))
        self.take("+")
        return self.atom()

    def atom(self) -> Node:
        kind, text = self.peek()
        self.place += 1
        if kind == "number":
            return Literal(float(text))
        if kind == "text":
            return Literal(re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL))
        if (kind, text) == ("sign", "("):
            inner = self.binary(0)
            self.expect(")")
            return inner
        if kind != "name":
            raise FormulaError(f"Syntax error. Found '{text}'" if text else "Syntax error. The formula ends too early")
        if self.take("("):
            return Call(text.upper(), self.arguments())
        return Name(tuple(text.split(".")))

    def arguments(self) -> tuple[Node, ...]:
        if self.take(")"):
            return ()
        found = [self.binary(0)]
        while self.take(","):
            found.append(self.binary(0))
        self.expect(")")
        return tuple(found)

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise FormulaError(f"Syntax error. Missing '{sign}'")


def parse_formula(text: str) -> Node:
    """The tree of a formula. Raises FormulaError, also for one that is too long or nested too deeply."""
    if len(text) > MOST_CHARACTERS:
        said = f"Maximum length is {MOST_CHARACTERS:,} characters."
        raise FormulaError(f"Formula is too long ({len(text):,} characters). {said}")
    reader = _Reader(text)
    try:
        node = reader.binary(0)
    except RecursionError:
        raise FormulaError(TOO_BIG) from None
    if reader.peek()[0] != "end":
        raise FormulaError(f"Syntax error. Extra '{reader.peek()[1]}'")
    layer: list[Node] = [node]
    for _ in range(DEEPEST):
        layer = [one for call in layer if isinstance(call, Call) for one in call.arguments]
    if layer:
        raise FormulaError(TOO_BIG)
    return node


def names_in(node: Node) -> set[tuple[str, ...]]:
    """Every field path that a formula mentions."""
    if isinstance(node, Name):
        return {node.path}
    if isinstance(node, Call):
        return {path for argument in node.arguments for path in names_in(argument)}
    return set()
