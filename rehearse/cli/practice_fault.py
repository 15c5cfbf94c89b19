"""`rehearse practice fault add | list | clear`: let the practice org go wrong on purpose, at the n-th call of a kind.

Faults wait in the practice world's own file, so a running server heeds them from its next request on. They refuse a
deed where it cannot happen. A fault that fired as often as it should is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish
from rehearse.cli.practice_world import Folder, find_home, open_world
from rehearse.errors import UsageError
from rehearse.report.view import Cell, Page, Paragraph, Rows, Table, build_table

if TYPE_CHECKING:
    from rehearse.practice.estate import Estate
    from rehearse.practice.faults import Fault

app = typer.Typer(
    help="Let the practice org go wrong on purpose. Lost replies, locked rows, jobs that fail, copies that stop.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def add(
    deed: Annotated[str, typer.Argument(help="What happens, such as lose-reply; `fault list --deeds` shows all.")],
    at: Annotated[str, typer.Option(help="Kind of call or job; `fault list --deeds` shows all.")] = "any",
    match: Annotated[str, typer.Option(help="Regular expression over the address, or over the object of a job.")] = "",
    nth: Annotated[int, typer.Option(min=1, help="The first one that goes wrong, counted from now.")] = 1,
    times: Annotated[int, typer.Option(min=1, help="How many go wrong, one after another.")] = 1,
    org: Annotated[str, typer.Option(help="Only in this sandbox, or in `production`.")] = "",
    amount: Annotated[
        float | None, typer.Option(min=0, help="Seconds, virtual minutes or members of the deed.")
    ] = None,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Let the n-th call or job of a kind go wrong.

    Example: rehearse practice fault add lose-reply --at activation
    """
    from rehearse.practice.faults import USUAL_AMOUNT, place

    with open_world(find_home(folder)) as estate:
        _check_org(estate, org)
        size = USUAL_AMOUNT.get(deed, 0.0) if amount is None else amount
        try:
            estate.faults.put(place(deed, at, match, nth=nth, times=times, amount=size, org=org))
        except ValueError as error:
            raise UsageError(
                f"There is no such fault: {error}.", "See `rehearse practice fault list --deeds`."
            ) from error
        _show(estate, as_json)


@app.command("list")
def list_(
    deeds: Annotated[bool, typer.Option("--deeds", help="Show what can go wrong, and where.")] = False,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Show the faults that still wait.

    With --deeds, show what can go wrong, and where.

    Example: rehearse practice fault list --deeds
    """
    with open_world(find_home(folder)) as estate:
        _show_deeds(estate, as_json) if deeds else _show(estate, as_json)


@app.command()
def clear(folder: Folder = None, as_json: Json = False) -> None:
    """Forget every fault that has not fired.

    Example: rehearse practice fault clear
    """
    with open_world(find_home(folder)) as estate:
        estate.faults.clear()
        _show(estate, as_json)


def _check_org(estate: Estate, name: str) -> None:
    if name and name.lower() != "production" and estate.sandbox(name) is None:
        raise UsageError(f"There is no sandbox {name} in this practice world.", "Look at `rehearse practice status`.")


def _show(estate: Estate, as_json: bool) -> None:
    waiting = estate.faults.waiting()
    rows: Rows = [_cells(one) for one in waiting]
    columns = ["no.", "what happens", "at", "matching", "still pass", "times", "org", "amount"]
    page = Page("", (build_table("Faults", columns, rows) if rows else Paragraph("No fault waits."),))
    body = {"faults": [one.__dict__ for one in waiting]}
    finish("practice-faults", estate.clock.now(), body, page, as_json=as_json)


def _cells(fault: Fault) -> list[Cell | str]:
    passes = str(max(fault.nth - 1, 0))
    amount = f"{fault.amount:g}" if fault.amount else "-"
    pattern = fault.pattern or "-"
    return [str(fault.number), fault.deed, fault.point, pattern, passes, str(fault.times), fault.org or "-", amount]


def _show_deeds(estate: Estate, as_json: bool) -> None:
    from rehearse.practice.faults import DEEDS, KINDS, deeds_at

    deeds: Rows = [[name, meaning] for name, meaning in DEEDS.items()]
    kinds: Rows = [[name, ", ".join(deeds_at(name))] for name in KINDS]
    page = Page("", (build_table("What happens", ["deed", "meaning"], deeds), _kinds_table(kinds)))
    body = {"deeds": DEEDS, "kinds": {name: list(deeds_at(name)) for name in KINDS}}
    finish("practice-fault-kinds", estate.clock.now(), body, page, as_json=as_json)


def _kinds_table(rows: Rows) -> Table:
    return build_table("Where", ["at", "deeds"], rows)
