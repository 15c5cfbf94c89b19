"""`rehearse reset prove`: capture a sandbox again, compare it with its baseline, and keep the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, not_blank, own_words
from rehearse.cli.gate import Wait, check_quiet, expect_reading, read_patience, tell_passed
from rehearse.cli.reset_plan import Full
from rehearse.errors import UsageError

if TYPE_CHECKING:
    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.reset.gates import Patience
    from rehearse.reset.model import Allowed, ApplyReport, Proof, ResetPlan

Residue = Annotated[
    str | None,
    typer.Option(callback=not_blank, help="Name of the sandbox: accept what can only come back nearly the same."),
]
Reason = Annotated[
    str | None,
    typer.Option(callback=own_words, help="Why residue or an open way out is acceptable; kept in the proof."),
]


def prove(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    baseline: Annotated[
        str | None, typer.Option(callback=not_blank, help="Baseline to prove; the newest unless given.")
    ] = None,
    full: Full = False,
    accept_residue: Residue = None,
    reason: Reason = None,
    wait: Wait = "0m",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the verdict, and keep no proof.")] = False,
    as_json: Json = False,
) -> None:
    """Prove, or disprove, that a sandbox equals its baseline.

    Finds by query whatever changed in the scope since the baseline began, and compares it. Changes nothing in the
    sandbox. Refuses while something else runs there; who wrote in the last minutes is named in the proof, or awaited
    with --wait. Exit 0 only for clean, or for residue accepted by name.

    Example: rehearse reset prove UATFULL
    """
    from rehearse.cli import progress
    from rehearse.cli.desk import open_desk
    from rehearse.cli.diff import find_baseline
    from rehearse.cli.proof import keep_proof, show_unkept
    from rehearse.lock import hold

    patience = read_patience(wait)
    with open_desk() as desk:
        name = desk.workspace.sandbox(sandbox).name
        check_names(name, accept_residue, reason)
        found = find_baseline(desk, name, baseline)
        with hold(desk.database, name, "reset prove", desk.fetch_now()), progress.shown() as on_event:
            proof = prove_baseline(desk, Proving(name, found.name, full=full, patience=patience), on_event)
        if dry_run:
            show_unkept(desk, proof, as_json=as_json)
        else:
            keep_proof(desk, proof, accept_residue or "", reason or "", as_json=as_json)


@dataclass(frozen=True)
class Proving:
    """What is to be proven, and what was done for it."""

    sandbox: str
    baseline: str
    plan: ResetPlan | None = None
    report: ApplyReport | None = None
    egress: tuple[Allowed, ...] = ()
    full: bool = False
    patience: Patience | None = None
    told: tuple[str, ...] = ()


def check_names(sandbox: str, accept_residue: str | None, reason: str | None) -> None:
    """Raises UsageError unless the residue is accepted for this very sandbox, and with a reason."""
    if accept_residue and accept_residue != sandbox:
        raise UsageError(
            f"--accept-residue {accept_residue} does not name this sandbox.", f"Write --accept-residue {sandbox}."
        )
    if bool(accept_residue) != bool(reason):
        raise UsageError("--accept-residue and --reason go together.", "Say why the residue is acceptable.")


def prove_baseline(desk: Desk, proving: Proving, on_event: OnEvent) -> Proof:
    """The proof of a sandbox as it is now, after the quiet gate. Raises GenerationChanged, GateClosed, OrgError."""
    from rehearse.cli.baseline_check import check_baseline
    from rehearse.cli.diff import check_generation
    from rehearse.cli.drill import production_id
    from rehearse.cli.proof import load_carried
    from rehearse.reset.drill_answers import load_answers
    from rehearse.reset.id_map import IdMap
    from rehearse.reset.prove import ProofRequest
    from rehearse.reset.prove import prove as prove_now

    base = desk.baselines().find(proving.baseline, proving.sandbox)
    reader, store = desk.connect_reader(desk.workspace.sandbox(proving.sandbox)), desk.store()
    check_generation(base, reader.fetch_identity().org_id)
    before = check_baseline(desk, base, deep=False)
    objects = (one.name for one in before.scope.objects)
    lasts = expect_reading(before, full=proving.full)
    busy = check_quiet(reader, objects, proving.patience, lasts, on_event)  # what runs would write after the proof
    tell_passed(busy, proving.told)
    ids = IdMap(desk.database, base.org_id).load()
    now, answers = reader.fetch_server_time(), load_answers(desk.database, production_id(desk))
    explained = (proving.plan, proving.report, ids, proving.egress, answers, proving.full, load_carried(desk, base))
    request = ProofRequest(base.name, before, now, *explained, busy=busy)
    return prove_now(reader, store, request, on_event)
