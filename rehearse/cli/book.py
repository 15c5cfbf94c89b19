"""`rehearse book add | list | cancel`: use a sandbox for something else than a planned rehearsal, or give it back."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, printable, say

app = typer.Typer(help="Add, list and cancel bookings.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def add(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    start: Annotated[str, typer.Option("--from", help="Start, local to the calendar unless an offset follows.")],
    until: Annotated[str, typer.Option("--to", help="End, in the same form.")],
    why: Annotated[str, typer.Option(callback=not_blank, help="What for; others read this.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check, and book nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Book a sandbox for plain use.

    A time that overlaps another booking, its hold or its reset is refused (exit 11).

    Example: rehearse book add SIT1 --from "2026-12-01 09:00" --to "2026-12-01 17:00" --why "training"
    """
    from rehearse import clock
    from rehearse.cli.desk import open_desk
    from rehearse.errors import UsageError
    from rehearse.ids import build_ulid
    from rehearse.report.schedule import build_booking_body, build_bookings_table
    from rehearse.report.view import Page
    from rehearse.schedule.model import Booking
    from rehearse.schedule.store import refuse_overlaps, save_bookings

    with open_desk() as desk:
        config, zone = desk.workspace.sandbox(sandbox), desk.workspace.zone
        begin, end = clock.parse_instant(start, zone), clock.parse_instant(until, zone)
        if end <= begin:
            raise UsageError(f"{until!r} is not after {start!r}.", "Give --to an instant after --from.")
        now = desk.fetch_now()
        name = f"{begin.astimezone(zone):%Y-%m-%d}-{config.name.lower()}-{build_ulid(now)[-6:].lower()}"
        made = Booking(name, config.name, begin, end, end, "use", by=user(), why=_one_line(why))
        if dry_run:
            refuse_overlaps(desk.database, [made])
        else:
            save_bookings(desk.database, [made], now)
        page = Page("", (build_bookings_table("Would book" if dry_run else "Booked", [made], zone),))
        finish("booking", now, build_booking_body(made), page, as_json=as_json)


@app.command("list")
def list_(
    sandbox: Annotated[str, typer.Argument(help="Only the bookings of this sandbox.")] = "", as_json: Json = False
) -> None:
    """List the bookings.

    Example: rehearse book list
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.schedule import build_booking_body, build_bookings_table
    from rehearse.report.view import Page
    from rehearse.schedule.store import load_bookings

    with open_desk() as desk:
        found = load_bookings(desk.database, desk.workspace.sandbox(sandbox).name if sandbox else None)
        page = Page("", (build_bookings_table("Bookings", found, desk.workspace.zone),))
        body = {"bookings": [build_booking_body(one) for one in found]}
        finish("bookings", desk.fetch_now(), body, page, as_json=as_json)


@app.command()
def cancel(
    booking: Annotated[str, typer.Argument(help="Id of the booking, or a unique start of it.")],
    why: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be given back, and cancel nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give booked time back.

    Example: rehearse book cancel 2026-12-01-sit1 --why "moved to SIT2"
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.schedule import build_booking_body
    from rehearse.report.view import Page, Paragraph
    from rehearse.schedule.store import cancel_booking, find_booking

    with open_desk() as desk:
        now = desk.fetch_now()
        if dry_run:
            gone = find_booking(desk.database, booking)
        else:
            gone = cancel_booking(desk.database, booking, (user(), _one_line(why)), now)
        head = f"{'Would cancel' if dry_run else 'Cancelled'} {gone.id} ({gone.label}) of {gone.sandbox}."
        page = Page("", (Paragraph(head),))
        finish("booking", now, {**build_booking_body(gone), "cancelled": not dry_run}, page, as_json=as_json)
    if not (as_json or dry_run):
        say("See what is free with `rehearse sandboxes`.")


def _one_line(text: str) -> str:
    """Words that others will read in tables and calendars: one line, nothing that steers a terminal."""
    return printable(" ".join(text.split()))[:200]


def user() -> str:
    """The name under which this command books and resets."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
