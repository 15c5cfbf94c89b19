"""Merging rows: losers go to the recycle bin, and what pointed at them points at the master that stays.

As SOAP's merge() does it [SOAP guide, merge(); Apex guide, triggers and merge; data.md 4 row 8]: rows that move run no
automation, losers carry MasterRecordId and can be undeleted, what moved stays with the master. Refuses with RowError
more than two losers, rows that are not there, hierarchies that would close a circle. Promise: a merge is done or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearse.practice.field_security import require
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.recycle import Link, delete_row, links_to, pointing
from rehearse.practice.rows_persons import has_persons
from rehearse.practice.rows_rollup import touch
from rehearse.practice.rows_standard import follow_accounts
from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.rows_write import (
    Saved,
    Work,
    find_live,
    load_row,
    row_id_of,
    save_each,
    update_row,
    write_changes,
)
from rehearse.practice.schema import ObjectDef

MOST_LOSERS = 2  # three rows with the master
FAILED = "MERGE_FAILED"  # a status code of the SOAP guide; which of ours goes with it is our guess
Row = dict[str, Stored]


def merge(
    org: OrgState, user_id: str, name: str, master: Mapping[str, Any], losers: Sequence[str]
) -> tuple[Saved, tuple[str, ...]]:
    """Merge one or two rows of an object into `master` (its Id, and the values that it shall have then).

    Answers what became of the master, and the ids of the rows that moved to it. One transaction."""
    definition = org.object(name)
    work = Work(org, user_id)
    moved: list[str] = []
    (saved,) = save_each(work, [losers], lambda ids: _merge(work, definition, (master, ids), moved), False)
    return saved, tuple(dict.fromkeys(moved)) if saved.success else ()


def _merge(
    work: Work, definition: ObjectDef, asked: tuple[Mapping[str, Any], Sequence[str]], moved: list[str]
) -> Saved:
    given, losers = asked
    master_id = row_id_of(definition, given)
    master = find_live(work.org, definition, master_id)
    require(work.org, "edit", definition, master_id)
    ids = [row_id_of(definition, {"Id": one}) for one in losers]
    if not 1 <= len(ids) <= MOST_LOSERS or len({master_id, *ids}) <= len(ids):
        raise RowError(FAILED, "A merge takes a master and one or two other records", ())
    values = dict(given)
    for one in ids:
        loser = find_live(work.org, definition, one)
        _check_persons(definition, master, loser)
        moved += _move_all(work, definition, loser, master)
        _follow_boss(definition, master, loser, values)
    for one in ids:
        delete_row(work, one)
        write_changes(work.org, definition, one, {"MasterRecordId": master_id})
    _check_circles(work.org, definition, master_id)
    return update_row(work, definition, values)


def _check_persons(definition: ObjectDef, master: Row, loser: Row) -> None:
    if has_persons(definition) and bool(master.get("IsPersonAccount")) != bool(loser.get("IsPersonAccount")):
        raise RowError(FAILED, "A person and a business do not merge", ())


def _move_all(work: Work, definition: ObjectDef, loser: Row, master: Row) -> list[str]:
    """Let everything that points at a loser point at the master; the contact of a person stands for the person."""
    org = work.org
    moved = [one for link in links_to(org, definition.name) for one in _move(work, link, loser["Id"], master["Id"])]
    if definition.name == "Account" and master.get("IsPersonAccount"):
        ends = loser["PersonContactId"], master["PersonContactId"]
        moved += [one for link in links_to(org, "Contact") for one in _move(work, link, *ends)]
    return moved


def _move(work: Work, link: Link, old: Stored, new: Stored) -> list[str]:
    org = work.org
    child, one = link
    found = [row_id for row_id in pointing(org, link, str(old)) if not _stays(org, link, row_id, new)]
    stamp = org.stamp()
    stamps = {"LastModifiedDate": stamp, "LastModifiedById": work.user_id, "SystemModstamp": stamp}
    values: dict[str, Stored] = {name: value for name, value in stamps.items() if child.find(name) is not None}
    for row_id in found:
        write_changes(org, child, row_id, {one.name: new, **values})
        follow_accounts(org, child.name, row_id)
        touch(org, work.touched, child, load_row(org, child, row_id) or {})
    return found


def _stays(org: OrgState, link: Link, row_id: str, master: Stored) -> bool:
    """Whether a row goes with the loser: a person's own contact, a membership that the master has already."""
    child, one = link
    row = load_row(org, child, row_id) or {}
    if child.name == "Account" and one.name == "PersonContactId":
        return True
    if child.name == "Contact" and one.name == "AccountId":
        return bool(row.get("IsPersonAccount"))
    if child.name == "CampaignMember":
        sql = f'SELECT 1 FROM "CampaignMember" WHERE "CampaignId" = ? AND {quote(one.name)} = ? AND "IsDeleted" = 0'
        return org.db.execute(sql, (row.get("CampaignId"), master)).fetchone() is not None
    return False


def _follow_boss(definition: ObjectDef, master: Row, loser: Row, values: dict[str, Any]) -> None:
    """A master contact that reports to nobody reports to whom the loser did."""
    boss = loser.get("ReportsToId") if definition.name == "Contact" else None
    if boss and not master.get("ReportsToId"):
        values.setdefault("ReportsToId", boss)


def _check_circles(org: OrgState, definition: ObjectDef, master_id: str) -> None:
    """Refuse a master that would stand above itself in a hierarchy. Raises RowError CIRCULAR_DEPENDENCY."""
    for child, one in links_to(org, definition.name):
        above, seen = master_id, set()
        while child.name == definition.name and above and above not in seen:
            seen.add(above)
            row = load_row(org, definition, above) or {}
            above = str(row.get(one.name) or "")
        if child.name == definition.name and above == master_id:
            text = f"The merge would make a circle of {definition.plural.lower()}"
            raise RowError("CIRCULAR_DEPENDENCY", text, (one.name,))
