"""Bulk API 2.0 ingest, from an open job to its three result files."""

import csv
import io
import time

import pytest


@pytest.fixture
def practice(calm_practice):
    """One world for the tests of this module; those that move its clock or end its server have their own."""
    return calm_practice


def open_job(practice, operation, name="Account", **more):
    return practice.ask("UATFULL", "POST", "jobs/ingest", json={"object": name, "operation": operation, **more})


def upload(practice, job_id, text):
    data = text if isinstance(text, bytes) else text.encode()
    path = f"jobs/ingest/{job_id}/batches"
    return practice.ask("UATFULL", "PUT", path, data=data, headers={"Content-Type": "text/csv"})


def close(practice, job_id, state="UploadComplete"):
    return practice.ask("UATFULL", "PATCH", f"jobs/ingest/{job_id}", json={"state": state})


def wait(practice, job_id):
    for _ in range(1500):
        info = practice.ask("UATFULL", "GET", f"jobs/ingest/{job_id}").json()
        if info["state"] in ("JobComplete", "Failed", "Aborted"):
            return info
        time.sleep(0.01)
    raise AssertionError("the job never ended")


def run(practice, operation, text, name="Account", **more):
    answer = open_job(practice, operation, name, **more)
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["id"]
    assert upload(practice, job_id, text).status_code == 201
    assert close(practice, job_id).json()["state"] == "UploadComplete"
    return wait(practice, job_id)


def results(practice, job_id, kind):
    answer = practice.ask("UATFULL", "GET", f"jobs/ingest/{job_id}/{kind}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def org_of(practice):
    return practice.estate.org(practice.orgs["UATFULL"].org_id)


def load(practice, sql, *values):
    org = org_of(practice)
    with org.lock:
        return org.db.execute(sql, values).fetchall()


def test_insert_gives_ids_and_counts(practice):
    job = run(practice, "insert", "Name,Description\nOne,a\nTwo,\n")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 2, 0)
    assert job["jobType"] == "V2Ingest" and job["object"] == "Account"
    saved = results(practice, job["id"], "successfulResults")
    assert sorted(row["Name"] for row in saved) == ["One", "Two"]
    assert all(row["sf__Created"] == "true" and row["sf__Id"].startswith("001") for row in saved)
    assert results(practice, job["id"], "failedResults") == []
    assert results(practice, job["id"], "unprocessedrecords") == []


def test_data_1_7_nothing_runs_before_the_job_is_closed(practice):
    job_id = open_job(practice, "insert").json()["id"]
    upload(practice, job_id, "Name\nNever\n")
    time.sleep(0.2)
    assert practice.ask("UATFULL", "GET", f"jobs/ingest/{job_id}").json()["state"] == "Open"
    assert load(practice, 'SELECT count(*) FROM "Account" WHERE "Name" = \'Never\'') == [(0,)]


def test_data_5_1_cells_with_line_breaks_quotes_and_commas_arrive_whole(practice):
    text = 'line one\r\nline "two", and \u2028 three'
    quoted = text.replace('"', '""')
    job = run(practice, "insert", f'Name,Description\n"Odd, Ltd","{quoted}"\n')
    assert job["numberRecordsFailed"] == 0
    assert load(practice, 'SELECT "Description" FROM "Account" WHERE "Name" = \'Odd, Ltd\'') == [(text,)]
    (saved,) = results(practice, job["id"], "successfulResults")
    assert saved["Description"] == text


def test_data_1_7_update_leaves_empty_cells_alone_and_nulls_on_hash_na(practice):
    first = run(practice, "insert", "Name,Description,Site\nKeep,old,here\n")
    row_id = results(practice, first["id"], "successfulResults")[0]["sf__Id"]
    job = run(practice, "update", f"Id,Name,Description,Site\n{row_id},,#N/A,there\n")
    assert job["numberRecordsFailed"] == 0
    sql = 'SELECT "Name", "Description", "Site" FROM "Account" WHERE "Id" = ?'
    assert load(practice, sql, row_id) == [("Keep", None, "there")]
    assert results(practice, job["id"], "successfulResults")[0]["sf__Created"] == "false"


