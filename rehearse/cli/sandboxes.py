"""`rehearse sandboxes` and `rehearse status`: when each sandbox may be refreshed, and who has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, say
from rehearse.errors import LoginError, OrgError
from rehearse.report.view import Page, Table, build_table

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rehearse.cli.desk import Desk
    from rehearse.lock import Lock
    from rehearse.report.sandboxes import SandboxLine
    from rehearse.reset.broken_off import BrokenOff


def sandboxes(as_json: Json = False) -> None:
    """Show when each sandbox may be refreshed, and who has it.

    Asks production first; then shows refresh dates, copy times, bookings, the newest baseline and the last proof.

    Example: rehearse sandboxes --json
    """
    from rehearse.cli import overview, progress
    from rehearse.cli.desk import open_desk
    from rehearse.report import sandboxes as view

    with open_desk() as desk:
        try:
            with progress.shown() as on_event:
                overview.refresh_ledger(desk, on_event)
        except (OrgError, LoginError) as error:
            if desk.workspace.clock != "org":  # then status would ask production as well
                error.hint = f"{error.hint or ''} `rehearse status` shows what was seen last.".strip()
            raise
        now = desk.fetch_now()
        lines = overview.load_overview(desk, now)
        page = view.build_page(lines, now, desk.workspace.zone)
        finish("sandboxes", now, {"sandboxes": view.build_body(lines)}, page, as_json=as_json)
        if not as_json and not lines:
            say("No sandbox is known yet: name them in rehearse.yaml, or give production a login.")


def status(
    break_lock: Annotated[
        str | None, typer.Option(callback=not_blank, help="Remove the lock with this id, whose work is surely dead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show sandboxes, near deadlines and locks, as last seen.

    Reads the workspace database only (with `clock: org`, production is asked for the time).

    Example: rehearse status
    """
    from rehearse import lock
    from rehearse.cli import overview
    from rehearse.cli.desk import open_desk
    from rehearse.cli.leftovers import find_broken_off
    from rehearse.cli.radar import load_radar
    from rehearse.report import radar
    from rehearse.report import sandboxes as view
    from rehearse.schedule.ledger_store import load_last_asked

    with open_desk() as desk:
        if break_lock:
            _break(desk, break_lock)
        now = desk.fetch_now()
        lines = overview.load_overview(desk, now)
        held = lock.load_locks(desk.database)
        due = load_radar(desk, lines, now)
        half = {line.availability.sandbox for line in lines if line.half_reset}
        broken_off = tuple(one for one in find_broken_off(desk) if one.sandbox in half)
        told = load_last_asked(desk.database)
        seen = {"sandboxes": view.build_body(lines), "production_told": told, "radar": radar.build_radar_body(due)}
        body = {**seen, **_build_work(held, broken_off)}
        zone = desk.workspace.zone
        blocks = view.build_page(lines, now, zone, told).blocks
        page = Page("", (*blocks, radar.build_radar_table(due, zone), _locks(held, zone)))
        finish("status", now, body, page, as_json=as_json)
        for one in broken_off:
            say(f"{one}. Go on with: {one.next_command}")
        _say_unasked(desk, lines)


def _build_work(held: Sequence[Lock], broken_off: Sequence[BrokenOff]) -> dict[str, object]:
    """Who works where now, and which resets wait to be continued; a lock may have outlived its process."""
    from rehearse.lock import is_dead

    works = [{"sandbox": one.sandbox, "what": one.what, "since": one.since} for one in held]
    return {
        "locks": [{"id": one.token, "who": one.who, **what} for one, what in zip(held, works, strict=True)],
        "running": [what for one, what in zip(held, works, strict=True) if not is_dead(one)],
        "broken_off": [{"sandbox": one.sandbox, "plan": one.run, "since": one.began} for one in broken_off],
    }


def _say_unasked(desk: Desk, lines: Sequence[SandboxLine]) -> None:
    """Dates that nobody asked for yet are not "now": say where they come from."""
    asked = desk.workspace.production is not None and desk.workspace.production.login is not None
    unknown = [one.availability.sandbox for one in lines if one.availability.state == "unknown"]
    if asked and unknown:
        say(f"No refresh is known of {', '.join(unknown)}. Ask production with `rehearse sandboxes`.")


def _break(desk: Desk, token: str) -> None:
    from rehearse import lock

    broken = lock.break_lock(desk.database, token)
    say(f"Broke the lock of {broken.sandbox} that {broken.who} held for: {broken.what}.")


def _locks(held: Sequence[Lock], zone: ZoneInfo) -> Table:
    from rehearse import clock
    from rehearse.lock import is_dead

    def told(one: Lock) -> str:
        return f"{one.what} (its process is gone: the next command takes over)" if is_dead(one) else one.what

    rows = [[one.sandbox, one.who, told(one), clock.show(one.since, zone), one.token] for one in held]
    return build_table("Locks", ["sandbox", "who", "what", "since", "id"], rows)
