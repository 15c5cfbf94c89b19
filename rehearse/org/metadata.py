"""Metadata API over SOAP: describe, list, retrieve; and deploy for a proven sandbox. Zips are streamed both ways.

Three types or folders a list call at most: one unsupported type spoils the others of its call. A retrieve's zip comes
with the answer that says done, and is handed over once only: when that delivery breaks off, the retrieve is started
again. Deployments are all or nothing (`rollbackOnError`), and their status is what the org says: whether it did what
was asked, a proof decides.
"""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from rehearse import clock
from rehearse.errors import OrgBusy, OrgLimit, OrgRejected, UsageError
from rehearse.events import Advanced, Finished, OnEvent, Started, ignore
from rehearse.ids import to_18
from rehearse.org.answers import making_sense
from rehearse.org.model import DeployMessage, DeployResult, Manifest, MetadataItem, MetadataType, RetrieveResult
from rehearse.org.soap import PIECE, Node, SoapCall, build_call, call_for_one, call_soap, read_into_file, read_one
from rehearse.org.soap_request import METADATA, Element, envelope_around, render_elements
from rehearse.org.waiting import wait_until
from rehearse.org.wire import Call, Wire

# a SOAP message may not exceed 50 MB: about 39 MB of zip once it is base64
SOAP_BYTES = 52_428_800
LISTS_A_CALL = 3
_DELIVERIES = 4


