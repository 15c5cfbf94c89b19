"""Bulk API 1.0: jobs and batches in CSV, XML and JSON, as CumulusCI, jsforce and simple-salesforce speak it."""

import csv
import io
import json
import time

import pytest
from lxml import etree

SPACE = "http://www.force.com/2009/06/asyncapi/dataload"
TYPES = {"CSV": "text/csv", "XML": "application/xml", "JSON": "application/json"}


class Bulk:
    """A client of Bulk API 1.0 for one org, in XML unless it is told otherwise."""

    def __init__(self, practice, version="62.0"):
        self.base = f"{practice.http_url}/services/async/{version}/job"
        self.session = practice.session
        self.token = practice.orgs["UATFULL"].access_token

    def send(self, method, path="", body=None, kind="XML"):
        headers = {"X-SFDC-Session": self.token, "Content-Type": f"{TYPES[kind]}; charset=UTF-8"}
        return self.session.request(method, self.base + path, data=body, headers=headers, timeout=20)

    def open(self, operation, content="CSV", name="Account", **more):
        fields = {"operation": operation, "object": name, **more, "contentType": content}
        inner = "".join(f"<{key}>{value}</{key}>" for key, value in fields.items())
        return self.send("POST", "", f'<jobInfo xmlns="{SPACE}">{inner}</jobInfo>')

    def state(self, job, state):
        return self.send("POST", f"/{job}", f'<jobInfo xmlns="{SPACE}"><state>{state}</state></jobInfo>')

    def run(self, operation, body, content="CSV", **more):
        """Job and batch id of one batch that has ended."""
        job = read(self.open(operation, content, **more))["id"]
        answer = self.send("POST", f"/{job}/batch", body, content)
        assert answer.status_code == 201, answer.text
        batch = answer.json()["id"] if content == "JSON" else read(answer)["id"]
        assert self.state(job, "Closed").status_code == 200
        self.wait(job)
        return job, batch

    def wait(self, job):
        for _ in range(200):
            info = read(self.send("GET", f"/{job}"))
            if info["numberBatchesQueued"] == info["numberBatchesInProgress"] == "0":
                return info
            time.sleep(0.02)
        raise AssertionError(info)


def read(answer):
    """The children of an XML answer by name."""
    assert answer.headers["content-type"] == "application/xml"
    return {etree.QName(one).localname: one.text for one in etree.fromstring(answer.content)}


@pytest.fixture
def bulk(practice):
    return Bulk(practice)


@pytest.fixture
def org(practice):
    return practice.estate.org(practice.orgs["UATFULL"].org_id)


def names_like(org, pattern):
    return [row[0] for row in org.db.execute('SELECT "Name" FROM "Account" WHERE "Name" LIKE ? ORDER BY 1', (pattern,))]


def test_a_job_is_made_open_and_told_in_schema_order(bulk):
    answer = bulk.open("insert", concurrencyMode="Serial")
    assert answer.status_code == 201
    info = read(answer)
    assert info["id"].startswith("750") and info["state"] == "Open" and info["concurrencyMode"] == "Serial"
    assert list(info)[:4] == ["id", "operation", "object", "createdById"]
    assert info["numberBatchesTotal"] == "0" and info["apiVersion"] == "62.0"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_csv_results_are_in_the_order_of_the_rows(bulk, org, ending):
    rows = ["Name,Industry", '"Bulk, one",Energy', f"{'x' * 300},", "Bulk two,#N/A"]
    job, batch = bulk.run("insert", ending.join(rows) + ending)
    answer = bulk.send("GET", f"/{job}/batch/{batch}/result")
    assert answer.headers["content-type"] == "text/csv"
    found = list(csv.reader(io.StringIO(answer.text)))
    assert found[0] == ["Id", "Success", "Created", "Error"]
    assert [row[1] for row in found[1:]] == ["true", "false", "true"]
    assert found[2][0] == "" and found[2][3].startswith("STRING_TOO_LONG:")
    assert names_like(org, "Bulk%") == ["Bulk two", "Bulk, one"]
    info = read(bulk.send("GET", f"/{job}"))
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"], info["state"]) == ("3", "1", "Closed")
    assert bulk.send("GET", f"/{job}/batch/{batch}/request").text == ending.join(rows) + ending


