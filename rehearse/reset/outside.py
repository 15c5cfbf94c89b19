"""What changed outside the scope since the baseline began: counted, object by object, and named in the proof.

Objects that cannot be counted by SystemModstamp are left out of the count; the proof speaks only about its scope.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from rehearse import clock
from rehearse.baseline.model import Capture
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader

AT_ONCE = 4


def count_outside(reader: OrgReader, before: Capture) -> dict[str, int]:
    """Rows changed since the baseline began, by object outside its scope; only objects with any."""
    inside = {one.name for one in before.scope.objects}
    since = clock.iso(before.started)
    names = [one.name for one in reader.fetch_objects() if one.queryable and one.name not in inside]

    def count(name: str) -> int:
        try:
            return reader.fetch_count(f"SELECT COUNT() FROM {name} WHERE SystemModstamp >= {since}")
        except OrgRejected:
            return 0

    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = dict(zip(names, pool.map(count, names), strict=True))
    return {name: number for name, number in sorted(counts.items()) if number}
