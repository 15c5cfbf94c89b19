"""Addresses, methods, headers, host names and bytes that are no HTTP: the door stays closed and in place."""

import socket
import string

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

some = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def any_of(words):
    return st.sampled_from(words.split())


# ---- addresses, methods, headers

paths = st.lists(
    any_of(
        "sobjects Account describe query queryAll composite jobs ingest tooling metadata deployRequest limits recent "
        "parameterizedSearch search .. . %2e%2e %00 %0d%0a 001000000000001AAA *.* é %ff %F0%9F%99%82 ; ?q= # ~"
    ),
    max_size=6,
).map("/".join)


@given(path=paths, method=any_of("GET POST PUT PATCH DELETE HEAD OPTIONS TRACE BREW"))
@some
def test_any_address_and_method_is_answered(world, path, method):
    world.ask(method, path, data=b"{}" if method in ("POST", "PUT", "PATCH") else None)


@pytest.mark.parametrize(
    "version", ["v1.0", "v50.0", "v68.0", "v999999999999.0", "vX", "v67", "v67.1", "67.0", "v٦٧.0", "v-1.0"]
)
def test_an_unknown_version_is_not_found(world, version):
    assert world.ask("GET", f"/services/data/{version}/limits").status_code == 404
    world.soap("m", b"").close()


@given(
    name=any_of(
        "Sforce-Query-Options Sforce-Call-Options If-Modified-Since If-Unmodified-Since Content-Type Accept Range "
        "Accept-Encoding Authorization If-Match X-PrettyPrint Sforce-Auto-Assign"
    ),
    value=st.text(
        string.printable.replace("\r", "").replace("\n", "").replace("\x0b", "").replace("\x0c", ""), max_size=30
    ),
)
@some
def test_any_header_is_answered(world, name, value):
    world.ask("GET", "query", params={"q": "SELECT Id FROM Account LIMIT 1"}, headers={name: value.strip()})
    world.ask("POST", "sobjects/Account", data=b'{"Name": "x"}', headers={name: value.strip()})


@pytest.mark.parametrize(
    "body", [b"grant_type=password&username=%ff", b"\xff", b"grant_type", b"assertion=a.b.c&grant_type=" * 50]
)
def test_odd_logins_are_refused(world, body):
    answer = requests.post(
        world.url + "/services/oauth2/token",
        data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )
    world.hold("/services/oauth2/token", answer)
    assert answer.status_code == 400
    assert answer.json()["error"]


# ---- the door


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1", ""]
)
def test_another_host_name_is_misdirected(world, name):
    answer = world.practice.ask("DEV2", "GET", "limits", headers={"Host": name})
    assert answer.status_code in (400, 421)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /services/data/v67.0/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n\r\nx",
        b"POST /services/data/v67.0/query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /services/Soap/m/67.0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n<half",
    ],
)
def test_what_is_no_http_ends_the_connection_and_nothing_else(world, sent):
    port = int(world.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.sendall(sent)
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65_536):
            pass
    world.no_bug()
    assert world.ask("GET", "limits").status_code == 200
