"""The server as a client meets it: TLS and plain HTTP, sessions, versions, errors that look like Salesforce's."""

import socket

import pytest
import requests

from rehearse.practice.server import FolderTaken, PracticeServer

SERVER_TIME = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:p="urn:partner.soap.sforce.com"><e:Header><p:SessionHeader><p:sessionId>{}</p:sessionId>'
    "</p:SessionHeader></e:Header><e:Body><p:{}/></e:Body></e:Envelope>"
)


def test_answers_over_tls_with_its_own_ca(practice):
    answer = requests.get(practice.url + "/services/data/v67.0/nothing", verify=str(practice.ca_file), timeout=10)
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_does_not_trust_itself_without_the_ca(practice):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(practice.url, timeout=10)


@pytest.mark.parametrize("token", ["", "nonsense", "00D000000000001!AQ.dead"])
def test_data_5_1_dead_tokens_are_refused(practice, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(practice.http_url + "/services/data/v67.0/jobs/query", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


def test_a_header_that_is_no_token_is_told_apart(practice):
    headers = {"Authorization": "Bearer [REDACTED] Use 'sf org auth show-access-token' to view"}
    answer = requests.get(practice.http_url + "/services/data/v67.0/limits", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_AUTH_HEADER")


@pytest.mark.parametrize("version", ["50.0", "68.0", "67.1", "999.0"])
def test_sandbox_5_unknown_api_versions_do_not_exist(practice, version):
    answer = practice.ask("UATFULL", "GET", f"/services/data/v{version}/jobs/query")
    assert answer.status_code == 404
    assert answer.json() == [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


def test_unknown_paths_and_methods_answer_in_json(practice):
    missing = practice.ask("UATFULL", "GET", "no/such/thing")
    assert (missing.status_code, missing.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    wrong = practice.ask("UATFULL", "PUT", "jobs/query")
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


def test_a_token_dies_with_its_org(practice):
    sandbox = practice.orgs["UATFULL"]
    assert practice.ask("UATFULL", "GET", "jobs/query").status_code == 200
    practice.estate.set_org_gone(sandbox.org_id)
    assert practice.ask("UATFULL", "GET", "jobs/query").status_code == 401


def test_too_long_an_address_is_refused(practice):
    answer = practice.ask("UATFULL", "GET", "query", params={"q": "x" * 17_000})
    assert answer.status_code == 414


def test_another_host_name_is_refused(practice):
    answer = requests.get(practice.http_url + "/services/data", headers={"Host": "evil.example"}, timeout=10)
    assert answer.status_code == 421


def test_listens_on_loopback_only(practice):
    port = int(practice.http_url.rpartition(":")[2])
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(0.5)
        other.connect((socket.gethostbyname(socket.gethostname()), port))
        if other.getpeername()[0].startswith("127."):
            raise OSError("this machine's name is loopback")


def test_dates_and_limits_come_with_every_answer(practice):
    answer = practice.ask("UATFULL", "GET", "jobs/query")
    assert answer.headers["Date"].startswith("Mon, 23 Nov 2026 08:0")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/5000000; api-bursts=1/750"


def test_production_is_logged_without_query_or_token(practice):
    practice.ask("production", "GET", "jobs/query?jobType=V2Query")
    practice.ask("UATFULL", "GET", "jobs/query")
    body = SERVER_TIME.format(practice.production.access_token, "getServerTimestamp")
    practice.ask("production", "POST", "/services/Soap/u/67.0", data=body, headers={"Content-Type": "text/xml"})
    log = practice.production_requests()
    assert [(one.method, one.path, one.operation, one.status) for one in log] == [
        ("GET", "/services/data/v67.0/jobs/query", None, 200),
        ("POST", "/services/Soap/u/67.0", "getServerTimestamp", 200),
    ]
    assert practice.production.access_token not in repr(log)


def test_one_folder_has_one_server(practice):
    with pytest.raises(FolderTaken):
        PracticeServer(practice.server.folder).start()


@pytest.mark.parametrize(
    ("do", "status", "code"), [("500", 500, "UNKNOWN_EXCEPTION"), ("401", 401, "INVALID_SESSION_ID")]
)
def test_data_5_1_faults_that_answer_instead(practice, do, status, code):
    practice.faults.add(("GET", "/jobs/query"), nth=2, do=do)
    answers = [practice.ask("UATFULL", "GET", "jobs/query") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, status, 200]
    assert answers[1].json()[0]["errorCode"] == code


def test_sandbox_5_maintenance_page_is_html(practice):
    practice.faults.add(("GET", "/jobs/query"), do="503-html")
    answer = practice.ask("UATFULL", "GET", "jobs/query")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")


def test_sandbox_5_a_lost_reply_did_its_work(practice):
    sandbox = practice.orgs["UATFULL"]
    form = {"grant_type": "client_credentials", "client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    (before,) = practice.estate.file.load_rows("SELECT count(*) AS n FROM tokens")
    practice.faults.add(("POST", "oauth2/token"), do="lose-reply")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(practice.http_url + "/services/oauth2/token", data=form, timeout=10)
    (after,) = practice.estate.file.load_rows("SELECT count(*) AS n FROM tokens")
    assert after["n"] == before["n"] + 1


def test_sandbox_5_a_truncated_answer_is_not_whole(practice):
    practice.faults.add(("GET", "/jobs/query"), do="truncate")
    with pytest.raises(requests.exceptions.RequestException):
        practice.ask("UATFULL", "GET", "jobs/query").json()


def test_a_full_disk_is_said_and_nothing_is_half_written(practice):
    org = practice.estate.org(practice.orgs["DEV2"].org_id)
    pages = org.db.execute("PRAGMA page_count").fetchone()[0]
    org.db.execute(f"PRAGMA max_page_count = {pages + 5}")
    records = [{"attributes": {"type": "Account"}, "Name": "x", "Description": "y" * 9_000} for _ in range(9)]
    refused = practice.ask("DEV2", "POST", "composite/sobjects", json={"records": records})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (503, "SERVER_UNAVAILABLE")
    assert "disk is full" in refused.text
    org.db.execute("PRAGMA max_page_count = 1000000")
    assert practice.ask("DEV2", "POST", "composite/sobjects", json={"records": records}).status_code == 200
    asked = practice.ask("DEV2", "GET", "query", params={"q": "SELECT count() FROM Account"})
    assert asked.json()["totalSize"] == 9
