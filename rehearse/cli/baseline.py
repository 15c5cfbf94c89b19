"""`rehearse baseline`: its verbs in order, and `list` and `show` themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish
from rehearse.cli.baseline_capture import capture
from rehearse.cli.baseline_check import Of
from rehearse.cli.baseline_export import export
from rehearse.cli.baseline_prune import prune
from rehearse.cli.baseline_repair import repair
from rehearse.cli.baseline_verify import verify

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline, Capture
    from rehearse.cli.desk import Desk

app = typer.Typer(help="Capture, show, verify and keep baselines.", no_args_is_help=True, rich_markup_mode=None)

app.command()(capture)


@app.command("list")
def list_(
    sandbox: Annotated[str, typer.Argument(help="Only the baselines of this sandbox.")] = "", as_json: Json = False
) -> None:
    """List the baselines.

    As data each has its coverage, where this machine holds its files.

    Example: rehearse baseline list
    """
    from rehearse.baseline.index import is_here
    from rehearse.cli.baseline_unlisted import tell_of_unlisted
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body, build_baseline_list

    with open_desk() as desk:
        only = desk.name_org(sandbox) if sandbox else ""
        found = desk.baselines().load(only or None)
        if not found:
            tell_of_unlisted(desk, only)
        body = {"baselines": [build_baseline_body(one, _load_at_hand(desk, one) if as_json else None) for one in found]}
        away = {one.capture for one in found if not is_here(one, desk.workspace.storage.folder)}
        page = build_baseline_list(found, desk.workspace.zone, away)
        finish("baselines", desk.fetch_now(), body, page, as_json=as_json)


def _load_at_hand(desk: Desk, baseline: Baseline) -> Capture | None:
    """The capture of a baseline, where its files are here and readable; `baseline verify` says what is wrong."""
    from rehearse.baseline.index import is_here
    from rehearse.errors import Damaged, NotFound

    if not is_here(baseline, desk.workspace.storage.folder):
        return None
    try:
        return desk.store().load(baseline.capture)
    except (Damaged, NotFound):
        return None


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name, or the start of a snapshot or capture id.")],
    sandbox: Of = None,
    as_json: Json = False,
) -> None:
    """Show what a baseline covers, and what it does not.

    All of it, and which residue was accepted before it was taken.

    Example: rehearse baseline show B1 --sandbox UATFULL
    """
    from rehearse.baseline.index import check_is_here
    from rehearse.cli.desk import open_desk
    from rehearse.cli.proof import load_carried
    from rehearse.report.baselines import build_baseline_body, build_baseline_page

    with open_desk() as desk:
        found = desk.baselines().find(name, sandbox)
        check_is_here(found, desk.workspace.storage.folder)
        taken = desk.store().load(found.capture)
        carried = load_carried(desk, found)
        page = build_baseline_page(found, taken, desk.workspace.zone, carried)
        finish("baseline", desk.fetch_now(), build_baseline_body(found, taken, carried), page, as_json=as_json)


app.command()(verify)
app.command()(prune)
app.command()(export)
app.command()(repair)
