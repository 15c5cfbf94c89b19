"""Look-ups that name rows which are not there any more: found for the plan, and left out where the rest is written.

Reads the org. While a plan is made, for rows outside its scope, which no capture tells of; while it is applied, for
rows that the org refused for a look-up and for those of which the plan says so. A value counts as gone only when no
object that it may name has a living row of that Id: what cannot be asked stays in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rehearse.baseline.model import Capture, ComparableField
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.org.model import Schema, Value
from rehearse.reset.apply_context import Context
from rehearse.reset.inputs import RowBook
from rehearse.reset.model import Action
from rehearse.reset.row_marks import hides_rows
from rehearse.reset.row_state import scope_fields

GONE = ("ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY")
"""What an org answers to a value that names a row which is not there (SOAP API guide, StatusCode)."""


SET_UP = frozenset({"005", "00E", "00G", "00e", "012", "0PG", "0PS"})
"""Prefixes of what is never deleted or comes back by deployment: users, roles, groups, profiles, record types, sets."""


def fetch_gone(
    reader: OrgReader,
    sides: tuple[Capture, Capture],
    schemas: Mapping[str, Schema],
    rows: Mapping[str, RowBook],
    ids: Mapping[str, str],
) -> frozenset[str]:
    """The Ids that changed rows named in the baseline, outside its scope, and that no living row has.

    None for a login that lacks View All Data: what it does not see may live.
    """
    wanted: dict[tuple[str, ...], set[str]] = {}
    told = SET_UP | {one.key_prefix for one in schemas.values()}
    for object, book in rows.items() if not hides_rows(sides[1]) else ():
        for field in (one.name for one in scope_fields(sides[0], object) if one.type == "reference"):
            known = schemas[object].field(field) if object in schemas else None
            targets = known.reference_to if known else ()
            named = {values.get(field) for key, values in book.before.items() if _moved(book, key, field)}
            if targets and (asked := {one for one in named if one and one[:3] not in told}):
                wanted.setdefault(targets, set()).update(asked)
    found: set[str] = set()
    for targets, old in wanted.items():
        live = {ids.get(one, one): one for one in old}
        found |= {live[one] for one in _without_row(reader, targets, live)}
    return frozenset(found)


def _moved(book: RowBook, key: str, field: str) -> bool:
    return key not in book.after or book.after[key].get(field) != book.before[key].get(field)


def find_gone(
    context: Context, object: str, rows: Mapping[str, tuple[Action, Mapping[str, Value]]]
) -> dict[str, set[str]]:
    """By key of the baseline: the fields of a row that is to be written that name no living row."""
    asked = {key: values for key, (action, values) in rows.items() if _is_doubtful(context, action)}
    found: dict[str, set[str]] = {}
    for field in (one for one in scope_fields(context.before, object) if one.type == "reference" and asked):
        dead = _dead(context, object, field, list(asked.values()))
        for key, values in asked.items():
            if values.get(field.name) in dead:
                found.setdefault(key, set()).add(field.name)
    return found


def _is_doubtful(context: Context, action: Action) -> bool:
    """Whether the plan says that not all of a row comes back, or the org refused it for a look-up."""
    result = context.results.get(action.id)
    refused = result is not None and result.state == "failed" and result.detail.partition(" ")[0] in GONE
    return refused or ((action.type, action.key) in context.left_alone and not hides_rows(context.after))


def _dead(context: Context, object: str, field: ComparableField, rows: Sequence[Mapping[str, Value]]) -> set[str]:
    """The values of one reference that name no living row in any object that it may name."""
    wanted = {str(row[field.name]) for row in rows if row.get(field.name)}
    known = context.schema(object).field(field.name)
    return _without_row(context.writer.reader, known.reference_to if known else (), wanted)


def _without_row(reader: OrgReader, targets: Collection[str], ids: Collection[str]) -> set[str]:
    """Those of these Ids that no living row of these objects has; none where one of them cannot be asked."""
    left = set(ids) if targets else set()
    for target in targets:
        if not left:
            break
        try:
            left -= reader.fetch_by_ids(target, sorted(left), ["Id"]).keys()
        except OrgRejected:
            return set()
    return left
