"""What an org does beside the write that was asked for: duplicates, late roll-ups, masks, audit entries, Apex jobs."""

import io
import zipfile
from base64 import b64encode
from dataclasses import asdict
from datetime import timedelta

import pytest

from rehearse.practice import apex_jobs, deploy_jobs, rows
from rehearse.practice.deploy import org_admin
from rehearse.practice.deploy_model import Options
from rehearse.practice.rows_duplicates import duplicates_as
from rehearse.practice.rows_rollup import recalculate_due

DUPLICATE = "DUPLICATES_DETECTED"
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def codes(saved):
    return [one.errors[0][0] if one.errors else "" for one in saved]


def trail(small):
    return small.query("SELECT Action, Section, Display, CreatedById FROM SetupAuditTrail ORDER BY Id")


# ---- duplicate rules [data.md, REST headers and 4 row 22]


def test_a_second_row_with_a_value_is_a_duplicate(small):
    small.settings["duplicate_rules"] = ["Lead.Email alert"]
    row = {"LastName": "A", "Company": "C", "Email": "a@b.example"}
    saved = rows.insert(
        small.org, small.user_id, "Lead", [row, {**row, "Email": "A@B.example"}, {**row, "Email": None}]
    )
    assert codes(saved) == ["", DUPLICATE, ""]


def test_an_update_that_makes_a_duplicate_is_refused_and_one_of_the_row_itself_is_not(small):
    small.settings["duplicate_rules"] = ["Account.Name block"]
    first, second = small.insert("Account", Name="Quay"), small.insert("Account", Name="Mole")
    assert small.update("Account", first, Name="Quay").success
    assert codes([small.update("Account", second, Name="Quay")]) == [DUPLICATE]
    small.delete(first)
    assert small.update("Account", second, Name="Quay").success


def test_the_header_passes_alerts_and_not_blocks(small):
    small.settings["duplicate_rules"] = ["Account.Name block", "Lead.Email alert"]
    small.insert("Account", Name="Quay")
    lead = {"LastName": "A", "Company": "C", "Email": "a@b.example"}
    small.insert("Lead", **lead)
    with duplicates_as("allowSave=true; runAsCurrentUser=true"):
        assert rows.insert(small.org, small.user_id, "Lead", [lead])[0].success
        assert codes(rows.insert(small.org, small.user_id, "Account", [{"Name": "Quay"}])) == [DUPLICATE]
    assert codes(rows.insert(small.org, small.user_id, "Lead", [lead])) == [DUPLICATE]


def test_rest_has_the_header_and_bulk_has_not(shared_practice):
    shared_practice.estate.settings.put("duplicate_rules", ["Lead.Email alert"])
    body = {"LastName": "Twin", "Company": "C", "Email": "twin@b.example"}
    many = {"allOrNone": False, "records": [{"attributes": {"type": "Lead"}, **body}]}
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    try:
        assert shared_practice.ask("DEV1", "POST", "sobjects/Lead", json=body).status_code == 201
        refused = shared_practice.ask("DEV1", "POST", "sobjects/Lead", json=body)
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, DUPLICATE)
        (one,) = shared_practice.ask("DEV1", "POST", "composite/sobjects", json=many).json()
        assert one["errors"][0]["statusCode"] == DUPLICATE
        (one,) = shared_practice.ask("DEV1", "POST", "composite/sobjects", json=many, headers=allow).json()
        assert one["success"]
    finally:
        shared_practice.estate.settings.clear("duplicate_rules")


# ---- roll-ups that lag behind


@pytest.fixture
def lagging(small):
    small.settings["rollups_later_minutes"] = 10
    return small


def test_a_roll_up_follows_its_details_later(lagging):
    invoice = lagging.insert("Invoice__c")
    lagging.insert("Line__c", Invoice__c=invoice, Amount__c=40)
    total = f"SELECT Total__c, SystemModstamp FROM Invoice__c WHERE Id = '{invoice}'"
    before = lagging.one(total)
    recalculate_due(lagging.org)
    assert lagging.one(total) == before
    lagging.clock.wait(minutes=10)
    recalculate_due(lagging.org)
    after = lagging.one(total)
    assert (before["Total__c"] or 0, after["Total__c"]) == (0, 40)
    assert after["SystemModstamp"] > before["SystemModstamp"]


