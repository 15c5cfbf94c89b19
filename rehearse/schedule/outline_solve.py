"""The coarse picture as a linear program in whole numbers, for HiGHS (it comes with OR-Tools): exact where time allows.

Its linear relaxation is nearly whole, so that branching on it is a matter of seconds where a search by clauses takes
minutes. HiGHS cannot be stopped and does not always keep to its time; so it works in a process of its own, which is
ended with the planning. The rows are those of the CP-SAT model of the picture: nothing but sums and choices.
"""

from __future__ import annotations

import math
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

from ortools.sat import cp_model_pb2
from ortools.sat.python import cp_model

from rehearse.schedule.outline_relax import Row, fix_dear, relax

_ENDLESS = 2**60
_GRACE = 1.5
"""Seconds after its time that HiGHS is waited for."""
_FEW = 0.15
"""Where less than this part of the variables is fixed, HiGHS would take minutes to make the picture smaller."""


@dataclass(frozen=True)
class Answer:
    """The least cost that was found with its variables, None where none was; and a bound that no solution is below."""

    value: int | None
    bound: int
    values: Sequence[int]


class Worker:
    """A process that minimizes models one after another, started when it is first asked; it ends with the block.

    One thread asks; any may close it, and what is asked then stays unanswered.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._process: Any = None
        self._line: Connection | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
        with self._lock:
            self._end()

    def minimize(
        self, model: cp_model.CpModel, seconds: float, most: int | None = None, *, is_large: bool = False
    ) -> Answer | None:
        """The least of the model's objective; None where the time was not enough for anything, or it was closed.

        `most`: what costs more is not looked at, which makes it much quicker; None where nothing costs as little.
        `is_large`: its relaxation is asked first, and told where there is no time for more.
        """
        known: Answer | None = None

        def hear(answer: Answer | None) -> None:
            nonlocal known
            known = answer or known

        self.ask(_answer, (model.proto.SerializeToString(), max(0.1, seconds), most, is_large), seconds, hear)
        return known

    def ask(
        self, work: Callable[..., None], what: tuple[object, ...], seconds: float, hear: Callable[[Any], None]
    ) -> None:
        """Have something else done there: `work` is given `what`, and a way to tell of what it finds.

        It is ended where it takes longer than it should.
        """
        until = time.monotonic() + seconds
        try:
            line = self._open()
            line.send((work, what))
            while line.poll(max(0.1, until + _GRACE - time.monotonic())):
                is_last, answer = line.recv()
                if is_last:
                    return
                hear(answer)
        except (EOFError, OSError):
            pass  # it was closed, or has died: nothing more is known
        with self._lock:
            self._end()

    def _open(self) -> Connection:
        with self._lock:
            if self._closed:
                raise EOFError
            if self._line is None:
                context = multiprocessing.get_context("spawn")
                line, other = context.Pipe()
                process = context.Process(target=_serve, args=(other,), daemon=True)
                process.start()
                other.close()
                self._line, self._process = line, process
            return self._line

    def close(self) -> None:
        """End the process, for good."""
        with self._lock:
            self._closed = True
            self._kill()

    def _end(self) -> None:
        """End the process and the line, on the thread that asks."""
        self._kill()
        if self._line is not None:
            self._line.close()
            self._line = None

    def _kill(self) -> None:
        """End the process: whoever waits for it hears that nothing comes any more."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None


def _serve(line: Connection) -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            work, what = line.recv()
            work(*what, lambda answer: line.send((False, answer)))
            line.send((True, None))
        except (EOFError, OSError):
            return


def _answer(
    model: bytes, seconds: float, most: int | None, is_large: bool, tell: Callable[[Answer | None], None]
) -> None:
    until, known = time.monotonic() + seconds, None
    asked = _Asked.read(model)
    if is_large:
        known = asked.relax(until, most)
        tell(known)
    tell(asked.minimize(until, most, known))


