"""`rehearse drill`: a canary is changed, reset and proven in a Developer sandbox, before anybody relies on a reset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, is_terminal, say
from rehearse.errors import NotConfirmed, Refused

if TYPE_CHECKING:
    from datetime import datetime

    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.reset.drill import Hand
    from rehearse.reset.drill_run import Bench, DrillResult
    from rehearse.reset.model import Settled

_TYPES = ("DEVELOPER", "DEVELOPER_PRO")


def drill(
    sandbox: Annotated[str, typer.Argument(help="Name of a Developer sandbox in rehearse.yaml.")],
    facts: Annotated[
        bool, typer.Option("--facts", help="Also settle what no document says, for this production.")
    ] = False,
    confirm: Annotated[str, typer.Option(help="Name of the sandbox: the drill adds and removes a small object.")] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Hold no drill: only remove what an interrupted one left.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the drill would do, and do nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Try a whole reset on a canary in a Developer sandbox.

    Plants an object of its own, takes a baseline, changes it, resets it, proves it, and removes it again.
    Interrupted, the same command continues. Exit 0 when all of the canary came back, else 3.

    Example: rehearse drill DEV1 --confirm DEV1
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.drill import build_drill_body, build_drill_page
    from rehearse.report.view import Page

    with open_desk() as desk:
        name = desk.workspace.sandbox(sandbox).name
        now = desk.fetch_now()
        _check_type(desk, name, now)
        if dry_run:
            say(_tell_plan(name, facts=facts, remove=remove))
            body = {**build_drill_body(name, True, (), ()), "verdict": "not run"}
            finish("drill", now, body, Page("", ()), as_json=as_json)
            return
        _confirm(name, confirm)
        if remove:
            _remove(desk, name, now, as_json=as_json)
            return
        result, settled = _hold(desk, name, facts=facts)
        body = build_drill_body(name, result.clean, result.items, settled)
        page = build_drill_page(name, result.clean, result.items, settled)
        finish("drill", now, body, page, as_json=as_json, code=0 if result.clean else 3)


def _tell_plan(name: str, *, facts: bool, remove: bool) -> str:
    """What the drill would do, in a sentence."""
    if remove:
        return f"Would remove from {name} what an interrupted drill left there, and hold none."
    asked = " put the open questions to it," if facts else ""
    return f"Would plant RehearseCanary__c in {name}, change it, reset it, prove it,{asked} and remove it."


def _remove(desk: Desk, name: str, now: datetime, *, as_json: bool) -> None:
    """No drill is held: what an interrupted one left goes."""
    from rehearse.report.drill import build_drill_body
    from rehearse.report.view import Page, Paragraph
    from rehearse.reset.drill_run import abandon_drill

    with _bench(desk, name) as bench:
        abandon_drill(bench)
    body = {**build_drill_body(name, True, (), ()), "verdict": "removed"}
    gone = Paragraph(f"Nothing of a drill is left in {name}.", "good")
    finish("drill", now, body, Page("", (gone,)), as_json=as_json)


def _hold(desk: Desk, name: str, *, facts: bool) -> tuple[DrillResult, tuple[Settled, ...]]:
    from rehearse.reset.drill_progress import find_progress
    from rehearse.reset.drill_run import run_drill

    settled: list[Settled] = []
    with _bench(desk, name) as bench:
        known = find_progress(bench.folder, name)
        if known is not None:
            say(f"note: Going on with the drill {known.id[:12]} that was interrupted.")
        extra = _prober(desk, name, settled, bench.on_event) if facts else None
        result = run_drill(bench, extra)
    return result, tuple(settled)


@contextmanager
def _bench(desk: Desk, name: str) -> Iterator[Bench]:
    """What a drill works at, under the lock of its sandbox."""
    from rehearse.cli import progress
    from rehearse.lock import hold
    from rehearse.reset.context import ApplySettings
    from rehearse.reset.drill_run import Bench

    folder = desk.workspace.storage.folder / "drills"
    settings = ApplySettings(keep_newer=True, ask_more=lambda actions: True)
    with hold(desk.database, name, "drill", desk.fetch_now()) as lock, progress.shown() as on_event:
        writer = desk.connect_writer(desk.workspace.sandbox(name), None)
        yield Bench(name, writer, desk.store(), desk.database, lock, folder, desk.fetch_now, on_event, settings)


def _prober(desk: Desk, name: str, settled: list[Settled], on_event: OnEvent) -> Callable[[Hand], None]:
    """Asks the open questions while the canary stands, and keeps the answers of this production."""
    from rehearse.reset.drill_answers import keep_answers
    from rehearse.reset.drill_facts import settle

    def ask(hand: Hand) -> None:
        found = settle(hand, on_event)
        keep_answers(desk.database, production_id(desk), name, found, desk.fetch_now())
        settled.extend(found)

    return ask


def production_id(desk: Desk) -> str:
    """What answers are kept under: the id of production's org, or its name where there is no login for it."""
    production = desk.connect_production()
    if production is not None:
        return production.org_id
    return desk.workspace.production.name if desk.workspace.production else ""


def _check_type(desk: Desk, name: str, now: datetime) -> None:
    """A canary has no place in a sandbox in which people rehearse. Raises Refused."""
    from rehearse.cli import overview, progress
    from rehearse.cli.availability import availability_of
    from rehearse.schedule.ledger_store import load_cycles

    with progress.shown() as on_event:
        overview.refresh_ledger(desk, on_event)
    config = desk.workspace.sandbox(name)
    kind = availability_of(desk, name, config, load_cycles(desk.database).get(name, ()), now).type
    if kind not in _TYPES:
        raise Refused(
            f"{name} is a {kind or 'sandbox of unknown type'}; a drill is held in a Developer sandbox only.",
            "Name a sandbox of type DEVELOPER or DEVELOPER_PRO.",
        )


def _confirm(name: str, confirm: str) -> None:
    if not confirm and is_terminal():
        question = f"This plants, changes and deletes a small object of its own in {name}. Type its name to go on"
        confirm = typer.prompt(question, default="", show_default=False, err=True)
    if confirm != name:
        raise NotConfirmed(f"The drill changes {name}, which was not confirmed.", f"Add --confirm {name}.")
