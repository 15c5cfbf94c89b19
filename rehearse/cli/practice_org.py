"""`rehearse practice org show | mail | job | end | package | copy | lock`: what is done to an org that no API does.

E-mail deliverability, Apex jobs under way, and the version of an installed package, each seen at once by a running
server. Refuses an org that does not exist, in one sentence. The administrator of the org stands in its audit trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rehearse.cli import practice_copy
from rehearse.cli.answers import Json, finish
from rehearse.cli.practice_world import Folder, find_home, open_world
from rehearse.errors import UsageError
from rehearse.report.view import Page, Paragraph, Rows, build_table

if TYPE_CHECKING:
    from rehearse.practice.estate import Estate
    from rehearse.practice.org_state import OrgState

app = typer.Typer(
    help="Do by hand what no API does. E-mail deliverability, Apex jobs, package versions, copies that stop.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(metavar="ORG", help="A practice sandbox, or `production`.")]


@app.command()
def show(name: Name, folder: Folder = None, as_json: Json = False) -> None:
    """Show deliverability, packages, schedules and jobs.

    Example: rehearse practice org show UATFULL
    """
    with open_world(find_home(folder)) as estate:
        _show(estate, name, _find(estate, name), as_json)


@app.command()
def mail(
    name: Name,
    level: Annotated[str, typer.Argument(help="Whom the org may write to: none, system or all.")],
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Set the e-mail deliverability. A fresh copy has `system`.

    Example: rehearse practice org mail UATFULL all
    """
    from rehearse.practice.deliverability import set_deliverability

    with _by_hand(folder, name) as (estate, org, admin):
        set_deliverability(org, admin, level)  # type: ignore[arg-type]
        _show(estate, name, org, as_json)


@app.command()
def job(
    name: Name,
    apex_class: Annotated[str, typer.Argument(metavar="CLASS", help="An Apex class of the org.")],
    minutes: Annotated[float, typer.Option(min=0, help="End after so many virtual minutes; 0 = when ended.")] = 0,
    cron: Annotated[str, typer.Option(help="Schedule the class by this expression, in place of a batch job.")] = "",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Start a batch job of a class, or schedule the class.

    While it runs or waits, its class cannot be deployed.

    Example: rehearse practice org job UATFULL VisitPlanner --minutes 30
    """
    from rehearse.practice.apex_jobs import schedule_job, start_apex

    with _by_hand(folder, name) as (estate, org, admin):
        if cron:
            schedule_job(org, admin, apex_class, (f"{apex_class} by hand", cron))
        else:
            ends = org.now() + timedelta(minutes=minutes) if minutes else None
            start_apex(org, admin, apex_class, ends=ends)
        _show(estate, name, org, as_json)


@app.command()
def end(
    name: Name,
    which: Annotated[str, typer.Argument(metavar="ID", help="Id of a job or a schedule; `org show` lists them.")],
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Abort an Apex job or a schedule.

    Example: rehearse practice org end UATFULL 707000000000001AAA
    """
    from rehearse.practice.apex_jobs import abort_apex

    with _by_hand(folder, name) as (estate, org, _):
        if not abort_apex(org, which):
            raise ValueError(f"There is no job or schedule {which} under way.")
        _show(estate, name, org, as_json)


@app.command()
def package(
    name: Name,
    namespace: Annotated[str, typer.Argument(help="Namespace of an installed package.")],
    version: Annotated[str, typer.Argument(help="Its newer version, such as 3.13.")],
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Upgrade an installed package. There is no way back.

    Example: rehearse practice org package UATFULL tidemaps 3.13
    """
    from rehearse.practice.packages_installed import move_package

    with _by_hand(folder, name) as (estate, org, admin):
        move_package(org, admin, namespace, version)
        _show(estate, name, org, as_json)


app.command()(practice_copy.copy)
app.command()(practice_copy.lock)


def _find(estate: Estate, name: str) -> OrgState:
    org = estate.production if name.lower() == "production" else estate.sandbox(name)
    if org is None:
        raise UsageError(f"There is no sandbox {name} in this practice world.", "Look at `rehearse practice status`.")
    return org


@contextmanager
def _by_hand(folder: Any, name: str) -> Iterator[tuple[Estate, OrgState, str]]:
    """The world, an org of it, and its administrator; what the practice room refuses is said in its words."""
    from rehearse.practice.deploy import org_admin, prepare

    with open_world(find_home(folder)) as estate:
        org = _find(estate, name)
        prepare(org)
        try:
            yield estate, org, org_admin(org)
        except ValueError as error:
            raise UsageError(str(error), f"Look at `rehearse practice org show {name}`.") from error


def _show(estate: Estate, name: str, org: OrgState, as_json: bool) -> None:
    from rehearse.practice.apex_jobs import fire_due, list_jobs
    from rehearse.practice.deliverability import LEVELS, deliverability
    from rehearse.practice.deploy import prepare
    from rehearse.practice.packages_installed import installed_versions

    prepare(org)
    fire_due(org)
    level, packages, jobs = deliverability(org), installed_versions(org), list_jobs(org)
    rows: Rows = [[one.id, one.kind, one.apex_class, one.status, one.following or "-"] for one in jobs]
    held = ", ".join(f"{one} {version}" for one, version in packages.items()) or "none"
    blocks = [Paragraph(f"E-mail of {name}: {LEVELS[level]}. Installed packages: {held}.")]
    table = build_table("Apex jobs and schedules", ["id", "kind", "class", "state", "next"], rows)
    page = Page("", (*blocks, table if rows else Paragraph("No Apex job is under way and none is scheduled.")))
    body = {"org": name, "email": level, "packages": packages, "jobs": [one.__dict__ for one in jobs]}
    finish("practice-org", estate.clock.now(), body, page, as_json=as_json)
