"""A row that must be inserted again comes back also where the org refuses one of its values, or warns of a likeness."""

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
