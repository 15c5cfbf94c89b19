"""`rehearse reset bypass-off`: put the switches back that a broken-off reset left on, without continuing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, say

if TYPE_CHECKING:
    from rehearse.cli.desk import Desk
    from rehearse.lock import Lock
    from rehearse.reset.bypass import Bypass


def bypass_off(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the switches, and touch nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Switch the automation of a sandbox on again.

    For a reset that is not to be continued. Nothing else is written. A sandbox that was refreshed meanwhile never had
    them: then they are only forgotten.

    Example: rehearse reset bypass-off UATFULL
    """
    from rehearse.cli.desk import open_desk
    from rehearse.ids import is_same_name
    from rehearse.lock import hold
    from rehearse.report.view import Page, build_table
    from rehearse.reset.bypass import load_bypasses

    with open_desk() as desk:
        name, now = desk.workspace.sandbox(sandbox).name, desk.fetch_now()
        found = [one for one in load_bypasses(desk.database) if is_same_name(one.sandbox, name)]
        for one in () if dry_run else found:
            desk.continues = one.run
            with hold(desk.database, name, f"bypass-off {one.run[:12]}", now) as lock:
                _put_back(desk, one, lock)
        body = {"sandbox": name, "put_back": not dry_run, "switches": [list(one.switches) for one in found]}
        rows = [[one.run[:12], what] for one in found for what in one.switches]
        table = build_table(f"Switches of {name}", ["reset", "switch"], rows, empty="none is on")
        finish("bypass", now, body, Page("", (table,)), as_json=as_json)
        if not as_json and found:
            say("They would be put back." if dry_run else "They are as they were.")


def _put_back(desk: Desk, bypass: Bypass, lock: Lock) -> None:
    """Restore the switches of one run, or forget them where the generation that had them is gone."""
    from rehearse.journal import Journal
    from rehearse.reset.apply_bypass import forget, switch_off
    from rehearse.reset.apply_context import Tools
    from rehearse.reset.id_map import IdMap

    writer = desk.connect_writer(desk.workspace.sandbox(bypass.sandbox), None)
    journal = Journal(desk.database, lock, bypass.run, desk.org_clock.now)
    tools = Tools(writer, desk.store(), journal, IdMap(desk.database, bypass.org_id))
    if writer.org_id == bypass.org_id:
        switch_off(tools)
    else:
        say(f"note: {bypass.sandbox} was refreshed since; its new generation never had these switches.")
        forget(tools)