def test_what_waits_is_done_once(lagging):
    invoice = lagging.insert("Invoice__c")
    lagging.insert("Line__c", Invoice__c=invoice, Amount__c=40)
    lagging.clock.wait(minutes=11)
    recalculate_due(lagging.org)
    stamp = lagging.one("SELECT SystemModstamp FROM Invoice__c")
    lagging.clock.wait(minutes=11)
    recalculate_due(lagging.org)
    assert lagging.one("SELECT SystemModstamp FROM Invoice__c") == stamp


def test_a_refused_row_leaves_nothing_waiting(lagging):
    saved = rows.insert(lagging.org, lagging.user_id, "Line__c", [{"Amount__c": 1}], all_or_none=True)
    assert not saved[0].success
    assert lagging.org.db.execute("SELECT count(*) FROM late_summaries").fetchone() == (0,)


# ---- masks


def test_encrypted_text_is_read_as_asterisks_everywhere(shared_practice):
    soql = "SELECT Id, CardTail__c FROM Payment__c WHERE CardTail__c != null LIMIT 5"
    asked = [
        shared_practice.ask("UATFULL", "GET", "query", params={"q": soql.replace("WHERE CardTail__c != null ", "")}),
        shared_practice.ask("UATFULL", "GET", "query", params={"q": "SELECT CardTail__c FROM Payment__c"}),
    ]
    found = {row["CardTail__c"] for answer in asked for row in answer.json()["records"]}
    assert found == {None, "****"}
    (row_id,) = {row["Id"] for row in asked[0].json()["records"][:1]}
    shown = shared_practice.ask("UATFULL", "GET", f"sobjects/Payment__c/{row_id}").json()["CardTail__c"]
    assert shown in (None, "****")


def test_encrypted_text_is_kept_and_a_setting_shows_it(shared_practice):
    shared_practice.estate.settings.put("encrypted_masked", False)
    try:
        answer = shared_practice.ask("UATFULL", "GET", "query", params={"q": "SELECT CardTail__c FROM Payment__c"})
        assert any((row["CardTail__c"] or "").isdigit() for row in answer.json()["records"])
    finally:
        shared_practice.estate.settings.clear("encrypted_masked")


# ---- the audit trail of set-up rows


def test_set_up_rows_leave_a_trail_whoever_writes_them_and_data_rows_none(small):
    profile = small.org.new_id("00e")
    small.org.db.execute('INSERT INTO "Profile" ("Id", "Name") VALUES (?, ?)', (profile, "P"))
    group = small.insert("Group", Name="Board", DeveloperName="Board", Type="Regular")
    assert small.update("Group", group, Name="The board").success
    assert small.delete(group)[0].success
    small.insert("Account", Name="No set-up")
    assert [one["Action"] for one in trail(small)] == ["createdGroup", "changedGroup", "deletedGroup"]
    assert {one["CreatedById"] for one in trail(small)} == {small.user_id}
    assert trail(small)[1]["Display"] == f"Changed Group {group}: Name"


def test_a_refused_set_up_row_leaves_no_trail(small):
    assert not rows.update(small.org, small.user_id, "Group", [{"Id": "00G000000000001AAA", "Name": "x"}])[0].success
    assert trail(small) == []


# ---- asynchronous Apex [metadata.md 4.1]


@pytest.fixture
def coded(seeded_estate):
    seeded_estate.settings.put("finalizing_seconds", 0)
    return seeded_estate.production


