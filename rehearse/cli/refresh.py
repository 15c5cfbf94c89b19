"""`rehearse refresh check | request | watch | activate | discard | ready`: from the question to a ready sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli import refresh_ready, refresh_turn, refresh_watch
from rehearse.cli.answers import Json, finish, is_terminal, not_blank
from rehearse.errors import Refused
from rehearse.report.view import Page, Paragraph, Table

if TYPE_CHECKING:
    from rehearse.cli.refresh_desk import Blocks, Case
    from rehearse.refresh.model import Losses

app = typer.Typer(help="Decide on, request, watch and activate refreshes.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def check(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")], as_json: Json = False
) -> None:
    """Say whether a refresh would be taken now.

    Asks production for its copies; nothing is requested. Exit 3 for no.

    Example: rehearse refresh check UATFULL
    """
    from rehearse.cli.refresh_desk import open_case
    from rehearse.refresh.act import UNDER_WAY
    from rehearse.report.refreshes import build_answer_blocks, build_answer_body

    with open_case(sandbox) as case:
        answer = case.load_answer()
        body = {"sandbox": case.name, **build_answer_body(answer)}
        page = Page("", tuple(build_answer_blocks(case.name, answer, case.zone)))
        no = answer.refreshable == "no"
        then = "" if no else f"rehearse refresh request {case.name} --dry-run"
        if case.last is not None and case.last.state in UNDER_WAY:
            then = f"rehearse refresh watch {case.name}"
        finish("refresh-check", case.now, body, page, as_json=as_json, code=3 if no else 0, then=then)


@app.command()
def request(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    auto_activate: Annotated[
        bool, typer.Option("--auto-activate", help="Let production replace the sandbox as soon as the copy is made.")
    ] = False,
    confirm: Annotated[
        str | None, typer.Option(callback=not_blank, help="Name of the sandbox; --auto-activate needs it.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Ask even where our dates say no. A refusal costs nothing and is kept.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would take, and ask for nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Ask production for a refresh of a sandbox.

    Shows first whom it would hit: bookings, what people changed since the last refresh, and what no tool can bring
    back. The old sandbox works on until the copy is activated. Exit 3 when production refuses, or when no login here
    may ask (the words for the platform team are printed).

    Example: rehearse refresh request UATFULL --dry-run
    """
    from rehearse.cli.refresh_desk import open_case
    from rehearse.cli.refresh_request import check_auto_activation, check_request, request_refresh

    with open_case(sandbox) as case:
        if case.may_act and not dry_run:
            check_request(case, anyway=anyway)
            check_auto_activation(case, confirm, wanted=auto_activate)
        losses = case.fetch_losses()
        body, blocks = _weighed(case, losses)
        if dry_run:
            _end(case, body, blocks, as_json=as_json, code=3 if case.load_answer().refreshable == "no" else 0)
        elif case.may_act:
            _show_first(blocks, as_json=as_json)
            taken, page = request_refresh(case, auto_activate=auto_activate, losses=losses)
            _end(case, {**body, **taken}, page, as_json=as_json, code=0 if taken["asked"] else 3)
        else:
            taken, page = case.letter("request")
            _end(case, {**body, **taken}, [*blocks, *page], as_json=as_json, code=3)


def _weighed(case: Case, losses: Losses | None) -> tuple[dict[str, object], Blocks]:
    """What a request would meet and what it takes, as data and for people."""
    from rehearse.report.refreshes import build_answer_blocks, build_answer_body, build_losses_body

    answer = case.load_answer()
    body = {"sandbox": case.name, **build_answer_body(answer), "losses": build_losses_body(losses)}
    return body, [*build_answer_blocks(case.name, answer, case.zone), *case.show_losses(losses)]


def _show_first(blocks: list[Paragraph | Table], *, as_json: bool) -> None:
    """Let somebody at a terminal read what it takes before it cannot be undone."""
    if as_json:
        return
    from rehearse.cli.answers import show

    show(Page("", tuple(blocks)))
    if is_terminal() and not typer.confirm("Ask for the refresh? It cannot be cancelled.", err=True):
        raise Refused("Nothing was asked for.", "Run it again when the time has come.")


def _end(case: Case, body: dict[str, object], blocks: list[Paragraph | Table], *, as_json: bool, code: int = 0) -> None:
    body = {**_NOT_ASKED, **body}
    then = str(body["run_next"] or "")
    finish("refresh-request", case.now, body, Page("", tuple(blocks)), as_json=as_json, code=code, then=then)


_NOT_ASKED: dict[str, object] = {
    "asked": False, "found": False, "copy": None, "fields_differ": [], "refused": None, "ask": [], "run_next": None,
}  # fmt: skip
"""What the answer carries while nothing was asked for."""


app.command()(refresh_watch.watch)
app.command()(refresh_turn.activate)
app.command()(refresh_turn.discard)
app.command()(refresh_ready.ready)
