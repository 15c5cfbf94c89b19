"""`rehearse report`: availability, calendar and evidence for the team, as text, Markdown, HTML, JSON or a calendar."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rehearse.cli.answers import Json, finish
from rehearse.cli.output import write_output
from rehearse.errors import UsageError
from rehearse.report.view import Page

if TYPE_CHECKING:
    from rehearse.cli.desk import Desk
    from rehearse.report.sandboxes import SandboxLine
    from rehearse.schedule.model import Booking


_PAST = timedelta(days=31)
"""How long what is over stays in a report."""


class Form(enum.StrEnum):
    """What a report can be written as."""

    text = "text"
    markdown = "markdown"
    html = "html"
    ics = "ics"


def report(
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.text,
    output: Annotated[Path | None, typer.Option(help="File to write; stdout unless given.")] = None,
    weeks: Annotated[int, typer.Option(min=1, max=104, help="How far ahead the timeline looks.")] = 12,
    as_json: Json = False,
) -> None:
    """Tell the team: refresh dates, bookings, proofs.

    Reads the workspace database only (with `clock: org`, production is asked for the time).

    Example: rehearse report --format html --output sandboxes.html
    """
    from rehearse.cli import overview
    from rehearse.cli.booking import as_prepared
    from rehearse.cli.desk import open_desk

    if as_json and output is not None:
        raise UsageError("--json prints its answer; --output would stay empty.", "Leave out one of the two.")
    with open_desk() as desk:
        now = desk.fetch_now()
        lines = overview.load_overview(desk, now)
        recent = (one for one in desk.load_bookings() if one.free_at >= now - _PAST)
        bookings = as_prepared(desk, recent, now)
        page = build_page(desk, lines, bookings, now, timedelta(weeks=weeks))
        if as_json:
            finish("report", now, _build_body(desk, lines, bookings, now), page, as_json=True)
            return
        content = _render(form, page, desk, lines, bookings, now)
    if output is None:
        typer.echo(content.decode(), nl=False)
    else:
        write_output(output, content, 0o644)


def _build_body(
    desk: Desk, lines: tuple[SandboxLine, ...], bookings: tuple[Booking, ...], now: datetime
) -> dict[str, Any]:
    from rehearse.cli.booking import find_broken
    from rehearse.cli.planning import load_closed
    from rehearse.cli.radar import load_radar
    from rehearse.report import radar
    from rehearse.report import sandboxes as view
    from rehearse.report.schedule import build_booking_body
    from rehearse.schedule.ledger_store import load_last_asked

    broken = find_broken(desk, now)
    return {
        "sandboxes": view.build_body(lines),
        "production_told": load_last_asked(desk.database),
        "bookings": [build_booking_body(one, broken) for one in bookings],
        "blackouts": [
            {"name": one.name, "start": one.window.start, "end": one.window.end, "sandboxes": list(one.sandboxes)}
            for one in load_closed(desk.workspace, now)
        ],
        "radar": radar.build_radar_body(load_radar(desk, lines, now)),
    }


def build_page(
    desk: Desk, lines: tuple[SandboxLine, ...], bookings: tuple[Booking, ...], now: datetime, ahead: timedelta
) -> Page:
    """The whole report: windows, timeline, bookings, deadlines."""
    from rehearse.cli.booking import find_broken
    from rehearse.cli.planning import load_closed
    from rehearse.cli.radar import load_radar
    from rehearse.report import radar
    from rehearse.report import sandboxes as view
    from rehearse.report.schedule import build_bookings_table
    from rehearse.report.timeline import build_timeline
    from rehearse.schedule.ledger_store import load_last_asked

    zone = desk.workspace.zone
    span = (now - timedelta(weeks=4), now + ahead)
    timeline = build_timeline(lines, bookings, load_closed(desk.workspace, now), now, span)
    blocks = view.build_page(lines, now, zone, load_last_asked(desk.database)).blocks
    due = radar.build_radar_table(load_radar(desk, lines, now), zone)
    title = f"Sandboxes of {desk.workspace.team}" if desk.workspace.team else "Sandboxes"
    return Page(
        title, (*blocks, timeline, build_bookings_table("Bookings", bookings, zone, find_broken(desk, now)), due)
    )


def _render(
    form: Form, page: Page, desk: Desk, lines: tuple[SandboxLine, ...], bookings: tuple[Booking, ...], now: datetime
) -> bytes:
    if form is Form.html:
        from rehearse.report.html import render_html

        return render_html(page, now, desk.workspace.zone).encode()
    if form is Form.ics:
        from rehearse.cli.radar import load_radar
        from rehearse.report.ical import render_ical
        from rehearse.report.schedule import build_cancelled, build_happenings
        from rehearse.schedule.deeds import count_changes
        from rehearse.schedule.store import load_cancelled

        changed, gone = count_changes(desk.database), load_cancelled(desk.database, now - _PAST)
        happenings = build_happenings(lines, bookings, now, load_radar(desk, lines, now), changed)
        return render_ical(page.title, (*happenings, *build_cancelled(gone, changed)), now)
    if form is Form.markdown:
        from rehearse.report.markdown import render_markdown

        return render_markdown(page, desk.workspace.zone).encode()
    from rehearse.report.text import render_text

    return render_text(page).encode()
