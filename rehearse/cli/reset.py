"""`rehearse reset plan | apply | prove`: undo what a rehearsal changed, and prove that the sandbox is back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, is_terminal, not_blank, say
from rehearse.errors import NotConfirmed, NotFound, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.lock import Lock
    from rehearse.reset.model import Action, ApplyReport, Choices, Proof, ResetPlan

app = typer.Typer(help="Plan, apply and prove a reset.", no_args_is_help=True, rich_markup_mode=None)

Residue = Annotated[
    str | None,
    typer.Option(callback=not_blank, help="Name of the sandbox: accept what can only come back nearly the same."),
]
Reason = Annotated[
    str | None, typer.Option(callback=not_blank, help="Why the residue is acceptable; kept in the proof.")
]


@app.command()
def plan(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    baseline: Annotated[
        str | None, typer.Option(callback=not_blank, help="Baseline to go back to; the newest unless given.")
    ] = None,
    keep_created: Annotated[
        bool, typer.Option("--keep-created", help="Delete nothing that the rehearsal added.")
    ] = False,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="A record Id or component name to leave alone. Repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and save nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Save a plan that puts a sandbox back to its baseline.

    Compares the sandbox with the baseline and orders the steps that undo the difference. Changes nothing in the
    sandbox. Exit 3 when something cannot be undone.

    Example: rehearse reset plan UATFULL
    """
    from rehearse.cli import progress
    from rehearse.cli.desk import open_desk
    from rehearse.report.resets import build_plan_page
    from rehearse.reset.model import Choices
    from rehearse.reset.plan import plain

    with open_desk() as desk:
        for sentence in desk.workspace.not_acted_on:
            say(f"note: {sentence}")
        choices = Choices(delete_added=not keep_created, left_out=frozenset(leave_out or ()))
        with progress.shown() as on_event:
            made = _fetch_plan(desk, sandbox, baseline, choices, on_event)
        if dry_run:
            desk.store().drop(made.live_capture)
            finish("reset-plan", made.made_at, plain(made), build_plan_page(made), as_json=as_json, code=_blocks(made))
            return
        _keep_plan(desk, made, as_json=as_json)


def _keep_plan(desk: Desk, made: ResetPlan, *, as_json: bool) -> None:
    """Save a plan, show it, and end with its exit code."""
    from rehearse.report.resets import build_plan_page
    from rehearse.reset.plan import plain
    from rehearse.reset.plan_file import save_plan

    path = _plans(desk) / f"{made.id}.json"
    save_plan(made, path)
    finish("reset-plan", made.made_at, {**plain(made), "file": str(path)}, build_plan_page(made), as_json=as_json)
    if not as_json:
        say(f"Saved {path}.\nApply it with: rehearse reset apply {made.id[:12]} --confirm {made.sandbox}")
    raise typer.Exit(_blocks(made))


def _blocks(made: ResetPlan) -> int:
    """3: something stays that the plan cannot undo."""
    return 3 if made.blocked else 0


