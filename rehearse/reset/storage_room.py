"""Does the sandbox have room for what a reset brings back? Asked of /limits before anything is written.

Rows in the recycle bin take no data storage (facts/data.md 2.5), so undeleted rows count like inserted ones. What the
reset deletes is not counted as room: Salesforce recalculates storage some time later.
"""

from __future__ import annotations

from collections import Counter

from rehearse.errors import GateClosed
from rehearse.org.connect import OrgReader
from rehearse.reset.model import ResetPlan

KILOBYTES = {"Campaign": 8}
"""What one row takes, by object; nearly every other object takes 2 KB a row (Salesforce Help, data storage)."""
USUAL = 2
_LIMIT = "DataStorageMB"


def needed_kilobytes(plan: ResetPlan) -> int:
    """The data storage that the rows of this plan take once they are back."""
    back = Counter(one.type for one in plan.actions if one.kind == "record" and one.do in ("insert", "undelete"))
    return sum(KILOBYTES.get(object, USUAL) * count for object, count in back.items())


def require_room(reader: OrgReader, plan: ResetPlan) -> None:
    """Raises GateClosed when the data storage that is left cannot hold the rows that come back."""
    needed = needed_kilobytes(plan)
    limit = reader.fetch_limits().get(_LIMIT) if needed else None
    if limit is None or needed <= limit.remaining * 1024:
        return
    raise GateClosed(
        f"{plan.sandbox} has {limit.remaining:,} MB of data storage left; the rows that come back need "
        f"{-(-needed // 1024):,} MB.",
        "Delete what nobody needs there (and empty the recycle bin), then run the same command again.",
    )
