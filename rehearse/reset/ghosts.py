"""Rows that the rehearsal made and deleted with a row of the baseline: they come back when that row is undeleted.

Pure. An undelete brings back everything that the deletion took along (facts/data.md 4, row 4), whoever made it. Such a
row is no change while it lies in the bin; it is named in the plan, and deleted again after its master has come back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rehearse.org.model import Schema
from rehearse.reset.order import Link, order_rows
from rehearse.reset.row_state import Values


def cascading_fields(schemas: Mapping[str, Schema]) -> dict[str, set[str]]:
    """By object, the reference fields along which a deletion (and an undelete) goes."""
    found: dict[str, set[str]] = {}
    for schema in schemas.values():
        for child in schema.children:
            if child.cascade_delete and child.object in schemas:
                found.setdefault(child.object, set()).add(child.field)
    return found


def find_ghosts(
    ghosts: Mapping[str, Mapping[str, Values]], returning: Collection[str]
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """(object, key) of the ghosts that come back with the rows `returning`, in levels: children before masters."""
    back = set(returning)
    chosen: dict[str, str] = {}
    links: list[Link] = []
    moved = True
    while moved:
        moved = False
        for object, rows in ghosts.items():
            for key, values in rows.items():
                if key not in chosen and any(value in back for value in values.values()):
                    chosen[key] = object
                    back.add(key)
                    moved = True
    for key, object in chosen.items():
        links += [Link(to, name, key, True) for name, to in ghosts[object][key].items() if to in chosen]
    return tuple(tuple((chosen[key], key) for key in level) for level in order_rows(chosen, links).levels)
