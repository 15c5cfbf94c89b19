"""Writing rows whose look-ups name rows that are not there: the rest of the row is written all the same.

Asks the org, and only for rows that it refused for a look-up, or whose look-up names what the plan leaves alone. A
value is left out only when no object that it may name has a living row of that Id; what cannot be asked stays in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehearse.baseline.model import ComparableField
from rehearse.errors import OrgRejected
from rehearse.org.model import Value
from rehearse.reset.apply_context import Context
from rehearse.reset.model import Action
from rehearse.reset.row_state import scope_fields

GONE = ("ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY")
"""What an org answers to a value that names a row which is not there (SOAP API guide, StatusCode)."""


def find_gone(
    context: Context, object: str, rows: Mapping[str, tuple[Action, Mapping[str, Value]]]
) -> dict[str, set[str]]:
    """By key of the baseline: the fields of a row that is to be written that name no living row."""
    fields = [one for one in scope_fields(context.before, object) if one.type == "reference"]
    alone = {context.live_id(key) for _, key in context.left_alone}
    asked = {
        key: values
        for key, (action, values) in rows.items()
        if _was_refused(context, action) or not alone.isdisjoint(str(values.get(one.name)) for one in fields)
    }
    found: dict[str, set[str]] = {}
    for field in fields if asked else ():
        dead = _dead(context, object, field, list(asked.values()))
        for key, values in asked.items():
            if values.get(field.name) in dead:
                found.setdefault(key, set()).add(field.name)
    return found


def _was_refused(context: Context, action: Action) -> bool:
    result = context.results.get(action.id)
    return result is not None and result.state == "failed" and result.detail.partition(" ")[0] in GONE


def _dead(context: Context, object: str, field: ComparableField, rows: Sequence[Mapping[str, Value]]) -> set[str]:
    """The values of one reference that name no living row in any object that it may name."""
    wanted = {str(row[field.name]) for row in rows if row.get(field.name)}
    known = context.schema(object).field(field.name)
    for target in known.reference_to if known else ():
        if not wanted:
            break
        try:
            wanted -= context.writer.reader.fetch_by_ids(target, sorted(wanted), ["Id"]).keys()
        except OrgRejected:
            return set()
    return wanted if known and known.reference_to else set()
