"""Fields that decide on one side only: what a comparison of two captures cannot compare because the schema changed.

Only fields that both captures have, with one type, decide equality. The others are told here, so that nobody takes
"nothing differs" for more than it says.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.baseline.model import Capture, ComparableField, ObjectScope
from rehearse.baseline.scope import BODY_TYPE, MASKED_TYPE, comparable_fields
from rehearse.baseline.store_model import SchemaChange
from rehearse.org.model import Schema


def compare_schemas(before: Capture, live: Mapping[str, Schema]) -> tuple[SchemaChange, ...]:
    """The fields of a baseline's objects that are added, gone or of another type in the org as it is now, by name.

    `live` holds the describes of today; an object without one is not told here (its rows are).
    """
    found: list[SchemaChange] = []
    for scope in before.scope.objects:
        if scope.name in live:
            types = {one.type for one in scope.fields}
            fields = comparable_fields(live[scope.name], files=BODY_TYPE in types, encrypted=MASKED_TYPE in types)
            found += _fields(scope, fields)
    return tuple(sorted(found, key=lambda one: (one.object, one.field)))


def _fields(scope: ObjectScope, live: tuple[ComparableField, ...]) -> list[SchemaChange]:
    old, new = ({one.name: one.type for one in fields} for fields in (scope.fields, live))
    return [
        SchemaChange(scope.name, name, old.get(name), new.get(name))
        for name in old.keys() | new.keys()
        if old.get(name) != new.get(name)
    ]
