"""Delete, undelete, hard delete: cascades with the same ids, cleared look-ups, and what leaves the recycle bin."""

import pytest

GONE = ("UNDELETE_FAILED", "Entity is not in the recycle bin", ())


def ok(results):
    assert [one.errors for one in results] == [()] * len(results)


def refused(results):
    (one,) = results
    assert not one.success
    return one.errors[0]


def test_a_deleted_row_shows_only_in_queryall_and_comes_back_as_it_was(small):
    row_id = small.insert("Invoice__c", Code__c="A", Rate__c=2.5)
    before = small.one("SELECT Id, Name, Code__c, Rate__c, CreatedDate FROM Invoice__c")
    small.clock.wait(minutes=1)
    ok(small.delete(row_id))
    assert small.query("SELECT Id FROM Invoice__c") == []
    row = small.one("SELECT Id, IsDeleted, SystemModstamp FROM Invoice__c WHERE IsDeleted = true", deleted=True)
    assert row == {"Id": row_id, "IsDeleted": True, "SystemModstamp": "2026-11-23T08:01:00.000+0000"}
    ok(small.undelete(row_id[:15]))
    assert small.one("SELECT Id, Name, Code__c, Rate__c, CreatedDate FROM Invoice__c") == before


def test_deleting_twice_deleting_nothing_and_deleting_the_undeletable(small):
    row_id = small.insert("Account", Name="A")
    ok(small.delete(row_id))
    assert refused(small.delete(row_id)) == ("ENTITY_IS_DELETED", "entity is deleted", ())
    assert refused(small.delete("001000000000001")) == ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
    assert refused(small.delete("zzz"))[0] == "MALFORMED_ID"
    assert refused(small.delete(small.user_id)) == (
        "INVALID_TYPE_FOR_OPERATION",
        "entity type User does not support delete",
        (),
    )
    assert refused(small.undelete(small.insert("Account", Name="B"))) == GONE


def test_data_4_rows_3_to_10_details_go_and_come_back_with_their_master_under_the_same_ids(small):
    invoice = small.insert("Invoice__c")
    lines = [small.insert("Line__c", Invoice__c=invoice, Amount__c=amount) for amount in (1, 2)]
    ok(small.delete(invoice))
    assert small.query("SELECT Id FROM Line__c") == []
    assert refused(small.undelete(lines[0]))[0] == "ENTITY_IS_DELETED"
    ok(small.undelete(invoice))
    assert [row["Id"] for row in small.query("SELECT Id FROM Line__c ORDER BY Id")] == lines
    assert small.one("SELECT Total__c FROM Invoice__c") == {"Total__c": 3.0}


def test_data_4_rows_3_to_10_a_detail_deleted_before_its_master_is_gone_for_good(small):
    invoice = small.insert("Invoice__c")
    early, late = (small.insert("Line__c", Invoice__c=invoice, Amount__c=amount) for amount in (1, 2))
    ok(small.delete(early))
    ok(small.delete(invoice))
    ok(small.undelete(invoice))
    assert [row["Id"] for row in small.query("SELECT Id FROM Line__c")] == [late]
    assert refused(small.undelete(early)) == GONE


def test_a_detail_deleted_alone_comes_back_alone(small):
    invoice = small.insert("Invoice__c")
    line = small.insert("Line__c", Invoice__c=invoice, Amount__c=1)
    ok(small.delete(line))
    assert small.one("SELECT Total__c FROM Invoice__c") == {"Total__c": 0.0}
    ok(small.undelete(line))
    assert small.one("SELECT Total__c FROM Invoice__c") == {"Total__c": 1.0}


def test_data_4_rows_3_to_10_an_optional_lookup_is_cleared_and_restored_unless_replaced(small):
    kept, other = small.insert("Invoice__c"), small.insert("Invoice__c")
    free, replaced = small.insert("Tag__c", Free__c=kept), small.insert("Tag__c", Free__c=kept)
    small.clock.wait(minutes=1)
    ok(small.delete(kept))
    assert [row["Free__c"] for row in small.query("SELECT Free__c FROM Tag__c")] == [None, None]
    small.update("Tag__c", replaced, Free__c=other)
    ok(small.undelete(kept))
    links = {row["Id"]: row["Free__c"] for row in small.query("SELECT Id, Free__c FROM Tag__c")}
    assert links == {free: kept, replaced: other}


@pytest.mark.parametrize("moves", [False, True])
def test_data_3_whether_clearing_moves_the_stamp_is_a_setting(small, moves):
    small.settings["lookup_clear_stamps"] = moves
    invoice = small.insert("Invoice__c")
    small.insert("Tag__c", Free__c=invoice)
    small.clock.wait(minutes=1)
    ok(small.delete(invoice))
    row = small.one("SELECT SystemModstamp, LastModifiedDate FROM Tag__c")
    assert (row["SystemModstamp"] != row["LastModifiedDate"]) is moves


def test_data_4_rows_3_to_10_a_restricting_lookup_refuses_and_a_cascading_one_goes_along(small):
    invoice = small.insert("Invoice__c")
    bound = small.insert("Tag__c", Bound__c=invoice)
    along = small.insert("Tag__c", Along__c=invoice)
    code, message, _ = refused(small.delete(invoice))
    assert code == "DELETE_FAILED"
    assert message.startswith("Your attempt to delete Invoice could not be completed because it is associated with")
    assert bound in message and len(small.query("SELECT Id FROM Tag__c")) == 2
    ok(small.delete(bound))
    ok(small.delete(invoice))
    assert small.query("SELECT Id FROM Tag__c") == []
    ok(small.undelete(invoice))
    assert [row["Id"] for row in small.query("SELECT Id FROM Tag__c")] == [along]


