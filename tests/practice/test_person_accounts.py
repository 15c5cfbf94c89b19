"""Person accounts, where the setting brought them [data.md 4 row 28]."""

import pytest

from rehearse.practice.features import follow_features

BAD = "INVALID_FIELD_FOR_INSERT_UPDATE"


@pytest.fixture
def persons(small):
    small.settings["person_accounts"] = True
    small.firm = small.insert("Account", Name="A firm")
    follow_features(small.org)
    follow_features(small.org)  # twice is once
    small.kind = small.one("SELECT Id FROM RecordType WHERE IsPersonType = true")["Id"]
    return small


def person(small, **values):
    row = small.insert("Account", **{"LastName": "Ní Bhriain", "FirstName": "Áine", **values})
    return row, small.one(f"SELECT PersonContactId FROM Account WHERE Id = '{row}'")["PersonContactId"]


def test_off_by_default(small):
    follow_features(small.org)
    assert small.refusal("Account", LastName="X")[0] == "INVALID_FIELD"


def test_data_4_row_28_a_person_is_one_account_and_one_contact(persons):
    row, contact = person(persons, PersonEmail="a@b.example", PersonMailingCity="Cork")
    kept = persons.one(
        f"SELECT Name, IsPersonAccount, RecordTypeId, PersonContact.Email FROM Account WHERE Id = '{row}'"
    )
    assert (kept["Name"], kept["IsPersonAccount"], kept["RecordTypeId"]) == ("Áine Ní Bhriain", True, persons.kind)
    assert kept["PersonContact"] == {"Email": "a@b.example"}
    mirrored = persons.one(f"SELECT Name, AccountId, IsPersonAccount, MailingCity FROM Contact WHERE Id = '{contact}'")
    assert mirrored == {"Name": "Áine Ní Bhriain", "AccountId": row, "IsPersonAccount": True, "MailingCity": "Cork"}
    assert persons.update("Account", row, LastName="Walsh", PersonEmail=None).success
    assert persons.one(f"SELECT Name, Email FROM Contact WHERE Id = '{contact}'") == {
        "Name": "Áine Walsh",
        "Email": None,
    }
    assert persons.one(f"SELECT Name FROM Account WHERE Id = '{row}'")["Name"] == "Áine Walsh"


def test_data_4_row_28_what_does_not_belong_to_the_kind_is_refused(persons):
    row, contact = person(persons)
    assert persons.refusal("Account", LastName="X", Name="Y")[0] == BAD
    assert persons.refusal("Account", RecordTypeId=persons.kind, FirstName="Only")[0] == "REQUIRED_FIELD_MISSING"
    assert persons.update("Account", row, Name="By hand").errors[0][0] == BAD
    assert persons.update("Account", persons.firm, PersonEmail="a@b.example").errors[0][0] == BAD
    assert persons.update("Contact", contact, Email="a@b.example").errors[0][0] == BAD
    assert persons.refusal("Contact", LastName="Second", AccountId=row)[0] == "FIELD_INTEGRITY_EXCEPTION"
    (saved,) = persons.delete(contact)
    assert saved.errors[0][0] == "DELETE_FAILED"


def test_data_4_row_28_both_go_and_come_back_together(persons):
    row, contact = person(persons)
    assert persons.delete(row)[0].success
    assert persons.query(f"SELECT Id FROM Contact WHERE Id = '{contact}'") == []
    assert persons.undelete(row)[0].success
    assert persons.one(f"SELECT PersonContactId FROM Account WHERE Id = '{row}'")["PersonContactId"] == contact
    assert persons.one(f"SELECT IsPersonAccount FROM Contact WHERE Id = '{contact}'") == {"IsPersonAccount": True}


def test_data_4_row_28_the_kind_changes_in_an_update_of_its_own(persons):
    contact = persons.insert("Contact", LastName="Becker", AccountId=persons.firm)
    refused = persons.update("Account", persons.firm, RecordTypeId=persons.kind, Phone="1")
    assert refused.errors[0][0] == BAD
    assert persons.update("Account", persons.firm, RecordTypeId=persons.kind).success
    asked = f"SELECT Name, IsPersonAccount, PersonContactId FROM Account WHERE Id = '{persons.firm}'"
    assert persons.one(asked) == {"Name": "Becker", "IsPersonAccount": True, "PersonContactId": contact}
    alone = persons.insert("Account", Name="No contact")
    assert persons.update("Account", alone, RecordTypeId=persons.kind).errors[0][0] == BAD
    assert persons.update("Account", persons.firm, RecordTypeId=None).success
    assert persons.one(asked) == {"Name": "Becker", "IsPersonAccount": False, "PersonContactId": None}
    assert persons.delete(contact)[0].success