def test_json_batches_and_results(bulk, org):
    rows = [{"attributes": {"type": "Account"}, "Name": "J1", "Website": None}, {"Name": ""}]
    job, batch = bulk.run("insert", json.dumps(rows), "JSON")
    found = bulk.send("GET", f"/{job}/batch/{batch}/result", kind="JSON").json()
    assert [one["success"] for one in found] == [True, False]
    assert found[0]["id"].startswith("001") and found[0]["errors"] == []
    assert found[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    soql = "SELECT Id, Name, IsDeleted, CreatedDate, NumberOfEmployees, Owner.Username FROM Account WHERE Name = 'J1'"
    job, batch = bulk.run("query", soql, "JSON")
    (result,) = bulk.send("GET", f"/{job}/batch/{batch}/result", kind="JSON").json()
    (row,) = bulk.send("GET", f"/{job}/batch/{batch}/result/{result}", kind="JSON").json()
    assert row["attributes"]["type"] == "Account" and row["attributes"]["url"].endswith(row["Id"])
    assert row["IsDeleted"] is False and row["NumberOfEmployees"] is None
    assert isinstance(row["CreatedDate"], int) and "@" in row["Owner"]["Username"]


def test_xml_batches_and_results(bulk, org):
    body = f'<sObjects xmlns="{SPACE}"><sObject><Name>X &amp; 1</Name></sObject><sObject><Name/></sObject></sObjects>'
    job, batch = bulk.run("insert", body, "XML")
    root = etree.fromstring(bulk.send("GET", f"/{job}/batch/{batch}/result").content)
    assert [one.findtext("{*}success") for one in root] == ["true", "false"]
    assert root[1].findtext("{*}errors/{*}statusCode") == "REQUIRED_FIELD_MISSING"
    assert names_like(org, "X %") == ["X & 1"]
    job, batch = bulk.run("query", "SELECT Id, Name FROM Account WHERE Name = 'X & 1'", "XML")
    listed = etree.fromstring(bulk.send("GET", f"/{job}/batch/{batch}/result").content)
    assert etree.QName(listed).localname == "result-list"
    root = etree.fromstring(bulk.send("GET", f"/{job}/batch/{batch}/result/{listed[0].text}").content)
    assert root[0].findtext("{*}type") == "Account" and root[0].findtext("{*}Name") == "X & 1"


def test_a_query_that_finds_nothing_says_so(bulk):
    job, batch = bulk.run("query", "SELECT Id FROM Account WHERE Name = 'nobody'")
    result = etree.fromstring(bulk.send("GET", f"/{job}/batch/{batch}/result").content)[0].text
    assert bulk.send("GET", f"/{job}/batch/{batch}/result/{result}").text.strip() == "Records not found for this query"


@pytest.mark.parametrize(
    ("operation", "content", "body", "text"),
    [
        ("query", "CSV", "SELECT Nothing FROM Account", "INVALID_FIELD"),
        ("query", "CSV", "SELECT Id FROM Contact", "the job is for Account"),
        ("query", "CSV", "SELECT COUNT() FROM Account", "Failed to process query"),
        ("insert", "CSV", "Nothing__c\nx\n", "Field name not found"),
        ("insert", "CSV", "", "CSV header"),
        ("insert", "JSON", "{", "InvalidBatch"),
        ("insert", "JSON", '["x"]', "InvalidBatch"),
        ("insert", "XML", "<a>", "InvalidBatch"),
        ("insert", "XML", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "InvalidBatch"),
    ],
)
def test_a_batch_that_is_no_good_fails_alone(bulk, operation, content, body, text):
    job, batch = bulk.run(operation, body, content)
    answer = bulk.send("GET", f"/{job}/batch/{batch}")
    info = answer.json() if content == "JSON" else read(answer)
    assert info["state"] == "Failed" and text in info["stateMessage"], info
    assert read(bulk.send("GET", f"/{job}"))["numberBatchesFailed"] == "1"


def test_several_batches_are_listed_and_counted(bulk, org):
    job = read(bulk.open("insert"))["id"]
    for number in range(3):
        bulk.send("POST", f"/{job}/batch", f"Name\nMany {number}\n", "CSV")
    info = bulk.wait(job)
    assert (info["numberBatchesCompleted"], info["numberBatchesTotal"]) == ("3", "3")
    listed = etree.fromstring(bulk.send("GET", f"/{job}/batch").content)
    assert [one.findtext("{*}state") for one in listed] == ["Completed"] * 3
    assert names_like(org, "Many%") == ["Many 0", "Many 1", "Many 2"]


def test_upsert_update_delete_and_hard_delete(bulk, org):
    bulk.run("upsert", "CustomerNumber__c,Name\nB1-1,Keyed\nB1-2,Keyed\n", externalIdFieldName="CustomerNumber__c")
    assert names_like(org, "Keyed") == ["Keyed"] * 2
    ids = [row[0] for row in org.db.execute('SELECT "Id" FROM "Account" WHERE "Name" = ?', ("Keyed",))]
    bulk.run("update", f"Id,Name\n{ids[0]},Changed\n")
    assert names_like(org, "Changed") == ["Changed"]
    bulk.run("delete", f"Id\n{ids[0]}\n")
    bulk.run("hardDelete", f"Id\n{ids[1]}\n")
    binned = dict(org.db.execute("SELECT id, hard FROM recycle_bin WHERE id IN (?, ?)", ids).fetchall())
    assert binned == {ids[0]: 0, ids[1]: 1}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<jobInfo/>", "InvalidJob"),
        ("no xml", "InvalidJob"),
        ("<jobInfo><operation>merge</operation></jobInfo>", "InvalidJob"),
        ("<jobInfo><operation>insert</operation><object>No__c</object></jobInfo>", "InvalidJob"),
        ("<jobInfo><operation>upsert</operation><object>Account</object></jobInfo>", "InvalidJob"),
    ],
)
def test_a_job_that_cannot_be_is_refused(bulk, body, code):
    answer = bulk.send("POST", "", body)
    assert answer.status_code == 400 and read(answer)["exceptionCode"] == code


