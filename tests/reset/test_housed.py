"""Which rows and values keep what the rehearsal added, as far as no org has to be asked."""

from types import SimpleNamespace
from typing import Any

import pytest

from rehearse.baseline.model import Change
from rehearse.reset.housed_rows import fetch_housed, find_kept, object_of
from rehearse.reset.housed_values import find_kept_before
from rehearse.reset.model import Choices

OBJECT, FIELD = "Extra__c", "Routing__c.Added__c"
HOUSES = (OBJECT, FIELD)


@pytest.mark.parametrize(
    ("type", "key", "house"),
    [
        ("CustomObject", OBJECT, OBJECT),
        ("CustomField", "Extra__c.Far__c", OBJECT),
        ("Layout", "Extra__c-Extra Layout", OBJECT),
        ("Layout", "Extra__c2-Extra Layout", None),
        ("CustomTab", OBJECT, None),
        ("CustomField", FIELD, FIELD),
        ("CustomField", "Routing__c.Added__c2", None),
        ("ListView", FIELD, None),
    ],
)
def test_what_is_part_of_a_house_stays_with_it(type: str, key: str, house: str | None) -> None:
    assert object_of(type, key, HOUSES) == house


@pytest.mark.parametrize(
    ("choices", "kept"),
    [
        (Choices(participants=frozenset({"us"})), {OBJECT: {"them": 2}}),
        (Choices(participants=frozenset({"us", "them"})), {}),
        (Choices(participants=frozenset({"us"}), delete_others=True), {}),
        (Choices(), {}),
    ],
)
def test_rows_of_those_who_took_no_part_keep_their_house(choices: Choices, kept: Any) -> None:
    assert find_kept({OBJECT: {"us": 1, "them": 2}, FIELD: {"us": 1}}, choices) == kept


@pytest.mark.parametrize(
    "change",
    [
        Change("component", "CustomObject", OBJECT, "old", "new"),
        Change("component", "CustomObject", OBJECT, "old", None),
        Change("component", "CustomObject", "Account", None, "new"),
    ],
    ids=lambda one: f"{one.what} {one.key}",
)
def test_an_object_that_the_baseline_has_houses_nothing(change: Change) -> None:
    """Nobody is asked, so that no reader is needed."""
    assert fetch_housed(None, [change]) == {}  # type: ignore[arg-type]


def test_what_an_earlier_plan_back_to_this_baseline_kept_is_kept() -> None:
    def plan(capture: str, *made: tuple[str, bool]) -> Any:
        return SimpleNamespace(
            baseline_capture=capture, created=[SimpleNamespace(type=type, stay=stay) for type, stay in made]
        )

    plans = [plan("B1", (FIELD, True), ("Account.Gone__c", False), (OBJECT, True)), plan("B2", ("Lead.X__c", True))]
    assert find_kept_before(plans, "B1") == {FIELD}
