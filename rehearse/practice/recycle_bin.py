"""What leaves the recycle bin: emptied by hand, evicted when it is too full, purged when its time is over.

A row taken out by hand becomes a ghost, which queryAll shows for a day and nothing brings back; an evicted or purged
row is gone. Time is the virtual clock's. Refuses nothing.
"""

from __future__ import annotations

from datetime import timedelta

from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.org_state import OrgState, as_stamp
from rehearse.practice.org_tables import quote

BIN_REST = timedelta(hours=2)  # younger rows are not evicted


def empty_bin(org: OrgState, given: str) -> bool:
    """Take a row, and what went with it, out of the bin for good; answers whether it was there."""
    row_id = restore_case(given) if is_id(given) else given
    sql = "UPDATE recycle_bin SET hard = 1, deleted_at = ? WHERE (id = ? OR root = ?) AND hard = 0"
    with org.transaction() as db:
        return db.execute(sql, (org.stamp(), row_id, row_id)).rowcount > 0


def _evict(org: OrgState) -> None:
    """Purge the oldest rows of a bin that holds more than `bin_rows` (setting), if they are at least two hours old."""
    most = int(org.settings.get("bin_rows", 0))
    if not most:
        return
    with org.transaction() as db:
        over = db.execute("SELECT count(*) FROM recycle_bin WHERE hard = 0").fetchone()[0] - most
        edge = as_stamp(org.now() - BIN_REST)
        sql = "SELECT id, object FROM recycle_bin WHERE hard = 0 AND deleted_at <= ? ORDER BY deleted_at, id LIMIT ?"
        for row_id, name in db.execute(sql, (edge, max(over, 0))).fetchall():
            _purge(org, row_id, name)


def _purge(org: OrgState, row_id: str, name: str) -> None:
    if org.find_object(name) is not None:
        org.db.execute(f'DELETE FROM {quote(name)} WHERE "Id" = ? AND "IsDeleted" = 1', (row_id,))
    org.db.execute("DELETE FROM recycle_bin WHERE id = ?", (row_id,))
    org.db.execute("DELETE FROM cleared_lookups WHERE target = ?", (row_id,))


def expire(org: OrgState) -> None:
    """Purge what is past its time: 15 days in the bin (setting `bin_days`), 24 hours as a ghost (`ghost_hours`)."""
    _evict(org)
    now = org.now()
    bin_edge = as_stamp(now - timedelta(days=org.settings.get("bin_days", 15)))
    ghost_edge = as_stamp(now - timedelta(hours=org.settings.get("ghost_hours", 24)))
    sql = "SELECT id, object FROM recycle_bin WHERE (hard = 0 AND deleted_at < ?) OR (hard = 1 AND deleted_at < ?)"
    with org.lock:
        if org.db.execute(f"{sql} LIMIT 1", (bin_edge, ghost_edge)).fetchone() is None:
            return
        with org.transaction() as db:
            for row_id, name in db.execute(sql, (bin_edge, ghost_edge)).fetchall():
                _purge(org, row_id, name)
