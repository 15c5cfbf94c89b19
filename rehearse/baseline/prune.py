"""Which captures lose their records: the rules of keeping, decided from values alone. Nothing is destroyed here.

A capture older than the keep time loses its record parts (by its key) and keeps its manifest, metadata and proofs. Kept
all the same: the newest proven baseline of a sandbox that is booked (the newest usable one, where none is proven yet),
what a reset still needs, and the captures whose parts a kept incremental one names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rehearse.baseline.layers import owners
from rehearse.baseline.model import Baseline, Capture
from rehearse.baseline.store_model import Fate
from rehearse.ids import is_same_name

PROVEN = ("clean", "clean-with-residue")


@dataclass(frozen=True)
class KeepRules:
    """`booked`: sandboxes with a booking now or later; `needed`: captures that something else needs, and what."""

    now: datetime
    keep: timedelta
    booked: frozenset[str] = frozenset()
    needed: Mapping[str, str] = field(default_factory=dict)


def decide_fates(captures: Sequence[Capture], baselines: Iterable[Baseline], rules: KeepRules) -> tuple[Fate, ...]:
    """The fate of the records of each capture (those that still have a key), oldest first."""
    named = {one.capture: one for one in baselines}
    reasons = {**_newest_of_booked(captures, named, rules), **rules.needed}
    fates = {one.ulid: _fate(one, named.get(one.ulid), rules, reasons) for one in captures}
    for one in captures:
        if fates[one.ulid].destroyed:
            continue
        for owner in needed_by(one) - {one.ulid}:
            if owner in fates and fates[owner].destroyed:
                what = fates[one.ulid].name or one.ulid
                fates[owner] = replace(fates[owner], destroyed=False, why=f"{what} is built on its records")
    return tuple(sorted(fates.values(), key=lambda fate: (fate.taken, fate.capture)))


def needed_by(capture: Capture) -> set[str]:
    """The captures whose files and keys a capture needs, itself included. (An incremental one names all its owners.)"""
    return {capture.ulid}.union(*(owners(found, capture.ulid) for found in capture.objects))


def _fate(capture: Capture, baseline: Baseline | None, rules: KeepRules, reasons: Mapping[str, str]) -> Fate:
    days = rules.keep / timedelta(days=1)
    keep = f"{days:g} day{'' if days == 1 else 's'}"
    why, destroyed = f"older than {keep}", True
    if rules.now - capture.started < rules.keep:
        why, destroyed = f"younger than {keep}", False
    elif capture.ulid in reasons:
        why, destroyed = reasons[capture.ulid], False
    name = baseline.name if baseline else ""
    return Fate(capture.ulid, name, capture.sandbox, capture.started, capture.record_count, destroyed, why)


def _newest_of_booked(captures: Sequence[Capture], named: Mapping[str, Baseline], rules: KeepRules) -> dict[str, str]:
    booked = {one.lower() for one in rules.booked}
    found: dict[str, str] = {}
    for sandbox in {one.sandbox.lower(): one.sandbox for one in captures if one.sandbox.lower() in booked}.values():
        mine = [
            named[one.ulid]
            for one in sorted(captures, key=lambda one: (one.started, one.ulid))
            if is_same_name(one.sandbox, sandbox) and one.ulid in named
        ]
        proven = [one for one in mine if one.proof_verdict in PROVEN]
        usable = [one for one in mine if one.verdict == "usable"]
        if proven:
            found[proven[-1].capture] = f"the newest proven baseline of {sandbox}, which is booked"
        elif usable:
            found[usable[-1].capture] = f"the newest baseline of {sandbox}, which is booked; none is proven yet"
    return found
