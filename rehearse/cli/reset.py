"""`rehearse reset plan | apply | prove | locks | unlock | bypass-off`: undo what a rehearsal changed, and prove it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli import reset_bypass, reset_lock, reset_plan, reset_prove
from rehearse.cli.answers import Json, finish, is_terminal, say
from rehearse.cli.gate import Wait, read_patience
from rehearse.cli.proof import keep_proof
from rehearse.cli.reset_plan import Egress, Full
from rehearse.cli.reset_prove import Reason, Residue
from rehearse.errors import (
    Damaged,
    GenerationChanged,
    NotConfirmed,
    NotFound,
    OrgBusy,
    OrgUncertain,
    OrgUnreachable,
    StalePlan,
    StoppedPartWay,
    StoreError,
    UsageError,
)

if TYPE_CHECKING:
    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.lock import Lock
    from rehearse.reset.gates import Patience
    from rehearse.reset.model import Action, Allowed, ApplyReport, Proof, ResetPlan

app = typer.Typer(help="Plan, apply and prove a reset.", no_args_is_help=True, rich_markup_mode=None)
app.command()(reset_plan.plan)


PlanId = Annotated[str, typer.Argument(help="Id of a saved plan, a unique start of it, or its file.")]
Confirm = Annotated[str, typer.Option(help="Name of the sandbox; needed when the plan deletes something.")]
SideEffects = Annotated[
    bool,
    typer.Option(
        "--delete-side-effects", help="Also delete rows that the org's automation creates while the reset writes."
    ),
]
KeepNewer = Annotated[
    bool, typer.Option("--keep-newer", help="Go on although the org moved since the plan; leave alone what moved.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")]


@app.command()
def apply(
    plan: PlanId,
    confirm: Confirm = "",
    delete_side_effects: SideEffects = False,
    keep_newer: KeepNewer = False,
    allow_egress: Egress = None,
    full: Full = False,
    accept_residue: Residue = None,
    reason: Reason = None,
    wait: Wait = "0m",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put a sandbox back by a saved plan, and prove it.

    Refuses while the sandbox could send mail or call production's endpoints, while something else runs there (--wait
    awaits it), and when the org moved since the plan. Ends with a fresh capture and the proof. Interrupted, the same
    command continues, with the ways out that it was allowed. Exit 0 only when the proof says clean, or its residue is
    accepted by name.

    Example: rehearse reset apply 01M83M --confirm UATFULL
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.resets import build_plan_page
    from rehearse.reset.plan import plain

    patience = read_patience(wait)
    with open_desk() as desk:
        made = reset_plan.load_given_plan(desk, plan)
        desk.continues = made.id
        now = desk.fetch_now()
        if dry_run:
            finish("reset-plan", now, plain(made), build_plan_page(made), as_json=as_json)
            return
        allowed = (*made.egress, *reset_plan.build_allowed(allow_egress, reason))
        reset_prove.check_names(made.sandbox, accept_residue, reason if accept_residue or not allow_egress else None)
        _confirm(made, confirm)
        wanted = _Wanted(delete_side_effects, keep_newer, full, allowed, patience)
        keep_proof(desk, _apply_and_prove(desk, made, wanted), accept_residue or "", reason or "", as_json=as_json)


_FOR_GOOD = (StalePlan, UsageError, NotFound, Damaged)
"""Errors that the same command would meet again."""


@contextmanager
def telling_of_a_break(desk: Desk, made: ResetPlan) -> Iterator[None]:
    """Say that a sandbox is half put back when an error or Ctrl-C ends the block before the reset has ended.

    Raises StoppedPartWay in place of an error of the network or a lost reply, where the same command goes on.
    """
    from rehearse import clock, lock
    from rehearse.reset.broken_off import load_broken_off

    try:
        yield
    except GenerationChanged:  # the org that was half put back is no more
        raise
    except BaseException as error:
        with suppress(StoreError):  # the error that is on its way says more than a second one
            at_work = {one.sandbox for one in lock.load_locks(desk.database) if not lock.is_dead(one)}  # somebody else
            for one in load_broken_off(desk.database, clock.now(), at_work):
                if one.run == made.id:
                    one = replace(one, resumable=one.resumable and not isinstance(error, _FOR_GOOD))
                    way = "The same command goes on." if one.resumable else f"Go on with: {one.next_command}"
                    say(f"note: {one}. {way}")
                    if one.resumable and isinstance(error, OrgBusy | OrgUnreachable | OrgUncertain):
                        raise StoppedPartWay(error.message, error.hint) from error
        raise


def _apply_and_prove(desk: Desk, made: ResetPlan, wanted: _Wanted) -> Proof:
    """Apply a plan behind its gates, under the sandbox's lock, and prove what came of it."""
    from rehearse.cli import progress
    from rehearse.cli.gate import after_ourselves
    from rehearse.lock import hold

    what = f"reset {made.id[:12]}"
    held = hold(desk.database, made.sandbox, what, desk.fetch_now())
    with telling_of_a_break(desk, made), held as lock, progress.shown() as on_event:
        report, egress, told = _apply(desk, made, _Applying(lock, on_event, wanted))
        patience = after_ourselves(wanted.patience)
        proving = reset_prove.Proving(made.sandbox, made.baseline, made, report, egress, wanted.full, patience, told)
        proof = reset_prove.prove_baseline(desk, proving, on_event)
    for one in made.warnings:
        say(f"note: {one}")
    return proof


