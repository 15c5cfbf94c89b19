"""How far a copy is, what it waits for, and what to do next. Pure: from the ledger and its stages to one statement.

SandboxProcessStage tells most (API 66.0 on); without it CopyProgress and the sandbox's own history must do.
`Suspended` recovers by itself and is only slow; `Stopped` does not and needs Salesforce Support.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rehearse.org.model import CopyStage
from rehearse.refresh.decide import activation_deadline
from rehearse.refresh.model import Estimate, Progress
from rehearse.schedule.ledger import COPY_TIMES, Cycle, copy_times, percentile


def estimate_copy(
    cycle: Cycle,
    own: Sequence[Cycle],
    ahead: tuple[Sequence[datetime], Sequence[datetime]] = ((), ()),
    configured: timedelta | None = None,
) -> Estimate | None:
    """When this copy should be made, from earlier copies of the sandbox, else `copy_time`, else our own assumption.

    `ahead`: P50 and P90 of the ends of the copies before it in the queue; copies of one production run one by one.
    """
    times = copy_times([one for one in own if one.requested < cycle.requested], cycle.licence)
    p50, p90 = percentile(times, 50), percentile(times, 90)
    basis = f"{len(times)} earlier copies"
    if p50 is None or p90 is None:
        guess = configured or COPY_TIMES.get(cycle.licence)
        if guess is None:
            return None
        p50 = p90 = guess
        basis = "refresh.copy_time" if configured else "assumed for its licence type"
    starts = [max([cycle.requested, *ends]) for ends in ahead]
    return Estimate(starts[0] + p50, starts[1] + p90, basis)


def build_progress(
    name: str, own: Sequence[Cycle], stages: Sequence[CopyStage], estimate: Estimate | None = None
) -> Progress:
    """The statement on the newest of a sandbox's copies (oldest first)."""
    if not own:
        return Progress("none", f"No copy of {name} is known.")
    last = own[-1]
    state = last.state
    if state in ("pending", "copying", "locked", "unknown", "activating", "discarding"):
        return _under_way(name, last, stages, estimate)
    if state == "suspended":
        words = (
            f"The copy of {name} is suspended. It goes on by itself, only later than estimated; if it stays so for "
            "more than an hour, ask Salesforce Support."
        )
        run_next = f"rehearse refresh watch {name}"
        return Progress("suspended", words, percent=last.progress, estimate=estimate, run_next=run_next)
    if state == "stopped":
        words = (
            f"The copy of {name} has stopped and does not go on by itself: ask Salesforce Support, with the process "
            f"id {last.id}. The old sandbox still works."
        )
        return Progress("stopped", words, percent=last.progress, run_next=f"rehearse refresh watch {name}")
    return _over(name, last)


def _under_way(name: str, last: Cycle, stages: Sequence[CopyStage], estimate: Estimate | None) -> Progress:
    if last.state == "activating":
        share = _share(stages, 3)
        words = f"{name} is being activated{f', {share} %' if share is not None else ''}: nobody can use it now."
        return Progress("waiting", words, percent=share, run_next=f"rehearse refresh watch {name}")
    if last.state == "discarding":
        words = f"The new copy of {name} is being dropped; the old sandbox stays."
        return Progress("waiting", words, run_next=f"rehearse refresh watch {name}")
    place = next((one.estimated for one in stages if one.number == 0 and not one.ended), None)
    run_next = f"rehearse refresh watch {name}"
    if last.state == "pending":
        where = f", with {place} sandbox(es) before it" if place else ""
        words = f"The copy of {name} waits in the queue{where}."
        return Progress("waiting", words, place, None, estimate, run_next=run_next)
    if last.state == "locked":
        words = (
            f"{name} is locked, and nobody can use it: its licences are used up. Free or buy one in Setup; "
            "`rehearse ledger list` shows what is bought and in use."
        )
        return Progress("stopped", words, run_next="rehearse ledger list")
    if last.state == "unknown":
        words = f"Production says that the copy of {name} is {last.state}."
        return Progress("waiting", words, estimate=estimate, run_next=run_next)
    share = _share(stages, 1)
    percent = last.progress if share is None else share
    words = f"{name} is being copied{f', {percent} %' if percent is not None else ''}; the old sandbox still works."
    return Progress("waiting", words, None, percent, estimate, run_next=run_next)


def _over(name: str, last: Cycle) -> Progress:
    if last.state == "pending-activation":
        deadline = activation_deadline(last)
        words = f"The new copy of {name} is made and waits for somebody to decide; the old sandbox still works."
        run_next = f"rehearse refresh activate {name} --confirm {name}"
        return Progress("decide", words, percent=100, deadline=deadline, run_next=run_next)
    if last.state == "completed" and last.org_id is None:
        words = f"{name} was refreshed; nobody wrote down which org it is now."
        return Progress("done", words, percent=100)
    if last.state == "completed":
        run_next = f"rehearse refresh ready {name}"
        return Progress("done", f"{name} is the org {last.org_id} now.", percent=100, run_next=run_next)
    if last.state == "discarded":
        return Progress("discarded", f"The new copy of {name} was discarded; the old sandbox stays as it was.")
    return Progress("gone", f"{name} is {last.state}.")


def _share(stages: Sequence[CopyStage], number: int) -> int | None:
    """Percent of a stage: the final amount of work once the org knows it, else its estimate (facts 2.4)."""
    stage = next((one for one in stages if one.number == number), None)
    whole = (stage.actual or stage.estimated) if stage else None
    if stage is None or not whole or stage.completed is None:
        return None
    return min(100, 100 * stage.completed // whole)


def expected_ends(ledger: Mapping[str, Sequence[Cycle]], cycle: Cycle) -> tuple[list[datetime], list[datetime]]:
    """P50 and P90 of the ends of the copies before this one in production's queue, as they stand in the ledger."""
    before = [
        one
        for own in ledger.values()
        for one in own
        if one.copied is None and one.state in ("pending", "copying") and one.requested < cycle.requested
    ]
    return (
        [one.expected_p50 for one in before if one.expected_p50],
        [one.expected_p90 for one in before if one.expected_p90],
    )
