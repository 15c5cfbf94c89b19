"""A scripted server on 127.0.0.1 for faults that no polite server makes: raw bytes, dropped connections, silence."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from rehearse.org.model import Identity, SandboxCopy, Session
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
            server.seen.append(request)
            answer = server.script(request)
            sent = build_reply(*answer[1:]) if answer[0] == "reply" else answer[1]
            try:
                connection.sendall(sent)
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