@dataclass
class _Asked:
    """A model as a program of HiGHS. `is_dense`: to make it smaller first would take minutes."""

    program: Any
    rows: Sequence[Row]
    is_dense: bool = False

    @classmethod
    def read(cls, model: bytes) -> _Asked:
        """Build the program. Raises ValueError for a row that is no sum and no choice."""
        from ortools.math_opt.python import mathopt  # only this process needs it

        proto, program = cp_model_pb2.CpModelProto.FromString(model), mathopt.Model()
        variables = [program.add_integer_variable(lb=one.domain[0], ub=one.domain[-1]) for one in proto.variables]
        rows = [read_row(row) for row in proto.constraints]
        for terms, low, high in rows:
            line = program.add_linear_constraint(lb=low, ub=high)
            for index, number in terms.items():
                line.set_coefficient(variables[index], number)
        for index, number in zip(proto.objective.vars, proto.objective.coeffs, strict=True):
            program.objective.set_linear_coefficient(variables[index], number)
        program.objective.is_maximize = False
        program.objective.offset = proto.objective.offset
        return cls(program, rows)

    def relax(self, until: float, most: int | None) -> Answer | None:
        """The bound of the relaxation; what is too dear by it is fixed."""
        self.is_dense = True
        relaxed = relax(self.program, self.rows, max(0.1, until - time.monotonic()))
        self.rows = ()  # they take as much room as the program, and the search needs it
        if relaxed is None:
            return None
        if most is not None and relaxed.bound <= most:
            self.is_dense = fix_dear(self.program, relaxed, most) < len(relaxed.rates) * _FEW
        return Answer(None, _limited(_round_up(relaxed.bound), most), ())

    def minimize(self, until: float, most: int | None, known: Answer | None) -> Answer | None:
        """The least, or a bound no worse than what is known; None where neither is known."""
        from ortools.math_opt.python import mathopt
        from ortools.math_opt.solvers import highs_pb2

        parameters = mathopt.SolveParameters(time_limit=timedelta(seconds=max(0.1, until - time.monotonic())))
        if self.is_dense:
            parameters.presolve = mathopt.Emphasis.OFF
        if most is not None:
            parameters.highs = highs_pb2.HighsOptionsProto(double_options={"objective_bound": most + 0.5})
        found = mathopt.solve(self.program, mathopt.SolverType.HIGHS, params=parameters)
        least = found.termination.objective_bounds.dual_bound
        if not math.isfinite(least):
            return known
        bound = _limited(_round_up(least), most)
        bound = bound if known is None else max(bound, known.bound)
        if not found.has_primal_feasible_solution():
            return Answer(None, bound, ())
        values = found.variable_values(list(self.program.variables()))
        return Answer(round(found.objective_value()), bound, [round(one) for one in values])


def _limited(bound: int, most: int | None) -> int:
    """What costs more than a limit was not looked at, whatever HiGHS says of it."""
    return bound if most is None else min(bound, most + 1)


def _round_up(least: float) -> int:
    """The next whole number, but for what the solver's tolerances may have added."""
    return math.ceil(least - 1e-4 - 1e-7 * abs(least))


def read_row(row: Any) -> tuple[dict[int, int], float, float]:
    """A row as coefficients and bounds. Raises ValueError for one that is no sum and no choice."""
    terms: dict[int, int] = {}
    kind = row.WhichOneof("constraint")
    if row.enforcement_literal or (kind == "linear" and len(row.linear.domain) != 2):
        raise ValueError("a row of the picture holds only sometimes, or leaves numbers out between its bounds")
    if kind == "linear":
        for index, number in zip(row.linear.vars, row.linear.coeffs, strict=True):
            terms[index] = terms.get(index, 0) + number
        low, high = row.linear.domain[0], row.linear.domain[-1]
        return terms, low if low > -_ENDLESS else -math.inf, high if high < _ENDLESS else math.inf
    chosen = row.exactly_one.literals if kind == "exactly_one" else row.at_most_one.literals
    if any(index < 0 for index in chosen):
        raise ValueError("a choice of the picture speaks of what is not so")
    if kind == "exactly_one":
        return dict.fromkeys(chosen, 1), 1, 1
    if kind == "at_most_one":
        return dict.fromkeys(chosen, 1), -math.inf, 1
    raise ValueError("the picture holds nothing but sums and choices")
