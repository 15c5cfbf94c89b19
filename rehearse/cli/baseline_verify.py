"""`rehearse baseline verify`: is a baseline, or a proof, as it was written?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish
from rehearse.cli.baseline_check import Of
from rehearse.cli.output import Form, check_output
from rehearse.errors import UsageError

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline
    from rehearse.cli.desk import Desk


def verify(
    name: Annotated[str, typer.Argument(help="Name, or the start of a snapshot or capture id.")] = "",
    sandbox: Of = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decrypt every row and recompute every digest.")] = False,
    proof: Annotated[Path | None, typer.Option(help="Verify a proof file instead, offline.")] = None,
    form: Annotated[Form, typer.Option("--format", help="With --proof: what to write.")] = Form.text,
    output: Annotated[Path | None, typer.Option(help="With --proof: file to write, with every item.")] = None,
    as_json: Json = False,
) -> None:
    """Check that a baseline, or a proof, is as it was written.

    Without --deep the digests of all files are checked; with --proof the signature of a proof file, without any org.
    A proof that holds can be written as a page for a change board: every item, what it rests on, its digests.

    Example: rehearse baseline verify B1 --deep
    """
    from rehearse.cli.desk import open_desk
    from rehearse.cli.proof import show_proof, write_proof

    if bool(name) == bool(proof):
        raise UsageError("Give the name of a baseline or --proof FILE, one of the two.", "See --help.")
    as_page = form is not Form.text or output is not None
    if as_page and (proof is None or as_json):
        raise UsageError("--format and --output write a proof as a page.", "Give --proof FILE, and no --json.")
    check_output(output)
    with open_desk() as desk:
        if proof is None:
            _verify_baseline(desk, desk.baselines().find(name, sandbox), deep=deep, as_json=as_json)
        elif as_page:
            write_proof(desk, proof, form, output)
        else:
            show_proof(desk, proof, as_json=as_json)


def _verify_baseline(desk: Desk, found: Baseline, *, deep: bool, as_json: bool) -> None:
    from rehearse.baseline.model import CANONICALISER
    from rehearse.cli.baseline_check import check_baseline
    from rehearse.report.baselines import build_baseline_body
    from rehearse.report.view import Page, Paragraph

    gone = found.pruned is not None
    taken = check_baseline(desk, found, deep=deep, records=not gone)
    what = "every row and component was read and its digest recomputed" if deep else "the digests of all files hold"
    if deep and taken.canonicaliser != CANONICALISER:
        what = "every row was read and its digest recomputed; its metadata, of older rules, has the digests of git"
    if gone:
        what = "its manifest and metadata are as they were written; its records were destroyed by prune"
    said = [Paragraph(f"Baseline {found.name} of {found.sandbox} is whole: {what}.", "good")]
    if taken.verdict != "usable":
        said.append(Paragraph(f"It was {taken.verdict} when it was taken: no reset to it can be proven clean.", "warn"))
    page = Page("", tuple(said))
    body = {**build_baseline_body(found, taken), "whole": True, "deep": deep}
    finish("baseline", desk.fetch_now(), body, page, as_json=as_json)