def test_failed_rows_say_why_and_the_rest_is_saved(practice):
    job = run(practice, "insert", "Name,Description\nGood,x\n,nameless\n")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 2, 1)
    (failed,) = results(practice, job["id"], "failedResults")
    assert failed["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    assert (failed["sf__Id"], failed["Description"]) == ("", "nameless")


def test_data_1_7_result_order_is_not_input_order(practice):
    names = [f"Row {number:04d}" for number in range(450)]
    job = run(practice, "insert", "Name\n" + "".join(f"{name}\n" for name in names))
    got = [row["Name"] for row in results(practice, job["id"], "successfulResults")]
    assert sorted(got) == names
    assert got != names
    again = [row["Name"] for row in results(practice, job["id"], "successfulResults")]
    assert again == got


def test_delete_and_hard_delete(practice):
    first = run(practice, "insert", "Name\nA\nB\n")
    one, two = sorted(row["sf__Id"] for row in results(practice, first["id"], "successfulResults"))
    assert run(practice, "delete", f"Id\n{one}\n001000000000000AAA\n")["numberRecordsFailed"] == 1
    assert load(practice, 'SELECT "IsDeleted" FROM "Account" WHERE "Id" = ?', one) == [(1,)]
    assert run(practice, "hardDelete", f"Id\n{two}\n")["numberRecordsFailed"] == 0
    assert undelete(practice, [one, two]) == [(one, "true", ""), (two, "false", "UNDELETE_FAILED")]


def undelete(practice, ids):
    from lxml import etree

    token = practice.orgs["UATFULL"].access_token
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u="urn:partner.soap.sforce.com">'
        f"<e:Header><u:SessionHeader><u:sessionId>{token}</u:sessionId></u:SessionHeader></e:Header><e:Body><u:undelete>"
        + "".join(f"<u:ids>{one}</u:ids>" for one in ids)
        + "</u:undelete></e:Body></e:Envelope>"
    )
    answer = practice.ask("UATFULL", "POST", "/services/Soap/u/67.0", data=body, headers={"Content-Type": "text/xml"})
    assert answer.status_code == 200, answer.text
    found = etree.fromstring(answer.content).iter("{*}result")
    return [
        (asked, one.findtext("{*}success"), one.findtext("{*}errors/{*}statusCode") or "")
        for asked, one in zip(ids, found, strict=True)
    ]


def test_upsert_by_id(practice):
    first = run(practice, "insert", "Name\nA\n")
    row_id = results(practice, first["id"], "successfulResults")[0]["sf__Id"]
    job = run(practice, "upsert", f"Id,Name\n{row_id},Changed\n", externalIdFieldName="Id")
    assert job["numberRecordsFailed"] == 0
    assert load(practice, 'SELECT "Name" FROM "Account" WHERE "Id" = ?', row_id) == [("Changed",)]


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("Name,Nope__c", "InvalidBatch : Field name not found : Nope__c"),
        ("Name,name", "InvalidBatch : Duplicate field name"),
        ("", "InvalidBatch : Failed to parse CSV header"),
        ('Na"me', "Found unescaped quote"),
        ("Name\r", "LineEnding is invalid on user data. Current LineEnding setting is LF"),
    ],
)
def test_data_1_7_bad_headers_fail_the_job_and_nothing_is_processed(practice, header, part):
    job = run(practice, "insert", f"{header}\nx,y\n")
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 0)
    assert part in job["errorMessage"]
    assert results(practice, job["id"], "successfulResults") == []


def test_bad_rows_fail_alone(practice):
    job = run(practice, "insert", 'Name,Site\nGood,x\n"Space" ,x\nToo,many,cells\n')
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    assert [row["Name"] for row in results(practice, job["id"], "successfulResults")] == ["Good"]


def test_an_open_quote_at_the_end_is_an_error_of_that_row(practice):
    job = run(practice, "insert", 'Name\nGood\n"never closed\nand more')
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)


def test_bytes_that_are_not_utf8_fail_the_job(practice):
    assert run(practice, "insert", b"Name\n\xff\xfe\n")["state"] == "Failed"


