"""A large planning narrowed to the sandboxes that are kept in use: what the coarse picture, or a plan, keeps current.

Within these a rehearsal may go anywhere. That is where the other goals are won: at no refresh and no advance more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rehearse.schedule.axis import intersect, merge
from rehearse.schedule.narrow import Narrow, Plan
from rehearse.schedule.outline_goals import Guess
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Key


@dataclass(frozen=True)
class Use:
    """Sandboxes and epochs: those in use, and those in which copies are requested, with how many by sandbox."""

    kept: frozenset[tuple[str, int]]
    asked: frozenset[tuple[str, int]]
    most: tuple[tuple[str, int], ...]

    def __or__(self, other: Use) -> Use:
        """What either keeps in use; as many copies as the one that asks for more."""
        most = dict(other.most)
        most |= {name: max(number, most.get(name, 0)) for name, number in self.most}
        return Use(self.kept | other.kept, self.asked | other.asked, tuple(sorted(most.items())))

    def widened(self, around: int) -> Use:
        """So many epochs before and after, too."""
        return Use(_widen(self.kept, around), _widen(self.asked, around), self.most)


def _widen(some: Iterable[tuple[str, int]], around: int) -> frozenset[tuple[str, int]]:
    return frozenset((name, epoch + one) for name, epoch in some for one in range(-around, around + 1))


def find_guess_use(guess: Guess) -> Use:
    """What the coarse picture keeps in use."""
    outline = guess.outline
    epochs, flows = range(len(outline.lives) + 1), outline.flows
    kept = frozenset((name, epoch) for name in flows for epoch in epochs if guess.is_in_use(name, epoch))
    asked = frozenset((name, one) for name, flow in flows.items() for one in flow.count if guess.value(flow.count[one]))
    most = {name: sum(guess.value(one) for one in flow.count.values()) for name, flow in flows.items()}
    return Use(kept, asked, tuple(sorted(most.items())))


def find_plan_use(problem: Problem, plan: Plan) -> Use:
    """What a plan keeps in use: each copy from its request to the last rehearsal that runs on it."""
    axis, lives = problem.axis, _list_lives(problem)
    kept: set[tuple[str, int]] = set()
    asked: set[tuple[str, int]] = set()
    most: dict[str, int] = {}
    for site in problem.sites:
        copies = [one for one in plan.schedule.refreshes if one.sandbox == site.name]
        new = [axis.down(one.request) for one in copies if not one.running]
        asked |= {(site.name, bisect_right(lives, one)) for one in new}
        most[site.name] = len(new)
        begins = sorted((axis.down(one.activate), axis.down(one.request)) for one in copies)
        for booking in plan.schedule.bookings:
            if booking.sandbox == site.name:
                start = axis.down(booking.start)
                born = max((one for one in begins if one[0] <= start), default=(0, axis.up(problem.wish.now)))[1]
                some = range(bisect_right(lives, born), bisect_right(lives, start) + 1)
                kept |= {(site.name, epoch) for epoch in some}
    return Use(frozenset(kept), frozenset(asked), tuple(sorted(most.items())))


def _list_lives(problem: Problem) -> list[int]:
    return sorted({problem.axis.up(one.go_live) for one in problem.wish.releases})


def narrow_to_use(problem: Problem, use: Use) -> Narrow:
    """Each rehearsal wherever and whenever a sandbox is in use, copies in the epochs in which they are asked for."""
    lives = _list_lives(problem)
    places: dict[Key, dict[str, tuple[int, ...]]] = {}
    for demand in problem.demands:
        found = {
            name: tuple(one for one in starts if (name, bisect_right(lives, one)) in use.kept)
            for name, starts in demand.starts.items()
        }
        places[demand.key] = {name: starts for name, starts in found.items() if starts}
    bounds = (-(10**9), *lives, 10**9)
    requests = {}
    for name, allowed in problem.requests.items():
        epochs = [one for other, one in use.asked if other == name and 0 <= one <= len(lives)]
        requests[name] = intersect(allowed, merge((bounds[one], bounds[one + 1]) for one in epochs))
    return Narrow(places, requests, dict(use.most))


def keep_in_use(problem: Problem, part: Narrow, plan: Plan) -> Narrow:
    """A part without the places in which a plan keeps nothing in use."""
    kept, lives = find_plan_use(problem, plan).kept, _list_lives(problem)
    places = {
        key: {
            name: tuple(one for one in starts if (name, bisect_right(lives, one)) in kept)
            for name, starts in some.items()
        }
        for key, some in part.places.items()
    }
    left = {key: {name: starts for name, starts in some.items() if starts} for key, some in places.items()}
    return replace(part, places=left)
