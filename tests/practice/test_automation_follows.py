"""Automation follows metadata: what an active flow or a deployed trigger does to rows, and that it stops with them."""

from typing import Any

import pytest

from rehearse.practice import automation, components, deploy, deploy_remove, meta_automation, meta_flows, rows
from rehearse.practice.components import Author, Component
from rehearse.practice.deploy_model import DeployProblem, Item
from rehearse.practice.deploy_save import settle, write
from rehearse.practice.meta_xml import parse
from rehearse.practice.soql_run import run_query


@pytest.fixture
def org(seeded_estate):
    org = seeded_estate.sandbox("UATFULL")
    deploy.prepare(org)
    return org


@pytest.fixture
def author(org):
    row = org.db.execute('SELECT "Id" FROM "User" WHERE "IsActive" = 1 ORDER BY "Id"').fetchone()
    return Author(str(row[0]), org.stamp())


def remind(org: Any, author: Author) -> Any:
    """What RemindedAt__c of an invoice is when it has become overdue."""
    row = next(iter(run_query(org, "SELECT Id FROM Invoice__c WHERE Status__c = 'Sent' LIMIT 1").rows))
    for values in ({"RemindedAt__c": None}, {"Status__c": "Overdue"}):
        saved = rows.update(org, author.user_id, "Invoice__c", [{"Id": row["Id"], **values}])[0]
        assert saved.success, saved.errors
    found = run_query(org, f"SELECT RemindedAt__c FROM Invoice__c WHERE Id = '{row['Id']}'").rows
    return next(iter(found))["RemindedAt__c"]


def active(org: Any) -> set[str]:
    return {one.name for one in automation.load_automation(org) if one.active}


def test_the_active_version_of_a_flow_works_on_rows(org, author):
    assert "Invoice_Reminder" in active(org)
    assert remind(org, author) is not None
    meta_flows.set_active(org, "Invoice_Reminder", 0, author)
    meta_automation.follow_all(org)
    assert "Invoice_Reminder" not in active(org)
    assert remind(org, author) is None


def test_another_version_does_other_things(org, author):
    def rule():
        return next(one for one in automation.load_automation(org) if one.name == "Invoice_Reminder")

    before = rule()
    meta_flows.set_active(org, "Invoice_Reminder", 2, author)
    meta_automation.follow_all(org)
    assert rule().when != before.when and "Disputed__c" in (rule().when or "")
    meta_flows.set_active(org, "Invoice_Reminder", 1, author)
    meta_automation.follow_all(org)
    assert rule() == before


def test_a_trigger_works_only_while_it_is_deployed(org, author):
    assert "InvoiceTrigger" in active(org)
    kept = components.find(org, "ApexTrigger", "InvoiceTrigger")
    assert kept is not None
    deploy_remove.remove(org, Item("pre", "ApexTrigger", "InvoiceTrigger", "x"), author, frozenset())
    assert "InvoiceTrigger" not in active(org)
    again = Component("ApexTrigger", kept.name, kept.xml, path=kept.path, files=kept.files)
    write(org, again, author)
    settle(org, [again])
    assert "InvoiceTrigger" in active(org)


@pytest.mark.parametrize(
    "start, update",
    [
        ("<object>Case</object>", ""),
        ("<object>Case</object><triggerType>RecordAfterSave</triggerType>", "<object>Case</object>"),
    ],
    ids=["screen flow", "update of many rows"],
)
def test_what_a_rule_cannot_say_is_not_translated(org, start, update):
    flow = f'<Flow xmlns="http://soap.sforce.com/2006/04/metadata"><start>{start}</start><recordUpdates>{update}'
    with pytest.raises(meta_automation.NotTranslatable):
        meta_automation.build_rule(org, "X", parse(f"{flow}</recordUpdates></Flow>".encode()))


def test_metadata_4_1_a_class_with_a_waiting_job_is_not_touched(org, author):
    name = "LegacyPaymentExport"
    kept = components.find(org, "ApexClass", name)
    assert kept is not None
    with org.transaction() as db:
        values = (org.new_id("707"), kept.id)
        db.execute('INSERT INTO "AsyncApexJob" ("Id", "ApexClassId", "Status") VALUES (?, ?, \'Queued\')', values)
    with pytest.raises(DeployProblem, match="jobs pending or in progress"):
        deploy_remove.remove(org, Item("pre", "ApexClass", name, "x"), author, frozenset())
    with org.transaction() as db:
        db.execute('UPDATE "AsyncApexJob" SET "Status" = \'Completed\'')
    assert deploy_remove.remove(org, Item("pre", "ApexClass", name, "x"), author, frozenset()) == kept.id


def test_metadata_4_1_folders_and_profiles_in_use_stay(org, author):
    folder = components.names(org, "ReportFolder")[0]
    with pytest.raises(DeployProblem, match="not empty"):
        deploy_remove.remove(org, Item("pre", "Report", folder, "x"), author, frozenset())
    with pytest.raises(DeployProblem, match="cannot delete profile"):
        deploy_remove.remove(org, Item("pre", "Profile", "Admin", "x"), author, frozenset())
