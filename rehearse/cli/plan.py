"""`rehearse plan`: place rehearsals into sandboxes, say why one did not fit, and book on confirmation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, is_terminal, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rehearse.cli.desk import Desk
    from rehearse.release.model import Release
    from rehearse.schedule.model import Schedule


def plan(
    releases: Annotated[list[Path], typer.Argument(help="Release files, such as plans/r41.yaml.")],
    book: Annotated[bool, typer.Option("--book", help="Book what was placed, without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the schedule, and book nothing.")] = False,
    replan: Annotated[bool, typer.Option("--replan", help="Let booked rehearsals move, as few as possible.")] = False,
    seconds: Annotated[float, typer.Option(min=1, help="Stop looking for better after so many seconds.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Find a sandbox and a time for each rehearsal.

    Keeps to types, hours, order, blackouts, bookings, refresh windows and resets. Exit 3 when something does not
    fit, with the reasons and the ways out.

    Example: rehearse plan plans/r41.yaml plans/r42.yaml
    """
    from rehearse.cli import overview, planning, progress
    from rehearse.cli.desk import open_desk
    from rehearse.cli.forecasting import find_burning
    from rehearse.report.schedule import build_schedule_body, build_schedule_page
    from rehearse.schedule.solver import solve

    with open_desk() as desk:
        wanted = planning.load_plans(desk, releases)
        with progress.shown() as on_event:
            overview.refresh_ledger(desk, on_event)
            now = desk.fetch_now()
            burns, said = find_burning(desk, wanted, on_event)
            wish = planning.build_wish(desk, wanted, now, replan=replan, burns=burns)
            schedule = solve(wish, seconds=seconds, on_event=on_event)
            schedule = replace(schedule, warnings=(*schedule.warnings, *said))
        page, body = build_schedule_page(schedule, desk.workspace.zone), build_schedule_body(schedule)
        code = 3 if schedule.unplaced else 0
        if as_json:
            booked = _book(desk, wanted, schedule, now, replan=replan) if book and not dry_run else 0
            finish("schedule", now, {**body, "booked": booked}, page, as_json=True, code=code)
            return
        finish("schedule", now, body, page, as_json=False)
        if not dry_run and _is_wanted(schedule, book=book):
            booked = _book(desk, wanted, schedule, now, replan=replan)
            say(f"Booked {booked} time(s). See them with `rehearse sandboxes`.")
        raise typer.Exit(code)


def _is_wanted(schedule: Schedule, *, book: bool) -> bool:
    if book or not (schedule.bookings or schedule.advances):
        return book
    if not is_terminal():
        say("Nothing was booked: run again with --book to book this schedule.")
        return False
    return typer.confirm("Book this schedule?", err=True)


def _book(desk: Desk, wanted: Sequence[Release], schedule: Schedule, now: datetime, *, replan: bool) -> int:
    """Book rehearsals, advances and the times in which a refresh keeps a sandbox busy; what has begun stays."""
    from rehearse.cli.book import user
    from rehearse.schedule.booked import build_bookings, find_superseded
    from rehearse.schedule.releases_store import record_releases
    from rehearse.schedule.store import load_bookings, save_bookings

    known = load_bookings(desk.database)
    before = {one.id: one for one in known}
    made = [one for one in build_bookings(schedule, by=user()) if one.start >= now and before.get(one.id) != one]
    save_bookings(desk.database, made, now, find_superseded(schedule, known, now) if replan else ())
    record_releases(desk.database, wanted, now)
    return len(made)
