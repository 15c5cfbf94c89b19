"""Bulk API 2.0 query jobs, read page by page to disk; and what query and ingest jobs have in common.

Nothing is held in memory whole. A page counts only when its body is complete, ends in a line end, and has as many rows
as `Sforce-NumberOfRecords` says; otherwise it is read again. A query job is deleted only if it is ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from rehearse import clock
from rehearse.errors import NotFound, OrgBusy, OrgRejected
from rehearse.events import Advanced, Event, Finished, OnEvent, Started, ignore
from rehearse.ids import to_18
from rehearse.org.answers import making_sense, unwritable
from rehearse.org.bulk_csv import RowCounter
from rehearse.org.model import BulkJob, BulkPage, JobState
from rehearse.org.waiting import wait_until
from rehearse.org.wire import Call, Wire, unreadable

JSON = {"Content-Type": "application/json; charset=UTF-8", "Accept": "application/json"}
_PIECE = 1 << 20
_PAGES_SINCE = 58.0
# versions without resultPages: without a cap the server may stall on a very large page
_OLD_PAGE_ROWS = 100_000
ENDED: frozenset[JobState] = frozenset({"JobComplete", "Failed", "Aborted"})


def json_body(value: object) -> bytes:
    """The bytes of a JSON body."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def fetch_json(wire: Wire, call: Call) -> Any:
    """Send a call and parse its JSON; None for an empty reply. A reply that is no JSON is an error of the call."""

    def read(response: requests.Response) -> Any:
        content = response.content
        if not content.strip():
            return None
        with making_sense(call.doing, call.safe):
            return json.loads(content)

    return wire.stream(call, read)


def build_job(row: Mapping[str, Any]) -> BulkJob:
    """A job from its JSON; counts default to 0 while the org does not give them. Raises OrgBusy for what is no job."""
    with making_sense("Reading what the org says of a bulk job"):
        return BulkJob(
            id=to_18(str(row["id"])),
            operation=str(row.get("operation", "")),
            object=str(row.get("object", "")),
            state=row["state"],
            processed=int(row.get("numberRecordsProcessed") or 0),
            failed=int(row.get("numberRecordsFailed") or 0),
            created_by=str(row.get("createdById") or ""),
            message=str(row.get("errorMessage") or ""),
            created=clock.from_iso(str(row["createdDate"])) if row.get("createdDate") else None,
        )


