"""Which sandboxes production lists, or once listed: their types, what they are clones of, and since when they are gone.

A deleted sandbox and its successor of the same name are two rows. Nothing is removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from rehearse import clock
from rehearse.ids import is_same_name
from rehearse.schedule.ledger import GONE, Cycle, licence_name
from rehearse.state import TABLES, Database

if TYPE_CHECKING:
    from rehearse.org.model import SandboxRecord

_records = sa.Table(
    "sandbox_record",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("licence", sa.Text, nullable=False),
    sa.Column("source_id", sa.Text),
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("gone", sa.Text),
)


@dataclass(frozen=True)
class KnownSandbox:
    """One sandbox that production lists, or listed until `gone`; `clone_of` names the one that it is copied from."""

    id: str
    name: str
    licence: str
    clone_of: str
    gone: datetime | None


def record_sandboxes(database: Database, records: Sequence[SandboxRecord], now: datetime) -> None:
    """Keep which sandboxes production lists; those that it lists no more are marked as gone."""
    by_id = {one.id: one for one in records}
    with database.begin() as connection:
        for one in records:
            row = {
                "name": one.name,
                "licence": _licence_of(one, by_id),
                "source_id": one.source_id,
                "seen": clock.iso(now),
                "gone": None,
            }
            upsert(connection, _records, one.id, row)
        gone = sa.update(_records).where(_records.c.gone.is_(None), _records.c.id.not_in(list(by_id) or [""]))
        connection.execute(gone.values(gone=clock.iso(now)))


def load_sandboxes(database: Database) -> tuple[KnownSandbox, ...]:
    """Every sandbox that production ever listed, by name; those that are gone too."""
    with database.begin() as connection:
        rows = connection.execute(sa.select(_records).order_by(_records.c.name)).mappings().all()
    names = {row["id"]: row["name"] for row in rows}
    return tuple(
        KnownSandbox(
            row["id"],
            row["name"],
            row["licence"],
            names.get(row["source_id"], "") if row["source_id"] else "",
            None if row["gone"] is None else clock.from_iso(row["gone"]),
        )
        for row in rows
    )


def load_gone(database: Database) -> frozenset[str]:
    """The ids of sandboxes that production lists no more; none where it lists nothing: then we may not see them."""
    known = load_sandboxes(database)
    if all(one.gone is not None for one in known):
        return frozenset()
    return frozenset(one.id for one in known if one.gone is not None)


def is_gone(known: Sequence[KnownSandbox], name: str, cycles: Sequence[Cycle]) -> bool:
    """Whether a sandbox was deleted: production lists it no more; without that, by the state of its newest copy."""
    own = [one for one in known if is_same_name(one.name, name)]
    if own:
        return all(one.gone is not None for one in own)
    return bool(cycles) and cycles[-1].state in GONE


def _licence_of(record: SandboxRecord, by_id: dict[str, SandboxRecord]) -> str:
    """The licence type of a sandbox; a clone has that of its source (Tooling API guide: LicenseType is null then)."""
    seen: set[str] = set()
    while not record.licence and record.source_id in by_id and record.id not in seen:
        seen.add(record.id)
        record = by_id[record.source_id]
    return licence_name(record.licence)


def upsert(connection: sa.Connection, table: sa.Table, id: str, row: Mapping[str, object]) -> None:
    """Write a row under its id, over the one that is there."""
    if not connection.execute(sa.update(table).where(table.c.id == id).values(**row)).rowcount:
        connection.execute(sa.insert(table).values(id=id, **row))
