"""Every kind of login: a stand-in `sf` program on the PATH, and a token endpoint that checks what it is sent."""

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rehearse.errors import LoginError, OrgUnreachable
from rehearse.org import logins
from rehearse.org.model import Login
from rehearse.org.transport import Transport, WireOptions

SECRET = "a-client-secret-that-must-not-be-seen"
TOKEN = "00Dsecret!token.that.must.not.be.seen"
REDACTED = "[REDACTED] Use 'sf org auth show-access-token' to view"


def reply(body: object, status: int = 200, **headers: str) -> tuple[Any, ...]:
    return ("reply", body, status, headers)


@pytest.fixture
def transport(quick: WireOptions) -> Any:
    transport = Transport(None, quick)
    yield transport
    transport.close()


# client credentials


def credentials(url: str) -> Login:
    return Login("client_credentials", url=url, client_id="an-id", secret=SECRET)


def test_client_credentials_bring_a_token_and_an_address(scripted: Any, transport: Transport) -> None:
    scripted.answers(reply({"access_token": TOKEN, "instance_url": f"{scripted.url}/"}))
    session = logins.fetch_session(credentials(f"{scripted.url}/"), transport)
    assert (session.instance_url, session.access_token) == (scripted.url, TOKEN)
    (seen,) = scripted.seen
    assert (seen.method, seen.path) == ("POST", "/services/oauth2/token")
    assert parse_qs(seen.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["an-id"],
        "client_secret": [SECRET],
    }
    assert "authorization" not in seen.headers


def test_a_refused_login_is_named_without_its_secret(scripted: Any, transport: Transport) -> None:
    scripted.answers(reply({"error": "invalid_client", "error_description": f"bad secret {SECRET}"}, 401))
    with pytest.raises(LoginError) as raised:
        logins.fetch_session(credentials(scripted.url), transport)
    assert "invalid_client" in raised.value.message
    assert SECRET not in raised.value.message + repr(raised.value.__cause__) + repr(credentials(scripted.url))


@pytest.mark.parametrize(
    "answer",
    [
        reply({"access_token": TOKEN}),
        reply({"access_token": TOKEN, "instance_url": "nonsense"}),
        reply({"access_token": "", "instance_url": "https://acme.my.salesforce.com"}),
        reply([]),
        reply(b"hello"),
        reply({"error": "invalid_grant", "error_description": "no"}, 400),
    ],
)
def test_answers_without_a_usable_token_are_login_errors(scripted: Any, transport: Transport, answer: Any) -> None:
    scripted.answers(answer)
    with pytest.raises(LoginError):
        logins.fetch_session(credentials(scripted.url), transport)


def test_a_login_is_tried_again_when_the_server_is_busy(scripted: Any, transport: Transport) -> None:
    good = reply({"access_token": TOKEN, "instance_url": scripted.url})
    scripted.answers(reply(b"<html></html>", 503), ("drop", b""), good)
    assert logins.fetch_session(credentials(scripted.url), transport).access_token == TOKEN


def test_a_login_at_a_clear_address_elsewhere_is_not_sent(transport: Transport) -> None:
    with pytest.raises(OrgUnreachable, match="not https"):
        logins.fetch_session(credentials("http://acme.my.salesforce.com"), transport)


# a given token


@pytest.mark.parametrize("token", ["", "  ", REDACTED, "two words", "line\nend", "zero\u200bwidth", "tab\there"])
def test_a_malformed_token_is_refused_before_it_is_sent_and_not_shown(token: str, transport: Transport) -> None:
    with pytest.raises(LoginError) as raised:
        logins.fetch_session(Login("token", url="https://acme.my.salesforce.com", secret=token), transport)
    assert not token.strip() or token not in raised.value.message


def test_a_given_token_is_trimmed_and_cannot_be_renewed(transport: Transport) -> None:
    login = Login("token", url="https://acme.my.salesforce.com", secret=f" {TOKEN}\n")
    assert logins.fetch_session(login, transport).access_token == TOKEN
    assert not logins.can_renew(login)
    assert TOKEN not in repr(login)


# JWT


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def jwt_login(url: str, key: str) -> Login:
    return Login("jwt", url=url, client_id="an-id", username="release@acme.example.uat", key=key)


def taking_audience(server: Any, key: rsa.RSAPrivateKey, audience: str) -> list[str]:
    """The server verifies the assertion as Salesforce does, and takes one audience; returns what it was offered."""
    offered: list[str] = []

    def script(request: Any) -> Any:
        form = parse_qs(request.body.decode())
        claims = jwt.decode(
            form["assertion"][0], key.public_key(), algorithms=["RS256"], options={"verify_aud": False}, issuer="an-id"
        )
        offered.append(claims["aud"])
        if claims["aud"] != audience or claims["sub"] != "release@acme.example.uat":
            return reply({"error": "invalid_grant", "error_description": "audience is invalid"}, 400)
        return reply({"access_token": TOKEN, "instance_url": server.url})

    server.script = script
    return offered


def test_audiences_are_tried_until_one_is_taken(scripted: Any, transport: Transport, key: rsa.RSAPrivateKey) -> None:
    offered = taking_audience(scripted, key, scripted.url)
    session = logins.fetch_session(jwt_login(scripted.url, pem(key)), transport)
    assert session.username == "release@acme.example.uat"
    assert offered == ["https://login.salesforce.com", "https://test.salesforce.com", scripted.url]


def test_no_audience_taken_is_one_clear_error(scripted: Any, transport: Transport, key: rsa.RSAPrivateKey) -> None:
    offered = taking_audience(scripted, key, "nobody")
    with pytest.raises(LoginError, match="audience is invalid") as raised:
        logins.fetch_session(jwt_login(scripted.url, pem(key)), transport)
    assert len(offered) == 3
    assert raised.value.message.count("audience is invalid") == 1


