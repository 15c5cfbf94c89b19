"""The id map of a sandbox generation: rows that came back under a new Id, old -> new.

It belongs to the org id (the generation), not to a plan or a baseline: every later compare applies it. Pairs are
written in the transaction that closes the journal's intent, before any row that refers to them is sent.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from rehearse.state import TABLES, Database

_pairs = sa.Table(
    "id_map",
    TABLES,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("old", sa.Text, primary_key=True),
    sa.Column("new", sa.Text, nullable=False),
)


class IdMap:
    """The pairs of one generation."""

    def __init__(self, database: Database, org_id: str) -> None:
        self.database = database
        self.org_id = org_id

    def load(self) -> dict[str, str]:
        """All pairs, old -> newest: a row that was re-inserted twice leads to its last Id."""
        query = sa.select(_pairs.c.old, _pairs.c.new).where(_pairs.c.org_id == self.org_id)
        with self.database.begin() as connection:
            pairs = {row.old: row.new for row in connection.execute(query)}
        return {old: _last(old, pairs) for old in pairs}

    def add(self, connection: sa.Connection, pairs: Mapping[str, str]) -> None:
        """Write pairs inside the caller's transaction; a pair that is known already is replaced."""
        for old, new in sorted(pairs.items()):
            here = (_pairs.c.org_id == self.org_id) & (_pairs.c.old == old)
            connection.execute(sa.delete(_pairs).where(here))
            connection.execute(sa.insert(_pairs).values(org_id=self.org_id, old=old, new=new))


def _last(old: str, pairs: Mapping[str, str]) -> str:
    seen, new = {old}, pairs[old]
    while new in pairs and new not in seen:
        seen.add(new)
        new = pairs[new]
    return new
