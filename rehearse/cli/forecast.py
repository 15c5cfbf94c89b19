"""`rehearse forecast`: before a rehearsal, what of it can be undone, what cannot, and what that costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rehearse.cli.answers import Json, finish, not_blank, say

if TYPE_CHECKING:
    from rehearse.cli.desk import Desk
    from rehearse.cli.forecasting import Against
    from rehearse.reset.forecast_read import Demand
    from rehearse.reset.model import Forecast


def forecast(
    what: Annotated[Path, typer.Argument(help="A release file such as plans/r41.yaml, or a package: folder or zip.")],
    sandbox: Annotated[
        str | None, typer.Option(callback=not_blank, help="Where it will be rehearsed; needed when several could be.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(callback=not_blank, help="Baseline to compare with; the newest unless given.")
    ] = None,
    whole: Annotated[bool, typer.Option("--all", help="Show every item with its reason and source.")] = False,
    as_json: Json = False,
) -> None:
    """Say whether a rehearsal can be undone, before it is held.

    Compares the package and the runbook with a baseline; without one, with the sandbox itself. Changes nothing.
    Exit 0 when all of it can be undone exactly, else 3.

    Example: rehearse forecast plans/r41.yaml --sandbox UATFULL
    """
    from rehearse.cli import forecasting, progress
    from rehearse.cli.desk import open_desk

    with open_desk() as desk:
        named, demand = _demand(desk, what)
        against = forecasting.choose_against(desk, sandbox, baseline)
        with progress.shown() as on_event:
            found = forecasting.make_forecast(desk, demand, against, on_event)
        _show(desk, (named, against), found, whole=whole, as_json=as_json)


def _demand(desk: Desk, what: Path) -> tuple[str, Demand]:
    from rehearse.cli.forecasting import demand_of
    from rehearse.cli.planning import load_plans
    from rehearse.reset.forecast_read import Demand, load_package

    if what.suffix.lower() in (".yaml", ".yml"):
        (release,) = load_plans(desk, [what])
        return release.name, demand_of(release)
    return str(what), Demand((load_package(what),))


def _show(desk: Desk, asked: tuple[str, Against], found: Forecast, *, whole: bool, as_json: bool) -> None:
    from rehearse.cli.forecasting import find_burned_until
    from rehearse.report.forecast import build_forecast_body, build_forecast_page

    named, against = asked
    now = desk.fetch_now()
    until = find_burned_until(desk, against.sandbox, now) if found.verdict == "burns" else None
    base = against.baseline
    about: dict[str, Any] = {
        "sandbox": against.sandbox,
        "baseline": base.name if base else None,
        "burned_until": {"possible": until[0], "certain": until[1]} if until else None,
    }
    where = f"{against.sandbox} (baseline {base.name})" if base else f"{against.sandbox} (as it is now)"
    page = build_forecast_page(found, f"{named} in {where}", until, desk.workspace.zone, whole=whole)
    code = 0 if found.verdict == "undoable" else 3
    finish("forecast", now, build_forecast_body(found, about), page, as_json=as_json)
    if not (whole or as_json) and any(one.grade == "exact" for one in found.items):
        say("Each of them with its reason and source: add --all.")
    if base is None:
        say(f"Capture a baseline first: rehearse baseline capture {against.sandbox}")
    raise typer.Exit(code)
