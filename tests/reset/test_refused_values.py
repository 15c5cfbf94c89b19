"""One old value that the org takes no more does not keep the rest of its row from coming back."""

from typing import Any

import pytest

from rehearse.reset.model import ActionResult
from rehearse.reset.next_steps import with_cure
from rehearse.reset.refused_values import find_refused

MISSING = "REQUIRED_FIELD_MISSING"


@pytest.mark.parametrize(
    ("state", "detail", "refused"),
    [
        ("failed", f"{MISSING} (LastName, Title)", ("LastName",)),
        ("failed", MISSING, ()),
        ("failed", f"{MISSING} (Title)", ()),
        ("failed", "FIELD_CUSTOM_VALIDATION_EXCEPTION (LastName)", ()),
        ("done", f"{MISSING} (LastName)", ()),
        ("failed", "INVALID_CROSS_REFERENCE_KEY (FirstName)", ("FirstName",)),
        ("failed", "INVALID_CROSS_REFERENCE_KEY", ()),
        ("failed", "FIELD_FILTER_VALIDATION_EXCEPTION (FirstName)", ("FirstName",)),
    ],
)
def test_only_what_the_org_refused_by_itself_is_left_out(state: Any, detail: str, refused: tuple[str, ...]) -> None:
    result = ActionResult("update/Contact/1", "record", "Contact", "1", state, detail)
    assert find_refused(result, ("FirstName", "LastName")) == refused
    assert find_refused(None, ("LastName",)) == ()


def test_what_somebody_can_cure_is_told_with_the_cure() -> None:
    assert "recycle bin" in with_cure("DUPLICATE_VALUE (Code__c)") and with_cure("") == ""
    assert with_cure("REQUIRED_FIELD_MISSING (Name)") == "REQUIRED_FIELD_MISSING (Name)"


@pytest.mark.parametrize("code", ["INACTIVE_OWNER_OR_USER", "TRANSFER_REQUIRES_READ"])
def test_what_is_said_of_an_owner_need_not_name_his_field(code: str) -> None:
    result = ActionResult("update/Contact/1", "record", "Contact", "1", "failed", code)
    assert find_refused(result, ("OwnerId", "LastName")) == ("OwnerId",)
    assert find_refused(result, ("LastName",)) == ()


def test_the_rest_of_a_row_comes_back_and_the_proof_names_what_does_not(lab: Any) -> None:
    """An empty field that is required by now, an owner who left, and a row in which nothing else differs."""
    empty, owned, only = lab.pick('"Contact" ORDER BY "Id" LIMIT 3')
    with lab.org.lock:
        lab.org.db.execute('UPDATE "Contact" SET "LastName" = NULL WHERE "Id" IN (?, ?)', (empty, only))
    lab.update("Contact", {"Id": owned, "OwnerId": lab.user("sales1"), "Title": "Buyer"})
    before = lab.capture(objects=["Contact"])
    title = lab.value("Contact", empty, "Title")
    lab.update("Contact", {"Id": empty, "LastName": "Filled", "Title": "Changed"}, {"Id": only, "LastName": "Filled"})
    lab.update("Contact", {"Id": owned, "OwnerId": lab.user("admin"), "Title": "Changed"})
    lab.update("User", {"Id": lab.user("sales1"), "IsActive": False}, by="admin")
    proof = lab.reset(before)
    assert (lab.value("Contact", empty, "Title"), lab.value("Contact", owned, "Title")) == (title, "Buyer")
    told = {one.key: (one.outcome, one.detail) for one in proof.items}
    assert told[empty] == ("failed", f"without LastName, whose old value the org refuses: {MISSING}")
    left, said = told[owned]
    assert left == "failed" and said.startswith(
        "without OwnerId, whose old value the org refuses: INACTIVE_OWNER_OR_USER"
    )
    assert said.endswith("let this login update records with inactive owners, and reset again")
    assert told[only] == told[empty]
    assert proof.verdict == "dirty"
