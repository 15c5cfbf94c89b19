"""The practice team's own small client: REST, Bulk 2.0 and a metadata deployment over the public wire.

It is what any team's scripts would be, and shares nothing with the client of this tool, so that what a rehearsal does
to a sandbox never depends on the code that has to undo it. It never retries and always has a time-out. Raises
PlayFailed with Salesforce's own words when the org refuses something that the play needs.
"""

from __future__ import annotations

import base64
import csv
import io
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

import requests
from lxml import etree

VERSION = "67.0"
TIMEOUT = (10, 60)  # seconds to connect, and to wait for a byte
WAIT = 120.0  # seconds for a job
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
METADATA = "http://soap.sforce.com/2006/04/metadata"

Value = str | int | float | bool | None


class PlayFailed(Exception):
    """The org refused something that the play needs; the text is the org's."""


@dataclass(frozen=True)
class Seat:
    """One person at one org: where it is, and the token of that person."""

    url: str
    token: str = field(repr=False)
    ca_file: Path | None = None


class Caller:
    """One person's connection to one org. Close it, or use it in a `with`."""

    def __init__(self, seat: Seat) -> None:
        self._url = seat.url.rstrip("/")
        self._token = seat.token
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy or bundle of the machine is not meant for a practice org
        self._session.headers["Authorization"] = f"Bearer {seat.token}"
        if seat.ca_file is not None:
            self._session.verify = str(seat.ca_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()

    # ---- REST

    def query(self, soql: str) -> list[dict[str, Any]]:
        """Every row of a query, without `attributes`."""
        answer = self._json("GET", "query", params={"q": soql})
        found = list(answer["records"])
        while "nextRecordsUrl" in answer:
            answer = self._json("GET", answer["nextRecordsUrl"])
            found += answer["records"]
        return [{name: value for name, value in row.items() if name != "attributes"} for row in found]

    def count(self, soql: str) -> int:
        """The answer of a SELECT COUNT()."""
        return int(self._json("GET", "query", params={"q": soql})["totalSize"])

    def create(self, target: str, rows: Sequence[Mapping[str, Value]]) -> list[str]:
        """Insert up to 200 rows; answers their ids. All of them or PlayFailed."""
        return self._collection("POST", target, rows)

    def update(self, target: str, rows: Sequence[Mapping[str, Value]]) -> list[str]:
        """Update up to 200 rows that carry their Id."""
        return self._collection("PATCH", target, rows)

    def patch(self, target: str, row_id: str, values: Mapping[str, Value]) -> None:
        """Update one row on its own."""
        self._call("PATCH", f"sobjects/{target}/{row_id}", json=dict(values))

    def delete(self, ids: Sequence[str]) -> None:
        """Delete up to 200 rows."""
        ids_text = ",".join(ids)
        answer = self._json("DELETE", "composite/sobjects", params={"ids": ids_text, "allOrNone": "true"})
        _check(answer)

    # ---- Bulk 2.0

    def bulk(self, target: str, operation: str, rows: Sequence[Mapping[str, str]], key: str = "") -> int:
        """One ingest job, waited for; answers how many rows it wrote. A cell of `#N/A` empties a field."""
        body: dict[str, str] = {"object": target, "operation": operation, "contentType": "CSV", "lineEnding": "LF"}
        if key:
            body["externalIdFieldName"] = key
        job = self._json("POST", "jobs/ingest", json=body)["id"]
        self._call("PUT", f"jobs/ingest/{job}/batches", data=_csv(rows), headers={"Content-Type": "text/csv"})
        self._call("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})
        for _ in _ticks():
            state = self._json("GET", f"jobs/ingest/{job}")
            if state["state"] in ("JobComplete", "Failed", "Aborted"):
                break
        if state["state"] != "JobComplete" or state["numberRecordsFailed"]:
            failed = self._call("GET", f"jobs/ingest/{job}/failedResults").content.decode()
            reasons = {row["sf__Error"] for row in csv.DictReader(io.StringIO(failed, newline=""))}
            text = "; ".join(filter(None, [state.get("errorMessage"), *sorted(reasons)[:3]]))
            raise PlayFailed(f"{operation} of {target} ended {state['state']}: {text}")
        return int(state["numberRecordsProcessed"])

    # ---- Metadata SOAP

    def deploy(self, files: Mapping[str, bytes]) -> int:
        """Deploy a tree with its manifests, all or nothing; answers how many components it touched."""
        options = "".join(
            f"<m:{name}>{value}</m:{name}>"
            for name, value in (
                ("checkOnly", "false"),
                ("ignoreWarnings", "true"),
                ("rollbackOnError", "true"),
                ("singlePackage", "true"),
                ("testLevel", "NoTestRun"),
            )
        )
        packed = base64.b64encode(pack(files)).decode()
        sent = f"<m:deploy><m:ZipFile>{packed}</m:ZipFile><m:DeployOptions>{options}</m:DeployOptions></m:deploy>"
        job = _text(self._soap(sent), "id")
        ask = f"<m:asyncProcessId>{escape(job)}</m:asyncProcessId><m:includeDetails>true</m:includeDetails>"
        for _ in _ticks():
            answer = self._soap(f"<m:checkDeployStatus>{ask}</m:checkDeployStatus>")
            if _text(answer, "done") == "true":
                break
        if _text(answer, "status") != "Succeeded":
            problems = [
                f"{_text(one, 'fullName')}: {_text(one, 'problem')}" for one in _all(answer, "componentFailures")
            ]
            raise PlayFailed(f"The deployment ended {_text(answer, 'status')}. {'; '.join(problems[:5])}")
        return int(_text(answer, "numberComponentsDeployed"))

    def _soap(self, body: str) -> etree._Element:
        envelope = (
            f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:m="{METADATA}">'
            f"<soapenv:Header><m:SessionHeader><m:sessionId>{escape(self._token)}</m:sessionId></m:SessionHeader>"
            f"</soapenv:Header><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
        )
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        url = f"{self._url}/services/Soap/m/{VERSION}"
        answer = self._session.post(url, data=envelope.encode(), headers=headers, timeout=TIMEOUT)
        root = etree.fromstring(
            answer.content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        )
        if answer.status_code != 200:
            raise PlayFailed(_text(root, "faultstring"))
        return root

    # ---- one call

    def _collection(self, method: str, target: str, rows: Sequence[Mapping[str, Value]]) -> list[str]:
        records = [{"attributes": {"type": target}, **row} for row in rows]
        answer = self._json(method, "composite/sobjects", json={"allOrNone": True, "records": records})
        _check(answer)
        return [str(one["id"]) for one in answer]

    def _json(self, method: str, path: str, **more: Any) -> Any:
        return self._call(method, path, **more).json()

    def _call(self, method: str, path: str, **more: Any) -> requests.Response:
        base = f"{self._url}{path}" if path.startswith("/") else f"{self._url}/services/data/v{VERSION}/{path}"
        answer = self._session.request(method, base, timeout=TIMEOUT, **more)
        if answer.status_code >= 300:
            raise PlayFailed(f"{method} {path.partition('?')[0]}: {answer.status_code} {answer.text[:500]}")
        return answer


def _check(results: Sequence[Mapping[str, Any]]) -> None:
    problems = [f"{error['statusCode']}: {error['message']}" for one in results for error in one["errors"]]
    if problems:
        raise PlayFailed("; ".join(problems[:5]))


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip of a tree; the same tree gives the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 11, 23, 8, 0, 0)), body)
    return packed.getvalue()


def _ticks() -> Iterable[None]:
    """Turns of a waiting loop, further apart as time passes. Raises PlayFailed when a job takes too long."""
    pause, waited = 0.02, 0.0
    while waited < WAIT:
        yield
        time.sleep(pause)
        waited += pause
        pause = min(1.0, pause * 1.4)
    raise PlayFailed(f"A job was not done after {WAIT:.0f} seconds.")


def _all(root: etree._Element, tag: str) -> list[etree._Element]:
    return [one for one in root.iter() if isinstance(one.tag, str) and etree.QName(one).localname == tag]


def _text(root: etree._Element, tag: str) -> str:
    return next((one.text or "" for one in _all(root, tag)), "")
