"""Which rules of their release files booked rehearsals break that stay: told with every planning. Pure."""

from __future__ import annotations

from dataclasses import replace

from rehearse import clock
from rehearse.schedule.model import Schedule, Wish
from rehearse.schedule.rules import check

_OWN = {
    "reset",
    "prepare",
    "booked",
    "answered",
    "refresh",
    "running",
    "interval",
    "copies",
    "go_live_copy",
    "advances",
}


def name_broken_rules(wish: Wish, schedule: Schedule) -> tuple[str, ...]:
    """What booked rehearsals that stay break of the rules of their release files, one sentence each.

    The judge looks at the schedule as if all of it were placed now; what the planner placed itself breaks nothing.
    """
    if wish.replan:
        return ()
    broken = check(schedule, replace(wish, replan=True))
    zone = wish.policy.zone
    texts = dict.fromkeys(clock.show_within(one.text, zone) for one in broken if one.rule not in _OWN)
    return tuple(f"{text}; it stays, because it is booked. Let it move with --replan." for text in texts)
