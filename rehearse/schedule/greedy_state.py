"""A sandbox from one refresh to the next, for the greedy pass: what it holds, and what has it when. In minutes."""

from __future__ import annotations

from dataclasses import dataclass, field

from rehearse.schedule.axis import minutes
from rehearse.schedule.problem import Problem
from rehearse.schedule.site import Site
from rehearse.schedule.solver_board import hold_offsets

FAR = 10**9


@dataclass
class Stay:
    """A sandbox between two refreshes. `advanced`: release -> end of its advance.

    `burned`: nothing starts from here on. `closed_before`: nothing new may start before this, for a fresh start that
    was promised.
    """

    sandbox: str
    ready: int
    until: int
    requested: int
    held: frozenset[str]
    untouched: bool
    burned: int = FAR
    closed_before: int = -FAR
    taken: list[tuple[int, int]] = field(default_factory=list)
    advanced: dict[str, int] = field(default_factory=dict)

    def takes(self, start: int, end: int, *, burns: bool = False) -> bool:
        """Whether something may have the sandbox for a while."""
        if not (self.ready <= start and end <= self.until and self.closed_before <= start < self.burned):
            return False
        if burns and any(one >= start for one, _ in self.taken):
            return False
        return not any(start < other and one < end for one, other in self.taken)

    def take(self, start: int, end: int, *, burns: bool = False) -> None:
        """Something has the sandbox from now on."""
        self.taken.append((start, end))
        if burns:
            self.burned = min(self.burned, start)

    def is_fresh(self, start: int) -> bool:
        """Whether nothing has started before a start."""
        return self.untouched and not any(one < start for one, _ in self.taken)


def build_stays(problem: Problem) -> dict[str, list[Stay]]:
    """Every sandbox with what is in force, booked or under way, and what is booked in it; no new refreshes."""
    return {site.name: _of_site(problem, site) for site in problem.sites}


def _of_site(problem: Problem, site: Site) -> list[Stay]:
    policy = problem.wish.policy
    settle, usable = minutes(policy.settle), policy.usable_during_copy
    requested = -FAR if site.requested is None else site.requested
    stays = [Stay(site.name, site.ready, FAR, requested, site.since | site.advanced, site.untouched)]
    if site.burned:
        stays[0].burned = -FAR
    for one in sorted(site.planned, key=lambda found: found.activations[0]):
        at = one.activations[0]
        stays[-1].until = at if usable else one.request
        stays.append(Stay(site.name, at + settle, FAR, one.request, one.since, True))
    for start, end, burns in _booked(problem, site):
        stay = next((one for one in reversed(stays) if one.ready <= start), stays[0])
        stay.take(start, end, burns=burns)
    for chance in problem.chances:
        if chance.fixed and chance.sandbox == site.name:
            stay = next((one for one in reversed(stays) if one.ready <= chance.starts[0]), stays[0])
            stay.advanced[chance.release.name] = chance.starts[0] + chance.length
    return stays


def _booked(problem: Problem, site: Site) -> list[tuple[int, int, bool]]:
    """What stays: from, until with hold and reset, and whether it burns."""
    found = [(one.start, one.end, one.burns) for one in site.blocks]
    for demand in problem.demands:
        if demand.fixed and demand.booking is not None and site.name in demand.starts:
            start = demand.starts[site.name][0]
            end = start + hold_offsets(problem, demand)[start] + (0 if demand.burns else site.reset)
            found.append((start, max(end, problem.axis.up(demand.booking.free_at)), demand.burns))
    return found
