"""Insert, update and upsert: the platform's refusals in its own codes and words, stamps, and what is kept."""

import tomllib
from pathlib import Path

import pytest

from rehearse.practice import rows

ELSEWHERE = "001000000000001AAA"
LONG = "x" * 300
REFUSED = tomllib.loads(Path(__file__).with_name("rows_refused.toml").read_text().replace("{long}", LONG))["case"]


@pytest.mark.parametrize(
    "case", REFUSED, ids=lambda case: f"{case['code']}-{case['object']}-{'-'.join(case['fields'])}"
)
def test_data_2_2_an_insert_is_refused_in_salesforces_words(small, case):
    code, message, fields = small.refusal(case["object"], **case["values"])
    assert (code, list(fields)) == (case["code"], case["fields"])
    assert message == case.get("message", message)
    assert small.query(f"SELECT Id FROM {case['object']}", deleted=True) == []


KEPT = [
    ("Rate__c", 1.005, 1.01),
    ("Rate__c", -1.005, -1.01),
    ("Rate__c", "12.30", 12.3),
    ("Rate__c", "", None),
    ("Count__c", "7", 7),
    ("Due__c", "2026-11-30", "2026-11-30"),
    ("Due__c", "2026-11-30T23:59:59Z", "2026-11-30"),
    ("Sent__c", "2026-11-30T10:00:00+02:00", "2026-11-30T08:00:00.000+0000"),
    ("Sent__c", "2026-11-30T10:00:00.123456Z", "2026-11-30T10:00:00.123+0000"),
    ("Sent__c", "2026-11-30T10:00:00.000+0000", "2026-11-30T10:00:00.000+0000"),
    ("Open__c", "FALSE", False),
    ("Open__c", 1, True),
    ("State__c", "PAID", "paid"),
    ("Colours__c", "blue; red;blue", "red;blue"),
    ("Notes__c", "  two\nlines, a \U0001f600 and “quotes”  ", "two\nlines, a \U0001f600 and “quotes”"),
    ("Code__c", "#N/A", "#N/A"),
    ("Code__c", " ", None),
]


@pytest.mark.parametrize(("name", "sent", "kept"), KEPT)
def test_a_value_is_kept_in_row_idform(small, name, sent, kept):
    small.insert("Invoice__c", **{name: sent})
    assert small.one(f"SELECT {name} FROM Invoice__c") == {name: kept}


def test_defaults_owner_numbers_and_stamps_are_the_platforms(small):
    row_id = small.insert("Invoice__c")
    fields = (
        "Id, Name, State__c, Open__c, OwnerId, CreatedById, CreatedDate, LastModifiedDate, SystemModstamp, IsDeleted"
    )
    now = "2026-11-23T08:00:00.000+0000"
    assert small.one(f"SELECT {fields} FROM Invoice__c") == {
        "Id": row_id,
        "Name": "INV-0001",
        "State__c": "open",
        "Open__c": True,
        "OwnerId": small.user_id,
        "CreatedById": small.user_id,
        "CreatedDate": now,
        "LastModifiedDate": now,
        "SystemModstamp": now,
        "IsDeleted": False,
    }
    assert len(row_id) == 18 and row_id.startswith("a00")


def test_an_update_names_some_fields_and_moves_the_stamps_even_without_a_change(small):
    row_id = small.insert("Account", Name="A", Site="Cork", Phone="1")
    small.clock.wait(minutes=5)
    assert small.update("Account", row_id, Site=None, Name="A").success
    row = small.one("SELECT Name, Site, Phone, CreatedDate, LastModifiedDate, SystemModstamp FROM Account")
    assert (row["Name"], row["Site"], row["Phone"]) == ("A", None, "1")
    assert row["CreatedDate"] < row["LastModifiedDate"] == row["SystemModstamp"]


