"""What the booking verbs share: reading times, the free times that a refusal names, what the world has broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rehearse import clock
from rehearse.cli import planning
from rehearse.cli.desk import Desk
from rehearse.errors import Locked, NotFound, Refused, UsageError
from rehearse.report.view import Page, build_table
from rehearse.schedule.deeds import load_deeds
from rehearse.schedule.model import Booking, Window
from rehearse.schedule.slots import Calendar, FreeSlot, find_elsewhere, find_slots
from rehearse.schedule.store import find_booking, moved


def read_window(desk: Desk, start: str, until: str) -> Window:
    """A start and an end as written on the command line, of bare dates the whole days; raises UsageError."""
    zone = desk.workspace.zone
    begin, end = clock.parse_edge(start, zone, last=False), clock.parse_edge(until, zone, last=True)
    if end <= begin:
        raise UsageError(f"{until!r} is not after {start!r}.", "Give --to an instant after --from.")
    return Window(begin, end)


def check_coming(desk: Desk, end: datetime, now: datetime) -> None:
    """Raise UsageError for a booking that is over already: mostly a mistyped year."""
    if end <= now:
        said = f"That ends on {clock.show(end, desk.workspace.zone)}, which is over."
        raise UsageError(said, "Bookings are for what is to come: look at the year.")


def check_not_over(desk: Desk, one: Booking, now: datetime) -> None:
    """Raise Refused where a booking that is over would be moved: it happened, and what it burned stays burned."""
    if one.end <= now:
        at = clock.show(one.end, desk.workspace.zone)
        raise Refused(f"{one.label} ended on {at}: what was cannot be moved.", "Book what is to come anew.")


def read_move(desk: Desk, old: Booking, sandbox: str, times: tuple[str, str], now: datetime) -> Booking:
    """A booking as it is to be: `times` are the new start and end as written, empty for what stays.

    What has begun may only get another end, also when its booked end is over: it took longer. Raises UsageError,
    Refused for what is over.
    """
    start, until = times
    name = desk.workspace.sandbox(sandbox).name if sandbox else old.sandbox
    at = clock.parse_instant(start, desk.workspace.zone) if start else old.start
    end = clock.parse_edge(until, desk.workspace.zone, last=True) if until else None
    new = moved(old, name, at, end)
    if (name, at, new.end) == (old.sandbox, old.start, old.end):
        raise UsageError(f"{old.id} is there already.", "Give another --from, --to or --sandbox.")
    if new.end <= new.start:
        raise UsageError(f"{until!r} is not after its start.", "Give --to an instant after --from.")
    if (name, at) != (old.sandbox, old.start):
        check_not_over(desk, old, now)
    check_coming(desk, new.end, now)
    return new


def check_took_place(desk: Desk, one: Booking, now: datetime, why: str) -> None:
    """Raise Refused where a rehearsal that burned its sandbox would be taken back, unless somebody says why."""
    if one.burns and one.end <= now and not why.strip():
        at = clock.show(one.end, desk.workspace.zone)
        raise Refused(
            f"{one.label} ended on {at} and burned {one.sandbox}: without it the sandbox would count as free.",
            "If it did not take place, say so with --why.",
        )


def say_broken(desk: Desk, booking: Booking, now: datetime) -> None:
    """Say what stands against a booking that was just made: a blackout, a refresh that comes too late."""
    from rehearse.cli.answers import say

    if why := find_broken(desk, now).get(booking.id):
        say(f"note: {why}")


def find_broken(desk: Desk, now: datetime) -> dict[str, str]:
    """Booking id -> why it can no longer be kept; nothing is looked at where nothing is booked."""
    from rehearse.schedule.broken import find_broken as find

    names = {one.name for one in desk.workspace.sandboxes}
    lost = (one for one in desk.load_bookings() if one.what == "rehearsal" and one.end > now)
    unknown = {one.id: f"rehearse.yaml does not name {one.sandbox}." for one in lost if one.sandbox not in names}
    return {**unknown, **{one.booking.id: one.text for one in find(planning.build_wish(desk, (), now))}}


def as_prepared(desk: Desk, bookings: Iterable[Booking], now: datetime) -> tuple[Booking, ...]:
    """Bookings with what prepares them as things stand now, which may not be what they were planned with."""
    from rehearse.schedule.preparation import prepare_bookings

    known, found = tuple(bookings), dict[str, Booking]()
    if any(one.what == "rehearsal" and one.start > now for one in known):
        found = prepare_bookings(planning.build_wish(desk, (), now))
    return tuple(
        replace(one, prepare=found[one.id].prepare, ready_by=found[one.id].ready_by) if one.id in found else one
        for one in known
    )


@contextmanager
def free_times_on_refusal(desk: Desk, sandbox: str, wish: Window, now: datetime, besides: str = "") -> Iterator[None]:
    """A refused booking names free times: later in the same sandbox, and other sandboxes at the very time."""
    try:
        yield
    except Locked as error:
        calendar = _calendar(desk, now, besides)
        begin = max(wish.start, now)
        later = find_slots(calendar, sandbox, Window(begin, begin + (wish.end - wish.start)))
        others = [one.name for one in desk.workspace.sandboxes if one.name != sandbox]
        words = [_words(desk, one) for one in (*later, *find_elsewhere(calendar, others, wish)[:3])]
        raise Locked(error.message, f"Free: {'; '.join(words)}. {error.hint or ''}" if words else error.hint) from error


def find_move(desk: Desk, booking: Booking, now: datetime) -> datetime | None:
    """The first start, not before its own, at which a booking could be in its sandbox, with nothing against it."""
    from rehearse.schedule.broken import find_broken as find

    begin, known = max(booking.start, now), planning.build_wish(desk, (), now)
    wish = Window(begin, begin + (booking.free_at - booking.start))
    for slot in find_slots(_calendar(desk, now, booking.id), booking.sandbox, wish):
        new = moved(booking, booking.sandbox, slot.window.start)
        supplies = (
            replace(one, bookings=tuple(new if old.id == new.id else old for old in one.bookings))
            for one in known.supplies
        )
        if new.id not in {one.booking.id for one in find(replace(known, supplies=tuple(supplies)))}:
            return new.start
    return None


def _words(desk: Desk, one: FreeSlot) -> str:
    zone = desk.workspace.zone
    return f"{one.sandbox} from {clock.show(one.window.start, zone)} to {clock.show(one.window.end, zone)}"


def _calendar(desk: Desk, now: datetime, besides: str = "") -> Calendar:
    from rehearse.schedule.broken import list_unready

    bookings = tuple(one for one in desk.load_bookings() if one.id != besides)
    closed = planning.load_closed(desk.workspace, now), list_unready(planning.build_wish(desk, (), now))
    return Calendar(bookings, (*closed[0], *closed[1]), planning.build_policy(desk.workspace))


def find_free(desk: Desk, sandbox: str, length: str, start: str) -> tuple[FreeSlot, ...]:
    """The first free stretches of a sandbox; in the team's hours where the length fits into one day of them."""
    span, now, config = clock.parse_span(length), desk.fetch_now(), desk.workspace.sandbox(sandbox)
    if span.working_days or not span.amount:
        raise UsageError(f"--for {length} is no length of a booking.", "Write hours or days, such as 4h.")
    begin = max(now, clock.parse_instant(start, desk.workspace.zone)) if start else now
    calendar = _calendar(desk, now)
    policy = calendar.policy
    from rehearse.schedule.wall import build_grid, build_hours

    hours = build_hours(policy.hours, policy.zone, Window(begin, begin + timedelta(days=8)))
    grid = build_grid(policy.grid, policy.zone, Window(begin, begin + timedelta(days=8)))
    fitting = (one for one in grid if any(day.start <= one and one + span.amount <= day.end for day in hours))
    first = next(fitting, None) or next(iter(grid))
    return find_slots(calendar, config.name, Window(first, first + span.amount), most=8)


def build_free_page(desk: Desk, slots: tuple[FreeSlot, ...]) -> Page:
    """Free stretches as a table."""
    zone = desk.workspace.zone
    rows = [[one.sandbox, clock.show(one.window.start, zone), clock.show(one.window.end, zone)] for one in slots]
    return Page("", (build_table("Free", ["sandbox", "from", "to"], rows, empty="nothing in the next four weeks"),))


def build_history(desk: Desk, prefix: str) -> tuple[str, list[dict[str, Any]], Page]:
    """What was done with a booking, a cancelled one too; raises NotFound."""
    try:
        deeds = load_deeds(desk.database, prefix)
    except NotFound:
        found = find_booking(desk.database, prefix)
        said = f"Nothing is known of what was done with {found.id}."
        raise NotFound(said, "It was booked by an older rehearse.") from None
    zone = desk.workspace.zone
    rows = [
        [clock.show(one.at, zone), one.what, one.who, one.sandbox, clock.show(one.start, zone), one.why]
        for one in deeds
    ]
    columns = ["at", "what", "by", "sandbox", "start", "why"]
    page = Page("", (build_table(f"History of {deeds[0].booking}", columns, rows),))
    return deeds[0].booking, [one.__dict__ for one in deeds], page
