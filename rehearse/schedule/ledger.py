"""When may a sandbox be refreshed again, and how long do its copies take? Pure: history in, dates out.

No Salesforce API holds the next refresh date, so it is computed from what the org said about earlier copies
(SandboxProcess rows) plus the interval of the licence type, as two dates: *possible from* counts from the last
request, *certain from* from the later of the end of its copy and its activation. Which of the two rules the platform
follows is not documented anywhere that can be relied on; a request that was accepted between the two dates settles it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

INTERVALS: Mapping[str, timedelta] = {
    "FULL": timedelta(days=29),
    "PARTIAL": timedelta(days=5),
    "DEVELOPER_PRO": timedelta(days=1),
    "DEVELOPER": timedelta(days=1),
}
"""Days between refreshes by licence type (Salesforce Help, sandbox types). An unknown type has no interval here."""

COPY_TIMES: Mapping[str, timedelta] = {
    "FULL": timedelta(hours=48),
    "PARTIAL": timedelta(hours=12),
    "DEVELOPER_PRO": timedelta(hours=4),
    "DEVELOPER": timedelta(hours=2),
}
"""Copy time assumed for a sandbox without a history of its own; `refresh.copy_time` overrides it."""

Rule = Literal["learn", "request", "end", "activation"]
Refreshable = Literal["yes", "maybe", "no"]


@dataclass(frozen=True)
class Cycle:
    """One create or refresh of a sandbox, as the org (or a person) reported it."""

    id: str
    sandbox: str
    licence: str
    state: str
    org_id: str | None
    requested: datetime
    copied: datetime | None
    activated: datetime | None
    by_hand: bool = False


@dataclass(frozen=True)
class Availability:
    """What is known of one sandbox's refreshes at one instant. `generation` counts its activated copies."""

    sandbox: str
    type: str | None
    state: str
    org_id: str | None
    generation: int
    requested: datetime | None
    copied: datetime | None
    activated: datetime | None
    possible_from: datetime | None
    certain_from: datetime | None
    refreshable: Refreshable
    days_left: int | None
    copy_p50: timedelta | None
    copy_p90: timedelta | None
    settled: bool = False
    note: str = ""


def build_availability(
    name: str, licence: str | None, cycles: Sequence[Cycle], now: datetime, rule: Rule = "learn"
) -> Availability:
    """The refresh dates of one sandbox from its cycles (any order). `days_left` counts to *certain from*, 0 = now."""
    ordered = sorted(cycles, key=lambda one: one.requested)
    kind = licence or (ordered[-1].licence if ordered else None)
    interval = INTERVALS.get(kind or "")
    last = ordered[-1] if ordered else None
    in_force = next((one for one in reversed(ordered) if one.state == "completed"), None)
    possible, certain, settled = _dates(ordered, interval, rule)
    times = [one.copied - one.requested for one in ordered if one.copied and not one.by_hand]
    return Availability(
        sandbox=name,
        type=kind,
        state=last.state if last else "unknown",
        org_id=in_force.org_id if in_force else None,
        generation=sum(1 for one in ordered if one.state == "completed"),
        requested=last.requested if last else None,
        copied=last.copied if last else None,
        activated=last.activated if last else None,
        possible_from=possible,
        certain_from=certain,
        refreshable=_refreshable(last, interval, possible, certain, now),
        days_left=None if certain is None else max(0, math.ceil((certain - now) / timedelta(days=1))),
        copy_p50=percentile(times, 50),
        copy_p90=percentile(times, 90),
        settled=settled,
        note=_note(last, kind, interval),
    )


def percentile(values: Sequence[timedelta], percent: int) -> timedelta | None:
    """The nearest-rank percentile: the smallest value that at least `percent` % of the values do not exceed."""
    if not values:
        return None
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def _dates(
    ordered: Sequence[Cycle], interval: timedelta | None, rule: Rule
) -> tuple[datetime | None, datetime | None, bool]:
    if not ordered or interval is None:
        return None, None, False
    last = ordered[-1]
    request, end = last.requested + interval, (last.copied or last.activated)
    latest = max((one for one in (last.copied, last.activated) if one), default=None)
    if rule == "request":
        return request, request, True
    if rule in ("end", "activation"):
        base = end if rule == "end" else latest
        date = None if base is None else base + interval
        return date, date, True
    if _accepted_early(ordered, interval):
        return request, request, True
    return request, None if latest is None else latest + interval, False


def _accepted_early(ordered: Sequence[Cycle], interval: timedelta) -> bool:
    """Whether the org once took a request that only the rule "from the request" allows."""
    for before, after in zip(ordered, ordered[1:], strict=False):
        if before.by_hand or after.by_hand:
            continue
        ends = [one for one in (before.copied, before.activated) if one]
        if ends and before.requested + interval <= after.requested < max(ends) + interval:
            return True
    return False


def _refreshable(
    last: Cycle | None,
    interval: timedelta | None,
    possible: datetime | None,
    certain: datetime | None,
    now: datetime,
) -> Refreshable:
    if last is None:
        return "yes"
    if interval is None or last.state != "completed" or possible is None or now < possible:
        return "no"
    return "yes" if certain is not None and now >= certain else "maybe"


def _note(last: Cycle | None, kind: str | None, interval: timedelta | None) -> str:
    if last is None:
        return "no refresh is known"
    if interval is None:
        return f"the refresh interval of licence type {kind} is not known"
    return "" if last.state == "completed" else f"the last refresh is {last.state}"
