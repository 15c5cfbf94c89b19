"""The checklist of data.md 5.1, row by row: what a client of rows has to bear with, on the wire.

Each row's test goes through the cases that no other test of this folder shows; the details are held by their own.
"""

import csv
import io
from datetime import timedelta

import pytest
import requests

from rehearse.practice.faults import place


@pytest.fixture(autouse=True)
def _calm(calm_practice):
    """Every test leaves the world without faults and with its usual settings."""


def fault(practice, deed, kind, **more):
    practice.faults.put(place(deed, kind, nth=1, **more))


def table(answer):
    return list(csv.reader(io.StringIO(answer.content.decode(), newline="")))


def test_data_5_1_job_states_a_job_that_never_ends_and_failures_with_and_without_a_word(rest, calm_practice):
    calm_practice.estate.settings.put("bulk_delay_seconds", 10)
    asked = {"operation": "query", "query": "SELECT Id FROM Case"}
    born = rest("POST", "jobs/query", asked).json()
    assert born["state"] == "UploadComplete"
    assert rest.error("GET", f"jobs/query/{born['id']}/results")[:2] == (400, "INVALIDJOBSTATE")
    aborted = rest("PATCH", f"jobs/query/{born['id']}", {"state": "Aborted"})
    assert aborted.json()["state"] == "Aborted"
    assert rest("GET", f"jobs/query/{born['id']}").json()["state"] == "Aborted", "an abort wins over a waiting job"
    calm_practice.estate.settings.put("bulk_delay_seconds", 0)
    for deed, key in (("fail", True), ("fail-silently", False)):
        fault(calm_practice, deed, "query-job")
        ended = rest.query_job("SELECT Id FROM Case")
        assert (ended["state"], "errorMessage" in ended) == ("Failed", key)
    fault(calm_practice, "never-end", "query-job")
    stuck = rest("POST", "jobs/query", asked).json()["id"]
    assert rest.query_job("SELECT Id FROM Case")["state"] == "JobComplete"
    assert rest("GET", f"jobs/query/{stuck}").json()["state"] == "InProgress"
    assert rest("PATCH", f"jobs/query/{stuck}", {"state": "Aborted"}).json()["state"] == "Aborted"


def test_data_5_1_locators_are_opaque_pages_may_be_smaller_than_asked_and_five_are_listed(rest, calm_practice):
    job = rest.query_job("SELECT Id, Name FROM Account")
    path = f"jobs/query/{job['id']}/results"
    calm_practice.estate.settings.put("bulk_page_bytes", 2_000)
    ids, locator, pages = [], "", 0
    while locator != "null":
        page = rest("GET", path, params={"maxRecords": 100_000, **({"locator": locator} if locator else {})})
        rows = table(page)[1:]
        assert int(page.headers["Sforce-NumberOfRecords"]) == len(rows) < 100
        ids += [row[0] for row in rows]
        locator, pages = page.headers["Sforce-Locator"], pages + 1
    assert len(ids) == len(set(ids)) == job["numberRecordsProcessed"] and pages > 5
    listed = rest("GET", f"jobs/query/{job['id']}/resultPages", params={"maxRecords": 10}).json()
    assert len(listed["resultPages"]) == 5 and listed["done"] is False and "locator=" in listed["nextRecordsUrl"]


def test_data_5_1_rows_are_shuffled_columns_are_not_and_text_may_be_anything(rest, calm_practice):
    hard = ['"quoted", comma', "two\r\nlines", "one\nline", "\u2028 \u2029 \u0085", "#N/A", "null", "NA", " spaced "]
    for number, text in enumerate(hard):
        rest.create("Lead", LastName=f"Hard {number}", Company="Hard text", Description=text)
    calm_practice.estate.settings.put("bulk_nul_bytes", True)
    soql = "SELECT LastName, Id, Description FROM Lead WHERE Company = 'Hard text'"
    found = table(rest("GET", f"jobs/query/{rest.query_job(soql)['id']}/results"))
    assert found[0] == ["LastName", "Id", "Description"]
    assert any(row[2].endswith("\0") for row in found[1:])
    by_name = {row[0]: row[2].rstrip("\0") for row in found[1:]}
    assert [by_name[f"Hard {number}"].strip() for number in range(len(hard))] == [text.strip() for text in hard]
    orders = {tuple(row[0] for row in found)}
    orders |= {tuple(row[0] for row in table(rest("GET", f"jobs/query/{rest.query_job(soql)['id']}/results")))}
    assert len(orders) == 2 or len(found) < 4


