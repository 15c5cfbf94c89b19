"""How long an answer may keep us waiting in all: a time-out alone is between two bytes, and some servers drip.

An answer has a few times its time-out, and a second more for each so many bytes that came: a large one over a slow
network is read to its end, one that brings a byte a minute is given up like one that brings none.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

TIMES = 2.0
"""How many time-outs an answer may take, besides what its bytes earn."""
SLOWEST = 2_000
"""Bytes that earn a second: a tenth of what a poor line of the nineties brought."""


class _Paced(io.RawIOBase):
    """The bytes of one answer, from a socket whose time-out shrinks to what is left. Raises TimeoutError."""

    def __init__(self, raw: io.RawIOBase, line: socket.socket) -> None:
        self._raw = raw
        self._line = line
        self._began = time.monotonic()
        self._taken = 0
        self._longest = (line.gettimeout() or 0) * TIMES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, or wait for it as long as may be."""
        allowed = self._line.gettimeout()
        if not allowed:
            return self._count(self._raw.readinto(buffer))
        left = self._longest + self._taken / SLOWEST - (time.monotonic() - self._began)
        if left <= 0:
            raise TimeoutError("the answer drips")
        if left >= allowed:
            return self._count(self._raw.readinto(buffer))
        self._line.settimeout(left)
        try:
            return self._count(self._raw.readinto(buffer))
        finally:
            self._line.settimeout(allowed)

    def _count(self, read: int | None) -> int | None:
        self._taken += read or 0
        return read

    def close(self) -> None:
        """Give the socket back."""
        if not self.closed:
            self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *how: Any, **more: Any) -> None:
        super().__init__(sock, *how, **more)
        self.fp = io.BufferedReader(_Paced(self.fp.detach(), sock))


class _Clear(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer


class _ClearPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Clear


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


def bound(manager: urllib3.PoolManager) -> None:
    """Have all connections that this manager makes keep to it."""
    manager.pool_classes_by_scheme = {"http": _ClearPool, "https": _SecurePool}
