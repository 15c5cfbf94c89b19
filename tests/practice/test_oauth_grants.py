"""Grants for people: password, JWT bearer, refresh token, and the log-in page of the web flow."""

import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from rehearse.practice.person_secrets import (
    ensure_jwt_certificate,
    ensure_jwt_key,
    ensure_password,
    ensure_security_token,
)


@pytest.fixture
def practice(calm_practice):
    """One world for the tests of this module: none of them disturbs the next."""
    return calm_practice


JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
REDIRECT = "http://localhost:1717/OauthRedirect"


def ask(practice, **form):
    return practice.session.post(practice.http_url + "/services/oauth2/token", data=form, timeout=20)


def password_of(practice):
    return ensure_password(practice.server.folder).read_text()


def by_password(practice, client, username, **changes):
    form = {
        "grant_type": "password",
        "client_id": practice.orgs[client].client_id,
        "client_secret": practice.orgs[client].client_secret,
        "username": username,
        "password": password_of(practice),
    }
    return ask(practice, **{**form, **changes})


def sign(practice, username, key=None, client="UATFULL", **changes):
    claims = {
        "iss": practice.orgs[client].client_id,
        "sub": username,
        "aud": "https://test.salesforce.com",
        "exp": int(time.time()) + 180,
    }
    pem = ensure_jwt_key(practice.server.folder).read_text() if key is None else key
    return jwt.encode({**claims, **changes}, pem, algorithm="RS256")


def test_a_password_gives_a_token_of_that_users_org_and_no_refresh_token(practice):
    org = practice.orgs["UATFULL"]
    for password in (
        password_of(practice),
        password_of(practice) + ensure_security_token(practice.server.folder).read_text(),
    ):
        body = by_password(practice, "UATFULL", org.username.upper(), password=password).json()
        assert body["access_token"].startswith(org.org_id[:15] + "!")
        assert body["instance_url"] == practice.http_url
        assert "refresh_token" not in body


@pytest.mark.parametrize(
    ("client", "changes", "error"),
    [
        ("UATFULL", {"password": "wrong"}, ("invalid_grant", "authentication failure")),
        ("UATFULL", {"username": "nobody@tidewater.example"}, ("invalid_grant", "authentication failure")),
        ("UATFULL", {"client_secret": "wrong"}, ("invalid_client", "invalid client credentials")),
        ("UATFULL", {"client_id": "nobody"}, ("invalid_client_id", "client identifier invalid")),
        ("DEV1", {}, ("invalid_grant", "authentication failure")),
    ],
)
def test_a_password_grant_is_refused_in_salesforces_words(practice, client, changes, error):
    changes = {"username": practice.orgs["UATFULL"].username, **changes}
    answer = by_password(practice, client, **changes)
    assert answer.status_code == 400
    assert (answer.json()["error"], answer.json()["error_description"]) == error
    assert password_of(practice) not in answer.text


def test_productions_client_reaches_every_org(practice):
    body = by_password(practice, "production", practice.orgs["UATFULL"].username).json()
    assert body["access_token"].startswith(practice.orgs["UATFULL"].org_id[:15])


@pytest.mark.parametrize("audience", ["https://test.salesforce.com", "https://login.salesforce.com", "own"])
def test_a_signed_assertion_gives_a_token(practice, audience):
    org = practice.orgs["UATFULL"]
    signed = sign(practice, org.username, aud=practice.http_url if audience == "own" else audience)
    body = ask(practice, grant_type=JWT, assertion=signed).json()
    assert body["access_token"].startswith(org.org_id[:15] + "!")
    assert "refresh_token" not in body