def test_an_update_of_a_row_that_is_grow_idis_refused(small):
    row_id = small.insert("Account", Name="A")
    missing = small.update("Account", ELSEWHERE, Name="B")
    assert missing.errors == (("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ()),)
    small.delete(row_id)
    assert small.update("Account", row_id, Name="B").errors == (("ENTITY_IS_DELETED", "entity is deleted", ()),)
    assert small.update("Account", small.user_id, Name="B").errors[0][0] == "MALFORMED_ID"
    assert rows.update(small.org, small.user_id, "Account", [{"Name": "B"}])[0].errors[0][0] == "MISSING_ARGUMENT"


def test_data_2_2_a_required_field_cannot_be_emptied(small):
    row_id = small.insert("Account", Name="A")
    assert small.update("Account", row_id, Name="").errors[0][0] == "REQUIRED_FIELD_MISSING"
    assert small.one("SELECT Name FROM Account") == {"Name": "A"}


def test_data_5_1_ids_come_in_15_or_18_characters(small):
    parent = small.insert("Account", Name="P")
    child = small.insert("Account", Name="C", ParentId=parent[:15])
    assert small.update("Account", child[:15], Site="x").id == child
    assert small.one("SELECT ParentId FROM Account WHERE Name = 'C'") == {"ParentId": parent}


def test_a_reference_into_the_recycle_bin_or_past_it_is_refused(small):
    binned, gone = small.insert("Account", Name="A"), small.insert("Account", Name="B")
    small.delete(binned)
    small.delete(gone, hard=True)
    assert small.refusal("Account", Name="C", ParentId=binned)[0] == "ENTITY_IS_DELETED"
    assert small.refusal("Account", Name="C", ParentId=gone)[0] == "INVALID_CROSS_REFERENCE_KEY"


def test_a_parent_can_be_named_by_its_external_id(small):
    invoice = small.insert("Invoice__c", Code__c="K1")
    small.insert("Line__c", Invoice__r={"Code__c": "k1"}, Amount__c=1)
    small.insert("Line__c", **{"Invoice__r.Code__c": "K1"}, Amount__c=2)
    assert small.query("SELECT Invoice__c FROM Line__c") == [{"Invoice__c": invoice}] * 2


def test_data_2_2_unique_values_are_unique_without_regard_to_case(small):
    first = small.insert("Invoice__c", Code__c="Ab")
    message = f"duplicate value found: Code__c duplicates value on record with id: {first}"
    assert small.refusal("Invoice__c", Code__c="aB") == ("DUPLICATE_VALUE", message, ())
    assert small.update("Invoice__c", first, Code__c="AB").success


@pytest.mark.parametrize("held", [True, False])
def test_data_4_row_18_whether_the_bin_holds_unique_values_is_a_setting(small, held):
    small.settings["binned_rows_hold_unique_values"] = held
    first = small.insert("Invoice__c", Code__c="A")
    small.delete(first)
    again = rows.insert(small.org, small.user_id, "Invoice__c", [{"Code__c": "A"}])[0]
    assert again.success is not held
    if not held:
        assert small.undelete(first)[0].errors[0][0] == "DUPLICATE_VALUE"


def test_a_hard_deleted_row_holds_no_unique_value(small):
    small.delete(small.insert("Invoice__c", Code__c="A"), hard=True)
    small.insert("Invoice__c", Code__c="A")


def test_data_4_rows_3_to_10_a_detail_changes_its_master_only_where_that_is_allowed(small):
    one, two, project = small.insert("Invoice__c"), small.insert("Invoice__c"), small.insert("Project__c", Name="P")
    line = small.insert("Line__c", Invoice__c=one)
    join = small.insert("Join__c", Invoice__c=one, Project__c=project)
    assert small.update("Line__c", line, Invoice__c=two).errors[0][0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert small.update("Join__c", join, Invoice__c=two).success


def test_data_4_row_35_roll_ups_follow_their_details_in_the_same_call(small):
    one, two = small.insert("Invoice__c"), small.insert("Invoice__c")
    totals = "SELECT Total__c, Big__c FROM Invoice__c WHERE Id = '{}'"
    assert small.one(totals.format(one)) == {"Total__c": 0.0, "Big__c": 0.0}
    lines = [small.insert("Line__c", Invoice__c=one, Amount__c=amount) for amount in (99.5, 150, 200)]
    assert small.one(totals.format(one)) == {"Total__c": 449.5, "Big__c": 2.0}
    small.clock.wait(minutes=1)
    small.update("Line__c", lines[1], Amount__c=1)
    assert small.one(totals.format(one)) == {"Total__c": 300.5, "Big__c": 1.0}
    touched, untouched = (
        small.one(f"SELECT SystemModstamp FROM Invoice__c WHERE Id = '{row_id}'") for row_id in (one, two)
    )
    assert touched["SystemModstamp"] > untouched["SystemModstamp"]
    small.delete(lines[2])
    assert small.one(totals.format(one)) == {"Total__c": 100.5, "Big__c": 0.0}
    small.undelete(lines[2])
    assert small.one(totals.format(one)) == {"Total__c": 300.5, "Big__c": 1.0}


def test_all_or_nrow_idkeeps_nothing_and_says_why(small):
    sent = [{"Name": "A"}, {}, {"Name": "C"}]
    saved = rows.insert(small.org, small.user_id, "Account", sent, all_or_none=True)
    assert [one.errors[0][0] for one in saved] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ]
    assert small.query("SELECT Id FROM Account") == []
    saved = rows.insert(small.org, small.user_id, "Account", sent)
    assert [one.success for one in saved] == [True, False, True]


def test_an_upsert_finds_its_row_by_external_id(small):
    row_id = small.insert("Invoice__c", Code__c="A", Rate__c=1)

    def upsert(*sent: dict[str, object]) -> list[rows.Saved]:
        return rows.upsert(small.org, small.user_id, "Invoice__c", "Code__c", sent)

    updated, created, empty = upsert({"Code__c": "a", "Rate__c": 2}, {"Code__c": "B"}, {"Rate__c": 3})
    assert (updated.id, updated.created) == (row_id, False)
    assert created.created and created.id != row_id
    assert empty.errors[0][0] == "MISSING_ARGUMENT"
    assert small.query("SELECT Code__c, Rate__c FROM Invoice__c ORDER BY Code__c") == [
        {"Code__c": "A", "Rate__c": 2.0},
        {"Code__c": "B", "Rate__c": None},
    ]


def test_audit_fields_may_be_given_only_where_the_setting_says_so(small):
    past = {"Name": "A", "CreatedDate": "2020-01-01T00:00:00Z"}
    assert small.refusal("Account", **past)[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    small.settings["audit_fields"] = True
    small.insert("Account", **past)
    row = small.one("SELECT CreatedDate, SystemModstamp FROM Account")
    assert row == {"CreatedDate": "2020-01-01T00:00:00.000+0000", "SystemModstamp": "2026-11-23T08:00:00.000+0000"}


def test_data_4_row_44_an_opportunity_follows_its_stage_and_its_products(small):
    deal = small.insert("Opportunity", Name="D", StageName="Qualification", CloseDate="2026-12-01", Amount=5)
    fields = "SELECT Amount, Probability, ForecastCategoryName, IsClosed, IsWon, ExpectedRevenue FROM Opportunity"
    row = small.one(fields)
    assert (row["Probability"], row["ForecastCategoryName"], row["IsClosed"], row["ExpectedRevenue"]) == (
        10,
        "Pipeline",
        False,
        0.5,
    )
    product = small.insert("Product2", Name="P", IsActive=True)
    book = small.insert("Pricebook2", Name="B")
    entry = small.insert("PricebookEntry", Pricebook2Id=book, Product2Id=product, UnitPrice=10, IsActive=True)
    small.insert(
        "OpportunityLineItem", OpportunityId=deal, PricebookEntryId=entry, Quantity=3, UnitPrice=10, Discount=50
    )
    assert small.one("SELECT Name, Product2.Name, TotalPrice FROM OpportunityLineItem") == {
        "Name": "D P",
        "Product2": {"Name": "P"},
        "TotalPrice": 15.0,
    }
    assert small.update("Opportunity", deal, Amount=99, StageName="Closed Won").success
    row = small.one(fields)
    assert (row["Amount"], row["Probability"], row["IsWon"]) == (15.0, 100.0, True)


def test_a_case_is_closed_by_its_status(small):
    case = small.insert("Case", Subject="S")
    assert small.one("SELECT CaseNumber, Status, IsClosed, ClosedDate FROM Case") == {
        "CaseNumber": "00000001",
        "Status": "New",
        "IsClosed": False,
        "ClosedDate": None,
    }
    small.update("Case", case, Status="Closed")
    assert small.one("SELECT IsClosed, ClosedDate FROM Case") == {
        "IsClosed": True,
        "ClosedDate": "2026-11-23T08:00:00.000+0000",
    }
    small.update("Case", case, Status="Working")
    assert small.one("SELECT IsClosed, ClosedDate FROM Case") == {"IsClosed": False, "ClosedDate": None}
