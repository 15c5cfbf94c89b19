"""Whether a request for a sandbox may be granted: the fields it carries, the name, the licence, the interval.

Every rule is one small function that raises ApiError with Salesforce's code, or with the one that a setting names
where no source gives it. A request that passes is answered as clean field values. Nothing here writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_ids import is_id, to_18
from rehearse.practice.sandbox_rows import BUSY, Info, Process
from rehearse.practice.sandbox_steps import Knobs, interval_ends

LICENCES = ("DEVELOPER", "DEVELOPER_PRO", "PARTIAL", "FULL")
"""From the smallest to the largest: a sandbox may use up a larger licence than its own."""
HISTORY_DAYS = (-1, 0, 10, 20, 30, 60, 90, 120, 150, 180)
FIELD_KINDS: dict[str, type] = {
    "SandboxName": str,
    "LicenseType": str,
    "Description": str,
    "AutoActivate": bool,
    "ApexClassId": str,
    "TemplateId": str,
    "SourceId": str,
    "HistoryDays": int,
    "CopyChatter": bool,
    "CopyArchivedActivities": bool,
    "ActivationUserGroupId": str,
    "Features": str,
    "PostCopyConfig": str,
}
READ_ONLY = (
    "Id",
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
)
DEFAULTS: dict[str, Any] = {
    "Description": None,
    "AutoActivate": False,
    "ApexClassId": None,
    "TemplateId": None,
    "SourceId": None,
    "HistoryDays": 0,
    "CopyChatter": False,
    "CopyArchivedActivities": False,
    "ActivationUserGroupId": None,
    "Features": None,
    "PostCopyConfig": None,
}
_SPELLING = {name.lower(): name for name in (*FIELD_KINDS, *READ_ONLY)}


def read_fields(values: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """The fields of a SandboxInfo request in their right spelling, ids with 18 characters.

    Raises ApiError: INVALID_FIELD for an unknown one, INVALID_FIELD_FOR_INSERT_UPDATE for a read-only one,
    JSON_PARSER_ERROR for a value of another kind, MALFORMED_ID for an id that is none.
    """
    fields: dict[str, Any] = {}
    for given, value in values.items():
        name = _SPELLING.get(given.lower())
        if given == "attributes":
            continue
        if name is None:
            text = f"No such column '{given}' on sobject of type SandboxInfo"
            raise ApiError(400, "INVALID_FIELD", text)
        if name in READ_ONLY:
            text = f"Unable to create/update fields: {name}. Please check the security settings of this field"
            raise ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", text, [name])
        fields[name] = _read_value(name, value)
    if creating and not fields.get("SandboxName"):
        raise ApiError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [SandboxName]", ["SandboxName"])
    return fields


def check_name(name: str, taken: Sequence[tuple[str, str]], knobs: Knobs) -> None:
    """Refuse a name that is too long, not of letters and digits, or taken: `taken` are the (id, name) of others."""
    if len(name) > 10:
        text = f"Sandbox Name: data value too large: {name} (max length=10)"
        raise ApiError(400, "STRING_TOO_LONG", text, ["SandboxName"])
    if not re.fullmatch(r"[A-Za-z0-9]{1,10}", name):
        text = f"Sandbox Name: only letters and digits are allowed: {name}"
        raise ApiError(400, str(knobs["bad_input_code"]), text, ["SandboxName"])
    for info_id, held in taken:
        if held.lower() == name.lower():
            text = f"duplicate value found: SandboxName duplicates value on record with id: {info_id}"
            raise ApiError(400, "DUPLICATE_VALUE", text)


def choose_licence(fields: Mapping[str, Any], source: Info | None, knobs: Knobs) -> str:
    """The effective licence type of a request: that of the clone's source, or the one sent, in any case.

    Raises ApiError INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST for none or an unknown one, and a refusal for both.
    """
    sent = fields.get("LicenseType")
    if source is not None:
        if sent:
            text = "Invalid Inputs: You can't specify both LicenseType and SourceId."
            raise ApiError(400, str(knobs["bad_input_code"]), text, ["LicenseType"])
        return source.licence
    licence = str(sent or "").strip().upper().replace(" ", "_")
    if licence not in LICENCES:
        text = f"License Type: bad value for restricted picklist field: {sent or ''}"
        raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, ["LicenseType"])
    return licence


def check_options(fields: Mapping[str, Any], licence: str, source: Info | None, knobs: Knobs) -> None:
    """Refuse options that the licence type or the clone's source does not go with."""
    if licence == "PARTIAL" and source is None and not fields.get("TemplateId"):
        raise ApiError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [TemplateId]", ["TemplateId"])
    wrong = {
        "TemplateId": licence.startswith("DEVELOPER") and fields.get("TemplateId"),
        "HistoryDays": licence != "FULL" and fields.get("HistoryDays"),
        "CopyChatter": licence != "FULL" and fields.get("CopyChatter"),
        "CopyArchivedActivities": licence != "FULL" and fields.get("CopyArchivedActivities"),
        "Features": not licence.startswith("DEVELOPER") and fields.get("Features"),
    }
    for name in (name for name, is_wrong in wrong.items() if is_wrong):
        raise ApiError(400, str(knobs["bad_input_code"]), f"Invalid Inputs: {name} is not for {licence}.", [name])
    if fields.get("HistoryDays", 0) not in HISTORY_DAYS:
        text = f"History Days: bad value for restricted picklist field: {fields['HistoryDays']}"
        raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, ["HistoryDays"])
    if source is not None and source.asked.get("Features") and not fields.get("Features"):
        text = "Invalid Inputs: You must specify the Features that were added to the sandbox being cloned."
        raise ApiError(400, str(knobs["bad_input_code"]), text, ["Features"])
    needs_group = licence.startswith("DEVELOPER") and knobs["activation_group_required"]
    if needs_group and not fields.get("ActivationUserGroupId"):
        text = "Required fields are missing: [ActivationUserGroupId]"
        raise ApiError(400, "REQUIRED_FIELD_MISSING", text, ["ActivationUserGroupId"])


