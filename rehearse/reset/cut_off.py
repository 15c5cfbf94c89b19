"""What hung on rows that came back under new Ids and lies outside the scope: nobody puts it back, so a proof names it.

Pure. A row that was deleted for good took its details along and emptied the look-ups to it, without a stamp and without
a trace in any bin. Inside the scope all of that is compared; outside nobody can see it any more, so it is told from the
describes: which objects and fields may have pointed at such rows. The same holds for Ids that stand in texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Set

from rehearse.baseline.model import Capture
from rehearse.baseline.row_kinds import NOT_ROWS, why_no_rows
from rehearse.org.model import Schema
from rehearse.reset.listed import listed

MOST_NAMED = 8
_VIEWS = frozenset({
    "ActivityHistory", "AttachedContentDocument", "AttachedContentNote", "CombinedAttachment", "EmailStatus",
    "EntitySubscription", "NoteAndAttachment", "OpenActivity", "OwnedContentDocument", "RecordAction",
    "RecordActionHistory", "TopicAssignment",
})  # fmt: skip
"""Children in describes that only show rows of other objects, or what people follow."""


def list_cut_off(before: Capture, schemas: Mapping[str, Schema], ids: Collection[str]) -> tuple[str, ...]:
    """A sentence for each object with rows under new Ids (`ids`: their old ones), sorted."""
    prefixes = {schema.key_prefix: name for name, schema in schemas.items() if schema.key_prefix}
    counted = Counter(prefixes[one[:3]] for one in ids if one[:3] in prefixes)
    scoped = {one.name for one in before.scope.objects}
    return tuple(sorted(_sentence(schemas[name], rows, scoped) for name, rows in counted.items()))


def lost_below(before: Capture, schemas: Mapping[str, Schema], objects: Set[str]) -> Iterator[str]:
    """A sentence for each relation from outside the scope by which rows went with those of these objects, which come
    back by an insert."""
    scoped = {one.name for one in before.scope.objects}
    for name in sorted(objects & schemas.keys()):
        for below in sorted({one.partition(".")[0] for one in _outside(schemas[name], scoped, True)}):
            yield f"{below} is outside the scope: its rows below deleted rows of {name} do not come back."


def _sentence(schema: Schema, rows: int, scoped: Collection[str]) -> str:
    told = (
        f"records {schema.name}: {rows:,} row(s) live under new Ids, created by the reset, without the history, feed "
    )
    told += "and shares of the old ones; texts that name these are as they were"
    below, pointing = [sorted(set(_outside(schema, scoped, cascade))) for cascade in (True, False)]
    if below:
        told += f"; outside the scope, what hung below them is gone: {listed(below, MOST_NAMED)}"
    if pointing:
        told += f"; outside the scope, look-ups that named them are empty: {listed(pointing, MOST_NAMED)}"
    return told


def _outside(schema: Schema, scoped: Collection[str], cascade: bool) -> Iterator[str]:
    """`Object.field` of every relation to the object from outside the scope that a deletion follows, or empties."""
    for one in schema.children:
        hidden = one.object in _VIEWS or one.object.endswith(NOT_ROWS) or why_no_rows(one.object)
        if one.object not in scoped and one.cascade_delete is cascade and not one.restricted_delete and not hidden:
            yield f"{one.object}.{one.field}"
