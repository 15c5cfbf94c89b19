"""Bulk API 2.0 query, from job to pages."""

import csv
import gzip
import io
import time
from datetime import timedelta

import pytest

from rehearse.practice import rows

HEADER = "Sforce-NumberOfRecords"


def add_accounts(practice, count, **more):
    """Accounts straight into the sandbox's table, without rules; returns their ids."""
    org = practice.estate.org(practice.orgs["UATFULL"].org_id)
    ids = org.new_ids("001", count)
    with org.transaction() as db:
        for number, row_id in enumerate(ids):
            stamp = org.stamp()
            db.execute(
                'INSERT INTO "Account" ("Id", "Name", "CreatedDate", "LastModifiedDate", "SystemModstamp",'
                ' "AnnualRevenue", "Description", "IsDeleted") VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
                (row_id, f"Bulk {number:05d}", stamp, stamp, stamp, *more.get("cells", (None, None)), 0),
            )
    return ids


def make_job(practice, soql, **more):
    return practice.ask("UATFULL", "POST", "jobs/query", json={"operation": "query", "query": soql, **more})


def wait_job(practice, job_id, kind="query"):
    for _ in range(1000):
        info = practice.ask("UATFULL", "GET", f"jobs/{kind}/{job_id}").json()
        if info["state"] in ("JobComplete", "Failed", "Aborted"):
            return info
        time.sleep(0.01)
    raise AssertionError("the job never ended")


def finished(practice, soql, **more):
    answer = make_job(practice, soql, **more)
    assert answer.status_code == 200, answer.text
    info = wait_job(practice, answer.json()["id"])
    assert info["state"] == "JobComplete", info
    return info


def read_pages(practice, job_id, **params):
    """All pages of a job: (rows as dicts, raw bodies)."""
    rows, bodies, locator = [], [], None
    while locator != "null":
        asked = {**params, **({"locator": locator} if locator else {})}
        answer = practice.ask("UATFULL", "GET", f"jobs/query/{job_id}/results", params=asked)
        assert answer.status_code == 200, answer.text
        page = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
        assert len(page) == int(answer.headers[HEADER])
        rows += page
        bodies.append(answer.content)
        locator = answer.headers["Sforce-Locator"]
    return rows, bodies


def test_data_1_1_a_job_is_born_runs_and_shows_what_it_is(practice):
    add_accounts(practice, 3)
    born = make_job(practice, "SELECT Id FROM Account WHERE Name LIKE 'Bulk %'").json()
    assert born["id"].startswith("750") and len(born["id"]) == 18
    assert (born["state"], born["object"], born["concurrencyMode"]) == ("UploadComplete", "Account", "Parallel")
    assert born["apiVersion"] == 67.0
    assert born["createdDate"].endswith("+0000")
    info = wait_job(practice, born["id"])
    assert (info["jobType"], info["numberRecordsProcessed"], info["retries"]) == ("V2Query", 3, 0)
    listed = practice.ask("UATFULL", "GET", "jobs/query").json()
    assert [one["id"] for one in listed["records"]] == [born["id"]]
    assert listed["done"] is True


def test_data_1_3_cells_are_quoted_and_hold_anything(practice):
    text = 'line one\r\nline "two", \u2028 and #N/A'
    add_accounts(practice, 1, cells=(1234.5, text))
    job = finished(practice, "SELECT Id, Name, AnnualRevenue, Description, Site, IsDeleted, CreatedDate FROM Account "
                             "WHERE Name LIKE 'Bulk %'")  # fmt: skip
    (row,), (body,) = read_pages(practice, job["id"])
    assert body.startswith(b'"Id","Name","AnnualRevenue","Description","Site","IsDeleted","CreatedDate"\n"001')
    assert row["Description"] == text
    assert (row["AnnualRevenue"], row["Site"], row["IsDeleted"]) == ("1234.5", "", "false")
    assert row["CreatedDate"].startswith("2026-11-23T08:0") and row["CreatedDate"].endswith("Z")
    assert b'""two""' in body


def test_data_1_3_parent_paths_are_dotted(practice):
    (parent,) = add_accounts(practice, 1)
    (child,) = add_accounts(practice, 1)
    org = practice.estate.org(practice.orgs["UATFULL"].org_id)
    with org.transaction() as db:
        db.execute('UPDATE "Account" SET "ParentId" = ? WHERE "Id" = ?', (parent, child))
    job = finished(practice, f"SELECT Id, Parent.Name FROM Account WHERE Id = '{child}'")
    rows, _ = read_pages(practice, job["id"])
    assert rows == [{"Id": child, "Parent.Name": "Bulk 00000"}]