app.command()(reset_prove.prove)
app.command()(reset_lock.locks)
app.command()(reset_lock.unlock)
app.command(name="bypass-off")(reset_bypass.bypass_off)


def _confirm(made: ResetPlan, confirm: str) -> None:
    if not made.deletions:
        return
    if not confirm and is_terminal():
        question = f"This deletes {made.deletions:,} thing(s) in {made.sandbox}. Type its name to go on"
        confirm = typer.prompt(question, default="", show_default=False, err=True)
    if confirm != made.sandbox:
        raise NotConfirmed(
            f"The plan deletes {made.deletions:,} row(s) or component(s) in {made.sandbox}, which was not confirmed.",
            f"Read the plan (rehearse reset apply {made.id[:12]} --dry-run), then add --confirm {made.sandbox}.",
        )


@dataclass(frozen=True)
class _Wanted:
    """What the user allowed: deleting side effects, leaving newer edits, ways out; whether every row is proven, and
    how long to wait for a quiet org."""

    side_effects: bool
    keep_newer: bool
    full: bool
    egress: tuple[Allowed, ...]
    patience: Patience


@dataclass(frozen=True)
class _Applying:
    """What one run of apply works under: its lock, who listens, and what the user allowed."""

    lock: Lock
    on_event: OnEvent
    wanted: _Wanted

    def ask_more(self, actions: Sequence[Action]) -> bool:
        """May rows be deleted that the plan does not name? Automation created them while we wrote."""
        if self.wanted.side_effects or not is_terminal():
            return self.wanted.side_effects
        kinds = ", ".join(sorted({one.type for one in actions}))
        return typer.confirm(f"Automation created {len(actions)} row(s) ({kinds}) meanwhile. Delete them?", err=True)


def _apply(
    desk: Desk, made: ResetPlan, applying: _Applying
) -> tuple[ApplyReport, tuple[Allowed, ...], tuple[str, ...]]:
    """Apply a plan behind its gates; answers also what was let out of the sandbox on purpose, and what was told of who
    else is at work."""
    from rehearse.cli.baseline_check import check_baseline
    from rehearse.cli.gate import check_quiet, expect_reset, longest_call, tell_passed
    from rehearse.cli.reset_egress import check_egress
    from rehearse.journal import Journal, load_entries
    from rehearse.reset.apply import apply as apply_plan
    from rehearse.reset.apply_context import Tools
    from rehearse.reset.context import ApplySettings
    from rehearse.reset.id_map import IdMap
    from rehearse.reset.storage_room import require_room

    base = desk.baselines().find(made.baseline, made.sandbox)
    if base.capture != made.baseline_capture:
        raise NotFound(f"The baseline {made.baseline} of this plan is not the one in the index.", "Make a new plan.")
    check_baseline(desk, base, deep=False)
    writer = desk.connect_writer(desk.workspace.sandbox(made.sandbox), made.org_id)
    journal = Journal(desk.database, applying.lock, made.id, desk.org_clock.now)
    egress: tuple[Allowed, ...] = ()
    if made.actions:  # a plan that writes nothing lets nothing out
        egress = check_egress(desk, writer, journal, applying.wanted.egress, applying.on_event)
    before = desk.store().load(base.capture)
    lasts, objects = expect_reset(desk, made.sandbox, before), [one.name for one in before.scope.objects]
    goes_on = any(one.kind == "begin" for one in load_entries(desk.database, made.id))
    patience = replace(applying.wanted.patience, ours=goes_on)
    passed = check_quiet(writer.reader, objects, patience, lasts, applying.on_event)
    tell_passed(passed)
    require_room(writer.reader, made, desk.store())
    settings = ApplySettings(
        ask_more=applying.ask_more,
        uncertain_for=longest_call(),
        keep_newer=applying.wanted.keep_newer,
        now=desk.org_clock.now,
    )
    tools = Tools(writer, desk.store(), journal, IdMap(desk.database, made.org_id), applying.on_event)
    return apply_plan(made, tools, settings), egress, passed
