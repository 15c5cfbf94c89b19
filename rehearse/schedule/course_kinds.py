"""Copies of one kind: what can run on them from some epoch on, and what it costs to keep them, is the same.

Which sandbox a copy is in does not matter to a course otherwise; so few kinds stand for many copies. A kind knows the
one that it becomes at the next go-live. That a sandbox holds one copy at a time is only asked of the fewest sandboxes
that something is bound to: there a new copy is asleep while the old one is in use, for a month at most.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field

from rehearse.release.model import Release
from rehearse.schedule.axis import minutes
from rehearse.schedule.course import Course, Starts, Task
from rehearse.schedule.outline import FAR, State
from rehearse.schedule.outline_state import MONTH, count_lives, steps
from rehearse.schedule.site import Site
from rehearse.schedule.solver_refresh import oldest_request

_FEW = 1
"""Sandboxes that something is bound to; of more it takes longer to ask than it tells."""
Kind = int
"""The number of a kind; a kind belongs to one epoch."""
Kinds = tuple[Kind, ...]
"""Copies in use, in the order of their numbers; the same number twice: two of a kind."""


@dataclass(frozen=True, eq=False)
class Copy:
    """A copy: requested in the epoch `born`, at `requested` at the latest, ready at `ready` at the earliest.

    `state`: one that is there, or settled, whatever is planned.
    """

    site: Site
    born: int
    requested: int
    ready: int
    state: State | None = None


@dataclass(frozen=True)
class Profile:
    """What may run on a copy in an epoch: the starts by task of the epoch, and the reset after each."""

    reset: int
    starts: tuple[Starts, ...]


_New = tuple[Profile, int, Kind, int, Kind]
"""What a kind is: profile, step, the kind that follows, how scarce, and the kind that it is when awake."""


@dataclass
class KindBook:
    """Every kind by its number. `step`: the advances that it costs to take a copy of it into its epoch.

    `scarce`: how many of those few sandboxes it takes; `awake`: what an asleep one is once it was activated, else -1.
    """

    course: Course
    few: frozenset[str] = frozenset()
    profiles: list[Profile] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    following: list[Kind] = field(default_factory=list)
    scarce: list[int] = field(default_factory=list)
    awake: list[Kind] = field(default_factory=list)
    _numbers: dict[_New, Kind] = field(default_factory=dict)
    _known: dict[object, Kind] = field(default_factory=dict)
    _better: dict[tuple[Kind, Kind], bool] = field(default_factory=dict)
    _oldest: dict[int, dict[int, int]] = field(default_factory=dict)
    _bounds: dict[int, int] = field(default_factory=dict)
    _chances: dict[tuple[str, int], list[tuple[Release, int]]] = field(default_factory=dict)

    def find(self, copy: Copy, epoch: int) -> Kind:
        """The kind that a copy is of in an epoch."""
        if epoch > self.course.end:
            return -1
        key = (copy, epoch) if copy.state or copy.born == epoch else (copy.site.name, self._age(copy, epoch), epoch)
        if key not in self._known:
            profile = Profile(copy.site.reset, tuple(self._starts(copy, epoch)))
            scarce = int(self.is_scarce(copy, epoch))
            self._known[key] = self._number((profile, self._step(copy, epoch), self.find(copy, epoch + 1), scarce, -1))
        return self._known[key]

    def find_asleep(self, copy: Copy, epoch: int) -> Kind:
        """The kind of a copy that was requested and is not activated in an epoch."""
        profile = Profile(copy.site.reset, tuple(() for _ in self.course.there[epoch]))
        lives, cadence = self.course.outline.lives, copy.site.cadence
        wait = MONTH + (cadence.copy if cadence is not None else 0)
        can_wait = epoch < self.course.end and lives[epoch] <= copy.requested + wait
        if can_wait and self.is_scarce(copy, epoch + 1):
            following = self.find_asleep(copy, epoch + 1)
        else:
            following = self.find(copy, epoch + 1)
        return self._number((profile, self._step(copy, epoch), following, 0, self.find(copy, epoch)))

    def _number(self, new: _New) -> Kind:
        if new not in self._numbers:
            profile, step, following, scarce, awake = new
            self._numbers[new] = len(self.profiles)
            self.profiles.append(profile)
            self.step.append(step)
            self.following.append(following)
            self.scarce.append(scarce)
            self.awake.append(awake)
        return self._numbers[new]

    def is_scarce(self, copy: Copy, epoch: int) -> bool:
        """Whether a copy takes one of the few sandboxes, while anything that is bound to them is yet to run."""
        if copy.site.name not in self.few or epoch > self.course.end:
            return False
        if copy.state is not None and copy.state is not self.course.outline.states[copy.site.name][0]:
            return False
        return any(one.epochs[-1] >= epoch and set(one.demand.starts) <= self.few for one in self.course.tasks)

    def is_as_good(self, one: Kind, other: Kind) -> bool:
        """Whether whatever runs on copies of one kind could run on those of another, now and later, and no dearer."""
        if one == other or other < 0:
            return True
        if self.scarce[one] > self.scarce[other] or self.awake[one] >= 0 or self.awake[other] >= 0:
            return False
        key = one, other
        if key not in self._better:
            mine, its = self.profiles[one], self.profiles[other]
            self._better[key] = (
                mine.reset <= its.reset
                and self.step[one] <= self.step[other]
                and all(_holds(more, less) for more, less in zip(mine.starts, its.starts, strict=True))
                and self.is_as_good(self.following[one], self.following[other])
            )
        return self._better[key]

    def _age(self, copy: Copy, epoch: int) -> int:
        """When it was requested, where that still matters to anything."""
        if epoch not in self._bounds:
            tasks = [one for one in self.course.tasks if one.demand.age is not None and one.epochs[-1] >= epoch]
            self._bounds[epoch] = min((min(self.oldest(one).values()) for one in tasks), default=FAR)
        return copy.requested if copy.requested >= self._bounds[epoch] else -FAR

    def oldest(self, task: Task) -> dict[int, int]:
        """When the data of a task may have been requested at the earliest, by its start."""
        if task.number not in self._oldest:
            problem, demand = self.course.outline.problem, task.demand
            self._oldest[task.number] = {one: oldest_request(problem, demand, one) for one in task.cost}
        return self._oldest[task.number]

    def _step(self, copy: Copy, epoch: int) -> int:
        outline = self.course.outline
        if copy.state is not None:
            return steps(outline, copy.state, epoch)
        return count_lives(outline, epoch) if epoch > copy.born else 0

    def _starts(self, copy: Copy, epoch: int) -> list[Starts]:
        lives = self._lives(copy, epoch)
        return [self._of_task(copy, epoch, self.course.tasks[number], lives) for number in self.course.there[epoch]]

    def _of_task(self, copy: Copy, epoch: int, task: Task, lives: list[tuple[Release, int]]) -> Starts:
        starts = self.course.starts.get((task.number, copy.site.name, epoch), ())
        if not starts or (task.demand.fresh and not self._is_fresh(copy, epoch)):
            return ()
        needed = self.course.outline.problem.earlier.get(task.demand.key, ())
        first = copy.ready if copy.state or copy.born == epoch else 0
        first = max([first, *(end for release, end in lives if release in needed)])
        found = starts[bisect_left(starts, first) :]
        if task.demand.age is not None:
            oldest = self.oldest(task)
            found = tuple(one for one in found if copy.requested >= oldest[one])
        return found

    def _lives(self, copy: Copy, epoch: int) -> list[tuple[Release, int]]:
        """The releases that go live where an epoch begins and that a copy lacks, and when they can be advanced."""
        if copy.state is None and copy.born == epoch:
            return []
        if not self._chances:
            outline = self.course.outline
            for one in outline.problem.chances:
                if not one.fixed:
                    live = outline.epoch(outline.problem.axis.up(one.release.go_live))
                    end = one.starts[0] + one.length
                    self._chances.setdefault((one.sandbox, live), []).append((one.release, end))
        some = self._chances.get((copy.site.name, epoch), [])
        return [one for one in some if copy.state is None or one[0].name not in copy.state.held]

    def _is_fresh(self, copy: Copy, epoch: int) -> bool:
        """Whether nothing need have started on it; what runs on it now is told elsewhere."""
        state = copy.state
        if state is None:
            return copy.born == epoch
        outline = self.course.outline
        if any(steps(outline, state, one) for one in range(state.born, epoch + 1)):
            return False
        return state is not outline.states[copy.site.name][0] or (copy.site.untouched and not copy.site.burned)


def _holds(more: Starts, less: Starts) -> bool:
    return more == less or set(more) >= set(less)


def open_book(course: Course) -> KindBook:
    """A book that asks of the fewest sandboxes that anything is bound to whether they hold one copy at a time."""
    some = sorted({tuple(sorted(one.demand.starts)) for one in course.tasks}, key=lambda names: (len(names), names))
    few = some[0] if some and len(some[0]) <= _FEW and len(some[0]) < len(course.outline.problem.sites) else ()
    return KindBook(course, frozenset(few))


@dataclass(frozen=True)
class Supply:
    """By epoch the kinds of copies that may be requested in it, with their sandboxes, and those that are there."""

    births: dict[int, dict[Kind, tuple[str, ...]]]
    settled: dict[int, tuple[tuple[Kind, str], ...]]


def list_supply(book: KindBook) -> Supply:
    """What may be requested, but for what is no better than something else; and what is there whatever is planned."""
    course = book.course
    births: dict[int, dict[Kind, set[str]]] = defaultdict(lambda: defaultdict(set))
    settled: dict[int, list[tuple[Kind, str]]] = defaultdict(list)
    for site in course.outline.problem.sites:
        for state in course.outline.states[site.name]:
            born = max(course.begin, state.born)
            copy = Copy(site, born, state.requested, state.ready, state)
            settled[born].append((book.find(copy, born), site.name))
        for copy in _list_copies(course, site):
            births[copy.born][book.find(copy, copy.born)].add(site.name)
            if book.is_scarce(copy, copy.born):
                births[copy.born][book.find_asleep(copy, copy.born)].add(site.name)
    good = {
        epoch: {
            kind: tuple(sorted(names))
            for kind, names in some.items()
            if not any(
                book.is_as_good(one, kind) and (not book.is_as_good(kind, one) or one < kind)
                for one in some
                if one != kind
            )
        }
        for epoch, some in births.items()
    }
    return Supply(good, {epoch: tuple(some) for epoch, some in settled.items()})


def _list_copies(course: Course, site: Site) -> list[Copy]:
    """The copies that may be requested in a sandbox: of those that are ready for the same starts, the latest."""
    problem, cadence, found = course.outline.problem, site.cadence, list[Copy]()
    if cadence is None:
        return found
    points, activations = (problem.axis.points(one) for one in (problem.requests[site.name], problem.activations))
    settle = minutes(problem.wish.policy.settle)
    for epoch, birth in course.outline.flows[site.name].births.items():
        starts = sorted(
            {one for task in course.there[epoch] for one in course.starts.get((task, site.name, epoch), ())}
        )
        ready: dict[int, tuple[int, int]] = {}
        for one in points[bisect_left(points, birth.low) : bisect_right(points, birth.high)]:
            number = bisect_left(activations, one + cadence.copy)
            if number < len(activations):
                at = activations[number] + settle
                place = bisect_left(starts, at)
                ready[place] = one, min(at, ready.get(place, (one, at))[1])
        found += [Copy(site, epoch, *dates) for dates in ready.values()]
    return found
