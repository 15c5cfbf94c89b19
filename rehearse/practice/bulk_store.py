"""Bulk jobs of one org: kept in the org's own file, so that rows and job progress are committed together.

A job carries the id of the org that made it: the copy of an org file that becomes a sandbox does not show its source's
jobs. Jobs and their files are gone seven days of virtual time after they ended. Promise: a job's state is on disk
before anyone is told of it.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState

TABLES = (
    """CREATE TABLE IF NOT EXISTS bulk_jobs (
    id TEXT PRIMARY KEY, org_id TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, job TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS bulk_chunks (
    job_id TEXT NOT NULL, chunk INTEGER NOT NULL, results TEXT NOT NULL, PRIMARY KEY (job_id, chunk))""",
)
KINDS = ("V2Query", "V2Ingest")
RUNNING_KINDS = (*KINDS, "V1Query", "V1Ingest")  # what the workers run
KEPT = timedelta(days=7)  # after the job ended; a job that never ended counts from its making [data.md 1.8]
ENDED = ("JobComplete", "Failed", "Aborted")
DELIMITERS = {"COMMA": ",", "BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass(frozen=True)
class Job:
    """A bulk job. Times are virtual, ISO with Z; `milliseconds` is real time."""

    id: str
    org_id: str
    kind: str  # V2Query | V2Ingest; V1, and for its batches V1Query | V1Ingest
    operation: str
    object: str
    state: str
    version: str
    created_by: str
    created_at: str
    modified_at: str
    query: str = ""
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    external_id: str = ""
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    error: str = ""
    fault: str = ""  # what somebody asked to go wrong with it
    content: str = "CSV"  # of a V1 job and its batches: CSV, XML or JSON
    parent: str = ""  # of a V1 batch: its job
    concurrency: str = "Parallel"

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def show_time(stamp: str) -> str:
    """A stamp as the bulk resources show it: `+0000` for Z."""
    return stamp.replace("Z", "+0000")


class BulkStore:
    """The jobs of one org and the folder of their files."""

    def __init__(self, org: OrgState, pages: Path) -> None:
        self.org = org
        self._org_id = org.org_id
        self.folder = pages / self._org_id[:15]
        with org.lock:
            for table in TABLES:
                org.db.execute(table)

    def path(self, job_id: str, suffix: str) -> Path:
        """A file of a job, such as `.csv`; its folder exists."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{job_id}{suffix}"

    def create(self, job: Job) -> None:
        """Keep a new job."""
        with self.org.transaction() as db:
            row = (job.id, job.org_id, job.kind, job.state, json.dumps(asdict(job)))
            db.execute("INSERT INTO bulk_jobs (id, org_id, kind, state, job) VALUES (?,?,?,?,?)", row)

    def find(self, job_id: str, kind: str) -> Job:
        """The job of this id (15 or 18 characters). Raises ApiError 404 NOT_FOUND, also for one that has expired."""
        with self.org.lock:
            row = self.org.db.execute(
                "SELECT job FROM bulk_jobs WHERE substr(id, 1, 15) = ? AND org_id = ? AND kind = ?",
                (job_id[:15], self._org_id, kind),
            ).fetchone()
        job = Job(**json.loads(row[0])) if row and len(job_id) in (15, 18) else None
        if job is not None and self._expired(job):
            self.delete(job)
            job = None
        if job is None:
            raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
        return job

    def all(self, kinds: Sequence[str] = KINDS) -> list[Job]:
        """Every job that has not expired, oldest first; expired ones go, with their files."""
        marks = ",".join("?" * len(kinds))
        with self.org.lock:
            rows = self.org.db.execute(
                f"SELECT job FROM bulk_jobs WHERE org_id = ? AND kind IN ({marks}) ORDER BY rowid",
                (self._org_id, *kinds),
            ).fetchall()
        jobs = [Job(**json.loads(row[0])) for row in rows]
        for job in jobs:
            if self._expired(job):
                self.delete(job)
        return [job for job in jobs if not self._expired(job)]

    def move(self, job_id: str, allowed: Sequence[str], **changes: Any) -> Job | None:
        """Change a job in one transaction if its state is one of `allowed`; the job after that, or None."""
        with self.org.transaction() as db:
            row = db.execute("SELECT job FROM bulk_jobs WHERE id = ?", (job_id,)).fetchone()
            job = Job(**json.loads(row[0])) if row else None
            if job is None or job.state not in allowed:
                return None
            job = replace(job, **{"modified_at": self.org.stamp(), **changes})
            values = (job.state, json.dumps(asdict(job)), job_id)
            db.execute("UPDATE bulk_jobs SET state = ?, job = ? WHERE id = ?", values)
        return job

    def delete(self, job: Job) -> None:
        """Forget a job, its chunk results and its files."""
        with self.org.transaction() as db:
            db.execute("DELETE FROM bulk_jobs WHERE id = ?", (job.id,))
            db.execute("DELETE FROM bulk_chunks WHERE job_id = ?", (job.id,))
        for path in self.folder.glob(f"{job.id}.*"):
            path.unlink(missing_ok=True)

    def save_chunk(self, job_id: str, chunk: int, results: list[Any]) -> None:
        """Keep the results of a chunk; called inside the transaction that changed its rows."""
        self.org.db.execute("INSERT INTO bulk_chunks VALUES (?,?,?)", (job_id, chunk, json.dumps(results)))

    def load_chunks(self, job_id: str) -> dict[int, list[Any]]:
        """The results of all chunks done so far, by number."""
        with self.org.lock:
            rows = self.org.db.execute(
                "SELECT chunk, results FROM bulk_chunks WHERE job_id = ? ORDER BY chunk", (job_id,)
            ).fetchall()
        return {number: json.loads(results) for number, results in rows}

    def _expired(self, job: Job) -> bool:
        since = job.modified_at if job.ended else job.created_at
        return self.org.now() - datetime.fromisoformat(since).astimezone(UTC) > KEPT


def drop_pages(pages: Path, org_id: str) -> None:
    """Remove the result files of an org that is gone."""
    shutil.rmtree(pages / org_id[:15], ignore_errors=True)
