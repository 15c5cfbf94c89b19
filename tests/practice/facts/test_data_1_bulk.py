"""Bulk API 2.0, as data.md section 1 has it: states, pages, cells, refusals, ingest."""

import csv
import io

import pytest

ACCOUNTS = "SELECT Id, Name FROM Account"


@pytest.fixture(scope="module")
def job(rest):
    """A finished job over all accounts."""
    return rest.query_job(ACCOUNTS)


def results(rest, job, **params):
    return rest("GET", f"jobs/query/{job['id']}/results", params=params)


def test_data_1_1_a_query_job_has_the_documented_keys(rest):
    born = rest("POST", "jobs/query", {"operation": "query", "query": ACCOUNTS})
    keys = {
        "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
        "contentType", "apiVersion", "lineEnding", "columnDelimiter",
    }  # fmt: skip
    assert born.status_code == 200 and keys == born.json().keys()
    assert (born.json()["contentType"], born.json()["lineEnding"], born.json()["columnDelimiter"]) == (
        "CSV",
        "LF",
        "COMMA",
    )
    added = {"jobType", "numberRecordsProcessed", "retries", "totalProcessingTime", "isPkChunkingSupported"}
    info = rest.wait("query", born.json()["id"])
    assert keys | added == info.keys()
    assert type(info["apiVersion"]) is float and type(info["isPkChunkingSupported"]) is bool


def test_data_1_1_only_a_running_job_is_aborted_and_only_an_ended_one_deleted(rest, job):
    status, code, _ = rest.error("PATCH", f"jobs/query/{job['id']}", {"state": "Aborted"})
    assert (status, code) == (400, "INVALIDJOBSTATE")
    other = rest.query_job("SELECT Id FROM Case LIMIT 1")
    gone = rest("DELETE", f"jobs/query/{other['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert rest("GET", f"jobs/query/{other['id']}").status_code == 404


def test_data_1_2_locator_is_the_word_null_at_the_end(rest, job):
    first = results(rest, job, maxRecords=5)
    assert first.headers["Sforce-NumberOfRecords"] == "5"
    assert first.headers["Sforce-Locator"] not in ("", "null")
    assert results(rest, job, maxRecords=1_000_000).headers["Sforce-Locator"] == "null"


def test_data_1_2_a_locator_may_be_fetched_again(rest, job):
    locator = results(rest, job, maxRecords=5).headers["Sforce-Locator"]
    one, two = (results(rest, job, maxRecords=5, locator=locator) for _ in range(2))
    assert one.content == two.content and one.headers["Sforce-Locator"] == two.headers["Sforce-Locator"]


def test_data_1_2_another_api_version_is_a_conflict(rest, job):
    answer = rest("GET", f"/services/data/v60.0/jobs/query/{job['id']}/results")
    assert answer.status_code == 409


def test_data_1_2_result_pages_exist_from_58_and_are_five(rest, job):
    old = rest("GET", f"/services/data/v57.0/jobs/query/{job['id']}/resultPages")
    assert old.status_code in (404, 409)
    body = rest("GET", f"jobs/query/{job['id']}/resultPages", params={"maxRecords": 3}).json()
    assert body.keys() >= {"resultPages", "done"} and len(body["resultPages"]) <= 5
    assert all("/results?locator=" in page["resultUrl"] for page in body["resultPages"])


def test_data_1_2_columns_stand_in_the_order_of_the_select(rest):
    job = rest.query_job("SELECT Name, Id FROM Account LIMIT 1")
    assert results(rest, job).text.splitlines()[0] == '"Name","Id"'


def test_data_1_2_gzip_only_where_the_client_accepts_it(rest, job):
    plain = rest("GET", f"jobs/query/{job['id']}/results", headers={"Accept-Encoding": "identity"})
    packed = rest("GET", f"jobs/query/{job['id']}/results", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers and packed.headers["Content-Encoding"] == "gzip"
    assert plain.content == packed.content


def test_data_1_3_text_that_looks_like_null_is_text(rest):
    row = rest.create("Account", Name="#N/A", Description='NA, "null"\r\nnext')
    text = results(rest, rest.query_job(f"SELECT Name, Description, Site FROM Account WHERE Id = '{row}'")).text
    assert list(csv.reader(io.StringIO(text, newline="")))[1] == ["#N/A", 'NA, "null"\r\nnext', ""]


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT count(Id) FROM Account GROUP BY Type",
        "SELECT Id FROM Account OFFSET 1",
        "SELECT Id, TYPEOF Owner WHEN User THEN Name END FROM Account",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT Id, BillingAddress FROM Account",
        "SELECT FIELDS(ALL) FROM Account LIMIT 1",
        "SELECT max(AnnualRevenue) FROM Account",
    ],
)
def test_data_1_4_bulk_refuses_what_the_guide_lists(rest, soql):
    assert rest.error("POST", "jobs/query", {"operation": "query", "query": soql})[0] == 400


