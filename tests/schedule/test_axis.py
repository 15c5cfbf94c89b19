"""Sets of minutes: intersections and differences agree with sets of numbers."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse import clock
from rehearse.schedule.axis import Axis, intersect, merge, starts_inside, starts_touching, subtract

PAIRS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)


def _set(ranges) -> set[int]:  # type: ignore[no-untyped-def]
    return {minute for start, end in ranges for minute in range(start, end)}


@settings(deadline=None)
@given(PAIRS, PAIRS)
def test_ranges_are_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    left, right = merge(one), merge(other)
    assert _set(left) == _set(one)
    assert all(before[1] < after[0] for before, after in zip(left, left[1:], strict=False))
    assert _set(intersect(left, right)) == _set(one) & _set(other)
    assert _set(subtract(left, right)) == _set(one) - _set(other)


@settings(deadline=None)
@given(PAIRS, st.integers(1, 5))
def test_starts_inside_and_starts_touching(windows: list[tuple[int, int]], length: int) -> None:
    windows = [one for one in windows if one[0] < one[1]]
    inside, touching = _set(starts_inside(windows, length)), _set(starts_touching(windows, length))
    for start in range(-5, 45):
        run = set(range(start, start + length))
        assert (start in inside) == any(run <= set(range(*one)) for one in windows)
        assert (start in touching) == any(run & set(range(*one)) for one in windows)


def test_bounds_are_rounded_to_the_safe_side() -> None:
    origin: datetime = clock.from_iso("2026-11-23T00:00:00Z")
    axis = Axis(origin, (0, 30, 60))
    late = origin + timedelta(minutes=30, seconds=1)
    assert (axis.down(late), axis.up(late)) == (30, 31)
    assert axis.points(((0, 31),)) == (0, 30) and axis.instant(60) == origin + timedelta(hours=1)
