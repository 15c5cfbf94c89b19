"""An org's file: transactions, ids, definitions that follow the tables, copies."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse.practice import rows
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_ids import BASE62, restore_case, to_18
from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_rollup import settle
from rehearse.practice.schema import FieldDef, RollUp, build_object, object_as_json
from rehearse.practice.schema_standard import STANDARD_OBJECTS


def test_data_5_1_ids_get_salesforces_suffix():
    # Two ids of real orgs, from recorded answers.
    assert to_18("0017e00001W4GYR") == "0017e00001W4GYRAA3"
    assert to_18("012000000000000") == "012000000000000AAA"


@given(st.text(alphabet=BASE62, min_size=15, max_size=15))
def test_the_suffix_gives_case_back(id15):
    full = to_18(id15)
    assert restore_case(id15) == restore_case(full) == restore_case(full.lower()) == restore_case(full.upper()) == full


def test_new_ids_are_the_same_in_every_run_and_differ_between_orgs(small, tmp_path):
    small.org.save_copy(tmp_path / "twin.db")
    small.org.save_copy(tmp_path / "other.db")
    twin, other = OrgState(tmp_path / "twin.db", small.clock), OrgState(tmp_path / "other.db", small.clock)
    other.become("00DPr0000000002")
    made = small.org.new_ids("001", 3)
    assert made == twin.new_ids("001", 3)
    assert not set(made) & set(other.new_ids("001", 3))
    assert other.org_id.startswith("00DPr0000000002") and len(other.org_id) == 18
    twin.close()
    other.close()


def test_a_failed_transaction_leaves_nothing_not_even_a_definition(small):
    account = small.org.object("Account")
    with pytest.raises(RuntimeError), small.org.transaction():
        small.insert("Account", Name="Gone")
        small.org.put_object(account.with_field(FieldDef("New__c", "New", length=10, custom=True)))
        assert small.org.object("Account").find("New__c") is not None
        raise RuntimeError
    assert small.org.object("Account").find("New__c") is None
    assert small.query("SELECT Id FROM Account") == []
    small.insert("Account", Name="Here")


def test_what_could_not_be_committed_is_undone_and_the_next_write_is_kept(small):
    org = small.org
    org.db.executescript(
        "PRAGMA foreign_keys = ON; CREATE TABLE above (id PRIMARY KEY);"
        "CREATE TABLE below (id REFERENCES above DEFERRABLE INITIALLY DEFERRED);"
    )
    with pytest.raises(sqlite3.IntegrityError), org.transaction() as db:  # the commit is what fails
        db.execute("INSERT INTO below VALUES (1)")
    with org.transaction() as db:
        db.execute("INSERT INTO above VALUES (2)")
    assert not org.db.in_transaction
    with pytest.raises(sqlite3.OperationalError, match="full"), org.transaction(), org.transaction() as db:
        db.execute("ROLLBACK")  # as SQLite does itself when a disk is full
        raise sqlite3.OperationalError("database or disk is full")
    with org.transaction() as db:
        db.execute("INSERT INTO above VALUES (3)")
    with closing(sqlite3.connect(org.path)) as other:
        assert other.execute("SELECT id FROM above").fetchall() == [(2,), (3,)]


def test_an_inner_transaction_fails_alone(small):
    with small.org.transaction():
        small.insert("Account", Name="Kept")
        with pytest.raises(RuntimeError), small.org.transaction():
            small.insert("Account", Name="Gone")
            raise RuntimeError
    assert small.query("SELECT Name FROM Account") == [{"Name": "Kept"}]


def test_a_dropped_field_loses_its_values_and_the_others_keep_theirs(small):
    row_id = small.insert("Invoice__c", Code__c="A1", Rate__c=2)
    definition = small.org.object("Invoice__c")
    small.org.put_object(definition.without_field("Code__c"))
    assert small.one("SELECT Id, Rate__c FROM Invoice__c") == {"Id": row_id, "Rate__c": 2.0}
    small.org.put_object(definition)
    assert small.one("SELECT Code__c, Rate__c FROM Invoice__c") == {"Code__c": None, "Rate__c": 2.0}


def test_a_new_checkbox_starts_at_its_default_on_rows_that_are_there(small):
    small.insert("Account", Name="Old")
    account = small.org.object("Account")
    yes = FieldDef("Yes__c", "Yes", "boolean", required=True, default=True, custom=True)
    small.org.put_object(account.with_field(yes).with_field(FieldDef("No__c", "No", "boolean", custom=True)))
    assert small.one("SELECT Yes__c, No__c FROM Account") == {"Yes__c": True, "No__c": False}


def test_a_field_that_changes_its_type_keeps_what_fits(small):
    small.insert("Invoice__c", Code__c="12")
    definition = small.org.object("Invoice__c")
    small.org.put_object(definition.with_field(FieldDef("Code__c", "Code", "double", precision=5, custom=True)))
    assert small.one("SELECT Code__c FROM Invoice__c") == {"Code__c": 12.0}


def test_a_dropped_object_is_gone_with_its_rows(small):
    small.insert("Project__c", Name="P")
    small.org.drop_object("project__C")
    with pytest.raises(ApiError) as refusal:
        small.query("SELECT Id FROM Project__c")
    assert refusal.value.code == "INVALID_TYPE"
    assert "Project__c" not in small.org.objects()


def test_definitions_survive_json_and_reopening(small, tmp_path):
    assert [build_object(object_as_json(one)) for one in STANDARD_OBJECTS] == list(STANDARD_OBJECTS)
    small.org.save_copy(tmp_path / "copy.db")
    copy = OrgState(tmp_path / "copy.db", small.clock)
    assert copy.objects() == small.org.objects()
    copy.close()


def test_a_second_reader_sees_one_moment_while_others_write(small):
    rows.load(small.org, "Account", [{"Name": f"A{number}"} for number in range(1500)])
    reader = small.org.open_reader()
    cursor = reader.execute('SELECT "Name" FROM "Account"')
    first = cursor.fetchone()
    small.insert("Account", Name="Later")
    assert first == ("A0",) and len(cursor.fetchall()) == 1499
    with pytest.raises(sqlite3.OperationalError):
        reader.execute('DELETE FROM "Account"')
    reader.close()


def test_data_3_a_new_roll_up_is_computed_on_the_rows_that_are_there(small):
    invoice = small.insert("Invoice__c")
    small.insert("Line__c", Invoice__c=invoice, Amount__c=7)
    small.clock.wait(minutes=1)
    most = FieldDef("Most__c", "Most", "double", 0, 9, 2, summary=RollUp("Line__c", "Invoice__c", "MAX", "Amount__c"))
    small.org.put_object(small.org.object("Invoice__c").with_field(most))
    settle(small.org, ["Invoice__c"], stamped=True)
    assert small.one("SELECT Most__c FROM Invoice__c") == {"Most__c": 7.0}
    row = small.one("SELECT SystemModstamp, LastModifiedDate FROM Invoice__c")
    assert row["SystemModstamp"] > row["LastModifiedDate"]


def test_loading_refuses_a_name_that_is_no_field(small):
    with pytest.raises(ValueError, match="Nmae"):
        rows.load(small.org, "Account", [{"Nmae": "x"}])
