"""Faults that a test asks for: the n-th matching request goes wrong, once, in one of six ways.

`500`, `503-html`, `401` and `lock-row` answer without doing the work; `lose-reply` does the work and then drops the
connection without a byte; `truncate` sends half of the first part of the answer and then ends the connection.
Promise: without a fault that was added, nothing here changes any answer.
"""

import re
import threading
from dataclasses import dataclass
from typing import Literal

from starlette.responses import HTMLResponse, Response

from rehearse.practice.http_errors import ApiError

Deed = Literal["500", "503-html", "lose-reply", "401", "truncate", "lock-row"]
LOCKED = "unable to obtain exclusive access to this record or 1 records: {}"
MAINTENANCE = "<html><head><title>Maintenance</title></head><body>We are down for maintenance.</body></html>"


@dataclass
class Fault:
    """One fault: what it waits for, how many matching requests still pass, and how many will then fail."""

    method: str
    pattern: re.Pattern[str]
    nth: int
    do: Deed
    times: int


class Faults:
    """The faults of one server, safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, match: tuple[str, str], nth: int = 1, do: Deed = "500", times: int = 1) -> None:
        """Let the `nth` request from now on that matches go wrong, and the `times - 1` matching ones after it.

        `match` is (HTTP method, regular expression over path and query), ("SOAP", operation element), or
        ("CHUNK", object) for a chunk of 200 rows inside a bulk job (with `lock-row`).
        """
        with self._lock:
            self._waiting.append(Fault(match[0].upper(), re.compile(match[1]), nth, do, times))

    def clear(self) -> None:
        """Forget every fault that has not fired."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, target: str) -> Deed | None:
        """The fault that this request fires, or None; counts the request for every fault that it matches."""
        fired: Deed | None = None
        with self._lock:
            for fault in list(self._waiting):
                if fault.method != method or not fault.pattern.search(target):
                    continue
                fault.nth -= 1
                if fault.nth <= 0 and fired is None:
                    fired = fault.do
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
        return fired


def answer_instead(deed: Deed) -> Response | None:
    """The answer that takes the place of the work; None for faults that let the work happen. Raises ApiError."""
    if deed == "503-html":
        return HTMLResponse(MAINTENANCE, status_code=503)
    if deed == "500":
        raise ApiError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1-1 (1)")
    if deed == "401":
        raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if deed == "lock-row":
        raise ApiError(400, "UNABLE_TO_LOCK_ROW", LOCKED.format("000000000000000"))
    return None
