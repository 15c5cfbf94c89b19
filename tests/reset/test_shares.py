"""Shares that people gave stay after a reset: who may see a row is no value of it, so a proof counts them beside."""

from typing import Any

import pytest

from rehearse.reset.outside import shared


@pytest.mark.parametrize(
    ("name", "object"),
    [("AccountShare", "Account"), ("Invoice__Share", "Invoice__c"), ("Share", ""), ("Account", ""), ("Share__c", "")],
)
def test_which_object_shares_are_of(name: str, object: str) -> None:
    assert shared(name) == object


def test_a_proof_counts_the_shares_that_people_gave_and_no_others(lab: Any) -> None:
    first, second = lab.pick('"Account" ORDER BY "Id" LIMIT 2')
    given = {"UserOrGroupId": lab.user("sales1"), "AccountAccessLevel": "Edit"}
    before = lab.capture(objects=["Account"])
    lab.insert("AccountShare", {**given, "AccountId": first}, {**given, "AccountId": second, "RowCause": "Rule"})
    proof = lab.reset(before)
    assert (proof.verdict, proof.outside_scope) == ("clean", {"AccountShare (given by hand)": 1})