@pytest.mark.parametrize(
    ("deed", "status", "html"),
    [("401", 401, False), ("403-limit", 403, False), ("406", 406, False), ("420-html", 420, True), ("429", 429, False),
     ("500", 500, False), ("502-html", 502, True), ("503-html", 503, True)],
)  # fmt: skip
def test_data_5_1_and_sandbox_5_refusals_that_come_from_nowhere(rest, calm_practice, deed, status, html):
    job = rest("POST", "jobs/query", {"operation": "query", "query": "SELECT Id FROM Case"}).json()["id"]
    fault(calm_practice, deed, "any", match=f"jobs/query/{job}")
    answer = rest("GET", f"jobs/query/{job}")
    assert answer.status_code == status
    assert ("html" in answer.headers["Content-Type"]) is html
    assert html or answer.json()[0].keys() == {"message", "errorCode"}
    assert rest("GET", f"jobs/query/{job}").status_code == 200, "and the next call is answered"


def test_data_5_1_a_body_that_is_cut_does_not_look_whole(rest, calm_practice):
    job = rest.query_job("SELECT Id, Name FROM Account")
    fault(calm_practice, "truncate", "bulk-page")
    with pytest.raises(requests.exceptions.RequestException):
        _ = rest("GET", f"jobs/query/{job['id']}/results").content


def test_data_5_1_refusals_of_the_bulk_resources(rest):
    assert rest.error("GET", "jobs/query/750000000000000AAA")[:2] == (404, "NOT_FOUND")
    refused = [
        ("SELECT BillingAddress FROM Account", "Selecting compound data not supported in Bulk Query"),
        ("SELECT Id FROM TaskStatus", "is not supported by the Bulk API"),
    ]
    for soql, text in refused:
        status, _, message = rest.error("POST", "jobs/query", {"operation": "query", "query": soql})
        assert status == 400 and text in message


def test_data_5_1_ingest_leaves_alone_nulls_refuses_and_keeps_the_unprocessed(rest):
    row_id = rest.create("Account", Name="Ingest", Phone="1", Fax="2")
    done = rest.ingest("update", "Account", f"Id,Phone,Fax,Name\n{row_id},,#N/A,\n001000000000000AAA,1,1,x\n")
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    assert rest.rows(f"SELECT Name, Phone, Fax FROM Account WHERE Id = '{row_id}'")[0].items() >= {
        "Name": "Ingest", "Phone": "1", "Fax": None,
    }.items()  # fmt: skip
    job = rest("POST", "jobs/ingest", {"object": "Account", "operation": "insert"}).json()["id"]
    sent = rest("PUT", f"jobs/ingest/{job}/batches", data=b"Name\nNever\n", headers={"Content-Type": "text/csv"})
    assert (sent.status_code, sent.content) == (201, b"")
    assert rest("PATCH", f"jobs/ingest/{job}", {"state": "Aborted"}).json()["state"] == "Aborted"
    assert table(rest("GET", f"jobs/ingest/{job}/unprocessedrecords")) == [["Name"], ["Never"]]
    gone = rest("DELETE", f"jobs/ingest/{job}")
    assert (gone.status_code, gone.content) == (204, b"")


def test_data_5_1_two_chunks_that_touch_one_parent_lock_each_other_out(rest, calm_practice):
    calm_practice.estate.settings.put("chunks_lock_parents", True)
    one, two = rest.create("Account", Name="Parent 1"), rest.create("Account", Name="Parent 2")
    mixed = [f"Mixed {number},{one if number % 2 else two}" for number in range(400)]
    done = rest.ingest("insert", "Contact", "LastName,AccountId\n" + "\n".join(mixed) + "\n")
    assert done["numberRecordsFailed"] == 200
    failed = table(rest("GET", f"jobs/ingest/{done['id']}/failedResults"))
    assert all(row[1].startswith("UNABLE_TO_LOCK_ROW:") for row in failed[1:])
    together = sorted(mixed, key=lambda line: line.rpartition(",")[2])
    done = rest.ingest("insert", "Contact", "LastName,AccountId\n" + "\n".join(together) + "\n")
    assert done["numberRecordsFailed"] == 0, "sorted by parent, every chunk has its own"


def test_data_5_1_the_bin_keeps_cascades_restricts_clears_evicts_and_shows_ghosts(rest, partner, calm_practice):
    account = rest.create("Account", Name="Binned")
    contact = rest.create("Contact", LastName="Cascaded", AccountId=account)
    rest.delete("Account", account)
    gone = rest.rows(f"SELECT Id, IsDeleted FROM Contact WHERE Id = '{contact}'", deleted=True)
    assert gone[0]["IsDeleted"] is True
    assert partner.call("undelete", f"<ids>{account}</ids>")[0]["success"] == ["true"]
    assert rest.rows(f"SELECT Id FROM Contact WHERE Id = '{contact}'"), "what went along comes back along"
    lead = rest.create("Lead", LastName="Ghost", Company="x")
    rest.ingest("hardDelete", "Lead", f"Id\n{lead}\n")
    (result,) = partner.call("undelete", f"<ids>{lead}</ids>")
    assert result["errors"][0]["statusCode"] == ["UNDELETE_FAILED"]
    assert "Entity is not in the recycle bin" in result["errors"][0]["message"][0]
    assert rest.rows(f"SELECT Id FROM Lead WHERE Id = '{lead}'", deleted=True), "a ghost for a day"
    calm_practice.estate.clock.move(timedelta(hours=25))
    assert rest.rows(f"SELECT Id FROM Lead WHERE Id = '{lead}'", deleted=True) == []


