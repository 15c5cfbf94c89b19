"""Asynchronous metadata jobs of an org: kept in its file, done in order by short-lived threads, in real time.

Deployments of one org run one after the other: one that never ends holds up those behind it. What a deployment
changes and its result are one transaction, so a killed process leaves the job either undone or done; an unfinished
job is taken up again when somebody asks for its status. `metadata_seconds` (setting) is how long a job stays Pending,
and again InProgress; `finalizing_seconds`, how long a deployment that has saved its work is Finalizing.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState

log = logging.getLogger(__name__)

SERIAL = ("deploy",)  # kinds of which an org runs one at a time [metadata.md 1.4]
PREFIXES = {"retrieve": "09S", "deploy": "0Af"}
FINISHED = ("Succeeded", "SucceededPartial", "Failed", "Canceled", "FinalizingFailed")
STEP_SECONDS = 0.05
HELD = "held"  # in the request of a job that a fault keeps from ever ending
UNFINISHED = "unfinished"  # in the request of a deployment that a fault lets fail once its work is saved


@dataclass(frozen=True)
class Job:
    """One job; `request` and `result` are JSON mappings, `body` is the zip that came in, `zip` the one to hand out."""

    id: str
    kind: str
    state: str
    request: dict[str, Any]
    body: bytes | None
    result: dict[str, Any]
    zip: bytes | None

    @property
    def done(self) -> bool:
        return self.state in FINISHED


@dataclass(frozen=True)
class Finished:
    """What running a job gave: its end state, its result, the zip to hand out, and whether to keep what came in."""

    state: str
    result: dict[str, Any]
    zip: bytes | None = None
    keep: bool = False


Runner = Callable[[OrgState, Job], Finished]
RUNNERS: dict[str, Runner] = {}
_busy: weakref.WeakKeyDictionary[OrgState, set[str]] = weakref.WeakKeyDictionary()
_busy_lock = threading.Lock()


def start(org: OrgState, kind: str, request: dict[str, Any], body: bytes | None = None) -> Job:
    """Keep a new job and see that it gets done."""
    job_id = org.new_id(PREFIXES[kind])
    with org.transaction() as db:
        db.execute(
            "INSERT INTO meta_job (id, kind, state, position, request, body, result, zip)"
            " VALUES (?, ?, 'Pending', ?, ?, ?, '{}', NULL)",
            (job_id, kind, org.next_number("meta_job"), json.dumps(request), body),
        )
    ensure_worker(org, kind)
    return load(org, job_id, kind)


def load(org: OrgState, job_id: str, kind: str) -> Job:
    """The job of this id (15 or 18 characters). Raises ApiError INVALID_CROSS_REFERENCE_KEY for an unknown one."""
    with org.lock:
        row = org.db.execute(
            "SELECT id, kind, state, request, body, result, zip FROM meta_job WHERE kind = ? AND substr(id, 1, 15) = ?",
            (kind, job_id[:15]),
        ).fetchone()
    if row is None:
        raise ApiError(500, "INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {job_id}")
    job = Job(row[0], row[1], row[2], json.loads(row[3]), row[4], json.loads(row[5]), row[6])
    if not job.done:
        ensure_worker(org, kind)
    return job


def load_all(org: OrgState, kind: str) -> list[Job]:
    """Every job of a kind, oldest first, without the zips."""
    with org.lock:
        rows = org.db.execute(
            "SELECT id, kind, state, request, result FROM meta_job WHERE kind = ? ORDER BY position", (kind,)
        ).fetchall()
    return [Job(row[0], row[1], row[2], json.loads(row[3]), None, json.loads(row[4]), None) for row in rows]


def move(org: OrgState, job_id: str, before: tuple[str, ...], state: str) -> bool:
    """Change the state of a job that is in one of the states `before`; False when it is not."""
    marks = ", ".join("?" for _ in before)
    with org.transaction() as db:
        moved = db.execute(
            f"UPDATE meta_job SET state = ? WHERE id = ? AND state IN ({marks})", (state, job_id, *before)
        ).rowcount
    return bool(moved)


def note(org: OrgState, job_id: str, request: dict[str, Any]) -> None:
    """Keep another request of a job: what was learnt about it since."""
    with org.transaction() as db:
        db.execute("UPDATE meta_job SET request = ? WHERE id = ?", (json.dumps(request), job_id))


def drop_zip(org: OrgState, job_id: str) -> None:
    """Forget the zip of a job: it is handed out once (facts 0.10)."""
    with org.transaction() as db:
        db.execute("UPDATE meta_job SET zip = NULL, body = NULL WHERE id = ?", (job_id,))


def ensure_worker(org: OrgState, kind: str) -> None:
    """See that a thread is at work on the jobs of this kind of this org."""
    with _busy_lock:
        kinds = _busy.setdefault(org, set())
        if kind in kinds:
            return
        kinds.add(kind)
    threading.Thread(target=_work, args=(org, kind), name=f"metadata-{kind}", daemon=True).start()


def _work(org: OrgState, kind: str) -> None:
    try:
        while (job_id := _next(org, kind)) is not None:
            _do(org, kind, job_id)
    except sqlite3.ProgrammingError:
        # The org was closed (the server stops, or a refresh replaced it): the job waits in the file.
        log.info("metadata jobs of an org wait: it was closed")
        with _busy_lock:
            _busy.get(org, set()).discard(kind)


def _next(org: OrgState, kind: str) -> str | None:
    """The next job to do; when there is none the thread counts as gone, in the same step."""
    with org.lock, _busy_lock:
        waiting = org.db.execute(
            "SELECT id, state = 'Canceling' OR json_extract(request, ?) IS NULL FROM meta_job WHERE kind = ?"
            " AND state IN ('Pending', 'InProgress', 'Canceling', 'Finalizing') ORDER BY position",
            (f"$.{HELD}", kind),
        ).fetchall()
        able = waiting[:1] if kind in SERIAL else waiting
        job_id = next((str(row[0]) for row in able if row[1]), None)
        if job_id is None:
            _busy.get(org, set()).discard(kind)
        return job_id


def _do(org: OrgState, kind: str, job_id: str) -> None:
    seconds = float(org.settings.get("metadata_seconds", STEP_SECONDS))
    time.sleep(seconds)
    move(org, job_id, ("Pending",), "InProgress")
    time.sleep(seconds)
    spoilt = _spoil(org, load(org, job_id, kind))
    _save(org, kind, job_id, spoilt)
    if load(org, job_id, kind).state == "Finalizing":
        time.sleep(float(org.settings.get("finalizing_seconds", STEP_SECONDS)))
        job = load(org, job_id, kind)
        move(org, job_id, ("Finalizing",), "FinalizingFailed" if UNFINISHED in job.request else job.result["status"])


def _save(org: OrgState, kind: str, job_id: str, spoilt: Finished | None) -> None:
    """Do a job and keep what it gave, in one transaction."""
    with org.transaction() as db:
        job = load(org, job_id, kind)
        if job.done or job.state == "Finalizing" or (HELD in job.request and job.state != "Canceling"):
            return
        try:
            finished = Finished("Canceled", {}) if job.state == "Canceling" else spoilt or RUNNERS[kind](org, job)
        except sqlite3.ProgrammingError:
            raise
        except Exception as error:
            log.exception("metadata job %s stopped by a bug in the practice org", job_id)
            finished = _unknown(org, f"An unexpected error occurred: {type(error).__name__}")
        db.execute(
            "UPDATE meta_job SET state = ?, result = ?, zip = ?, body = ? WHERE id = ?",
            (finished.state, json.dumps(finished.result), finished.zip, job.body if finished.keep else None, job_id),
        )


def _spoil(org: OrgState, job: Job) -> Finished | None:
    """What a fault makes of a job, if somebody asked for one: a failure, a wait, or a job that is held for ever."""
    if org.faults is None or job.state != "InProgress" or HELD in job.request:
        return None
    members = sum(len(names) for names in job.request.get("members", {}).values())
    fault = org.faults.fire("JOB", job.kind, org.org_id, members)
    if fault is None:
        return None
    if fault.deed == "slow":
        time.sleep(fault.amount)
    elif fault.deed == "never-end":
        note(org, job.id, {**job.request, HELD: True})
    elif fault.deed == "finalizing-failed":
        note(org, job.id, {**job.request, UNFINISHED: True})
    elif fault.deed in ("fail", "unknown-exception"):
        return _unknown(org, "UNKNOWN_EXCEPTION: An unexpected error occurred. Please include this ErrorId: 1-1 (1)")
    return None


def _unknown(org: OrgState, text: str) -> Finished:
    trouble = {"errorMessage": text, "errorStatusCode": "UNKNOWN_EXCEPTION", "completedDate": org.stamp()}
    return Finished("Failed", trouble)
