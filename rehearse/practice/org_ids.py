"""Salesforce ids: 15 characters that count case, 18 that say it again in a suffix, and how new ones are made.

Pure functions. Promise: `restore_case(x) == restore_case(x[:15])` for every right 18-character id, and two orgs never
make the same id, because three characters of each come from the org's own id.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def to_18(id15: str) -> str:
    """The 18-character form of an id of 15 or 18 characters: three letters that hold the case of each five."""
    head = id15[:15]
    return head + _suffix(head[:5]) + _suffix(head[5:10]) + _suffix(head[10:])


@lru_cache(maxsize=100_000)
def _suffix(five: str) -> str:
    bits = sum(1 << place for place, char in enumerate(five) if "A" <= char <= "Z")
    return SUFFIX[bits]


def is_id(text: str) -> bool:
    """Whether a text has the form of an id: 15 letters and digits, or 18 whose suffix may be right in any case."""
    return len(text) in (15, 18) and text.isascii() and text.isalnum()


def restore_case(text: str) -> str:
    """The one right spelling of an id: 15 characters get their suffix; 18 get their case back from the suffix."""
    if len(text) == 15:
        return to_18(text)
    chars = []
    for place, char in enumerate(text[:15]):
        index = SUFFIX.find(text[15 + place // 5].upper())
        chars.append(char.upper() if index >= 0 and index >> (place % 5) & 1 else char.lower())
    return to_18("".join(chars))


def pod_of(org_id: str) -> str:
    """The three characters that every id made by this org has behind its key prefix."""
    digest = hashlib.sha256(org_id.encode()).digest()
    return base62(int.from_bytes(digest[:4], "big") % 62**3, 3)


def base62(number: int, width: int) -> str:
    """A number in 62 digits, left-filled with zeros."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return digits.rjust(width, "0")
