"""The process that solves pictures: what it answers, and that it can be ended at any time."""

import random
import threading

import pytest
from ortools.sat.python import cp_model

from rehearse.schedule.outline_solve import Answer, Worker, read_row


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


def test_closing_it_ends_what_is_asked() -> None:
    hard = cp_model.CpModel()
    some = [hard.new_bool_var("") for _ in range(61)]
    hard.add(sum((2 * number + 3_000_001) * one for number, one in enumerate(some)) * 2 == 61 * 3_000_001)
    hard.minimize(sum(some))
    worker, found = Worker(), list[Answer | None]()
    asking = threading.Thread(target=lambda: found.append(worker.minimize(hard, 300)))
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