def test_other_delimiter_and_crlf(practice):
    job = run(practice, "insert", 'Name|Site\r\n"A|B"|x\r\n', columnDelimiter="PIPE", lineEnding="CRLF")
    assert job["numberRecordsFailed"] == 0
    raw = practice.ask("UATFULL", "GET", f"jobs/ingest/{job['id']}/successfulResults").content
    assert raw.startswith(b'"sf__Id"|"sf__Created"|"Name"|"Site"\r\n')


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        ({"object": "Nope", "operation": "insert"}, "INVALIDJOB", "Unable to find object: Nope"),
        ({"operation": "insert"}, "INVALIDJOB", "Unable to find object"),
        ({"object": "Account", "operation": "undelete"}, "INVALIDJOB", "operation"),
        ({"object": "Account", "operation": "upsert"}, "INVALIDJOB", "External ID was blank"),
        ({"object": "Account", "operation": "upsert", "externalIdFieldName": "Site"}, "INVALIDJOB", "does not match"),
        ({"object": "Account", "operation": "insert", "contentType": "XML"}, "INVALIDJOB", "contentType"),
    ],
)
def test_impossible_jobs_are_refused(practice, body, code, part):
    answer = practice.ask("UATFULL", "POST", "jobs/ingest", json=body)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == code and part in answer.json()[0]["message"]


def test_a_second_upload_is_refused(practice):
    job_id = open_job(practice, "insert").json()["id"]
    assert upload(practice, job_id, "Name\nA\n").status_code == 201
    again = upload(practice, job_id, "Name\nB\n")
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "CLIENTINPUTERROR")


def test_data_1_7_states_are_obeyed(practice):
    job_id = open_job(practice, "insert").json()["id"]
    assert practice.ask("UATFULL", "DELETE", f"jobs/ingest/{job_id}").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    early = practice.ask("UATFULL", "GET", f"jobs/ingest/{job_id}/failedResults")
    assert (early.status_code, early.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    upload(practice, job_id, "Name\nA\n")
    assert close(practice, job_id, "Aborted").json()["state"] == "Aborted"
    assert close(practice, job_id).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert [row["Name"] for row in results(practice, job_id, "unprocessedrecords")] == ["A"]
    assert practice.ask("UATFULL", "DELETE", f"jobs/ingest/{job_id}").status_code == 204
    assert practice.ask("UATFULL", "GET", f"jobs/ingest/{job_id}").status_code == 404


def test_chunked_upload(practice):
    job_id = open_job(practice, "insert").json()["id"]
    path = f"jobs/ingest/{job_id}/batches"
    pieces = iter([b"Name\nIn", b" pieces\n"])
    sent = practice.ask("UATFULL", "PUT", path, data=pieces, headers={"Content-Type": "text/csv"})
    assert sent.status_code == 201
    close(practice, job_id)
    assert wait(practice, job_id)["numberRecordsProcessed"] == 1
    assert load(practice, 'SELECT count(*) FROM "Account" WHERE "Name" = \'In pieces\'') == [(1,)]


def test_data_1_7_multipart_job_runs_at_once(practice):
    body = (
        '--XX\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n'
        '{"object": "Account", "operation": "insert", "contentType": "CSV"}\r\n'
        '--XX\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="c"\r\n\r\n'
        "Name\nFrom multipart\n\r\n--XX--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    answer = practice.ask("UATFULL", "POST", "jobs/ingest", data=body, headers=headers)
    assert answer.json()["state"] == "UploadComplete"
    job = wait(practice, answer.json()["id"])
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (1, 0)


def test_data_1_9_a_locked_chunk_fails_its_rows_only(practice):
    practice.faults.add(("CHUNK", "Account"), nth=2, do="lock-row")
    job = run(practice, "insert", "Name\n" + "".join(f"L{number}\n" for number in range(401)))
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (401, 200)
    failed = results(practice, job["id"], "failedResults")
    assert {row["sf__Error"].partition(":")[0] for row in failed} == {"UNABLE_TO_LOCK_ROW"}


def test_jobs_are_listed(own_practice):
    job = run(own_practice, "insert", "Name\nA\n")
    assert [one["id"] for one in own_practice.ask("UATFULL", "GET", "jobs/ingest").json()["records"]] == [job["id"]]
