"""The token endpoint and who a token belongs to."""

import pytest
import requests


@pytest.fixture
def practice(calm_practice):
    """One world for the tests of this module; those that move its clock or end its server have their own."""
    return calm_practice


def ask_token(practice, base, **changes):
    org = practice.orgs["UATFULL"]
    form = {"grant_type": "client_credentials", "client_id": org.client_id, "client_secret": org.client_secret}
    return requests.post(
        base + "/services/oauth2/token", data={**form, **changes}, timeout=10, verify=str(practice.ca_file)
    )


@pytest.mark.parametrize("door", ["url", "http_url"])
def test_sandbox_4_1_client_credentials_give_a_token_for_the_address_that_was_asked(practice, door):
    base = getattr(practice, door)
    answer = ask_token(practice, base)
    body = answer.json()
    assert answer.status_code == 200
    assert body["instance_url"] == base
    assert body["token_type"] == "Bearer"
    assert body["access_token"].startswith(practice.orgs["UATFULL"].org_id[:15] + "!")
    assert body["id"].startswith(f"{base}/id/{practice.orgs['UATFULL'].org_id}/005")
    assert body["issued_at"].isdigit()
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    me = requests.get(base + "/services/oauth2/userinfo", headers=headers, timeout=10, verify=str(practice.ca_file))
    assert me.json()["organization_id"] == practice.orgs["UATFULL"].org_id
    assert me.json()["preferred_username"] == practice.orgs["UATFULL"].username
    who = requests.get(body["id"], headers=headers, timeout=10, verify=str(practice.ca_file))
    assert who.json()["username"] == practice.orgs["UATFULL"].username


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"client_id": "nobody"}, "invalid_client_id", "client identifier invalid"),
        ({"client_secret": "wrong"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "magic"}, "unsupported_grant_type", "grant type not supported"),
    ],
)
def test_sandbox_4_1_refusals_use_salesforces_words(practice, changes, code, text):
    answer = ask_token(practice, practice.http_url, **changes)
    assert answer.status_code == 400
    assert answer.json() == {"error": code, "error_description": text}


def test_token_requests_reach_the_production_log(practice):
    production = practice.production
    ask_token(practice, practice.http_url, client_id=production.client_id, client_secret=production.client_secret)
    assert [(one.method, one.path) for one in practice.production_requests()] == [("POST", "/services/oauth2/token")]


def test_a_code_works_once(practice):
    org = practice.orgs["UATFULL"]
    user_id = practice.estate.client(org.client_id).user_id
    code = practice.estate.tokens.issue_code(org.org_id[:15], user_id)
    form = {"grant_type": "authorization_code", "code": code, "client_id": "PlatformCLI", "redirect_uri": "http://x"}
    first, second = (
        requests.post(practice.http_url + "/services/oauth2/token", data=form, timeout=10) for _ in range(2)
    )
    assert first.json()["access_token"].startswith(org.org_id[:15])
    assert second.json() == {"error": "invalid_grant", "error_description": "expired authorization code"}


@pytest.mark.parametrize("token", ["", "00D000000000001!AQ.dead"])
def test_userinfo_refuses_with_403(practice, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(practice.http_url + "/services/oauth2/userinfo", headers=headers, timeout=10)
    assert (answer.status_code, answer.text) == (403, "Bad_OAuth_Token" if token else "Missing_OAuth_Token")
