"""When may a sandbox be refreshed again, and how long do its copies take? Pure: history in, dates out.

No Salesforce API holds the next refresh date, so it is computed from what the org said about earlier copies
(SandboxProcess rows) plus the interval of the licence type, as two dates: *possible from* counts from the last
request, *certain from* from the later of the end of its copy and its activation. Which of the rules the platform
follows is not documented anywhere that can be relied on: see ledger_rule.py for how observed answers settle it.
A licence type whose interval is not known is never predicted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from rehearse import clock
from rehearse.schedule.ledger_rule import Counting, Cycle, Dated, Refusal, Rule, build_counting

__all__ = [
    "ASSUMED_END",
    "COPY_TIMES",
    "DONE",
    "GONE",
    "INTERVALS",
    "Availability",
    "Cycle",
    "Refusal",
    "Refreshable",
    "Rule",
    "build_availability",
    "find_in_force",
    "interval_of",
    "leeway_of",
    "licence_name",
    "merge_by_hand",
    "percentile",
]

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

ASSUMED_END = "(the end of the copy is assumed)"
"""In the note of a refresh that a person wrote down without its end."""

DONE = ("completed", "discarded")
"""States after which a sandbox takes the next request. A discarded copy leaves the old org in place, but its request
counts: whether it uses up the interval is not documented, so it is assumed to."""

_DAY = timedelta(days=1)
GONE = ("deleting", "deleted")
"""States of the newest copy after which there is no sandbox to refresh: only making it anew, in Setup, helps."""
Refreshable = Literal["yes", "maybe", "no"]


@dataclass(frozen=True)
class Availability:
    """What is known of one sandbox's refreshes at one instant. `generation` counts its activated copies.

    `rule` is what *certain from* counts from; `settled` says that observed answers (or the configuration) leave one
    rule only. `evidence` says in words what was observed.
    """

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
    rule: Dated = "activation"
    evidence: str = ""
    live_since: datetime | None = None
    """Since when the sandbox is the org that it is; a copy that waits or was dropped does not count."""


def build_availability(
    name: str, licence: str | None, cycles: Sequence[Cycle], now: datetime, rule: Rule = "learn"
) -> Availability:
    """The refresh dates of one sandbox from its cycles (any order). `days_left` counts to *certain from*, 0 = now."""
    ordered = sorted(cycles, key=lambda one: one.requested)
    last = ordered[-1] if ordered else None
    kind = licence or (last.licence if last else None)
    interval = interval_of(kind, ordered)
    in_force = find_in_force(ordered)
    counting = build_counting([] if last is not None and last.state in GONE else ordered, interval, rule)
    certain = counting.certain_from
    times = copy_times(ordered, kind)
    shown = in_force if last is not None and last.state == "discarded" and in_force else last
    return Availability(
        sandbox=name,
        type=kind,
        state=shown.state if shown else "unknown",
        org_id=in_force.org_id if in_force else None,
        generation=sum(1 for one in ordered if one.state == "completed"),
        requested=last.requested if last else None,
        copied=last.copied if last else None,
        activated=last.activated if last else None,
        possible_from=counting.possible_from,
        certain_from=certain,
        refreshable=_refreshable(last, interval, counting, now),
        days_left=None if certain is None else max(0, math.ceil((certain - now) / timedelta(days=1))),
        copy_p50=percentile(times, 50),
        copy_p90=percentile(times, 90),
        settled=counting.settled,
        note=_note(last, kind, interval, now),
        rule=counting.rule,
        evidence=counting.evidence,
        live_since=(in_force.activated or in_force.copied or in_force.requested) if in_force else None,
    )


def find_in_force(cycles: Sequence[Cycle]) -> Cycle | None:
    """The copy that the sandbox is now: the newest completed one, also while licences keep it locked. What a deleted
    sandbox of the same name was does not count."""
    ordered = sorted(cycles, key=lambda one: one.requested)
    now_named = next((one.sandbox_id for one in reversed(ordered) if one.sandbox_id), "")
    ordered = [one for one in ordered if one.sandbox_id in ("", now_named)]
    if ordered and ordered[-1].state in GONE:
        return None
    done = [one for one in ordered if one.state == "completed" or (one.state == "locked" and _was_live(one, ordered))]
    return max(done, key=lambda one: one.requested, default=None)


def _was_live(one: Cycle, ordered: Sequence[Cycle]) -> bool:
    """Whether a locked copy had become the sandbox: it was activated, or it is the first, which needs no activation."""
    first = next(other for other in ordered if other.sandbox_id == one.sandbox_id)
    return one.copied is not None and (one.activated is not None or first is one)


def merge_by_hand(cycles: Sequence[Cycle], written: Cycle) -> tuple[Cycle, ...]:
    """What people told of a sandbox, with the refresh that rehearse.yaml gives: neither makes the other forgotten.

    Of two that are one refresh (its request is within a day of the other, or lies in it) the end that is later counts,
    and the request that is earlier, because a sheet often knows one date only.
    """
    same = [one for one in cycles if _touch(one, written) or _touch(written, one)]
    fullest = max([*same, written], key=lambda one: one.activated or one.copied or one.requested)
    fullest = replace(fullest, requested=min(one.requested for one in (*same, written)))
    return tuple(sorted([*(one for one in cycles if one not in same), fullest], key=lambda one: one.requested))


def _touch(one: Cycle, other: Cycle) -> bool:
    end = one.activated or one.copied or one.requested
    return one.requested - _DAY < other.requested < end + _DAY


def holds(told: Cycle, requested: datetime) -> bool:
    """Whether a request that a person wrote down is that of a refresh which production tells: within a day of it, or
    before it was activated (a sheet often knows that day only)."""
    end = told.activated or told.copied or told.requested
    return told.requested - _DAY < requested < max(told.requested + _DAY, end)


def with_licence(cycles: Sequence[Cycle], fallback: str | None) -> tuple[Cycle, ...]:
    """The cycles; those that a person wrote down without a licence type take the newest that is known, else this."""
    known = next((one.licence for one in reversed(cycles) if one.licence != "?"), fallback or "?")
    return tuple(replace(one, licence=known) if one.licence == "?" else one for one in cycles)


def interval_of(licence: str | None, cycles: Sequence[Cycle] = ()) -> timedelta | None:
    """The time between two refreshes of a licence type: as configured (carried by its cycles), else as documented."""
    configured = next((one.interval for one in cycles if one.interval is not None and one.licence == licence), None)
    return configured or INTERVALS.get(licence or "")


def leeway_of(licence: str | None) -> timedelta:
    """How far from the time that was booked for it a request may be and still be that refresh: half the interval, at
    most a week. A sandbox that may be refreshed daily has other refreshes booked within a week."""
    week = timedelta(days=7)
    return min(week, INTERVALS.get(licence or "", 2 * week) / 2)


def licence_name(given: str) -> str:
    """One spelling of a licence type: upper case, underscores (the CLI and older tools write `Developer Pro`)."""
    return "_".join(given.upper().replace("-", " ").replace("_", " ").split())


def copy_times(cycles: Sequence[Cycle], licence: str | None) -> list[timedelta]:
    """How long the copies of this licence type took, from request to copied, in the order of the requests.

    A sandbox that was deleted and made again with another licence type begins a new history.
    """
    return [
        one.copied - one.requested
        for one in sorted(cycles, key=lambda one: one.requested)
        if one.copied and not one.by_hand and licence in (None, one.licence)
    ]


def percentile(values: Sequence[timedelta], percent: int) -> timedelta | None:
    """The nearest-rank percentile: the smallest value that at least `percent` % of the values do not exceed."""
    if not values:
        return None
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def _refreshable(last: Cycle | None, interval: timedelta | None, counting: Counting, now: datetime) -> Refreshable:
    if last is None:
        return "yes"
    if last.state not in DONE:
        return "no"
    possible, certain = counting.possible_from, counting.certain_from
    if interval is None or possible is None:
        return "maybe"
    if now < possible:
        return "no"
    if certain is None or now < certain or any(one.at >= certain and one.is_about_time for one in last.refusals):
        return "maybe"
    return "yes"


def _note(last: Cycle | None, kind: str | None, interval: timedelta | None, now: datetime) -> str:
    if last is None:
        return "no refresh is known"
    if last.state in GONE:
        return "it is being deleted" if last.state == "deleting" else "it was deleted in Salesforce"
    if last.state == "locked":
        return "it is locked: its licences are used up"
    if last.state not in DONE:
        return f"the last refresh is {last.state}"
    if interval is None:
        return (
            f"the refresh interval of licence type {kind} is not known; give it under refresh.interval in rehearse.yaml"
        )
    refused = [one for one in last.refusals if one.at <= now]
    return f"refused on {clock.iso(refused[-1].at)}: {refused[-1].text}" if refused else ""
