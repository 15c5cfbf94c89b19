"""Many names in a sentence: the first of them, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str], most: int, between: str = ", ") -> str:
    """`a, b and 1,200 more`; what is told in sentences stands apart: `a; b; and 1,200 more`."""
    more = len(names) - most
    joint = " and" if between == ", " else f"{between}and"
    return between.join(names[:most]) + (f"{joint} {more:,} more" if more > 0 else "")