def check_licences(wanted: str, others: Sequence[str], knobs: Knobs) -> None:
    """Refuse when no licence of this type is free, and no larger one that could be used up instead.

    `others` are the licence types that are taken already.
    """
    bought = knobs["licences"]
    for place in range(LICENCES.index(wanted) + 1):
        larger = LICENCES[place:]
        taken = sum(1 for one in (*others, wanted) if one in larger)
        if taken > sum(bought.get(one, 0) for one in larger):
            raise ApiError(400, str(knobs["no_licence_code"]), str(knobs["no_licence_message"]))


def check_unlocked(processes: Sequence[Process], knobs: Knobs) -> None:
    """Refuse everything while sandboxes are locked, whichever they are."""
    if any(one.code in ("L", "B") for one in processes):
        raise ApiError(403, str(knobs["locked_code"]), str(knobs["locked_message"]))


def check_not_busy(newest: Process, knobs: Knobs) -> None:
    """Refuse while a copy of the sandbox runs, waits, or waits for its activation."""
    if newest.code in BUSY:
        raise ApiError(400, str(knobs["busy_code"]), str(knobs["busy_message"]))


def check_interval(processes: Sequence[Process], licence: str, knobs: Knobs, now: datetime) -> None:
    """Refuse before the interval of the licence type is over; at its very end it is allowed."""
    ends = interval_ends(processes, licence, knobs)
    if ends is not None and now < ends:
        raise ApiError(400, str(knobs["too_early_code"]), str(knobs["too_early_message"]))


def _read_value(name: str, value: Any) -> Any:
    if value is None:
        return DEFAULTS.get(name)
    kind = FIELD_KINDS[name]
    if type(value) is not kind:
        text = f"Cannot deserialize instance of {kind.__name__} from {type(value).__name__} value {value!r}"
        raise ApiError(400, "JSON_PARSER_ERROR", text, [name])
    return _read_text(name, value) if isinstance(value, str) else value


def _read_text(name: str, value: str) -> str:
    if name == "Description" and len(value) > 1000:
        text = f"Description: data value too large: {value} (max length=1000)"
        raise ApiError(400, "STRING_TOO_LONG", text, [name])
    if name.endswith("Id") and value:
        if not is_id(value):
            raise ApiError(400, "MALFORMED_ID", f"{name}: id value of incorrect type: {value}", [name])
        return to_18(value)
    return value
