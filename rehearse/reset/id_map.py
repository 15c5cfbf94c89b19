"""The id map of a sandbox generation: rows that came back under a new Id, old -> new.

It belongs to the org id (the generation), not to a plan or a baseline: every later compare applies it. Pairs are
written in the transaction that closes the journal's intent, before any row that refers to them is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

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
        """Write pairs inside the caller's transaction; a pair that is known already is replaced.

        The Id that a row had in between leads to its new one too: a later baseline knows the row by that.
        """
        for old, new in sorted(pairs.items()):
            between = connection.execute(sa.select(_pairs.c.new).where(self._is(old))).scalar()
            self._write(connection, old, new)
            if between not in (None, old, new):
                self._write(connection, str(between), new)

    def _is(self, old: str) -> sa.ColumnElement[bool]:
        return (_pairs.c.org_id == self.org_id) & (_pairs.c.old == old)

    def _write(self, connection: sa.Connection, old: str, new: str) -> None:
        connection.execute(sa.delete(_pairs).where(self._is(old)))
        connection.execute(sa.insert(_pairs).values(org_id=self.org_id, old=old, new=new))


def turn(ids: Mapping[str, str], find_held: Callable[[Collection[str]], Collection[str]]) -> dict[str, str]:
    """New Id -> Id in a baseline. Of several that lead to one new Id, that which the baseline holds, as `find_held`
    tells of those in doubt."""
    olds: dict[str, list[str]] = {}
    for old, new in ids.items():
        olds.setdefault(new, []).append(old)
    doubt = {old for several in olds.values() if len(several) > 1 for old in several}
    held = find_held(doubt) if doubt else ()
    return {new: next((one for one in several if one in held), several[-1]) for new, several in olds.items()}


def _last(old: str, pairs: Mapping[str, str]) -> str:
    seen, new = {old}, pairs[old]
    while new in pairs and new not in seen:
        seen.add(new)
        new = pairs[new]
    return new
