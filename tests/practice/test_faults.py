"""Faults on demand: each deed where it can happen, the n-th time, durable, and only in the org that was named."""

import subprocess
import sys
import time
from datetime import timedelta

import pytest
import requests

from rehearse.practice import admin
from rehearse.practice.estate import Estate
from rehearse.practice.faults import ALLOWED, DEEDS, KINDS, Fault, deeds_at, place

SOAP_HEAD = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://soap.sforce.com/2006/04/'
    'metadata"><soapenv:Header><SessionHeader><sessionId>{}</sessionId></SessionHeader></soapenv:Header>'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)
RETRIEVE = (
    "<retrieve><retrieveRequest><apiVersion>67.0</apiVersion><singlePackage>true</singlePackage><unpackaged>"
    "<types>{}<name>ApexClass</name></types><version>67.0</version></unpackaged></retrieveRequest></retrieve>"
)
COUNT = {"q": "SELECT Id FROM Account LIMIT 3"}


@pytest.fixture
def world(shared_practice):
    shared_practice.faults.clear()
    yield shared_practice
    shared_practice.faults.clear()


def put(world, deed, kind, match="", **more):
    world.faults.put(place(deed, kind, match, **{"nth": 1, **more}))


def soap(world, body):
    token = world.orgs["UATFULL"].access_token
    return world.session.post(
        world.http_url + "/services/Soap/m/67.0",
        data=SOAP_HEAD.format(token, body),
        headers={"Content-Type": "text/xml"},
        timeout=30,
    ).text


def between(text, tag):
    return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]