def test_the_expiry_in_milliseconds_of_the_cli_is_let_in(practice):
    signed = sign(practice, practice.orgs["UATFULL"].username, exp=int(time.time() * 1000) + 300)
    assert ask(practice, grant_type=JWT, assertion=signed).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exp": 1_700_000_000}, ("invalid_grant", "invalid assertion")),
        ({"aud": "https://elsewhere.example"}, ("invalid_grant", "audience is invalid")),
        ({"iss": "nobody"}, ("invalid_client_id", "client identifier invalid")),
        ({"sub": "nobody@tidewater.example"}, ("invalid_grant", "user hasn't approved this consumer")),
    ],
)
def test_a_wrong_assertion_is_refused(practice, changes, error):
    answer = ask(practice, grant_type=JWT, assertion=sign(practice, practice.orgs["UATFULL"].username, **changes))
    assert (answer.status_code, (answer.json()["error"], answer.json()["error_description"])) == (400, error)


def test_an_assertion_of_another_key_or_none_is_refused(practice):
    from cryptography.hazmat.primitives import serialization as form

    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = stranger.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    username = practice.orgs["UATFULL"].username
    unsigned = jwt.encode({"sub": username}, "", algorithm="none")
    for assertion in (sign(practice, username, key=pem), unsigned, "", "a.b.c"):
        assert ask(practice, grant_type=JWT, assertion=assertion).json()["error_description"] == "invalid assertion"


def test_what_people_log_in_with_is_made_once_and_private(practice):
    folder = practice.server.folder
    for make in (ensure_password, ensure_security_token, ensure_jwt_key, ensure_jwt_certificate):
        first: Path = make(folder)
        before = first.read_bytes()
        assert make(folder).read_bytes() == before
        assert first.stat().st_mode & 0o077 == 0
    assert not [one for one in first.parent.iterdir() if one.name.count(".") > 2]


def log_in(practice, **changes):
    query = {"response_type": "code", "client_id": "PlatformCLI", "redirect_uri": REDIRECT, "state": "s t"}
    form = {"username": practice.orgs["UATFULL"].username, "password": password_of(practice)}
    asked = {name: changes.get(name, value) for name, value in query.items()}
    sent = {name: changes.get(name, value) for name, value in form.items()}
    address = practice.http_url + "/services/oauth2/authorize"
    assert "<form" in practice.session.get(address, params=query, timeout=20).text
    return practice.session.post(address, params=asked, data=sent, allow_redirects=False, timeout=20)


def test_the_log_in_page_leads_to_a_code_and_the_code_to_tokens(practice):
    answer = log_in(practice)
    assert answer.status_code == 302 and answer.headers["location"].startswith(REDIRECT + "?")
    sent = parse_qs(urlsplit(answer.headers["location"]).query)
    assert sent["state"] == ["s t"]
    form = {"grant_type": "authorization_code", "client_id": "PlatformCLI", "code": sent["code"][0]}
    body = ask(practice, **form).json()
    org = practice.orgs["UATFULL"]
    assert body["access_token"].startswith(org.org_id[:15])
    refreshed = ask(
        practice, grant_type="refresh_token", client_id="PlatformCLI", refresh_token=body["refresh_token"]
    ).json()
    assert refreshed["access_token"] not in ("", body["access_token"])
    again = ask(practice, **{**form, "code": body["refresh_token"]})
    assert again.json()["error_description"] == "expired authorization code"


def test_the_log_in_page_refuses(practice):
    assert "Please check" in log_in(practice, password="wrong").text
    assert "redirect_uri_mismatch" in log_in(practice, redirect_uri="https://elsewhere.example/x").text
    assert "redirect_uri_mismatch" in log_in(practice, response_type="token").text
    assert "invalid_client_id" in log_in(practice, client_id="nobody").text


def test_a_refresh_token_dies_with_its_org(practice):
    org = practice.orgs["DEV1"]
    user_id = practice.estate.client(org.client_id).user_id
    token = practice.estate.tokens.issue_refresh(org.org_id[:15], user_id)
    practice.estate.set_org_gone(org.org_id)
    answer = ask(practice, grant_type="refresh_token", client_id="PlatformCLI", refresh_token=token)
    assert answer.json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}
