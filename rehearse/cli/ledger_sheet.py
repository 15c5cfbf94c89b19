"""`rehearse ledger import | export`: leave the team's sheet gently, and give it back in the same columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, say
from rehearse.errors import Locked, UsageError
from rehearse.report.view import Page, Paragraph, Rows, Table, build_table

if TYPE_CHECKING:
    from datetime import datetime

    from rehearse.cli.desk import Desk
    from rehearse.schedule.ledger import Cycle
    from rehearse.schedule.ledger_dates import Order
    from rehearse.schedule.ledger_sheet import SheetReading
    from rehearse.schedule.model import Booking

Taken = tuple[list[str], list[str], list[str]]


def import_(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file; of a workbook all tabs count.")],
    dates: Annotated[str, typer.Option(help="dmy or mdy: what 03/04/2026 means, if the sheet does not show it.")] = "",
    column: Annotated[
        list[str] | None, typer.Option(metavar="THEIRS=OURS", help="Their name of one of our columns. Repeatable.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask production what it knows already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken, and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take over the team's sheet: refreshes and bookings.

    Columns are found by their names (sandbox, type, requested, copied, activated, last refresh, from, to, for, by,
    note). Rows that cannot be read are left out and explained; clashes in the sheet are shown. Running it again takes
    nothing twice. Exit 3 when a row was left out or something clashes.

    Example: rehearse ledger import sandboxes.xlsx --dry-run
    """
    from rehearse.cli.desk import open_desk
    from rehearse.cli.ledger_lines import ask_production

    with open_desk() as desk:
        now = desk.fetch_now()
        ask_production(desk, offline=offline)
        reading = _read(desk, file, _order(dates), _called(column or []))
        refreshes = take_cycles(desk, reading, now, dry_run=dry_run)
        bookings = take_bookings(desk, reading, now, dry_run=dry_run)
        taken, known, clashes = (first + second for first, second in zip(refreshes, bookings, strict=True))
        bad = [{"tab": one.tab, "row": one.row, "why": one.why} for one in reading.bad]
        body = {"rows": reading.rows, "kept": not dry_run, "taken": taken, "known": known}
        body |= {"clashes": clashes, "bad": bad, "unread": reading.unread}
        page = _page(reading, (taken, known, clashes), dry_run=dry_run)
        if not as_json and dry_run:
            say("Nothing was kept: run it again without --dry-run.")
        then, code = "" if dry_run else "rehearse ledger list", 3 if bad or clashes else 0
        finish("ledger-import", now, body, page, as_json=as_json, code=code, then=then)


