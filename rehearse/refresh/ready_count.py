"""How many items of each ready list are open. Apart from the rest of the room, so that `status` starts quickly."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from rehearse.state import Database


def count_open(database: Database) -> Counter[tuple[str, str]]:
    """(sandbox in lower case, org id) -> how many items of its list nobody ticked."""
    query = sa.text("SELECT sandbox, org_id FROM ready_item WHERE ticked_at IS NULL")
    with database.begin() as connection:
        rows = connection.execute(query).all()
    return Counter((name.casefold(), org_id) for name, org_id in rows)
