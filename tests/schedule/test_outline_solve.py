"""The process that solves pictures: what it answers, and that it can be ended at any time."""

import random
import threading
import time

import pytest
from ortools.sat.python import cp_model

from rehearse.schedule.outline_solve import Answer, Worker, _Asked, read_row


def _cover(size: int) -> cp_model.CpModel:
    """Choose the fewest of a circle so that each has a chosen neighbour or is chosen: a third, rounded up."""
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in range(size)]
    for number in range(size):
        model.add(chosen[number - 1] + chosen[number] + chosen[(number + 1) % size] >= 1)
    model.add_at_most_one(chosen[:2])
    model.minimize(sum(chosen))
    return model


def test_it_answers_one_model_after_another_until_it_is_closed() -> None:
    with Worker() as worker:
        for size, least in ((9, 3), (10, 4), (31, 11)):
            answer = worker.minimize(_cover(size), 300)
            assert answer is not None and (answer.value, answer.bound) == (least, least)
            assert sum(answer.values) == least
        impossible = _cover(9)
        impossible.add(sum(impossible.get_bool_var_from_proto_index(one) for one in range(9)) <= 2)
        assert worker.minimize(impossible, 300) is None
    assert worker.minimize(_cover(9), 300) is None


@pytest.mark.parametrize("is_large", [False, True])
def test_a_limit_on_the_cost_spoils_no_bound(is_large: bool) -> None:
    """With a limit below the least, HiGHS calls what it happened to find the best: that is no bound."""
    dice = random.Random(5)
    with Worker() as worker:
        for constant in (0, 100, -50):
            model = cp_model.CpModel()
            chosen = [model.new_bool_var("") for _ in range(40)]
            for _ in range(60):
                model.add(sum(dice.sample(chosen, 4)) >= 1)
            model.minimize(sum((3 + number % 5) * one for number, one in enumerate(chosen)) + constant)
            free = worker.minimize(model, 300, is_large=is_large)
            assert free is not None and free.value == free.bound
            for more in (-20, -10, -1, 0, 5):
                found = worker.minimize(model, 300, free.bound + more, is_large=is_large)
                assert found is None or found.bound <= free.bound
                assert more < 0 or (found is not None and found.value == found.bound == free.value)


def test_the_relaxation_bounds_and_fixes_no_solution_away() -> None:
    """Whatever the limit: the best stays, and the bound of the relaxation alone is above nothing."""
    dice, fixed = random.Random(7), 0
    for seed in range(12):
        model = cp_model.CpModel()
        chosen = [model.new_int_var(0, 1 + (number % 9 == 0), "") for number in range(30)]
        for _ in range(25):
            model.add(sum(dice.sample(chosen, 3)) >= 1)
        model.add(sum(chosen[:12]) <= 9)
        model.minimize(sum((5 + number * (seed % 4)) * one for number, one in enumerate(chosen)) - 40 * (seed % 3))
        solver = cp_model.CpSolver()
        solver.solve(model)
        least = round(solver.objective_value)
        for more in (0, 1, 30):
            asked = _Asked.read(model.proto.SerializeToString())
            known = asked.relax(time.monotonic() + 60, least + more)
            assert known is not None and known.bound <= least and known.value is None
            fixed += sum(one.lower_bound == one.upper_bound for one in asked.program.variables())
            best = asked.minimize(time.monotonic() + 60, least + more, known)
            assert best is not None and (best.value, best.bound) == (least, least)
    assert fixed > 100


def test_what_the_relaxation_told_stays_when_there_is_no_time_for_more() -> None:
    """The sum can only be odd, and is asked to be even: HiGHS looks for ever, its relaxation answers at once."""
    with Worker() as worker:
        assert worker.minimize(_cover(9), 300) is not None  # the process has begun
        known = worker.minimize(_endless(), 2, is_large=True)
        assert known is not None and known.value is None and known.bound >= 30


def _endless() -> cp_model.CpModel:
    hard = cp_model.CpModel()
    some = [hard.new_bool_var("") for _ in range(61)]
    hard.add(sum((2 * number + 3_000_001) * one for number, one in enumerate(some)) * 2 == 61 * 3_000_001)
    hard.minimize(sum(some))
    return hard


def test_closing_it_ends_what_is_asked() -> None:
    worker, found = Worker(), list[Answer | None]()
    asking = threading.Thread(target=lambda: found.append(worker.minimize(_endless(), 300)))
    asking.start()
    worker.close()
    asking.join(60)
    assert found == [None]


def test_a_row_that_is_no_sum_is_refused_and_not_bent_into_one() -> None:
    model = cp_model.CpModel()
    chosen, number = model.new_bool_var(""), model.new_int_var(0, 5, "")
    model.add(number >= 2).only_enforce_if(chosen)
    model.add_linear_expression_in_domain(number, cp_model.Domain.from_values([0, 3]))
    model.add_exactly_one(chosen, ~chosen)
    model.add_multiplication_equality(number, [chosen, number])
    for row in model.proto.constraints:
        with pytest.raises(ValueError, match="picture"):
            read_row(row)
