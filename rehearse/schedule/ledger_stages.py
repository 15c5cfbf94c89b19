"""The stages of copies in the workspace database, as SandboxProcessStage told them (since API 66.0); kept for good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.org.model import CopyStage
from rehearse.state import TABLES, Database

_stages = sa.Table(
    "refresh_stage",
    TABLES,
    sa.Column("cycle", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("started", sa.Text),
    sa.Column("ended", sa.Text),
    sa.Column("estimated", sa.Integer),
    sa.Column("actual", sa.Integer),
    sa.Column("completed", sa.Integer),
)


def record_stages(database: Database, stages: Iterable[CopyStage]) -> None:
    """Keep what production says about the stages of its copies; what is known already takes the newer state."""
    with database.begin() as connection:
        for one in stages:
            where = (_stages.c.cycle == one.copy_id, _stages.c.number == one.number)
            row = {
                "kind": one.kind,
                "status": one.status,
                "started": _text(one.started),
                "ended": _text(one.ended),
                "estimated": one.estimated,
                "actual": one.actual,
                "completed": one.completed,
            }
            if not connection.execute(sa.update(_stages).where(*where).values(**row)).rowcount:
                connection.execute(sa.insert(_stages).values(cycle=one.copy_id, number=one.number, **row))


def load_stages(database: Database) -> Mapping[str, tuple[CopyStage, ...]]:
    """All stages by the id of their copy, in their order."""
    with database.begin() as connection:
        rows = connection.execute(sa.select(_stages).order_by(_stages.c.cycle, _stages.c.number)).mappings().all()
    found: dict[str, list[CopyStage]] = {}
    for row in rows:
        found.setdefault(row["cycle"], []).append(_from_row(row))
    return {key: tuple(own) for key, own in found.items()}


def _from_row(row: sa.RowMapping) -> CopyStage:
    numbers = (row["estimated"], row["actual"], row["completed"])
    times = (_instant(row["started"]), _instant(row["ended"]))
    return CopyStage(row["cycle"], row["number"], row["kind"], row["status"], *times, *numbers)


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else clock.iso(instant)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else clock.from_iso(text)
