"""One request and its answer on the wire: reads a body whole, replays it, and can lose or cut the answer on purpose.

Refuses bodies over 150 MB (413), Salesforce's limit for an ingest upload, packed or unpacked. Promise: a body that
stopped half-way is never handed on as if it were whole.
"""

import asyncio
import zlib
from collections.abc import Callable
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from rehearse.practice.faults import LOCKED, Fault
from rehearse.practice.http_errors import ApiError

MAX_BODY = 150_000_000
MOST_MEMBERS = 10_000  # of one gzip body
PIECE = 65_536
MAINTENANCE = "<html><head><title>Maintenance</title></head><body>We are down for maintenance.</body></html>"


class ClientGone(ConnectionError):
    """The client closed the connection before its request had arrived whole."""


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises ApiError 413 over the limit, ClientGone when the client went away."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if length.isdigit() and int(length) > MAX_BODY:
        raise ApiError(413, "REQUEST_TOO_LARGE", "Request Entity Too Large")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise ApiError(413, "REQUEST_TOO_LARGE", "Request Entity Too Large")
        if not message.get("more_body", False):
            return unpack_body(scope, b"".join(parts))


def unpack_body(scope: Scope, body: bytes) -> bytes:
    """The body as the client meant it: gzip and deflate are undone, up to the same limit [REST guide, compression].

    Raises ApiError 413, 415 for another encoding, 400 for a packed body that is broken or cut.
    """
    encoding = next((value for name, value in scope["headers"] if name == b"content-encoding"), b"").strip().lower()
    if encoding in (b"", b"identity"):
        return body
    if encoding not in (b"gzip", b"deflate"):
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Encoding is none of gzip, deflate")
    found, view, at = bytearray(), memoryview(body), 0
    for _ in range(MOST_MEMBERS):  # gzip may come in members, one after the other, that are one body [RFC 1952, 2.2]
        unpacker = zlib.decompressobj(wbits=47 if encoding == b"gzip" else 15)
        while at < len(body) and not unpacker.eof:
            piece = view[at : at + PIECE]
            try:
                found += unpacker.decompress(piece, MAX_BODY + 1 - len(found))
            except zlib.error as error:
                raise ApiError(400, "BAD_REQUEST", f"The body is no {encoding.decode()}: {error}") from None
            if len(found) > MAX_BODY:
                raise ApiError(413, "REQUEST_TOO_LARGE", "Request Entity Too Large")
            at += len(piece) - len(unpacker.unused_data)
        if not unpacker.eof:
            raise ApiError(400, "BAD_REQUEST", f"The {encoding.decode()} body ends too early")
        if at == len(body):
            return bytes(found)
    raise ApiError(400, "BAD_REQUEST", f"The {encoding.decode()} body has too many parts")


def replay_body(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out a body that was read, and then waits for the end of the connection."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def answer_instead(fault: Fault, path: str) -> Response | None:
    """The answer that takes the place of the work; None for faults that let the work happen. Raises ApiError."""
    if fault.deed.endswith("-html"):
        return HTMLResponse(MAINTENANCE, status_code=int(fault.deed[:3]))
    if fault.deed == "empty" and "/query" in path:
        return JSONResponse({"totalSize": 0, "done": True, "records": []})
    if fault.deed == "500":
        raise ApiError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1-1 (1)")
    if fault.deed == "401":
        raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if fault.deed == "403-limit":
        raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    if fault.deed == "406":
        raise ApiError(406, "NOT_ACCEPTABLE", "The requested representation is not available")
    if fault.deed == "429":
        raise ApiError(429, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
    if fault.deed == "lock-row":
        raise ApiError(400, "UNABLE_TO_LOCK_ROW", LOCKED.format("000000000000000"))
    return None


class Exchange:
    """The answer of one request on its way out."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._dropped = False
        self.started = False
        self.fault: Fault | None = None
        self.on_start: Callable[[Scope, Message], None] | None = None

    async def send(self, message: Message) -> None:
        """Pass a message of the answer on, unless the fault of this exchange loses or cuts it."""
        if message["type"] == "http.response.start":
            if self.on_start is not None:
                message = {**message, "headers": list(message.get("headers", []))}
                self.on_start(self._scope, message)
            self.started = True
        deed = self.fault.deed if self.fault is not None else None
        if self._dropped or deed == "lose-reply":
            return
        if deed in ("truncate", "stall") and message.get("body"):
            body = message["body"]
            await self._send({**message, "body": body[: len(body) // 2], "more_body": True})
            self._dropped = True
            if self.fault is not None and deed == "stall":
                await self._wait(self.fault.amount)
            return
        await self._send(message)

    async def _wait(self, seconds: float) -> None:
        """Say nothing for so long, or until the client has gone."""
        transport: Any = self._scope["state"].get("transport")
        clock = asyncio.get_running_loop()
        end = clock.time() + seconds
        while clock.time() < end and not (transport is not None and transport.is_closing()):
            await asyncio.sleep(min(0.1, seconds))

    def finish(self) -> None:
        """End the connection where a fault asked for it."""
        transport: Any = self._scope["state"].get("transport")
        if transport is None:
            return
        if self.fault is not None and self.fault.deed == "lose-reply":
            transport.abort()
        elif self._dropped:
            transport.close()
