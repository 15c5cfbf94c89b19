"""SOAP replies: parsed piece by piece as they arrive, with one element's text optionally sent elsewhere.

A zip inside a reply never stands in memory: its base64 goes to a sink while the rest becomes a small tree. It refuses
DOCTYPE and entities, and a reply that ends before its last tag is an interrupted one, not a short one.
Faults arrive as HTTP 500 and are read by `answers` (`sf:INVALID_SESSION_ID` becomes SessionExpired there).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

import requests

from rehearse.errors import DiskFull
from rehearse.org.soap_request import METADATA, PARTNER, Element, build_envelope
from rehearse.org.wire import Call, Wire, unreadable

_XSI_NIL = "http://www.w3.org/2001/XMLSchema-instance nil"
PIECE = 1 << 18


@dataclass
class Node:
    """One element of a reply, its namespace dropped. `text` is None for xsi:nil."""

    name: str
    text: str | None = ""
    children: list[Node] = field(default_factory=list)

    def child(self, name: str) -> Node | None:
        """The first child of this name, or None."""
        return next((one for one in self.children if one.name == name), None)

    def each(self, name: str) -> Iterator[Node]:
        """Every child of this name, in order."""
        return (one for one in self.children if one.name == name)

    def value(self, name: str, default: str = "") -> str:
        """The text of a child; the default where it is absent, empty or nil."""
        found = self.child(name)
        return (found.text or "").strip() or default if found is not None else default

    def flag(self, name: str) -> bool:
        """Whether a child says true."""
        return self.value(name).lower() == "true"


class ReplyParser:
    """Feed it bytes; `root` is the tree when `close` returned. Raises ValueError for what is not whole, plain XML."""

    def __init__(self, sink_element: str = "", sink: Callable[[str], None] | None = None) -> None:
        self._sink_element = sink_element
        self._sink = sink
        self._open: list[Node] = []
        self._texts: list[list[str]] = []
        self.root: Node | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.buffer_size = PIECE
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, piece: bytes, final: bool = False) -> None:
        """Parse the next bytes."""
        try:
            self._parser.Parse(piece, final)
        except expat.ExpatError as error:
            raise ValueError("the reply is not well-formed XML") from error

    def close(self) -> Node:
        """The whole tree; raises ValueError when the reply ended early."""
        self.feed(b"", final=True)
        if self.root is None:
            raise ValueError("the reply is empty")
        return self.root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        node = Node(name.rpartition(" ")[2])
        if attributes.get(_XSI_NIL) in ("true", "1"):
            node.text = None
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)
        self._texts.append([])

    def _end(self, name: str) -> None:
        node, texts = self._open.pop(), self._texts.pop()
        if node.text is not None:
            node.text = "".join(texts)

    def _characters(self, text: str) -> None:
        if self._sink is not None and self._open[-1].name == self._sink_element:
            self._sink(text)
        else:
            self._texts[-1].append(text)

    def _refuse(self, *_: object) -> None:
        raise ValueError("the reply carries a DOCTYPE")


class Base64File:
    """Decodes base64 text into a file as it comes; `close` raises ValueError when it stops inside a group of four."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rest = ""
        self.size = 0

    def write(self, text: str) -> None:
        """Decode as many whole groups of four as there are."""
        text = self._rest + "".join(text.split())
        cut = len(text) - len(text) % 4
        self._rest = text[cut:]
        try:
            data = base64.b64decode(text[:cut], validate=True)
        except binascii.Error as error:
            raise ValueError("the zip in the reply is not base64") from error
        self._file.write(data)
        self.size += len(data)

    def close(self) -> None:
        """Check that nothing is left over."""
        if self._rest:
            raise ValueError("the zip in the reply ends too early")


@dataclass(frozen=True)
class SoapCall:
    """One SOAP operation: `area` is m (metadata) or u (partner)."""

    area: str
    operation: str
    values: Mapping[str, Element]
    doing: str
    safe: bool = True


def build_call(wire_version: str, soap: SoapCall) -> Call:
    """The HTTP request of a SOAP operation; the session id is filled in when it is sent."""
    namespace = METADATA if soap.area == "m" else PARTNER
    return Call(
        "POST",
        f"/services/Soap/{soap.area}/{wire_version}",
        soap.doing,
        body=lambda token: build_envelope(namespace, soap.operation, soap.values, token),
        headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
        safe=soap.safe,
    )


def call_soap(wire: Wire, version: str, soap: SoapCall) -> list[Node]:
    """Send an operation and return its `result` elements; raises what the wire raises."""
    call = build_call(version, soap)
    return wire.stream(call, lambda response: read_results(response, call))


def read_results(response: requests.Response, call: Call) -> list[Node]:
    """The `result` elements of a reply; a reply cut short is an error of its call."""
    parser = ReplyParser()
    try:
        for piece in response.iter_content(PIECE):
            parser.feed(piece)
        return results_of(parser.close())
    except ValueError as error:
        raise unreadable(call) from error


def results_of(envelope: Node) -> list[Node]:
    """Envelope / Body / …Response / result*; raises ValueError for anything else."""
    body = envelope.child("Body")
    if envelope.name != "Envelope" or body is None or len(body.children) != 1:
        raise ValueError("the reply is no SOAP envelope")
    answer = body.children[0]
    if not answer.name.endswith("Response"):
        raise ValueError("the reply is no answer")
    return list(answer.each("result"))


def read_into_file(response: requests.Response, call: Call, element: str, to: Path) -> tuple[list[Node], int]:
    """Like `read_results`, with the base64 text of one element decoded into `to` meanwhile; also returns its size.

    Raises DiskFull. `to` holds the whole file or, after an error, nothing that a later try would not overwrite.
    """
    try:
        with to.open("wb") as file:
            decoded = Base64File(file)
            parser = ReplyParser(element, decoded.write)
            for piece in response.iter_content(PIECE):
                parser.feed(piece)
            results = results_of(parser.close())
            decoded.close()
            return results, decoded.size
    except ValueError as error:
        raise unreadable(call) from error
    except OSError as error:
        if isinstance(error, requests.exceptions.RequestException):
            raise
        raise DiskFull(f"{to} could not be written: {error.strerror}.", "Free some space and run again.") from error
