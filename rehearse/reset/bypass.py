"""What the journal knows about switches that silence an org's automation: which are on, since when, for which run.

An intent `bypass-on` is written, with the prior values sealed under the workspace key, before a switch is touched; the
switch counts as on until `bypass-off` of the same run is closed. So a killed run can never be forgotten. Reads only the
workspace database; who switches is apply_bypass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearse.journal import Entry, load_by_kind
from rehearse.state import Database

ON, OFF = "bypass-on", "bypass-off"


@dataclass(frozen=True)
class Bypass:
    """Switches of one run that are on in one sandbox generation; `run` is the reset plan that continues it."""

    sandbox: str
    org_id: str
    run: str
    since: datetime
    switches: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.sandbox}: automation is bypassed by reset {self.run[:12]} ({', '.join(self.switches)})"


def load_bypasses(database: Database) -> tuple[Bypass, ...]:
    """Everything that is switched on now, in any sandbox of this workspace."""
    entries = load_by_kind(database, (ON, OFF))
    runs = dict.fromkeys(one.run for one in entries)
    found = (_build([one for one in entries if one.run == run]) for run in runs)
    return tuple(one for one in found if one is not None)


def open_switches(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The `bypass-on` entries of one run whose switch was not put back yet, in order."""
    entries = list(entries)
    closed = {one.detail["switch"] for one in entries if one.kind == OFF and one.closed is not None}
    return tuple(one for one in entries if one.kind == ON and one.detail["switch"] not in closed)


def _build(entries: list[Entry]) -> Bypass | None:
    still = open_switches(entries)
    if not still:
        return None
    detail: Mapping[str, Any] = still[0].detail
    what = tuple(str(one.detail["what"]) for one in still)
    return Bypass(still[0].sandbox, str(detail["org"]), still[0].run, still[0].opened, what)
