"""What state a row is in, seen from a plan: at its goal, as planned, on the way by our own hand, or somebody's edit.

Pure. Values are canonical texts (the type picks the form), references are mapped back to the Ids of the baseline, so
that a row that points to a re-inserted one compares equal. A write is allowed for nothing but fields whose present
value is known to be the rehearsal's or our own.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from rehearse.baseline.canonical import canonical_value, value_text
from rehearse.baseline.model import Capture, ComparableField
from rehearse.org.model import Value

Values = Mapping[str, str | None]
"""One row: field name -> canonical text, None for null."""
_SHORT = 20
"""Characters of a text that many rows may share (an Id, a picklist value, a date): it is kept once for all of them."""


@dataclass(frozen=True)
class Decision:
    """What to do with a row: `write` names the fields that are not yet at their goal."""

    state: Literal["done", "write", "foreign"]
    fields: tuple[str, ...] = ()


def guard_fields(before: Capture, after: Capture, object: str) -> tuple[ComparableField, ...]:
    """The fields that both captures compare, with one type: those that tell whether somebody edited a row."""
    there = {one for scope in after.scope.objects if scope.name == object for one in scope.fields}
    return tuple(one for scope in before.scope.objects if scope.name == object for one in scope.fields if one in there)


def scope_fields(capture: Capture, object: str) -> tuple[ComparableField, ...]:
    """The comparable fields of an object in a capture; empty when the object is not in its scope."""
    return next((scope.fields for scope in capture.scope.objects if scope.name == object), ())


def canonical_row(
    row: Mapping[str, Value], fields: Collection[ComparableField], back: Mapping[str, str]
) -> dict[str, str | None]:
    """A row as read from the org, canonical, with references mapped back (`back`: new Id -> Id in the baseline)."""
    found: dict[str, str | None] = {}
    for one in fields:
        text = canonical_value(one.type, value_text(row.get(one.name)))
        if text is not None and one.type == "reference":
            text = back.get(text, text)
        found[one.name] = text if text is None or len(text) > _SHORT else sys.intern(text)
    return found


def guard_digest(object: str, values: Values, fields: Collection[ComparableField]) -> str:
    """SHA-256 over the named fields of a row, in name order, length-prefixed, null apart from empty."""
    digest = hashlib.sha256(f"rehearse-guard/1:{object}".encode())
    for name in sorted(one.name for one in fields):
        value = values.get(name)
        text = b"-" if value is None else b"%d:" % len(value.encode()) + value.encode()
        digest.update(b"|%d:%s=" % (len(name), name.encode()) + text)
    return digest.hexdigest()


def decide(live: Values, expects: Values, goal: Values, *, ours: bool = False, theirs: bool = False) -> Decision:
    """Compare a live row with what the plan saw (`expects`) and what it shall become (`goal`).

    A field that holds a third value is somebody's edit, unless the row was last touched by our own user since apply
    began (`ours`): then our own writes or the automation they set off made it. Where somebody else touched it last
    since then (`theirs`), a third value in any field that the plan saw is their edit.
    """
    open_fields = tuple(name for name in goal if live.get(name) != goal[name])
    if not open_fields:
        return Decision("done")
    looked_at = expects if theirs else [name for name in open_fields if name in expects]
    third = tuple(name for name in looked_at if live.get(name) not in (expects[name], goal.get(name, expects[name])))
    if third and not ours:
        return Decision("foreign", third)
    return Decision("write", open_fields)
