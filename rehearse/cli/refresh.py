"""`rehearse refresh check`: may a sandbox be refreshed now, and who would lose it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish
from rehearse.report.view import Page, Paragraph, Table, Tone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rehearse.refresh.decide import Answer

app = typer.Typer(help="Ask whether a sandbox may be refreshed.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _verbs() -> None:
    pass


@app.command()
def check(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")], as_json: Json = False
) -> None:
    """Say whether a refresh would be taken now.

    Asks production for its copies; nothing is requested. Exit 3 for no.

    Example: rehearse refresh check UATFULL
    """
    from rehearse.cli import overview, progress
    from rehearse.cli.desk import open_desk
    from rehearse.refresh.decide import decide
    from rehearse.report.schedule import build_booking_body
    from rehearse.schedule.ledger_store import load_cycles
    from rehearse.schedule.store import load_bookings

    with open_desk() as desk:
        config = desk.workspace.sandbox(sandbox)
        with progress.shown() as on_event:
            overview.refresh_ledger(desk, on_event)
        now = desk.fetch_now()
        cycles = load_cycles(desk.database).get(config.name, ())
        found = overview.availability_of(desk, config.name, config, cycles, now)
        answer = decide(found, load_bookings(desk.database, config.name), now)
        body = {
            "sandbox": config.name,
            "refreshable": answer.refreshable,
            "possible_from": answer.possible_from,
            "certain_from": answer.certain_from,
            "reasons": list(answer.reasons),
            "bookings": [build_booking_body(one) for one in answer.bookings],
        }
        page = _page(config.name, answer, desk.workspace.zone)
        finish("refresh-check", now, body, page, as_json=as_json, code=3 if answer.refreshable == "no" else 0)


def _page(name: str, answer: Answer, zone: ZoneInfo) -> Page:
    from rehearse import clock
    from rehearse.report.schedule import build_bookings_table

    words: dict[str, tuple[str, Tone]] = {
        "yes": (f"{name} may be refreshed now.", "good"),
        "maybe": (f"{name} may or may not be refreshed now: only a request would tell.", "warn"),
        "no": (f"{name} cannot be refreshed now: a request would be refused.", "bad"),
    }
    blocks: list[Paragraph | Table] = [Paragraph(*words[answer.refreshable])]
    blocks += [Paragraph(f"  - {one}") for one in answer.reasons]
    if answer.refreshable != "yes" and answer.possible_from:
        certain = f", certain from {clock.show(answer.certain_from, zone)}" if answer.certain_from else ""
        blocks.append(Paragraph(f"Possible from {clock.show(answer.possible_from, zone)}{certain}."))
    if answer.bookings:
        blocks.append(build_bookings_table("It would take the sandbox from", answer.bookings, zone))
    return Page("", tuple(blocks))
