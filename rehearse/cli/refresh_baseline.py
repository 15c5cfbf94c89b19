"""The first baseline of a new generation, captured by the run that finds it ready for one.

That is when the new org is there and checked, and masking (where its ready list has it) is done. It is captured once:
what is set up later on the list is the user's to capture, since a rehearsal may have begun by then. A capture that was
killed is taken up by the next run of the same command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rehearse.cli.answers import say
from rehearse.errors import GateClosed, Locked
from rehearse.report.view import Paragraph

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline
    from rehearse.cli.refresh_desk import Blocks, Case
    from rehearse.schedule.ledger import Cycle

NoBaseline = Annotated[
    bool, typer.Option("--no-baseline", help="Do not capture the new baseline, which is else done as soon as it may.")
]


def capture_new(case: Case, cycle: Cycle, *, wanted: bool) -> tuple[dict[str, Any], Blocks]:
    """Capture the baseline of a new generation where it may be; else the reason, and the command for later.

    The body names the baseline of this generation, if there is one. Raises what a capture raises, except for a closed
    gate and a lock: they are told, because the refresh itself is done.
    """
    known = _known(case, cycle)
    if known is not None:
        return {"baseline": known.name, "captured": False, "no_baseline": None}, _later(case, cycle, known)
    why, command = _obstacle(case, cycle, wanted=wanted)
    if not why:
        try:
            return _capture(case)
        except (GateClosed, Locked) as error:
            why, command = error.message, f"rehearse baseline capture {case.name} --wait 30m"
    words = f"The new baseline is not captured: {why.rstrip('.')}. Then: {command}"
    return {"baseline": None, "captured": False, "no_baseline": why}, [Paragraph(words, "warn")]


def _known(case: Case, cycle: Cycle) -> Baseline | None:
    """The newest baseline of this generation; one without records counts only where records were wanted and missing."""
    own = [one for one in case.desk.baselines().load(case.name) if one.org_id == cycle.org_id and one.voided is None]
    kept = [one for one in own if one.records or one.verdict != "usable"]
    return kept[-1] if kept else None


def _obstacle(case: Case, cycle: Cycle, *, wanted: bool) -> tuple[str, str]:
    """Why no baseline may be captured now, and the command for when it may; empty where it may."""
    from rehearse.refresh.ready_store import MASKED, is_masking_open, tick_command

    capture = f"rehearse baseline capture {case.name}"
    if cycle.state != "completed":
        return f"the copy is {cycle.state}", f"rehearse refresh watch {case.name}"
    if is_masking_open(case.desk.database, case.name, cycle.org_id or ""):
        tick = tick_command(case.desk.database, case.name, cycle.org_id or "")
        return f"{MASKED!r} is open on the ready list", tick
    if not wanted:
        return "--no-baseline was given", capture
    if case.config.login is None:
        return f"{case.name} has no login in rehearse.yaml", capture
    if not case.desk.workspace.scope.objects:
        hint = f"{capture} --metadata-only, or name objects under scope.records.include and capture"
        return "rehearse.yaml puts no records in scope", hint
    return "", capture


def _capture(case: Case) -> tuple[dict[str, Any], Blocks]:
    from rehearse.cli.baseline_capture import build_scope, choose_name, take_baseline
    from rehearse.reset.gates import Patience

    name = choose_name(case.desk, case.name, None)
    say(f"Capturing the new baseline {name} of {case.name}. (Killed, it continues when this command is run again.)")
    scope = build_scope(case.desk)
    baseline, taken = take_baseline(case.desk, case.name, scope, (name, Patience(strict=True)))
    holds = f"{taken.record_count:,} records and {taken.component_count:,} components"
    if baseline.verdict == "usable":
        words = Paragraph(f"The baseline {name} of the new org is captured: {holds}.", "good")
    else:
        words = Paragraph(
            f"The baseline {name} was captured and is {baseline.verdict}: {holds}. "
            f"See what is missing: rehearse baseline show {name} --sandbox {case.name}",
            "bad",
        )
    return {"baseline": name, "captured": True, "no_baseline": None}, [words]


def _later(case: Case, cycle: Cycle, known: Baseline) -> Blocks:
    """What was ticked after the baseline was captured is not in it, so a reset would take it back."""
    from rehearse.refresh.ready_store import load_items

    items = load_items(case.desk.database, case.name, cycle.org_id or "")
    late = [one.item for one in items if one.ticked_at is not None and one.ticked_at > known.taken_at]
    if not late or any(not one.is_done for one in items):
        return []
    named = ", ".join(late[:4]) + ", …" * (len(late) > 4)
    words = (
        f"{known.name} was captured before {named}: a reset to it would take back what was set up for that. "
        f"Before the first rehearsal: rehearse baseline capture {case.name}"
    )
    return [Paragraph(words, "warn")]
