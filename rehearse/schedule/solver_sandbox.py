"""One thing at a time in a sandbox, in the CP-SAT model: runs, holds, resets, refreshes, advances, burns.

Something is busy from its start to the end of its reset; where a refresh comes next it is stretched to it instead (the
reset is left out), and what burns is stretched to the next refresh, or for ever. So "nothing in between" needs no rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from rehearse.schedule.axis import merge
from rehearse.schedule.demand import Demand
from rehearse.schedule.rows import row_of
from rehearse.schedule.site import Site
from rehearse.schedule.solver_board import Board, Expr, Slot, add_offset, busy_offsets
from rehearse.schedule.solver_refresh import add_generations


@dataclass(frozen=True)
class _Item:
    """Something in a sandbox that stays where it is, in units. `held`: from here on a refresh may be activated."""

    start: int
    held: int
    end: int
    burns: bool
    refresh: bool = False
    flexible: bool = False
    demand: Demand | None = None


_Rest = list[tuple[int, Expr]]
"""Until when things that stay have a sandbox, each where its literal holds: no refresh ended it."""


def add_sandbox(board: Board, site: Site) -> None:
    """Everything that has the sandbox, and that nothing overlaps."""
    busy, board.seen[site.name] = board.busy.setdefault(site.name, []), []
    for slot in board.slots[site.name]:
        if slot.planned is None or slot.planned.running:
            _add_optional(board, busy, (slot.off, slot.ready), slot.present)
    _add_items(board, site, busy)
    for demand in board.problem.demands:
        if site.name in demand.starts and not demand.fixed:
            _add_demand(board, site, demand, busy)
    for chance in board.problem.chances:
        if chance.sandbox == site.name and not chance.fixed:
            present, start = board.new_bool(), board.new_int(board.domain(chance.starts))
            board.advances[site.name, chance.release.name] = (present, start)
            size = board.up(chance.length)
            busy.append(board.model.new_optional_fixed_size_interval_var(start, size, present, ""))
            _wait_for_copy(board, site, start, present)
        elif chance.sandbox == site.name:
            board.advances[site.name, chance.release.name] = (1, chance.starts[0] // board.unit)
    board.seen[site.name] += busy
    busy += board.waits.get(site.name, [])
    if len(busy) > 1:
        board.add_no_overlap(busy)


def _add_optional(board: Board, busy: list[Expr], span: tuple[Expr, Expr], literal: Expr) -> None:
    start, end = span
    size = board.model.new_int_var(0, board.end, "")
    busy.append(board.model.new_optional_interval_var(start, size, end, literal, ""))


def _wait_for_copy(board: Board, site: Site, start: Expr, literal: Expr) -> None:
    """Where a sandbox cannot be used during a copy, nothing new starts while one is under way."""
    if board.problem.wish.policy.usable_during_copy:
        return
    for slot in board.slots[site.name]:
        if slot.planned is not None and slot.planned.running:
            board.model.add(start >= slot.ready).only_enforce_if(literal)


def _add_demand(board: Board, site: Site, demand: Demand, busy: list[Expr]) -> None:
    key, literal = demand.key, board.at[demand.key][site.name]
    start, held = board.start[key], board.held[key]
    slots = board.slots[site.name]
    reset = reset_minutes(board, site, demand)
    begin = _begin(board, site, demand)
    _wait_for_copy(board, site, start, literal)
    free = busy_offsets(board, demand, reset)
    lengths = set(free.values())
    if not demand.burns and not (slots and reset) and begin is start and len(lengths) == 1:
        size = lengths.pop()
        board.until[key, site.name] = start + size
        busy.append(board.model.new_optional_fixed_size_interval_var(start, size, literal, ""))
        return
    until = board.model.new_int_var(0, board.end, "")
    board.until[key, site.name] = until
    links = [_link(board, slot, until, (held, literal)) for slot in slots] if demand.burns or reset else []
    other = board.new_bool()
    board.model.add(sum(links) + other == literal)
    end = board.end if demand.burns else add_offset(board, demand, free)
    board.model.add(until == end).only_enforce_if(other)
    _add_optional(board, busy, (begin, until), literal)
    if begin is not start:
        waits = busy.pop()
        _add_optional(board, board.seen[site.name], (start, until), literal)
        board.waits.setdefault(site.name, []).append(waits)


def reset_minutes(board: Board, site: Site, demand: Demand) -> int:
    """How long the reset after a rehearsal takes in a sandbox."""
    return 0 if row_of("reset", demand.rehearsal) in board.problem.lifted else site.reset


def _link(board: Board, slot: Slot, until: Expr, span: tuple[Expr, Expr]) -> Expr:
    """A literal: the refresh is the next thing, so that the stretch ends with it and no reset is needed before it."""
    held, literal = span
    link = board.new_bool()
    for one in slot.conditions(literal):
        board.model.add_implication(link, one)
    board.model.add(until == slot.off).only_enforce_if(link)
    board.model.add(held <= slot.off).only_enforce_if(link)
    return link


def _begin(board: Board, site: Site, demand: Demand) -> Expr:
    """From when a rehearsal has its sandbox for itself: from the readiness on when it needs a fresh start."""
    key, start = demand.key, board.start[demand.key]
    if not demand.fresh:
        return start
    literal, slots = board.at[key][site.name], board.slots[site.name]
    begin = board.model.new_int_var(0, board.end, "")
    board.model.add(begin <= start).only_enforce_if(literal)
    chosen = add_generations(board, (key, site.name), literal, (start, board.held[key]))
    if site.untouched and not site.burned:
        board.model.add(begin == board.up(site.ready)).only_enforce_if(chosen[0])
    else:
        board.model.add(chosen[0] == 0)
    for slot, mine in zip(slots, chosen[1:], strict=True):
        board.model.add(begin == slot.ready).only_enforce_if(mine)
    return begin


def _add_items(board: Board, site: Site, busy: list[Expr]) -> None:
    """What stays, in its order, whatever the rules say: each ends at the latest where the next begins.

    What reaches beyond the next one, which overlaps it then, has the sandbox after that one too (`rest`).
    """
    items = sorted(_items(board, site), key=lambda one: (one.start, one.end))
    before: Expr = 0
    rest: _Rest = []
    for number, item in enumerate(items):
        following = items[number + 1] if number + 1 < len(items) else None
        limit = following.start if following is not None else board.end
        if item.refresh:
            _add_fixed(board, busy, item.start, min(max([item.end, *(end for end, _ in rest)]), limit))
            before = 0
            continue
        slots = [one for one in board.slots[site.name] if one.planned is None or one.planned.running]
        burning = 1 if item.burns else before
        before, whole = _add_item(board, (item, limit, burning), (slots, rest), busy)
        if item.end > limit and following is not None and not (following.refresh and item.held <= limit):
            rest = [*rest, (item.end, whole)]


def _add_fixed(board: Board, busy: list[Expr], start: int, end: int) -> None:
    if start < end:
        busy.append(board.model.new_fixed_size_interval_var(start, end - start, ""))


def _add_item(
    board: Board, what: tuple[_Item, int, Expr], beside: tuple[list[Slot], _Rest], busy: list[Expr]
) -> tuple[Expr, Expr]:
    """One thing that stays; answers the literals that the sandbox is still burned where the next thing begins, and that
    no refresh ended this one."""
    (item, limit, burning), (slots, rest) = what, beside
    sure = max((end for end, whole in rest if isinstance(whole, int)), default=0)
    held, last = max(item.held, sure), max(item.end, sure)
    loose = [(end, whole) for end, whole in rest if not isinstance(whole, int) and end > last]
    end = min(last, limit)
    slots = slots if held <= limit else []
    is_burned = not isinstance(burning, int) or burning == 1
    if not is_burned and not loose and not (item.flexible and slots and end > held):
        _add_fixed(board, busy, item.start, end)
        return 0, 1
    until = board.model.new_int_var(item.start, board.end, "")
    links = [_link(board, slot, until, (held, 1)) for slot in slots]
    plain, never, whole = board.new_bool(), board.new_bool(), board.new_bool()
    board.model.add_exactly_one([*links, whole])
    board.model.add(plain + never == whole)
    board.model.add(until == limit).only_enforce_if(never)
    if loose:
        board.model.add(until >= end).only_enforce_if(plain)
        board.model.add(until <= limit).only_enforce_if(plain)
    else:
        board.model.add(until == end).only_enforce_if(plain)
    for other, literal in loose:
        board.model.add(until >= min(other, limit)).only_enforce_if([literal, plain])
        for link in links:
            board.model.add(until >= other).only_enforce_if([literal, link])
    if isinstance(burning, int):
        board.model.add(plain == 0 if burning else never == 0)
    else:
        board.model.add_implication(never, burning)
        board.model.add_implication(burning, plain.negated())
    _add_optional(board, busy, (item.start, until), 1)
    return never, whole


def _items(board: Board, site: Site) -> list[_Item]:
    found = [_Item(0, 0, 0, True)] if site.burned else []
    for start, end in merge((one.start, one.end) for one in site.blocks if not one.burns):
        found.append(_Item(max(0, start // board.unit), board.up(end), board.up(end), False))
    for one in site.blocks:
        if one.burns:
            found.append(_Item(max(0, one.start // board.unit), board.up(one.end), board.up(one.end), True))
    for demand in board.problem.demands:
        if demand.fixed and site.name in demand.starts:
            found.append(_fixed_demand(board, site, demand))
    for slot in board.slots[site.name]:
        if slot.planned is not None and not slot.planned.running:
            found.append(_Item(slot.off, slot.ready, slot.ready, False, refresh=True))
    return [one for one in found if one.end > 0 or one.burns]


def _fixed_demand(board: Board, site: Site, demand: Demand) -> _Item:
    assert demand.booking is not None
    axis, start = board.problem.axis, board.start[demand.key]
    booked = board.up(axis.up(demand.booking.free_at))
    if demand.booking.start <= board.problem.wish.now:
        return _Item(max(0, start), booked, max(0, booked), demand.burns)
    held = board.held[demand.key]
    start_minute = demand.starts[site.name][0]
    end = (
        held if demand.burns else start + busy_offsets(board, demand, reset_minutes(board, site, demand))[start_minute]
    )
    return _Item(start, held, end, demand.burns, flexible=not demand.burns)
