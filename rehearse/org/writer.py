"""OrgWriter: what may change a sandbox. It exists only for an org that proved to be one (see `connect`).

Every write is sent once; a lost reply raises OrgUncertain. `confirm` asks the org and production again and closes the
wire when the answer is not the same: call it before every destructive phase.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from rehearse.errors import OrgRejected
from rehearse.events import OnEvent, ignore
from rehearse.org import composite
from rehearse.org.bulk_ingest import BulkWriter, Which
from rehearse.org.email_probe import Deliverability, fetch_deliverability
from rehearse.org.metadata import MetadataWriter
from rehearse.org.model import BulkJob, DeployResult, Identity, SaveResult, Schema, Value
from rehearse.org.reader import OrgReader
from rehearse.org.rest import RestReader
from rehearse.org.rows import FlowWriter, RowWriter
from rehearse.org.wire import Wire


class OrgWriter:
    """Writes one proven sandbox; `reader` reads the same org over the same connection; close it, or use a `with`.

    Every method may raise SessionExpired, NotASandbox and GenerationChanged (after a re-login), OrgBusy (nothing was
    done), OrgLimit, OrgRejected, OrgUnreachable (nothing was sent), and OrgUncertain where a reply was lost.
    """

    def __init__(self, wire: Wire, reader: OrgReader, confirm: Callable[[], Identity]) -> None:
        self._wire = wire
        self.reader = reader
        self.org_id = reader.org_id
        self._confirm = confirm
        self._rows = RowWriter(wire, reader.api_version)
        self._bulk = BulkWriter(wire, reader.api_version)
        self._metadata = MetadataWriter(wire, reader.api_version)
        self._flows = FlowWriter(wire, RestReader(wire, reader.api_version))

    def __repr__(self) -> str:
        return f"OrgWriter({self._wire.instance_url}, {self.org_id})"

    def __enter__(self) -> OrgWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def confirm(self) -> Identity:
        """Prove again that this is the sandbox; raises NotASandbox or GenerationChanged and closes the wire."""
        return self._confirm()

    def fetch_deliverability(self) -> tuple[Deliverability, str]:
        """Whether this sandbox lets e-mail out, and for `not asked` why; sends none (see email_probe)."""
        return fetch_deliverability(self._wire, self.reader.api_version)

    def fetch_schemas(self, objects: Sequence[str]) -> dict[str, Schema]:
        """Several describes in one call; an object that the org does not know is absent."""
        return composite.fetch_schemas(self._wire, self.reader.api_version, objects)

    def fetch_queries(
        self, soqls: Sequence[str], *, deleted: bool = False
    ) -> list[list[dict[str, Value]] | OrgRejected]:
        """Several queries in few calls: the rows of each, or what the org said against it."""
        return composite.fetch_queries(self._wire, self.reader.api_version, soqls, deleted=deleted)

    def insert_rows(self, object: str, rows: Sequence[Mapping[str, Value]]) -> tuple[SaveResult, ...]:
        """Create at most 200 rows; results in their order."""
        return self._rows.insert(object, rows)

    def insert_row(self, object: str, values: Mapping[str, Value]) -> SaveResult:
        """Create one row, also one with the contents of a file, which Bulk refuses."""
        return self._rows.insert_one(object, values)

    def update_rows(self, object: str, rows: Sequence[Mapping[str, Value]]) -> tuple[SaveResult, ...]:
        """Update at most 200 rows, each with its Id; None sets null."""
        return self._rows.update(object, rows)

    def delete_rows(self, ids: Sequence[str]) -> tuple[SaveResult, ...]:
        """Delete at most 200 rows into the recycle bin."""
        return self._rows.delete(ids)

    def undelete_rows(self, ids: Sequence[str]) -> tuple[SaveResult, ...]:
        """Bring at most 200 rows back from the recycle bin."""
        return self._rows.undelete(ids)

    def update_rows_if_unchanged(
        self, object: str, rows: Sequence[Mapping[str, Value]], since: Mapping[str, datetime]
    ) -> tuple[SaveResult, ...]:
        """Update at most 25 rows, each unless it changed after its instant; refused ones say PRECONDITION_FAILED."""
        return self._rows.update_if_unchanged(object, rows, since)

    def open_ingest(self, object: str, operation: str) -> BulkJob:
        """Create an ingest job that does nothing yet: journal its id before `close_ingest`."""
        return self._bulk.open(object, operation)

    def upload_ingest(self, job_id: str, csv: Path) -> None:
        """Send the file of an open job; after OrgUncertain abort the job and open another."""
        self._bulk.upload(job_id, csv)

    def close_ingest(self, job_id: str) -> None:
        """Let the job run; safe to call again."""
        self._bulk.close(job_id)

    def abort_ingest(self, job_id: str) -> None:
        """Stop the job; safe to call again, also when it has ended."""
        self._bulk.abort(job_id)

    def fetch_ingest(self, job_id: str) -> BulkJob:
        """The state of an ingest job."""
        return self._bulk.fetch(job_id)

    def wait_ingest(self, job_id: str, on_event: OnEvent = ignore) -> BulkJob:
        """Wait until the job has ended, well or not; JobComplete with failed rows is normal."""
        return self._bulk.wait(job_id, on_event)

    def fetch_ingest_results(self, job_id: str, which: Which) -> Iterator[dict[str, str]]:
        """Rows of a result file, in no promised order: join by `sf__Id` or a key column, never by position."""
        return self._bulk.results(job_id, which)

    def start_deploy(
        self, zip_path: Path, *, check_only: bool = False, test_level: str = "NoTestRun", purge: bool = False
    ) -> str:
        """Start a deployment (all or nothing, one package at the zip's root, warnings ignored); returns its id."""
        options: dict[str, bool | str] = {
            "checkOnly": check_only,
            "ignoreWarnings": True,
            "purgeOnDelete": purge,
            "rollbackOnError": True,
            "singlePackage": True,
            "testLevel": test_level,
        }
        return self._metadata.start(zip_path, options)

    def wait_deploy(self, deploy_id: str, on_event: OnEvent = ignore) -> DeployResult:
        """Wait until a deployment has ended, well or not."""
        return self._metadata.wait(deploy_id, on_event)

    def set_active_flow_version(self, flow: str, version: int) -> None:
        """Make a flow version the active one; 0 deactivates. Raises NotFound."""
        self._flows.set_active_version(flow, version)

    def delete_flow_version(self, flow: str, version: int) -> None:
        """Delete a flow version that is not active. Raises NotFound."""
        self._flows.delete_version(flow, version)
