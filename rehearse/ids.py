"""Identifiers: content ids, ULIDs, look-up by prefix, Salesforce's 15 and 18 characters, and names of sandboxes."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from rehearse.errors import AmbiguousId, NotFound, UsageError

T = TypeVar("T")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SALESFORCE_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?\Z")


def build_ulid(at: datetime) -> str:
    """A new ULID: 26 characters, sortable by the instant `at` (milliseconds), 80 random bits."""
    value = (int(at.timestamp() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -5, -5))


def build_content_id(value: object) -> str:
    """SHA-256, in hex, over the canonical JSON of a value made of dicts, lists, text, numbers."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


_SEEN = {
    "baseline": "See `rehearse baseline list`.",
    "booking": "See `rehearse book list`.",
    "lock": "See `rehearse reset locks`.",
    "reset plan": "A plan lies in the folder `plans` of the storage, on the machine that made it; "
    "`rehearse reset plan SANDBOX` makes one.",
}
"""Where the ids of a thing are seen."""


def find_by_prefix(prefix: str, known: Iterable[str], what: str) -> str:
    """The one known id that starts with `prefix` (an exact match wins).

    Raises NotFound for none and AmbiguousId for several.
    """
    ids = sorted(set(known))
    if prefix in ids:
        return prefix
    found = [one for one in ids if prefix and one.lower().startswith(prefix.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(
            f"There is no {what} {prefix!r}.", _SEEN.get(what, f"List what exists and copy the id of the {what}.")
        )
    raise AmbiguousId(
        f"{prefix!r} fits {len(found)} ids of a {what}: {', '.join(one[:40] for one in found[:4])}.",
        "Type more characters of the id.",
    )


def to_18(salesforce_id: str) -> str:
    """The 18-character form of a 15- or 18-character Salesforce id.

    The three last characters encode which of the first fifteen are upper case (5 bits each), so that two
    ids that differ in case only stay apart in systems that ignore case. Raises UsageError for anything else.
    """
    if not _SALESFORCE_ID.match(salesforce_id):
        raise UsageError(f"{salesforce_id!r} is not a Salesforce id.", "An id has 15 or 18 letters and digits.")
    head = salesforce_id[:15]
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, char in enumerate(head[start : start + 5]) if "A" <= char <= "Z")
        suffix += _SUFFIX[bits]
    return head + suffix


def looks_like_id(value: str) -> bool:
    """Whether a text has the shape of a Salesforce id; an 18-character one must carry its right suffix."""
    return bool(_SALESFORCE_ID.match(value)) and (len(value) == 15 or to_18(value) == value)


class ByName(Mapping[str, T]):
    """Things by sandbox name: kept as first spelled, found in any letter case, as Salesforce treats sandbox names."""

    def __init__(self, pairs: Iterable[tuple[str, T]] = ()) -> None:
        self._pairs: dict[str, tuple[str, T]] = {}
        for name, value in pairs:
            key = name.casefold()
            self._pairs[key] = (self._pairs[key][0] if key in self._pairs else name, value)

    def __getitem__(self, name: str) -> T:
        return self._pairs[name.casefold()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs.values())

    def __len__(self) -> int:
        return len(self._pairs)


def is_same_name(one: str, other: str) -> bool:
    """Whether two sandbox names mean the same sandbox: their letter case does not count."""
    return one.casefold() == other.casefold()


def spell(name: str, names: Iterable[str]) -> str:
    """A sandbox name as `names` spell it; as it is where none of them means the same sandbox."""
    return next((one for one in names if is_same_name(one, name)), name)
