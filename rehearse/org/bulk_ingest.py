"""Bulk API 2.0 ingest jobs of a proven sandbox: they exist before they run.

A job is born `Open` and does nothing until it is closed, so its id can be written down first; an unknown job never ran.
Files are sent from disk as they stand; result files are read through a temporary file, never whole in memory.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import requests

from rehearse.errors import DiskFull, OrgBusy, OrgRejected, OrgUncertain, UsageError
from rehearse.events import OnEvent, ignore
from rehearse.ids import to_18
from rehearse.org.bulk import ENDED, JSON, build_job, fetch_json, json_body, wait_for_job
from rehearse.org.bulk_csv import RowCounter
from rehearse.org.model import BulkJob, JobState
from rehearse.org.wire import Call, Wire, unreadable

# the file limit is 150 MB after base64; Salesforce advises 100 MB of CSV
INGEST_BYTES = 100_000_000
_PIECE = 1 << 20
# rows may be 400,000 characters long, more than the csv module takes by itself
_CELL_CHARACTERS = 10_000_000
Which = Literal["successful", "failed", "unprocessed"]
_RESULTS: Mapping[str, str] = {
    "successful": "successfulResults",
    "failed": "failedResults",
    "unprocessed": "unprocessedrecords",
}


class BulkWriter:
    """Ingest jobs of one sandbox; the wire refuses all of it until the sandbox is proven."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self._jobs = f"/services/data/v{version}/jobs/ingest"

    def open(self, object: str, operation: str) -> BulkJob:
        """Create an ingest job in state Open: an id to write down; nothing runs, and it lapses after 24 hours.

        Repeated after a lost reply, since a job that nobody closes does nothing.
        """
        body = {
            "object": object,
            "operation": operation,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        call = Call("POST", self._jobs, f"Opening a bulk {operation} of {object}", body=json_body(body), headers=JSON)
        return build_job(fetch_json(self._wire, call))

    def upload(self, job_id: str, path: Path) -> None:
        """Send the one CSV file of an open job (at most 100 MB, from `write_bulk_csv`).

        Raises UsageError for a larger file, OrgUncertain when the reply was lost: abort the job and open another.
        """
        size = path.stat().st_size
        if size > INGEST_BYTES:
            raise UsageError(f"{path.name} has {size} bytes; a bulk job takes {INGEST_BYTES}.", "Split the rows.")
        self._wire.fetch(
            Call(
                "PUT",
                f"{self._jobs}/{to_18(job_id)}/batches",
                f"Uploading rows to {job_id}",
                body=lambda _token: _FileBody(path, size),
                headers={"Content-Type": "text/csv; charset=UTF-8"},
                safe=False,
            )
        )

    def close(self, job_id: str) -> None:
        """Let an uploaded job run. After a lost reply the job is asked, and closed again only if it is still Open."""
        self._set_state(job_id, "UploadComplete", f"Starting the bulk job {job_id}")

    def abort(self, job_id: str) -> None:
        """Stop a job; rows that were processed stay. A job that has ended already is left as it is."""
        self._set_state(job_id, "Aborted", f"Aborting the bulk job {job_id}")

    def _set_state(self, job_id: str, state: JobState, doing: str) -> None:
        path = f"{self._jobs}/{to_18(job_id)}"
        call = Call("PATCH", path, doing, body=json_body({"state": state}), headers=JSON, safe=False)
        passed = ENDED if state == "Aborted" else ENDED | {"UploadComplete", "InProgress"}
        for _ in range(self._wire.options.attempts):
            try:
                fetch_json(self._wire, call)
                return
            except OrgUncertain:
                if self.fetch(job_id).state in passed:
                    return
            except OrgRejected:
                if self.fetch(job_id).state in passed:
                    return
                raise
        raise OrgBusy(f"{doing}: every reply was lost, and the job did not move.", "Run the same command again.")

    def fetch(self, job_id: str) -> BulkJob:
        """The state of a job."""
        call = Call("GET", f"{self._jobs}/{to_18(job_id)}", f"Asking for bulk job {job_id}")
        return build_job(fetch_json(self._wire, call))

    def wait(self, job_id: str, on_event: OnEvent = ignore) -> BulkJob:
        """Wait until a job has ended, well or not: look at `state`, `failed` and the results."""
        return wait_for_job(lambda: self.fetch(job_id), self._wire, "ingest", on_event)

    def results(self, job_id: str, which: Which) -> Iterator[dict[str, str]]:
        """Rows of a result file with `sf__Id`, `sf__Created` / `sf__Error` and the input columns, in no promised order.

        The file is read to its end before the first row is given, so that a broken reply is met by the retry.
        """
        path = f"{self._jobs}/{to_18(job_id)}/{_RESULTS[which]}"
        call = Call("GET", path, f"Reading {which} rows of {job_id}", headers={"Accept": "text/csv"}, large=True)
        csv.field_size_limit(max(csv.field_size_limit(), _CELL_CHARACTERS))
        with tempfile.TemporaryFile() as file:
            self._wire.stream(call, lambda response: _save_results(response, call, file))
            # newline="\n": values may hold CR, U+0085 or U+2028, which end no line here
            with io.TextIOWrapper(file, encoding="utf-8", newline="\n") as text:
                try:
                    yield from csv.DictReader(text, strict=True)
                except csv.Error as error:
                    raise unreadable(call) from error


def _save_results(response: requests.Response, call: Call, file: BinaryIO) -> None:
    """Write a result file from its beginning; a body that stops inside a record is an error of the call."""
    counter = RowCounter()
    file.seek(0)
    file.truncate()
    for piece in response.iter_content(_PIECE):
        piece = counter.feed(piece)
        try:
            file.write(piece)
        except OSError as error:
            raise DiskFull(f"No room for temporary files: {error.strerror}.", "Free some space.") from error
    if not counter.ends_whole:
        raise unreadable(call)
    file.seek(0)


class _FileBody:
    """A file as a request body of known length; every iteration begins anew."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
