"""`rehearse baseline prune`: destroy records that are older than `storage.keep`, and sweep the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, is_terminal
from rehearse.errors import NotConfirmed
from rehearse.ids import is_same_name

if TYPE_CHECKING:
    from datetime import datetime

    from rehearse.baseline.record_store import CaptureStore
    from rehearse.baseline.store_model import Fate
    from rehearse.cli.desk import Desk

_OPEN_PLANS = timedelta(days=7)
"""A saved plan that was not applied for so long is made anew: the org has moved."""


def prune(
    sandbox: Annotated[str, typer.Argument(help="Only the captures of this sandbox.")] = "",
    confirm: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A sandbox whose old records may go. Repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and destroy nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Destroy records older than storage.keep, and sweep.

    A capture older than that loses the key of its records, for good; its manifest, metadata and proofs stay. Kept are
    the newest proven baseline of a booked sandbox, what an open reset plan needs, and what a kept incremental baseline
    is built on. Then whatever no manifest names is removed.

    Example: rehearse baseline prune --dry-run
    """
    from rehearse import clock
    from rehearse.baseline.prune_store import sweep
    from rehearse.baseline.store_model import Swept
    from rehearse.cli.desk import open_desk
    from rehearse.report.store import build_prune_body, build_prune_page

    with open_desk() as desk:
        only = desk.name_org(sandbox) if sandbox else ""
        store, now = desk.store(alone=True), desk.fetch_now()
        fates = [one for one in _decide(desk, store, now) if only in ("", one.sandbox)]
        going = [one for one in fates if one.destroyed]
        swept: Swept | None = None
        if not dry_run:
            _confirm(going, confirm or [])
            _record(desk, going, now)
            swept = sweep(store, [one.capture for one in going], clock.now())
        body = build_prune_body(fates, swept)
        finish("prune", now, body, build_prune_page(fates, swept, desk.workspace.zone), as_json=as_json)


def _decide(desk: Desk, store: CaptureStore, now: datetime) -> tuple[Fate, ...]:
    """The fate of every capture of this store that still has its records."""
    from rehearse.baseline.index import is_here
    from rehearse.baseline.prune import KeepRules, decide_fates

    storage = desk.workspace.storage
    captures = [one for one in store.load_all() if store.keys.has(one.ulid)]
    mine = [one for one in desk.baselines().load() if is_here(one, storage.folder)]
    booked = frozenset(one.sandbox for one in desk.load_bookings() if one.free_at > now)
    return decide_fates(captures, mine, KeepRules(now, storage.keep, booked, _needed_by_plans(desk, now)))


def _needed_by_plans(desk: Desk, now: datetime) -> dict[str, str]:
    """The captures that saved plans name which may still be applied."""
    from rehearse.journal import load_entries
    from rehearse.reset.plan_file import load_plan

    found: dict[str, str] = {}
    for path in sorted(desk.workspace.storage.plans.glob("*.json")):
        plan = load_plan(path)
        ended = any(one.kind == "end" and one.closed for one in load_entries(desk.database, plan.id))
        if not ended and now - plan.made_at < _OPEN_PLANS:
            for capture in (plan.baseline_capture, plan.live_capture):
                found[capture] = f"the reset plan {plan.id[:12]} needs it"
    return found


def _confirm(going: Sequence[Fate], confirmed: Sequence[str]) -> None:
    """Raise NotConfirmed unless every sandbox that loses records was named, by option or at the terminal."""
    counts = Counter(one.sandbox for one in going)
    left = [name for name in sorted(counts) if not any(is_same_name(name, one) for one in confirmed)]
    if is_terminal():
        left = [name for name in left if not _is_typed(name, counts[name])]
    if left:
        named = ", ".join(f"{counts[name]} of {name}" for name in left)
        raise NotConfirmed(
            f"The records of captures ({named}) would be destroyed for good, which was not confirmed.",
            f"Look with --dry-run, then add {' '.join(f'--confirm {name}' for name in left)}.",
        )


def _is_typed(name: str, count: int) -> bool:
    question = f"This destroys the records of {count} capture(s) of {name} for good. Type its name to go on"
    return is_same_name(typer.prompt(question, default="", show_default=False, err=True), name)


def _record(desk: Desk, going: Sequence[Fate], now: datetime) -> None:
    lost = {one.capture for one in going if one.name}
    for baseline in desk.baselines().load():
        if baseline.capture in lost:
            desk.baselines().set_pruned(baseline, now)
