"""A clear sentence for each rule of a clash. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.clock import DAYS, Hours
from rehearse.release.model import Rehearsal, Release
from rehearse.schedule.demand import deadline, horizon
from rehearse.schedule.ledger import build_availability, interval_of
from rehearse.schedule.model import Reason, Window, Wish
from rehearse.schedule.rows import Row
from rehearse.schedule.wall import local_day, midnight


def build_reason(wish: Wish, row: Row) -> Reason:
    """A row of a clash with its sentence."""
    release = next((one for one in wish.releases if one.name == row.release), None)
    rehearsal = next((one for one in (release.rehearsals if release else ()) if one.name == row.rehearsal), None)
    if release is not None and rehearsal is not None:
        text = _OF_REHEARSAL[row.rule](wish, release, rehearsal)
    elif release is not None and row.rule in _OF_RELEASE:
        text = _OF_RELEASE[row.rule](wish, release)
    else:
        text = _OF_WORLD[row.rule](wish, row)
    return Reason(row.rule, text, row.rehearsal or None, row.release or None, row.sandbox or None, row.name or None)


def _label(release: Release, one: Rehearsal) -> str:
    return f"{release.name} {one.name}"


def _show(wish: Wish, instant: datetime, one: Rehearsal | None = None) -> str:
    """An instant in the zone that a rule is read in, which is named where it is not the calendar's."""
    return f"{clock.show(instant, one.zone)}{_where(wish, one)}" if one else clock.show(instant, wish.policy.zone)


def _where(wish: Wish, one: Rehearsal) -> str:
    return "" if one.zone.key == wish.policy.zone.key else f" in {one.zone.key}"


def _out_of_sight(wish: Wish, instant: datetime) -> str:
    """What else a date that nothing can be planned for clashes with, where no rule says it."""
    last = horizon(wish)
    beyond = f", after the horizon of {wish.policy.horizon} ends on {clock.show(last, wish.policy.zone)}"
    return beyond if instant >= last else ", which is over" if instant < wish.now else ""


def _type(wish: Wish, release: Release, one: Rehearsal) -> str:
    names = [supply.name for supply in wish.supplies if supply.type in one.needs.types]
    there = f"of which there is {', '.join(names)}" if names else "and there is none"
    return f"{_label(release, one)} needs a sandbox of type {' or '.join(one.needs.types)}, {there}."


def _tags(wish: Wish, release: Release, one: Rehearsal) -> str:
    names = [supply.name for supply in wish.supplies if set(one.needs.tags) <= set(supply.tags)]
    there = f"which only {', '.join(names)} has" if names else "which no sandbox has"
    return f"{_label(release, one)} needs the tags {', '.join(one.needs.tags)}, {there}."


def _hours(wish: Wish, release: Release, one: Rehearsal) -> str:
    if one.hours == "go_live":
        like = f"{release.go_live.astimezone(wish.policy.zone):%A %H:%M}"
        return f"{_label(release, one)} starts on the weekday and at the time of the go-live, {like}."
    hours = wish.policy.hours if isinstance(one.hours, str) else one.hours
    own = f"{show_hours(hours)}{_where(wish, one)}"
    return f"{_label(release, one)} lasts {one.duration} and stays inside one day's hours, {own}."


def show_hours(hours: Hours) -> str:
    """`mon, tue 09:00-18:00`."""
    return f"{', '.join(DAYS[day] for day in hours.days)} {hours.start:%H:%M}-{hours.end:%H:%M}"


def _not_before(wish: Wish, release: Release, one: Rehearsal) -> str:
    assert one.not_before is not None
    at = f"{_show(wish, one.not_before, one)} at the earliest{_out_of_sight(wish, one.not_before)}"
    return f"{_label(release, one)} starts at {at}."


def _not_after(wish: Wish, release: Release, one: Rehearsal) -> str:
    assert one.not_after is not None
    return f"{_label(release, one)} ends by {_show(wish, one.not_after, one)}."


def _before_go_live(wish: Wish, release: Release, one: Rehearsal) -> str:
    last = _show(wish, deadline(wish, release, one), one)
    live = _show(wish, release.go_live, one)
    margin = one.before_go_live
    if not margin.amount and not margin.working_days:
        past = ", which is over" if release.go_live <= wish.now else ""
        return f"{_label(release, one)} ends before the go-live on {live}{past}."
    return f"{_label(release, one)} ends at least {margin} before the go-live on {live}, so by {last}."


def _after(wish: Wish, release: Release, one: Rehearsal) -> str:
    gap = f"at least {one.gap} " if one.gap.amount or one.gap.working_days else ""
    return f"{_label(release, one)} starts {gap}after the end of {release.name} {one.after}."


def _data_age(wish: Wish, release: Release, one: Rehearsal) -> str:
    return f"{_label(release, one)} needs data that was copied from production at most {one.needs.data_age} before."


def _fresh(wish: Wish, release: Release, one: Rehearsal) -> str:
    return f"{_label(release, one)} needs a refreshed sandbox in which nothing has run yet."