def test_closed_jobs_unknown_ids_and_dead_sessions_are_refused(practice, bulk):
    job = read(bulk.open("insert"))["id"]
    bulk.state(job, "Closed")
    assert read(bulk.send("POST", f"/{job}/batch", "Name\nlate\n", "CSV"))["exceptionCode"] == "InvalidJobState"
    assert read(bulk.state(job, "Closed"))["exceptionCode"] == "InvalidJobState"
    assert read(bulk.send("GET", "/750000000000001"))["exceptionCode"] == "InvalidJob"
    assert read(bulk.send("GET", f"/{job}/batch/751000000000001"))["exceptionCode"] == "InvalidBatch"
    assert bulk.send("GET", "/750000000000001", kind="JSON").json()["exceptionCode"] == "InvalidJob"
    bulk.token = "00D000000000001!dead"
    answer = bulk.send("GET", f"/{job}")
    assert (answer.status_code, read(answer)["exceptionCode"]) == (400, "InvalidSessionId")
    assert read(Bulk(practice, "50.0").send("GET", f"/{job}"))["exceptionCode"] == "InvalidVersion"


def test_an_aborted_job_ends_its_waiting_batches(practice, bulk, org):
    practice.estate.settings.put("bulk_delay_seconds", 0.5)
    job = read(bulk.open("insert"))["id"]
    batch = read(bulk.send("POST", f"/{job}/batch", "Name\nNever\n", "CSV"))["id"]
    assert read(bulk.state(job, "Aborted"))["state"] == "Aborted"
    assert read(bulk.send("GET", f"/{job}/batch/{batch}"))["state"] == "NotProcessed"
    assert names_like(org, "Never") == []


def test_the_list_of_query_jobs_has_those_of_version_one_too(practice, bulk):
    job, _batch = bulk.run("query", "SELECT Id FROM Account LIMIT 1", "JSON")
    bulk.run("insert", "Name\nQuiet\n")
    headers = {"Authorization": f"Bearer {bulk.token}"}
    for kind, expected in (("query", [(job, "Classic", "JSON")]), ("ingest", [])):
        address = f"{practice.http_url}/services/data/v62.0/jobs/{kind}"
        listed = practice.session.get(address, headers=headers, timeout=20).json()["records"]
        assert [(one["id"], one["jobType"], one["contentType"]) for one in listed] == expected
