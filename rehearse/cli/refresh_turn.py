"""`rehearse refresh activate | discard`: replace the sandbox by its new copy, or drop the copy. Both are final."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse import clock
from rehearse.cli.answers import Json, finish, is_terminal, not_blank, own_words, say, show, user
from rehearse.cli.refresh_baseline import NoBaseline
from rehearse.errors import NotConfirmed, OrgRejected, Refused
from rehearse.report.view import Page, Paragraph

if TYPE_CHECKING:
    from datetime import timedelta

    from rehearse.cli.refresh_desk import Blocks, Case
    from rehearse.refresh.model import Losses, Obstacle

Confirm = Annotated[str | None, typer.Option(callback=not_blank, help="Name of the sandbox, unless you can be asked.")]


def activate(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    confirm: Confirm = None,
    over_bookings: Annotated[
        str | None,
        typer.Option(callback=own_words, metavar="WHY", help="Take it from those who booked it; why is kept."),
    ] = None,
    wait: Annotated[str, typer.Option("--for", "--wait", help="Wait so long for the new org, such as 2h.")] = "0m",
    no_baseline: NoBaseline = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what stands against it, and do nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Replace a sandbox by its new copy, for good.

    Refuses while somebody has the sandbox or will have it before the new one is ready. Afterwards (run it again, or
    `refresh watch`) checks that the new org answers and is the right one, voids the old baselines, begins the ready
    list, and captures the new baseline unless masking is open. Exit 5: something stands against it; 3: no login for it.

    Example: rehearse refresh activate UATFULL --confirm UATFULL
    """
    from rehearse.cli.refresh_desk import open_case

    longest = clock.parse_span(wait).amount  # a slip in it is told before anything is sent
    with open_case(sandbox) as case:
        if _is_turned(case) and not dry_run:
            _receive(case, longest, baseline=not no_baseline, as_json=as_json)
            return
        obstacles = _obstacles(case)
        if not dry_run:  # what is refused anyway is refused before the sandbox is read through
            _check(case, obstacles, over_bookings, confirm)
        losses = case.fetch_losses()
        body, blocks = _weighed(case, obstacles, losses)
        if dry_run:
            finish("refresh-activate", case.now, body, Page("", tuple(blocks)), as_json=as_json, code=_code(obstacles))
            return
        if not case.may_act:
            _send_letter(case, "activate", body, blocks, as_json=as_json)
        _show_first(case, blocks, confirm, as_json=as_json)
        _activate(case, over_bookings, losses)
        _receive(case, longest, baseline=not no_baseline, as_json=as_json)


def _show_first(case: Case, blocks: Blocks, confirm: str | None, *, as_json: bool) -> None:
    """Let somebody read what it takes before the name is asked for."""
    if not as_json:
        show(Page("", tuple(blocks)))
    _confirm(case, confirm, "replaces the old sandbox for good")


def _weighed(case: Case, obstacles: tuple[Obstacle, ...], losses: Losses | None) -> tuple[dict[str, object], Blocks]:
    """What stands against an activation and what it takes, as data and for people."""
    from rehearse.report.refreshes import build_losses_body, build_obstacles

    body: dict[str, object] = {
        "sandbox": case.name,
        "activated": False,
        "losses": build_losses_body(losses),
        "obstacles": [one.__dict__ for one in obstacles],
    }
    blocks = case.show_losses(losses)
    if obstacles:
        blocks += [Paragraph("What stands against it:", "bad"), *build_obstacles(obstacles, case.zone)]
    return body, blocks


