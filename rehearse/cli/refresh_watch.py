"""`rehearse refresh watch`: how far a copy is, until somebody must decide or nothing more happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, is_terminal, user
from rehearse.cli.refresh_baseline import NoBaseline, capture_new
from rehearse.cli.refresh_ready import count_rows
from rehearse.report.view import Page

if TYPE_CHECKING:
    from rehearse.cli.refresh_desk import Blocks, Case
    from rehearse.refresh.model import Progress

_CODES = {"waiting": 4, "suspended": 4, "stopped": 3}
_LEAST = 15.0
NO_ARRIVAL = {"checked": None, "ready_open": None, "baseline": None, "captured": False, "no_baseline": None}
"""What the answers carry while there is no new generation of ours."""


def watch(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    wait: Annotated[
        str, typer.Option("--for", help="Wait so long at most, such as 8h; 0m looks once. On a terminal 24h, else 0m.")
    ] = "",
    every: Annotated[
        float, typer.Option(min=1, help="Seconds between two looks (at least 15 against Salesforce).")
    ] = 60,
    no_baseline: NoBaseline = False,
    as_json: Json = False,
) -> None:
    """Show how far the copy of a sandbox is.

    Shows the place in the queue, the stage and the estimate, and waits until somebody must decide. A suspended copy
    recovers by itself, a stopped one does not. When the new org is there, checks that it answers and is the right one,
    and captures its baseline unless masking is still open. Exit 4 while it is under way, 3 when it has stopped.

    Example: rehearse refresh watch UATFULL --for 8h
    """
    from rehearse import clock
    from rehearse.cli.refresh_desk import open_case

    longest = clock.parse_span(wait).amount.total_seconds() if wait else 86400.0 * is_terminal()
    with open_case(sandbox) as case:
        found = _wait(case, longest, every)
        body, blocks = _tell(case, found)
        if found.verdict == "done":
            more, page = arrive(case, baseline=not no_baseline)
            body |= more
            blocks += page
        page_, code = Page("", tuple(blocks)), _CODES.get(found.verdict, 0)
        then = str(body["run_next"] or "")
        finish("refresh-watch", case.now, {**NO_ARRIVAL, **body}, page_, as_json=as_json, code=code, then=then)


def _tell(case: Case, found: Progress) -> tuple[dict[str, object], Blocks]:
    """How far the copy is, and how it kept to what was expected of it."""
    from rehearse.report.ledger import build_error_body, build_error_words
    from rehearse.report.refreshes import build_progress_blocks, build_progress_body

    error = case.forecast_error()
    body = {"sandbox": case.name, "copy": case.last.id if case.last else None, **build_progress_body(found)}
    words = [] if error is None else [build_error_words(error)]
    return {**body, "forecast": error and build_error_body(error)}, [
        *build_progress_blocks(found, case.zone, case.now),
        *words,
    ]


def _wait(case: Case, longest: float, every: float) -> Progress:
    """Look until there is something to decide, or until the time is over."""
    from rehearse.events import Noted

    until, told = time.monotonic() + longest, ""
    while True:
        found = case.progress()
        if found.verdict not in ("waiting", "suspended") or time.monotonic() >= until:
            return found
        if found.words != told:
            case.on_event(Noted(found.words))
            told = found.words
        time.sleep(min(max(every, _LEAST if case.desk.workspace.clock == "machine" else 1.0), until - time.monotonic()))
        case.observe()


def arrive(case: Case, *, baseline: bool) -> tuple[dict[str, object], Blocks]:
    """A new generation that we saw coming: check the org, record it, begin its ready list, capture its baseline.

    A sandbox that was refreshed before anybody here looked has nothing to arrive.
    """
    from rehearse.refresh.arrive import check_arrival, keep_arrival
    from rehearse.refresh.ready_store import load_arrival, load_items
    from rehearse.report.view import Paragraph

    cycle, production = case.last, case.desk.connect_production()
    if cycle is None or cycle.org_id is None or not was_seen_coming(case):
        return {**NO_ARRIVAL, "run_next": None}, []
    known = load_arrival(case.desk.database, case.name, cycle.org_id)
    if known is None:
        if case.config.login is None or production is None:
            words = f"{case.name} has no login here: check by hand that the new org is the right one."
            return {**NO_ARRIVAL}, [Paragraph(words, "warn")]
        check_arrival(case.name, cycle, case.desk.connect_reader(case.config), production)
        from rehearse.cli.refresh_booking import move_refresh

        keep_arrival(case.desk.database, case.name, cycle, user(), case.now)
        move_refresh(case, user())
        case.start_list(cycle, None)
    count_rows(case, cycle)
    items = load_items(case.desk.database, case.name, cycle.org_id)
    left = sum(1 for one in items if not one.is_done)
    words = f"The new org answers, and it is the one that production names. {left} item(s) of its ready list are open."
    body, blocks = capture_new(case, cycle, wanted=baseline)
    if not left and body["baseline"]:
        body["run_next"] = None  # nothing is left to do
    arrived = Paragraph(words, "good" if not left else "warn")
    return {"checked": known or case.now, "ready_open": left, **body}, [arrived, *blocks]


def was_seen_coming(case: Case) -> bool:
    """Whether we knew of this copy before it became the sandbox: then it is for us to receive it."""
    from rehearse.journal import load_entries
    from rehearse.refresh.act import run_of
    from rehearse.refresh.ready_store import load_items

    cycle = case.last
    if cycle is None:
        return False
    asked = any(
        (one.result or {}).get("copy") == cycle.id for one in load_entries(case.desk.database, run_of(case.name))
    )
    listed = cycle.org_id is not None and bool(load_items(case.desk.database, case.name, cycle.org_id))
    return asked or listed or cycle.expected_p50 is not None
