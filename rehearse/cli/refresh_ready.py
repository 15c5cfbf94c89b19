"""`rehearse refresh ready`: what is left before a refreshed sandbox counts as ready, who owns it, who ticked it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rehearse.cli.answers import Json, finish, own_words, say, user
from rehearse.cli.refresh_baseline import NoBaseline, capture_new
from rehearse.errors import NotASandbox, NotFound, Refused, UsageError
from rehearse.report.view import Page, Paragraph

if TYPE_CHECKING:
    from rehearse.cli.refresh_desk import Blocks, Case
    from rehearse.refresh.model import ReadyItem
    from rehearse.schedule.ledger import Cycle


def ready(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    tick: Annotated[list[str] | None, typer.Option(metavar="ITEM", help="This item is done. Repeatable.")] = None,
    untick: Annotated[list[str] | None, typer.Option(metavar="ITEM", help="It is not done after all.")] = None,
    owner: Annotated[
        list[str] | None, typer.Option(metavar="ITEM=NAME", help="NAME owns this item. Repeatable; `all=NAME`.")
    ] = None,
    add: Annotated[list[str] | None, typer.Option(metavar="ITEM", help="Put one more item on the list.")] = None,
    by: Annotated[str | None, typer.Option(callback=own_words, help="Who says so; you unless given.")] = None,
    note: Annotated[str, typer.Option(help="A note that is kept with the tick.")] = "",
    start: Annotated[bool, typer.Option("--start", help="Begin a list for a sandbox that others refreshed.")] = False,
    no_baseline: NoBaseline = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the list, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Show and tick what must be done after a refresh.

    Each item has an owner and a tick; items with a query in rehearse.yaml are ticked when it says so. Once masking is
    finished, the same run captures the first baseline of the new org. Exit 3 while an item is open.

    Example: rehearse refresh ready UATFULL --tick "masking finished" --by "Ana Ruiz"
    """
    from rehearse.cli.refresh_desk import open_case
    from rehearse.refresh.model import ReadyItem
    from rehearse.refresh.ready_store import add_items

    with open_case(sandbox) as case:
        cycle = find_generation(case)
        if not dry_run:
            if start:
                case.start_list(cycle, None)
            add_items(case.desk.database, case.name, cycle.org_id or "", [ReadyItem(one) for one in add or ()])
            _own(case, cycle, owner or [])
            _mark(case, cycle, (tick or [], untick or []), (by or user(), note))
            count_rows(case, cycle)
        body, blocks = _capture(case, cycle, wanted=not no_baseline, dry_run=dry_run)
        _finish(case, cycle, (body, blocks), as_json=as_json)


def _capture(case: Case, cycle: Cycle, *, wanted: bool, dry_run: bool) -> tuple[dict[str, Any], Blocks]:
    """The baseline of a generation whose list has begun."""
    from rehearse.refresh.ready_store import load_items

    if dry_run or not load_items(case.desk.database, case.name, cycle.org_id or ""):
        return {"baseline": None, "captured": False, "no_baseline": None}, []
    return capture_new(case, cycle, wanted=wanted)


def _finish(case: Case, cycle: Cycle, baseline: tuple[dict[str, Any], Blocks], *, as_json: bool) -> None:
    from rehearse.refresh.ready import is_ready
    from rehearse.refresh.ready_store import load_items
    from rehearse.report.refreshes import build_ready_body, build_ready_table

    items = load_items(case.desk.database, case.name, cycle.org_id or "")
    done = is_ready(items)
    words = f"{case.name} is ready." if done else f"{case.name} is not ready yet."
    if not items:
        words = f"{case.name} was refreshed before anybody here looked, so nobody knows what was done after it."
    coming = "" if cycle.state == "completed" else " (the new copy, not activated yet)"
    table = build_ready_table(f"Ready list of {case.name}, {cycle.org_id}{coming}", items, case.zone)
    body = {"sandbox": case.name, "org_id": cycle.org_id, "ready": done, "items": build_ready_body(items)}
    body |= baseline[0]
    page = Page("", (table, Paragraph(words, "good" if done else "warn"), *baseline[1]))
    then = "" if items else f"rehearse refresh ready {case.name} --start"
    finish("refresh-ready", case.now, body, page, as_json=as_json, code=0 if done else 3, then=then)


def find_generation(case: Case) -> Cycle:
    """The copy whose list counts: one that is on its way and has a list, else the one in force. Raises NotFound."""
    from rehearse.refresh.ready_store import load_items
    from rehearse.schedule.ledger import find_in_force

    last, force = case.last, find_in_force(case.cycles)
    coming = last is not None and last.state in ("pending", "copying", "pending-activation", "activating")
    if last is not None and coming and last.org_id and load_items(case.desk.database, case.name, last.org_id):
        return last
    if force is None or force.org_id is None:
        raise NotFound(f"No copy of {case.name} is known whose org could be made ready.", "See `rehearse ledger show`.")
    return force


def _own(case: Case, cycle: Cycle, pairs: list[str]) -> None:
    from rehearse.refresh.ready_store import find_item, load_items, set_owner

    items = load_items(case.desk.database, case.name, cycle.org_id or "")
    for pair in pairs:
        name, _, owner = (part.strip() for part in pair.rpartition("="))
        if not name or not owner:
            raise UsageError(f"--owner {pair!r} does not name an item and a person.", 'Write --owner "ITEM=NAME".')
        own_words(owner)
        chosen = [one for one in items if not one.owner] if name == "all" else [find_item(items, name)]
        for one in chosen:
            set_owner(case.desk.database, case.name, cycle.org_id or "", one, owner)


def _mark(case: Case, cycle: Cycle, wanted: tuple[list[str], list[str]], mark: tuple[str, str]) -> None:
    from rehearse.refresh.ready_store import find_item, load_items, tick, untick

    database, org_id = case.desk.database, cycle.org_id or ""
    items = load_items(database, case.name, org_id)
    if any(wanted) and cycle.state != "completed":
        raise Refused(
            f"{case.name} is not the new org yet: its copy is {cycle.state}.", "Tick after the activation; own now."
        )
    done, undone = ([find_item(items, one) for one in names] for names in wanted)
    for one in done:
        tick(database, case.name, org_id, one, (mark[0], case.now, mark[1]))
    for one in undone:
        untick(database, case.name, org_id, one)


def count_rows(case: Case, cycle: Cycle) -> None:
    """Ask the sandbox for the items that a query ticks, and tick them where it says so."""
    from rehearse.refresh.ready_store import load_items, tick

    given = {one.item.casefold(): one for one in case.desk.workspace.refresh.ready or () if one.soql}
    org_id = cycle.org_id or ""
    waiting: list[ReadyItem] = [
        one
        for one in load_items(case.desk.database, case.name, org_id)
        if one.item.casefold() in given and not one.is_done and one.owner
    ]
    if not waiting or cycle.state != "completed" or case.config.login is None:
        return
    try:
        reader = case.desk.connect_reader(case.config)
    except NotASandbox as error:
        say(f"note: No query was asked: {error.message}")
        return
    if org_id and reader.org_id != org_id:
        say(f"note: The login of {case.name} leads to the org {reader.org_id}, not to {org_id}: no query was asked.")
        return
    for one in waiting:
        asked = given[one.item.casefold()]
        number = reader.fetch_count(asked.soql)
        if number == asked.equals:
            tick(case.desk.database, case.name, org_id, one, ("the query", case.now, f"{number} row(s), as it must be"))
        else:
            say(f"note: {one.item}: {number} row(s) where {asked.equals} must be.")
