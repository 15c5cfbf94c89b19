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


def find_kept_children(context: Context, rows: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Created rows (object -> Ids) that must not be deleted yet, each with the object of a row below that would be
    lost with it."""
    kept: dict[str, str] = {}
    roots = {key: key for keys in rows.values() for key in keys}
    level = {object: list(keys) for object, keys in rows.items()}
    for _ in range(DEEPEST):
        below: dict[str, list[str]] = {}
        for child, field, row in _fetch_below(context, level):
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


def _fetch_below(
    context: Context, level: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str, Mapping[str, Value]]]:
    """Child object, field and row of the living rows below these; an object that this login may not ask about has
    none that we could see."""
    left = [
        (child, field, ", ".join(f"'{one}'" for one in batch))
        for parent, ids in level.items()
        for child, field in _cascading(context, parent)
        for batch in in_batches(ids, AT_ONCE)
    ]
    for touched in _TOUCHED:
        soqls = [
            f"SELECT Id, CreatedDate, {touched}{field} FROM {child} WHERE {field} IN ({ids})"
            for child, field, ids in left
        ]
        answers = list(zip(left, context.writer.fetch_queries(soqls), strict=True))
        for (child, field, _), rows in answers:
            if not isinstance(rows, OrgRejected):
                yield from ((child, field, row) for row in rows)
        left = [asked for asked, rows in answers if isinstance(rows, OrgRejected)]


def _is_kept(context: Context, child: str, row: Mapping[str, Value]) -> bool:
    key = str(row["Id"])
    if clock.from_iso(str(row["CreatedDate"])) < context.before.started or key in context.ids.values():
        return True
    touched = row.get("LastModifiedDate")
    newer = bool(touched) and clock.from_iso(str(touched)) >= context.planned_at.replace(microsecond=0)
    theirs = newer and row.get("LastModifiedById") != context.user_id
    return theirs or (child, key) in context.left_alone
