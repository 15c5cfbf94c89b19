"""Proofs at the command line: shown, signed and kept, read back, and their verdict as an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import typer

from rehearse.cli.answers import finish, say, user
from rehearse.cli.output import Form, render_page, write_output

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline
    from rehearse.cli.desk import Desk
    from rehearse.reset.model import Proof


def show_proof(desk: Desk, path: Path, *, as_json: bool) -> None:
    """Read a proof file, check its signature, and show it. Raises Damaged for one changed byte."""
    from rehearse.report.resets import build_proof_page
    from rehearse.reset.proof_file import load_proof

    proof = load_proof(path, desk.store().keys)
    finish("proof", proof.at, build_proof_body(proof), build_proof_page(proof, desk.workspace.zone), as_json=as_json)
    if not as_json:
        say(f"{path} is as it was signed: proof {proof.id}.")
    raise typer.Exit(exit_code(proof))


def keep_proof(desk: Desk, proof: Proof, accept_residue: str, reason: str, *, as_json: bool) -> None:
    """Sign and keep the proof, record it with the baseline, and end with its verdict as the exit code."""
    from rehearse.report.resets import build_proof_page
    from rehearse.reset.proof_file import save_proof

    if accept_residue and proof.verdict == "clean-with-residue":
        proof = replace(proof, accepted_by=user(), accept_reason=reason)
    path = desk.workspace.storage.folder / "proofs" / f"{proof.id}.json"
    save_proof(proof, path, desk.store().keys)
    base = desk.baselines().find(proof.baseline, proof.sandbox)
    desk.baselines().set_proof(base, proof.id, proof.verdict, proof.at)
    page = build_proof_page(proof, desk.workspace.zone)
    finish("proof", proof.at, {**build_proof_body(proof), "file": str(path)}, page, as_json=as_json)
    if not as_json:
        say(f"{proof.sandbox} is {proof.verdict.upper()}. Saved {path}.")  # the page is long: its first line is gone
    if not as_json and proof.verdict == "clean-with-residue" and not proof.accepted_by:
        say(f"Accept it with: rehearse reset prove {proof.sandbox} --accept-residue {proof.sandbox} --reason TEXT")
    for sentence in () if as_json else what_next(proof):
        say(sentence)
    if not as_json and exit_code(proof) == 0:
        say(
            "As a page for the change board: "
            f"rehearse baseline verify --proof {quote(str(path))} --format html --output proof.html"
        )
    raise typer.Exit(exit_code(proof))


def what_next(proof: Proof) -> Iterator[str]:
    """What to do about what is not back, by its outcome."""
    left = {one.outcome for one in proof.items}
    if "impossible" in left:
        yield (
            f"What is impossible stays until {proof.sandbox} is refreshed: plan nothing there that needs the baseline. "
            f"When may it be? rehearse refresh check {proof.sandbox}"
        )
    if "manual" in left:
        yield f"Do by hand what is manual, then prove again: rehearse reset prove {proof.sandbox}"
    if left & {"failed", "changed by someone else"}:
        yield f"What else is left may be undone by a new plan: rehearse reset plan {proof.sandbox}"


def load_carried(desk: Desk, base: Baseline) -> tuple[str, ...]:
    """The residue that was accepted in this generation before a baseline was taken: the baseline holds it as it is.

    A proof that was changed after it was signed accepts nothing; that is said.
    """
    paths = sorted((desk.workspace.storage.folder / "proofs").glob("*.json"))
    if not paths:
        return ()
    from rehearse.errors import Damaged, KeyUnavailable
    from rehearse.reset.proof_file import load_proof

    found: list[str] = []
    for path in paths:
        try:
            proof = load_proof(path, desk.store().keys)
        except Damaged as error:
            say(f"note: {error.message} Residue that it may have accepted does not count.")
            continue
        except KeyUnavailable as error:
            say(f"note: {error.message} Residue that was accepted before cannot be told.")
            break
        if proof.org_id == base.org_id and proof.accepted_by and proof.at <= base.taken_at:
            count = proof.counts.get("residue", 0)
            found.append(f"proof {proof.id[:12]}: {count} item(s), by {proof.accepted_by}: {proof.accept_reason}")
    return tuple(found)


def show_unkept(desk: Desk, proof: Proof, *, as_json: bool) -> None:
    """Show a proof that is not kept, and destroy the capture that only it needed."""
    from rehearse.baseline.manifest import MANIFEST
    from rehearse.baseline.writing import file_sha256
    from rehearse.report.resets import build_proof_page

    store = desk.store()
    for manifest in sorted((store.root / "captures").glob(f"*/{MANIFEST}"), reverse=True):
        if file_sha256(manifest) == proof.digests["live_manifest"]:
            store.drop(manifest.parent.name)
            break
    page = build_proof_page(proof, desk.workspace.zone)
    finish("proof", proof.at, build_proof_body(proof), page, as_json=as_json, code=exit_code(proof))


def write_proof(desk: Desk, path: Path, form: Form, output: Path | None) -> None:
    """Check a proof file and write it as a page for people, with every item. Raises Damaged for one changed byte."""
    from rehearse.report.resets import build_proof_page
    from rehearse.reset.proof_file import load_proof

    proof = load_proof(path, desk.store().keys)
    zone = desk.workspace.zone
    page = replace(build_proof_page(proof, zone, whole=True), title=f"Proof of {proof.sandbox}")
    text = render_page(form, page, proof.at, zone)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_output(output, text.encode(), 0o644)
    raise typer.Exit(exit_code(proof))


def build_proof_body(proof: Proof) -> dict[str, object]:
    """The `proof` answer of formats.md without its name and instant."""
    from rehearse.reset.proof_file import build_content

    return {name: value for name, value in build_content(proof).items() if name not in ("schema", "at")}


def exit_code(proof: Proof) -> int:
    """0: clean, or residue accepted by name; 3: any other verdict."""
    return 0 if proof.verdict == "clean" or (proof.verdict == "clean-with-residue" and proof.accepted_by) else 3
