"""Resets that began to write and did not come to their end, as the journal tells: their sandboxes are half put back.

Only the newest reset of a sandbox counts (a later one took over what an earlier one left), and not one that is at work
now, nor what a drill does with its canary. One that is too old to be continued is planned anew. Reads the workspace
database only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from rehearse import clock
from rehearse.journal import Entry, load_by_kind
from rehearse.reset.context import ApplySettings
from rehearse.reset.drill_progress import DRILL, list_drill_plans
from rehearse.state import Database


@dataclass(frozen=True)
class BrokenOff:
    """A reset (`run` is its plan) that was broken off, so that the sandbox is half put back.

    It began at `since` by this machine's clock and at `began` by the org's, in the org `org_id` (empty: written by an
    older rehearse); `resumable`: not too old to be continued, and not planned on another machine.
    """

    sandbox: str
    run: str
    since: datetime
    began: datetime
    resumable: bool
    org_id: str = ""

    def __str__(self) -> str:
        return f"{self.sandbox}: reset {self.run[:12]} was broken off, so it is half put back"

    @property
    def next_command(self) -> str:
        """What puts the rest back."""
        if self.resumable:
            return f"rehearse reset apply {self.run[:12]} --confirm {self.sandbox}"
        return f"rehearse reset plan {self.sandbox}"


def load_broken_off(database: Database, now: datetime, at_work: Collection[str] = ()) -> tuple[BrokenOff, ...]:
    """What waits for its end; `at_work` are the sandboxes that somebody holds, `now` is this machine's clock."""
    newest: dict[str, Entry] = {}
    ended: set[str] = set()
    entries = load_by_kind(database, ("begin", "end", DRILL))
    drills = list_drill_plans(entries)
    for one in entries:
        if one.kind == "begin" and one.run not in drills:
            newest[one.sandbox] = one
        elif one.kind == "end" and one.closed is not None:
            ended.add(one.run)
    oldest = now - ApplySettings().continue_within
    return tuple(
        BrokenOff(name, one.run, one.opened, _began(one), one.opened >= oldest, str(one.detail.get("org", "")))
        for name, one in sorted(newest.items())
        if one.run not in ended and name not in at_work
    )


def _began(entry: Entry) -> datetime:
    return clock.from_iso(str(entry.detail["began"])) if "began" in entry.detail else entry.opened
