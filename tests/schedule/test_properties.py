"""Whatever the world: the schedule passes every rule, and what it says of its goals is what it has."""

import subprocess
import sys
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


INTERRUPTED = """
import os, random, signal, threading
from ortools.sat.python import cp_model
from rehearse.schedule.solver_settings import new_solver

signal.signal(signal.SIGINT, signal.default_int_handler)
dice, model = random.Random(1), cp_model.CpModel()
every = [dice.randrange(10**14) * model.new_bool_var("") for _ in range(80)]
apart = model.new_int_var(0, 10**16, "")
model.add(sum(every) - 2 * 10**15 <= apart)
model.add(2 * 10**15 - sum(every) <= apart)
model.minimize(apart)
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    print(new_solver(9).solve(model))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupted_search_is_interrupted_and_no_answer() -> None:
    """OR-Tools takes Ctrl-C for the end of its time: `plan --book` booked what it had found until then."""
    command = [sys.executable, "-c", INTERRUPTED]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "interrupted\n"
