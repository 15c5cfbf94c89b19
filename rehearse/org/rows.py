"""Row writes to a proven sandbox: sObject collections, one guarded row, undelete, and flow versions over Tooling.

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
from rehearse.org.bulk import JSON, fetch_json, json_body
from rehearse.org.model import RowError, SaveResult, Value
from rehearse.org.rest import RestReader
from rehearse.org.soap import Node, SoapCall, call_soap
from rehearse.org.wire import Call, Wire

# sObject collections and SOAP undelete take 200 rows a call
MOST_ROWS = 200
# without them REST runs the active assignment rules on leads and cases, and the row gets another owner; and a duplicate
# rule that only warns refuses a row that stood there before (REST guide)
AS_GIVEN = {**JSON, "Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}


class RowWriter:
    """Row writes of one proven sandbox."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self._version = version
        self._base = f"/services/data/v{version}"

    def insert(self, object: str, rows: Sequence[Mapping[str, Value]]) -> tuple[SaveResult, ...]:
        """Create rows, each for itself (allOrNone false)."""
        return self._send_records("POST", object, rows)

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
        return tuple(_from_node(node, one) for node, one in zip(results, known, strict=True))

    def update_if_unchanged(self, object: str, id: str, values: Mapping[str, Value], since: datetime) -> SaveResult:
        """Update one row unless it was changed after `since` (whole seconds; HTTP 412 -> PRECONDITION_FAILED)."""
        path = f"{self._base}/sobjects/{object}/{to_18(id)}"
        headers = {**AS_GIVEN, "If-Unmodified-Since": format_datetime(since.astimezone(UTC), usegmt=True)}
        body = json_body({name: value for name, value in values.items() if name != "Id"})
        try:
            fetch_json(
                self._wire, Call("PATCH", path, f"Updating a row of {object}", body=body, headers=headers, safe=False)
            )
        except OrgRejected as error:
            code = "PRECONDITION_FAILED" if error.org_code in ("HTTP_412", "PRECONDITION_FAILED") else error.org_code
            return SaveResult(to_18(id), False, (RowError(code, error.org_message),))
        return SaveResult(to_18(id), True)

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
        return tuple(_from_json(row, known) for row, known in zip(answer, ids, strict=True))


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
