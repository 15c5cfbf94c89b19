"""Who is asking: a bearer token or a SOAP session header becomes an org and a user, through the estate.

Refuses, with Salesforce's codes: no or dead token (401 INVALID_SESSION_ID; in SOAP a fault), a token that cannot be one
(401 INVALID_AUTH_HEADER), an API version that is not served (404 NOT_FOUND) or retired (410). Bodies are only peeked
at, as far as the SOAP operation element, with entities and DTDs switched off. Tokens never leave this file.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from lxml import etree
from starlette.types import Scope

from rehearse.practice.http_errors import ApiError

RETIRED = range(21, 31)  # since Summer '25 [sandbox-and-auth.md 5]; code and text are our guess
OLDEST_VERSION, NEWEST_VERSION = 51, 67
REST_PATH = re.compile(r"^/services/data/v([0-9]{1,4})\.([0-9]{1,4})(?:/|$)")
SOAP_PATH = re.compile(r"^/services/Soap/([cmu])(?:/([0-9]{1,4})\.([0-9]{1,4}))?(?:/|$)")
PUBLIC_PATHS = ("/services/oauth2/", "/id/")
MISSING = "The requested resource does not exist"
NO_SESSION = "Session expired or invalid"
NO_SOAP_SESSION = (
    "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session hash: {}"
)
PEEK_BYTES = 65_536


@dataclass(frozen=True)
class Envelope:
    """What the front needs of a SOAP body: the session id, and the name of the operation element."""

    session_id: str = ""
    operation: str = ""


def check_version(path: str) -> str:
    """The API version of a REST or SOAP path ("67.0"), "" for other paths; 404 NOT_FOUND when it is not served."""
    match = REST_PATH.match(path)
    if match is None:
        soap = SOAP_PATH.match(path)
        if path.startswith("/services/data/"):
            raise ApiError(404, "NOT_FOUND", MISSING)
        if soap is None or soap.group(2) is None:
            return ""
        if not OLDEST_VERSION <= int(soap.group(2)) <= NEWEST_VERSION:
            raise ApiError(500, "UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
        return f"{int(soap[2])}.{soap[3]}"
    major, minor = int(match.group(1)), match.group(2)
    if major in RETIRED and minor == "0":
        raise ApiError(410, "UNSUPPORTED_API_VERSION", "This API version is retired")
    if minor != "0" or not OLDEST_VERSION <= major <= NEWEST_VERSION:
        raise ApiError(404, "NOT_FOUND", MISSING)
    return f"{major}.0"


def is_public(path: str, envelope: Envelope | None) -> bool:
    """Whether a path is answered without a session: OAuth, the version list, and SOAP login."""
    if envelope is not None:
        return envelope.operation == "login"
    return path == "/services/data" or path.startswith(PUBLIC_PATHS)


def bearer_token(scope: Scope) -> str:
    """The token of the Authorization header, X-SFDC-Session (Bulk API 1.0) or `oauth_token=`; "" for none."""
    for name, value in scope["headers"]:
        if name == b"x-sfdc-session":
            return str(value.decode("latin-1").strip())
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            if kind.lower() not in ("bearer", "oauth") or not token or " " in token.strip():
                raise ApiError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
            return str(token.strip())
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return str(query.get("oauth_token", [""])[0])


def remember(state: dict[str, Any], org: Any, user_id: str) -> None:
    """Put org and user where endpoints look for them, with two facts that the front needs without the lock."""
    state.update(org=org, user_id=user_id, org_id=org.org_id, is_sandbox=org.is_sandbox)


def no_session(envelope: Envelope | None) -> ApiError:
    """The refusal of a missing or dead session, in the words of REST or of SOAP."""
    if envelope is None:
        return ApiError(401, "INVALID_SESSION_ID", NO_SESSION)
    return ApiError(500, "INVALID_SESSION_ID", NO_SOAP_SESSION.format("null"))


def peek_envelope(body: bytes) -> Envelope:
    """Session id and operation of a SOAP body, reading no further than the operation element.

    Raises ApiError `soapenv:Client` for anything that is not an envelope, and for DTDs and entities.
    """
    # A pull parser that is given the body in pieces stops before a megabytes-long zip element.
    parser = etree.XMLPullParser(events=("start", "end"), resolve_entities=False, no_network=True, huge_tree=True)
    session, trail = "", [""]
    try:
        for start in range(0, max(len(body), 1), PEEK_BYTES):
            piece = body[start : start + PEEK_BYTES]
            if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                raise ApiError(500, "soapenv:Client", "DOCTYPE is not supported")
            parser.feed(piece)
            for event, element in parser.read_events():
                assert isinstance(element, etree._Element)  # only starts and ends of elements were asked for
                name = etree.QName(element.tag).localname if isinstance(element.tag, str) else ""
                if event == "end":
                    trail.pop()
                    session = (element.text or "").strip() if name == "sessionId" else session
                    continue
                if trail[-1] == "Body":
                    return Envelope(session, name)
                trail.append(name)
    except etree.XMLSyntaxError as error:
        raise ApiError(500, "soapenv:Client", f"Unable to parse request: {error.msg}") from error
    raise ApiError(500, "soapenv:Client", "Unable to find a SOAP body in the request")
