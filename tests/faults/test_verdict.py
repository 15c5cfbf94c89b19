"""What may be said, case by case: pure tables in which every reason not to say clean, residue or lost stands alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rehearse.baseline.components import read_components
from rehearse.baseline.model import Capture, Change, CoverageRow, ResolvedScope
from rehearse.reset.apply_records import LOCKED, _is_final
from rehearse.reset.component_marks import residue_of
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.model import Action, Do, Outcome, ProofItem
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


def picklist(values: str, label: str = "Kind") -> bytes:
    field = (
        f"<fields><fullName>Kind__c</fullName><label>{label}</label><type>Picklist</type><valueSet>"
        f"<valueSetDefinition>{values}</valueSetDefinition></valueSet></fields>"
    )
    return f'<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">{field}</CustomObject>'.encode()


def one_value(name: str, more: str = "") -> str:
    return f"<value><fullName>{name}</fullName><default>false</default>{more}<label>{name}</label></value>"


OFF = "<isActive>false</isActive>"


@pytest.mark.parametrize(
    ("live", "residue"),
    [
        (picklist(one_value("A") + one_value("B", OFF)), True),
        (picklist(one_value("A") + one_value("B")), False),
        (picklist(one_value("A") + one_value("B", OFF), "Another"), False),
        (picklist(one_value("A", OFF) + one_value("B", OFF)), False),
        (picklist(one_value("A") + one_value("B", OFF) + one_value("C")), False),
    ],
)
def test_only_inactive_values_and_nothing_else_are_a_residue(live: bytes, residue: bool) -> None:
    place, path = ("CustomField", "Trip__c.Kind__c"), "objects/Trip__c.object"
    sides = [{path: one} for one in (picklist(one_value("A")), live)]
    before, after = ({(one.type, one.full_name): one for one in read_components(files)} for files in sides)
    assert (residue_of(MetadataBook(before, after, *sides), *place) is not None) == residue


@pytest.mark.parametrize(
    ("do", "detail", "fixed", "final"),
    [
        ("undelete", "UNDELETE_FAILED", False, True),
        ("undelete", LOCKED, False, False),
        ("undelete", "DUPLICATE_VALUE", False, False),
        ("undelete", "ENTITY_IS_DELETED", True, True),
        ("undelete", LOCKED, True, False),
        ("insert", "ENTITY_IS_DELETED", False, True),
        ("insert", LOCKED, False, False),
    ],
)
def test_a_row_is_inserted_anew_only_when_it_can_never_be_undeleted(
    do: Do, detail: str, fixed: bool, final: bool
) -> None:
    action = Action(f"{do}/x", 500, do, "record", LEFT.type, LEFT.key, "exact")
    assert _is_final(action, detail, fixed) == final
