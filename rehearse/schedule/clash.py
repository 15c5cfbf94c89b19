"""The smallest set of rules that clash: lifting any one of them makes all rehearsals of the set fit.

First any irreducible set, by leaving rules out in halves; then, while time allows, the smallest, by smallest hitting
sets of what would have to be lifted. It names rules only; the sentences are made elsewhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ortools.sat.python import cp_model

from rehearse.schedule.fit import Fit, is_many
from rehearse.schedule.model import Schedule, Wish
from rehearse.schedule.rows import Key, Row, list_rows

_NEAREST = 12
T = TypeVar("T", bound=Row | Key)


@dataclass(frozen=True)
class Clash:
    """Rehearsals that cannot all be placed, and a smallest set of rules that keeps them from it."""

    keys: frozenset[Key]
    rows: tuple[Row, ...]


def find_clash(fit: Fit, wish: Wish, schedule: Schedule, key: Key) -> Clash | None:
    """Why a rehearsal did not fit; None when time ran out, or when it would have fitted after all."""
    try:
        keys = _find_keys(fit, wish, schedule, key)
        if keys is None:
            return None
        rows = list_rows(wish, keys)
        found = shrink(rows, lambda some: not fit.fits(keys, frozenset(rows) - frozenset(some)))
    except TimeoutError:
        return None
    with contextlib.suppress(TimeoutError):
        found = _find_smallest(fit, keys, rows, found)
    return Clash(keys, tuple(found))


def _find_keys(fit: Fit, wish: Wish, schedule: Schedule, key: Key) -> frozenset[Key] | None:
    """The rehearsal and those it follows; where they fit alone, as few others as it takes not to fit."""
    alone = with_order(wish, frozenset([key]))
    if not fit.fits(alone):
        return alone
    placed = [(one.release or "", one.rehearsal or "") for one in schedule.bookings]
    others = tuple(one for one in placed if one not in alone)
    if is_many(wish, alone | frozenset(others)):
        others = _nearest(wish, key, others)
    if fit.fits(with_order(wish, alone | frozenset(others))):
        return None
    kept = shrink(others, lambda some: not fit.fits(with_order(wish, alone | frozenset(some))))
    return with_order(wish, alone | frozenset(kept))


def _nearest(wish: Wish, key: Key, others: tuple[Key, ...]) -> tuple[Key, ...]:
    """Those that go live nearest to a rehearsal: what is far away in time is seldom in the way."""
    lives = {one.name: one.go_live for one in wish.releases}
    return tuple(sorted(others, key=lambda one: (abs(lives[one[0]] - lives[key[0]]), one)))[:_NEAREST]


def with_order(wish: Wish, keys: frozenset[Key]) -> frozenset[Key]:
    """Rehearsals with all those that they follow."""
    follows = {
        (release.name, one.name): (release.name, one.after)
        for release in wish.releases
        for one in release.rehearsals
        if one.after
    }
    found = set(keys)
    for key in keys:
        while key in follows:
            key = follows[key]
            found.add(key)
    return frozenset(found)


def shrink(every: Sequence[T], holds: Callable[[Sequence[T]], bool]) -> tuple[T, ...]:
    """A part that still holds and of which nothing can be left out; `every` holds, and so does more than what holds."""
    kept, size = list(every), max(1, len(every) // 2)
    while True:
        at = 0
        while at < len(kept):
            rest = kept[:at] + kept[at + size :]
            if holds(rest):
                kept = rest
            else:
                at += size
        if size == 1:
            return tuple(kept)
        size = max(1, size // 2)


def _find_smallest(fit: Fit, keys: frozenset[Key], rows: tuple[Row, ...], found: tuple[Row, ...]) -> tuple[Row, ...]:
    """The smallest clashing set: a smallest hitting set of all that would have to be lifted, as soon as it clashes."""
    every = frozenset(rows)
    must_hit: list[frozenset[Row]] = []
    while True:
        hit = _smallest_hitting_set(rows, must_hit)
        if len(hit) >= len(found):
            return found
        if not fit.fits(keys, every - hit):
            return tuple(sorted(hit))
        must_hit.append(_must_lift(fit, keys, rows, hit))


def _must_lift(fit: Fit, keys: frozenset[Key], rows: Sequence[Row], hit: frozenset[Row]) -> frozenset[Row]:
    """Rules whose lifting makes everything fit, and of which none may stay."""
    every = frozenset(rows)
    rest = [one for one in rows if one not in hit]
    return frozenset(shrink(rest, lambda some: fit.fits(keys, frozenset(some) & every)))


def _smallest_hitting_set(rows: Sequence[Row], must_hit: Sequence[frozenset[Row]]) -> frozenset[Row]:
    model = cp_model.CpModel()
    chosen = {one: model.new_bool_var("") for one in rows}
    for some in must_hit:
        model.add_bool_or([chosen[one] for one in sorted(some)])
    model.minimize(sum(chosen.values()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    solver.parameters.random_seed = 1
    solver.solve(model)
    return frozenset(one for one, literal in chosen.items() if solver.value(literal))