def test_data_5_1_stamps_part_company_and_formulas_move_without_one(rest, metadata, tools, calm_practice):
    account = rest.create("Account", Name="Stamped")
    contact = rest.create("Contact", LastName="Formula", AccountId=account)
    formula = "<label>F</label><formula>Account.Name</formula><type>Text</type>"
    metadata.deploy(tools.text_field("OfParent__c", "Contact", formula))
    (user,) = rest.rows("SELECT Id FROM User WHERE IsActive = true AND LastName = 'Fáinle'")
    given = "<editable>false</editable><field>Contact.OfParent__c</field><readable>true</readable>"
    given = f"<label>F</label><fieldPermissions>{given}</fieldPermissions>"
    metadata.deploy(
        {
            "package.xml": tools.manifest(PermissionSet="Formula_reader"),
            "permissionsets/Formula_reader.permissionset": tools.xml("PermissionSet", given),
        }
    )
    (permission,) = rest.rows("SELECT Id FROM PermissionSet WHERE Name = 'Formula_reader'")
    rest.create("PermissionSetAssignment", AssigneeId=user["Id"], PermissionSetId=permission["Id"])
    soql = f"SELECT OfParent__c, SystemModstamp FROM Contact WHERE Id = '{contact}'"
    before = rest.rows(soql)[0]
    calm_practice.estate.clock.move(timedelta(minutes=2))
    assert rest("PATCH", f"sobjects/Account/{account}", {"Name": "Moved"}).status_code == 204
    after = rest.rows(soql)[0]
    assert (before["OfParent__c"], after["OfParent__c"]) == ("Stamped", "Moved")
    assert before["SystemModstamp"] == after["SystemModstamp"], "a formula moves no stamp"


def test_data_5_1_replication_is_cut_by_the_minute_lags_is_capped_and_purged(rest, calm_practice):
    settings, now = calm_practice.estate.settings, calm_practice.estate.clock.now()
    rows = [rest.create("Lead", LastName=f"Replicated {number}", Company="x") for number in range(3)]
    for row_id in rows:
        rest.delete("Lead", row_id)
        calm_practice.estate.clock.move(timedelta(minutes=5))
    window = {"start": now.strftime("%Y-%m-%dT%H:%M:59Z"), "end": "2027-06-01T00:00:00Z"}
    told = rest("GET", "sobjects/Lead/deleted", params=window).json()
    assert {one["id"] for one in told["deletedRecords"]} >= set(rows), "seconds do not count"
    settings.put("replication_lag_minutes", 30)
    lagging = rest("GET", "sobjects/Lead/updated", params={**window, "start": "2026-11-23T07:00:00Z"}).json()
    assert lagging["latestDateCovered"] < told["latestDateCovered"]
    settings.clear("replication_lag_minutes")
    settings.put("replication_most_ids", 2)
    assert rest.error("GET", "sobjects/Lead/deleted", params=window)[1] == "EXCEEDED_ID_LIMIT"
    settings.clear("replication_most_ids")
    settings.put("delete_log_rows", 1)
    assert rest.error("GET", "sobjects/Lead/deleted", params=window)[1] == "INVALID_REPLICATION_DATE"


def test_data_5_1_ids_come_with_15_or_18_characters_and_15_tell_case(rest):
    row_id = rest.create("Account", Name="Fifteen")
    assert len(row_id) == 18
    assert rest("GET", f"sobjects/Account/{row_id[:15]}").json()["Id"] == row_id
    assert rest.rows(f"SELECT Id FROM Account WHERE Id = '{row_id[:15]}'")[0]["Id"] == row_id
    assert rest.rows(f"SELECT Id FROM Account WHERE Id = '{row_id.swapcase()[:15]}'") == []


def test_data_5_1_automation_edits_other_rows_during_any_write(rest):
    account = rest.create("Account", Name="Automated")
    soql = f"SELECT LastInvoiceOn__c, SystemModstamp FROM Account WHERE Id = '{account}'"
    before = rest.rows(soql)[0]
    done = rest.ingest("insert", "Invoice__c", f"Account__c,IssuedOn__c\n{account},2026-11-20\n")
    assert done["numberRecordsFailed"] == 0
    after = rest.rows(soql)[0]
    assert (before["LastInvoiceOn__c"], after["LastInvoiceOn__c"]) == (None, "2026-11-20")
    assert after["SystemModstamp"] > before["SystemModstamp"]
