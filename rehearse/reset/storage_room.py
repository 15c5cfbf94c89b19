"""Does the sandbox have room for what a reset brings back? Asked of /limits before anything is written.

Rows in the recycle bin take no data storage (facts/data.md 2.5), so undeleted rows count like inserted ones; files take
file storage. What the reset deletes is not counted as room: Salesforce recalculates storage some time later.
"""

from __future__ import annotations

from collections import Counter

from rehearse.baseline.bodies import size_of
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.scope import BODY_TYPE
from rehearse.errors import GateClosed
from rehearse.org.connect import OrgReader
from rehearse.reset.model import ResetPlan

KILOBYTES = {"Campaign": 8}
"""What one row takes, by object; nearly every other object takes 2 KB a row (Salesforce Help, data storage)."""
USUAL = 2
_DATA, _FILES = "DataStorageMB", "FileStorageMB"


def needed_kilobytes(plan: ResetPlan) -> int:
    """The data storage that the rows of this plan take once they are back."""
    back = Counter(one.type for one in plan.actions if one.kind == "record" and one.do in ("insert", "undelete"))
    return sum(KILOBYTES.get(object, USUAL) * count for object, count in back.items())


def needed_file_bytes(store: CaptureStore, plan: ResetPlan) -> int:
    """The bytes of the files in the rows that come back, as far as the baseline holds files. Raises Damaged."""
    back: dict[str, set[str]] = {}
    for one in plan.actions:
        if one.kind == "record" and one.do in ("insert", "undelete"):
            back.setdefault(one.type, set()).add(one.key)
    needed = 0
    for scope in store.load(plan.baseline_capture).scope.objects if back else ():
        names = [one.name for one in scope.fields if one.type == BODY_TYPE]
        if names and scope.name in back:
            rows = store.load_rows(plan.baseline_capture, scope.name, back[scope.name], names)
            needed += sum(size_of(str(row[name])) for row in rows for name in names if row.get(name))
    return needed


def require_room(reader: OrgReader, plan: ResetPlan, store: CaptureStore) -> None:
    """Raises GateClosed when the storage that is left cannot hold the rows, or the files, that come back."""
    needed = {_DATA: -(-needed_kilobytes(plan) // 1024), _FILES: -(-needed_file_bytes(store, plan) // 1024**2)}
    limits = reader.fetch_limits() if any(needed.values()) else {}
    for name, megabytes in needed.items():
        limit = limits.get(name)
        if limit is not None and megabytes > limit.remaining:
            kind = "data" if name == _DATA else "file"
            raise GateClosed(
                f"{plan.sandbox} has {limit.remaining:,} MB of {kind} storage left; what comes back needs "
                f"{megabytes:,} MB.",
                "Delete what nobody needs there (and empty the recycle bin), then run the same command again.",
            )
