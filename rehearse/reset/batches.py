"""Cutting work into batches, and values into what REST and Bulk take. Pure.

A batch holds one object and one kind of work; rows are sorted by parent so that two batches rarely lock one parent
(facts/data.md 1.9). Numbers go as JSON numbers unless that would lose digits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from rehearse.baseline.canonical import NUMBER_TYPES, canonical_value, value_text
from rehearse.org.model import Value
from rehearse.reset.model import Action

T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")

RETRIED = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})
"""Status codes of one row that a later, smaller batch may cure."""


def in_batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def by_object(actions: Iterable[Action]) -> dict[str, list[Action]]:
    """Actions by object, in the order given."""
    groups: dict[str, list[Action]] = {}
    for action in actions:
        groups.setdefault(action.type, []).append(action)
    return groups


def wire_value(type: str, text: str | None) -> Value:
    """A stored text as the JSON value that a write sends; null stays null."""
    if text is None:
        return None
    if type == "boolean":
        return text == "true"
    if type in NUMBER_TYPES:
        for number in (_whole(text), _real(text)):
            if number is not None and canonical_value(type, value_text(number)) == canonical_value(type, text):
                return number
    return text


def row_mark(values: Mapping[str, str | None], columns: Sequence[str]) -> str:
    """What tells one sent row from another when results come back in any order: a digest of its cells."""
    cells = [_cell(values.get(name)) for name in columns]
    digest = hashlib.sha256()
    for cell in cells:
        encoded = cell.encode()
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()[:32]


def error_code(text: str) -> str:
    """The status code at the head of a bulk error (`CODE:message:fields --`); the message may hold a value."""
    head = text.partition(":")[0].strip()
    return head if head.replace("_", "").isalnum() and head.upper() == head else "UNKNOWN_ERROR"


def told_refusal(text: str) -> str:
    """The status code of a bulk error and the fields that it names, as a refused REST write is told."""
    fields = text.strip().removesuffix("--").rpartition(":")[2].replace(",", " ").split()
    named = fields and text.strip().endswith("--") and all(_NAME.match(one) for one in fields)
    return f"{error_code(text)} ({', '.join(fields)})" if named else error_code(text)


def _cell(value: str | None) -> str:
    """Null and empty are one in a result file; line ends may come back as LF."""
    return "" if value is None or value == "#N/A" else value.replace("\r\n", "\n").replace("\r", "\n")


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _real(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