def discard(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    confirm: Confirm = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be dropped, and do nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Drop the new copy of a sandbox and keep the old one.

    The interval until the next refresh counts all the same. Exit 3 when no login here may do it.

    Example: rehearse refresh discard UATFULL --confirm UATFULL
    """
    from rehearse.cli.refresh_desk import open_case
    from rehearse.report.refreshes import build_progress_blocks, build_progress_body

    with open_case(sandbox) as case:
        waits = case.last is not None and case.last.state == "pending-activation"
        if not dry_run:
            if not case.may_act:
                _refuse_idle(case)
                _send_letter(case, "discard", {"sandbox": case.name, "discarded": False}, [], as_json=as_json)
            if waits:
                _confirm(case, confirm, "drops the copy; the next one is possible only after the interval")
            if waits or "discard" in case.load_open_kinds():
                _discard(case)
            elif not _is_dropped(case):
                _refuse(case, "nothing waits to be discarded")
        found = case.progress()
        body = {"sandbox": case.name, **build_progress_body(found), "discarded": not dry_run}
        page = Page("", tuple(build_progress_blocks(found, case.zone, case.now)))
        finish("refresh-discard", case.now, body, page, as_json=as_json, code=3 if dry_run and not waits else 0)


def _discard(case: Case) -> None:
    from rehearse.cli.refresh_booking import cancel_refresh

    with case.open_actor("refresh discard") as actor:
        copy = actor.fetch_newest(case.last.sandbox_id) if case.last else None
        if copy is not None:
            _try(case, "discard", lambda: actor.discard(copy, user()))
    cancel_refresh(case, user())
    case.observe()


def _is_turned(case: Case) -> bool:
    """Whether an activation was asked for already: then the new org is to be received, and nothing is asked again."""
    from rehearse.cli.refresh_watch import was_seen_coming

    if case.last is None:
        return False
    return case.last.state == "activating" or (case.last.state == "completed" and was_seen_coming(case))


def _is_dropped(case: Case) -> bool:
    return case.last is not None and case.last.state in ("discarding", "discarded")


def _obstacles(case: Case) -> tuple[Obstacle, ...]:
    from rehearse.lock import load_locks
    from rehearse.refresh.decide import find_obstacles

    settle = case.desk.workspace.refresh.settle
    return find_obstacles(case.last, case.load_bookings(), load_locks(case.desk.database), case.now, settle)


def _code(obstacles: tuple[Obstacle, ...]) -> int:
    return 3 if obstacles else 0


def _check(case: Case, obstacles: tuple[Obstacle, ...], over_bookings: str | None, confirm: str | None) -> None:
    """Refuse what stands against it; another name; and none where nobody can be asked."""
    if not case.may_act:
        _refuse_idle(case)
        return
    standing = [one for one in obstacles if not (one.lifted_by and over_bookings)]
    if standing:
        _refuse(case, "; ".join(one.text for one in standing), lift=all(one.lifted_by for one in standing))
    if confirm is not None or not is_terminal():
        _confirm(case, confirm, "replaces the old sandbox for good")


def _refuse_idle(case: Case) -> None:
    """Nobody is asked to decide on a copy where none waits. One that only people told of may have been made since."""
    last = case.last
    if last is None or last.state == "pending-activation" or (last.by_hand and last.state in ("pending", "copying")):
        return
    hint = f"See how far it is: rehearse refresh watch {case.name}."
    if last.by_hand:
        hint = f"If there is a newer copy, write it down: rehearse ledger add {case.name} --requested DATE."
    raise Refused(f"The newest copy of {case.name} is {last.state}: none waits for a decision.", hint)


def _refuse(case: Case, why: str, *, lift: bool = False) -> None:
    hint = f"See how far it is: rehearse refresh watch {case.name}."
    if lift:
        hint = "Move or cancel the bookings (rehearse book list), or say why with --over-bookings WHY."
    raise Refused(f"{case.name}: {why}. Nothing was sent.", hint)


def _confirm(case: Case, confirm: str | None, what: str) -> None:
    given = confirm or ""
    if not given and is_terminal():
        given = typer.prompt(f"This {what}. Type {case.name} to go on", default="", show_default=False, err=True)
    if given.casefold() != case.name.casefold():
        raise NotConfirmed(f"This {what}, and it was not confirmed; nothing was sent.", f"Add --confirm {case.name}.")


def _activate(case: Case, over_bookings: str | None, losses: Losses | None) -> None:
    from rehearse.cli.refresh_booking import move_refresh

    assert case.last is not None
    case.start_list(case.last, losses)
    by = user() if over_bookings is None else f"{user()}, over bookings: {' '.join(over_bookings.split())}"
    with case.open_actor("refresh activate") as actor:
        copy = actor.fetch_newest(case.last.sandbox_id)
        if copy is None or copy.id != case.last.id:
            _refuse(case, "production has another copy of it than a moment ago")
        assert copy is not None
        _try(case, "activate", lambda: actor.activate(copy, by))
    move_refresh(case, user())
    case.observe()


def _try(case: Case, deed: str, work: Callable[[], object]) -> None:
    """Ask production; where it answers that this login may not, add the letter to those who may."""
    from rehearse.refresh.ask import MAY_NOT

    try:
        work()
    except OrgRejected as error:
        if error.org_code in MAY_NOT:
            say("\n".join(case.letter(deed)[0]["ask"]))
        raise


def _receive(case: Case, longest: timedelta, *, baseline: bool, as_json: bool) -> None:
    """Wait for the new org where asked to, then check and record it."""
    from rehearse.cli.refresh_watch import NO_ARRIVAL, arrive
    from rehearse.report.refreshes import build_progress_blocks, build_progress_body

    until = time.monotonic() + longest.total_seconds()
    while case.last is not None and case.last.state == "activating" and time.monotonic() < until:
        time.sleep(5)
        case.observe()
    found = case.progress()
    body = {"sandbox": case.name, "activated": True, **build_progress_body(found)}
    blocks = build_progress_blocks(found, case.zone, case.now)
    if found.verdict == "done":
        more, page = arrive(case, baseline=baseline)
        body |= more
        blocks += page
    then = str(body["run_next"] or "")
    body = {**NO_ARRIVAL, **body}
    finish("refresh-activate", case.now, body, Page("", tuple(blocks)), as_json=as_json, then=then)


def _send_letter(case: Case, deed: str, body: dict[str, object], blocks: Blocks, *, as_json: bool) -> None:
    more, page = case.letter(deed)
    name = f"refresh-{deed}"
    finish(name, case.now, {**body, **more}, Page("", (*blocks, *page)), as_json=as_json, code=3)
