"""Limits and error bodies, as sandbox-and-auth.md 4 and 5 have them."""

import pytest


def test_sandbox_5_a_sandbox_has_five_million_calls_a_day_and_production_its_own(rest, production):
    assert rest("GET", "limits").json()["DailyApiRequests"]["Max"] == 5_000_000
    assert production("GET", "limits").json()["DailyApiRequests"]["Max"] == 1_000_000


def test_sandbox_5_limits_are_pairs(rest):
    found = rest("GET", "limits").json()
    assert {frozenset(one) for one in found.values()} == {frozenset({"Max", "Remaining"})}


@pytest.mark.parametrize("org", ["rest", "production"])
def test_sandbox_5_the_header_agrees_with_the_limits(request, org):
    ask = request.getfixturevalue(org)
    answer = ask("GET", "limits")
    day, bursts = answer.headers["Sforce-Limit-Info"].split("; ")  # the second pair is new
    used, most = day.removeprefix("api-usage=").split("/")
    assert bursts == "api-bursts=1/750"
    limit = answer.json()["DailyApiRequests"]
    assert int(most) == limit["Max"] and int(used) == limit["Max"] - limit["Remaining"]


def test_sandbox_5_the_list_of_versions_has_no_limit_header_and_needs_no_session(shared_practice):
    answer = shared_practice.session.get(f"{shared_practice.http_url}/services/data/", timeout=10)
    assert answer.status_code == 200 and "Sforce-Limit-Info" not in answer.headers
    newest = answer.json()[-1]
    assert newest == {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}


@pytest.mark.parametrize(
    ("token", "code"), [("00D000000000001!dead", "INVALID_SESSION_ID"), ("[REDACTED] Use 'sf'", "INVALID_AUTH_HEADER")]
)
def test_sandbox_5_a_bad_token_is_401_with_its_code(shared_practice, token, code):
    url = f"{shared_practice.http_url}/services/data/v67.0/limits"
    answer = shared_practice.session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, code)


def test_sandbox_5_wrong_ids_and_paths_are_404(rest):
    assert rest.error("GET", "sobjects/Account/001000000000000AAA")[:2] == (404, "NOT_FOUND")
    assert rest.error("GET", "nowhere")[:2] == (404, "NOT_FOUND")


def test_sandbox_5_a_wrong_method_names_all_that_are_allowed(rest):
    status, code, text = rest.error("PUT", "sobjects/Account/001000000000000AAA")
    assert (status, code) == (405, "METHOD_NOT_ALLOWED")
    assert text == "HTTP Method 'PUT' not allowed. Allowed are DELETE,GET,HEAD,PATCH"
    assert rest.error("PUT", "sobjects/Account")[2].endswith("Allowed are GET,HEAD,POST")


def test_sandbox_5_a_refused_row_has_fields_and_a_refused_request_has_none(rest):
    (row,) = rest("POST", "sobjects/Contact", {"FirstName": "No"}).json()
    assert row.keys() == {"message", "errorCode", "fields"} and row["fields"] == ["LastName"]
    (request,) = rest("GET", "query", params={"q": "SELECT Nope FROM Account"}).json()
    assert request.keys() == {"message", "errorCode"}


def test_sandbox_4_3_soap_login_is_gone_from_65(shared_practice):
    def login(version):
        body = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com">'
            "<e:Body><login><username>nobody@x.example</username><password>x</password></login></e:Body></e:Envelope>"
        )
        url = f"{shared_practice.http_url}/services/Soap/u/{version}"
        return shared_practice.session.post(url, data=body, headers={"Content-Type": "text/xml"}, timeout=10)

    old, new = login("64.0"), login("65.0")
    assert old.status_code == new.status_code == 500
    assert "INVALID_LOGIN" in old.text and "INVALID_LOGIN" not in new.text


@pytest.mark.parametrize(
    ("version", "status"), [("21.0", 410), ("30.0", 410), ("50.0", 404), ("68.0", 404), ("62.5", 404)]
)
def test_sandbox_5_retired_versions_are_gone_and_others_unknown(shared_practice, version, status):
    headers = {"Authorization": f"Bearer {shared_practice.orgs['UATFULL'].access_token}"}
    url = f"{shared_practice.http_url}/services/data/v{version}/limits"
    answer = shared_practice.session.get(url, headers=headers, timeout=20)
    assert answer.status_code == status and answer.json()[0]["errorCode"]


def test_sandbox_2_4_stages_came_with_66(production):
    asked = {"q": "SELECT Id FROM SandboxProcessStage LIMIT 1"}
    url = f"{production.practice.http_url}/services/data/v65.0/tooling/query"
    headers = {"Authorization": f"Bearer {production.practice.production.access_token}"}
    answer = production.practice.session.get(url, params=asked, headers=headers, timeout=20)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
    assert production("GET", "tooling/query", params=asked).status_code == 200
