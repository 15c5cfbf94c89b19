"""The pure parts of REST reading: flat rows, addresses that are never too long, identities that are whole."""

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.baseline.canonical import canonical_value, value_text
from rehearse.errors import OrgRejected, UsageError
from rehearse.ids import to_18
from rehearse.org import rest
from rehearse.org.rest import build_identity, flatten, id_queries, selected_paths, split_fields
from rehearse.reset.batches import wire_value

PARENT = {"attributes": {"type": "Account"}, "Name": "A", "Owner": {"attributes": {}, "Name": "O"}}


@pytest.mark.parametrize(
    ("record", "soql", "row"),
    [
        ({"attributes": {}, "Id": "1"}, "SELECT Id FROM X", {"Id": "1"}),
        ({"Parent": PARENT}, "SELECT Parent.Name FROM X", {"Parent.Name": "A", "Parent.Owner.Name": "O"}),
        ({"Id": "1", "Parent": None}, "select Id, parent.name from X", {"Id": "1", "parent.name": None}),
        (
            {"Id": "1", "Parent": {"Name": "A", "Owner": None}},
            "SELECT Id,\n Parent.Name, Parent.Owner.Name FROM X",
            {"Id": "1", "Parent.Name": "A", "Parent.Owner.Name": None},
        ),
        ({"attributes": "a field of this name"}, "SELECT Id FROM X", {"attributes": "a field of this name"}),
        ({"BillingAddress": {"city": "B"}}, "SELECT BillingAddress FROM X", {"BillingAddress.city": "B"}),
    ],
)
def test_rows_are_flat(record: dict[str, Any], soql: str, row: dict[str, Any]) -> None:
    assert flatten(record, selected_paths(soql)) == row


@pytest.mark.parametrize("soql", ["", "SELECT", "SELECT Id, (SELECT Id FROM Contacts) FROM Account", "FIND {x}"])
def test_queries_that_are_not_read_are_said(soql: str) -> None:
    with pytest.raises(UsageError):
        selected_paths(soql)


@settings(deadline=None, max_examples=30)
@given(
    count=st.integers(0, 3000), fields=st.lists(st.from_regex(r"[A-Z][a-z_]{0,60}__c", fullmatch=True), max_size=300)
)
def test_no_address_is_too_long_and_no_id_is_left_out(count: int, fields: list[str]) -> None:
    ids = [to_18(f"001{number:012}") for number in range(count)]
    parts = list(split_fields("Object__c", fields))
    assert [name for part in parts for name in part] == fields and parts
    for part in parts:
        queries = list(id_queries("Object__c", ids, part))
        assert all(len("/services/data/v67.0/queryAll/?q=" + quote_plus(soql)) < 16_000 for soql in queries)
        assert [one for soql in queries for one in soql.split("'")[1::2]] == ids


def test_what_is_no_id_does_not_reach_a_query() -> None:
    with pytest.raises(UsageError):
        list(id_queries("Account", ["001' OR Name != '"], ["Name"]))


ROW = {"Id": "00D000000000001", "Name": "A", "InstanceName": "CS1", "IsSandbox": True, "TrialExpirationDate": None}
USER = {"Id": "005000000000001", "Username": "a@acme.example"}


def test_an_identity_is_built_from_whole_rows() -> None:
    identity = build_identity([ROW], [USER], "host")
    assert (identity.org_id, identity.is_sandbox, identity.trial_expires) == (to_18("00D000000000001"), True, None)
    trial = build_identity([{**ROW, "TrialExpirationDate": "2026-12-01T00:00:00.000+0000"}], [USER], "host")
    assert trial.trial_expires is not None


@pytest.mark.parametrize(
    ("organizations", "users"),
    [
        ([], [USER]),
        ([ROW, ROW], [USER]),
        ([ROW], []),
        *(([{key: value for key, value in ROW.items() if key != name}], [USER]) for name in ROW),
        *(([{**ROW, "IsSandbox": value}], [USER]) for value in (None, "true", 1, "false")),
    ],
)
def test_an_identity_with_anything_missing_is_refused(organizations: list[Any], users: list[Any]) -> None:
    with pytest.raises(OrgRejected, match="INCOMPLETE"):
        build_identity(organizations, users, "host")


def test_the_newest_version_that_both_sides_know(wire: Any, scripted: Any) -> None:
    listed = [{"version": one} for one in ("31.0", "57.0", "66.0", "67.0", "68.0", "100.0")]
    scripted.answers(("reply", listed, 200, {}))
    assert rest.fetch_newest_version(wire) == "67.0"
    assert "authorization" not in scripted.seen[0].headers
    scripted.answers(("reply", listed[:2], 200, {}))
    assert rest.fetch_newest_version(wire) == "57.0"
    scripted.answers(("reply", listed[:1], 200, {}))
    with pytest.raises(OrgRejected, match="NO_COMMON_VERSION"):
        rest.fetch_newest_version(wire)


@pytest.mark.parametrize(
    "text", ["0.1", "1.0E7", "12345678901234567.89", "999999999999999.99", "1.2345678901234567E16", "1.10", "1e400"]
)
def test_no_digit_of_a_number_is_lost(text: str) -> None:
    """Bulk gives a number as text: what REST gives of the same value has to compare equal, and is written as it was."""
    (read,) = json.loads(f"[{text}]", parse_float=rest.read_decimal)
    stored = canonical_value("currency", text)
    assert canonical_value("currency", value_text(read)) == stored
    assert canonical_value("currency", value_text(wire_value("currency", stored))) == stored


def test_answers_are_read_so(wire: Any, scripted: Any) -> None:
    body = b'{"totalSize": 1, "done": true, "records": [{"Amount": 12345678901234567.89, "Rate": 0.5}]}'
    scripted.answers(("reply", body, 200, {}))
    rows = list(rest.RestReader(wire, "67.0").fetch_rows("SELECT Amount, Rate FROM Deal__c"))
    assert rows == [{"Amount": "12345678901234567.89", "Rate": 0.5}]
