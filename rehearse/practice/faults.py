"""Faults that somebody asks for: the n-th thing of a kind goes wrong, so many times, in one of the ways of DEEDS.

Kept in estate.db: the command line adds one beside the running server, which heeds it from its next request on, and a
restart forgets none. A point is an HTTP method, `ANY`, `SOAP`, or a place inside a job (`CHUNK`, `JOB`, `COPY`). It
refuses, with ValueError, a deed where it cannot happen. Promise: without a fault nothing here changes any answer.
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from rehearse.practice.estate_file import EstateFile

TABLE = """CREATE TABLE IF NOT EXISTS faults (
    number INTEGER PRIMARY KEY AUTOINCREMENT, point TEXT NOT NULL, pattern TEXT NOT NULL, nth INTEGER NOT NULL,
    deed TEXT NOT NULL, times INTEGER NOT NULL, amount REAL NOT NULL, org TEXT NOT NULL)"""
LOCKED = "unable to obtain exclusive access to this record or 1 records: {}"

Deed = Literal[
    "500",
    "503-html",
    "401",
    "403-limit",
    "406",
    "420-html",
    "429",
    "502-html",
    "lock-row",
    "lose-reply",
    "truncate",
    "stall",
    "slow",
    "empty",
    "fail",
    "fail-silently",
    "never-end",
    "some-fail",
    "unknown-exception",
    "finalizing-failed",
    "suspend",
    "stop",
]
DEEDS: dict[str, str] = {
    "500": "answer 500 UNKNOWN_EXCEPTION without doing the work",
    "503-html": "answer 503 with an HTML page without doing the work",
    "401": "answer 401 INVALID_SESSION_ID without doing the work",
    "403-limit": "answer 403 REQUEST_LIMIT_EXCEEDED without doing the work",
    "406": "answer 406 without doing the work",
    "420-html": "answer 420 with an HTML page without doing the work",
    "429": "answer 429 REQUEST_LIMIT_EXCEEDED without doing the work",
    "502-html": "answer 502 with an HTML page without doing the work",
    "lock-row": "answer UNABLE_TO_LOCK_ROW without doing the work; in a chunk, for each of its rows",
    "lose-reply": "do the work, then drop the connection without a byte",
    "truncate": "do the work, send half of the first part of the answer, and end the connection",
    "stall": "do the work, send half of the first part, then nothing for --amount seconds (60), and end the connection",
    "slow": "wait --amount seconds (5) first, then do everything right",
    "empty": "answer a query as if the object had no row",
    "fail": "the job ends as Failed",
    "fail-silently": "the job ends as Failed and says no reason",
    "never-end": "the job stays in progress until somebody aborts or cancels it; deployments behind it wait",
    "some-fail": "the job completes, and every third row was refused",
    "unknown-exception": "a retrieve of more than --amount members (0) ends with UNKNOWN_EXCEPTION",
    "finalizing-failed": "the deployment saves its work, and ends as FinalizingFailed",
    "suspend": "the copy becomes Suspended for --amount virtual minutes, or until `practice org copy` resumes it",
    "stop": "the copy becomes Stopped, until `practice org copy` resumes it",
}
INSTEAD = ("500", "503-html", "401", "403-limit", "406", "420-html", "429", "502-html", "lock-row")
WIRE = (*INSTEAD, "lose-reply", "truncate", "stall", "slow", "empty")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "ANY", "SOAP")
ALLOWED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(METHODS, WIRE),
    "CHUNK": ("lock-row",),
    "JOB": (
        "fail",
        "fail-silently",
        "never-end",
        "some-fail",
        "empty",
        "slow",
        "unknown-exception",
        "finalizing-failed",
    ),
    "COPY": ("suspend", "stop"),
}
USUAL_AMOUNT = {"stall": 60.0, "slow": 5.0}

JOB_DEEDS: dict[str, tuple[str, ...]] = {
    "query-job": ("fail", "fail-silently", "never-end", "empty", "slow"),
    "ingest-job": ("fail", "fail-silently", "never-end", "some-fail", "slow"),
    "retrieve-job": ("fail", "never-end", "unknown-exception", "slow"),
    "deploy-job": ("fail", "never-end", "slow", "finalizing-failed"),
}

# What a person calls a kind of call, and where that is: the point, and a pattern over what it sees.
KINDS: dict[str, tuple[str, str]] = {
    "any": ("ANY", ""),
    "login": ("POST", r"/oauth2/token"),
    "describe": ("GET", r"/sobjects(/\w+/describe)?(\?|$)"),
    "query": ("GET", r"/v[\d.]+/query(All)?(/|\?)"),
    "tooling-query": ("GET", r"/tooling/query"),
    "save": ("ANY", r"/composite/sobjects|/v[\d.]+/sobjects/"),
    "delete": ("DELETE", r"/composite/sobjects|/v[\d.]+/sobjects/"),
    "start-bulk-query": ("POST", r"/jobs/query"),
    "bulk-page": ("GET", r"/jobs/query/\w+/results"),
    "start-ingest": ("POST", r"/jobs/ingest"),
    "upload": ("PUT", r"/batches"),
    "close-ingest": ("PATCH", r"/jobs/ingest/"),
    "ingest-results": ("GET", r"/(successful|failed|unprocessed)"),
    "start-retrieve": ("SOAP", r"^retrieve$"),
    "check-retrieve": ("SOAP", r"^checkRetrieveStatus$"),
    "start-deploy": ("SOAP", r"^deploy$"),
    "check-deploy": ("SOAP", r"^checkDeployStatus$"),
    "undelete": ("SOAP", r"^undelete$"),
    "create-sandbox": ("POST", r"/tooling/sobjects/SandboxInfo"),
    "refresh": ("PATCH", r"/tooling/sobjects/SandboxInfo"),
    "activation": ("PATCH", r"/tooling/sobjects/SandboxProcess"),
    "chunk": ("CHUNK", ""),
    "query-job": ("JOB", r"^query"),
    "ingest-job": ("JOB", r"^(insert|update|upsert|delete|hardDelete) "),
    "retrieve-job": ("JOB", r"^retrieve$"),
    "deploy-job": ("JOB", r"^deploy$"),
    "copy": ("COPY", ""),
}


@dataclass(frozen=True)
class Fault:
    """One fault: its point and pattern, how many matching things still pass, what then happens and how many times.

    `amount` is seconds, virtual minutes or members (see DEEDS); `org` is a sandbox name, `production`, or empty (any).
    """

    point: str
    pattern: str
    nth: int
    deed: Deed
    times: int = 1
    amount: float = 0.0
    org: str = ""
    number: int = 0


def deeds_at(kind: str) -> tuple[str, ...]:
    """What can go wrong at a kind of KINDS. Raises ValueError for an unknown kind."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of call or job")
    asks = kind in ("any", "query", "tooling-query")
    return JOB_DEEDS.get(kind) or tuple(one for one in ALLOWED[KINDS[kind][0]] if asks or one != "empty")


