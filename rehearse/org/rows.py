"""Row writes to a proven sandbox: sObject collections, guarded rows, undelete, and flow versions over Tooling.

Every write is sent once. Its reply names each row in the order of the request; a reply that is lost, cannot be read or
names another number of rows raises OrgUncertain, and whoever owns the intent looks up what happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from rehearse.errors import NotFound, OrgRejected, OrgUncertain, UsageError
from rehearse.ids import to_18
from rehearse.org.answers import making_sense
from rehearse.org.bulk import JSON, fetch_json, json_body
from rehearse.org.model import RowError, SaveResult, Value
from rehearse.org.rest import RestReader
from rehearse.org.soap import Node, SoapCall, call_soap
from rehearse.org.wire import Call, Wire

# sObject collections and SOAP undelete take 200 rows a call
MOST_ROWS = 200
# as many as one composite call takes, whose parts may carry headers of their own
MOST_GUARDED = 25
CHANGED = "PRECONDITION_FAILED"
# without them REST runs the active assignment rules on leads and cases, and the row gets another owner; and a duplicate
# rule that only warns refuses a row that stood there before (REST guide)
ROW_HEADERS = {"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}
AS_GIVEN = {**JSON, **ROW_HEADERS}


class RowWriter:
    """Row writes of one proven sandbox."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self._version = version
        self._base = f"/services/data/v{version}"

    def insert(self, object: str, rows: Sequence[Mapping[str, Value]]) -> tuple[SaveResult, ...]:
        """Create rows, each for itself (allOrNone false)."""
        return self._send_records("POST", object, rows)

    def insert_one(self, object: str, values: Mapping[str, Value]) -> SaveResult:
        """Create one row, which may carry the contents of a file as base64 (REST guide, insert or update blob data)."""
        body, doing = json_body(dict(values)), f"Inserting a row of {object}"
        call = Call("POST", f"{self._base}/sobjects/{object}", doing, body=body, headers=AS_GIVEN, safe=False)
        try:
            answer = fetch_json(self._wire, call)
        except OrgRejected as error:
            return SaveResult(None, False, (RowError(error.org_code, error.org_message, error.fields),))
        if not isinstance(answer, dict) or not answer.get("id"):
            raise _wrong_count(doing, 0, 1)
        with making_sense(doing, safe=False):
            return SaveResult(to_18(str(answer["id"])), True)

    def update(self, object: str, rows: Sequence[Mapping[str, Value]]) -> tuple[SaveResult, ...]:
        """Update rows, each with its Id, each for itself; None sets null."""
        if any("Id" not in row for row in rows):
            raise UsageError(f"A row of {object} to update has no Id.")
        return self._send_records("PATCH", object, rows)

    def delete(self, ids: Sequence[str]) -> tuple[SaveResult, ...]:
        """Delete rows into the recycle bin, each for itself."""
        _check_size(ids)
        known = [to_18(one) for one in ids]
        params = {"ids": ",".join(known), "allOrNone": "false"}
        call = Call("DELETE", f"{self._base}/composite/sobjects", "Deleting rows", params, safe=False)
        return self._results(call, len(known), known)

    def undelete(self, ids: Sequence[str]) -> tuple[SaveResult, ...]:
        """Bring rows back from the recycle bin with their ids (partner SOAP; REST and Bulk have no undelete)."""
        _check_size(ids)
        known = [to_18(one) for one in ids]
        asked = SoapCall("u", "undelete", {"ids": known}, "Undeleting rows", safe=False)
        results = call_soap(self._wire, self._version, asked)
        if len(results) != len(known):
            raise _wrong_count(asked.doing, len(results), len(known))
        with making_sense(asked.doing, safe=False):
            return tuple(_from_node(node, one) for node, one in zip(results, known, strict=True))

    def update_if_unchanged(
        self, object: str, rows: Sequence[Mapping[str, Value]], since: Mapping[str, datetime]
    ) -> tuple[SaveResult, ...]:
        """Update at most 25 rows, each only if nobody changed it after the instant that `since` has for its Id.

        `If-Unmodified-Since` compares whole seconds with the last modified date; a row without an instant is written
        whatever happened to it. Whoever was changed meanwhile is a result with PRECONDITION_FAILED (REST guide,
        conditional request headers; composite subrequests take the headers of the resource).
        """
        if not can_guard(rows) or any("Id" not in row for row in rows):
            raise UsageError(f"These {len(rows)} rows of {object} cannot be updated under a condition.")
        asked = [self._guarded(object, row, since) for row in rows]
        return (self._update_one(*asked[0]),) if len(asked) == 1 else self._update_together(object, asked)

    def _guarded(
        self, object: str, row: Mapping[str, Value], since: Mapping[str, datetime]
    ) -> tuple[str, dict[str, Value], dict[str, str]]:
        """Address, values and headers of one update."""
        id = str(row["Id"])
        headers = dict(ROW_HEADERS)
        if id in since:
            headers["If-Unmodified-Since"] = format_datetime(since[id].astimezone(UTC), usegmt=True)
        path = f"{self._base}/sobjects/{object}/{to_18(id)}"
        return path, {name: value for name, value in row.items() if name != "Id"}, headers

    def _update_one(self, path: str, values: Mapping[str, Value], headers: Mapping[str, str]) -> SaveResult:
        id, doing = path.rpartition("/")[2], f"Updating a row of {path.split('/')[-2]}"
        call = Call("PATCH", path, doing, body=json_body(values), headers={**JSON, **headers}, safe=False)
        try:
            fetch_json(self._wire, call)
        except OrgRejected as error:
            code = CHANGED if error.status == 412 else error.org_code
            return SaveResult(id, False, (RowError(code, error.org_message, error.fields),))
        return SaveResult(id, True)

    def _update_together(
        self, object: str, asked: Sequence[tuple[str, Mapping[str, Value], Mapping[str, str]]]
    ) -> tuple[SaveResult, ...]:
        requests = [
            {"method": "PATCH", "url": path, "referenceId": f"r{place}", "body": values, "httpHeaders": headers}
            for place, (path, values, headers) in enumerate(asked)
        ]
        body, doing = json_body({"allOrNone": False, "compositeRequest": requests}), f"Updating rows of {object}"
        answer = fetch_json(
            self._wire, Call("POST", f"{self._base}/composite", doing, body=body, headers=JSON, safe=False)
        )
        with making_sense(doing, safe=False):
            parts = answer.get("compositeResponse") if isinstance(answer, dict) else None
            found = {str(one.get("referenceId")): one for one in parts or ()}
            if set(found) != {f"r{place}" for place in range(len(asked))}:
                raise _wrong_count(doing, len(found), len(asked))
            return tuple(_from_part(found[f"r{place}"], path) for place, (path, _, _) in enumerate(asked))

    def _send_records(self, method: str, object: str, rows: Sequence[Mapping[str, Value]]) -> tuple[SaveResult, ...]:
        _check_size(rows)
        records = [{"attributes": {"type": object}, **_with_small_id(row)} for row in rows]
        doing = f"{'Inserting' if method == 'POST' else 'Updating'} rows of {object}"
        body = json_body({"allOrNone": False, "records": records})
        call = Call(method, f"{self._base}/composite/sobjects", doing, body=body, headers=AS_GIVEN, safe=False)
        return self._results(call, len(rows), [str(row["Id"]) if row.get("Id") else None for row in rows])

    def _results(self, call: Call, count: int, ids: Sequence[str | None]) -> tuple[SaveResult, ...]:
        answer = fetch_json(self._wire, call)
        if not isinstance(answer, list) or len(answer) != count:
            raise _wrong_count(call.doing, len(answer) if isinstance(answer, list) else 0, count)
        with making_sense(call.doing, safe=False):
            return tuple(_from_json(row, known) for row, known in zip(answer, ids, strict=True))