def export(
    file: Annotated[Path | None, typer.Argument(help="A .csv or .xlsx file; CSV on stdout unless given.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the rows, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Write the ledger and the bookings as a sheet.

    In the columns that an import takes, times local to the calendar.

    Example: rehearse ledger export sandboxes.xlsx
    """
    from rehearse.cli.desk import open_desk
    from rehearse.schedule.ledger_file import build_rows, render_csv, save_rows
    from rehearse.schedule.ledger_sheet import COLUMNS
    from rehearse.schedule.ledger_store import load_cycles

    with open_desk() as desk:
        cycles = [one for own in load_cycles(desk.database).values() for one in own]
        rows = build_rows(cycles, desk.load_bookings(), desk.workspace.zone)
        now = desk.fetch_now()
        if file is None and not as_json and not dry_run:
            typer.echo(render_csv(rows), nl=False)
            return
        if file is not None and not dry_run:
            save_rows(file, rows)
        wrote = f"Wrote {len(rows)} row(s) to {file}." if file and not dry_run else f"{len(rows)} row(s)."
        body = {"file": file, "columns": list(COLUMNS), "rows": rows}
        finish("ledger-export", now, body, Page("", (Paragraph(wrote),)), as_json=as_json)


def _read(desk: Desk, file: Path, order: Order, called: dict[str, str]) -> SheetReading:
    """The sheet, against the names that rehearse.yaml, the ledger and production know."""
    from rehearse.schedule.ledger_file import load_tabs
    from rehearse.schedule.ledger_sheet import SheetTerms, read_tabs
    from rehearse.schedule.ledger_store import load_cycles

    tabs = load_tabs(file)
    names = [*load_cycles(desk.database), *(one.name for one in desk.workspace.sandboxes)]
    return read_tabs(tabs, SheetTerms(desk.workspace.zone, desk.fetch_now(), names, order, called))


def _order(dates: str) -> Order:
    if dates not in ("", "dmy", "mdy"):
        raise UsageError(f"--dates {dates!r} is neither dmy nor mdy.", "dmy: 03/04 is the third of April.")
    return dates  # type: ignore[return-value]


def _called(pairs: list[str]) -> dict[str, str]:
    from rehearse.schedule.ledger_sheet import COLUMNS, our_name

    found = {}
    for pair in pairs:
        theirs, _, ours = (part.strip() for part in pair.partition("="))
        name = our_name(ours)
        if not theirs or name is None:
            raise UsageError(f"--column {pair!r} does not say what it is.", f"Ours: {', '.join(COLUMNS)}, refreshed.")
        found[theirs] = name
    return found


def take_cycles(desk: Desk, reading: SheetReading, now: datetime, *, dry_run: bool) -> Taken:
    """Keep the refreshes of a sheet that nobody knows yet; what was taken, what was known, what clashes."""
    from rehearse import clock
    from rehearse.ids import ByName
    from rehearse.schedule.ledger_outlook import find_clashes
    from rehearse.schedule.ledger_store import load_cycles, save_cycles

    zone, ledger = desk.workspace.zone, load_cycles(desk.database)
    new: list[Cycle] = []
    taken: list[str] = []
    known: list[str] = []
    clashes: list[str] = []
    for one, place in reading.cycles:
        said = f"{place}: {one.sandbox}, refresh requested {clock.show(one.requested, zone)}"
        own = [*ledger.get(one.sandbox, ()), *(other for other in new if other.sandbox == one.sandbox)]
        near = next((other for other in own if _is_same_day(other, one, desk) or _is_told(other, one)), None)
        if near is None:
            new.append(one)
            taken.append(said)
        else:
            known.append(f"{said}: known already")
    found: ByName[list[Cycle]] = ByName((one.sandbox, []) for one in new)
    for one in new:
        found[one.sandbox].append(one)
    for name, cycles in found.items():
        clashes += find_clashes([*ledger.get(name, ()), *cycles], zone)
    if not dry_run:
        save_cycles(desk.database, new, now)
    return taken, known, clashes


def _is_told(other: Cycle, one: Cycle) -> bool:
    """Whether production tells of the refresh that a row means: a sheet often knows its activation only."""
    from rehearse.schedule.ledger import holds

    return not other.by_hand and holds(other, one.requested)


def _is_same_day(one: Cycle, other: Cycle, desk: Desk) -> bool:
    zone = desk.workspace.zone
    return one.requested.astimezone(zone).date() == other.requested.astimezone(zone).date()


def take_bookings(desk: Desk, reading: SheetReading, now: datetime, *, dry_run: bool) -> Taken:
    """Book what a sheet books from now on; a booking that overlaps another is shown as a clash and not taken."""
    from rehearse import clock
    from rehearse.schedule.model import Window
    from rehearse.schedule.store import save_bookings

    zone = desk.workspace.zone
    ids: set[str] = set()
    standing: dict[str, list[Booking]] = {}  # by sandbox: sheets of years hold thousands of rows
    for old in desk.load_bookings():
        ids.add(old.id)
        standing.setdefault(old.sandbox.casefold(), []).append(old)
    taken: list[str] = []
    known: list[str] = []
    clashes: list[str] = []
    for one, place in reading.bookings:
        said = f"{place}: {one.sandbox}, {clock.show(one.start, zone)} to {clock.show(one.end, zone)}, {one.why}"
        beside = standing.setdefault(one.sandbox.casefold(), [])
        if one.id in ids or any(_is_the_same(old, one) for old in beside):
            known.append(f"{said}: booked already")
            continue
        if one.end <= now:
            known.append(f"{said}: is over")
            continue
        window = Window(one.start, one.free_at)
        other = next((old for old in beside if window.overlaps(Window(old.start, old.free_at))), None)
        if other is not None:
            clashes.append(f"{said}: clashes with the booking {other.id} ({other.label})")
            continue
        try:
            if not dry_run:
                save_bookings(desk.database, [one], now)
        except Locked as error:
            clashes.append(f"{said}: {error.message}")
            continue
        ids.add(one.id)
        beside.append(one)
        taken.append(said)
    return taken, known, clashes


def _is_the_same(old: Booking, one: Booking) -> bool:
    """Whether a row is a booking of ours of this sandbox that was exported: sheets keep minutes."""
    times = [(moment.replace(second=0, microsecond=0) for moment in (it.start, it.end)) for it in (old, one)]
    return list(times[0]) == list(times[1])


def _page(reading: SheetReading, taken: Taken, *, dry_run: bool) -> Page:
    done = "would be taken" if dry_run else "were taken"
    new, known, clashes = taken
    head = (
        f"{reading.rows} row(s) read: {len(new)} refreshes and bookings {done}, {len(known)} were known or over, "
        f"{len(clashes)} clash(es), {len(reading.bad)} row(s) were left out."
    )
    blocks: list[Paragraph | Table] = [Paragraph(head, "warn" if clashes or reading.bad else "good")]
    blocks += [Paragraph(f"  + {one}") for one in new]
    if clashes:
        blocks.append(build_table("Clashes", ["what"], [[one] for one in clashes]))
    if reading.bad:
        rows: Rows = [[one.tab or "-", str(one.row), one.why] for one in reading.bad]
        blocks.append(build_table("Rows left out", ["tab", "row", "why"], rows, right=(1,)))
    if reading.unread:
        how = f'If one is ours under another name: --column "{reading.unread[0]}=for".'
        blocks.append(Paragraph(f"Columns that were not read: {', '.join(reading.unread)}. {how}", "warn"))
    return Page("", tuple(blocks))
