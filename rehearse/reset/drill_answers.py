"""What drills settled about a production's orgs, in the workspace database: question, answer, where and when.

Sandboxes of one production run one release with one set of features, so an answer counts for all of them; the newest
one counts. A proof reads them to say which of its assumptions are still unconfirmed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.reset.model import Settled
from rehearse.state import TABLES, Database

_answers = sa.Table(
    "drill_answer",
    TABLES,
    sa.Column("production", sa.Text, primary_key=True),
    sa.Column("question", sa.Text, primary_key=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("sandbox", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)


def keep_answers(database: Database, production: str, sandbox: str, found: Iterable[Settled], at: datetime) -> None:
    """Keep answers; a settled one is replaced by a settled one only."""
    with database.begin() as connection:
        for one in found:
            here = (_answers.c.production == production) & (_answers.c.question == one.question)
            known = connection.execute(sa.select(_answers.c.settled).where(here)).scalar()
            if known and not one.settled:
                continue
            connection.execute(sa.delete(_answers).where(here))
            row = {"question": one.question, "answer": one.answer, "settled": one.settled, "detail": one.detail}
            connection.execute(
                sa.insert(_answers).values(**row, production=production, sandbox=sandbox, at=clock.iso(at))
            )


def load_answers(database: Database, production: str) -> dict[str, Settled]:
    """The answers known for a production, by question."""
    query = sa.select(_answers).where(_answers.c.production == production).order_by(_answers.c.question)
    with database.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return {
        row["question"]: Settled(row["question"], row["answer"], bool(row["settled"]), row["detail"]) for row in rows
    }