@app.command()
def apply(
    plan: Annotated[str, typer.Argument(help="Id of a saved plan, a unique start of it, or its file.")],
    confirm: Annotated[str, typer.Option(help="Name of the sandbox; needed when the plan deletes something.")] = "",
    delete_side_effects: Annotated[
        bool,
        typer.Option(
            "--delete-side-effects", help="Also delete rows that the org's automation creates while the reset writes."
        ),
    ] = False,
    accept_residue: Residue = None,
    reason: Reason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Put a sandbox back by a saved plan, and prove it.

    Ends with a fresh capture and the proof. Interrupted, the same command continues. Exit 0 only when the proof says
    clean, or its residue is accepted by name.

    Example: rehearse reset apply 01M83M --confirm UATFULL
    """
    from rehearse.cli import progress
    from rehearse.cli.desk import open_desk
    from rehearse.cli.proof import keep_proof
    from rehearse.lock import hold
    from rehearse.report.resets import build_plan_page
    from rehearse.reset.plan import plain

    with open_desk() as desk:
        made = _load_plan(desk, plan)
        now = desk.fetch_now()
        if dry_run:
            finish("reset-plan", now, plain(made), build_plan_page(made), as_json=as_json)
            return
        _check_names(made.sandbox, accept_residue, reason)
        _confirm(made, confirm)
        with hold(desk.database, made.sandbox, f"reset {made.id[:12]}", now) as lock, progress.shown() as on_event:
            report = _apply(desk, made, _Applying(lock, on_event, delete_side_effects))
            proof = _prove(desk, made.sandbox, made.baseline, made, report, on_event)
        keep_proof(desk, proof, accept_residue or "", reason or "", as_json=as_json)


@app.command()
def prove(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    baseline: Annotated[
        str | None, typer.Option(callback=not_blank, help="Baseline to prove; the newest unless given.")
    ] = None,
    accept_residue: Residue = None,
    reason: Reason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the verdict, and keep no proof.")] = False,
    as_json: Json = False,
) -> None:
    """Prove, or disprove, that a sandbox equals its baseline.

    Captures the sandbox again and compares everything in scope. Changes nothing in the sandbox. Exit 0 only for
    clean, or for residue accepted by name.

    Example: rehearse reset prove UATFULL
    """
    from rehearse.cli import progress
    from rehearse.cli.desk import open_desk
    from rehearse.cli.diff import find_baseline
    from rehearse.cli.proof import keep_proof, show_unkept
    from rehearse.lock import hold

    with open_desk() as desk:
        name = desk.workspace.sandbox(sandbox).name
        _check_names(name, accept_residue, reason)
        found = find_baseline(desk, name, baseline)
        with hold(desk.database, name, "reset prove", desk.fetch_now()), progress.shown() as on_event:
            proof = _prove(desk, name, found.name, None, None, on_event)
        if dry_run:
            show_unkept(desk, proof, as_json=as_json)
        else:
            keep_proof(desk, proof, accept_residue or "", reason or "", as_json=as_json)


def _fetch_plan(desk: Desk, sandbox: str, baseline: str | None, choices: Choices, on_event: OnEvent) -> ResetPlan:
    from rehearse.cli.baseline import check_baseline
    from rehearse.cli.diff import check_generation, find_baseline
    from rehearse.reset.gather import GatherRequest, gather
    from rehearse.reset.id_map import IdMap
    from rehearse.reset.live_capture import capture_live
    from rehearse.reset.plan import build_plan

    config = desk.workspace.sandbox(sandbox)
    base = find_baseline(desk, config.name, baseline)
    reader, store = desk.connect_reader(config), desk.store()
    check_generation(base, reader.fetch_identity().org_id)
    before = check_baseline(desk, base, deep=False)
    live = capture_live(reader, store, before, on_event)
    ids = IdMap(desk.database, base.org_id).load()
    request = GatherRequest(config.name, base.name, before, live, desk.fetch_now(), ids, choices)
    return build_plan(gather(reader, store, request))


def _plans(desk: Desk) -> Path:
    return desk.workspace.storage.folder / "plans"


def _load_plan(desk: Desk, given: str) -> ResetPlan:
    from rehearse.ids import find_by_prefix
    from rehearse.reset.plan_file import load_plan

    if given.endswith(".json"):
        return load_plan(Path(given))
    folder = _plans(desk)
    known = [one.stem for one in folder.glob("*.json")] if folder.exists() else []
    return load_plan(folder / f"{find_by_prefix(given, known, 'reset plan')}.json")


def _confirm(made: ResetPlan, confirm: str) -> None:
    if not made.deletions:
        return
    if not confirm and is_terminal():
        question = f"This deletes {made.deletions} thing(s) in {made.sandbox}. Type its name to go on"
        confirm = typer.prompt(question, default="", show_default=False, err=True)
    if confirm != made.sandbox:
        raise NotConfirmed(
            f"The plan deletes {made.deletions} record(s) or component(s) in {made.sandbox}, which was not confirmed.",
            f"Read the plan, then add --confirm {made.sandbox}.",
        )


def _check_names(sandbox: str, accept_residue: str | None, reason: str | None) -> None:
    if accept_residue and accept_residue != sandbox:
        raise UsageError(
            f"--accept-residue {accept_residue} does not name this sandbox.", f"Write --accept-residue {sandbox}."
        )
    if bool(accept_residue) != bool(reason):
        raise UsageError("--accept-residue and --reason go together.", "Say why the residue is acceptable.")


@dataclass(frozen=True)
class _Applying:
    """What one run of apply works under: its lock, who listens, and whether side effects may be deleted unasked."""

    lock: Lock
    on_event: OnEvent
    side_effects: bool

    def ask_more(self, actions: Sequence[Action]) -> bool:
        """May rows be deleted that the plan does not name? Automation created them while we wrote."""
        if self.side_effects or not is_terminal():
            return self.side_effects
        kinds = ", ".join(sorted({one.type for one in actions}))
        return typer.confirm(f"Automation created {len(actions)} row(s) ({kinds}) meanwhile. Delete them?", err=True)


def _apply(desk: Desk, made: ResetPlan, applying: _Applying) -> ApplyReport:
    from rehearse.cli.baseline import check_baseline
    from rehearse.cli.gate import check_quiet
    from rehearse.journal import Journal
    from rehearse.reset.apply import apply as apply_plan
    from rehearse.reset.apply_context import Tools
    from rehearse.reset.context import ApplySettings
    from rehearse.reset.id_map import IdMap

    base = desk.baselines().find(made.baseline, made.sandbox)
    if base.capture != made.baseline_capture:
        raise NotFound(f"The baseline {made.baseline} of this plan is not the one in the index.", "Make a new plan.")
    check_baseline(desk, base, deep=False)
    writer = desk.connect_writer(desk.workspace.sandbox(made.sandbox), made.org_id)
    check_quiet(writer.reader, (one.name for one in desk.store().load(base.capture).scope.objects))
    journal = Journal(desk.database, applying.lock, made.id)
    settings = ApplySettings(ask_more=applying.ask_more, uncertain_for=_longest_call())
    tools = Tools(writer, desk.store(), journal, IdMap(desk.database, made.org_id), applying.on_event)
    return apply_plan(made, tools, settings)


def _longest_call() -> timedelta:
    """How long a lost write may still take effect: ten minutes, unless REHEARSE_LONGEST_CALL gives seconds (tests)."""
    given = os.environ.get("REHEARSE_LONGEST_CALL", "600")
    if not given.isdigit():
        raise UsageError(f"REHEARSE_LONGEST_CALL is {given!r}, not a number of seconds.", "Unset it.")
    return timedelta(seconds=int(given))


def _prove(
    desk: Desk, sandbox: str, baseline: str, made: ResetPlan | None, report: ApplyReport | None, on_event: OnEvent
) -> Proof:
    from rehearse.cli.baseline import check_baseline
    from rehearse.cli.diff import check_generation
    from rehearse.cli.gate import check_quiet
    from rehearse.reset.id_map import IdMap
    from rehearse.reset.prove import ProofRequest
    from rehearse.reset.prove import prove as prove_now

    base = desk.baselines().find(baseline, sandbox)
    reader, store = desk.connect_reader(desk.workspace.sandbox(sandbox)), desk.store()
    check_generation(base, reader.fetch_identity().org_id)
    before = check_baseline(desk, base, deep=False)
    check_quiet(reader, (one.name for one in before.scope.objects))  # what still runs would write after the proof
    now: datetime = reader.fetch_server_time()
    ids = IdMap(desk.database, base.org_id).load()
    return prove_now(reader, store, ProofRequest(base.name, before, now, made, report, ids), on_event)
