"""What a verdict says, case by case: a pure table in which every reason not to say clean stands alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rehearse.baseline.model import Capture, Change, CoverageRow, ResolvedScope
from rehearse.reset.model import Outcome, ProofItem
from rehearse.reset.prove import find_verdict

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SEEN = Capture(
    "U", "s", "UATFULL", "00D000000000001AAA", NOW, NOW, "67.0", ResolvedScope((), ()), {}, (), 0, "", "", (), "usable"
)
HIDING = replace(SEEN, coverage=(CoverageRow("records", "(rows of others)", "unreadable"),))
PARTIAL, HOLLOW = replace(SEEN, verdict="partial"), replace(SEEN, verdict="hollow")
LEFT = Change("record", "Account", "001000000000001AAA", "old", "new")
OUTCOMES: dict[Outcome, str] = {
    "restored": "clean",
    "already equal": "clean",
    "residue": "clean-with-residue",
    "manual": "dirty",
    "impossible": "dirty",
    "failed": "dirty",
    "changed by someone else": "dirty",
}


def item(outcome: Outcome) -> ProofItem:
    return ProofItem("record", LEFT.type, LEFT.key, outcome)


@pytest.mark.parametrize(("before", "live"), [(SEEN, one) for one in (HIDING, PARTIAL, HOLLOW)] + [
    (one, SEEN) for one in (HIDING, PARTIAL, HOLLOW)
])  # fmt: skip
def test_a_capture_that_does_not_show_all_proves_nothing(before: Capture, live: Capture) -> None:
    assert find_verdict((), (), before, live) == "partial"
    assert find_verdict((item("restored"),), (), before, live) == "partial"
    assert find_verdict((item("failed"),), (LEFT,), before, live) == "partial"


@pytest.mark.parametrize(("outcome", "verdict"), OUTCOMES.items())
def test_the_worst_outcome_decides(outcome: Outcome, verdict: str) -> None:
    assert find_verdict((item(outcome),), (), SEEN, SEEN) == verdict
    assert find_verdict((item("restored"), item(outcome), item("restored")), (), SEEN, SEEN) == verdict


def test_a_change_that_no_item_explains_is_never_clean() -> None:
    assert find_verdict((), (), SEEN, SEEN) == "clean"
    assert find_verdict((), (LEFT,), SEEN, SEEN) == "dirty"
    assert find_verdict((item("restored"),), (LEFT,), SEEN, SEEN) == "dirty"
    assert find_verdict((item("residue"),), (LEFT,), SEEN, SEEN) == "clean-with-residue"
    assert find_verdict((item("residue"),), (LEFT, replace(LEFT, key="other")), SEEN, SEEN) == "dirty"