class MetadataReader:
    """Metadata reads of one org."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self._version = version

    def fetch_types(self) -> tuple[MetadataType, ...]:
        """The rows of describeMetadata; which there are depends on the user's permissions and the org's licences."""
        call = SoapCall("m", "describeMetadata", {"asOfVersion": self._version}, "Describing metadata")
        return call_for_one(self._wire, self._version, call, _build_types)

    def fetch_items(self, type: str, folders: Sequence[str] | None = None) -> tuple[MetadataItem, ...]:
        """The components of one type (in these folders), each full name once. Raises OrgRejected for an unknown one."""
        queries = [(type, one) for one in folders] if folders is not None else [(type, None)]
        batches = [queries[start : start + LISTS_A_CALL] for start in range(0, len(queries), LISTS_A_CALL)]
        return _unique([item for batch in batches for item in self._list(batch, type)])

    def fetch_lists(self, types: Sequence[str]) -> dict[str, tuple[MetadataItem, ...]] | None:
        """The components of up to three types by one call; None where a line of the answer does not say whose it is.

        Raises OrgRejected for all of them where the org does not list one.
        """
        found = self._list([(one, None) for one in types], "")
        by_type = {one: _unique([item for item in found if item.type == one]) for one in types}
        return by_type if {item.type for item in found} <= by_type.keys() else None

    def _list(self, queries: Sequence[tuple[str, str | None]], otherwise: str) -> list[MetadataItem]:
        """What queries for (type, folder) list, by one call; `otherwise`: the type of lines that have none."""
        asked: list[Element] = [{"folder": folder, "type": type} for type, folder in queries]
        values: dict[str, Element] = {"queries": asked, "asOfVersion": self._version}
        doing = f"Listing {', '.join(dict.fromkeys(type for type, _ in queries))}"
        nodes = call_soap(self._wire, self._version, SoapCall("m", "listMetadata", values, doing))
        with making_sense(doing):
            return [build_item(node, otherwise) for node in nodes]

    def retrieve(self, manifest: Manifest, to: Path, on_event: OnEvent = ignore) -> RetrieveResult:
        """Fetch the components of a manifest as a zip at `to`, which may be a file without a name.

        After an error nothing is there. Raises OrgRejected with the retrieve's own status code (LIMIT_EXCEEDED: split
        the manifest), OrgBusy when the zip could not be taken over whole, and DiskFull.
        """
        members = sum(len(names) for names in manifest.values())
        on_event(Started("retrieve", members, "components"))
        for delivery in range(_DELIVERIES):
            try:
                result = self._retrieve_once(manifest, to)
                on_event(Finished("retrieve", f"{result.files} files"))
                return result
            except OrgBusy:
                # the server forgets the zip once it was sent: only a new retrieve brings it again
                if delivery == _DELIVERIES - 1:
                    raise
        raise AssertionError("unreachable")

    def _retrieve_once(self, manifest: Manifest, to: Path) -> RetrieveResult:
        types = [{"members": list(manifest[name]), "name": name} for name in sorted(manifest)]
        request: dict[str, Element] = {
            "apiVersion": self._version,
            "singlePackage": True,
            "unpackaged": {"types": types, "version": self._version},
        }
        start = SoapCall("m", "retrieve", {"retrieveRequest": request}, "Starting a retrieve")
        job_id = call_for_one(self._wire, self._version, start, _id_of)

        try:
            ended = wait_until(
                lambda: self._ask_for_zip(job_id, to), lambda answer: answer[0].flag("done"), self._wire.options
            )
            return _accept(job_id, ended, to)
        except BaseException:
            with suppress(OSError):  # a file without a name goes with whoever opened it
                to.unlink()
            raise

    def _ask_for_zip(self, job_id: str, to: Path) -> tuple[Node, int]:
        """How a retrieve stands, and the size of its zip, which is at `to` when it is done.

        One question brings both: without the zip the answer that says done names every file a second time.
        """
        values: dict[str, Element] = {"asyncProcessId": job_id, "includeZip": True}
        asked = SoapCall("m", "checkRetrieveStatus", values, f"Asking for retrieve {job_id}", large=True)
        call = build_call(self._version, asked)
        try:
            return self._wire.stream(call, lambda response: read_into_file(response, call, "zipFile", to))
        except OrgRejected as error:
            # the job was known a moment ago: a delivery that broke off took the zip with it
            raise _not_whole(job_id) from error


def _unique(items: Sequence[MetadataItem]) -> tuple[MetadataItem, ...]:
    """Each full name once, sorted."""
    unique = {item.full_name: item for item in items if item.full_name}
    return tuple(unique[name] for name in sorted(unique))


def _accept(job_id: str, ended: tuple[Node, int], to: Path) -> RetrieveResult:
    """The result of a retrieve that ended, its zip at `to`. Raises OrgRejected; OrgBusy (also: nobody knows why)."""
    result, size = ended
    if not result.flag("success"):
        code = result.value("errorStatusCode", "RETRIEVE_FAILED")
        failed = OrgRejected(code, result.value("errorMessage", "no reason given"), "Retrieving metadata")
        raise OrgBusy(failed.message, "Try again in some minutes.") if code == "UNKNOWN_EXCEPTION" else failed
    if size == 0 or not zipfile.is_zipfile(to):
        raise _not_whole(job_id)
    files = sum(1 for _ in result.each("fileProperties"))
    messages = tuple(f"{one.value('fileName')}: {one.value('problem')}" for one in result.each("messages"))
    return RetrieveResult(to, files, messages)


def _not_whole(job_id: str) -> OrgBusy:
    return OrgBusy(f"The zip of the retrieve {job_id} did not come over whole.", "Run the command again.")


def _id_of(started: Node) -> str:
    """The id of a job that was started; raises UsageError for anything else, which would be asked about for ever."""
    job_id = started.value("id")
    to_18(job_id)
    return job_id


def _build_types(described: Node) -> tuple[MetadataType, ...]:
    rows = (_build_type(node) for node in described.each("metadataObjects"))
    return tuple(sorted(rows, key=lambda one: one.name))


def _build_type(node: Node) -> MetadataType:
    return MetadataType(
        name=node.value("xmlName"),
        directory=node.value("directoryName"),
        suffix=node.value("suffix") or None,
        in_folder=node.flag("inFolder"),
        meta_file=node.flag("metaFile"),
        children=tuple(sorted((one.text or "").strip() for one in node.each("childXmlNames") if one.text)),
    )


def build_item(node: Node, asked_type: str) -> MetadataItem:
    """A FileProperties row; some rows carry no type (value set translations), then the asked one holds."""
    known = node.values()
    return MetadataItem(
        type=known.get("type", asked_type),
        full_name=known.get("fullName", ""),
        file_name=known.get("fileName", ""),
        id=known.get("id", ""),
        changed_at=_instant(known.get("lastModifiedDate", "")),
        changed_by=known.get("lastModifiedByName", ""),
        manageable_state=known.get("manageableState"),
        namespace=known.get("namespacePrefix"),
        created_at=_instant(known.get("createdDate", "")),
    )


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime | None:
    """What was deployed together has one date. Salesforce writes 1970-01-01 where it does not know."""
    if not text or text.startswith("1970-01-01"):
        return None
    return clock.from_iso(text)


class MetadataWriter:
    """Deployments to one proven sandbox."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self._version = version

    def start(self, zip_path: Path, options: Mapping[str, bool | str]) -> str:
        """Start a deployment and return its id (0Af…); raises OrgUncertain when the reply was lost.

        Raises OrgLimit for a zip that does not fit into one SOAP message.
        """
        body = _DeployBody(zip_path, options, "")
        if len(body) + 1_000 > SOAP_BYTES:
            raise OrgLimit("The package is too large for one deployment.", "Split it: 39 MB of zip are the most.")
        call = Call(
            "POST",
            f"/services/Soap/m/{self._version}",
            "Starting a deployment",
            body=lambda token: _DeployBody(zip_path, options, token),
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
            safe=False,
        )
        return self._wire.stream(call, lambda response: read_one(response, call, _id_of))

    def fetch(self, deploy_id: str, *, details: bool = True) -> DeployResult:
        """The state of a deployment; its messages are complete only with `details`."""
        values: dict[str, Element] = {"asyncProcessId": deploy_id, "includeDetails": details}
        call = SoapCall("m", "checkDeployStatus", values, f"Asking for the deployment {deploy_id}")
        return call_for_one(self._wire, self._version, call, build_deploy_result)

    def wait(self, deploy_id: str, on_event: OnEvent = ignore) -> DeployResult:
        """Wait until a deployment has ended, well or not, and return it with its messages."""
        on_event(Started("deployment", unit="components"))

        def ask() -> DeployResult:
            result = self.fetch(deploy_id, details=False)
            on_event(Advanced("deployment", result.deployed, result.total or None, "components"))
            return result

        wait_until(ask, lambda one: one.done, self._wire.options)
        result = self.fetch(deploy_id)
        on_event(Finished("deployment", result.status))
        return result