def can_guard(rows: Sequence[Mapping[str, Value]]) -> bool:
    """Whether `update_if_unchanged` takes these rows: in a composite call a text with `@{` would be a reference."""
    texts = (value for row in rows for value in row.values() if isinstance(value, str))
    return len(rows) == 1 or (0 < len(rows) <= MOST_GUARDED and not any("@{" in text for text in texts))


def _check_size(rows: Sequence[object]) -> None:
    if not 0 < len(rows) <= MOST_ROWS:
        raise UsageError(f"A call takes 1 to {MOST_ROWS} rows, not {len(rows)}.")


def _with_small_id(row: Mapping[str, Value]) -> dict[str, Value]:
    """Collections spell the key of a row `id`."""
    values = {name: value for name, value in row.items() if name != "Id"}
    return {"id": row["Id"], **values} if "Id" in row else values


def _from_json(row: Mapping[str, Any], known: str | None) -> SaveResult:
    id = row.get("id") or known
    errors = tuple(
        RowError(str(one.get("statusCode", "")), str(one.get("message", "")), tuple(one.get("fields") or ()))
        for one in row.get("errors") or ()
    )
    return SaveResult(to_18(str(id)) if id else None, row.get("success") is True, errors)


def _from_part(part: Mapping[str, Any], path: str) -> SaveResult:
    """One answer of a composite call; a refusal's body is a list of errors, or nothing."""
    id, status = path.rpartition("/")[2], int(part.get("httpStatusCode", 0))
    if 200 <= status < 300:
        return SaveResult(id, True)
    body = part.get("body")
    said = body[0] if isinstance(body, list) and body and isinstance(body[0], dict) else {}
    code = CHANGED if status == 412 else str(said.get("errorCode") or f"HTTP_{status}")
    return SaveResult(id, False, (RowError(code, str(said.get("message", "")), tuple(said.get("fields") or ())),))


