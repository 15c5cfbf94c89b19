"""`rehearse reset locks | unlock`: who works on which sandbox, and breaking a lock by its id.

A lock is broken only on purpose. Whoever held it stops before its next call that writes: every intent is written in the
transaction that checks the lock.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, is_terminal, say

if TYPE_CHECKING:
    from rehearse.lock import Lock
    from rehearse.report.view import Page


def locks(as_json: Json = False) -> None:
    """Show who works on which sandbox, at what and since when.

    Example: rehearse reset locks
    """
    from rehearse.cli.desk import open_desk
    from rehearse.lock import load_locks

    with open_desk() as desk:
        found = load_locks(desk.database)
        body = {"locks": [_plain(one) for one in found]}
        finish("locks", desk.fetch_now(), body, _page(found), as_json=as_json)


def unlock(
    lock: Annotated[str, typer.Argument(help="Id of the lock, or a unique start of it (see `rehearse reset locks`).")],
    confirm: Annotated[str, typer.Option(help="Name of the sandbox whose lock is broken.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the lock, and break nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Break a lock whose work is surely dead.

    A command that is still alive stops before its next write. What it left half done is continued by the same command.

    Example: rehearse reset unlock 01M83M --confirm UATFULL
    """
    from rehearse.cli.desk import open_desk
    from rehearse.errors import NotConfirmed
    from rehearse.lock import break_lock, find_lock

    with open_desk() as desk:
        found = find_lock(desk.database, lock)
        if not dry_run:
            if not confirm and is_terminal():
                words = f"{found.who} on {found.host} works there: {found.what}. Type {found.sandbox} to break the lock"
                confirm = typer.prompt(words, default="", show_default=False, err=True)
            if confirm != found.sandbox:
                raise NotConfirmed(
                    f"The lock of {found.sandbox} is held by {found.who} on {found.host} for: {found.what}.",
                    f"If that work is surely dead, add --confirm {found.sandbox}.",
                )
            break_lock(desk.database, found.token)
        body = {"locks": [_plain(found)], "broken": not dry_run}
        finish("locks", desk.fetch_now(), body, _page((found,)), as_json=as_json)
        if not as_json:
            say(
                f"The lock of {found.sandbox} would be broken."
                if dry_run
                else f"The lock of {found.sandbox} is broken."
            )


def _plain(lock: Lock) -> dict[str, str]:
    from rehearse import clock

    return {**asdict(lock), "id": lock.token, "since": clock.iso(lock.since)}


def _page(found: tuple[Lock, ...]) -> Page:
    from rehearse import clock
    from rehearse.report.view import Page, build_table

    rows = [[one.sandbox, one.token, one.who, one.host, one.what, clock.iso(one.since)] for one in found]
    return Page("", (build_table("Locks", ["sandbox", "id", "who", "host", "what", "since"], rows, empty="no lock"),))
