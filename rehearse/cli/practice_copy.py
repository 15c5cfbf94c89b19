"""`rehearse practice org copy | lock`: what Salesforce's own people do to copies under way, and to all sandboxes.

A copy is suspended, stopped, or let go on; sandboxes are locked as when licences run out. A running server sees it at
once. Refuses what no copy or lock is there for, in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from rehearse.cli.answers import Json, finish
from rehearse.cli.practice_world import Folder, as_text, find_home, open_world
from rehearse.errors import UsageError
from rehearse.report.view import Page, build_table

if TYPE_CHECKING:
    from rehearse.practice.estate import Estate

Deed = Literal["suspend", "stop", "resume"]


def copy(
    name: Annotated[str, typer.Argument(metavar="SANDBOX", help="A practice sandbox.")],
    deed: Annotated[str, typer.Argument(help=f"What becomes of its copy: {', '.join(get_args(Deed))}.")],
    minutes: Annotated[
        float, typer.Option(min=0, help="Suspended for so many virtual minutes; 0 = until it is resumed.")
    ] = 0,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Suspend, stop or resume the copy of a sandbox. Salesforce does so.

    A stopped copy that is resumed queues again.

    Example: rehearse practice org copy UATFULL resume
    """
    from rehearse.practice.admin import hold_copy, resume_copy

    with _at_salesforce(folder) as estate:
        if deed == "resume":
            resume_copy(estate, name)
        elif deed in ("suspend", "stop"):
            hold_copy(estate, name, deed, minutes or None)  # type: ignore[arg-type]
        else:
            raise UsageError(f"{deed!r} is nothing that a copy can be told.", f"One of {', '.join(get_args(Deed))}.")
        _show(estate, as_json)


def lock(
    off: Annotated[bool, typer.Option("--off", help="Unlock them again.")] = False,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Lock all sandboxes, as when licences run out.

    Every request about sandboxes is refused until they are unlocked.

    Example: rehearse practice org lock --off
    """
    from rehearse.practice.admin import lock_sandboxes

    with _at_salesforce(folder) as estate:
        lock_sandboxes(estate, locked=not off)
        _show(estate, as_json)


@contextmanager
def _at_salesforce(folder: Any) -> Iterator[Estate]:
    from rehearse.practice.http_errors import ApiError

    with open_world(find_home(folder)) as estate:
        try:
            yield estate
        except ApiError as error:
            raise UsageError(error.message, "Look at `rehearse practice status`.") from error


def _show(estate: Estate, as_json: bool) -> None:
    from rehearse.practice.admin import show_world

    world = show_world(estate)
    rows = [[one.name, one.licence, one.status, as_text(one.requested)] for one in world.sandboxes]
    page = Page("", (build_table("Sandboxes", ["sandbox", "type", "status", "requested"], rows),))
    body = {"sandboxes": [one.__dict__ for one in world.sandboxes]}
    finish("practice-sandboxes", world.now, body, page, as_json=as_json)
