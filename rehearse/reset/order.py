"""In which order rows can be written: levels of a graph of references between rows. Pure.

The graph is made of rows, not of objects, so that a hierarchy within one object needs no special case. A level holds
rows that depend only on earlier levels. A cycle is broken at a reference that may be null for a while; that reference
is *deferred* and written once both rows exist. A cycle of references that may never be null is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Link:
    """Row `of` refers to row `to` by `field`; `loose` when the field may be null for a while."""

    of: str
    field: str
    to: str
    loose: bool


@dataclass(frozen=True)
class Ordered:
    """Levels of keys (each sorted), the deferred references by row, and rows that no order can place."""

    levels: tuple[tuple[str, ...], ...]
    deferred: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stuck: tuple[str, ...] = ()


def order_rows(keys: Collection[str], links: Iterable[Link]) -> Ordered:
    """Put rows into levels so that a row comes after every row that it refers to.

    Links to rows outside `keys` do not matter. A loose link of a row to itself is deferred.
    """
    inside = set(keys)
    waits: dict[str, set[Link]] = {key: set() for key in inside}
    for link in links:
        if link.of in inside and link.to in inside:
            waits[link.of].add(link)
    levels: list[tuple[str, ...]] = []
    deferred: dict[str, set[str]] = {}
    left = set(inside)
    while left:
        ready = sorted(key for key in left if not any(link.to in left for link in waits[key]))
        if not ready:
            broken = _breakable(left, waits)
            if broken is None:
                break
            for link in broken:
                waits[link.of].discard(link)
                deferred.setdefault(link.of, set()).add(link.field)
            continue
        levels.append(tuple(ready))
        left.difference_update(ready)
    ordered = {key: tuple(sorted(fields)) for key, fields in sorted(deferred.items())}
    return Ordered(tuple(levels), ordered, tuple(sorted(left)))


def _breakable(left: set[str], waits: Mapping[str, set[Link]]) -> tuple[Link, ...] | None:
    """The loose links of the one row that frees itself at the least cost, among rows that lie on a cycle."""
    best: tuple[int, str] | None = None
    for key in left:
        open_links = [link for link in waits[key] if link.to in left]
        if open_links and all(link.loose for link in open_links) and _on_cycle(key, left, waits):
            best = min(best, (len(open_links), key)) if best else (len(open_links), key)
    if best is None:
        return _any_loose(left, waits)
    return tuple(link for link in waits[best[1]] if link.to in left)


def _any_loose(left: set[str], waits: Mapping[str, set[Link]]) -> tuple[Link, ...] | None:
    """One loose link that lies on a cycle: used where every row of the cycles also has a firm link."""
    for key in sorted(left):
        for link in sorted(waits[key], key=lambda one: (one.field, one.to)):
            if link.loose and link.to in left and _reaches(link.to, key, left, waits):
                return (link,)
    return None


def _on_cycle(key: str, left: set[str], waits: Mapping[str, set[Link]]) -> bool:
    return any(link.to in left and _reaches(link.to, key, left, waits) for link in waits[key])


def _reaches(start: str, goal: str, left: set[str], waits: Mapping[str, set[Link]]) -> bool:
    seen: set[str] = set()
    stack = [start]
    while stack:
        key = stack.pop()
        if key == goal:
            return True
        if key in seen:
            continue
        seen.add(key)
        stack.extend(link.to for link in waits[key] if link.to in left)
    return False
