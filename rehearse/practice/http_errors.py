"""The one error that every module of the practice org raises, and how it looks on the wire.

`ApiError` carries Salesforce's own code and words and an HTTP status. REST answers render it as the JSON array
`[{"message", "errorCode", "fields"}]`, SOAP answers as a fault whose code is in the `sf:` namespace (HTTP 500).
It refuses nothing and hides nothing: a code or text that Salesforce does not use has no place here.
"""

import re
import sqlite3
from collections.abc import Sequence
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, Response

NO_DISK = re.compile("disk is full|disk I/O error|readonly database|unable to open database")
FAULT_NAMESPACES = {
    "partner": "urn:fault.partner.soap.sforce.com",
    "enterprise": "urn:fault.enterprise.soap.sforce.com",
    "metadata": "http://soap.sforce.com/2006/04/metadata",
}


class ApiError(Exception):
    """An answer of Salesforce that is a refusal: HTTP status, error code, message, and the fields concerned.

    `of_row`: it is about a row and not about the request, so that `fields` is shown even when it is empty."""

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[str] = (), *, of_row: bool = False
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = tuple(fields)
        self.of_row = of_row


def no_disk(error: Exception) -> ApiError | None:
    """What a client is told where the disk takes nothing more; None for any other error."""
    if not isinstance(error, sqlite3.OperationalError) or not NO_DISK.search(str(error)):
        return None
    return ApiError(503, "SERVER_UNAVAILABLE", f"The practice org cannot write: {error}")


def error_body(error: ApiError) -> list[dict[str, object]]:
    """The JSON array of one error; recorded answers have `fields` where a row was refused, even when it is empty."""
    entry: dict[str, object] = {"message": error.message, "errorCode": error.code}
    if error.fields or error.of_row:
        entry["fields"] = list(error.fields)
    return [entry]


def rest_error(error: ApiError) -> Response:
    """The REST answer for an error: `[{"message", "errorCode"[, "fields"]}]` with its status."""
    return JSONResponse(error_body(error), status_code=error.status)


def soap_fault(error: ApiError, kind: str = "partner") -> Response:
    """The SOAP answer for an error: HTTP 500 with `faultcode` `sf:CODE` and `faultstring` `CODE: message`.

    `kind` is `partner`, `enterprise` or `metadata` and chooses the namespace that `sf:` stands for; faults of the data
    APIs say code and message again in their detail, where clients look for them.
    """
    code, text = escape(error.code), escape(f"{error.code}: {error.message}")
    shape = "LoginFault" if error.code == "INVALID_LOGIN" else "UnexpectedErrorFault"
    detail = (
        f'<detail><sf:{shape} xsi:type="sf:{shape}"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{escape(error.message)}</sf:exceptionMessage></sf:{shape}></detail>"
    )
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:sf="{FAULT_NAMESPACES[kind]}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        "<soapenv:Body><soapenv:Fault>"
        f"<faultcode>sf:{code}</faultcode><faultstring>{text}</faultstring>{detail if kind != 'metadata' else ''}"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return Response(body, status_code=500, media_type="text/xml")
