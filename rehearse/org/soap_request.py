"""SOAP requests: envelopes are built here with every value escaped, and read back here for the guard.

Refuses characters that XML 1.0 cannot carry. An envelope is only recognised when it is exactly one: UTF-8, no DOCTYPE,
no processing instruction, one Body with one operation; anything else reads as no operation at all, so that the guard
and the org can never see two different requests in the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from rehearse.errors import UsageError

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
METADATA = "http://soap.sforce.com/2006/04/metadata"
PARTNER = "urn:partner.soap.sforce.com"

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

Element = str | bool | int | None | Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True)
class Operation:
    """The one element inside the Body of an envelope."""

    namespace: str
    name: str


def build_envelope(namespace: str, operation: str, values: Mapping[str, Element], session_id: str) -> bytes:
    """One SOAP 1.1 envelope; mappings nest, sequences repeat their element, None leaves it out, booleans are `true`.

    Raises UsageError for text that XML cannot carry. Order of elements is the order of `values`.
    """
    head, tail = envelope_around(namespace, operation, session_id)
    return head + "".join(_render(name, value) for name, value in values.items()).encode("utf-8") + tail


def envelope_around(namespace: str, operation: str, session_id: str) -> tuple[bytes, bytes]:
    """What comes before and after the children of the operation, for a body that is streamed."""
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns="{namespace}">'
        f"<soapenv:Header><SessionHeader><sessionId>{_text(session_id)}</sessionId></SessionHeader></soapenv:Header>"
        f"<soapenv:Body><{operation}>"
    )
    return head.encode("utf-8"), f"</{operation}></soapenv:Body></soapenv:Envelope>".encode()


def render_elements(values: Mapping[str, Element]) -> bytes:
    """The XML of some elements in their order; raises UsageError for text that XML cannot carry."""
    return "".join(_render(name, value) for name, value in values.items()).encode("utf-8")


def _render(name: str, value: Element) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    if isinstance(value, str | int):
        return f"<{name}>{_text(str(value))}</{name}>"
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_render(key, inner) for key, inner in value.items())}</{name}>"
    return "".join(_render(name, one) for one in _each(value))


def _each(value: Sequence[Any]) -> Iterable[Any]:
    return value


def _text(value: str) -> str:
    if _NOT_XML.search(value):
        raise UsageError("A text holds a control character that XML cannot carry.", "Remove it and try again.")
    # a raw carriage return would reach the org as a line feed: XML parsers normalise line ends
    return escape(value, {"\r": "&#13;"})


def read_operation(body: bytes) -> Operation | None:
    """The operation of an envelope, or None for anything that is not exactly one plain envelope."""
    reader = _EnvelopeReader()
    return reader.read(body)


class _EnvelopeReader:
    """Walks an envelope once and remembers only its outer shape."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._bodies = 0
        self._operations: list[str] = []
        self._strange = False

    def read(self, body: bytes) -> Operation | None:
        if not body.startswith(b"<"):
            return None
        parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._stray
        parser.ProcessingInstructionHandler = self._stray
        try:
            parser.Parse(body, True)
        except expat.ExpatError:
            return None
        if self._strange or self._bodies != 1 or len(self._operations) != 1:
            return None
        namespace, _, name = self._operations[0].rpartition(" ")
        return Operation(namespace, name)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self._path)
        if depth == 0 and name != f"{ENVELOPE} Envelope":
            self._strange = True
        if depth == 1:
            self._bodies += name == f"{ENVELOPE} Body"
            self._strange |= name not in (f"{ENVELOPE} Body", f"{ENVELOPE} Header")
        if depth == 2 and self._path[1] == f"{ENVELOPE} Body":
            self._operations.append(name)
        self._path.append(name)

    def _end(self, name: str) -> None:
        self._path.pop()

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() != "utf-8":
            self._strange = True

    def _stray(self, *_: object) -> None:
        self._strange = True
