"""The ledger in the workspace database: every create and refresh ever seen, because the platform forgets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.org.model import SandboxCopy
from rehearse.schedule.ledger import Cycle
from rehearse.state import TABLES, Database

_cycles = sa.Table(
    "refresh_cycle",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sandbox", sa.Text, nullable=False, index=True),
    sa.Column("licence", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("org_id", sa.Text),
    sa.Column("requested", sa.Text, nullable=False),
    sa.Column("copied", sa.Text),
    sa.Column("activated", sa.Text),
    sa.Column("seen", sa.Text, nullable=False),
)


def record_copies(database: Database, copies: Iterable[SandboxCopy], now: datetime) -> None:
    """Keep what production says about its copies; a row that is known already takes the newer state."""
    with database.begin() as connection:
        for one in copies:
            row = {
                "sandbox": one.name,
                "licence": one.licence,
                "state": one.state,
                "org_id": one.org_id,
                "requested": clock.iso(one.requested),
                "copied": _text(one.copied),
                "activated": _text(one.activated),
                "seen": clock.iso(now),
            }
            changed = connection.execute(sa.update(_cycles).where(_cycles.c.id == one.id).values(**row)).rowcount
            if not changed:
                connection.execute(sa.insert(_cycles).values(id=one.id, **row))


def load_cycles(database: Database) -> dict[str, tuple[Cycle, ...]]:
    """All cycles by sandbox name, oldest first."""
    with database.begin() as connection:
        rows = connection.execute(sa.select(_cycles).order_by(_cycles.c.requested)).mappings().all()
    found: dict[str, list[Cycle]] = {}
    for row in rows:
        found.setdefault(row["sandbox"], []).append(_from_row(row))
    return {name: tuple(cycles) for name, cycles in found.items()}


def _from_row(row: sa.RowMapping) -> Cycle:
    return Cycle(
        row["id"],
        row["sandbox"],
        row["licence"],
        row["state"],
        row["org_id"],
        clock.from_iso(row["requested"]),
        _instant(row["copied"]),
        _instant(row["activated"]),
    )


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else clock.iso(instant)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else clock.from_iso(text)
