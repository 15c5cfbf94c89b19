"""When somebody was last seen to log in to a sandbox: by a command of ours, or as a person wrote it down.

Salesforce deletes a sandbox that nobody logs in to for 180 days. Only the newest time is kept, and an older one that is
written down later changes nothing.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa

from rehearse import clock
from rehearse.ids import ByName
from rehearse.state import TABLES, Database

_uses = sa.Table(
    "sandbox_use",
    TABLES,
    sa.Column("sandbox", sa.Text, primary_key=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)
_DAY = timedelta(days=1)


def record_use(database: Database, sandbox: str, at: datetime, by: str) -> None:
    """Keep that somebody logged in to a sandbox; within a day of the last time nothing is written."""
    known = load_uses(database).get(sandbox)
    if known is not None and at < known + _DAY:
        return
    name, row = sandbox.casefold(), {"at": clock.iso(at), "by": by[:120]}
    with suppress(sa.exc.IntegrityError), database.begin() as connection:  # another command told of it just now
        if not connection.execute(sa.update(_uses).where(_uses.c.sandbox == name).values(**row)).rowcount:
            connection.execute(sa.insert(_uses).values(sandbox=name, **row))


def load_uses(database: Database) -> ByName[datetime]:
    """The last time by sandbox name, in any letter case."""
    with database.begin() as connection:
        rows = connection.execute(sa.select(_uses.c.sandbox, _uses.c.at)).all()
    return ByName((name, clock.from_iso(at)) for name, at in rows)
