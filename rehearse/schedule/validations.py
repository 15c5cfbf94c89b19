"""Validated deployments of production, in the workspace database: each may be deployed quickly for ten days only.

What production lists is kept as it is now; one that was followed by a deployment, or by a newer validation, is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.state import TABLES, Database

SOQL = "SELECT Id, CheckOnly, CompletedDate FROM DeployRequest WHERE Status = 'Succeeded'"

_validations = sa.Table(
    "validation",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("completed", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Validation:
    """One validation that succeeded; its quick deployment is possible for ten days (Metadata API guide)."""

    id: str
    completed: datetime


def find_open(rows: Iterable[Mapping[str, object]]) -> tuple[Validation, ...]:
    """The validation that waits for its deployment, from rows of DeployRequest: the newest, if nothing followed."""
    found = []
    for row in rows:
        completed = row.get("CompletedDate")
        if completed is not None:
            at = completed if isinstance(completed, datetime) else clock.from_iso(str(completed))
            found.append((at, str(row["Id"]), row.get("CheckOnly") in (True, "true")))
    newest = max(found, default=None)
    return (Validation(newest[1], newest[0]),) if newest is not None and newest[2] else ()


def record_validations(database: Database, found: Iterable[Validation]) -> None:
    """Keep what waits now, instead of what waited before."""
    with database.begin() as connection:
        connection.execute(sa.delete(_validations))
        for one in found:
            connection.execute(sa.insert(_validations).values(id=one.id, completed=clock.iso(one.completed)))


def load_validations(database: Database) -> tuple[Validation, ...]:
    """What waited when production was asked last."""
    with database.begin() as connection:
        rows = connection.execute(sa.select(_validations)).mappings().all()
    return tuple(Validation(row["id"], clock.from_iso(row["completed"])) for row in rows)
