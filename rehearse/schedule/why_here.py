"""What stops a placed rehearsal from being earlier: rules that clash with an earlier start, or what a goal would cost.

The smallest set of rules is found as for what does not fit at all. Where an earlier start fits, the planner places it
there and compares what each goal costs then.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from rehearse import clock
from rehearse.events import OnEvent, ignore
from rehearse.schedule.booked import place_of
from rehearse.schedule.clash import find_clash
from rehearse.schedule.fit import Fit
from rehearse.schedule.model import Booking, Goal, Schedule, WhyHere, Wish
from rehearse.schedule.rows import Key
from rehearse.schedule.sentences import build_reason
from rehearse.schedule.solver import solve


def explain_place(
    wish: Wish, schedule: Schedule, booking: Booking, *, seconds: float = 20.0, on_event: OnEvent = ignore
) -> WhyHere:
    """What stops a rehearsal of a schedule from starting earlier than it does."""
    label, key = booking.label, (booking.release or "", booking.rehearsal or "")
    if booking.start < wish.now:
        return WhyHere(booking, "begun", f"{label} has begun already.")
    until = time.monotonic() + seconds * 0.5
    asked = _earlier(wish, booking, key)
    fit = Fit(asked, until)
    clash = find_clash(fit, asked, schedule, key)
    if clash is not None and not clash.rows:
        return WhyHere(booking, "now", f"{label} cannot start earlier: that would be in the past.")
    if clash is not None:
        reasons = tuple(build_reason(wish, row) for row in clash.rows)
        others = sorted(f"{one[0]} {one[1]}" for one in clash.keys - {key})
        beside = f" beside {', '.join(others)}" if others else ""
        return WhyHere(booking, "rules", f"{label} cannot start earlier{beside}, because of these rules:", reasons)
    if time.monotonic() >= until:
        return WhyHere(booking, "time", f"There was not enough time to find what holds {label}.")
    found = solve(asked, seconds=seconds * 0.5, on_event=on_event, explained=False)
    return compare_places(wish, schedule, found, booking)


def _earlier(wish: Wish, booking: Booking, key: Key) -> Wish:
    """The same planning, in which the rehearsal must start before it does; what is booked may move for that."""
    is_booked = any(one.id == booking.id for one in _booked(wish))
    return replace(wish, replan=wish.replan or is_booked, earlier=((key, booking.start),))


def compare_places(wish: Wish, schedule: Schedule, other: Schedule, booking: Booking) -> WhyHere:
    """What a schedule with the rehearsal earlier costs more, in the first goal that differs."""
    own = int(any(one.id == booking.id and place_of(one) == place_of(booking) for one in _booked(wish)))
    now = next((one for one in other.bookings if one.label == booking.label), None)
    at = f" (on {clock.show(now.start, wish.policy.zone)})" if now else ""
    for goal, changed in zip(schedule.goals, _same_order(schedule.goals, other.goals), strict=True):
        allowed = goal.value + (own if goal.name == "moves" else 0)  # it is asked to move: that is no reason
        if changed.value > allowed:
            if changed.bound <= allowed:
                return WhyHere(booking, "time", f"There was not enough time to find what holds {booking.label}.")
            least = "" if changed.proven else "at least "
            cost = changed.value if changed.proven else changed.bound
            text = f"No rule stops {booking.label} from being earlier{at}, but {goal.name} would cost "
            text += f"{least}{cost} instead of {goal.value}."
            if goal.name == "moves":
                text = (
                    f"{booking.label} could be earlier{at} only if {least}{cost - allowed} more that is booked moved."
                )
            return WhyHere(booking, "goal", text, goal=goal, would_cost=cost)
        if changed.value < goal.value and goal.name != "moves":
            text = f"Nothing stops {booking.label} from being earlier{at}: {goal.name} would cost {changed.value} "
            text += f"instead of {goal.value}. "
            text += "What is booked stays: see --replan." if own else "The plan is not proven best: see --time-limit."
            return WhyHere(booking, "nothing", text)
    text = f"Nothing stops {booking.label} from being earlier: among equally good places this one was taken."
    return WhyHere(booking, "nothing", text)


def _booked(wish: Wish) -> list[Booking]:
    return [one for supply in wish.supplies for one in supply.bookings]


def _same_order(goals: Sequence[Goal], others: Sequence[Goal]) -> list[Goal]:
    known = {one.name: one for one in others}
    return [known[one.name] for one in goals]
