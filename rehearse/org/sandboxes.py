"""SandboxInfo and SandboxProcess of a production org, over the Tooling API.

A refresh re-sends every writable field that could be read, because fields left out have been seen to be emptied. None
of the changes is ever sent twice: a refresh cannot be cancelled and costs the interval, so after a lost reply
(OrgUncertain) the caller looks at SandboxProcess. Which optional fields exist depends on the org and on permissions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from rehearse import clock
from rehearse.errors import OrgRejected
from rehearse.ids import to_18
from rehearse.org.answers import making_sense
from rehearse.org.bulk import JSON, fetch_json, json_body
from rehearse.org.model import CopyStage, SandboxCopy, SandboxRecord, SandboxState, Value
from rehearse.org.rest import RestReader
from rehearse.org.wire import Call, Wire

_WRITABLE = (
    "SandboxName",
    "LicenseType",
    "Description",
    "AutoActivate",
    "SourceId",
    "HistoryDays",
    "CopyChatter",
)
# newest or most restricted first: what an org does not know, or this user may not see, is left out in this order
_OPTIONAL = (
    "PostCopyConfig",
    "CopyArchivedActivities",
    "Features",
    "ActivationUserGroupId",
    "TemplateId",
    "ApexClassId",
)
_COPY = (
    "Id,SandboxInfoId,SandboxName,LicenseType,Status,SandboxOrganization,CreatedDate,StartDate,EndDate,ActivatedDate,"
    "CopyProgress"
)
_STAGE = (
    "StageNumber,StageType,Status,StartTime,EndTime,EstimatedTotalWork,ActualTotalWork,IsActualWorkFinal,CompletedWork"
)
# which of the two is the column that names the process is in no source (facts 2.4)
_STAGE_PARENTS = ("SandboxProcessId", "SandboxProcess")
# rows carry labels, filters take codes; a code in a row is understood as well (Tooling API guide, SandboxProcess)
_STATES: Mapping[str, SandboxState] = {
    "pending": "pending",
    "0": "pending",
    "completed": "completed",
    "1": "completed",
    "processing": "copying",
    "2": "copying",
    "sampling": "copying",
    "X": "copying",
    "pending activation": "pending-activation",
    "4": "pending-activation",
    "5": "activating",
    "6": "activating",
    "7": "activating",
    "8": "activating",
    "activation confirmed": "activating",
    "deactivation confirmed": "activating",
    "deactivation finished": "activating",
    "activation processing": "activating",
    "suspended": "suspended",
    "S": "suspended",
    "stopped": "stopped",
    "G": "stopped",
    "discarding": "discarding",
    "F": "discarding",
    "deleting": "deleting",
    "E": "deleting",
    "deleted": "deleted",
    "D": "deleted",
    "locking": "locked",
    "L": "locked",
    "locked": "locked",
    "B": "locked",
}


def state_of(status: str) -> SandboxState:
    """Our word for a Status label or code; "Activating" comes with or without its stage. Unknown stays unknown."""
    status = status.strip()
    if len(status) == 1:
        return _STATES.get(status.upper(), "unknown")
    if status.lower().startswith("activating"):
        return "activating"
    return _STATES.get(status.lower(), "unknown")


def fetch_records(rest: RestReader) -> tuple[SandboxRecord, ...]:
    """Every SandboxInfo row, by name. Columns that the org does not know are left out, one at a time."""
    optional = list(_OPTIONAL)
    while True:
        soql = f"SELECT {','.join(['Id', *_WRITABLE, *optional])} FROM SandboxInfo ORDER BY SandboxName"
        try:
            rows = list(_fetch_rows(rest, soql))
            with making_sense("Reading SandboxInfo"):
                return tuple(_build_record(row) for row in rows)
        except OrgRejected as error:
            if error.org_code != "INVALID_FIELD" or not optional:
                raise
            named = next((name for name in optional if name in error.org_message), optional[0])
            optional.remove(named)


def fetch_copies(rest: RestReader, of_org: str | None = None) -> tuple[SandboxCopy, ...]:
    """Every SandboxProcess row, newest first; with `of_org` those that name this org (compared by case, by us)."""
    where = f" WHERE SandboxOrganization = '{to_18(of_org)[:15]}'" if of_org else ""
    tail = f"FROM SandboxProcess{where} ORDER BY CreatedDate DESC"
    try:
        rows = list(_fetch_rows(rest, f"SELECT {_COPY},SourceId {tail}"))
    except OrgRejected as error:
        if error.org_code != "INVALID_FIELD":
            raise
        rows = list(_fetch_rows(rest, f"SELECT {_COPY} {tail}"))
    with making_sense("Reading SandboxProcess"):
        copies = [_build_copy(row) for row in rows]
    return tuple(copy for copy in copies if of_org is None or copy.org_id == to_18(of_org))


def fetch_stages(rest: RestReader) -> tuple[CopyStage, ...]:
    """Every SandboxProcessStage row; none where the org does not know the object (before API 66.0) or hides it."""
    for parent in _STAGE_PARENTS:
        soql = f"SELECT {parent},{_STAGE} FROM SandboxProcessStage ORDER BY {parent},StageNumber"
        try:
            rows = list(_fetch_rows(rest, soql))
        except OrgRejected:
            continue
        with making_sense("Reading SandboxProcessStage"):
            return tuple(_build_stage(row, parent) for row in rows if row[parent] is not None)
    return ()


def _fetch_rows(rest: RestReader, soql: str) -> Iterator[dict[str, Value]]:
    return rest.fetch_rows(soql, path="tooling/query")


def _build_record(row: Mapping[str, Value]) -> SandboxRecord:
    fields = {name: value for name, value in row.items() if name != "Id"}
    return SandboxRecord(
        id=to_18(str(row["Id"])),
        name=str(row["SandboxName"]),
        licence=str(row.get("LicenseType") or ""),
        description=_text(row.get("Description")),
        auto_activate=row.get("AutoActivate") is True,
        template_id=_text(row.get("TemplateId")),
        source_id=_text(row.get("SourceId")),
        fields=fields,
    )


def _build_copy(row: Mapping[str, Value]) -> SandboxCopy:
    requested = clock.from_iso(str(row["CreatedDate"]))
    org_id, progress = row.get("SandboxOrganization"), row.get("CopyProgress")
    return SandboxCopy(
        id=to_18(str(row["Id"])),
        sandbox_id=to_18(str(row["SandboxInfoId"])),
        name=str(row["SandboxName"]),
        licence=str(row.get("LicenseType") or ""),
        state=state_of(str(row["Status"])),
        label=str(row["Status"]),
        org_id=to_18(str(org_id)) if org_id else None,
        requested=requested,
        started=_instant(row.get("StartDate")),
        copied=_instant(row.get("EndDate")),
        activated=_instant(row.get("ActivatedDate")),
        progress=_number(progress),
        source_id=_text(row.get("SourceId")),
    )


def _build_stage(row: Mapping[str, Value], parent: str) -> CopyStage:
    return CopyStage(
        copy_id=to_18(str(row[parent])),
        number=int(str(row["StageNumber"])),
        kind=str(row["StageType"]),
        status=str(row["Status"]),
        started=_instant(row.get("StartTime")),
        ended=_instant(row.get("EndTime")),
        estimated=_number(row.get("EstimatedTotalWork")),
        actual=_number(row.get("ActualTotalWork")) if row.get("IsActualWorkFinal") is True else None,
        completed=_number(row.get("CompletedWork")),
    )


def _number(value: Value) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _instant(value: Value) -> datetime | None:
    return clock.from_iso(str(value)) if value else None


def _text(value: Value) -> str | None:
    return str(value) if value is not None else None


class SandboxLifecycle:
    """Refresh, activate and discard, each sent once. All raise OrgRejected with Salesforce's words for a refusal."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self._base = f"/services/data/v{version}/tooling/sobjects"

    def refresh(self, record: SandboxRecord, changes: Mapping[str, Value]) -> None:
        """Ask for a refresh with all writable fields of `record`, `changes` laid over them."""
        path = f"{self._base}/SandboxInfo/{to_18(record.id)}"
        self._change(path, f"Refreshing {record.name}", build_request(record, changes))

    def act(self, copy_id: str, action: str) -> None:
        """ACTIVATE or DISCARD a copy that waits for it."""
        path = f"{self._base}/SandboxProcess/{to_18(copy_id)}"
        self._change(path, f"{action.capitalize()} of {copy_id}", {"RefreshAction": action})

    def _change(self, path: str, doing: str, body: Mapping[str, Value]) -> None:
        fetch_json(self._wire, Call("PATCH", path, doing, body=json_body(body), headers=JSON, safe=False))


def build_request(record: SandboxRecord, changes: Mapping[str, Value]) -> dict[str, Value]:
    """The body of a refresh: every writable field that has a value, with `changes` laid over.

    LicenseType must be absent where SourceId is given (Tooling API guide, SandboxInfo).
    """
    fields = {**record.fields, **changes}
    known = [*_WRITABLE, *_OPTIONAL]
    body = {name: fields[name] for name in known if fields.get(name) is not None or name in changes}
    if body.get("SourceId"):
        body.pop("LicenseType", None)
    return body
