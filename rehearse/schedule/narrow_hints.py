"""A schedule as hints for the exact model: where everything is, so that the search begins with it."""

from __future__ import annotations

from rehearse.schedule.model import Booking, Refresh, Schedule
from rehearse.schedule.solver_board import Board, Expr, Slot


def add_hints(board: Board, schedule: Schedule) -> None:
    """Hint at the place of each rehearsal, and at the refreshes and advances."""
    booked = {(one.release, one.rehearsal): one for one in schedule.bookings}
    for demand in board.problem.demands:
        _hint_place(board, demand.key, booked.get(demand.key))
    for name, slots in board.slots.items():
        asked = [one for one in schedule.refreshes if one.sandbox == name and not one.running]
        new = sorted(asked, key=lambda one: one.request)
        _hint_slots(board, [one for one in slots if one.planned is None], new)
    there = {(one.sandbox, one.release): one for one in schedule.advances}
    for pair, (present, start) in board.advances.items():
        _hint(board, present, int(pair in there))
        if pair in there:
            _hint(board, start, board.problem.axis.down(there[pair].start) // board.unit)


def _hint_place(board: Board, key: tuple[str, str], booking: Booking | None) -> None:
    for name, literal in board.at[key].items():
        _hint(board, literal, int(booking is not None and booking.sandbox == name))
    if booking is not None and booking.sandbox in board.at[key]:
        _hint(board, board.start[key], board.problem.axis.down(booking.start) // board.unit)


def _hint_slots(board: Board, slots: list[Slot], new: list[Refresh]) -> None:
    axis = board.problem.axis
    for number, slot in enumerate(slots):
        _hint(board, slot.present, int(number < len(new)))
        if number < len(new):
            _hint(board, slot.request, axis.down(new[number].request) // board.unit)
            _hint(board, slot.activate, axis.down(new[number].activate) // board.unit)


def _hint(board: Board, variable: Expr, value: int) -> None:
    if not isinstance(variable, int):
        board.model.add_hint(variable, value)
