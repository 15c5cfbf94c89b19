"""Duplicate rules: a save that would make a second row with the same value is refused, or only warned about.

The rules of a world are its setting `duplicate_rules`: texts such as `Lead.Email alert` or `Account.Name block`. An
alert lets a save pass whose request says `Sforce-Duplicate-Rule-Header: allowSave=true`; Bulk has no such header
[data.md, REST headers and 4 row 22]. That a blocking rule is deaf to the header is an assumption.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.schema import ObjectDef

HEADER = "sforce-duplicate-rule-header"
TEXT = "You're creating a duplicate record. We recommend you use an existing record instead."
_alerts_pass: ContextVar[bool] = ContextVar("alerts_pass", default=False)


@contextmanager
def duplicates_as(header: str) -> Iterator[None]:
    """For one request: let alerts pass when its header says so."""
    said = {part.strip().lower().replace(" ", "") for part in header.replace(",", ";").split(";")}
    token = _alerts_pass.set("allowsave=true" in said)
    try:
        yield
    finally:
        _alerts_pass.reset(token)


def check_duplicates(
    org: OrgState,
    rules: Sequence[str],
    definition: ObjectDef,
    values: Mapping[str, Stored],
    row_id: str | None = None,
) -> None:
    """Raise RowError DUPLICATES_DETECTED where a rule finds another live row with a value of this one."""
    for rule in rules:
        where, _, action = rule.partition(" ")
        name, _, field_name = where.partition(".")
        column = definition.find(field_name) if name.lower() == definition.name.lower() else None
        value = values.get(column.name) if column is not None and column.stored else None
        if column is None or value in (None, "") or (action.strip() != "block" and _alerts_pass.get()):
            continue
        alive = '"IsDeleted" = 0 AND "Id" IS NOT ?'
        sql = f"SELECT 1 FROM {quote(definition.name)} WHERE {quote(column.name)} = ? AND {alive}"
        if org.db.execute(sql, (value, row_id)).fetchone() is not None:
            raise RowError("DUPLICATES_DETECTED", TEXT, ())