class BulkReader:
    """Query jobs of one org."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self._version = version
        self._jobs = f"/services/data/v{version}/jobs/query"

    def start(self, soql: str, *, deleted: bool = False) -> BulkJob:
        """Create a query job; raises OrgRejected for what Bulk refuses (INVALIDENTITY, FEATURENOTENABLED, …).

        Repeated after a lost reply: a second job changes nothing in the org, and the lost one expires in 7 days.
        """
        body = {"operation": "queryAll" if deleted else "query", "query": soql}
        call = Call("POST", self._jobs, "Starting a bulk query", body=json_body(body), headers=JSON)
        job = build_job(fetch_json(self._wire, call))
        self._wire.own(job.id)
        return job

    def fetch(self, job_id: str) -> BulkJob:
        """The state of a job."""
        call = Call("GET", f"{self._jobs}/{to_18(job_id)}", f"Asking for bulk job {job_id}")
        return build_job(fetch_json(self._wire, call))

    def wait(self, job_id: str, on_event: OnEvent = ignore) -> BulkJob:
        """Wait until a job has completed; raises OrgRejected when it failed or was aborted."""
        job = wait_for_job(lambda: self.fetch(job_id), self._wire, "query", on_event)
        if job.state != "JobComplete":
            reason = job.message or "the org gave no reason"
            raise OrgRejected(job.state.upper(), reason, f"Bulk query of {job.object or 'an object'}")
        return job

    def load_jobs(self) -> tuple[BulkJob, ...]:
        """All ingest jobs that the org remembers (Bulk 1.0 ones too), of anybody."""
        path, params = f"/services/data/v{self._version}/jobs/ingest", dict[str, str]()
        found: list[BulkJob] = []
        while True:
            doing, before = "Listing the bulk jobs", params
            listed = fetch_json(self._wire, Call("GET", path, doing, params))
            with making_sense(doing):
                found += [build_job(one) for one in listed["records"]]
                following = listed.get("nextRecordsUrl")
                if listed.get("done", True) or not following:
                    return tuple(found)
                params = {"queryLocator": parse_qs(urlsplit(str(following)).query)["queryLocator"][0]}
                if params == before:
                    raise ValueError("it would go round for ever")

    def page_locators(self, job_id: str) -> Iterator[str | None]:
        """The locators of all pages, so that they can be read in parallel; None is the first page.

        Before API 58.0 only the first is known: follow `next_locator` of each page from there.
        """
        if float(self._version) < _PAGES_SINCE:
            yield None
            return
        path, params = f"{self._jobs}/{to_18(job_id)}/resultPages", dict[str, str]()
        while True:
            doing, before = f"Listing the pages of {job_id}", params
            listed = fetch_json(self._wire, Call("GET", path, doing, params))
            with making_sense(doing):
                pages = [_locator(str(page["resultUrl"])) for page in listed["resultPages"]]
                # the guide's table says nextRecordUrl, its example nextRecordsUrl
                following = listed.get("nextRecordsUrl") or listed.get("nextRecordUrl")
                last = listed.get("done", True) or not following
                params = {"locator": _locator(str(following)) or ""}
                if not last and params == before:
                    raise ValueError("it would go round for ever")
            yield from pages
            if last:
                return

    def download(self, job_id: str, locator: str | None, to: Path) -> BulkPage:
        """One page of results to disk, checked; a page that is not whole is fetched again, then raises OrgBusy.

        NUL bytes, which real orgs emit inside values, are left out of the file and counted. Raises DiskFull.
        """
        params = {} if locator is None else {"locator": locator}
        if float(self._version) < _PAGES_SINCE:
            params["maxRecords"] = str(_OLD_PAGE_ROWS)
        call = Call(
            "GET",
            f"{self._jobs}/{to_18(job_id)}/results",
            f"Reading results of {job_id}",
            params,
            headers={"Accept": "text/csv"},
            large=True,
        )
        return self._wire.stream(call, lambda response: _save_page(response, call, to))

    def delete(self, job_id: str) -> None:
        """Delete one of our own query jobs, aborting it first where it still runs; raises NotFound for others."""
        job_id = to_18(job_id)
        if not self._wire.owns(job_id):
            raise NotFound(f"The query job {job_id} is not one that was started here.", "It expires after 7 days.")
        path, doing = f"{self._jobs}/{job_id}", f"Deleting the query job {job_id}"
        if self.fetch(job_id).state not in ENDED:
            abort = Call("PATCH", path, doing, body=json_body({"state": "Aborted"}), headers=JSON)
            try:
                fetch_json(self._wire, abort)
            except OrgRejected:  # it ended by itself meanwhile, or the first reply was lost
                if self.fetch(job_id).state not in ENDED:
                    raise
        try:
            self._wire.fetch(Call("DELETE", path, doing))
        except OrgRejected as error:
            if error.org_code != "NOT_FOUND":  # gone already: a repeated delete whose first reply was lost
                raise

    def adopt(self, job_id: str, user_id: str) -> BulkJob:
        """Take back a query job of an interrupted run as our own; raises NotFound unless our user created it."""
        job = self.fetch(job_id)
        if not job.created_by or to_18(job.created_by) != to_18(user_id) or not job.operation.startswith("query"):
            raise NotFound(f"The job {job_id} was not started by this login.", "Start a new query job.")
        self._wire.own(job.id)
        return job


def wait_for_job(fetch: Callable[[], BulkJob], wire: Wire, word: str, on_event: OnEvent) -> BulkJob:
    started = False

    def ask() -> BulkJob:
        nonlocal started
        job = fetch()
        work = f"{word} {job.object}"
        event: Event = Advanced(work, job.processed, unit="rows") if started else Started(work, unit="rows")
        started = True
        on_event(event)
        return job

    job = wait_until(ask, lambda one: one.state in ENDED, wire.options)
    on_event(Finished(f"{word} {job.object}", f"{job.processed} rows"))
    return job


def _locator(url: str) -> str | None:
    found = parse_qs(urlsplit(url).query).get("locator", [""])[0]
    return found or None


def _save_page(response: requests.Response, call: Call, to: Path) -> BulkPage:
    framed = "Content-Length" in response.headers or "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    promised = response.headers.get("Sforce-NumberOfRecords", "")
    if not framed or not promised.isdigit():
        raise unreadable(call)
    counter = RowCounter()
    try:
        with to.open("wb") as file:
            for piece in response.iter_content(_PIECE):
                file.write(counter.feed(piece))
                if counter.rows > int(promised):
                    break  # it may go on for ever
    except requests.exceptions.RequestException:
        raise
    except OSError as error:
        raise unwritable(to, error) from error
    if not counter.ends_whole or counter.rows != int(promised):
        raise OrgBusy(
            f"{call.doing}: a page has {counter.rows} rows where {promised} were promised, or was cut short.",
            "Run the same command again: pages can be read again for 7 days.",
        )
    following = response.headers.get("Sforce-Locator", "null")
    return BulkPage(
        path=to,
        columns=counter.columns,
        rows=counter.rows,
        next_locator=None if following in ("null", "") else following,
        nul_bytes=counter.nul_bytes,
    )