def _from_node(node: Node, known: str) -> SaveResult:
    errors = tuple(
        RowError(one.value("statusCode"), one.value("message"), tuple(f.text or "" for f in one.each("fields")))
        for one in node.each("errors")
    )
    return SaveResult(to_18(node.value("id", known)), node.flag("success"), errors)


def _wrong_count(doing: str, found: int, sent: int) -> OrgUncertain:
    return OrgUncertain(
        f"{doing}: the reply names {found} rows where {sent} were sent; which were written is not known.",
        "Run the same command again: it first looks up what happened.",
    )


class FlowWriter:
    """Activation and deletion of flow versions, which no deployment can undo (Tooling API)."""

    def __init__(self, wire: Wire, rest: RestReader) -> None:
        self._wire = wire
        self._rest = rest
        self._base = f"/services/data/v{rest.version}/tooling/sobjects"

    def set_active_version(self, flow: str, version: int) -> None:
        """Make a version the active one; 0 makes the flow inactive. Raises NotFound for an unknown flow."""
        rows = self._query(f"SELECT Id FROM FlowDefinition WHERE DeveloperName = {quote(flow)}")
        body = json_body({"Metadata": {"activeVersionNumber": version}})
        path = f"{self._base}/FlowDefinition/{_only(rows, flow)}"
        doing = f"Activating version {version} of the flow {flow}"
        fetch_json(self._wire, Call("PATCH", path, doing, body=body, headers=JSON, safe=False))

    def delete_version(self, flow: str, version: int) -> None:
        """Delete one version, which must not be active; raises NotFound when it does not exist."""
        rows = self._query(
            f"SELECT Id FROM Flow WHERE Definition.DeveloperName = {quote(flow)} AND VersionNumber = {int(version)}"
        )
        path = f"{self._base}/Flow/{_only(rows, f'{flow} version {version}')}"
        call = Call("DELETE", path, f"Deleting version {version} of the flow {flow}", safe=False)
        fetch_json(self._wire, call)

    def _query(self, soql: str) -> list[dict[str, Value]]:
        return list(self._rest.fetch_rows(soql, path="tooling/query"))


def _only(rows: Sequence[Mapping[str, Value]], what: str) -> str:
    if len(rows) != 1:
        raise NotFound(f"The org has {len(rows)} flows {what}, not one.", "Capture again: the org has moved on.")
    return to_18(str(rows[0]["Id"]))


def quote(text: str) -> str:
    """A SOQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
