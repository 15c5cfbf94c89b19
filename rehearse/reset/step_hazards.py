"""The hazards of runbook steps that no comparison can foresee, as data: work by hand, scripts, anonymous Apex."""

from __future__ import annotations

from rehearse.reset.model import Grade, Hazard


def _step(name: str, types: str, when: str, grade: Grade, reason: str) -> Hazard:
    return Hazard(name, "step", tuple(types.split()), "any", tuple(when.split()), grade, reason, "the runbook")


STEP_HAZARDS: tuple[Hazard, ...] = (
    _step("step-undone-by-hand", "manual", "undo-by-hand", "manual", "done by hand; the runbook says how to undo it"),
    _step(
        "step-undone-by-script",
        "manual",
        "undo-by-script",
        "unknown",
        "done by hand; what its undo step leaves is known afterwards only",
    ),
    _step(
        "step-no-return",
        "manual",
        "no-return",
        "impossible",
        "the runbook calls it a point of no return and gives no way to undo it",
    ),
    _step("step-by-hand", "manual", "", "unknown", "done by hand, and the runbook does not say how to undo it"),
    _step("step-apex", "apex", "", "unknown", "what Apex writes is known afterwards only, by a comparison"),
    _step("step-shell", "shell", "", "unknown", "what a script does is known afterwards only, by a comparison"),
    _step("step-other", "*", "", "unknown", "what this step does is known afterwards only, by a comparison"),
)