def test_data_1_4_compound_names_order_and_limit_are_taken(rest):
    assert rest.query_job("SELECT Id, Name FROM Contact ORDER BY Name LIMIT 2")["state"] == "JobComplete"


def test_data_1_4_the_text_about_compound_data(rest):
    asked = {"operation": "query", "query": "SELECT MailingAddress FROM Contact"}
    assert "Selecting compound data not supported in Bulk Query" in rest.error("POST", "jobs/query", asked)[2]


@pytest.mark.parametrize("name", ["CaseStatus", "OpportunityTeamMember__x", "Attachment"])
def test_data_1_5_an_object_that_bulk_does_not_know(rest, name):
    status, code, text = rest.error("POST", "jobs/query", {"operation": "query", "query": f"SELECT Id FROM {name}"})
    assert status == 400 and code in ("INVALIDENTITY", "INVALID_TYPE") and name in text


def test_data_1_5_a_known_object_that_bulk_refuses(rest):
    asked = {"operation": "query", "query": "SELECT Id FROM ApexClass"}
    assert rest.error("POST", "jobs/query", asked) == (
        400,
        "INVALIDENTITY",
        "Entity 'ApexClass' is not supported by the Bulk API.",
    )


def test_data_1_7_an_ingest_job_goes_from_open_to_complete(rest):
    born = rest("POST", "jobs/ingest", {"object": "Account", "operation": "insert"}).json()
    assert (born["state"], born["contentUrl"]) == ("Open", f"services/data/v67.0/jobs/ingest/{born['id']}/batches")
    done = rest.ingest("insert", "Account", "Name,Site\nBulk one,\nBulk two,x\n")
    keys = {
        "jobType", "numberRecordsProcessed", "numberRecordsFailed", "retries", "totalProcessingTime",
        "apexProcessingTime", "apiActiveProcessingTime",
    }  # fmt: skip
    assert keys <= done.keys()
    assert (done["jobType"], done["numberRecordsProcessed"], done["numberRecordsFailed"]) == ("V2Ingest", 2, 0)


def test_data_1_7_results_have_the_documented_columns(rest):
    done = rest.ingest("insert", "Account", "Name,Site\nBulk good,a\n,b\n")
    assert (done["state"], done["numberRecordsFailed"]) == ("JobComplete", 1)

    def header(kind):
        return rest("GET", f"jobs/ingest/{done['id']}/{kind}").text.splitlines()[0].replace('"', "").split(",")

    assert header("successfulResults") == ["sf__Id", "sf__Created", "Name", "Site"]
    assert header("failedResults") == ["sf__Id", "sf__Error", "Name", "Site"]
    assert header("unprocessedrecords") == ["Name", "Site"]


def test_data_1_7_empty_cells_are_left_alone_and_hash_na_is_null(rest):
    row = rest.create("Account", Name="Kept", Site="here", Phone="1")
    done = rest.ingest("update", "Account", f"Id,Site,Phone\n{row},,#N/A\n")
    assert done["numberRecordsFailed"] == 0
    (found,) = rest.rows(f"SELECT Site, Phone FROM Account WHERE Id = '{row}'")
    assert (found["Site"], found["Phone"]) == ("here", None)


