"""The threads that run bulk jobs, in real time, and pick up after a restart what an earlier process left unfinished.

A job waits in UploadComplete for a short delay (setting `bulk_delay_seconds`), runs, and ends; a stopping server leaves
it between two chunks, in a state that the next start continues. A job whose org is gone is dropped. Promise: a job runs
to its end once, whatever was killed in between.
"""

import contextlib
import logging
import queue
import sqlite3
import threading
from pathlib import Path
from typing import Any

from rehearse.practice.bulk_ingest_run import run_ingest_job
from rehearse.practice.bulk_query_run import run_query_job
from rehearse.practice.bulk_store import RUNNING_KINDS, BulkStore, Job
from rehearse.practice.faults import Faults
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState

log = logging.getLogger(__name__)

THREADS = 4
SPOILT = "InternalServerError : Error during job processing"


class Stopping(Exception):
    """The server stops: leave the job as it is."""


class BulkWorkers:
    """The bulk jobs of every org of an estate: their stores and the threads that run them."""

    def __init__(self, estate: Any, pages: Path, faults: Faults) -> None:
        self._estate = estate
        self._pages = pages
        self.faults = faults
        self._stores: dict[str, BulkStore] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._queue: queue.SimpleQueue[tuple[str, str, str] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads and queue every job that an earlier process left unfinished."""
        for org in self._estate.orgs():
            for job in self.store(org).all(RUNNING_KINDS):
                if job.state in ("UploadComplete", "InProgress") and job.fault != "never-end":
                    self.submit(job)
        for number in range(THREADS):
            thread = threading.Thread(target=self._work, name=f"bulk-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let running jobs stop at their next chunk, and wait for the threads."""
        self._stop.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def store(self, org: OrgState) -> BulkStore:
        """The job store of an org, opened once."""
        with self._lock:
            found = self._stores.get(org.org_id)
            if found is None or found.org is not org:
                found = self._stores[org.org_id] = BulkStore(org, self._pages)
            return found

    def submit(self, job: Job) -> None:
        """Queue a job that is UploadComplete."""
        self._queue.put((job.org_id, job.id, job.kind))

    def setting(self, name: str, default: Any) -> Any:
        """A named knob of the estate."""
        return self._estate.settings.get(name, default)

    def check_stop(self) -> None:
        """Raise Stopping when the server is being stopped; running jobs ask between two chunks."""
        if self._stop.is_set():
            raise Stopping

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._stop.wait(float(self.setting("bulk_delay_seconds", 0.05))):
                return
            org_id, job_id, kind = item
            try:
                self._run(org_id, job_id, kind)
            except Stopping:
                return
            except Exception:
                log.exception("bulk job %s stopped by a bug in the practice org", job_id)
                self._give_up(org_id, job_id)

    def _give_up(self, org_id: str, job_id: str) -> None:
        """Fail a job that ran into a bug, so that nobody waits for it; not one whose org went away under it."""
        with contextlib.suppress(KeyError, sqlite3.ProgrammingError):
            store = self.store(self._estate.org(org_id))
            store.move(job_id, ("InProgress",), state="Failed", error="UNKNOWN_EXCEPTION : see the practice org's log")

    def _run(self, org_id: str, job_id: str, kind: str) -> None:
        try:
            store = self.store(self._estate.org(org_id))
        except (ApiError, KeyError):
            log.info("bulk job %s was dropped: its org is gone", job_id)
            return
        job = store.move(job_id, ("UploadComplete", "InProgress"), state="InProgress")
        if job is None:
            return  # aborted or deleted while it waited
        fault = self.faults.fire("JOB", f"{job.operation} {job.object}", org_id)
        if fault is not None and fault.deed == "slow":
            if self._stop.wait(fault.amount):
                raise Stopping
        elif fault is not None:
            job = store.move(job_id, ("InProgress",), fault=fault.deed)
        if job is None or job.fault == "never-end":
            return
        if job.fault in ("fail", "fail-silently"):
            store.move(job_id, ("InProgress",), state="Failed", error=SPOILT if job.fault == "fail" else "")
            return
        run = run_query_job if kind.endswith("Query") else run_ingest_job
        try:
            run(store, job, self.check_stop)
        except ApiError as error:
            store.move(job_id, ("InProgress",), state="Failed", error=f"{error.code} : {error.message}")
        except (RecursionError, OverflowError):  # deeper or larger than anything that a query could mean
            store.move(
                job_id, ("InProgress",), state="Failed", error="QUERY_TOO_COMPLICATED : Query is too complicated"
            )
