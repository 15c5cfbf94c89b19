"""What the refresh interval counts from: the request, the end of the copy, or the activation. Pure.

No source says it for certain (facts/sandbox-and-auth.md 1.2), so each rule is kept until an answer of the platform
contradicts it. An accepted request is proof: every rule whose date had not come yet is wrong. A refused one is only
doubt, because a refusal may have other causes: rules whose date had passed are set aside, which raises the date shown,
and an acceptance overrules it. When every rule is in doubt, the refusal was about something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rehearse import clock

Rule = Literal["learn", "request", "end", "activation"]
Dated = Literal["request", "end", "activation"]
_RULES: tuple[Dated, ...] = ("request", "end", "activation")
_LIVED = ("completed", "locked")
"""States of a copy that became the sandbox."""
_WORDS = {"request": "the request", "end": "the end of the copy", "activation": "the activation"}

NOT_ABOUT_TIME = frozenset(
    {
        "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INVALID_TYPE", "INVALID_FIELD", "MALFORMED_ID",
        "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "REQUIRED_FIELD_MISSING",
        "JSON_PARSER_ERROR", "REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "STRING_TOO_LONG", "DUPLICATE_VALUE",
        "NOT_FOUND", "API_DISABLED_FOR_ORG", "FUNCTIONALITY_NOT_ENABLED",
    }
)  # fmt: skip
"""Codes that surely are not about dates. The code of a refresh that comes too early is in no source, so any other
refusal may be."""


@dataclass(frozen=True)
class Refusal:
    """A request that the platform refused, in its own words."""

    at: datetime
    code: str
    text: str
    by: str = ""

    @property
    def is_about_time(self) -> bool:
        """Whether this refusal may say something about the interval."""
        return self.code not in NOT_ABOUT_TIME


@dataclass(frozen=True)
class Cycle:
    """One create or refresh of a sandbox, as the org (or a person) reported it.

    `sandbox_id` tells a deleted sandbox from its successor of the same name; `refusals` are requests that were refused
    while this was the newest one; `expected_p50` and `expected_p90` are what we forecast for `copied` when the copy
    was first seen under way; `learned` are rules that another sandbox of this type proved wrong; `interval` is set
    where rehearse.yaml gives one for the licence type.
    """

    id: str
    sandbox: str
    licence: str
    state: str
    org_id: str | None
    requested: datetime
    copied: datetime | None
    activated: datetime | None
    by_hand: bool = False
    sandbox_id: str = ""
    started: datetime | None = None
    source: str = "org"
    by: str = ""
    note: str = ""
    clone_of: str = ""
    progress: int | None = None
    expected_p50: datetime | None = None
    expected_p90: datetime | None = None
    refusals: tuple[Refusal, ...] = ()
    learned: frozenset[Dated] = frozenset()
    interval: timedelta | None = None

    def counted_from(self, rule: Dated) -> datetime | None:
        """The instant that a rule counts from; None while it has not come."""
        if rule == "request":
            return self.requested
        if rule == "end":
            return self.copied or self.activated
        if self.activated is None and self.state in ("pending-activation", "activating"):
            return None  # it is still to come: a date that counts from the end of the copy would move later
        return max((one for one in (self.copied, self.activated) if one), default=None)


@dataclass(frozen=True)
class Counting:
    """The dates that the rules still in force give, the one that *certain from* counts by, and why."""

    possible_from: datetime | None
    certain_from: datetime | None
    settled: bool
    rule: Dated
    evidence: str


def build_counting(ordered: Sequence[Cycle], interval: timedelta | None, rule: Rule) -> Counting:
    """The two dates after the last of these cycles (oldest first), by a configured rule or by what was observed."""
    if not ordered or interval is None:
        return Counting(None, None, False, "activation" if rule == "learn" else rule, "")
    last = ordered[-1]
    if rule != "learn":
        base = last.counted_from(rule)
        date = None if base is None else base + interval
        return Counting(date, date, True, rule, f"refresh.clock says: {_WORDS[rule]}")
    kept, evidence = _weigh(ordered, interval)
    dates = [last.counted_from(one) for one in kept]
    known = [one + interval for one in dates if one is not None]
    certain = max(known) if len(known) == len(dates) else None
    possible = min(known, default=last.requested + interval)
    return Counting(possible, certain, len(kept) == 1, kept[-1], evidence)


def _weigh(ordered: Sequence[Cycle], interval: timedelta) -> tuple[tuple[Dated, ...], str]:
    """The rules that stand, in the order of their dates, and what was observed."""
    kept, evidence = _RULES, ""
    licence = ordered[-1].licence
    for before, after in _pairs(ordered, licence):
        left = tuple(one for one in kept if not _contradicts(before, after, interval, one))
        if left and left != kept:
            kept = left
            evidence = f"the request of {clock.iso(after.requested)} was accepted: it counts from {_say(kept)}"
    left = tuple(one for one in kept if one not in ordered[-1].learned)
    if left and left != kept:
        kept = left
        evidence = f"a request for another sandbox of this type was accepted: it counts from {_say(kept)}"
    if len(kept) == 1:
        return kept, evidence
    for cycle in ordered:
        for refusal in cycle.refusals if cycle.licence == licence else ():
            left = tuple(one for one in kept if not _in_doubt(cycle, refusal, interval, one))
            if left and left != kept:
                kept = left
                evidence = (
                    f"the request of {clock.iso(refusal.at)} was refused ({refusal.text}): if that was about "
                    f"the interval, it counts from {_say(kept)}"
                )
    return kept, evidence


def find_wrong_rules(ordered: Sequence[Cycle], licence: str, interval: timedelta | None) -> frozenset[Dated]:
    """The rules that accepted requests of one sandbox (oldest first) prove wrong for a licence type, whose interval is
    given; never the request itself."""
    if interval is None:
        return frozenset()
    pairs = _pairs(ordered, licence)
    return frozenset(
        one for one in _RULES if any(_contradicts(before, after, interval, one) for before, after in pairs)
    )


def _pairs(ordered: Sequence[Cycle], licence: str) -> list[tuple[Cycle, Cycle]]:
    """What followed what while the sandbox had this licence type: another type has another interval."""
    return [one for one in zip(ordered, ordered[1:], strict=False) if one[0].licence == one[1].licence == licence]


def _say(rules: Sequence[Dated]) -> str:
    return " or ".join(_WORDS[one] for one in rules)


def _contradicts(before: Cycle, after: Cycle, interval: timedelta, rule: Dated) -> bool:
    """Whether `after` was taken although this rule forbade it. Only a refresh of the same sandbox tells anything.

    After a copy that was dropped nothing is proven: whether it uses up the interval is not documented, and where it
    does not, the request that follows was never early.
    """
    if before.by_hand or after.by_hand or before.state not in _LIVED:
        return False
    if before.sandbox_id and after.sandbox_id and before.sandbox_id != after.sandbox_id:
        return False
    if after.requested < before.requested + interval:
        return False  # no rule allows that: the interval of this sandbox was another one
    base = before.counted_from(rule)
    return base is not None and after.requested < base + interval


def _in_doubt(cycle: Cycle, refusal: Refusal, interval: timedelta, rule: Dated) -> bool:
    """Whether a refusal came although this rule allowed the request; one while the copy was still to come or to be
    activated was about that."""
    if not refusal.is_about_time or cycle.state not in (*_LIVED, "discarded"):
        return False
    if refusal.at < (cycle.activated or cycle.copied or cycle.requested):
        return False
    base = cycle.counted_from(rule)
    return base is not None and refusal.at >= base + interval
