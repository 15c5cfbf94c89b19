"""`rehearse book add | confirm | move | cancel | list | show | free | drop`: who has which sandbox when, and why.

The database refuses what overlaps; the answer then names times that are free. Where rehearse.yaml names approvers,
what others book is requested until one of them confirms it; it holds its time meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, one_line, own_words, say, user
from rehearse.cli.book_drop import drop

if TYPE_CHECKING:
    from datetime import datetime

    from rehearse.cli.desk import Desk
    from rehearse.schedule.model import Booking, BookingState

app = typer.Typer(help="Request, confirm, move, cancel and list bookings.", no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(help="Id of the booking, or a unique start of it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show, and change nothing.")]


@app.command()
def add(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    start: Annotated[str, typer.Option("--from", help="Start, local to the calendar unless an offset follows.")],
    until: Annotated[str, typer.Option("--to", help="End, in the same form.")],
    why: Annotated[str, typer.Option(callback=own_words, help="What for; others read this.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Book a sandbox for plain use.

    A time that overlaps another booking, its hold or its reset is refused (exit 11), and free times are named.

    Example: rehearse book add SIT1 --from "2026-12-01 09:00" --to "2026-12-01 17:00" --why "training"
    """
    from rehearse.cli.booking import check_coming, free_times_on_refusal, read_window, say_broken
    from rehearse.cli.desk import open_desk
    from rehearse.ids import build_ulid
    from rehearse.schedule.model import Booking
    from rehearse.schedule.store import refuse_overlaps, save_bookings

    with open_desk() as desk:
        config, zone = desk.workspace.sandbox(sandbox), desk.workspace.zone
        wish, now = read_window(desk, start, until), desk.fetch_now()
        check_coming(desk, wish.end, now)
        name = f"{wish.start.astimezone(zone):%Y-%m-%d}-{config.name.lower()}-{build_ulid(now)[-6:].lower()}"
        times = wish.start, wish.end, wish.end
        made = Booking(name, config.name, *times, "use", by=user(), why=one_line(why), state=state_for(desk))
        with free_times_on_refusal(desk, config.name, wish, now):
            if dry_run:
                refuse_overlaps(desk.database, [made])
            else:
                save_bookings(desk.database, [made], now)
                say_broken(desk, made, now)
        verb = "requested" if made.state == "requested" else "booked"
        _finish(desk, made, f"Would have {verb}" if dry_run else verb.capitalize(), now, as_json=as_json)


