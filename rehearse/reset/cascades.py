"""What a deletion would take along: rows below a created row that the plan has no right to delete. Reads only.

A delete cascades to details, to cascading look-ups and to what hangs on those in turn, inside the scope and outside
it. Before a created row is deleted everything below it is read: a row of the baseline, a row that came back under a
new Id, one that the plan leaves alone, and one that somebody else wrote since the plan was made keep it alive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rehearse import clock
from rehearse.baseline.row_kinds import NOT_ROWS
from rehearse.errors import OrgRejected
from rehearse.org.model import Value
from rehearse.reset.apply_context import Context
from rehearse.reset.batches import in_batches

DEEPEST = 6
"""Salesforce allows three levels of details below a master; cascading look-ups may add some."""
AT_ONCE = 400
"""Ids in one query: what an address holds."""
_TOUCHED = ("LastModifiedById, LastModifiedDate, ", "")


def find_kept_children(context: Context, object: str, keys: Sequence[str]) -> dict[str, str]:
    """Created rows that must not be deleted yet, with the object of a row below them that would be lost."""
    kept: dict[str, str] = {}
    roots = {key: key for key in keys}
    level = {object: list(keys)}
    for _ in range(DEEPEST):
        below: dict[str, list[str]] = {}
        for parent, ids in level.items():
            for child, field in _cascading(context, parent):
                for row in _fetch_below(context, child, field, ids):
                    key, root = str(row["Id"]), roots[str(row[field])]
                    if _is_kept(context, child, row):
                        kept[root] = child
                    elif key not in roots:
                        roots[key] = root
                        below.setdefault(child, []).append(key)
        if not below:
            return kept
        level = below
    return kept


def _cascading(context: Context, object: str) -> list[tuple[str, str]]:
    """Child objects and fields by which a deletion goes on; history, feed and share rows are of the platform."""
    children = context.schema(object).children
    return [(one.object, one.field) for one in children if one.cascade_delete and not one.object.endswith(NOT_ROWS)]


def _fetch_below(context: Context, child: str, field: str, ids: Sequence[str]) -> Iterator[Mapping[str, Value]]:
    """The living rows below these ids; an object that this login may not ask about has none that we could see."""
    for batch in in_batches(ids, AT_ONCE):
        quoted = ", ".join(f"'{one}'" for one in batch)
        for touched in _TOUCHED:
            soql = f"SELECT Id, CreatedDate, {touched}{field} FROM {child} WHERE {field} IN ({quoted})"
            try:
                yield from list(context.writer.reader.fetch_rows(soql))
            except OrgRejected:
                continue
            break


def _is_kept(context: Context, child: str, row: Mapping[str, Value]) -> bool:
    key = str(row["Id"])
    if clock.from_iso(str(row["CreatedDate"])) < context.before.started or key in context.ids.values():
        return True
    touched = row.get("LastModifiedDate")
    newer = bool(touched) and clock.from_iso(str(touched)) >= context.planned_at.replace(microsecond=0)
    theirs = newer and row.get("LastModifiedById") != context.user_id
    return theirs or (child, key) in context.left_alone
