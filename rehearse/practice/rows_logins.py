"""Whether users may log in: a row of UserLogin for each, by which people are frozen and unlocked.

The platform makes the rows; a person with Manage Users changes them [object reference, UserLogin]. A lock after too
many failed logins can be taken away and never be set. That a user has his row from the beginning is an assumption, and
nobody is kept out of the practice org for being frozen.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import RowError, Stored


def make_logins(org: OrgState) -> None:
    """A row for each user who has none yet."""
    sql = (
        'SELECT "Id", "CreatedDate", "CreatedById" FROM "User" '
        'WHERE "Id" NOT IN (SELECT "UserId" FROM "UserLogin") ORDER BY "Id"'
    )
    with org.transaction() as db:
        for user, at, by in db.execute(sql).fetchall():
            db.execute(
                'INSERT INTO "UserLogin" ("Id", "UserId", "LastModifiedDate", "LastModifiedById") VALUES (?, ?, ?, ?)',
                (org.new_id("0Yw"), user, at, by or user),
            )


def check_lock(values: Mapping[str, Stored], before: Mapping[str, Stored]) -> None:
    """Raise RowError for a lock that somebody sets: only failed logins do."""
    if values.get("IsPasswordLocked") and not before.get("IsPasswordLocked"):
        raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "A user cannot be locked by the API", ("IsPasswordLocked",))
