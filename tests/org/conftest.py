"""A scripted server on 127.0.0.1 for faults that no polite server makes: raw bytes, dropped connections, silence."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from rehearse.org.connect import (
    OrgReader,
    OrgWriter,
    ProductionControl,
    SandboxClaim,
    connect_control,
    connect_reader,
    connect_writer,
)
from rehearse.org.model import Identity, Login, SandboxCopy, Session
from rehearse.org.proof import ProductionWord, SandboxProof
from rehearse.org.transport import Transport, WireOptions
from rehearse.org.wire import Grant, Wire

TOKEN = "00Dsecret!token.that.must.not.be.seen"


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


# ("reply", body, status, headers) · ("drop", bytes sent before closing) · ("stall", bytes sent before silence)
# · ("drip", bytes that are sent one by one)
Answer = tuple[Any, ...]
Script = Callable[[Request], Answer]


def build_reply(body: object, status: int, headers: dict[str, str]) -> bytes:
    """A whole answer; anything but bytes becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    known = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in known.items() if value)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


@dataclass
class ScriptedServer:
    """Answers with `script`; keeps what it was asked in `seen`."""

    url: str
    script: Script = field(default=lambda request: ("reply", {}, 200, {}))
    seen: list[Request] = field(default_factory=list)
    pieces: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def answers(self, *given: Answer) -> None:
        """Give these answers in turn, the last one for ever."""
        waiting = list(given)

        def script(request: Request) -> Answer:
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

        self.script = script


def _read_request(file: object) -> Request | None:
    line = file.readline().decode("latin-1")  # type: ignore[attr-defined]
    if not line.strip():
        return None
    method, path, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while (header := file.readline().decode("latin-1").strip()) != "":  # type: ignore[attr-defined]
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = file.read(int(headers.get("content-length", "0")))  # type: ignore[attr-defined]
    return Request(method, path, headers, body)


def _serve(server: ScriptedServer, connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as file:
        while not server.closing.is_set():
            try:
                request = _read_request(file)
            except OSError:
                return
            if request is None:
                return
            request.headers["x-connection"] = str(connection.getpeername()[1])
            server.seen.append(request)
            answer = server.script(request)
            sent = build_reply(*answer[1:]) if answer[0] == "reply" else answer[1]
            try:
                for piece in [sent[at : at + 1] for at in range(len(sent))] if answer[0] == "drip" else [sent]:
                    connection.sendall(piece)
                    server.pieces += 1
                    if answer[0] == "drip" and server.closing.wait(0.02):
                        return
            except OSError:
                return
            if answer[0] == "stall":
                server.closing.wait(20)
            if answer[0] != "reply":
                return


def _accept(server: ScriptedServer, listener: socket.socket, threads: list[threading.Thread]) -> None:
    while not server.closing.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.settimeout(20)
        thread = threading.Thread(target=_serve, args=(server, connection), daemon=True)
        threads.append(thread)
        thread.start()


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A scripted server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=_accept, args=(server, listener, threads), daemon=True)
        accepting.start()
        yield server
        server.closing.set()
        listener.shutdown(socket.SHUT_RDWR)
    accepting.join(5)


@pytest.fixture
def slept() -> list[float]:
    """The waits that the retry policy and the polls asked for."""
    return []


@pytest.fixture
def quick(slept: list[float]) -> WireOptions:
    """Options that never sleep and give up on silence at once."""
    return WireOptions(connect_seconds=2, read_seconds=0.3, write_seconds=0.3, attempts=4, sleep=slept.append)


def build_identity(org_id: str, is_sandbox: bool, host: str) -> Identity:
    """An Organization row as read from a host."""
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    return Identity(org_id, "Acme", is_sandbox, None, "CS1", host, "005000000000001AAA", "release@acme.example", at)


@pytest.fixture
def proven() -> Callable[[str], SandboxProof]:
    """Builds the proof that a server is the sandbox UATFULL, as production would let it."""

    def build(url: str) -> SandboxProof:
        at = datetime(2026, 11, 1, tzinfo=UTC)
        org_id = "00D000000000002AAA"
        copy = SandboxCopy(
            "0GR000000000001AAA", "0GQ000000000001AAA", "UATFULL", "FULL", "completed", "Completed", org_id, at
        )
        word = ProductionWord(build_identity("00D000000000001AAA", False, "acme.my.salesforce.com"), (copy,))
        return SandboxProof("UATFULL", build_identity(org_id, True, url.partition("//")[2]), word)

    return build


@pytest.fixture
def open_wire(scripted: ScriptedServer, quick: WireOptions, proven: Callable[[str], SandboxProof]) -> Iterator[Wire]:
    """An open wire to the scripted server, without re-login."""
    transport = Transport(None, quick)
    yield Wire(transport, Grant(Session(scripted.url, TOKEN), "open", proven(scripted.url)))
    transport.close()


@pytest.fixture
def wire(scripted: ScriptedServer, quick: WireOptions) -> Iterator[Wire]:
    """A closed wire to the scripted server, without re-login."""
    transport = Transport(None, quick)
    yield Wire(transport, Grant(Session(scripted.url, TOKEN)))
    transport.close()


@dataclass
class Doors:
    """The practice world through our own client; everything that was opened is closed at the end."""

    practice: Any
    opened: list[Any] = field(default_factory=list)

    def login(self, name: str, url: str = "") -> Login:
        """Client credentials of an org by name, or of "production"."""
        org = self.practice.production if name == "production" else self.practice.orgs[name]
        url = url or self.practice.url
        return Login("client_credentials", url=url, client_id=org.client_id, secret=org.client_secret)

    def options(self, **more: Any) -> WireOptions:
        """Quick polls and no waits between repetitions."""
        known = {"attempts": 4, "first_poll": 0.02, "longest_poll": 0.2, "wait_seconds": 0.01, "longest_wait": 0.02}
        return WireOptions(**(known | more))

    def reader(self, name: str, **more: Any) -> OrgReader:
        """A reader of an org."""
        given = {"ca_bundle": self.practice.ca_file, "options": self.options(), **more}
        reader = connect_reader(given.pop("login", None) or self.login(name), **given)
        self.opened.append(reader)
        return reader

    def writer(self, name: str, login: Login | None = None, **claim: Any) -> OrgWriter:
        """A writer of a sandbox, proven by production."""
        options = claim.pop("options", None) or self.options()
        known = {"production": self.reader("production"), **claim}
        writer = connect_writer(
            login or self.login(name), SandboxClaim(name, **known), ca_bundle=self.practice.ca_file, options=options
        )
        self.opened.append(writer)
        return writer

    def control(self, name: str = "production", **more: Any) -> ProductionControl:
        """The control of production."""
        control = connect_control(self.login(name), ca_bundle=self.practice.ca_file, options=self.options(**more))
        self.opened.append(control)
        return control


@pytest.fixture
def doors(practice: Any) -> Iterator[Doors]:
    """The practice world through our own client."""
    doors = Doors(practice)
    yield doors
    for one in doors.opened:
        one.close()