@app.command()
def confirm(booking: Id, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Approve a requested booking.

    Only for those whom rehearse.yaml names under bookings.approvers; anybody, where it names nobody.

    Example: rehearse book confirm 2026-12-01-sit1
    """
    from rehearse.cli.desk import open_desk
    from rehearse.errors import Refused
    from rehearse.schedule.store import confirm_booking, find_booking

    with open_desk() as desk:
        approvers, now = desk.workspace.approvers, desk.fetch_now()
        if approvers and user() not in approvers:
            raise Refused(f"{user()} approves no bookings here.", f"Ask one of: {', '.join(approvers)}.")
        found = find_booking(desk.database, booking)
        found = found if dry_run else confirm_booking(desk.database, found.id, user(), now)
        _finish(desk, found, "Would confirm" if dry_run else "Confirmed", now, as_json=as_json)


@app.command()
def move(
    booking: Id,
    start: Annotated[str, typer.Option("--from", help="The new start; the length stays.")] = "",
    until: Annotated[str, typer.Option("--to", help="The new end, of what takes longer or less long.")] = "",
    sandbox: Annotated[str | None, typer.Option(callback=not_blank, help="Another sandbox.")] = None,
    why: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Give a booking another start, end or sandbox.

    Without --to its length stays; hold and reset always do. An overlap is refused (exit 11), and free times are named.

    Example: rehearse book move 2026-12-01-sit1 --from "2026-12-02 09:00" --why "the trainer is ill"
    """
    from rehearse.cli.booking import free_times_on_refusal, read_move, say_broken
    from rehearse.cli.desk import open_desk
    from rehearse.schedule.model import Window
    from rehearse.schedule.store import find_booking, move_booking, refuse_overlaps

    with open_desk() as desk:
        old, now = find_booking(desk.database, booking), desk.fetch_now()
        new = read_move(desk, old, sandbox or "", (start, until), now)
        new = replace(new, state="requested") if state_for(desk) == "requested" else new
        with free_times_on_refusal(desk, new.sandbox, Window(new.start, new.free_at), now, besides=old.id):
            if dry_run:
                refuse_overlaps(desk.database, [new])
            else:
                deed = user(), one_line(why), now
                to = new.sandbox, new.start, new.end
                old, new = move_booking(desk.database, old.id, to, deed, state_for(desk))
                say_broken(desk, new, now)
        _finish(desk, new, "Would move" if dry_run else "Moved", now, as_json=as_json)
    if not (as_json or dry_run) and new.what == "rehearsal" and new.start > now:
        say("The planner did not check this place: see what it says with `rehearse plan`.")


@app.command()
def cancel(
    booking: Id,
    why: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Give booked time back.

    Example: rehearse book cancel 2026-12-01-sit1 --why "moved to SIT2"
    """
    from rehearse.cli.booking import check_took_place
    from rehearse.cli.desk import open_desk
    from rehearse.report.schedule import build_booking_body
    from rehearse.report.view import Page, Paragraph
    from rehearse.schedule.store import cancel_booking, find_booking

    with open_desk() as desk:
        gone, now = find_booking(desk.database, booking), desk.fetch_now()
        check_took_place(desk, gone, now, why)
        if not dry_run:
            gone = cancel_booking(desk.database, gone.id, (user(), one_line(why)), now)
        head = f"{'Would cancel' if dry_run else 'Cancelled'} {gone.id} ({gone.label}) of {gone.sandbox}."
        page = Page("", (Paragraph(head),))
        finish("booking", now, {**build_booking_body(gone), "cancelled": not dry_run}, page, as_json=as_json)
    if not (as_json or dry_run):
        say(f"See what is free with `rehearse book free {gone.sandbox} --for 4h`.")


@app.command("list")
def list_(
    sandbox: Annotated[str, typer.Argument(help="Only the bookings of this sandbox.")] = "", as_json: Json = False
) -> None:
    """List the bookings.

    What can no longer be kept, because the world has changed, is marked as broken.

    Example: rehearse book list
    """
    from rehearse.cli.booking import as_prepared, find_broken
    from rehearse.cli.desk import open_desk
    from rehearse.report.schedule import build_booking_body, build_bookings_table
    from rehearse.report.view import Page

    with open_desk() as desk:
        name = desk.workspace.sandbox(sandbox).name if sandbox else None
        now = desk.fetch_now()
        found = as_prepared(desk, (one for one in desk.load_bookings() if name in (None, one.sandbox)), now)
        broken = find_broken(desk, now)
        page = Page("", (build_bookings_table("Bookings", found, desk.workspace.zone, broken),))
        body = {"bookings": [build_booking_body(one, broken) for one in found]}
        finish("bookings", now, body, page, as_json=as_json)
    lost = [one for one in found if one.id in broken]
    if not as_json and any(one.release or one.what == "refresh" for one in lost):
        say("Plan again with the fewest moves: `rehearse plan FILES --replan`.")
    if not as_json and any(one.what == "use" for one in lost):
        say("Plain use is moved by hand: `rehearse status` names a free time for what is broken.")


@app.command()
def show(
    booking: Annotated[str, typer.Argument(help="Id of the booking, or a unique start of it.")], as_json: Json = False
) -> None:
    """Show the history of a booking.

    What was done with it, by whom and why; also of a cancelled one.

    Example: rehearse book show 2026-12-01-sit1
    """
    from rehearse.cli.booking import build_history
    from rehearse.cli.desk import open_desk

    with open_desk() as desk:
        name, body, page = build_history(desk, booking)
        finish("booking-history", desk.fetch_now(), {"id": name, "history": body}, page, as_json=as_json)


@app.command()
def free(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    length: Annotated[str, typer.Option("--for", help="How long, such as 4h.")],
    start: Annotated[str, typer.Option("--from", help="From when on; now unless given.")] = "",
    as_json: Json = False,
) -> None:
    """Show when a sandbox is free.

    In the team's hours where the length fits there; around bookings, resets and blackouts.

    Example: rehearse book free SIT1 --for 4h
    """
    from rehearse.cli.booking import build_free_page, find_free
    from rehearse.cli.desk import open_desk

    with open_desk() as desk:
        slots = find_free(desk, sandbox, length, start)
        body = {"slots": [{"sandbox": one.sandbox, "start": one.window.start, "end": one.window.end} for one in slots]}
        page = build_free_page(desk, slots)
        finish("free", desk.fetch_now(), body, page, as_json=as_json, code=0 if slots else 3)


app.command()(drop)


def _finish(desk: Desk, one: Booking, title: str, now: datetime, *, as_json: bool) -> None:
    from rehearse.cli.booking import as_prepared
    from rehearse.report.schedule import build_booking_body, build_bookings_table
    from rehearse.report.view import Page

    (one,) = as_prepared(desk, [one], now)
    page = Page("", (build_bookings_table(title, [one], desk.workspace.zone),))
    finish("booking", now, build_booking_body(one), page, as_json=as_json)
    if not as_json and one.state == "requested":
        say(f"One of {', '.join(desk.workspace.approvers)} approves it with `rehearse book confirm {one.id}`.")


def state_for(desk: Desk) -> BookingState:
    """Whether what this user books waits for somebody's approval."""
    approvers = desk.workspace.approvers
    return "requested" if approvers and user() not in approvers else "confirmed"
