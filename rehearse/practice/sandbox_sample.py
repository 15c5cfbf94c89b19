"""Which records a copy takes along: none but set-up, or a sample in which no reference hangs.

A Partial copy takes up to so many records of each object, evenly spread over its ids, and then whatever those refer to,
until nothing refers to a record that is left behind. The same source gives the same sample. The file of the copy is
written with just these records, so it is small however large production is; rules and automation never run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.schema import ObjectDef


@dataclass(frozen=True)
class Choice:
    """At most `most` records of each object (0: no data at all), custom settings or not, deleted records or not.

    `objects`, in lower case, are those that a template names; None is all of them."""

    most: int
    custom_settings: bool
    deleted: bool
    objects: frozenset[str] | None = None

    def starts_with(self, definition: ObjectDef) -> bool:
        """Whether records of an object are chosen for themselves, and not only because others refer to them."""
        return self.objects is None or definition.custom_setting or definition.name.lower() in self.objects


def is_data(definition: ObjectDef, *, with_custom_settings: bool) -> bool:
    """Whether the records of an object are data, which a copy without data leaves behind.

    Set-up objects and custom metadata types are not; custom settings are, unless `with_custom_settings`.
    """
    if definition.setup or definition.name.endswith("__mdt"):
        return False
    return not (definition.custom_setting and with_custom_settings)


def save_part(source: OrgState, path: Path, choice: Choice) -> None:
    """Write a new org file that has everything of `source` but the data records that are not chosen."""
    sampled = choice.most > 0
    data = [one for one in source.objects().values() if is_data(one, with_custom_settings=choice.custom_settings)]
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA journal_mode=MEMORY")
        db.execute("ATTACH ? AS src", (str(source.path),))
        db.execute("BEGIN")
        made = db.execute("SELECT type, name, sql FROM src.sqlite_master WHERE sql IS NOT NULL").fetchall()
        if sampled:
            _choose(db, data, choice)
        names = {definition.name for definition in data}
        for kind, name, sql in made:
            if kind == "table" and not name.startswith("sqlite_"):
                db.execute(sql)
                _copy_rows(db, name, choice, is_data=name in names)
        for kind, _, sql in made:
            if kind != "table":
                db.execute(sql)
        db.execute("COMMIT")
        db.execute("DETACH src")


def _copy_rows(db: sqlite3.Connection, name: str, choice: Choice, *, is_data: bool) -> None:
    table = quote(name)
    if not is_data:
        db.execute(f"INSERT INTO main.{table} SELECT * FROM src.{table}")
    elif choice.most:
        alive = "" if choice.deleted else ' AND "IsDeleted" = 0'
        chosen = '"Id" IN (SELECT id FROM temp.chosen)'
        db.execute(f"INSERT INTO main.{table} SELECT * FROM src.{table} WHERE {chosen}{alive} ORDER BY rowid")


def _choose(db: sqlite3.Connection, data: list[ObjectDef], choice: Choice) -> None:
    """Fill temp.chosen with the ids of the sample and of all that it refers to, directly or not."""
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("CREATE TEMP TABLE chosen (id TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute("CREATE TEMP TABLE fresh (id TEXT PRIMARY KEY) WITHOUT ROWID")
    alive = "" if choice.deleted else ' WHERE "IsDeleted" = 0'
    for definition in (one for one in data if choice.starts_with(one)):
        ids = [row[0] for row in db.execute(f'SELECT "Id" FROM src.{quote(definition.name)}{alive} ORDER BY "Id"')]
        db.executemany("INSERT OR IGNORE INTO temp.fresh VALUES (?)", ((one,) for one in spread(ids, choice.most)))
    while db.execute("SELECT EXISTS (SELECT 1 FROM temp.fresh)").fetchone()[0]:
        db.execute("INSERT INTO temp.chosen SELECT id FROM temp.fresh")
        found = _referred(db, data)
        db.execute("DELETE FROM temp.fresh")
        sql = "INSERT INTO temp.fresh SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM temp.chosen WHERE id = ?1)"
        db.executemany(sql, ((one,) for one in found))


def spread(ids: list[str], most: int) -> list[str]:
    """At most `most` of these ids, evenly spread, always the same ones."""
    if len(ids) <= most:
        return ids
    return [ids[place * len(ids) // most] for place in range(most)]


def _referred(db: sqlite3.Connection, data: Iterable[ObjectDef]) -> set[str]:
    """The ids that the fresh records refer to."""
    found: set[str] = set()
    for definition in data:
        columns = [quote(one.name) for one in definition.fields if one.type == "reference" and one.stored]
        if not columns:
            continue
        prefix = definition.key_prefix
        source = f'temp.fresh AS f CROSS JOIN src.{quote(definition.name)} AS t ON t."Id" = f.id'
        mine = "f.id >= ?1 AND f.id < ?1 || char(127)"
        named = ", ".join(f"t.{column}" for column in columns)
        for row in db.execute(f"SELECT {named} FROM {source} WHERE {mine}", (prefix,)):
            found.update(value for value in row if value)
    return found
