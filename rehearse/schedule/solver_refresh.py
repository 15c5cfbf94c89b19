"""Refreshes in the CP-SAT model: when they may be requested and activated, and which one a rehearsal runs on.

Only as many are modelled as the horizon allows and as rehearsals could have a use for.
"""

from __future__ import annotations

from itertools import combinations

from rehearse.schedule.axis import merge, minutes
from rehearse.schedule.demand import Demand
from rehearse.schedule.problem import Problem
from rehearse.schedule.rows import Row
from rehearse.schedule.second_run import build_second_starts
from rehearse.schedule.site import Cadence, Planned, Site
from rehearse.schedule.solver_board import Board, Expr, Slot
from rehearse.schedule.wall import subtract_span

_MONTH = 30 * 1440


def add_refreshes(board: Board) -> None:
    """The refreshes of every sandbox, and one copy at a time in the whole production."""
    copies, settled = [], []
    for site in board.problem.sites:
        board.slots[site.name] = _add_slots(board, site)
        for slot in board.slots[site.name]:
            if slot.planned is not None:
                settled.append((max(0, slot.planned.request // board.unit), board.up(slot.planned.copied)))
            elif site.cadence is not None:
                size = board.up(site.cadence.copy)
                copies.append(board.model.new_optional_fixed_size_interval_var(slot.request, size, slot.present, ""))
    if copies and Row("copies") not in board.problem.lifted:
        copies += [board.model.new_fixed_size_interval_var(start, end - start, "") for start, end in merge(settled)]
        board.add_no_overlap(copies)


def count_useful(problem: Problem, site: Site) -> int:
    """How many refreshes of a sandbox could be of use: each needs a rehearsal that cannot do without that very one."""
    there = [one for one in problem.demands if site.name in one.starts]
    free = [one for one in there if not one.fixed]
    repeat = sum(1 for one in there if one.burns or one.fresh) if problem.wish.policy.prefer == "fresh" else 0
    if not free:
        return repeat
    needy = sum(1 for one in free if one.fresh or _too_old(problem, site, one) or _goes_stale(problem, site, one))
    burning = sum(1 for one in there if one.burns) + sum(1 for one in site.blocks if one.burns) + site.burned
    quick = len(there) if _settles_faster_than_reset(problem, site) else 0
    spoiled = sum(1 for one in there if one.burns) if site.blocks else 0  # what is booked later needs its own
    return min(needy + burning + quick, len(there) + spoiled) + repeat


def _settles_faster_than_reset(problem: Problem, site: Site) -> bool:
    """Whether a refresh can take the place of a reset to save time: a reset is left out before one."""
    return minutes(problem.wish.policy.settle) < site.reset


def _too_old(problem: Problem, site: Site, demand: Demand) -> bool:
    if demand.age is None or site.requested is None:
        return demand.age is not None
    return oldest_request(problem, demand, demand.starts[site.name][-1]) > site.requested


def _goes_stale(problem: Problem, site: Site, demand: Demand) -> bool:
    last = demand.starts[site.name][-1]
    held = site.since | site.advanced
    return any(
        problem.axis.up(one.go_live) <= last and one.name not in held for one in problem.earlier.get(demand.key, ())
    )


def oldest_request(problem: Problem, demand: Demand, start: int) -> int:
    """The earliest minute at which the data of a rehearsal that starts then may have been requested."""
    assert demand.age is not None
    if not demand.age.working_days:
        return start - int(demand.age.amount.total_seconds() // 60)
    days = problem.wish.policy.hours.days
    found = subtract_span(problem.axis.instant(start), demand.age, demand.rehearsal.zone, days)
    return problem.axis.up(found)


def _add_slots(board: Board, site: Site) -> list[Slot]:
    slots: list[Slot] = []
    useful = count_useful(board.problem, site) if site.cadence is not None else 0
    limit = board.limit(site.name)
    useful = useful if limit is None else min(useful, limit)
    for planned in site.planned:
        if not planned.running:
            _add_free(board, site, (slots, useful, planned.request))
        slots.append(_planned_slot(board, planned))
    _add_free(board, site, (slots, useful, None))
    if site.cadence is not None:
        for before, after in combinations(slots, 2):
            _keep_apart(board, site.cadence, before, after)
    return slots


def _planned_slot(board: Board, planned: Planned) -> Slot:
    activate = board.new_int(board.domain(planned.activations))
    request = planned.request // board.unit
    usable = planned.running or board.problem.wish.policy.usable_during_copy
    return Slot(1, request, activate, activate if usable else request, activate + board.up(_settle(board)), planned)


def _settle(board: Board) -> int:
    return minutes(board.problem.wish.policy.settle)


def _add_free(board: Board, site: Site, where: tuple[list[Slot], int, int | None]) -> None:
    """The refreshes that may be asked for between two settled ones, in order, each only after the one before."""
    slots, useful, until = where
    cadence = site.cadence
    if cadence is None or not useful:
        return
    problem = board.problem
    last = _last_use(problem, site) - cadence.copy - _settle(board)
    requests = [one for one in problem.axis.points(problem.requests[site.name]) if one <= last]
    if until is not None:
        requests = [one for one in requests if one < until]
    activations = problem.axis.points(problem.activations)
    previous: Slot | None = None
    earliest = _earliest(board, slots, cadence)
    for _ in range(useful):
        requests = [one for one in requests if one >= earliest]
        if not requests:
            return
        inside = [
            one for one in activations if requests[0] + cadence.copy <= one <= requests[-1] + cadence.copy + _MONTH
        ]
        if not inside:
            return
        slot = _free_slot(board, cadence, requests, inside)
        if previous is not None:
            board.model.add_implication(slot.present, previous.present)
        slots.append(slot)
        previous = slot
        earliest = _next_request(cadence, requests[0], requests[0] + cadence.copy, inside[0])


def _last_use(problem: Problem, site: Site) -> int:
    """The last minute at which anything in a sandbox could want a refresh to be ready; bookings and second runs too."""
    there = [one for one in problem.demands if site.name in one.starts]
    found = [one.starts[site.name][-1] for one in there] + [one.start for one in site.blocks]
    again = [one for one in there if one.burns or one.fresh]
    found += [minute for one in again for minute in build_second_starts(problem, one, site.name)[-1:]]
    return max(found, default=0)


def _earliest(board: Board, slots: list[Slot], cadence: Cadence) -> int:
    """The earliest minute of a request after the settled refreshes that come before."""
    found = cadence.first
    for one in slots:
        if one.planned is not None:
            dates = one.planned.request, one.planned.copied, one.planned.activations[0]
            found = max(found, _next_request(cadence, *dates))
    return found


def _next_request(cadence: Cadence, request: int, copied: int, activate: int) -> int:
    base = {"request": request, "end": copied, "activation": activate}[cadence.basis]
    return max(base + cadence.interval, activate)


def _free_slot(board: Board, cadence: Cadence, requests: list[int], activations: list[int]) -> Slot:
    model, present = board.model, board.new_bool()
    request, activate = board.new_int(board.domain(requests)), board.new_int(board.domain(activations))
    copied = request + board.up(cadence.copy)
    model.add(activate >= copied).only_enforce_if(present)
    model.add(activate <= request + (cadence.copy + _MONTH) // board.unit).only_enforce_if(present)
    off = activate if board.problem.wish.policy.usable_during_copy else request
    return Slot(present, request, activate, off, activate + board.up(_settle(board)))


def _keep_apart(board: Board, cadence: Cadence, before: Slot, after: Slot) -> None:
    """The next request comes at or after the last activation, and the interval later; what is settled stays so."""
    if before.planned is not None and after.planned is not None:
        return
    interval = cadence.interval
    if before.planned is not None:
        request, copied = board.up(before.planned.request + interval), board.up(before.planned.copied + interval)
    else:
        request, copied = before.request + board.up(interval), before.request + board.up(cadence.copy + interval)
    base = {"request": request, "end": copied, "activation": before.activate + board.up(interval)}[cadence.basis]
    for bound in (base, before.activate):
        board.model.add(after.request >= bound).only_enforce_if(before.conditions(after.present))


def add_generations(board: Board, thing: tuple[object, str], literal: Expr, span: tuple[Expr, Expr]) -> list[Expr]:
    """For something in a sandbox, which refresh it runs on: the first literal is the state of now, then one a slot."""
    if thing in board.generation:
        return board.generation[thing]
    slots, model = board.slots[thing[1]], board.model
    start, until = span
    if not slots:
        board.generation[thing] = [literal]
        return [literal]
    chosen = [board.new_bool() for _ in range(len(slots) + 1)]
    model.add(sum(chosen) == literal)
    for number, mine in enumerate(chosen):
        if number:
            mine_slot = slots[number - 1]
            for one in mine_slot.conditions():
                model.add_implication(mine, one)
            model.add(start >= mine_slot.ready).only_enforce_if(mine)
        for later in slots[number:]:
            model.add(until <= later.off).only_enforce_if(later.conditions(mine))
    board.generation[thing] = chosen
    return chosen
