"""Ready lists and checked arrivals in the workspace database: one list a generation of a sandbox, kept for good.

An item is ticked by a person who is named, or by a query that says so; it can be ticked only when somebody owns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from rehearse import clock
from rehearse.errors import NotFound, Refused
from rehearse.ids import find_by_prefix
from rehearse.refresh.model import ReadyItem
from rehearse.state import TABLES, Database

MASKED = "masking finished"
"""The item that a baseline waits for: records of people are masked before they are kept."""

_items = sa.Table(
    "ready_item",
    TABLES,
    sa.Column("sandbox", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("ticked_by", sa.Text),
    sa.Column("ticked_at", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
)
_arrivals = sa.Table(
    "sandbox_arrival",
    TABLES,
    sa.Column("sandbox", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("copy", sa.Text, nullable=False),
    sa.Column("checked", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)


def add_items(database: Database, sandbox: str, org_id: str, items: Sequence[ReadyItem]) -> int:
    """Add items to the list of a generation; those that it has already stay as they are. How many were added."""
    known = {one.item.casefold() for one in load_items(database, sandbox, org_id)}
    new = [one for one in {one.item.casefold(): one for one in items}.values() if one.item.casefold() not in known]
    with database.begin() as connection:
        for place, one in enumerate(new, start=len(known)):
            row = {"sandbox": sandbox, "org_id": org_id, "item": one.item, "place": place}
            connection.execute(sa.insert(_items).values(**row, owner=one.owner, why=one.why, note=one.note))
    return len(new)


def load_items(database: Database, sandbox: str, org_id: str) -> tuple[ReadyItem, ...]:
    """The list of a generation in its order; empty where none was started."""
    query = sa.select(_items).where(*_of(_items, sandbox, org_id)).order_by(_items.c.place)
    with database.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return tuple(_from_row(row) for row in rows)


def find_item(items: Sequence[ReadyItem], name: str) -> ReadyItem:
    """The item of this name in any letter case, or the one that starts so; raises NotFound or AmbiguousId."""
    known = {one.item.casefold(): one for one in items}
    if not any(one.startswith(name.casefold()) for one in known):
        hint = f"Its items: {', '.join(one.item for one in items)}." if items else "Begin the list with --start."
        raise NotFound(f"There is no item {name!r} on the ready list.", hint)
    return known[find_by_prefix(name.casefold(), known, "item of the ready list")]


def set_owner(database: Database, sandbox: str, org_id: str, item: ReadyItem, owner: str) -> None:
    """Say who owns an item."""
    _change(database, (sandbox, org_id, item.item), owner=owner)


def tick(database: Database, sandbox: str, org_id: str, item: ReadyItem, mark: tuple[str, datetime, str]) -> None:
    """Tick an item: by whom, when, and a note. Raises Refused where nobody owns it."""
    by, at, note = mark
    if not item.owner:
        raise Refused(
            f"Nobody owns {item.item!r}, so nobody can say that it is done.",
            f'Say who does: rehearse refresh ready {sandbox} --owner "{item.item}=NAME".',
        )
    _change(database, (sandbox, org_id, item.item), ticked_by=by, ticked_at=clock.iso(at), note=note)


def untick(database: Database, sandbox: str, org_id: str, item: ReadyItem) -> None:
    """Take a tick back."""
    _change(database, (sandbox, org_id, item.item), ticked_by=None, ticked_at=None, note="")


def is_masking_open(database: Database, sandbox: str, org_id: str) -> bool:
    """Whether this generation waits for its masking: its list has the item, and nobody ticked it."""
    return any(one.item.casefold() == MASKED and not one.is_done for one in load_items(database, sandbox, org_id))


def tick_command(database: Database, sandbox: str, org_id: str) -> str:
    """The command that says that masking is done; what nobody owns yet gets its owner with it."""
    owned = any(one.owner for one in load_items(database, sandbox, org_id) if one.item.casefold() == MASKED)
    owner = "" if owned else f' --owner "{MASKED}=NAME"'
    return f'rehearse refresh ready {sandbox}{owner} --tick "{MASKED}" --by NAME'


def record_arrival(database: Database, sandbox: str, org_id: str, copy: str, mark: tuple[str, datetime]) -> bool:
    """Keep that the new org answered and is the right one; False where that was known already."""
    if load_arrival(database, sandbox, org_id) is not None:
        return False
    by, at = mark
    row = {"sandbox": sandbox, "org_id": org_id, "copy": copy, "by": by, "checked": clock.iso(at)}
    with database.begin() as connection:
        connection.execute(sa.insert(_arrivals).values(**row))
    return True


def load_arrival(database: Database, sandbox: str, org_id: str) -> datetime | None:
    """When a generation was checked; None where it was not."""
    query = sa.select(_arrivals.c.checked).where(*_of(_arrivals, sandbox, org_id))
    with database.begin() as connection:
        found = connection.execute(query).scalar()
    return None if found is None else clock.from_iso(found)


def _of(table: sa.Table, sandbox: str, org_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return sa.func.lower(table.c.sandbox) == sandbox.lower(), table.c.org_id == org_id


def _change(database: Database, key: tuple[str, str, str], **values: str | None) -> None:
    where = (*_of(_items, *key[:2]), _items.c.item == key[2])
    with database.begin() as connection:
        connection.execute(sa.update(_items).where(*where).values(**values))


def _from_row(row: sa.RowMapping) -> ReadyItem:
    at = None if row["ticked_at"] is None else clock.from_iso(row["ticked_at"])
    return ReadyItem(row["item"], row["owner"], row["why"], row["ticked_by"] or "", at, row["note"])