def test_data_1_2_pages_by_any_size_hold_the_same_rows_and_can_be_fetched_again(practice):
    ids = add_accounts(practice, 105)
    job = finished(practice, "SELECT Id FROM Account WHERE Name LIKE 'Bulk %'")
    whole, _ = read_pages(practice, job["id"])
    order = [row["Id"] for row in whole]
    assert sorted(order) == sorted(ids)
    assert order != sorted(ids), "Salesforce promises no order, and neither do we"
    for size in (1, 50, 105, 1000):
        rows, bodies = read_pages(practice, job["id"], maxRecords=size)
        assert [row["Id"] for row in rows] == order
        assert len(bodies) == -(-105 // size)
        again, same = read_pages(practice, job["id"], maxRecords=size)
        assert same == bodies and again == rows


def test_order_by_keeps_the_order_and_limit_the_number(practice):
    add_accounts(practice, 20)
    job = finished(practice, "SELECT Name FROM Account WHERE Name LIKE 'Bulk %' ORDER BY Name DESC LIMIT 7")
    rows, _ = read_pages(practice, job["id"])
    assert [row["Name"] for row in rows] == [f"Bulk {number:05d}" for number in range(19, 12, -1)]


def test_data_1_2_result_pages_list_five_and_go_on(practice):
    add_accounts(practice, 13)
    job = finished(practice, "SELECT Id FROM Account WHERE Name LIKE 'Bulk %'")
    first = practice.ask("UATFULL", "GET", f"jobs/query/{job['id']}/resultPages", params={"maxRecords": 2}).json()
    assert len(first["resultPages"]) == 5 and first["done"] is False
    second = practice.ask("UATFULL", "GET", first["nextRecordsUrl"]).json()
    assert len(second["resultPages"]) == 2 and second["done"] is True
    assert "nextRecordsUrl" not in second
    ids = []
    for page in first["resultPages"] + second["resultPages"]:
        answer = practice.ask("UATFULL", "GET", page["resultUrl"])
        ids += [row["Id"] for row in csv.DictReader(io.StringIO(answer.text))]
    rows, _ = read_pages(practice, job["id"])
    assert ids == [row["Id"] for row in rows]


def test_an_empty_result_is_a_header(practice):
    job = finished(practice, "SELECT Id, Name FROM Account WHERE Name = 'nobody'")
    rows, bodies = read_pages(practice, job["id"])
    assert (rows, bodies) == ([], [b'"Id","Name"\n'])


def test_delimiter_and_line_ending(practice):
    add_accounts(practice, 1)
    job = finished(practice, "SELECT Id, Name FROM Account WHERE Name = 'Bulk 00000'",
                   columnDelimiter="PIPE", lineEnding="CRLF")  # fmt: skip
    _, (body,) = read_pages(practice, job["id"])
    assert body.startswith(b'"Id"|"Name"\r\n"001') and body.endswith(b'"|"Bulk 00000"\r\n')


def test_data_5_1_gzip_only_when_asked(practice):
    add_accounts(practice, 50)
    job = finished(practice, "SELECT Id FROM Account WHERE Name LIKE 'Bulk %'")
    path = f"jobs/query/{job['id']}/results"
    plain = practice.ask("UATFULL", "GET", path, headers={"Accept-Encoding": "identity"}, stream=True)
    assert "Content-Encoding" not in plain.headers
    raw = plain.raw.read(decode_content=False)
    zipped = practice.ask("UATFULL", "GET", path, headers={"Accept-Encoding": "gzip"}, stream=True)
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.raw.read(decode_content=False)) == raw


def test_data_5_1_results_need_the_same_version_and_a_complete_job(practice):
    job = finished(practice, "SELECT Id FROM Account")
    other = practice.ask("UATFULL", "GET", f"/services/data/v66.0/jobs/query/{job['id']}/results")
    assert other.status_code == 409
    assert practice.ask("UATFULL", "GET", "jobs/query/750000000000000AAA").status_code == 404


