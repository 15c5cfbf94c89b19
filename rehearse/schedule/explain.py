"""Why something was not placed, in rules, and what would help, each way out checked by solving again.

It answers within the time it is given: a rehearsal whose reasons were not found in time stands without any, and a way
out that could not be checked in time is left out; both are said. Where no rule that somebody wrote stands in the way
(what is booked and stays, now and the horizon leave no room), the set is empty, and that is said too.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rehearse.events import Noted, OnEvent, ignore
from rehearse.schedule.clash import Clash, find_clash
from rehearse.schedule.fit import Fit, is_many
from rehearse.schedule.model import Booking, Repair, Schedule, Unplaced, Wish
from rehearse.schedule.repairs import list_ways
from rehearse.schedule.repairs_together import find_together
from rehearse.schedule.rows import Key
from rehearse.schedule.sentences import build_reason

_MOST = 4


def explain(wish: Wish, schedule: Schedule, *, seconds: float = 10.0, on_event: OnEvent = ignore) -> Schedule:
    """The schedule with the reasons and the ways out of everything that is unplaced."""
    if not schedule.unplaced:
        return schedule
    end = time.monotonic() + seconds
    found: list[Unplaced] = []
    said: list[str] = []
    for number, one in enumerate(schedule.unplaced):
        on_event(Noted(f"Looking for what keeps {one.release} {one.rehearsal} out"))
        share = (end - time.monotonic()) / (len(schedule.unplaced) - number)
        explained, text = _explain(wish, schedule, one, time.monotonic() + max(0.0, share))
        found.append(explained)
        said += [text] if text else []
    return replace(schedule, unplaced=tuple(found), warnings=(*schedule.warnings, *said))


def _explain(wish: Wish, schedule: Schedule, one: Unplaced, until: float) -> tuple[Unplaced, str]:
    """With reasons and ways out, and what is to be said where no reasons can be given."""
    key, label = (one.release, one.rehearsal), f"{one.release} {one.rehearsal}"
    half = time.monotonic() + (until - time.monotonic()) * 0.6
    clash = find_clash(Fit(wish, half), wish, schedule, key)
    if clash is None:
        return one, f"{label}: there was not enough time to find what keeps it out; give more with --time-limit."
    reasons = tuple(build_reason(wish, row) for row in clash.rows)
    explained = replace(one, reasons=reasons, repairs=_find_repairs(wish, schedule, clash, until))
    if reasons:
        return explained, ""
    return explained, f"{label}: no rule keeps it out; what is booked and stays, now and the horizon leave no room."


def _find_repairs(wish: Wish, schedule: Schedule, clash: Clash, until: float) -> tuple[Repair, ...]:
    """The cheapest ways with which the set fits, and everything that was placed still does.

    Where none leaves room for all that was placed, those with which the set fits, and they say so.
    """
    placed = {(one.release or "", one.rehearsal or ""): one for one in schedule.bookings}
    stay = {key: one for key, one in placed.items() if key not in clash.keys}
    half = time.monotonic() + (until - time.monotonic()) * 0.6
    found = _list_repairs(wish, clash, _Asked(clash.keys | frozenset(placed), stay), half)
    if not found and stay:
        found = tuple(
            replace(one, text=f"{one.text} Something that is placed now must then give way.")
            for one in _list_repairs(wish, clash, _Asked(clash.keys, {}), until)
        )
    if not found and clash.rows:
        with contextlib.suppress(TimeoutError):
            return find_together(wish, clash, until)
    return found


def _list_repairs(wish: Wish, clash: Clash, asked: _Asked, until: float) -> tuple[Repair, ...]:
    found: list[Repair] = []
    for way in list_ways(wish, clash.rows):
        if len(found) == _MOST:
            break
        try:
            text = _first_that_fits(asked, way.tries, until)
        except TimeoutError:
            break
        if text is not None:
            found.append(Repair(way.change, text, True))
    return tuple(found)


@dataclass(frozen=True)
class _Asked:
    """What a way out must place: the set, and what is placed already; `stay`: where that is now."""

    keys: frozenset[Key]
    stay: Mapping[Key, Booking]


def _first_that_fits(asked: _Asked, tries: tuple[tuple[str, Wish], ...], until: float) -> str | None:
    """The smallest change that works; of a large planning nothing that is placed moves for it."""
    for text, changed in tries:
        if asked.stay and Fit(changed, until, asked.stay).fits(asked.keys):
            return text
        if not is_many(changed, asked.keys) and Fit(changed, until).fits(asked.keys):
            return text
    return None
