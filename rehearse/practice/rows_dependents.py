"""Picklists that depend on another field: a value is taken only where its controlling value allows it.

Looked at when the value, or what controls it, is written; rows that are not touched keep what they have. That the API
refuses such values is told by some sources and denied by others: setting `dependent_picklists_checked` [data.md 4 row
45]. State and country codes have rules of their own (rows_places.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_places import is_place_code
from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.schema import FieldDef, ObjectDef


def check_dependents(
    org: OrgState, definition: ObjectDef, values: Mapping[str, Stored], before: Mapping[str, Stored]
) -> None:
    """Raise RowError for a value that its controlling value does not allow; `before` is empty on insert."""
    dependents: list[tuple[FieldDef, FieldDef]] = org.remember(
        f"dependents:{definition.name}", lambda: _dependents(definition)
    )
    if not dependents or not org.settings.get("dependent_picklists_checked", True):
        return
    for field, controller in dependents:
        if field.name not in values and controller.name not in values:
            continue
        value = values.get(field.name, before.get(field.name))
        if value is None:
            continue
        chosen = values.get(controller.name, before.get(controller.name))
        said = ("true" if chosen else "false") if controller.type == "boolean" else chosen
        known = {one.name: one.valid_for for one in field.values}
        for part in str(value).split(";"):
            if part in known and said not in known[part]:
                text = f"{field.label}: {part} is not a valid value for the controlling field {controller.label}"
                raise RowError("FIELD_INTEGRITY_EXCEPTION", text, (field.name,))


def _dependents(definition: ObjectDef) -> list[tuple[FieldDef, FieldDef]]:
    return [
        (one, controller)
        for one in definition.fields
        if one.controller and not is_place_code(one) and (controller := definition.find(one.controller)) is not None
    ]
