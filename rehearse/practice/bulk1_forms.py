"""What Bulk API 1.0 reads and writes on the wire: job and batch descriptions in XML or JSON, and its own errors.

A request says by its Content-Type which of the two it speaks. XML is read without entities or DTD. Refuses bodies that
cannot be read with InvalidJob. Content types carry no charset: clients compare them as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

from rehearse.practice.json_body import load_json

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TYPES = {"CSV": "text/csv", "XML": "application/xml", "JSON": "application/json"}


class AsyncError(Exception):
    """A refusal of Bulk API 1.0: HTTP status, exceptionCode, exceptionMessage."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def speaks_json(request: Request) -> bool:
    """Whether a request is made in JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == TYPES["JSON"]


def answer(body: str | bytes, kind: str, status: int = 200) -> Response:
    """An answer whose content type is exactly that of CSV, XML or JSON."""
    return Response(body, status_code=status, headers={"Content-Type": TYPES[kind]})


def error_answer(error: AsyncError, *, as_json: bool = False) -> Response:
    """The answer for a refusal."""
    facts = {"exceptionCode": error.code, "exceptionMessage": error.message}
    return render("error", facts, as_json=as_json, status=error.status)


def read_job(request: Request) -> dict[str, str]:
    """The names and texts of a jobInfo body. Raises AsyncError InvalidJob."""
    if speaks_json(request):
        try:
            body = load_json(request.state.body)
        except (ValueError, RecursionError) as error:
            raise AsyncError("InvalidJob", f"Unable to parse Job: {error}") from None
        if not isinstance(body, dict):
            raise AsyncError("InvalidJob", "Unable to parse Job")
        return {str(name): str(value) for name, value in body.items() if value is not None}
    root = read_xml(request.state.body, "InvalidJob")
    return {etree.QName(one).localname: (one.text or "").strip() for one in root if isinstance(one.tag, str)}


def read_xml(body: bytes, code: str) -> etree._Element:
    """The root of an XML body. Raises AsyncError with the given code."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise AsyncError(code, f"Unable to parse: {error.msg}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise AsyncError(code, "DOCTYPE is not supported")
    return root


def render(name: str, facts: Mapping[str, Any], *, as_json: bool, status: int = 200) -> Response:
    """One description (jobInfo, batchInfo, error); None is left out of XML."""
    if as_json:
        return answer(json.dumps(facts, ensure_ascii=False), "JSON", status)
    return answer(f'{HEAD}<{name} xmlns="{NAMESPACE}">{elements(facts)}</{name}>', "XML", status)


def render_list(name: str, item: str, found: Sequence[Mapping[str, Any]], *, as_json: bool) -> Response:
    """A list of descriptions, such as batchInfoList of batchInfo."""
    if as_json:
        return answer(json.dumps({item: list(found)}, ensure_ascii=False), "JSON")
    inner = "".join(f"<{item}>{elements(one)}</{item}>" for one in found)
    return answer(f'{HEAD}<{name} xmlns="{NAMESPACE}">{inner}</{name}>', "XML")


HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def elements(facts: Mapping[str, Any]) -> str:
    """The facts as elements; a list repeats, None is left out."""
    return "".join(_element(name, value) for name, value in facts.items() if value is not None)


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, one) for one in value)
    if isinstance(value, Mapping):
        return f"<{name}>{elements(value)}</{name}>"
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"
