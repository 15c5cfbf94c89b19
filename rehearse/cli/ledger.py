"""`rehearse ledger list | show | add | import | export`: every refresh ever seen, and what it says of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli import ledger_sheet
from rehearse.cli.answers import Json, finish, not_blank, printable
from rehearse.report.view import Page, Paragraph

if TYPE_CHECKING:
    from datetime import datetime

    from rehearse.cli.desk import Desk
    from rehearse.report.ledger import LedgerLine

app = typer.Typer(help="Keep and read the history of refreshes.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="Name of the sandbox.")]
When = Annotated[str | None, typer.Option(callback=not_blank, help="Date and time, local to the calendar.")]


@app.command("list")
def list_(
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody; show what is known.")] = False,
    gone: Annotated[bool, typer.Option("--gone", help="Show deleted sandboxes too.")] = False,
    as_json: Json = False,
) -> None:
    """Show every sandbox with its next refresh dates.

    Also what is left of this quarter and year, copy times, how wrong the last forecast was, and the licences.

    Example: rehearse ledger list
    """
    from rehearse.cli.desk import open_desk
    from rehearse.cli.ledger_lines import ask_production, load_licences, load_lines
    from rehearse.report import ledger as view

    with open_desk() as desk:
        ask_production(desk, offline=offline)
        now = desk.fetch_now()
        lines = [one for one in load_lines(desk, now) if gone or not one.gone]
        uses = load_licences(desk, lines)
        body = {
            "sandboxes": [view.build_line_body(one) for one in lines],
            "licences": view.build_licence_body(uses),
        }
        page = view.build_list_page(lines, uses, now, desk.workspace.zone)
        finish("ledger", now, body, page, as_json=as_json)


@app.command()
def show(
    sandbox: Name,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody; show what is known.")] = False,
    as_json: Json = False,
) -> None:
    """Show every copy of one sandbox.

    With its phases, what was expected of it, the refused requests, and the next dates.

    Example: rehearse ledger show UATFULL
    """
    from rehearse.cli.desk import open_desk
    from rehearse.cli.ledger_lines import ask_production
    from rehearse.report import ledger as view

    with open_desk() as desk:
        ask_production(desk, offline=offline)
        now = desk.fetch_now()
        line = _find(desk, sandbox, now)
        body = {**view.build_line_body(line), "cycles": view.build_cycles_body(line)}
        finish("ledger-sandbox", now, body, view.build_show_page(line, desk.workspace.zone), as_json=as_json)


@app.command()
def add(
    sandbox: Name,
    requested: When = None,
    copied: When = None,
    activated: When = None,
    refused: When = None,
    used: Annotated[
        str | None, typer.Option(callback=not_blank, help="When somebody logged in to it: a date, or today.")
    ] = None,
    text: Annotated[str, typer.Option(help="What production said when it refused.")] = "",
    code: Annotated[str, typer.Option(help="Its error code, where there was one.")] = "",
    kind: Annotated[str | None, typer.Option("--type", callback=not_blank, help="Licence type, such as FULL.")] = None,
    org_id: Annotated[str | None, typer.Option(callback=not_blank, help="Id of the new org.")] = None,
    by: Annotated[str | None, typer.Option(callback=not_blank, help="Who did it; you unless given.")] = None,
    note: Annotated[str, typer.Option(help="A note that is kept with it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the entry, and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Write down a refresh, a refusal or a login of others.

    Give the same --requested again to add the later dates. What production itself says is not overwritten.

    Example: rehearse ledger add TRAINING --requested "2026-11-02 08:30" --by "platform team"
    """
    from rehearse.cli.desk import open_desk
    from rehearse.cli.ledger_lines import Entry, write_entry

    dates, answer = (requested, copied, activated), (code, printable(text))
    entry = Entry(sandbox, dates, refused, answer, kind, org_id, printable(by or ""), printable(note), used)
    with open_desk() as desk:
        now = desk.fetch_now()
        said = write_entry(desk, entry, now, dry_run=dry_run)
        body, then = {"sandbox": sandbox, "kept": not dry_run, "said": said}, f"rehearse ledger show {sandbox}"
        page = Page("", (Paragraph(said),))
        finish("ledger-entry", now, body, page, as_json=as_json, then="" if dry_run else then)


@app.command()
def forget(
    sandbox: Name,
    requested: Annotated[str, typer.Option(callback=not_blank, help="Its request, as `ledger show` tells it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the entry, and forget nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take back a refresh that was written down by mistake.

    What production itself told is never forgotten.

    Example: rehearse ledger forget TRAINING --requested "2026-11-02 08:30"
    """
    from rehearse import clock
    from rehearse.cli.desk import open_desk
    from rehearse.cli.ledger_lines import find_entry
    from rehearse.schedule.ledger_store import remove_cycle

    with open_desk() as desk:
        found = find_entry(desk, sandbox, requested)
        if not dry_run:
            remove_cycle(desk.database, found)
        when = clock.show(found.requested, desk.workspace.zone)
        said = f"{found.sandbox}: the refresh of {when} {'would be ' * dry_run}forgotten"
        body = {"sandbox": found.sandbox, "kept": dry_run, "said": said}
        finish("ledger-entry", desk.fetch_now(), body, Page("", (Paragraph(said),)), as_json=as_json)


def _find(desk: Desk, sandbox: str, now: datetime) -> LedgerLine:
    from rehearse.cli.ledger_lines import load_lines
    from rehearse.errors import NotFound
    from rehearse.ids import is_same_name

    lines = load_lines(desk, now)
    found = next((one for one in lines if is_same_name(one.availability.sandbox, sandbox)), None)
    if found is None:
        known = ", ".join(one.availability.sandbox for one in lines) or "none"
        raise NotFound(f"The ledger knows no sandbox {sandbox!r}.", f"Known: {known}.")
    return found


app.command("import")(ledger_sheet.import_)
app.command("export")(ledger_sheet.export)