def deploy_class(org, name, source):
    """What the deployment of a changed class says: its state and its problems."""
    manifest = f"<Package {XMLNS}><types><members>{name}</members><name>ApexClass</name></types>"
    meta = f"<ApexClass {XMLNS}><apiVersion>67.0</apiVersion><status>Active</status></ApexClass>"
    files = {"package.xml": f"{manifest}<version>67.0</version></Package>", f"classes/{name}.cls": source}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for path, content in {**files, f"classes/{name}.cls-meta.xml": meta}.items():
            archive.writestr(path, content)
    options = Options(rollback_on_error=True, single_package=True)
    job = deploy_jobs.meta_jobs.Job(
        "0Af", "deploy", "InProgress", deploy_request(org, options), held.getvalue(), {}, None
    )
    with org.transaction():
        done = deploy_jobs.run(org, job)
    return done.state, [one["problem"] for one in done.result["componentFailures"]]


def deploy_request(org, options):
    return {"options": asdict(options), "user_id": org_admin(org), "created": org.stamp()}


def test_a_class_with_a_schedule_cannot_be_changed_until_it_is_aborted(coded):
    source = "public class DunningLetter {}"
    state, problems = deploy_class(coded, "DunningLetter", source)
    assert (state, problems) == ("Failed", ["This schedulable class has jobs pending or in progress"])
    ((trigger,),) = coded.db.execute('SELECT "Id" FROM "CronTrigger"').fetchall()
    apex_jobs.end_apex(coded, trigger)
    assert deploy_class(coded, "DunningLetter", source) == ("Succeeded", [])
    assert coded.db.execute('SELECT "Status" FROM "AsyncApexJob"').fetchall() == [("Aborted",)]


def test_a_class_with_a_job_under_way_cannot_be_changed_until_it_ends(coded):
    source = "public class VisitPlanner {}"
    job = apex_jobs.start_apex(coded, org_admin(coded), "VisitPlanner")
    assert deploy_class(coded, "VisitPlanner", source)[0] == "Failed"
    apex_jobs.end_apex(coded, job)
    assert deploy_class(coded, "VisitPlanner", source)[0] == "Succeeded"
    with pytest.raises(ValueError, match="no class Nobody"):
        apex_jobs.start_apex(coded, "", "Nobody")


def test_a_schedule_moves_on_and_counts(coded, seeded_estate):
    seeded_estate.clock.move(timedelta(days=3, hours=1))
    apex_jobs.fire_due(coded)
    ((times, last, following),) = coded.db.execute(
        'SELECT "TimesTriggered", "PreviousFireTime", "NextFireTime" FROM "CronTrigger"'
    ).fetchall()
    assert (times, last, following) == (3, "2026-11-26T02:00:00.000Z", "2026-11-27T02:00:00.000Z")


def test_schedules_do_not_arrive_in_the_seeds_copies(seeded_estate):
    counts = {org.db.execute('SELECT count(*) FROM "CronTrigger"').fetchone()[0] for org in seeded_estate.orgs()[1:]}
    assert counts == {0}


@pytest.mark.parametrize("stopped", [True, False])
def test_a_copy_takes_schedules_with_their_jobs_or_neither(company, stopped):
    company.estate.settings.put("copy_stops_schedules", stopped)
    production = company.estate.production
    for kind in ("ScheduledApex", "BatchApex"):
        with production.transaction() as db:
            db.execute('INSERT INTO "AsyncApexJob" ("Id", "JobType") VALUES (?, ?)', (production.new_id("707"), kind))
    company.ready()
    sandbox = company.estate.sandbox("UAT")
    kinds = [row[0] for row in sandbox.db.execute('SELECT "JobType" FROM "AsyncApexJob"')]
    assert kinds == ([] if stopped else ["ScheduledApex"])


# ---- files: the body of an attachment over REST [data.md 4 row 30]


