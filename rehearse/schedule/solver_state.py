"""What state a sandbox must be in, in the CP-SAT model: age of its data, releases that it must hold, people."""

from __future__ import annotations

from itertools import combinations

from rehearse.release.model import Release
from rehearse.schedule.axis import merge
from rehearse.schedule.demand import Demand
from rehearse.schedule.site import Site
from rehearse.schedule.solver_board import Board, Expr, Slot, add_offset
from rehearse.schedule.solver_refresh import add_generations, oldest_request


def add_states(board: Board) -> None:
    """The age of data, the releases that a sandbox must hold, the order of advances."""
    for site in board.problem.sites:
        for demand in board.problem.demands:
            if site.name in demand.starts and not demand.fixed:
                if demand.age is not None:
                    _add_age(board, site, demand)
                for release in board.problem.earlier.get(demand.key, ()):
                    _add_resemblance(board, site, demand, release)
        _add_advance_order(board, site)


def _generations(board: Board, site: Site, demand: Demand) -> list[Expr]:
    key = demand.key
    span = board.start[key], board.held[key]
    return add_generations(board, (key, site.name), board.at[key][site.name], span)


def _add_age(board: Board, site: Site, demand: Demand) -> None:
    """The copy in force was requested recently enough."""
    starts = demand.starts[site.name]
    oldest = {one: oldest_request(board.problem, demand, one) for one in starts}
    current, *later = _generations(board, site, demand)
    _only_from(board, demand, (current, site.requested), oldest)
    for slot, mine in zip(board.slots[site.name], later, strict=True):
        if slot.planned is not None:
            _only_from(board, demand, (mine, slot.planned.request), oldest)
        else:
            bound = board.once(("oldest", demand.key), lambda: _oldest(board, demand))
            board.model.add(slot.request >= bound).only_enforce_if(mine)


def _oldest(board: Board, demand: Demand) -> Expr:
    every = {one for allowed in demand.starts.values() for one in allowed}
    offsets = {one: board.up(oldest_request(board.problem, demand, one)) - one // board.unit for one in every}
    return add_offset(board, demand, offsets)


def _only_from(board: Board, demand: Demand, what: tuple[Expr, int | None], oldest: dict[int, int]) -> None:
    """With this refresh, only the starts at which its data is still young enough."""
    literal, requested = what
    allowed = [one for one, limit in oldest.items() if requested is not None and limit <= requested]
    if len(allowed) == len(oldest):
        return
    if not allowed:
        board.model.add(literal == 0)
        return
    inside = board.domain(sorted(allowed))
    board.model.add_linear_expression_in_domain(board.start[demand.key], inside).only_enforce_if(literal)


def _add_resemblance(board: Board, site: Site, demand: Demand, release: Release) -> None:
    """From the go-live of an earlier release on, the sandbox holds it: by a later request, or by an advance."""
    live, starts = board.problem.axis.up(release.go_live), demand.starts[site.name]
    if starts[-1] < live or (not board.slots[site.name] and release.name in site.since | site.advanced):
        return
    past = (
        []
        if starts[0] >= live
        else [board.once(("past", demand.key, release.name), lambda: _past(board, demand, live))]
    )
    current, *later = _generations(board, site, demand)
    states: list[tuple[Expr, Slot | None]] = [(current, None), *zip(later, board.slots[site.name], strict=True)]
    for number, (mine, slot) in enumerate(states):
        holds = _holds(board, site, slot, release)
        if holds is True:
            continue
        ways = [one for one in (holds, _advanced(board, site, (demand, release), number)) if one is not None]
        board.model.add_bool_or([*ways, mine.negated(), *(one.negated() for one in past)])


def _past(board: Board, demand: Demand, live: int) -> Expr:
    """A literal that is true when the rehearsal starts at or after a go-live."""
    literal = board.new_bool()
    every = sorted({one for allowed in demand.starts.values() for one in allowed if one < live})
    early = board.domain(every)
    board.model.add_linear_expression_in_domain(board.start[demand.key], early).only_enforce_if(literal.negated())
    return literal


def _holds(board: Board, site: Site, slot: Slot | None, release: Release) -> Expr | None:
    """Whether a refresh was requested at or after a go-live: True, None for no, or a literal."""
    if slot is None:
        return True if release.name in site.since | site.advanced else None
    if slot.planned is not None:
        return True if release.name in slot.planned.since else None

    def make() -> Expr:
        literal = board.new_bool()
        live = board.up(board.problem.axis.up(release.go_live))
        board.model.add(slot.request >= live).only_enforce_if(literal)
        return literal

    return board.once(("since", id(slot), release.name), make)


def _advanced(board: Board, site: Site, who: tuple[Demand, Release], number: int) -> Expr | None:
    """A literal: the release is advanced in this generation of the sandbox, before the rehearsal."""
    demand, release = who
    if (site.name, release.name) not in board.advances:
        return None
    present, start = board.advances[site.name, release.name]
    length = next(
        one.length for one in board.problem.chances if (one.sandbox, one.release.name) == (site.name, release.name)
    )
    end = start + board.up(length)
    on = add_generations(board, (release.name, site.name), present, (start, end))[number]

    def make() -> Expr:
        literal = board.new_bool()
        if not isinstance(on, int):
            board.model.add_implication(literal, on)
        board.model.add(end <= board.start[demand.key]).only_enforce_if(literal)
        return literal

    return board.once(("advanced", demand.key, site.name, release.name, number), make)


def _add_advance_order(board: Board, site: Site) -> None:
    """Advances of one sandbox come in the order of the go-lives."""
    chances = sorted(
        (one for one in board.problem.chances if one.sandbox == site.name),
        key=lambda one: (one.release.go_live, one.release.name),
    )
    for before, after in combinations(chances, 2):
        if before.release.go_live == after.release.go_live:
            continue
        one, other = (board.advances[site.name, chance.release.name] for chance in (before, after))
        both = [literal for literal in (one[0], other[0]) if not isinstance(literal, int)]
        if both:
            board.model.add(one[1] + board.up(before.length) <= other[1]).only_enforce_if(both)


def add_people(board: Board) -> None:
    """Two rehearsals that share a person never overlap, wherever they are; what is booked stays."""
    names = sorted({name for one in board.problem.demands for name in one.people})
    for name in names:
        runs, stays = [], []
        for demand in board.problem.demands:
            if name not in demand.people or not demand.starts:
                continue
            start, size = board.start[demand.key], board.up(demand.length)
            if demand.fixed:
                stays.append((max(0, start), start + size))
            else:
                placed = board.placed[demand.key]
                runs.append(board.model.new_optional_fixed_size_interval_var(start, size, placed, ""))
        if runs:
            runs += [board.model.new_fixed_size_interval_var(start, end - start, "") for start, end in merge(stays)]
            board.add_no_overlap(runs)
