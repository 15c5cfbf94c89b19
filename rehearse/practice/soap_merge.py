"""SOAP's merge() and convertLead(): each element of a call in a transaction of its own, a result for each in order.

Reads MergeRequest and LeadConvert elements whatever they are called, since clients differ; rows_merge.py and
rows_convert.py do the work. Refuses more than 200 of them, and objects that do not merge, with a fault.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.rows_convert import Conversion, convert
from rehearse.practice.rows_merge import merge as merge_rows
from rehearse.practice.rows_write import Saved
from rehearse.practice.soap_call import DataCall
from rehearse.practice.soap_data import as_headers_say, check_count
from rehearse.practice.soap_forms import render_value
from rehearse.practice.soap_records import read_record


def merge(call: DataCall) -> str:
    """One MergeResult for each request. Raises ApiError INVALID_TYPE_FOR_OPERATION where an object does not merge."""
    requests = list(call.body.iterchildren(etree.Element))
    check_count(len(requests))
    return "".join(_merge_one(call, one) for one in requests)


def _merge_one(call: DataCall, request: etree._Element) -> str:
    master = request.find("{*}masterRecord")
    kind, row = read_record(master) if master is not None else ("", {})
    if not kind:
        raise ApiError(500, "INVALID_TYPE", "Must send a concrete entity type.")
    definition = call.org.object(kind)
    if not definition.mergeable:
        raise ApiError(500, "INVALID_TYPE_FOR_OPERATION", "entity type does not support merge")
    losers = [(one.text or "").strip() for one in request.iterchildren("{*}recordToMergeIds")]
    with as_headers_say(call):
        saved, moved = merge_rows(call.org, call.user_id, definition.name, row, losers)
    merged = [restore_case(one) if is_id(one) else one for one in losers] if saved.success else []
    shown = {"id": saved.id, "mergedRecordIds": merged, "success": saved.success, "updatedRelatedIds": list(moved)}
    return render_value("result", {"errors": _errors(saved), **shown})


def convert_leads(call: DataCall) -> str:
    """One LeadConvertResult for each lead."""
    asked = list(call.body.iterchildren("{*}leadConverts"))
    check_count(len(asked))
    return "".join(_convert_one(call, one) for one in asked)


def _convert_one(call: DataCall, element: etree._Element) -> str:
    def text(name: str) -> str:
        return (element.findtext(f"{{*}}{name}") or "").strip()

    asked = Conversion(
        text("leadId"),
        text("convertedStatus"),
        account_id=text("accountId"),
        contact_id=text("contactId"),
        opportunity_id=text("opportunityId"),
        opportunity_name=text("opportunityName"),
        owner_id=text("ownerId"),
        without_opportunity=text("doNotCreateOpportunity").lower() in ("true", "1"),
        overwrite_source=text("overwriteLeadSource").lower() in ("true", "1"),
    )
    with as_headers_say(call):
        saved, done = convert(call.org, call.user_id, asked)
    ids = {f"{name.lower()}Id": done.ids.get(name) for name in ("Account", "Contact", "Opportunity")}
    shown: dict[str, Any] = {**ids, "errors": _errors(saved), "leadId": asked.lead_id or None, "success": saved.success}
    return render_value("result", {name: shown[name] for name in sorted(shown)})


def _errors(saved: Saved) -> list[dict[str, Any]]:
    return [{"fields": list(fields), "message": text, "statusCode": code} for code, text, fields in saved.errors]
