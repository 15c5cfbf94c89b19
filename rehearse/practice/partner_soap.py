"""The data API over SOAP, partner (`/Soap/u`) and enterprise (`/Soap/c`): one endpoint and the table of its operations.

Reads requests by local names, whatever prefixes a client uses, with entities and DTDs switched off. Refuses operations
that are not in the table with a fault. Promise: an answer has the elements and the order of the official WSDLs.
"""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearse.practice import soap_data, soap_describe, soap_merge
from rehearse.practice.field_security import as_user
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import as_stamp
from rehearse.practice.soap_call import DataCall
from rehearse.practice.soap_forms import dialect_of, render_envelope, render_value
from rehearse.practice.soap_login import login, user_info


def parse_xml(body: bytes) -> etree._Element:
    """The root of an XML body without entities, DTD or network. Raises ApiError `soapenv:Client`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ApiError(500, "soapenv:Client", f"Unable to parse request: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ApiError(500, "soapenv:Client", "DOCTYPE is not supported")
    return root


def endpoint(request: Request) -> Response:
    """POST /services/Soap/u/XX or /c/XX: one operation."""
    name, dialect = request.state.soap_operation, dialect_of(request.url.path)
    root = parse_xml(request.state.body)
    if name in SESSIONS:
        body = SESSIONS[name](request, root)
    elif name in OPERATIONS:
        state, operation = request.state, next(root.iter(f"{{*}}{name}"))
        version = state.api_version or "64.0"
        call = DataCall(state.org, state.user_id, version, dialect, operation, root.find("{*}Header"))
        with as_user(state.user_id):
            body = OPERATIONS[name](call)
    else:
        raise ApiError(500, "UNKNOWN_EXCEPTION", f"No operation available for request {{{dialect.namespace}}}{name}")
    return Response(render_envelope(name, body, dialect), media_type="text/xml")


def logout(request: Request, root: etree._Element) -> str:
    """End the session that asks."""
    request.app.state.estate.tokens.revoke((root.findtext(".//{*}SessionHeader/{*}sessionId") or "").strip())
    return ""


def invalidate_sessions(request: Request, root: etree._Element) -> str:
    """End sessions; one that is dead already is no error here (assumption)."""
    asked = [(one.text or "").strip() for one in root.iter("{*}sessionIds")]
    for session in asked:
        request.app.state.estate.tokens.revoke(session)
    return "".join(render_value("result", {"errors": [], "success": True}) for _ in asked)


def server_timestamp(call: DataCall) -> str:
    """The GetServerTimestampResult: the practice clock."""
    return render_value("result", {"timestamp": as_stamp(call.org.now().astimezone(UTC))})


SESSIONS: dict[str, Callable[[Request, Any], str]] = {
    "getUserInfo": user_info,
    "invalidateSessions": invalidate_sessions,
    "login": login,
    "logout": logout,
}
OPERATIONS: dict[str, Callable[[DataCall], str]] = {
    "convertLead": soap_merge.convert_leads,
    "create": soap_data.create,
    "delete": soap_data.delete,
    "describeGlobal": soap_describe.global_describe,
    "describeSObject": soap_describe.describe_one,
    "describeSObjects": soap_describe.describe_many,
    "emptyRecycleBin": soap_data.empty_recycle_bin,
    "getDeleted": soap_data.get_deleted,
    "getServerTimestamp": server_timestamp,
    "getUpdated": soap_data.get_updated,
    "merge": soap_merge.merge,
    "query": soap_data.query,
    "queryAll": soap_data.query_all,
    "queryMore": soap_data.query_more,
    "retrieve": soap_data.retrieve,
    "search": soap_data.find,
    "undelete": soap_data.undelete,
    "update": soap_data.update,
    "upsert": soap_data.upsert,
}

routes = [
    Route(f"/services/Soap/{letter}/{tail}", endpoint, methods=["POST"])
    for letter in ("u", "c")
    for tail in ("{version}", "{version}/{org_id}")
]