def wait(look, done, patience=10.0):
    end = time.monotonic() + patience
    while not done(found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def query_job(world, soql, org="UATFULL"):
    job = world.ask(org, "POST", "jobs/query", json={"operation": "query", "query": soql}).json()
    return lambda: world.ask(org, "GET", f"jobs/query/{job['id']}").json()


def retrieve(world, members):
    asked = RETRIEVE.format("".join(f"<members>{one}</members>" for one in members))
    job = between(soap(world, asked), "id")
    check = f"<checkRetrieveStatus><asyncProcessId>{job}</asyncProcessId><includeZip>false</includeZip>"
    return lambda: soap(world, f"{check}</checkRetrieveStatus>")


# ---- on the wire


@pytest.mark.parametrize(
    ("deed", "status", "code"),
    [
        ("500", 500, "UNKNOWN_EXCEPTION"),
        ("401", 401, "INVALID_SESSION_ID"),
        ("403-limit", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("lock-row", 400, "UNABLE_TO_LOCK_ROW"),
    ],
)
def test_the_nth_call_of_a_kind_is_refused_so_many_times(world, deed, status, code):
    put(world, deed, "query", nth=2, times=2)
    answers = [world.ask("UATFULL", "GET", "query", params=COUNT) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, status, status, 200]
    assert answers[1].json()[0]["errorCode"] == code
    assert world.faults.waiting() == []


def test_a_soap_call_gets_a_fault(world):
    put(world, "lock-row", "start-retrieve")
    assert "UNABLE_TO_LOCK_ROW" in soap(world, RETRIEVE.format("<members>*</members>"))


def test_maintenance_is_html(world):
    put(world, "503-html", "query")
    answer = world.ask("UATFULL", "GET", "query", params=COUNT)
    assert (answer.status_code, answer.text[:6]) == (503, "<html>")


def test_a_pattern_narrows_a_kind_and_sees_the_query_decoded(world):
    put(world, "500", "query", "FROM Contact")
    assert world.ask("UATFULL", "GET", "query", params=COUNT).status_code == 200
    assert world.ask("UATFULL", "GET", "query", params={"q": "SELECT Id FROM Contact LIMIT 1"}).status_code == 500


def test_a_fault_of_one_org_leaves_the_others_alone(world):
    put(world, "500", "query", org="DEV2")
    assert world.ask("UATFULL", "GET", "query", params=COUNT).status_code == 200
    assert world.ask("production", "GET", "query", params=COUNT).status_code == 200
    assert world.ask("DEV2", "GET", "query", params=COUNT).status_code == 500
    put(world, "500", "query", org="production")
    assert world.ask("UATFULL", "GET", "query", params=COUNT).status_code == 200
    assert world.ask("production", "GET", "query", params=COUNT).status_code == 500


def test_sandbox_5_a_lost_reply_did_its_work(world):
    put(world, "lose-reply", "save")
    with pytest.raises(requests.exceptions.ConnectionError):
        world.ask("UATFULL", "POST", "sobjects/Lead", json={"LastName": "Lost Reply", "Company": "C"})
    found = world.ask("UATFULL", "GET", "query", params={"q": "SELECT Id FROM Lead WHERE LastName = 'Lost Reply'"})
    assert found.json()["totalSize"] == 1


@pytest.mark.parametrize("deed", ["truncate", "stall"])
def test_a_body_ends_half_way(world, deed):
    put(world, deed, "query", **({"amount": 0.1} if deed == "stall" else {}))
    with pytest.raises(requests.exceptions.RequestException):
        world.ask("UATFULL", "GET", "query", params=COUNT).json()


def test_a_stalled_body_lasts_until_the_client_gives_up(world):
    put(world, "stall", "query", amount=30)
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(
            f"{world.http_url}/services/data/v67.0/query",
            params=COUNT,
            headers={"Authorization": f"Bearer {world.orgs['UATFULL'].access_token}"},
            timeout=0.3,
        )


def test_a_slow_call_is_right_in_the_end(world):
    put(world, "slow", "query", amount=0.05)
    assert world.ask("UATFULL", "GET", "query", params=COUNT).json()["totalSize"] == 3


def test_a_query_finds_an_empty_object(world):
    put(world, "empty", "query", "FROM Account")
    answer = world.ask("UATFULL", "GET", "query", params=COUNT).json()
    assert answer == {"totalSize": 0, "done": True, "records": []}


# ---- inside jobs


def test_a_bulk_query_fails(world):
    put(world, "fail", "query-job", "Account")
    job = wait(query_job(world, "SELECT Id FROM Account"), lambda one: one["state"] == "Failed")
    assert job["state"] == "Failed"
    assert job["errorMessage"]


def test_a_bulk_query_never_ends_but_can_be_aborted(world):
    put(world, "never-end", "query-job")
    look = query_job(world, "SELECT Id FROM Account")
    assert wait(look, lambda one: one["state"] == "InProgress")["state"] == "InProgress"
    assert wait(look, lambda one: one["state"] == "JobComplete", 0.3)["state"] == "InProgress"
    path = f"jobs/query/{look()['id']}"
    assert world.ask("UATFULL", "PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"


def test_a_bulk_query_comes_back_empty(world):
    put(world, "empty", "query-job", "Contact")
    job = wait(query_job(world, "SELECT Id FROM Contact"), lambda one: one["state"] == "JobComplete")
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 0)
    assert world.ask("UATFULL", "GET", f"jobs/query/{job['id']}/results").text == '"Id"\n'


def ingest(world, rows):
    asked = {"object": "Lead", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}
    path = f"jobs/ingest/{world.ask('DEV2', 'POST', 'jobs/ingest', json=asked).json()['id']}"
    csv = "LastName,Company\n" + "".join(f"Many {number},C\n" for number in range(rows))
    assert world.ask("DEV2", "PUT", f"{path}/batches", data=csv, headers={"Content-Type": "text/csv"}).ok
    assert world.ask("DEV2", "PATCH", path, json={"state": "UploadComplete"}).ok
    ended = ("JobComplete", "Failed", "Aborted")
    return path, wait(lambda: world.ask("DEV2", "GET", path).json(), lambda one: one["state"] in ended)


def test_an_ingest_job_ends_with_failures(world):
    put(world, "some-fail", "ingest-job", "Lead")
    path, job = ingest(world, 9)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 9, 3)
    assert world.ask("DEV2", "GET", f"{path}/failedResults").text.count("UNABLE_TO_LOCK_ROW") == 3


def test_one_chunk_of_an_ingest_job_is_locked(world):
    put(world, "lock-row", "chunk", "Lead", nth=2)
    _, job = ingest(world, 250)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (250, 50)


def test_a_retrieve_is_slow_and_right(world):
    put(world, "slow", "retrieve-job", amount=0.05)
    found = wait(retrieve(world, ["*"]), lambda one: between(one, "done") == "true")
    assert between(found, "status") == "Succeeded"


def test_a_big_retrieve_breaks_and_a_small_one_does_not(world):
    put(world, "unknown-exception", "retrieve-job", amount=2, times=50)
    small = wait(retrieve(world, ["A", "B"]), lambda one: between(one, "done") == "true")
    big = wait(retrieve(world, ["A", "B", "C"]), lambda one: between(one, "done") == "true")
    assert between(small, "status") == "Succeeded"
    assert (between(big, "status"), between(big, "errorStatusCode")) == ("Failed", "UNKNOWN_EXCEPTION")


def test_a_retrieve_never_ends_and_does_not_hold_up_the_next(world):
    put(world, "never-end", "retrieve-job")
    stuck = retrieve(world, ["*"])
    found = wait(retrieve(world, ["*"]), lambda one: between(one, "done") == "true")
    assert between(found, "status") == "Succeeded"
    assert between(stuck(), "status") == "InProgress"


# ---- copies


def test_a_copy_is_suspended_and_recovers(company):
    company.estate.faults.put(place("suspend", "copy", nth=1, org="uat", amount=60))
    info = company.create("UAT")
    company.wait(minutes=10)
    assert company.row(info)["Status"] == "Suspended"
    company.wait(minutes=60)
    company.finish()
    assert company.row(info)["Status"] == "Completed"


def test_a_copy_is_stopped_for_good(company):
    company.estate.faults.add(("COPY", "UAT"), do="stop")
    info = company.create("UAT")
    admin.move_clock(company.estate, timedelta(days=9))
    assert company.row(info)["Status"] == "Stopped"


# ---- keeping them


def test_faults_outlive_the_server_and_reach_it_from_beside(world):
    code = "import sys; from pathlib import Path; from rehearse.practice.estate import Estate; "
    code += "e = Estate.open(Path(sys.argv[1])); e.faults.add(('GET', '/query'), do='500'); e.close()"
    subprocess.run([sys.executable, "-c", code, str(world.server.folder)], check=True)
    assert world.ask("UATFULL", "GET", "query", params=COUNT).status_code == 500


def test_waiting_faults_are_kept(company_folder, company):
    company.estate.faults.put(Fault("GET", "/x", 3, "500", 2, 0.0, "UAT"))
    again = Estate.open(company.estate.folder)
    (kept,) = again.faults.waiting()
    assert (kept.point, kept.nth, kept.times, kept.org) == ("GET", 3, 2, "uat")
    assert again.faults.clear() == 1
    again.close()


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("GET", "", 1, "stop"), "cannot happen there"),
        (Fault("NOWHERE", "", 1, "500"), "no place"),
        (Fault("GET", "(", 1, "500"), "no regular expression"),
        (Fault("GET", "", 0, "500"), "counts begin at 1"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(company, fault, text):
    with pytest.raises(ValueError, match=text):
        company.estate.faults.put(fault)
    assert company.estate.faults.waiting() == []


def test_every_deed_has_a_meaning_and_a_kind():
    assert {deed for kind in KINDS for deed in deeds_at(kind)} == set(DEEDS)
    assert {deed for deeds in ALLOWED.values() for deed in deeds} == set(DEEDS)
    with pytest.raises(ValueError, match="cannot happen at query"):
        place("stop", "query", nth=1)
