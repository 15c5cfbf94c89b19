"""`rehearse baseline`: its verbs in order, `list` and `show` themselves, and the check that every use begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish
from rehearse.cli.baseline_capture import capture
from rehearse.cli.baseline_export import export
from rehearse.cli.baseline_prune import prune
from rehearse.cli.baseline_repair import repair
from rehearse.cli.baseline_verify import Of, verify

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

    Example: rehearse baseline list
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body, build_baseline_list

    with open_desk() as desk:
        found = desk.baselines().load(desk.name_org(sandbox) if sandbox else None)
        body = {"baselines": [build_baseline_body(one, None) for one in found]}
        finish("baselines", desk.fetch_now(), body, build_baseline_list(found, desk.workspace.zone), as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name, or the start of a snapshot or capture id.")],
    sandbox: Of = None,
    as_json: Json = False,
) -> None:
    """Show what a baseline covers, and what it does not.

    Example: rehearse baseline show B1 --sandbox UATFULL
    """
    from rehearse.baseline.index import check_is_here
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body, build_baseline_page

    with open_desk() as desk:
        found = desk.baselines().find(name, sandbox)
        check_is_here(found, desk.workspace.storage.folder)
        taken = desk.store().load(found.capture)
        page = build_baseline_page(found, taken, desk.workspace.zone)
        finish("baseline", desk.fetch_now(), build_baseline_body(found, taken), page, as_json=as_json)


app.command()(verify)
app.command()(prune)
app.command()(export)
app.command()(repair)


def check_baseline(desk: Desk, found: Baseline, *, deep: bool, records: bool = True) -> Capture:
    """Verify the files of a baseline and that they are those of the index. Raises Damaged, StoreError.

    `records` False takes a baseline whose records were destroyed by prune as it is.
    """
    import hashlib

    from rehearse.baseline.index import check_has_records, check_is_here
    from rehearse.baseline.verify import verify_capture
    from rehearse.errors import Damaged

    store = desk.store()
    check_is_here(found, desk.workspace.storage.folder)
    if records:
        check_has_records(found, desk.workspace.zone)
    taken = verify_capture(store, found.capture, deep=deep, records=records)
    written = hashlib.sha256((store.folder(found.capture) / "manifest.json").read_bytes()).hexdigest()
    if written != found.manifest_sha256:
        raise Damaged(
            f"The manifest of baseline {found.name} is not the one that was recorded.",
            "Take a new baseline; do not reset to this one.",
        )
    return taken