def test_an_attachment_has_a_body_with_an_address_of_its_own(shared_practice):
    ask = shared_practice.ask
    found = ask("DEV1", "POST", "sobjects/Account", json={"Name": "With a file"}).json()
    body = bytes(range(256)) * 40
    sent = {"ParentId": found["id"], "Name": "drawing.bin", "Body": b64encode(body).decode()}
    file_id = ask("DEV1", "POST", "sobjects/Attachment", json=sent).json()["id"]
    row = ask("DEV1", "GET", f"sobjects/Attachment/{file_id}").json()
    assert (row["BodyLength"], row["Body"]) == (10_240, f"/services/data/v67.0/sobjects/Attachment/{file_id}/Body")
    answer = ask("DEV1", "GET", row["Body"])
    assert (answer.content, answer.headers["content-type"]) == (body, "application/octet-stream")
    soql = f"SELECT Id, (SELECT Body FROM Attachments) FROM Account WHERE Id = '{found['id']}'"
    (account,) = ask("DEV1", "GET", "query", params={"q": soql}).json()["records"]
    assert account["Attachments"]["records"][0]["Body"] == row["Body"]
    assert ask("DEV1", "PATCH", f"sobjects/Attachment/{file_id}", json={"Body": "QUI="}).status_code == 204
    assert ask("DEV1", "GET", row["Body"]).content == b"AB"
    assert ask("DEV1", "DELETE", f"sobjects/Account/{found['id']}").status_code == 204
    assert ask("DEV1", "GET", row["Body"]).status_code == 404


def test_attachments_are_refused_by_bulk_and_bad_bodies_by_all(shared_practice):
    job = {"operation": "query", "query": "SELECT Id FROM Attachment"}
    refused = shared_practice.ask("DEV1", "POST", "jobs/query", json=job)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALIDENTITY")
    parent = shared_practice.ask("DEV1", "POST", "sobjects/Account", json={"Name": "With no file"}).json()["id"]
    sent = {"ParentId": parent, "Name": "x", "Body": "%%%"}
    answer = shared_practice.ask("DEV1", "POST", "sobjects/Attachment", json=sent)
    assert (answer.status_code, answer.json()[0]["fields"]) == (400, ["Body"])


def test_endpoints_arrive_in_a_copy_as_production_has_them(seeded_estate):
    endpoints = "SELECT name, xml FROM meta_component WHERE type = 'RemoteSiteSetting' ORDER BY name"
    production, *sandboxes = (org.db.execute(endpoints).fetchall() for org in seeded_estate.orgs())
    assert any(b"https://ledger.tidewater.example" in xml for _, xml in production)
    assert sandboxes == [production] * 5


def test_an_assignment_rule_takes_new_leads_unless_the_header_says_no(shared_practice):
    shared_practice.estate.settings.put("assignment_rules", ["Lead New_Leads"])
    org = shared_practice.estate.org(shared_practice.orgs["DEV1"].org_id)
    (me,) = org.db.execute('SELECT "Id" FROM "User" WHERE "IsActive" = 1 ORDER BY "Id" LIMIT 1').fetchone()

    def owner(**headers):
        sent = {"LastName": "In", "Company": "C", "OwnerId": me}
        made = shared_practice.ask("DEV1", "POST", "sobjects/Lead", json=sent, headers=headers).json()["id"]
        return shared_practice.ask("DEV1", "GET", f"sobjects/Lead/{made}").json()["OwnerId"]

    try:
        assert owner()[:3] == "00G"
        assert owner(**{"Sforce-Auto-Assign": "FALSE"}) == me
    finally:
        shared_practice.estate.settings.clear("assignment_rules")


# ---- who may log in


def test_each_user_has_a_row_that_freezes_him_and_that_no_call_locks(small):
    """Object reference, UserLogin."""
    profile = small.org.new_id("00e")
    small.org.db.execute('INSERT INTO "Profile" ("Id", "Name") VALUES (?, ?)', (profile, "P"))
    named = {
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_IE",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }
    new = small.insert("User", Username="n@x.example", LastName="N", Alias="n", Email="n@x.example",
                       ProfileId=profile, **named)  # fmt: skip
    (row,) = small.query(f"SELECT Id, IsFrozen FROM UserLogin WHERE UserId = '{new}'")
    assert row["IsFrozen"] is False
    assert small.update("UserLogin", row["Id"], IsFrozen=True).success
    assert small.one("SELECT UserId FROM UserLogin WHERE IsFrozen = true") == {"UserId": new}
    assert small.update("UserLogin", row["Id"], IsPasswordLocked=True).errors[0][0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert small.refusal("UserLogin", IsFrozen=True)[0] == "INVALID_TYPE_FOR_OPERATION"
