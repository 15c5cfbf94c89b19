"""Resets that began to write and did not come to their end, as the journal tells: their sandboxes are half put back.

Only the newest reset of a sandbox counts (a later one took over what an earlier one left), not one that is at work now,
and none that is too old to be continued. Reads the workspace database only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from rehearse.journal import Entry, load_by_kind
from rehearse.reset.context import ApplySettings
from rehearse.state import Database


@dataclass(frozen=True)
class BrokenOff:
    """A reset (`run` is its plan) that was broken off, and since when the sandbox is half put back."""

    sandbox: str
    run: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.sandbox}: reset {self.run[:12]} was broken off, so it is half put back"


def load_broken_off(database: Database, now: datetime, at_work: Collection[str] = ()) -> tuple[BrokenOff, ...]:
    """What waits to be continued; `at_work` are the sandboxes that somebody holds, `now` is this machine's clock."""
    newest: dict[str, Entry] = {}
    ended: set[str] = set()
    for one in load_by_kind(database, ("begin", "end")):
        if one.kind == "begin":
            newest[one.sandbox] = one
        elif one.closed is not None:
            ended.add(one.run)
    oldest = now - ApplySettings().continue_within
    return tuple(
        BrokenOff(name, one.run, one.opened)
        for name, one in sorted(newest.items())
        if one.run not in ended and name not in at_work and one.opened >= oldest
    )