def test_data_1_1_abort_and_delete_obey_the_states(practice):
    done = finished(practice, "SELECT Id FROM Account")
    late = practice.ask("UATFULL", "PATCH", f"jobs/query/{done['id']}", json={"state": "Aborted"})
    assert (late.status_code, late.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert practice.ask("UATFULL", "DELETE", f"jobs/query/{done['id']}").status_code == 204
    assert practice.ask("UATFULL", "GET", f"jobs/query/{done['id']}").status_code == 404
    practice.server.workers.stop()
    waiting = make_job(practice, "SELECT Id FROM Account").json()
    early = practice.ask("UATFULL", "DELETE", f"jobs/query/{waiting['id']}")
    assert (early.status_code, early.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    not_yet = practice.ask("UATFULL", "GET", f"jobs/query/{waiting['id']}/results")
    assert (not_yet.status_code, not_yet.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    ended = practice.ask("UATFULL", "PATCH", f"jobs/query/{waiting['id']}", json={"state": "Aborted"})
    assert ended.json()["state"] == "Aborted"


@pytest.mark.parametrize(
    ("soql", "code", "part"),
    [
        ("SELECT Count(Id) FROM Account", "FUNCTIONALITY_NOT_ENABLED", "Aggregate"),
        ("SELECT COUNT() FROM Account", "FUNCTIONALITY_NOT_ENABLED", "Aggregate"),
        ("SELECT Name FROM Account GROUP BY Name", "FUNCTIONALITY_NOT_ENABLED", "Group By"),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 5", "FUNCTIONALITY_NOT_ENABLED", "Offset"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "FUNCTIONALITY_NOT_ENABLED", "Nested"),
        ("SELECT FIELDS(ALL) FROM Account LIMIT 200", "FUNCTIONALITY_NOT_ENABLED", "FIELDS"),
        ("SELECT Id, BillingAddress FROM Account", "FUNCTIONALITY_NOT_ENABLED",
         "Selecting compound data not supported in Bulk Query"),
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "Nope"),
        ("SELECT Id WHERE", "MALFORMED_QUERY", "unexpected token"),
    ],
)  # fmt: skip
def test_data_1_4_refused_queries(practice, soql, code, part):
    answer = make_job(practice, soql)
    assert answer.status_code == 400
    (error,) = answer.json()
    assert error["errorCode"] == code
    assert part in error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"operation": "query"}', b'{"operation": "x", "query": "y"}'])
def test_malformed_bodies_are_refused_in_json(practice, body):
    answer = practice.ask("UATFULL", "POST", "jobs/query", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] in ("JSON_PARSER_ERROR", "INVALIDJOB")


def test_other_orgs_do_not_see_the_job(practice):
    job = finished(practice, "SELECT Id FROM Account")
    assert practice.ask("production", "GET", f"jobs/query/{job['id']}").status_code == 404


def test_data_1_2_the_server_may_cut_pages_by_bytes(practice):
    add_accounts(practice, 30)
    practice.estate.settings.put("bulk_page_bytes", 100)
    job = finished(practice, "SELECT Id FROM Account WHERE Name LIKE 'Bulk %'")
    found, bodies = read_pages(practice, job["id"], maxRecords=1000)
    assert len(found) == 30
    assert all(len(body) <= len(b'"Id"\n') + 100 for body in bodies)


def test_the_servers_own_page_size(practice):
    add_accounts(practice, 30)
    practice.estate.settings.put("bulk_page_rows", 7)
    job = finished(practice, "SELECT Id FROM Account WHERE Name LIKE 'Bulk %'")
    _, bodies = read_pages(practice, job["id"])
    assert len(bodies) == 5


@pytest.mark.parametrize("locator", ["x", "null", "OTk5OS41", "LTEuNQ", "%00"])
def test_invented_locators_are_refused(practice, locator):
    job = finished(practice, "SELECT Id FROM Account")
    answer = practice.ask("UATFULL", "GET", f"jobs/query/{job['id']}/results", params={"locator": locator})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_a_job_that_a_stopped_server_left_is_run_by_the_next(practice):
    ids = add_accounts(practice, 5)
    practice.server.workers.stop()
    job = make_job(practice, "SELECT Id FROM Account WHERE Name LIKE 'Bulk %'").json()
    practice.restart()
    assert wait_job(practice, job["id"])["state"] == "JobComplete"
    found, _ = read_pages(practice, job["id"])
    assert sorted(row["Id"] for row in found) == sorted(ids)


def test_query_all_sees_the_recycle_bin(practice):
    alive, gone = add_accounts(practice, 2)
    user_id = practice.estate.client(practice.orgs["UATFULL"].client_id).user_id
    rows.delete(practice.estate.org(practice.orgs["UATFULL"].org_id), user_id, [gone])
    soql = "SELECT Id, IsDeleted FROM Account WHERE Name LIKE 'Bulk %'"
    for operation, expected in (("query", {alive: "false"}), ("queryAll", {alive: "false", gone: "true"})):
        job = finished(practice, soql, operation=operation)
        found, _ = read_pages(practice, job["id"])
        assert {row["Id"]: row["IsDeleted"] for row in found} == expected


def test_data_1_4_every_object_that_bulk_serves_is_read_whole(practice):
    org = practice.estate.org(practice.orgs["UATFULL"].org_id)
    for name in ("Contact", "Invoice__c", "InvoiceLine__c", "Payment__c", "Task"):
        fields = [field.name for field in org.object(name).fields if field.type not in ("address", "location")]
        job = finished(practice, f"SELECT {', '.join(fields)} FROM {name}")
        found, _ = read_pages(practice, job["id"], maxRecords=100)
        (count,) = org.db.execute(f'SELECT count(*) FROM "{name}" WHERE "IsDeleted" = 0').fetchone()
        assert len(found) == count > 0
        assert list(found[0]) == fields


def test_data_1_8_jobs_expire_after_seven_virtual_days(practice):
    job = finished(practice, "SELECT Id FROM Account")
    practice.estate.clock.move(timedelta(days=6, hours=23))
    assert practice.ask("UATFULL", "GET", f"jobs/query/{job['id']}").status_code == 200
    practice.estate.clock.move(timedelta(hours=2))
    assert practice.ask("UATFULL", "GET", f"jobs/query/{job['id']}").status_code == 404
