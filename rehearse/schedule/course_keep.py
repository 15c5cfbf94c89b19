"""Which copies are used after an epoch, and which are burned in it: those choices that are not worse than others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, product

from rehearse.schedule.course import Course
from rehearse.schedule.course_kinds import Kind, KindBook, Kinds


def list_kept(book: KindBook, there: Kinds, become: Callable[[Kind], Kind]) -> Iterator[Kinds]:
    """The copies that may be kept: none while one is given up that is as good and costs no more."""
    counts = Counter(there)
    kinds = sorted(counts, key=lambda one: (-sum(_wins(book, become, one, other) for other in counts), one))
    better = {one: [other for other in kinds if _wins(book, become, other, one)] for one in kinds}

    def choose(place: int, chosen: dict[Kind, int]) -> Iterator[Kinds]:
        if place == len(kinds):
            yield tuple(sorted(one for one, count in chosen.items() for _ in range(count)))
            return
        kind = kinds[place]
        whole = all(chosen.get(other, 0) == counts[other] for other in better[kind])
        for count in range(counts[kind] + 1 if whole else 1):
            yield from choose(place + 1, {**chosen, kind: count})

    yield from choose(0, {})


def _wins(book: KindBook, become: Callable[[Kind], Kind], one: Kind, other: Kind) -> bool:
    """Whether one kind is to be kept rather than another; of equal ones, the one with the smaller number."""
    if one == other:
        return False
    mine, its = become(one), become(other)
    return book.is_as_good(mine, its) and (not book.is_as_good(its, mine) or one < other)


def list_burned(course: Course, epoch: int, there: Kinds) -> Iterator[tuple[Kinds, Kinds]]:
    """The copies that may be burned in an epoch, no more than there are things that burn; and the others."""
    tasks = [course.tasks[one].demand for one in course.there[epoch]]
    most = min(len(there), sum(1 for one in tasks if one.burns))
    for count in range(most + 1):
        for burned in sorted(set(combinations(there, count))):
            stay = list(there)
            for one in burned:
                stay.remove(one)
            yield burned, tuple(stay)


def list_woken(book: KindBook, before: Kinds) -> Iterator[Kinds]:
    """The copies from before, each that is asleep activated now or not."""
    ways = [(one, book.awake[one]) if book.awake[one] >= 0 else (one,) for one in before]
    yield from sorted({tuple(sorted(some)) for some in product(*ways)})


def list_whole(book: KindBook, stay: Kinds, room: int) -> Iterator[Kinds]:
    """All copies, but for those beyond the room that the few sandboxes have."""
    scarce = [one for one in stay if book.scarce[one]]
    others = [one for one in stay if not book.scarce[one]]
    for some in sorted(set(combinations(scarce, min(len(scarce), max(0, room))))):
        yield tuple(sorted((*others, *some)))


def count_new(book: KindBook, before: Kinds, burned: Kinds) -> int:
    """How many of the burned copies were activated in this very epoch: the old ones of their sandboxes are gone."""
    new = Counter(one for one in burned if book.scarce[one]) - Counter(before)
    return sum(new.values())
