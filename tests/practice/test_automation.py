"""Validation rules and automation: what they refuse, what they write on other rows, and how they are switched."""

import pytest

from rehearse.practice import rows
from rehearse.practice.automation import (
    Action,
    AutomationRule,
    load_automation,
    put_automation,
    set_automation_active,
    set_validation_rules,
)


@pytest.fixture
def flow(small):
    """A flow on lines: names the line, marks the invoice, and plans a call when the amount is large."""
    rule = AutomationRule(
        "Line_Saved",
        "Line__c",
        (
            Action("set", (("Name", '"Line " & TEXT(Amount__c)'),)),
            Action("set_parent", (("Notes__c", '"last " & TEXT(Amount__c)'),), "Invoice__c"),
            Action("create", (("Subject", '"Check " & Invoice__r.Name'), ("WhatId", "Invoice__r.Account__c")), "Task"),
        ),
        when="Amount__c > 10",
    )
    put_automation(small.org, rule)
    return rule


def test_data_4_row_21_automation_writes_the_row_its_parent_and_a_new_row_with_real_stamps(small, flow):
    account = small.insert("Account", Name="Acme")
    invoice = small.insert("Invoice__c", Account__c=account)
    small.clock.wait(minutes=3)
    small.insert("Line__c", Invoice__c=invoice, Amount__c=5)
    assert small.one("SELECT Notes__c FROM Invoice__c") == {"Notes__c": None}
    small.clock.wait(minutes=3)
    line = small.insert("Line__c", Invoice__c=invoice, Amount__c=20)
    assert small.one(f"SELECT Name FROM Line__c WHERE Id = '{line}'") == {"Name": "Line 20"}
    row = small.one("SELECT Notes__c, LastModifiedDate, CreatedDate FROM Invoice__c")
    assert row["Notes__c"] == "last 20"
    assert row["LastModifiedDate"] == "2026-11-23T08:06:00.000+0000" > row["CreatedDate"]
    task = small.one("SELECT Subject, WhatId, CreatedDate, OwnerId FROM Task")
    assert (task["Subject"], task["WhatId"], task["OwnerId"]) == ("Check INV-0001", account, small.user_id)


def test_a_switched_off_rule_does_nothing_until_it_is_switched_on(small, flow):
    invoice = small.insert("Invoice__c")
    assert set_automation_active(small.org, "Line_Saved", False)
    line = small.insert("Line__c", Invoice__c=invoice, Amount__c=20)
    assert small.query("SELECT Id FROM Task") == []
    assert set_automation_active(small.org, "Line_Saved", True)
    small.update("Line__c", line, Amount__c=30)
    assert len(small.query("SELECT Id FROM Task")) == 1
    assert [(rule.name, rule.active) for rule in load_automation(small.org)] == [("Line_Saved", True)]
    assert not set_automation_active(small.org, "No_Such_Flow", True)


def test_a_caller_may_leave_automation_out(small, flow):
    invoice = small.insert("Invoice__c")
    rows.insert(small.org, small.user_id, "Line__c", [{"Invoice__c": invoice, "Amount__c": 99}], automation=False)
    assert small.query("SELECT Id FROM Task") == []
    assert small.one("SELECT Total__c FROM Invoice__c") == {"Total__c": 99.0}


def test_a_refusal_inside_automation_refuses_the_row(small, flow):
    invoice = small.insert("Invoice__c")
    set_validation_rules(small.org, "Task", [("Never", 'BEGINS(Subject, "Check")', "No checks", True)])
    assert small.refusal("Line__c", Invoice__c=invoice, Amount__c=20)[:2] == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "No checks",
    )
    assert small.query("SELECT Id FROM Line__c") == []
    assert small.one("SELECT Notes__c, Total__c FROM Invoice__c") == {"Notes__c": None, "Total__c": 0.0}


def test_rules_that_call_each_other_come_to_an_end(small):
    again = AutomationRule("Again", "Tag__c", (Action("create", (("Name", "Name"),), "Tag__c"),), ("insert",))
    put_automation(small.org, again)
    small.insert("Tag__c", Name="T")
    assert len(small.query("SELECT Id FROM Tag__c")) == 6


def test_a_rule_on_a_dropped_field_does_nothing(small, flow):
    invoice = small.insert("Invoice__c")
    small.org.put_object(small.org.object("Line__c").without_field("Amount__c"))
    small.insert("Line__c", Invoice__c=invoice)
    assert small.query("SELECT Id FROM Task") == []


def test_data_4_row_21_validation_rules_refuse_with_their_message_and_field(small):
    rules = [
        ("Positive", "Rate__c < 0", "The rate is negative", True),
        ("Asleep", "TRUE", "Never", False),
        (
            "Keeps_Code",
            "AND(NOT(ISNEW()), ISCHANGED(Code__c), NOT(ISBLANK(PRIORVALUE(Code__c))))",
            "The code stays",
            True,
        ),
    ]
    set_validation_rules(small.org, "Invoice__c", rules, {"Positive": "Rate__c"})
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert small.refusal("Invoice__c", Rate__c=-1) == (code, "The rate is negative", ("Rate__c",))
    row_id = small.insert("Invoice__c", Rate__c=1)
    assert small.update("Invoice__c", row_id, Code__c="A").success
    assert small.update("Invoice__c", row_id, Code__c="B").errors == ((code, "The code stays", ()),)
    assert small.one("SELECT Code__c FROM Invoice__c") == {"Code__c": "A"}
    set_validation_rules(small.org, "Invoice__c", [])
    assert small.update("Invoice__c", row_id, Code__c="B", Rate__c=-1).success


def test_a_custom_permission_lets_its_holders_by(small):
    rule = ("Blocked", "NOT($Permission.Bypass)", "Blocked", True)
    set_validation_rules(small.org, "Tag__c", [rule])
    assert small.refusal("Tag__c", Name="T")[1] == "Blocked"
    (granted,) = rows.load(small.org, "PermissionSet", [{"Name": "Bypass", "Label": "Bypass"}])
    rows.load(small.org, "PermissionSetAssignment", [{"PermissionSetId": granted, "AssigneeId": small.user_id}])
    with small.org.transaction() as db:
        db.execute("INSERT INTO custom_permission_grants VALUES (?, 'Bypass')", (granted,))
    small.insert("Tag__c", Name="T")


def test_a_rolled_back_rule_is_forgotten(small):
    with pytest.raises(RuntimeError), small.org.transaction():
        set_validation_rules(small.org, "Tag__c", [("No", "TRUE", "No", True)])
        assert small.refusal("Tag__c", Name="T")[1] == "No"
        raise RuntimeError
    small.insert("Tag__c", Name="T")
