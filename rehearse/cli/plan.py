"""`rehearse plan`: place rehearsals, say why one did not fit or is where it is, and book on confirmation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, is_terminal, say, user

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehearse.cli.desk import Desk
    from rehearse.release.model import Release
    from rehearse.schedule.model import Booking, BookingState, Schedule, Unplaced, Wish


@dataclass(frozen=True)
class Kept:
    """What became of a schedule: how many times were booked or moved, the bookings that were given up, and how many
    of the former wait for an approver."""

    booked: int
    cancelled: tuple[str, ...] = ()
    requested: int = 0

    def __str__(self) -> str:
        also = f" and cancelled {', '.join(self.cancelled)}" if self.cancelled else ""
        wait = f"; {self.requested} to be confirmed with `rehearse book confirm ID`" if self.requested else ""
        return f"Booked {self.booked} time(s){also}{wait}"


def plan(
    releases: Annotated[
        list[Path],
        typer.Argument(
            help="Release files, such as plans/r41.yaml; or: why REHEARSAL and the files.", metavar="FILES..."
        ),
    ],
    book: Annotated[bool, typer.Option("--book", help="Book what was placed, without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the schedule, and book nothing.")] = False,
    replan: Annotated[bool, typer.Option("--replan", help="Let booked rehearsals move, as few as possible.")] = False,
    seconds: Annotated[
        float, typer.Option("--time-limit", "--seconds", min=1, help="Stop looking for better after so many seconds.")
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Find a sandbox and a time for each rehearsal.

    Keeps to types, hours, order, blackouts, bookings, refresh windows and resets. Exit 3 when something does not
    fit, with reasons and ways out. `plan why REHEARSAL FILES`: what stops it from being earlier, or keeps it out.

    Example: rehearse plan plans/r41.yaml plans/r42.yaml
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.schedule import build_schedule_body, build_schedule_page

    with open_desk() as desk:
        if releases[0] == Path("why"):
            _why(desk, releases[1:], (replan, seconds), as_json=as_json)
            return
        wanted, wish, schedule = _solve(desk, releases, (replan, seconds), explained=True)
        page, body = build_schedule_page(schedule, desk.workspace.zone), build_schedule_body(schedule)
        if as_json:
            kept = _book(desk, wanted, schedule, wish) if book and not dry_run else Kept(0)
            code = 3 if schedule.unplaced else 0
            finish("schedule", wish.now, {**body, **kept.__dict__}, page, as_json=True, code=code)
            return
        finish("schedule", wish.now, body, page, as_json=False)
        if not dry_run and _is_wanted(schedule, book=book):
            say(f"{_book(desk, wanted, schedule, wish)}. See them with `rehearse book list`.")
        raise typer.Exit(3 if schedule.unplaced else 0)


def _solve(
    desk: Desk, files: Sequence[Path], how: tuple[bool, float], *, explained: bool
) -> tuple[Sequence[Release], Wish, Schedule]:
    """Read the files and the world, and plan; `how` is replan and the seconds, `explained` asks why something is
    unplaced."""
    from rehearse.cli import overview, planning, progress
    from rehearse.cli.forecasting import find_burning
    from rehearse.schedule.clones import name_clones
    from rehearse.schedule.solver import solve

    wanted = planning.load_plans(desk, files)
    with progress.shown() as on_event:
        overview.refresh_ledger(desk, on_event)
        now = desk.fetch_now()
        burns, said = find_burning(desk, wanted, on_event)
        wish = planning.build_wish(desk, wanted, now, replan=how[0], burns=burns)
        schedule = solve(wish, seconds=how[1], on_event=on_event, explained=explained)
    left = tuple(
        f"{text} {hint}"
        for text, hint in (*_elsewhere(desk, wish), *_renamed(desk, wish), *_left_without(schedule, wish)[:3])
    )
    warnings = (*left, *schedule.warnings, *said, *name_clones(wish, schedule))
    return wanted, wish, replace(schedule, warnings=warnings, bookings=tuple(_approved(desk, wish, schedule.bookings)))


def _elsewhere(desk: Desk, wish: Wish) -> list[tuple[str, str]]:
    """Bookings of these rehearsals that the planner does not see, because it knows nothing of their sandbox."""
    from rehearse.schedule.booked import find_elsewhere

    return [
        (
            f"{one.label} is booked in {one.sandbox}, which rehearse.yaml does not name: it would be booked anew.",
            "Name the sandbox, or let it move with --replan.",
        )
        for one in find_elsewhere(desk.load_bookings(), wish)
    ]


def _renamed(desk: Desk, wish: Wish) -> list[tuple[str, str]]:
    """Bookings of these releases that no file asks for any more."""
    from rehearse.schedule.booked import find_renamed

    return [
        (
            f"{one.label} is booked, and the file of {one.release} has no rehearsal of that name.",
            f"If it is not wanted: `rehearse book cancel {one.id}`.",
        )
        for one in find_renamed(desk.load_bookings(), wish)
    ]


def _left_without(schedule: Schedule, wish: Wish) -> list[tuple[str, str]]:
    """What a new planning would take from bookings that it was not asked about, and what to do instead."""
    from rehearse.schedule.booked import find_left_without, find_superseded

    known = [one for supply in wish.supplies for one in supply.bookings]
    gone = find_superseded(schedule, known, wish.now) if wish.replan else ()
    return [
        (
            f"This gives up {one.id}, on which {other.label} relies: that is booked, and its file was not given.",
            f"Plan with the file of {other.release} too, or take it back first: `rehearse book cancel {other.id}`.",
        )
        for one, other in find_left_without(schedule, gone, wish)
    ]


def _why(desk: Desk, words: Sequence[Path], how: tuple[bool, float], *, as_json: bool) -> None:
    """What stops a rehearsal from being earlier, or keeps it out; the files are those under plans/ unless given."""
    from rehearse.cli import progress
    from rehearse.errors import UsageError
    from rehearse.report.schedule import build_why_body, build_why_not_body, build_why_not_page, build_why_page
    from rehearse.schedule.explain import explain
    from rehearse.schedule.model import Unplaced
    from rehearse.schedule.why_here import explain_place

    files = list(words[1:]) or sorted((desk.workspace.root / "plans").glob("*.yaml"))
    if not words or not files:
        raise UsageError(
            "`plan why` needs a rehearsal and its release files.",
            'Write `rehearse plan why "R41 mock" plans/r41.yaml`.',
        )
    _, wish, schedule = _solve(desk, files, how, explained=False)
    asked = _find_asked(schedule, str(words[0]))
    zone = desk.workspace.zone
    with progress.shown() as on_event:
        if isinstance(asked, Unplaced):
            alone = explain(wish, replace(schedule, unplaced=(asked,)), seconds=how[1], on_event=on_event)
            said = alone.warnings[len(schedule.warnings) :]
            body, page = build_why_not_body(alone.unplaced[0], said), build_why_not_page(alone.unplaced[0], said)
        else:
            found = explain_place(wish, schedule, asked, seconds=how[1], on_event=on_event)
            body, page = build_why_body(found), build_why_page(found, zone)
    finish("why", wish.now, body, page, as_json=as_json, code=3 if isinstance(asked, Unplaced) else 0)


def _find_asked(schedule: Schedule, name: str) -> Booking | Unplaced:
    """A rehearsal by `R41 mock`, `R41/mock`, the id of its booking, or its own name where that is unique."""
    from rehearse.errors import AmbiguousId, NotFound

    asked = name.replace("/", " ").casefold()
    known: list[tuple[str, Booking | Unplaced]] = [(f"{one.release} {one.rehearsal}", one) for one in schedule.bookings]
    known += [(f"{one.release} {one.rehearsal}", one) for one in schedule.unplaced]
    exact = [(label, one) for label, one in known if asked in (label.casefold(), getattr(one, "id", "").casefold())]
    found = exact or [(label, one) for label, one in known if (one.rehearsal or "").casefold() == asked]
    if len(found) > 1:
        raise AmbiguousId(f"{name!r} fits {', '.join(label for label, _ in found)}.", "Name its release too.")
    if not found:
        raise NotFound(
            f"{name} is no rehearsal of these files that is still to come.",
            "`rehearse plan FILES` says what is placed where, and why something is not.",
        )
    return found[0][1]


def _is_wanted(schedule: Schedule, *, book: bool) -> bool:
    if book or not (schedule.bookings or schedule.advances):
        return book
    if not is_terminal():
        say("Nothing was booked: run again with --book to book this schedule.")
        return False
    return typer.confirm("Book this schedule?", err=True)


def _book(desk: Desk, wanted: Sequence[Release], schedule: Schedule, wish: Wish) -> Kept:
    """Book rehearsals, advances and the times in which a refresh keeps a sandbox busy; what has begun stays.
    Raises StalePlan when somebody changed meanwhile what was planned with, Refused where others would lose what they
    rely on.
    """
    from rehearse.errors import Refused
    from rehearse.schedule.booked import build_bookings, find_superseded
    from rehearse.schedule.releases_store import record_releases
    from rehearse.schedule.store import Planned, save_bookings

    for text, hint in (*(() if wish.replan else _elsewhere(desk, wish)), *_left_without(schedule, wish)):
        raise Refused(text, hint)
    known, now = tuple(one for supply in wish.supplies for one in supply.bookings), wish.now
    before = {one.id: one for one in known}
    planned = [one for one in build_bookings(schedule, user(), known) if one.start >= now]
    made = [one for one in _approved(desk, wish, planned) if _is_new(one, before.get(one.id))]
    gone = find_superseded(schedule, known, now) if wish.replan else ()
    sandboxes = tuple(one.name for one in wish.supplies)
    save_bookings(desk.database, made, now, Planned(user(), sandboxes, known, gone))
    record_releases(desk.database, wanted, now)
    return Kept(len(made), tuple(one.id for one in gone), sum(one.state == "requested" for one in made))


def _approved(desk: Desk, wish: Wish, planned: Sequence[Booking]) -> list[Booking]:
    """What is planned, each as approved or not as it is once this user books it."""
    from rehearse.cli.book import state_for

    before = {one.id: one for supply in wish.supplies for one in supply.bookings}
    return [_with_state(one, before.get(one.id), state_for(desk)) for one in planned]


def _with_state(one: Booking, known: Booking | None, state: BookingState) -> Booking:
    """What stays where it was stays as it was approved; what is new, or moves, is approved by whoever may."""
    from rehearse.schedule.booked import place_of

    stays = known is not None and place_of(known) == place_of(one)
    return replace(one, state=known.state if known and stays else state)


def _is_new(one: Booking, known: Booking | None) -> bool:
    """Whether there is anything to keep: that nothing has to be prepared is true of every later moment too."""
    if known is None or one.prepare != "none":
        return known != one
    return replace(known, ready_by=None) != replace(one, ready_by=None)
