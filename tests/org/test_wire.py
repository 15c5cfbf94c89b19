"""The wire under faults: what is repeated, what is not, what each answer is called, and that no token gets out."""

import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from rehearse.errors import (
    AllowanceSpent,
    GenerationChanged,
    LoginError,
    OrgBusy,
    OrgError,
    OrgLimit,
    OrgRejected,
    OrgUncertain,
    OrgUnreachable,
    ProductionRefused,
    RehearseError,
    SessionExpired,
)
from rehearse.org.bulk import fetch_json, json_body
from rehearse.org.model import Session
from rehearse.org.proof import SandboxProof
from rehearse.org.rows import RowWriter
from rehearse.org.transport import Transport, WireOptions, clean_origin, is_this_machine, proxies_for
from rehearse.org.wire import Call, Grant, Wire

TOKEN = "00Dsecret!token.that.must.not.be.seen"
Prove = Callable[[str], SandboxProof]


def reply(body: object, status: int = 200, **headers: str) -> tuple[Any, ...]:
    return ("reply", body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def drop(sent: bytes = b"") -> tuple[Any, ...]:
    return ("drop", sent)


def stall(sent: bytes = b"") -> tuple[Any, ...]:
    return ("stall", sent)


GET = Call("GET", "/services/data/v67.0/limits", "Reading limits")
WRITE = Call("POST", "/services/data/v67.0/composite/sobjects", "Inserting rows", body=json_body({}), safe=False)
HTML = reply(b"<!DOCTYPE html><html><body>Down for maintenance</body></html>", 503, Content_Type="text/html")


def error_body(code: str, message: str = "words") -> list[dict[str, object]]:
    return [{"errorCode": code, "message": message, "fields": []}]


# what is repeated


@pytest.mark.parametrize(
    "fault",
    [
        HTML,
        reply(b"", 502),
        reply(error_body("SERVER_UNAVAILABLE"), 503),
        reply(
            error_body("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."), 403
        ),
        reply(error_body("UNABLE_TO_LOCK_ROW"), 400),
        reply(b"", 429),
        reply(b"<html>maintenance</html>", 200, Content_Type="text/html"),
        reply(b'{"cut', 200),
        drop(),
        drop(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{"),
        drop(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n2\r\n{}\r\n"),
        stall(),
        stall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    ],
)
def test_a_read_is_repeated_after_a_passing_fault(wire: Wire, scripted: Any, slept: list[float], fault: Any) -> None:
    scripted.answers(fault, fault, reply({"a": 1}))
    assert fetch_json(wire, GET) == {"a": 1}
    assert len(scripted.seen) == 3
    assert len(slept) == 2


def test_a_read_gives_up_with_the_name_of_the_fault(wire: Wire, scripted: Any, slept: list[float]) -> None:
    scripted.answers(HTML)
    with pytest.raises(OrgBusy, match="503"):
        fetch_json(wire, GET)
    assert len(scripted.seen) == 4
    assert len(slept) == 3
    scripted.answers(drop())
    with pytest.raises(OrgUnreachable, match="broke off"):
        fetch_json(wire, GET)


def test_waits_grow_and_are_not_all_the_same(wire: Wire, scripted: Any, slept: list[float]) -> None:
    scripted.answers(HTML)
    for _ in range(8):
        with pytest.raises(OrgBusy):
            fetch_json(wire, GET)
    assert len(set(slept)) > 8
    assert max(slept[2::3]) <= wire.options.wait_seconds * 4 + 0.01


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
def test_an_answer_that_drips_is_given_up_like_silence(scripted: Any, wire: Wire, open_wire: Wire, head: bytes) -> None:
    scripted.answers(("drip", head + b"a" * 2_000))  # forty seconds of it, each byte well within the time-out
    with pytest.raises(OrgUncertain):
        open_wire.fetch(WRITE)
    assert 2 < scripted.pieces < 1_000, "twice the time-out of 0.3 s are some thirty pieces"
    scripted.answers(("drip", head + b"a" * 2_000), reply({"up": "again"}))
    assert fetch_json(wire, GET) == {"up": "again"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (reply(error_body("MALFORMED_QUERY", "unexpected token"), 400), OrgRejected),
        (reply(error_body("NOT_FOUND"), 404), OrgRejected),
        (reply(error_body("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), 403), AllowanceSpent),
        (reply(error_body("STORAGE_LIMIT_EXCEEDED", "no room"), 400), OrgLimit),
        (reply(error_body("INVALID_SESSION_ID"), 401), SessionExpired),
        (reply(b"", 401), SessionExpired),
        (reply(b"<html>no</html>", 401, Content_Type="text/html"), SessionExpired),
        (reply(b"Bad_OAuth_Token", 403, Content_Type="text/html"), SessionExpired),
        (reply(b"Bad_OAuth_Token", 403, Content_Type="text/plain"), SessionExpired),
        (
            reply(error_body("INVALID_SESSION_ID", "This session is not valid for use with the REST API"), 401),
            LoginError,
        ),
        (reply(b"<html>gone</html>", 404, Content_Type="text/html"), OrgRejected),
        (reply(b"", 302, Location="https://evil.example/"), OrgUnreachable),
        (reply(error_body("UNSUPPORTED_API_VERSION"), 410), OrgRejected),
    ],
)
def test_other_answers_are_not_repeated(wire: Wire, scripted: Any, fault: Any, kind: type[RehearseError]) -> None:
    scripted.answers(fault)
    with pytest.raises(kind) as raised:
        fetch_json(wire, GET)
    assert type(raised.value) is kind
    assert len(scripted.seen) == 1


def test_the_error_code_counts_before_the_status(wire: Wire, scripted: Any) -> None:
    scripted.answers(reply(error_body("MALFORMED_QUERY", "unexpected token: 'x'"), 500))
    with pytest.raises(OrgRejected) as raised:
        fetch_json(wire, GET)
    assert (raised.value.org_code, raised.value.org_message) == ("MALFORMED_QUERY", "unexpected token: 'x'")
    assert raised.value.message.startswith("Reading limits: ")


# writes


@pytest.mark.parametrize(
    "fault",
    [
        HTML,
        reply(b"", 504),
        reply(error_body("SERVER_UNAVAILABLE"), 503),
        reply(error_body("UNKNOWN_EXCEPTION"), 500),
        reply(b'[{"success"', 200),
        reply(b"<html></html>", 200, Content_Type="text/html"),
        drop(),
        drop(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n["),
        stall(),
    ],
)
def test_a_write_whose_reply_is_lost_is_sent_once(open_wire: Wire, scripted: Any, fault: Any) -> None:
    scripted.answers(fault)
    with pytest.raises(OrgUncertain):
        fetch_json(open_wire, WRITE)
    assert len(scripted.seen) == 1


@pytest.mark.parametrize("fault", [reply(error_body("UNABLE_TO_LOCK_ROW"), 400), reply(b"", 429)])
def test_a_write_that_the_org_refused_for_now_is_sent_again(open_wire: Wire, scripted: Any, fault: Any) -> None:
    scripted.answers(fault, reply([{"success": True}]))
    assert fetch_json(open_wire, WRITE) == [{"success": True}]
    assert len(scripted.seen) == 2


def test_a_write_that_never_left_is_not_doubtful(quick: WireOptions, proven: Prove) -> None:
    transport = Transport(None, quick)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # a port that is taken, and nobody listens
        nowhere = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(OrgUnreachable, match="no connection"):
            fetch_json(Wire(transport, Grant(Session(nowhere, TOKEN), "open", proven(nowhere))), WRITE)
    transport.close()


def test_a_closed_wire_sends_no_write(wire: Wire, scripted: Any) -> None:
    with pytest.raises(ProductionRefused):
        fetch_json(wire, WRITE)
    assert scripted.seen == []


def test_an_open_grant_needs_a_proof_of_its_host(scripted: Any, proven: Prove) -> None:
    with pytest.raises(AssertionError):
        Grant(Session(scripted.url, TOKEN), "open")
    with pytest.raises(AssertionError):
        Grant(Session("https://acme.my.salesforce.com", TOKEN), "open", proven(scripted.url))


# sessions


def expiring(good: str) -> object:
    """A script that takes one token only."""

    def script(request: Any) -> Any:
        if request.headers.get("authorization") == f"Bearer {good}":
            return reply({"a": 1})
        return reply(error_body("INVALID_SESSION_ID"), 401)

    return script


def test_a_dead_session_is_renewed_once(scripted: Any, quick: WireOptions) -> None:
    scripted.script = expiring("second")
    transport = Transport(None, quick)
    logins: list[str] = []

    def log_in() -> Session:
        logins.append("x")
        return Session(scripted.url, "second")

    wire = Wire(transport, Grant(Session(scripted.url, "first")), log_in)
    assert fetch_json(wire, GET) == {"a": 1}
    assert fetch_json(wire, GET) == {"a": 1}
    assert len(logins) == 1
    assert len(scripted.seen) == 3
    transport.close()


def test_a_new_token_that_is_dead_too_ends_it(scripted: Any, quick: WireOptions) -> None:
    scripted.script = expiring("never")
    transport = Transport(None, quick)
    wire = Wire(transport, Grant(Session(scripted.url, "first")), lambda: Session(scripted.url, "second"))
    with pytest.raises(SessionExpired):
        fetch_json(wire, GET)
    assert len(scripted.seen) == 2
    transport.close()


def test_threads_that_meet_a_dead_session_share_one_login(scripted: Any, quick: WireOptions) -> None:
    scripted.script = expiring("second")
    transport = Transport(None, quick)
    logins: list[str] = []
    barrier = threading.Barrier(8)
    answers: list[object] = []

    def log_in() -> Session:
        logins.append("x")
        return Session(scripted.url, "second")

    wire = Wire(transport, Grant(Session(scripted.url, "first")), log_in)

    def work() -> None:
        barrier.wait(5)
        answers.append(fetch_json(wire, GET))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [{"a": 1}] * 8
    assert len(logins) == 1
    transport.close()


def test_a_renewed_wire_is_closed_until_it_is_proven_again(scripted: Any, quick: WireOptions, proven: Prove) -> None:
    scripted.script = expiring("second")
    transport = Transport(None, quick)
    first = Grant(Session(scripted.url, "first"), "open", proven(scripted.url))
    wire = Wire(transport, first, lambda: Session(scripted.url, "second"))
    with pytest.raises(ProductionRefused):
        fetch_json(wire, WRITE)
    assert [one.headers["authorization"] for one in scripted.seen] == ["Bearer first"]
    transport.close()


def test_a_proof_that_fails_after_a_renewal_stops_the_write(scripted: Any, quick: WireOptions, proven: Prove) -> None:
    scripted.script = expiring("second")
    transport = Transport(None, quick)

    def grant_for(session: Session) -> Grant:
        raise GenerationChanged("it was refreshed")

    first = Grant(Session(scripted.url, "first"), "open", proven(scripted.url))
    wire = Wire(transport, first, lambda: Session(scripted.url, "second"), grant_for)
    with pytest.raises(GenerationChanged):
        fetch_json(wire, WRITE)
    assert len(scripted.seen) == 1
    transport.close()


def test_a_soap_session_in_the_body_is_renewed_too(scripted: Any, quick: WireOptions) -> None:
    from rehearse.org.soap import SoapCall, call_soap

    fault = (
        b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault>'
        b"<faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: Illegal Session</faultstring>"
        b"</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    good = (
        b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        b"<getServerTimestampResponse><result><timestamp>2026-11-23T08:00:00.000Z</timestamp></result>"
        b"</getServerTimestampResponse></soapenv:Body></soapenv:Envelope>"
    )

    def script(request: Any) -> Any:
        alive = b"<sessionId>second</sessionId>" in request.body
        return reply(good if alive else fault, 200 if alive else 500, Content_Type="text/xml")

    scripted.script = script
    transport = Transport(None, quick)
    wire = Wire(transport, Grant(Session(scripted.url, "first")), lambda: Session(scripted.url, "second"))
    (result,) = call_soap(wire, "67.0", SoapCall("u", "getServerTimestamp", {}, "Asking for the time"))
    assert result.value("timestamp") == "2026-11-23T08:00:00.000Z"
    assert all("authorization" not in one.headers for one in scripted.seen)
    transport.close()


# what must not get out, and where nothing may go


def test_a_token_appears_in_no_message_repr_or_log(wire: Wire, scripted: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scripted.answers(reply(error_body("INVALID_FIELD", f"you sent {TOKEN} to us"), 400))
    with pytest.raises(OrgRejected) as raised:
        fetch_json(wire, GET)
    error = raised.value
    shown = [str(error), repr(error), error.message, error.org_message, repr(wire), caplog.text, str(error.__context__)]
    shown += [repr(Session(scripted.url, TOKEN)), repr(Grant(Session(scripted.url, TOKEN)))]
    assert not any(TOKEN in text for text in shown)
    assert scripted.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_redirect_is_not_followed(wire: Wire, scripted: Any) -> None:
    scripted.answers(reply(b"", 307, Location=f"{scripted.url}/services/apexrest/x"))
    with pytest.raises(OrgUnreachable, match="redirect"):
        fetch_json(wire, GET)
    assert [one.path for one in scripted.seen] == ["/services/data/v67.0/limits"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_write_takes_nothing_anywhere(open_wire: Wire, scripted: Any, status: int) -> None:
    scripted.answers(reply(b"", status, Location=f"{scripted.url}/elsewhere"))
    with pytest.raises(OrgError):
        RowWriter(open_wire, "67.0").insert("Account", [{"Name": "x"}])
    assert [(one.method, one.path.partition("?")[0]) for one in scripted.seen] == [
        ("POST", "/services/data/v67.0/composite/sobjects")
    ]


def test_clear_http_leaves_this_machine_never(quick: WireOptions) -> None:
    transport = Transport(None, quick)
    with pytest.raises(OrgUnreachable, match="not https"):
        fetch_json(Wire(transport, Grant(Session("http://acme.example", TOKEN))), GET)
    transport.close()


def test_proxies_of_the_environment_hold_except_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert proxies_for("https://acme.my.salesforce.com/x")["https"] == "http://proxy.example:3128"
    for local in ("127.0.0.1:8443", "localhost:8443", "127.0.0.2"):
        assert proxies_for(f"https://{local}/x") == {}
    monkeypatch.setenv("NO_PROXY", ".salesforce.com")
    assert "https" not in proxies_for("https://acme.my.salesforce.com/x")


def test_the_local_server_is_reached_past_a_dead_proxy(
    wire: Wire, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    scripted.answers(reply({"a": 1}))
    assert fetch_json(wire, GET) == {"a": 1}


def test_netrc_does_not_replace_the_token(
    wire: Wire, scripted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    scripted.answers(reply({}))
    fetch_json(wire, GET)
    assert scripted.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_usage_is_noted(wire: Wire, scripted: Any) -> None:
    scripted.answers(reply({}, Sforce_Limit_Info="api-usage=10018/100000; api-bursts=1/750"))
    fetch_json(wire, GET)
    assert wire.api_usage == (10018, 100000)


def test_on_call_hears_before_and_after(scripted: Any) -> None:
    heard: list[tuple[str, str, str]] = []
    transport = Transport(None, WireOptions(on_call=lambda *what: heard.append(what), sleep=lambda _: None))
    scripted.answers(reply({}))
    fetch_json(Wire(transport, Grant(Session(scripted.url, TOKEN))), GET)
    assert heard == [("before", "GET", GET.path), ("after", "GET", GET.path)]
    transport.close()


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://Acme.My.Salesforce.com/", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:443/services/x", "https://acme.my.salesforce.com"),
        (" https://127.0.0.1:8443 ", "https://127.0.0.1:8443"),
    ],
)
def test_addresses_have_one_spelling(given: str, origin: str) -> None:
    assert clean_origin(given, "address") == origin


@pytest.mark.parametrize(
    "given",
    ["", "acme.my.salesforce.com", "ftp://acme", "https://", "https://a:b@acme.com", "https://[x", "https://a_b.com"],
)
def test_what_is_no_address_is_said(given: str) -> None:
    with pytest.raises(LoginError):
        clean_origin(given, "address")


def test_a_missing_ca_bundle_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(LoginError, match="does not exist"):
        Transport(tmp_path / "none.pem", WireOptions())


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_broken_ca_bundle_of_the_environment_is_said_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "no.pem").write_text("no certificate")
    for given, why in (("none.pem", "does not exist"), ("no.pem", "holds no certificate")):
        monkeypatch.setenv(name, str(tmp_path / given))
        with pytest.raises(LoginError, match=why) as raised:
            Transport(None, WireOptions())
        assert raised.value.hint is not None and name in raised.value.hint
    monkeypatch.setenv(name, str(tmp_path))  # a folder of certificates
    Transport(None, WireOptions()).close()


def test_requests_itself_cannot_use_our_adapter() -> None:
    transport = Transport(None, WireOptions())
    with requests.Session() as session:
        session.mount("http://", transport._adapter)
        with pytest.raises(AssertionError):
            session.get("http://127.0.0.1:1/services/data")


def test_a_crash_inside_a_call_is_nobodys_to_catch(scripted: Any) -> None:
    class Killed(BaseException):
        pass

    def crash(moment: str, method: str, path: str) -> None:
        if moment == "after":
            raise Killed

    transport = Transport(None, WireOptions(on_call=crash, sleep=lambda _: None))
    with pytest.raises(Killed):
        fetch_json(Wire(transport, Grant(Session(scripted.url, TOKEN))), GET)
    assert len(scripted.seen) == 1
    transport.close()


def test_what_an_answer_says_of_the_time_is_heard(scripted: Any) -> None:
    heard: list[str] = []
    transport = Transport(None, WireOptions(on_date=heard.append, sleep=lambda _: None))
    scripted.answers(reply([], Date="Sun, 22 Nov 2026 08:00:00 GMT"))
    fetch_json(Wire(transport, Grant(Session(scripted.url, TOKEN))), GET)
    assert heard == ["Sun, 22 Nov 2026 08:00:00 GMT"]
    transport.close()


def test_a_write_after_a_pause_takes_a_new_connection(scripted: Any, proven: Prove) -> None:
    """The first connection is dropped without a word while nothing is said on it."""
    transport = Transport(None, WireOptions(idle_seconds=-1, sleep=lambda _: None))
    wire = Wire(transport, Grant(Session(scripted.url, TOKEN), "open", proven(scripted.url)))
    scripted.answers(reply([]))
    fetch_json(wire, GET)
    fetch_json(wire, WRITE)
    fetch_json(wire, GET)
    first, second, third = (one.headers["x-connection"] for one in scripted.seen)
    assert first != second and second == third
    transport.close()


@pytest.mark.parametrize("host", ["acme", "127.1", "evil.localhost", "10.0.0.1", "128.0.0.1"])
def test_only_this_machine_is_this_machine(host: str) -> None:
    assert not is_this_machine(host)


def test_the_error_tree_says_what_may_be_repeated() -> None:
    assert issubclass(OrgBusy, OrgError) and not issubclass(OrgUncertain, OrgBusy)
    assert not issubclass(SandboxProof, RehearseError)