def _burns(wish: Wish, release: Release, one: Rehearsal) -> str:
    return f"{_label(release, one)} cannot be undone: its sandbox is burned until the next refresh is ready."


def _hold(wish: Wish, release: Release, one: Rehearsal) -> str:
    return f"After {_label(release, one)} the sandbox is held for {one.hold}, for people to look."


def _reset(wish: Wish, release: Release, one: Rehearsal) -> str:
    return f"After {_label(release, one)} the sandbox is reset before anything else."


def _pin(wish: Wish, release: Release, one: Rehearsal) -> str:
    where = f" to {one.pin.sandbox}" if one.pin.sandbox else ""
    when = f" to {_show(wish, one.pin.at, one)}{_out_of_sight(wish, one.pin.at)}" if one.pin.at else ""
    return f"{_label(release, one)} is pinned{where}{' and' if where and when else ''}{when}."


_OF_REHEARSAL: dict[str, Callable[[Wish, Release, Rehearsal], str]] = {
    "type": _type,
    "tags": _tags,
    "hours": _hours,
    "not_before": _not_before,
    "not_after": _not_after,
    "before_go_live": _before_go_live,
    "after": _after,
    "data_age": _data_age,
    "fresh": _fresh,
    "burns": _burns,
    "hold": _hold,
    "reset": _reset,
    "pin": _pin,
}


def _ready(wish: Wish, release: Release) -> str:
    at = release.ready or wish.now
    when = f"{_show(wish, at)} on{_out_of_sight(wish, at)}"
    return f"The package of {release.name} exists from {when}; nothing of it starts earlier."


def _go_live_copy(wish: Wish, release: Release) -> str:
    return f"No sandbox copy runs across the go-live of {release.name} on {_show(wish, release.go_live)}."


def _advance(wish: Wish, release: Release) -> str:
    return (
        f"After the go-live of {release.name} on {_show(wish, release.go_live)}, a sandbox must be refreshed, or have "
        f"{release.name} applied for keeps ({release.advance}), before a later release is rehearsed in it."
    )


_OF_RELEASE: dict[str, Callable[[Wish, Release], str]] = {
    "ready": _ready,
    "go_live_copy": _go_live_copy,
    "advance": _advance,
}


def _people(wish: Wish, row: Row) -> str:
    one = next(person for person in wish.people if person.name == row.name)
    hours = f", works {show_hours(one.hours)} in {one.zone.key}" if one.hours else ""
    coming = sorted((found for found in one.away if found.end > wish.now), key=lambda found: found.start)
    away = f", is away {_days(coming[0], one.zone)}{' and at other times' * (len(coming) > 1)}" if coming else ""
    return f"{row.name} is needed, can be in one rehearsal at a time{hours}{away}."


def _days(span: Window, zone: ZoneInfo) -> str:
    """`on Fri 2027-03-26`, `from Mon 2027-03-29 to Wed 2027-03-31`: an absence in the zone of the person."""
    if any(midnight(local_day(one, zone), zone) != one for one in (span.start, span.end)):
        return f"from {clock.show(span.start, zone)} to {clock.show(span.end, zone)}"
    first, last = clock.show(span.start, zone), clock.show(span.end - timedelta(minutes=1), zone)
    return f"on {first[:14]}" if first[:14] == last[:14] else f"from {first[:14]} to {last[:14]}"


def _blackout(wish: Wish, row: Row) -> str:
    windows = [one.window for one in wish.closed if one.name == row.name and one.window.end > wish.now]
    first = min(windows, key=lambda one: one.start, default=None)
    if first is None:
        return f"Nothing runs during {row.name}."
    more = f", and {len(windows) - 1} more times" if len(windows) > 1 else ""
    return f"Nothing runs during {row.name} ({_show(wish, first.start)} to {_show(wish, first.end)}{more})."


def _interval(wish: Wish, row: Row) -> str:
    supply = next(one for one in wish.supplies if one.name == row.sandbox)
    length = interval_of(supply.type, supply.cycles) or timedelta()
    found = build_availability(supply.name, supply.type, supply.cycles, wish.now, wish.policy.clock)
    first = found.certain_from if wish.policy.plan_with == "certain" else found.possible_from
    dates = f", so not before {_show(wish, first)}" if first and first > wish.now else ""
    days = length // timedelta(days=1)
    return f"{row.sandbox} ({supply.type}) can be refreshed only every {days} day{'s' * (days != 1)}{dates}."


def _copies(wish: Wish, row: Row) -> str:
    return "Copies of one production run one after another."


def _burned(wish: Wish, row: Row) -> str:
    what = f"{row.release} {row.rehearsal}".strip()
    return f"{row.sandbox} is burned by {what} until its next refresh is ready."


_OF_WORLD: dict[str, Callable[[Wish, Row], str]] = {
    "people": _people,
    "blackout": _blackout,
    "interval": _interval,
    "copies": _copies,
    "burns": _burned,
}
