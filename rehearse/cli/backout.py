"""`rehearse backout`: before a go-live, write what the team's own pipeline needs to take the release back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, say

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline
    from rehearse.cli.desk import Desk
    from rehearse.release.model import Release
    from rehearse.reset.backout_model import Backout, RunStep


def backout(
    release: Annotated[Path, typer.Argument(help="A release file such as plans/r41.yaml.")],
    org: Annotated[
        str, typer.Option(help="production, or the sandbox in which the back-out is rehearsed.")
    ] = "production",
    baseline: Annotated[
        str | None, typer.Option(callback=not_blank, help="Baseline to go back to; the newest unless given.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write; backout-RELEASE unless given.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would hold, and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Write what takes a release back.

    Made from a baseline that was taken before it: two metadata zips, files of rows with their old values, and ordered
    instructions. Nothing is written to any org: the team's own pipeline uses the files. Exit 3 when something of the
    release is impossible to take back.

    Example: rehearse backout plans/r41.yaml
    """
    from rehearse.baseline.writing import waiting_folder
    from rehearse.cli.desk import open_desk
    from rehearse.cli.diff import find_baseline
    from rehearse.cli.planning import load_plans

    with open_desk() as desk:
        (made,) = load_plans(desk, [release])
        base = find_baseline(desk, desk.name_org(org), baseline)
        _check_before(desk, made, base)
        if not dry_run:
            _write(desk, made, base, (output or Path(f"backout-{made.name}")).resolve(), as_json=as_json, kept=True)
            return
        with waiting_folder(desk.store().make_scratch() / "backout") as scratch:
            _write(desk, made, base, scratch / "backout", as_json=as_json, kept=False)


def _check_before(desk: Desk, release: Release, base: Baseline) -> None:
    """A baseline of production that was taken after the go-live holds the release itself."""
    from rehearse import clock
    from rehearse.errors import Refused

    if base.sandbox == "production" and base.taken_at >= release.go_live:
        raise Refused(
            f"Baseline {base.name} of production was taken at {clock.show(base.taken_at, desk.workspace.zone)}, after "
            f"the go-live of {release.name}.",
            "Name one from before it with --baseline (rehearse baseline list production).",
        )


def _write(desk: Desk, release: Release, base: Baseline, folder: Path, *, as_json: bool, kept: bool) -> None:
    from rehearse.cli.baseline_check import check_baseline
    from rehearse.cli.forecasting import demand_of
    from rehearse.report.backout import build_backout_body, build_backout_page
    from rehearse.report.markdown import render_markdown
    from rehearse.report.view import Page
    from rehearse.reset.backout import BackoutRequest, write_backout
    from rehearse.reset.forecast_read import Base

    taken = check_baseline(desk, base, deep=False)
    now = desk.fetch_now()
    request = BackoutRequest(demand_of(release), _run_steps(release), Base(desk.store(), taken), folder, now)
    about = {"release": release.name, "org": base.sandbox, "baseline": base.name, "kept": kept}

    def show(found: Backout) -> Page:
        return build_backout_page(found, about, base.taken_at, desk.workspace.zone)

    found = write_backout(request, lambda made: render_markdown(Page(f"Back-out of {release.name}", show(made).blocks)))
    impossible = any(one.grade == "impossible" for one in found.forecast.items)
    finish("backout", now, build_backout_body(found, about), show(found), as_json=as_json)
    if kept:
        say(f"Wrote {folder}. Rehearse it in a sandbox first: --org NAME makes it from that sandbox's baseline.")
    raise typer.Exit(3 if impossible else 0)


def _run_steps(release: Release) -> tuple[RunStep, ...]:
    from rehearse.reset.backout_model import RunStep

    return tuple(
        RunStep(
            one.id, one.do.kind, f"{one.title} ({one.do.text})" if one.do.text else one.title,
            one.undo.kind if one.undo else "", one.undo.text if one.undo else "",
        )
        for one in release.runbook
    )  # fmt: skip