def place(deed: str, kind: str, match: str = "", **more: Any) -> Fault:
    """A fault at a kind of KINDS; `match` narrows it further, `more` are fields of Fault. Raises ValueError."""
    if deed not in deeds_at(kind):
        raise ValueError(f"{deed} cannot happen at {kind}; {', '.join(deeds_at(kind))} can")
    point, pattern = KINDS[kind]
    both = f"(?=.*(?:{pattern})).*(?:{match})" if pattern and match else pattern or match
    if point == "COPY" and more.get("org"):  # what is copied is the point itself
        both = f"(?i)^{re.escape(more.pop('org'))}$"
    return Fault(point, both, deed=cast("Deed", deed), **more)


class Faults:
    """The faults of an estate; safe for several threads and processes."""

    def __init__(self, file: EstateFile) -> None:
        self._file = file
        with file.transaction() as db:
            db.execute(TABLE)

    def add(self, match: tuple[str, str], nth: int = 1, do: Deed = "500", times: int = 1) -> None:
        """Let the `nth` thing from now on that matches go wrong, and the `times - 1` matching ones after it.

        `match` is (HTTP method or ANY, regular expression over path and query), ("SOAP", operation element), ("CHUNK",
        object) for up to 200 rows of it inside a bulk job or a collection, ("JOB", "query Account" | "update Account" |
        "retrieve" | "deploy"), or ("COPY", sandbox name).
        """
        self.put(Fault(match[0].upper(), match[1], nth, do, times, USUAL_AMOUNT.get(do, 0.0)))

    def put(self, fault: Fault) -> int:
        """Keep a fault; answers its number. Raises ValueError for a wrong pattern, count, or deed at this point."""
        if fault.point not in ALLOWED:
            raise ValueError(f"{fault.point} is no place where a fault can happen")
        if fault.deed not in get_args(Deed) or fault.deed not in ALLOWED[fault.point]:
            raise ValueError(f"{fault.deed} cannot happen there; {', '.join(ALLOWED[fault.point])} can")
        if fault.nth < 1 or fault.times < 1 or not 0 <= fault.amount <= 1e9:
            raise ValueError("counts begin at 1, and an amount is not negative")
        try:
            re.compile(fault.pattern)
        except re.error as error:
            raise ValueError(f"{fault.pattern} is no regular expression: {error}") from error
        row = (fault.point, fault.pattern, fault.nth, fault.deed, fault.times, fault.amount, fault.org.lower())
        with self._file.transaction() as db:
            sql = "INSERT INTO faults (point, pattern, nth, deed, times, amount, org) VALUES (?,?,?,?,?,?,?)"
            return int(db.execute(sql, row).lastrowid or 0)

    def clear(self) -> int:
        """Forget every fault that has not fired; answers how many there were."""
        with self._file.transaction() as db:
            return db.execute("DELETE FROM faults").rowcount

    def waiting(self) -> list[Fault]:
        """The faults that have not fired (as often as they shall), oldest first."""
        return [_as_fault(row) for row in self._file.load_rows("SELECT * FROM faults ORDER BY number")]

    def take(self, method: str, target: str, org_id: str = "") -> Deed | None:
        """The deed of the fault that this fires, or None; see `fire`."""
        fired = self.fire(method, target, org_id)
        return fired.deed if fired is not None else None

    def fire(self, point: str, target: str, org_id: str = "", size: int = 0) -> Fault | None:
        """The fault that this thing fires, or None; counts the thing for every fault that it matches.

        `size` is how many members a retrieve names: too few do not match an `unknown-exception`.
        """
        if not self._file.load_rows("SELECT 1 FROM faults LIMIT 1"):
            return None
        fired: Fault | None = None
        with self._file.transaction() as db:
            for fault in self._matching(db, point, target, org_id):
                if fault.deed == "unknown-exception" and size <= fault.amount:
                    continue
                left = replace(fault, nth=fault.nth - 1)
                if left.nth <= 0 and fired is None:
                    fired, left = fault, replace(left, times=left.times - 1)
                if left.times <= 0:
                    db.execute("DELETE FROM faults WHERE number = ?", (fault.number,))
                else:
                    values = (left.nth, left.times, fault.number)
                    db.execute("UPDATE faults SET nth = ?, times = ? WHERE number = ?", values)
        return fired

    def _matching(self, db: sqlite3.Connection, point: str, target: str, org_id: str) -> Iterator[Fault]:
        name = ""
        if org_id:
            row = db.execute("SELECT sandbox FROM orgs WHERE id = ?", (org_id[:15],)).fetchone()
            name = (row[0] or "production").lower() if row is not None else ""
        for row in db.execute("SELECT * FROM faults ORDER BY number").fetchall():
            fault = _as_fault(row)
            here = fault.point == point or (fault.point == "ANY" and point in METHODS and point != "SOAP")
            if here and fault.org in ("", name) and re.search(fault.pattern, target):
                yield fault


def _as_fault(row: sqlite3.Row) -> Fault:
    return Fault(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - a Row iterates over its values