def test_data_1_7_datetimes_have_an_offset_or_z(rest):
    head = "Subject,DurationInMinutes,ActivityDateTime\n"
    text = "Offset,10,2026-11-24T10:00:00.000+02:00\nZulu,10,2026-11-24T08:00:00.000Z\nDay,10,tomorrow\n"
    assert rest.ingest("insert", "Event", head + text)["numberRecordsFailed"] == 1
    found = rest.rows("SELECT ActivityDateTime FROM Event WHERE Subject IN ('Offset', 'Zulu')")
    assert {one["ActivityDateTime"] for one in found} == {"2026-11-24T08:00:00.000+0000"}


def test_data_1_7_there_is_no_undelete(rest):
    status, _, _ = rest.error("POST", "jobs/ingest", {"object": "Account", "operation": "undelete"})
    assert status == 400


def test_data_1_7_an_ended_job_is_deleted_without_a_body(rest):
    done = rest.ingest("insert", "Account", "Name\nOnce\n")
    gone = rest("DELETE", f"jobs/ingest/{done['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert rest("DELETE", f"jobs/ingest/{done['id']}").status_code == 404


def test_data_1_7_an_aborted_job_has_unprocessed_rows(rest):
    job = rest("POST", "jobs/ingest", {"object": "Account", "operation": "insert"}).json()["id"]
    rest("PUT", f"jobs/ingest/{job}/batches", data=b"Name\nNever\n", headers={"Content-Type": "text/csv"})
    assert rest("PATCH", f"jobs/ingest/{job}", {"state": "Aborted"}).json()["state"] == "Aborted"
    assert "Never" in rest("GET", f"jobs/ingest/{job}/unprocessedrecords").text
    assert rest.rows("SELECT Id FROM Account WHERE Name = 'Never'") == []


def test_data_1_7_hard_delete_needs_a_permission(rest, shared_practice):
    shared_practice.estate.settings.put("bulk_hard_delete", False)
    try:
        status, code, _ = rest.error("POST", "jobs/ingest", {"object": "Account", "operation": "hardDelete"})
    finally:
        shared_practice.estate.settings.clear("bulk_hard_delete")
    assert status in (400, 403) and code
    row = rest.create("Account", Name="Hard")
    assert rest.ingest("hardDelete", "Account", f"Id\n{row}\n")["numberRecordsFailed"] == 0


def test_data_1_7_a_parent_may_be_named_by_its_external_id(rest):
    summary = rest("GET", "sobjects/Contact/describe").json()
    keyed = [one["name"] for one in rest("GET", "sobjects/Account/describe").json()["fields"] if one["externalId"]]
    assert summary["queryable"] and keyed, "the seed has an external id on Account"
    rest.create("Account", **{"Name": "Keyed", keyed[0]: "FACT-17"})
    done = rest.ingest("insert", "Contact", f"LastName,Account.{keyed[0]}\nChild,FACT-17\nLost,NOBODY\n")
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    assert rest.rows(f"SELECT Account.Name FROM Contact WHERE Account.{keyed[0]} = 'FACT-17'")


def test_data_1_8_limits_name_the_bulk_allowances(rest):
    limits = rest("GET", "limits").json()
    assert limits["DailyBulkV2QueryJobs"]["Max"] == 10_000
    assert limits["DailyBulkV2QueryFileStorageMB"]["Max"] == 976_562
    assert limits["DailyApiRequests"]["Max"] == 5_000_000


def test_data_1_7_a_space_beside_a_quote_fails_the_row_and_values_keep_their_spaces(rest):
    done = rest.ingest("insert", "Account", 'Name,Site\n "Quoted",a\nPlain,b\n')
    assert done["numberRecordsFailed"] == 1


def test_data_1_7_mixed_line_endings_do_not_pass(rest):
    done = rest.ingest("insert", "Account", "Name,Site\r\nOne,a\r\n", lineEnding="LF")
    assert done["state"] == "Failed" or done["numberRecordsFailed"] == 1
