"""Raw loading: many rows into a table at once, without checks, automation or roll-ups.

For seeds and for the platform's own rows (jobs, logins, audit). Fills in ids, stamps, owner and auto-numbers where the
caller gives none, and nothing else. Refuses, with ValueError, a name that is no stored field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rehearse.practice.org_ids import to_18
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_values import Stored, numbered
from rehearse.practice.schema import ObjectDef


def load_rows(org: OrgState, definition: ObjectDef, rows: Sequence[Mapping[str, Stored]]) -> list[str]:
    """Insert rows as they are; answers their 18-character ids in order."""
    known = {field.name for field in definition.stored_fields} | {"IsDeleted"}
    unknown = {name for row in rows for name in row} - known
    if unknown:
        raise ValueError(f"{definition.name} has no stored field {', '.join(sorted(unknown))}")
    with org.transaction():
        missing = sum(1 for row in rows if not row.get("Id"))
        fresh = iter(org.new_ids(definition.key_prefix, missing) if missing else [])
        full = [_filled(org, definition, row, fresh_id(row, fresh)) for row in rows]
        for names in dict.fromkeys(tuple(row) for row in full):
            columns = ", ".join(quote(name) for name in names)
            marks = ", ".join("?" * len(names))
            sql = f"INSERT INTO {quote(definition.name)} ({columns}) VALUES ({marks})"
            org.db.executemany(sql, [tuple(row.values()) for row in full if tuple(row) == names])
    return [str(row["Id"]) for row in full]


def fresh_id(row: Mapping[str, Stored], fresh: Iterator[str]) -> str:
    """The id that a row brings, in 18 characters, or the next fresh one."""
    given = row.get("Id")
    if given:
        return to_18(str(given))
    return next(fresh)


def _filled(org: OrgState, definition: ObjectDef, row: Mapping[str, Stored], row_id: str) -> dict[str, Stored]:
    blank: dict[str, Stored] = org.remember(f"blank:{definition.name}", lambda: _blank(definition))
    full: dict[str, Stored] = {"Id": row_id, **blank}
    full.update((name, value) for name, value in row.items() if name != "Id" and value is not None)
    created = full.get("CreatedDate") or org.stamp()
    owner = full.get("OwnerId")
    defaults: dict[str, Stored] = {
        "CreatedDate": created,
        "LastModifiedDate": full.get("LastModifiedDate") or created,
        "SystemModstamp": full.get("SystemModstamp") or full.get("LastModifiedDate") or created,
        "CreatedById": full.get("CreatedById") or owner,
        "LastModifiedById": full.get("LastModifiedById") or full.get("CreatedById") or owner,
    }
    full.update((name, value) for name, value in defaults.items() if name in blank)
    for name, value in full.items():
        if value is True or value is False:
            full[name] = int(value)
    for field in definition.stored_fields:
        if field.auto_number is not None and full.get(field.name) is None:
            number = org.next_number(f"auto:{definition.name}.{field.name}")
            full[field.name] = numbered(field.auto_number, number, org.now().date())
    return full


def _blank(definition: ObjectDef) -> dict[str, Stored]:
    """A row of which nothing is known: every column null, checkboxes at their default."""
    columns = [field for field in definition.stored_fields if field.name != "Id"]
    return {field.name: int(bool(field.default)) if field.type == "boolean" else None for field in columns}
