"""Partner SOAP, as far as a reset needs it: undelete, emptyRecycleBin, getServerTimestamp, getUserInfo, login.

Reads requests by local names, whatever prefixes a client uses, with entities and DTDs switched off. Refuses other
operations and more than 200 ids a call with a fault. Promise: one result element for each id, in the order asked.
"""

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearse.practice import rows
from rehearse.practice.http_errors import ApiError
from rehearse.practice.recycle_bin import empty_bin
from rehearse.practice.rows import Saved
from rehearse.practice.soap_login import login, user_info

MOST_IDS = 200
NOT_IN_BIN = ("DELETE_FAILED", "Entity is not in the recycle bin", ())  # the code is our guess
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
    "<{name}Response>{body}</{name}Response></soapenv:Body></soapenv:Envelope>"
)


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


def texts(root: etree._Element, name: str) -> list[str]:
    """The texts of all elements with this local name, in document order."""
    return [(element.text or "").strip() for element in root.iter(f"{{*}}{name}")]


def endpoint(request: Request) -> Response:
    """POST /services/Soap/u/XX: one operation of the partner API."""
    operation = OPERATIONS.get(request.state.soap_operation)
    if operation is None:
        text = f"No operation available for request {{urn:partner.soap.sforce.com}}{request.state.soap_operation}"
        raise ApiError(500, "UNKNOWN_EXCEPTION", text)
    body = operation(request, parse_xml(request.state.body))
    return Response(ENVELOPE.format(name=request.state.soap_operation, body=body), media_type="text/xml")


def _ids(root: etree._Element) -> list[str]:
    ids = texts(root, "ids")
    if len(ids) > MOST_IDS:
        text = f"record limit reached. cannot submit more than {MOST_IDS} records into this call"
        raise ApiError(500, "EXCEEDED_ID_LIMIT", text)
    return ids


def _all_or_none(root: etree._Element) -> bool:
    return any(text.lower() in ("true", "1") for text in texts(root, "allOrNone"))


def _undelete(request: Request, root: etree._Element) -> str:
    org, ids = request.state.org, _ids(root)
    saved = rows.undelete(org, request.state.user_id, ids, all_or_none=_all_or_none(root))
    return _render_saved(ids, saved)


def _empty_bin(request: Request, root: etree._Element) -> str:
    org, ids = request.state.org, _ids(root)
    with org.transaction():
        emptied = [empty_bin(org, one) for one in ids]
    saved = [
        Saved(one, True) if gone else Saved(one, False, errors=(NOT_IN_BIN,))
        for one, gone in zip(ids, emptied, strict=True)
    ]
    return _render_saved(ids, saved)


def _render_saved(ids: Sequence[str], saved: Sequence[Saved]) -> str:
    return "".join(f"<result>{_render_one(asked, one)}</result>" for asked, one in zip(ids, saved, strict=True))


def _render_one(asked: str, saved: Saved) -> str:
    errors = "".join(
        "<errors>"
        + "".join(f"<fields>{escape(field)}</fields>" for field in fields)
        + f"<message>{escape(message)}</message><statusCode>{escape(code)}</statusCode></errors>"
        for code, message, fields in saved.errors
    )
    shown = saved.id or (asked if saved.success else None)
    identity = f"<id>{escape(shown)}</id>" if shown else '<id xsi:nil="true"/>'
    return f"{errors}{identity}<success>{str(saved.success).lower()}</success>"


def _server_timestamp(request: Request, root: etree._Element) -> str:
    now = request.state.org.now().astimezone(UTC)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    return f"<result><timestamp>{stamp}</timestamp></result>"


OPERATIONS: dict[str, Callable[[Request, Any], str]] = {
    "undelete": _undelete,
    "emptyRecycleBin": _empty_bin,
    "getServerTimestamp": _server_timestamp,
    "getUserInfo": user_info,
    "login": login,
}

routes = [
    Route("/services/Soap/u/{version}", endpoint, methods=["POST"]),
    Route("/services/Soap/u/{version}/{org_id}", endpoint, methods=["POST"]),
]
