"""How sandboxes and their copies look to a query: SandboxInfo, SandboxProcess and SandboxProcessStage as rows.

Pure functions from the values of sandbox_rows to dicts by API name. Status is answered as a label; the code that a
WHERE compares with travels beside it as `_status_code`. SandboxOrganization has 15 characters. There is no field for
the next refresh date, because Salesforce has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from rehearse.practice.org_ids import to_18
from rehearse.practice.org_state import as_stamp
from rehearse.practice.sandbox_rows import ACTIVATING, LABELS, Info, Process
from rehearse.practice.sandbox_steps import Knobs, copy_progress

STAGE_TYPES = ("In Queue", "Data Copy", "Pending Activation", "Activation")
STAGE_PREFIX = "1XP"
"""Invented: no source gives the key prefix of SandboxProcessStage."""


def info_row(info: Info) -> dict[str, Any]:
    """A SandboxInfo row."""
    return {
        "Id": info.id,
        "IsDeleted": info.deleted,
        "SandboxName": info.name,
        "LicenseType": info.licence,
        **info.asked,
        "CreatedDate": as_stamp(info.created),
        "CreatedById": info.created_by,
        "LastModifiedDate": as_stamp(info.modified),
        "LastModifiedById": info.modified_by,
        "SystemModstamp": as_stamp(info.modified),
    }


def process_row(process: Process, knobs: Knobs, now: datetime) -> dict[str, Any]:
    """A SandboxProcess row as of `now`."""
    asked = {name: value for name, value in process.asked.items() if name != "PostCopyConfig"}
    return {
        "Id": process.id,
        "IsDeleted": False,
        "SandboxInfoId": process.info_id,
        "SandboxName": process.name,
        "Status": status_label(process, knobs),
        "_status_code": process.code,
        "CopyProgress": copy_progress(process, knobs, now),
        "RefreshAction": process.refresh_action,
        "SandboxOrganization": process.org,
        "LicenseType": process.licence,
        **asked,
        "StartDate": _stamp(process.started),
        "EndDate": _stamp(process.ended),
        "ActivatedDate": _stamp(process.activated),
        "ActivatedById": process.activated_by,
        "CreatedDate": as_stamp(process.created),
        "CreatedById": process.created_by,
        "LastModifiedDate": as_stamp(process.modified),
        "LastModifiedById": process.created_by,
        "SystemModstamp": as_stamp(process.modified),
    }


def status_label(process: Process, knobs: Knobs) -> str:
    """The status in words; for codes 5 to 8 by a setting one word or four labels."""
    if process.code in ACTIVATING and knobs["activating_label"]:
        return str(knobs["activating_label"])
    return LABELS[process.code]


def stage_rows(process: Process, others: Sequence[Process], knobs: Knobs, now: datetime) -> list[dict[str, Any]]:
    """The SandboxProcessStage rows of one copy: its queue, its copying, and for a refresh its activation."""
    ahead = sum(1 for one in others if one.number < process.number and one.code in "0X2S")
    spans: list[tuple[datetime | None, datetime | None]] = [
        (process.created, process.started),
        (process.started, process.copied),
    ]
    if process.is_refresh:
        left = process.activation_asked or (process.since if process.discarded else None)
        spans.append((process.copied, left))
        spans.append((process.activation_asked, process.since if process.code == "1" else None))
    return [_stage(process, number, span, (ahead, knobs, now)) for number, span in enumerate(spans)]


def _stage(
    process: Process, number: int, span: tuple[datetime | None, datetime | None], view: tuple[int, Knobs, datetime]
) -> dict[str, Any]:
    ahead, knobs, now = view
    start, end = span
    estimated, actual, done = _work(process, number, ahead, knobs, now)
    return {
        "Id": to_18(f"{STAGE_PREFIX}{process.id[4:15]}{number}"),
        str(knobs["stage_parent_field"]): process.id,
        "StageNumber": number,
        "StageType": STAGE_TYPES[number],
        "Status": "Completed" if end else ("In Progress" if start else "Pending"),
        "StartTime": _stamp(start),
        "EndTime": _stamp(end),
        "InfoLastUpdated": as_stamp(now),
        "EstimatedTotalWork": estimated,
        "ActualTotalWork": actual,
        "IsActualWorkFinal": actual is not None,
        "CompletedWork": done,
    }


def _work(
    process: Process, number: int, ahead: int, knobs: Knobs, now: datetime
) -> tuple[int | None, int | None, int | None]:
    """Estimated, actual and completed work: sandboxes ahead in the queue; minutes for copying and activating."""
    if number == 0:
        return (ahead if process.started is None else 0), None, None
    if number == 1:
        whole = int(knobs["processing_minutes"].get(process.licence, 0))
        if process.started is None:
            return (whole if process.is_refresh else None), None, None
        percent = 100 if process.copied else (copy_progress(process, knobs, now) or 0)
        return whole, whole, whole * percent // 100
    if number == 3:
        whole = int(knobs["activating_minutes"])
        asked = process.activation_asked
        if asked is None:
            return whole, None, None
        passed = whole if process.code == "1" else min(whole, int((now - asked) / timedelta(minutes=1)))
        return whole, whole, passed
    return None, None, None


def _stamp(at: datetime | None) -> str | None:
    return as_stamp(at) if at is not None else None
