"""Goal 6 in the CP-SAT model: could each rehearsal be run a second time, in the same sandbox and before its deadline?

A second run keeps to the grid, its hours and blackouts, comes after the full reset (or, after a burn or for a fresh
start, after the next refresh) and overlaps nothing real there; second runs do not see each other.
"""

from __future__ import annotations

from rehearse.schedule.demand import Demand
from rehearse.schedule.second_run import build_second_starts
from rehearse.schedule.site import Site
from rehearse.schedule.solver_board import Board, Expr, add_offset, busy_offsets
from rehearse.schedule.solver_sandbox import reset_minutes


def build_unrepeatable(board: Board) -> Expr:
    """How many placed rehearsals have no second run."""
    total: Expr = 0
    for demand in board.problem.demands:
        total += board.placed[demand.key]
        for site in board.problem.sites:
            if site.name in demand.starts:
                total -= _second(board, site, demand)
    return total


def _second(board: Board, site: Site, demand: Demand) -> Expr:
    """A literal: there is room for a second run in this sandbox."""
    model, key = board.model, demand.key
    starts = build_second_starts(board.problem, demand, site.name)
    starts = [one for one in starts if one > demand.starts[site.name][0]]
    slots = board.slots[site.name]
    if not starts or ((demand.burns or demand.fresh) and not slots):
        return 0
    literal, begin = board.new_bool(), board.new_int(board.domain(starts))
    model.add(literal <= board.at[key][site.name])
    if not demand.burns:
        free = add_offset(board, demand, busy_offsets(board, demand, reset_minutes(board, site, demand)))
        model.add(begin >= free).only_enforce_if(literal)
    if demand.burns or demand.fresh:
        later = [board.new_bool() for _ in slots]
        model.add_bool_or([literal.negated(), *later])
        for slot, chosen in zip(slots, later, strict=True):
            for one in slot.conditions():
                model.add_implication(chosen, one)
            model.add(board.held[key] <= slot.off).only_enforce_if(chosen)
            model.add(begin >= slot.ready).only_enforce_if(chosen)
    size = board.up(demand.length)
    run = model.new_optional_fixed_size_interval_var(begin, size, literal, "")
    board.add_no_overlap([run, *board.seen[site.name]])
    _wait_for_copies(board, site, begin, literal)
    _keep_resets(board, site, demand, (begin, size, literal))
    return literal


def _wait_for_copies(board: Board, site: Site, begin: Expr, literal: Expr) -> None:
    if board.problem.wish.policy.usable_during_copy:
        return
    for slot in board.slots[site.name]:
        if slot.planned is not None and slot.planned.running:
            board.model.add(begin >= slot.ready).only_enforce_if(literal)


def _keep_resets(board: Board, site: Site, demand: Demand, run: tuple[Expr, Expr, Expr]) -> None:
    """A second run assumes that no reset is left out; that matters only where a reset outlasts the settling."""
    settle = board.problem.wish.policy.settle.total_seconds() // 60
    if not board.slots[site.name] or site.reset <= settle:
        return
    begin, size, literal = run
    for other in board.problem.demands:
        if other is demand or other.burns or site.name not in other.starts:
            continue
        free = add_offset(board, other, busy_offsets(board, other, reset_minutes(board, site, other)))
        before = board.new_bool()
        both = [one for one in (literal, board.at[other.key][site.name]) if not isinstance(one, int)]
        board.model.add(begin + size <= board.start[other.key]).only_enforce_if([*both, before])
        board.model.add(begin >= free).only_enforce_if([*both, before.negated()])
