"""Rows that live in what a reset destroys: an object that the rehearsal added takes every row in it along.

No capture holds these rows, because the baseline does not know the object, and an object that was deleted comes back
without them under an API. So they are counted by who made them: rows of people who took no part keep their object, and
rows that came after the plan keep it too. Added fields are houses of values in the same way. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rehearse import clock
from rehearse.baseline.model import Change
from rehearse.errors import OrgRejected
from rehearse.ids import to_18
from rehearse.org.connect import OrgReader
from rehearse.reset.apply_context import Context
from rehearse.reset.housed_values import FIELD, count_newer_values
from rehearse.reset.model import Action, Choices

Housed = Mapping[str, Mapping[str, int]]
"""Object, or `Object.Field`, that the baseline does not have -> Id of a user -> how many of its living rows he made, or
how many rows with a value in the field he wrote last."""
UNKNOWN = ""
"""The user of rows that nobody may count."""


def fetch_housed(reader: OrgReader, changes: Iterable[Change]) -> dict[str, dict[str, int]]:
    """Who made the rows of the custom objects that were added; one row of nobody where the org does not tell."""
    found: dict[str, dict[str, int]] = {}
    for one in changes:
        if one.kind == "component" and one.type == "CustomObject" and one.what == "created" and _holds_rows(one.key):
            found[one.key] = _fetch_makers(reader, one.key)
    return found


def find_kept(housed: Housed, choices: Choices) -> dict[str, dict[str, int]]:
    """Of these objects those that have to stay, with the rows that keep them: made by people who took no part."""
    if choices.participants is None or choices.delete_others:
        return {}
    kept = {
        object: {by: count for by, count in makers.items() if by not in choices.participants}
        for object, makers in housed.items()
    }
    return {object: makers for object, makers in kept.items() if makers}


def object_of(type: str, key: str, objects: Iterable[str]) -> str | None:
    """Which of these objects or fields a component is, or of which object it is a part: a field, a rule, a layout."""
    for object in objects:
        if type == (FIELD if "." in object else "CustomObject") and key == object:
            return object
        if "." not in object and key.startswith((f"{object}.", f"{object}-")):
            return object
    return None


def keep_objects_with_new_rows(context: Context, actions: Sequence[Action]) -> list[Action]:
    """The actions without the destruction of what got rows or values of others since the plan was made; it is noted.

    Raises OrgError where the org cannot be asked; an object that it does not know any more holds no rows.
    """
    objects = [one.key for one in actions if (one.do, one.type) == ("destroy", "CustomObject") and _holds_rows(one.key)]
    newer = {one: count for one in objects if (count := _count_newer(context, one))}
    fields = [one.key for one in actions if (one.do, one.type) == ("destroy", FIELD)]
    newer |= count_newer_values(context, [one for one in fields if not object_of(FIELD, one, objects)])
    kept: list[Action] = []
    for action in actions:
        object = object_of(action.type, action.key, newer) if action.do == "destroy" else None
        if object is None:
            kept.append(action)
        else:
            what = "value(s)" if "." in object else "row(s)"
            context.note(action, "foreign", f"{object} got {newer[object]} {what} since the plan; not destroyed")
    return kept


def _holds_rows(object: str) -> bool:
    return object.endswith("__c")


def _fetch_makers(reader: OrgReader, object: str) -> dict[str, int]:
    try:
        soql = f"SELECT CreatedById who, COUNT(Id) n FROM {object} GROUP BY CreatedById"
        return {to_18(str(row["who"])): int(str(row["n"])) for row in reader.fetch_rows(soql)}
    except OrgRejected:
        return {UNKNOWN: 1}


def _count_newer(context: Context, object: str) -> int:
    since = clock.iso(context.planned_at.replace(microsecond=0))
    soql = f"SELECT COUNT() FROM {object} WHERE CreatedDate >= {since} AND CreatedById != '{context.user_id}'"
    try:
        return context.writer.reader.fetch_count(soql)
    except OrgRejected:
        return 0
