"""Which releases go live when, in the workspace database: later plannings need them, whatever files they are given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.clock import Span, parse_span
from rehearse.release.model import Release
from rehearse.state import TABLES, Database

_releases = sa.Table(
    "release",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("go_live", sa.Text, nullable=False),
    sa.Column("advance", sa.Text, nullable=False),
    sa.Column("seen", sa.Text, nullable=False),
)


def record_releases(database: Database, releases: Iterable[Release], now: datetime) -> None:
    """Keep when releases go live; what is known of a release is replaced."""
    with database.begin() as connection:
        for one in releases:
            connection.execute(sa.delete(_releases).where(_releases.c.name == one.name))
            row = {"name": one.name, "title": one.title, "go_live": clock.iso(one.go_live), "advance": str(one.advance)}
            connection.execute(sa.insert(_releases).values(**row, seen=clock.iso(now)))


def forget_release(database: Database, name: str) -> None:
    """Forget when a release goes live: it does not, or has another name now."""
    with database.begin() as connection:
        connection.execute(sa.delete(_releases).where(_releases.c.name == name))


def load_other_releases(database: Database, given: Iterable[Release]) -> tuple[Release, ...]:
    """The releases that are known but not given, without rehearsals: their go-lives and advances count all the same."""
    names = [one.name for one in given]
    query = sa.select(_releases).where(_releases.c.name.not_in(names)).order_by(_releases.c.go_live, _releases.c.name)
    with database.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return tuple(
        Release(
            name=row["name"],
            title=row["title"],
            file="",
            go_live=clock.from_iso(row["go_live"]),
            ready=None,
            window=Span(),
            advance=parse_span(row["advance"]),
            priority=4,
            package=None,
            rehearsals=(),
        )
        for row in rows
    )
