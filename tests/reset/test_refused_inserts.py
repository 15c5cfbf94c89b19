"""A row that must be inserted again comes back also where the org refuses one of its values, or warns of a likeness."""

from typing import Any

import pytest

from rehearse.reset.batches import told_refusal


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --", "REQUIRED_FIELD_MISSING (Name)"),
        ("REQUIRED_FIELD_MISSING:missing: [A, B__c]:A B__c --", "REQUIRED_FIELD_MISSING (A, B__c)"),
        ("INACTIVE_OWNER_OR_USER:operation performed with inactive user [005]:--", "INACTIVE_OWNER_OR_USER"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION:a secret value", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        ("DUPLICATE_VALUE:holds what 003 holds: x@y.example --", "DUPLICATE_VALUE"),
    ],
)
def test_a_refusal_of_bulk_names_fields_and_no_value(text: str, told: str) -> None:
    assert told_refusal(text) == told


def test_rows_that_no_bin_holds_come_back_without_the_one_value_that_is_refused(lab: Any) -> None:
    """An owner who left, a row like any, and a likeness of which a rule warns: Bulk is deaf to warnings."""
    owned, plain, alike, double = lab.pick('"Contact" ORDER BY "Id" LIMIT 4')
    lab.update("Contact", {"Id": owned, "OwnerId": lab.user("sales1"), "Title": "Buyer"})
    lab.update("Contact", {"Id": alike, "Email": "same@example.com"}, {"Id": double, "Email": "same@example.com"})
    lab.update("Contact", *({"Id": one, "OwnerId": lab.user("admin")} for one in (plain, alike)))
    before = lab.capture(objects=["Contact"])
    last = lab.value("Contact", owned, "LastName")
    lab.server.estate.settings.put("ghost_hours", 0)
    lab.delete(owned, plain, alike, hard=True)
    lab.update("User", {"Id": lab.user("sales1"), "IsActive": False}, by="admin")
    lab.server.estate.settings.put("duplicate_rules", ["Contact.Email alert"])
    plan = lab.plan(before)
    told = {one.key: (one.grade, one.reason) for one in plan.actions}
    assert told[owned][0] == "unknown" and "inactive" in told[owned][1]
    assert told[plain][0] == "residue" and "inactive" not in told[plain][1]
    proof = lab.prove(before, plan, lab.apply(plan))
    new = lab.ids.load()
    assert set(new) == {owned, plain, alike}
    assert lab.value("Contact", new[owned], "LastName") == last
    assert lab.value("Contact", new[owned], "Title") == "Buyer"
    assert lab.value("Contact", new[owned], "OwnerId") == lab.user("release")
    found = {one.key: (one.outcome, one.detail) for one in proof.items}
    refused = "without OwnerId, whose old value the org refuses: INACTIVE_OWNER_OR_USER"
    assert found[owned] == ("failed", refused)
    assert (found[plain][0], found[alike][0], proof.verdict) == ("residue", "residue", "dirty")