def build_deploy_result(node: Node) -> DeployResult:
    """A DeployResult; a component that stands under successes and failures has failed."""
    details = node.child("details")
    messages: dict[tuple[str, str, str], DeployMessage] = {}
    if details is not None:
        for kind in ("componentSuccesses", "componentFailures"):
            for one in details.each(kind):
                message = _build_message(one)
                messages[(message.type, message.full_name, one.value("fileName"))] = message
    return DeployResult(
        id=node.value("id"),
        status=node.value("status"),
        done=node.flag("done"),
        success=node.flag("success"),
        check_only=node.flag("checkOnly"),
        messages=tuple(messages[key] for key in sorted(messages)),
        error=node.value("errorMessage"),
        deployed=int(node.value("numberComponentsDeployed") or 0),
        total=int(node.value("numberComponentsTotal") or 0),
    )


def _build_message(node: Node) -> DeployMessage:
    type, full_name = node.value("componentType"), node.value("fullName")
    return DeployMessage(
        # Settings answer as FooSettings (source-deploy-retrieve, deployMessages.ts) and are deployed as Settings.
        type="Settings" if type == f"{full_name}Settings" else type,
        full_name=full_name,
        success=node.flag("success"),
        created=node.flag("created"),
        changed=node.flag("changed"),
        deleted=node.flag("deleted"),
        problem=node.value("problem"),
        problem_type=node.value("problemType"),
    )


class _DeployBody:
    """The envelope of a deployment, its zip turned into base64 while it is sent."""

    def __init__(self, zip_path: Path, options: Mapping[str, bool | str], token: str) -> None:
        if not zipfile.is_zipfile(zip_path):
            raise UsageError("What is to be deployed is not a zip file.")
        head, tail = envelope_around(METADATA, "deploy", token)
        self._head = head + b"<ZipFile>"
        self._tail = b"</ZipFile>" + render_elements({"DeployOptions": dict(options)}) + tail
        self._path = zip_path
        self._size = zip_path.stat().st_size

    def __len__(self) -> int:
        return len(self._head) + (self._size + 2) // 3 * 4 + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        with self._path.open("rb") as file:
            while piece := file.read(PIECE // 4 * 3):
                yield base64.b64encode(piece)
        yield self._tail
