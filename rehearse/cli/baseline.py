"""`rehearse baseline capture | list | show | verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank
from rehearse.cli.baseline_capture import capture
from rehearse.errors import UsageError

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline, Capture
    from rehearse.cli.desk import Desk

app = typer.Typer(help="Capture, list, show and verify baselines.", no_args_is_help=True, rich_markup_mode=None)


_Of = Annotated[
    str | None, typer.Option(callback=not_blank, help="Sandbox, where several have a baseline of this name.")
]

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
    sandbox: _Of = None,
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


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="Name, or the start of a snapshot or capture id.")] = "",
    sandbox: _Of = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decrypt every row and recompute every digest.")] = False,
    proof: Annotated[Path | None, typer.Option(help="Verify a proof file instead, offline.")] = None,
    as_json: Json = False,
) -> None:
    """Check that a baseline, or a proof, is as it was written.

    Without --deep the digests of all files are checked; with --proof the signature of a proof file, without any org.

    Example: rehearse baseline verify B1 --deep
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body
    from rehearse.report.view import Page, Paragraph

    if bool(name) == bool(proof):
        raise UsageError("Give the name of a baseline or --proof FILE, one of the two.", "See --help.")
    with open_desk() as desk:
        if proof is not None:
            from rehearse.cli.proof import show_proof

            show_proof(desk, proof, as_json=as_json)
            return
        found = desk.baselines().find(name, sandbox)
        taken = check_baseline(desk, found, deep=deep)
        what = "every row and component was read and its digest recomputed" if deep else "the digests of all files hold"
        page = Page("", (Paragraph(f"Baseline {found.name} of {found.sandbox} is whole: {what}.", "good"),))
        body = {**build_baseline_body(found, taken), "whole": True, "deep": deep}
        finish("baseline", desk.fetch_now(), body, page, as_json=as_json)


def check_baseline(desk: Desk, found: Baseline, *, deep: bool) -> Capture:
    """Verify the files of a baseline and that they are those of the index. Raises Damaged, StoreError."""
    import hashlib

    from rehearse.baseline.index import check_is_here
    from rehearse.baseline.verify import verify_capture
    from rehearse.errors import Damaged

    store = desk.store()
    check_is_here(found, desk.workspace.storage.folder)
    taken = verify_capture(store, found.capture, deep=deep)
    written = hashlib.sha256((store.folder(found.capture) / "manifest.json").read_bytes()).hexdigest()
    if written != found.manifest_sha256:
        raise Damaged(
            f"The manifest of baseline {found.name} is not the one that was recorded.",
            "Take a new baseline; do not reset to this one.",
        )
    return taken
