"""The CP-SAT model of a planning, put together from its parts; without goals."""

from __future__ import annotations

from rehearse.schedule.problem import Problem
from rehearse.schedule.solver_board import Board, Most, open_board
from rehearse.schedule.solver_refresh import add_refreshes
from rehearse.schedule.solver_sandbox import add_sandbox
from rehearse.schedule.solver_state import add_people, add_states


def build_board(problem: Problem, most: Most = None) -> Board:
    """Everything that a schedule must keep to, as constraints; with at most so many new refreshes a sandbox."""
    board = open_board(problem, most)
    add_refreshes(board)
    for site in problem.sites:
        add_sandbox(board, site)
    add_states(board)
    add_people(board)
    return board
