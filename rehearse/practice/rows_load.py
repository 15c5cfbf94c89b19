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
        blank: dict[str, Stored] = org.remember(f"blank:{definition.name}", lambda: _blank(definition))
        stamp = org.stamp()
        full = [_filled(blank, stamp, row, fresh_id(row, fresh)) for row in rows]
        _number(org, definition, full)
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


def _filled(blank: dict[str, Stored], stamp: str, row: Mapping[str, Stored], row_id: str) -> dict[str, Stored]:
    full: dict[str, Stored] = {"Id": row_id, **blank}
    for name, value in row.items():
        if value is True or value is False:
            full[name] = int(value)
        elif value is not None and name != "Id":
            full[name] = value
    created = full.get("CreatedDate") or stamp
    owner = full.get("OwnerId")
    author = full.get("CreatedById") or owner
    changed = full.get("LastModifiedDate")
    defaults: tuple[tuple[str, Stored], ...] = (
        ("CreatedDate", created),
        ("LastModifiedDate", changed or created),
        ("SystemModstamp", full.get("SystemModstamp") or changed or created),
        ("CreatedById", author),
        ("LastModifiedById", full.get("LastModifiedById") or author),
    )
    for name, value in defaults:
        if name in blank:
            full[name] = value
    return full


def _number(org: OrgState, definition: ObjectDef, full: list[dict[str, Stored]]) -> None:
    """Give auto-numbers to the rows that bring none, in their order."""
    for field in definition.stored_fields:
        if field.auto_number is None:
            continue
        bare = [row for row in full if row.get(field.name) is None]
        if not bare:
            continue
        number = org.next_number(f"auto:{definition.name}.{field.name}", len(bare))
        today = org.now().date()
        for place, row in enumerate(bare):
            row[field.name] = numbered(field.auto_number, number + place, today)


def _blank(definition: ObjectDef) -> dict[str, Stored]:
    """A row of which nothing is known: every column null, checkboxes at their default."""
    columns = [field for field in definition.stored_fields if field.name != "Id"]
    return {field.name: int(bool(field.default)) if field.type == "boolean" else None for field in columns}
