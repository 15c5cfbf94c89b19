"""Whatever the world: the schedule passes every rule, and what it says of its goals is what it has."""

from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.schedule.goals import count_goals
from rehearse.schedule.problem import build_problem
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 10**6))
def test_every_schedule_passes_the_rules(seed: int, worlds: SimpleNamespace) -> None:
    wish = worlds.random(seed, tiny=True)
    found = solve(wish, seconds=10)
    assert check(found, wish) == [], seed
    assert {one.name: one.value for one in found.goals} == count_goals(build_problem(wish), found)
    assert all(one.bound <= one.value for one in found.goals)
    for one in found.unplaced:
        said = any(text.startswith(f"{one.release} {one.rehearsal}: ") for text in found.warnings)
        assert one.reasons or said, (seed, one.rehearsal)
