"""OrgReader: everything that may be asked of an org, production included. It changes nothing but its own query jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from rehearse.events import OnEvent, ignore
from rehearse.org import describe, sandboxes
from rehearse.org.answers import making_sense
from rehearse.org.bulk import BulkReader
from rehearse.org.metadata import MetadataReader
from rehearse.org.model import (
    BulkJob,
    BulkPage,
    CopyStage,
    Identity,
    Limit,
    Manifest,
    MetadataItem,
    MetadataType,
    ObjectSummary,
    RetrieveResult,
    SandboxCopy,
    SandboxRecord,
    Schema,
    Value,
)
from rehearse.org.rest import RestReader
from rehearse.org.wire import Wire


class OrgReader:
    """Reads one org at one API version; safe for threads; close it, or use it in a `with`.

    `is_sandbox` is what the org said of itself when its login was first used, and no proof.
    Every method may raise SessionExpired, OrgBusy, OrgLimit, OrgUnreachable and OrgRejected.
    """

    def __init__(self, wire: Wire, api_version: str, org_id: str, *, is_sandbox: bool) -> None:
        self._wire = wire
        self.api_version = api_version
        self.org_id = org_id
        self.is_sandbox = is_sandbox
        self.retrieves_at_once = wire.options.retrieves_at_once
        self._rest = RestReader(wire, api_version)
        self._bulk = BulkReader(wire, api_version)
        self._metadata = MetadataReader(wire, api_version)
        self._user: tuple[str, Identity | None] = "", None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._wire.instance_url}, {self.org_id})"

    def __enter__(self) -> OrgReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    @property
    def host(self) -> str:
        return self._wire.host

    @property
    def api_usage(self) -> tuple[int, int] | None:
        """API calls used and allowed in the last 24 hours, as the newest reply said; None before any did."""
        return self._wire.api_usage

    def at_version(self, api_version: str) -> OrgReader:
        """The same org and login read at another API version; closing either closes both."""
        if api_version == self.api_version:
            return self
        return OrgReader(self._wire, api_version, self.org_id, is_sandbox=self.is_sandbox)

    def fetch_release(self) -> str:
        """The org's platform release, as its newest API version names it: `Summer '26 (67.0)`."""
        return self._rest.fetch_release()

    def fetch_identity(self) -> Identity:
        """A fresh Organization row and the running user, who is asked for once a token."""
        token, (of, known) = self._wire.session.access_token, self._user
        identity = self._rest.fetch_identity(known if of == token else None)
        self._user = token, identity
        return identity

    def fetch_server_time(self) -> datetime:
        """The org's clock (SOAP getServerTimestamp), aware."""
        return self._rest.fetch_server_time()

    def fetch_limits(self) -> dict[str, Limit]:
        """The rows of /limits by name."""
        return self._rest.fetch_limits()

    def fetch_record_counts(self) -> dict[str, int]:
        """About how many rows each object has, by name; objects without rows may be absent."""
        return self._rest.fetch_record_counts()

    def fetch_objects(self) -> tuple[ObjectSummary, ...]:
        """The global describe, by name."""
        doing = "Listing the objects"
        answer = self._rest.fetch("sobjects", doing)
        with making_sense(doing):
            return tuple(sorted((describe.build_summary(row) for row in answer["sobjects"]), key=lambda one: one.name))

    def fetch_schema(self, object: str) -> Schema:
        """One object's describe; raises OrgRejected NOT_FOUND for an unknown object."""
        doing = f"Describing {object}"
        answer = self._rest.fetch(f"sobjects/{object}/describe", doing)
        with making_sense(doing):
            return describe.build_schema(answer)

    def fetch_rows(self, soql: str, *, deleted: bool = False) -> Iterator[dict[str, Value]]:
        """Rows of a query, page by page; with `deleted` also binned and archived ones. Parents as `Owner.Name`."""
        return self._rest.fetch_rows(soql, deleted=deleted)

    def fetch_count(self, soql: str, *, deleted: bool = False) -> int:
        """The number that a `SELECT COUNT() FROM …` gives; with `deleted` among binned and archived rows too."""
        return self._rest.fetch_count(soql, deleted=deleted)

    def fetch_by_ids(
        self, object: str, ids: Sequence[str], fields: Sequence[str], *, deleted: bool = False
    ) -> dict[str, dict[str, Value]]:
        """Rows by 18-character id, each with `Id`; ids that the org does not know are absent."""
        return self._rest.fetch_by_ids(object, ids, fields, deleted=deleted)

    def fetch_tooling_rows(self, soql: str) -> Iterator[dict[str, Value]]:
        """Rows of a Tooling query."""
        return self._rest.fetch_rows(soql, path="tooling/query")

    def fetch_body(self, object: str, id: str, field: str) -> bytes:
        """The contents of a file: a base64 field of one row (`Body`, `VersionData`), raw."""
        return self._rest.fetch_body(object, id, field)

    def fetch_load_jobs(self) -> tuple[BulkJob, ...]:
        """The Bulk jobs that write, of anybody and in whatever state."""
        return self._bulk.load_jobs()

    def start_query_job(self, soql: str, *, deleted: bool = False) -> BulkJob:
        """Create a Bulk 2.0 query job; raises OrgRejected for objects and queries that Bulk refuses."""
        return self._bulk.start(soql, deleted=deleted)

    def wait_query_job(self, job_id: str, on_event: OnEvent = ignore) -> BulkJob:
        """Wait until a query job is complete; raises OrgRejected (FAILED, ABORTED) when it ends otherwise."""
        return self._bulk.wait(job_id, on_event)

    def fetch_page_locators(self, job_id: str) -> Iterator[str | None]:
        """The locators of all pages (None: the first); before API 58.0 only None: follow `BulkPage.next_locator`."""
        return self._bulk.page_locators(job_id)

    def download_page(self, job_id: str, locator: str | None, to: Path) -> BulkPage:
        """One page to disk, checked for completeness and row count; also raises DiskFull."""
        return self._bulk.download(job_id, locator, to)

    def delete_query_job(self, job_id: str) -> None:
        """Delete a query job that was started (or adopted) here; raises NotFound for any other."""
        self._bulk.delete(job_id)

    def adopt_query_job(self, job_id: str) -> BulkJob:
        """Take back a query job of an interrupted run; raises NotFound unless this login's user started it."""
        return self._bulk.adopt(job_id, self.fetch_identity().user_id)

    def fetch_metadata_types(self) -> tuple[MetadataType, ...]:
        """The rows of describeMetadata, by name."""
        return self._metadata.fetch_types()

    def fetch_metadata_items(self, type: str, folders: Sequence[str] | None = None) -> tuple[MetadataItem, ...]:
        """The components of one type, by full name; types in folders need the folders."""
        return self._metadata.fetch_items(type, folders)

    def fetch_metadata_lists(self, types: Sequence[str]) -> dict[str, tuple[MetadataItem, ...]] | None:
        """The components of up to three types by one call; None where they have to be asked for one by one.

        Raises OrgRejected for all of them where the org does not list one.
        """
        return self._metadata.fetch_lists(types)

    def retrieve(self, manifest: Manifest, to: Path, on_event: OnEvent = ignore) -> RetrieveResult:
        """Fetch components as a zip at `to`; raises OrgRejected (LIMIT_EXCEEDED: split the manifest), DiskFull."""
        return self._metadata.retrieve(manifest, to, on_event)

    def fetch_sandboxes(self) -> tuple[SandboxRecord, ...]:
        """Every SandboxInfo of a production, by name."""
        return sandboxes.fetch_records(self._rest)

    def fetch_sandbox_copies(self) -> tuple[SandboxCopy, ...]:
        """Every SandboxProcess of a production, newest first."""
        return sandboxes.fetch_copies(self._rest)

    def fetch_copy_stages(self) -> tuple[CopyStage, ...]:
        """Every SandboxProcessStage of a production; none where the org does not know them."""
        return sandboxes.fetch_stages(self._rest)

    def fetch_copies_of(self, org_id: str) -> tuple[SandboxCopy, ...]:
        """The SandboxProcess rows that name this org, newest first."""
        return sandboxes.fetch_copies(self._rest, org_id)
