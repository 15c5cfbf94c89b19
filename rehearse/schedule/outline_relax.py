"""The linear relaxation of a picture: a bound within seconds, and what nothing that is cheap enough can hold.

The bound is counted anew from the prices that the solver found, so that it rests on sums and not on what the solver
says of itself: any prices give a true bound, good ones a good one. What would cost more than the limit by these prices
is fixed where it is; the picture that is left is smaller, and is solved sooner.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

_SLACK = 1e-3
"""More than what adding up ten thousands of numbers loses."""
Row = tuple[Mapping[int, int], float, float]
"""Coefficients by variable, and between what their sum is."""


@dataclass(frozen=True)
class Relaxed:
    """No solution costs less than `bound`; one more of a variable costs its `rates`, each from where it is cheapest."""

    bound: float
    rates: Sequence[float]


def relax(program: Any, rows: Sequence[Row], seconds: float) -> Relaxed | None:
    """The bound of a program of mathopt whose constraints are these rows, in their order; None where there is no time.

    The program is left as one of whole numbers.
    """
    from ortools.math_opt.python import mathopt  # only the process that solves needs it

    variables = list(program.variables())
    for one in variables:
        one.integer = False
    parameters = mathopt.SolveParameters(
        time_limit=timedelta(seconds=seconds), lp_algorithm=mathopt.LPAlgorithm.DUAL_SIMPLEX
    )
    found = mathopt.solve(program, mathopt.SolverType.HIGHS, params=parameters)
    for one in variables:
        one.integer = True
    if not found.has_dual_feasible_solution():
        return None
    prices = found.dual_values(list(program.linear_constraints()))
    costs = [program.objective.get_linear_coefficient(one) for one in variables]
    spans = [(one.lower_bound, one.upper_bound) for one in variables]
    return _count(costs, spans, list(zip(rows, prices, strict=True)), program.objective.offset)


def _count(
    costs: list[float], spans: list[tuple[float, float]], priced: list[tuple[Row, float]], offset: float
) -> Relaxed:
    """The bound of Lagrange: each row is paid for by its price, and each variable is where it is cheapest then."""
    bound, rates = offset, list(costs)
    for (terms, low, high), price in priced:
        limit = low if price > 0 else high
        if price == 0 or not math.isfinite(limit):
            continue  # a price on a side that has no limit counts for nothing
        bound += price * limit
        for index, number in terms.items():
            rates[index] -= price * number
    bound += sum(min(rate * low, rate * high) for rate, (low, high) in zip(rates, spans, strict=True))
    return Relaxed(bound, rates)


def fix_dear(program: Any, relaxed: Relaxed, most: int) -> int:
    """Fix what a solution that costs `most` at most cannot have elsewhere; how many variables are fixed so."""
    room, fixed = most - relaxed.bound + _SLACK, 0
    for one, rate in zip(list(program.variables()), relaxed.rates, strict=True):
        if abs(rate) > room and one.lower_bound < one.upper_bound:
            one.lower_bound = one.upper_bound = one.lower_bound if rate > 0 else one.upper_bound
            fixed += 1
    return fixed