def test_data_4_rows_3_to_10_a_lookup_to_itself_always_clears(small):
    first = small.insert("Tag__c", Name="first")
    second = small.insert("Tag__c", Name="second", Next__c=first)
    parent = small.insert("Account", Name="P")
    small.insert("Account", Name="C", ParentId=parent)
    ok(small.delete(first, parent))
    assert small.one("SELECT Next__c FROM Tag__c") == {"Next__c": None}
    assert small.one("SELECT ParentId FROM Account") == {"ParentId": None}
    ok(small.undelete(first, parent))
    assert small.one(f"SELECT Next__r.Name FROM Tag__c WHERE Id = '{second}'") == {"Next__r": {"Name": "first"}}
    assert small.one("SELECT Parent.Name FROM Account WHERE Name = 'C'") == {"Parent": {"Name": "P"}}


def test_data_4_row_36_a_junction_needs_both_masters_alive(small):
    invoice, project = small.insert("Invoice__c"), small.insert("Project__c", Name="P")
    join = small.insert("Join__c", Invoice__c=invoice, Project__c=project)
    ok(small.delete(invoice))
    ok(small.delete(project))
    ok(small.undelete(invoice))
    assert small.query("SELECT Id FROM Join__c") == []
    assert refused(small.undelete(join))[0] == "ENTITY_IS_DELETED"
    ok(small.undelete(project))
    assert small.one("SELECT Id FROM Join__c") == {"Id": join}


def test_data_4_row_11_an_account_takes_contacts_deals_and_tasks_but_not_with_cases(small):
    account = small.insert("Account", Name="A")
    contact = small.insert("Contact", LastName="B", AccountId=account)
    deal = small.insert("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-12-01", AccountId=account)
    small.insert("OpportunityContactRole", OpportunityId=deal, ContactId=contact, Role="Evaluator")
    small.insert("Task", Subject="T", WhatId=account, WhoId=contact)
    case = small.insert("Case", AccountId=account)
    assert refused(small.delete(account))[0] == "DELETE_FAILED"
    ok(small.delete(case))
    ok(small.delete(account))
    counts = ("Contact", "Opportunity", "OpportunityContactRole", "Task")
    assert [len(small.query(f"SELECT Id FROM {name}")) for name in counts] == [0, 0, 0, 0]
    ok(small.undelete(account))
    assert [len(small.query(f"SELECT Id FROM {name}")) for name in counts] == [1, 1, 1, 1]
    assert small.one("SELECT Account.Name, ReportsToId FROM Contact")["Account"] == {"Name": "A"}


def test_data_4_rows_3_to_10_what_undeletes_only_with_its_parent_does_not_come_back_alone(small):
    deal = small.insert("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-12-01")
    contact = small.insert("Contact", LastName="B")
    role = small.insert("OpportunityContactRole", OpportunityId=deal, ContactId=contact)
    ok(small.delete(role))
    assert refused(small.undelete(role)) == GONE


def test_data_2_5_a_hard_deleted_row_is_a_ghost_for_a_day(small):
    row_id = small.insert("Account", Name="A")
    small.insert("Contact", LastName="B", AccountId=row_id)
    ok(small.delete(row_id, hard=True))
    assert refused(small.undelete(row_id)) == GONE
    assert len(small.query("SELECT Id FROM Account", deleted=True)) == 1
    small.clock.wait(hours=25)
    assert small.query("SELECT Id FROM Account", deleted=True) == []
    assert small.query("SELECT Id FROM Contact", deleted=True) == []
    assert refused(small.undelete(row_id)) == GONE


def test_data_2_5_the_bin_is_emptied_after_fifteen_days(small):
    row_id = small.insert("Account", Name="A")
    ok(small.delete(row_id))
    small.clock.wait(days=14, hours=23)
    assert len(small.query("SELECT Id FROM Account", deleted=True)) == 1
    small.clock.wait(hours=2)
    assert small.query("SELECT Id FROM Account", deleted=True) == []
    assert refused(small.undelete(row_id)) == GONE


def test_one_of_several_that_fails_does_not_stop_the_others(small):
    first, second = small.insert("Account", Name="A"), small.insert("Account", Name="B")
    results = small.delete(first, "001000000000001AAA", second)
    assert [one.success for one in results] == [True, False, True]
    assert small.query("SELECT Id FROM Account") == []


def test_a_row_taken_out_of_the_bin_is_gone_with_what_went_with_it(small):
    from rehearse.practice.recycle_bin import empty_bin

    invoice = small.insert("Invoice__c")
    line = small.insert("Line__c", Invoice__c=invoice)
    ok(small.delete(invoice))
    assert empty_bin(small.org, invoice[:15])
    assert not empty_bin(small.org, invoice)
    assert refused(small.undelete(invoice)) == refused(small.undelete(line)) == GONE


def test_the_lookups_of_a_binned_row_follow_their_target(small):
    invoice = small.insert("Invoice__c")
    tag = small.insert("Tag__c", Free__c=invoice)
    ok(small.delete(tag))
    ok(small.delete(invoice))
    ok(small.undelete(tag))
    assert small.one("SELECT Free__c FROM Tag__c") == {"Free__c": None}
    ok(small.undelete(invoice))
    assert small.one("SELECT Free__c FROM Tag__c") == {"Free__c": invoice}