def test_the_audience_can_be_given(
    scripted: Any, transport: Transport, key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SF_AUDIENCE_URL", "https://own.example")
    offered = taking_audience(scripted, key, "https://own.example")
    logins.fetch_session(jwt_login(scripted.url, pem(key)), transport)
    assert offered == ["https://own.example"]


def test_a_sandbox_is_tried_with_test_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SF_AUDIENCE_URL", raising=False)
    first, second, third = logins.audiences("https://acme--uat.sandbox.my.salesforce.com")
    assert (first, second) == ("https://test.salesforce.com", "https://login.salesforce.com")
    assert third == "https://acme--uat.sandbox.my.salesforce.com"
    assert logins.audiences("https://login.salesforce.com")[0] == "https://login.salesforce.com"


def test_a_busy_server_does_not_use_up_audiences(scripted: Any, transport: Transport, key: rsa.RSAPrivateKey) -> None:
    offered = taking_audience(scripted, key, "https://login.salesforce.com")
    script, waiting = scripted.script, [reply(b"", 503)]
    scripted.script = lambda request: waiting.pop() if waiting else script(request)
    logins.fetch_session(jwt_login(scripted.url, pem(key)), transport)
    assert offered == ["https://login.salesforce.com"]


@pytest.mark.parametrize("bad", ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_broken_key_is_said_without_showing_it(bad: str, transport: Transport) -> None:
    with pytest.raises(LoginError, match="private key") as raised:
        logins.fetch_session(jwt_login("https://acme.my.salesforce.com", bad), transport)
    assert not bad or bad not in raised.value.message


# the Salesforce CLI


def fake_sf(folder: Path, monkeypatch: pytest.MonkeyPatch, answers: dict[str, object], status: int = 0) -> Path:
    """A program `sf` that answers `org display` and `org auth show-access-token`, and writes down how it was called."""
    log = folder / "calls.jsonl"
    (folder / "answers.json").write_text(json.dumps(answers))
    program = folder / "sf"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys, pathlib\n"
        "here = pathlib.Path(__file__).parent\n"
        "call = {'arguments': sys.argv[1:], 'NO_COLOR': os.environ.get('NO_COLOR')}\n"
        "call['FORCE_COLOR'] = os.environ.get('FORCE_COLOR')\n"
        "open(here / 'calls.jsonl', 'a').write(json.dumps(call) + '\\n')\n"
        "answers = json.loads((here / 'answers.json').read_text())\n"
        "key = 'token' if 'show-access-token' in sys.argv else 'display'\n"
        "print('Warning: a new version is there')\n"
        "print(json.dumps(answers.get(key, {'name': 'Unknown'})))\n"
        f"sys.exit({status})\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FORCE_COLOR", "1")
    return log


SHOWN = {"id": "00D", "username": "a@acme.example", "instanceUrl": "https://acme.my.salesforce.com/"}


def test_a_new_cli_is_asked_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: Transport) -> None:
    answers = {
        "display": {"status": 0, "result": {**SHOWN, "accessToken": REDACTED}},
        "token": {"status": 0, "result": {"accessToken": TOKEN}, "warnings": ["x"]},
    }
    log = fake_sf(tmp_path, monkeypatch, answers)
    session = logins.fetch_session(Login("sf", alias="acme-prod"), transport)
    assert (session.instance_url, session.access_token) == ("https://acme.my.salesforce.com", TOKEN)
    assert session.username == "a@acme.example"
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    assert [call["arguments"] for call in calls] == [
        ["org", "display", "--target-org", "acme-prod", "--json"],
        ["org", "auth", "show-access-token", "--target-org", "acme-prod", "--json"],
    ]
    assert all(call["NO_COLOR"] == "1" and call["FORCE_COLOR"] is None for call in calls)


def test_an_old_cli_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: Transport) -> None:
    log = fake_sf(tmp_path, monkeypatch, {"display": {"result": {**SHOWN, "accessToken": TOKEN}}})
    assert logins.fetch_session(Login("sf", alias="acme-prod"), transport).access_token == TOKEN
    assert len(log.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"display": {"name": "NoOrgFound", "message": f"secret {TOKEN}"}}, 1),
        (
            {"display": {"result": {**SHOWN, "accessToken": REDACTED}}, "token": {"result": {"accessToken": REDACTED}}},
            0,
        ),
        ({"display": {"result": {**SHOWN, "accessToken": REDACTED}}, "token": {"name": "X"}}, 0),
        ({"display": {"result": {"accessToken": TOKEN}}}, 0),
        ({"display": {"result": None}}, 0),
        ({"display": "nonsense"}, 0),
    ],
)
def test_what_the_cli_cannot_give_is_said_without_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: Transport, answers: dict[str, object], status: int
) -> None:
    fake_sf(tmp_path, monkeypatch, answers, status)
    with pytest.raises(LoginError) as raised:
        logins.fetch_session(Login("sf", alias="acme-prod"), transport)
    assert TOKEN not in raised.value.message and "acme-prod" in raised.value.message


def test_a_missing_cli_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: Transport) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LoginError, match="not on the PATH"):
        logins.fetch_session(Login("sf", alias="acme-prod"), transport)


def test_an_alias_is_no_shell_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: Transport) -> None:
    log = fake_sf(tmp_path, monkeypatch, {"display": {"result": {**SHOWN, "accessToken": TOKEN}}})
    logins.fetch_session(Login("sf", alias=f"x; touch {tmp_path}/made"), transport)
    assert not (tmp_path / "made").exists()
    assert "touch" in log.read_text()
