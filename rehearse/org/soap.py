"""SOAP replies: parsed piece by piece as they arrive, with one element's text optionally sent elsewhere.

A zip inside a reply never stands in memory: its base64 goes to a sink, everything else becomes a tree, which libxml2
builds (a listing of 2,500 components has 30,000 elements). It refuses DOCTYPE, expands no entities, and a reply that
ends before its last tag is an interrupted one, not a short one.
Faults arrive as HTTP 500 and are read by `answers` (`sf:INVALID_SESSION_ID` becomes SessionExpired there).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import requests
from lxml import etree

from rehearse.org.answers import making_sense, unwritable
from rehearse.org.soap_request import METADATA, PARTNER, Element, build_envelope
from rehearse.org.wire import Call, Wire, unreadable

T = TypeVar("T")
_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_LINE_END = re.compile(rb"&#(?:1[03]|x[adAD]);")
_TAG_BYTES = 4_096
_MOST_TREE = 128 << 20
PIECE = 1 << 18


class Node:
    """One element of a reply, its namespace dropped: a view of a tree that was read whole."""

    __slots__ = ("_element",)

    def __init__(self, element: Any) -> None:
        self._element = element

    @property
    def name(self) -> str:
        """The name without its namespace."""
        return _local_name(self._element.tag)

    @property
    def text(self) -> str | None:
        """The text; None for xsi:nil."""
        return _text(self._element)

    @property
    def children(self) -> list[Node]:
        """All children in order."""
        return [Node(one) for one in self._element]

    def child(self, name: str) -> Node | None:
        """The first child of this name, or None."""
        return next(self.each(name), None)

    def each(self, name: str) -> Iterator[Node]:
        """Every child of this name, in order."""
        return (Node(one) for one in self._element.iterchildren(f"{{*}}{name}"))

    def value(self, name: str, default: str = "") -> str:
        """The text of a child; the default where it is absent, empty or nil."""
        found = next(self._element.iterchildren(f"{{*}}{name}"), None)
        return default if found is None else (_text(found) or "").strip() or default

    def values(self) -> dict[str, str]:
        """The texts of all children by name, the first of each name; without those that are empty or nil."""
        found: dict[str, str] = {}
        for one in self._element:
            text = one.text  # an element that is nil has none
            if text and (text := text.strip()):
                found.setdefault(_local_name(one.tag), text)
        return found

    def flag(self, name: str) -> bool:
        """Whether a child says true."""
        return self.value(name).lower() == "true"


@lru_cache(maxsize=1024)
def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _text(element: Any) -> str | None:
    if element.attrib and element.get(_XSI_NIL) in ("true", "1"):
        return None
    return element.text or ""


class ReplyParser:
    """Feed it bytes; `close` returns the tree. Raises ValueError for what is not whole, plain XML.

    The text of `sink_element` goes to `sink` in pieces and is left out of the tree. It has to be plain text, as base64
    is; line ends that are written as references are dropped from it.
    """

    def __init__(self, sink_element: str = "", sink: Callable[[bytes], None] | None = None) -> None:
        self._sink = sink
        self._inside = False
        self._held = b""
        self._size = 0
        self._start = re.compile(rb"<(?:[\w.-]+:)?%s(?:\s[^<>]*[^<>/])?>" % sink_element.encode()) if sink else None
        self._parser: Any = etree.XMLParser(
            resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
        )

    def feed(self, piece: bytes) -> None:
        """Parse the next bytes."""
        if self._start is None:
            self._parse(piece)
            return
        data, self._held = self._held + piece, b""
        while data:
            data = self._take_text(data) if self._inside else self._take_markup(data, self._start)

    def close(self) -> Node:
        """The whole tree; raises ValueError when the reply ended early."""
        self._parse(self._held)
        try:
            root = self._parser.close()
        except etree.XMLSyntaxError as error:
            raise ValueError("the reply is not well-formed XML") from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise ValueError("the reply carries a DOCTYPE")
        return Node(root)

    def _parse(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _MOST_TREE:
            raise ValueError("the reply is larger than any")
        try:
            self._parser.feed(data)
        except etree.XMLSyntaxError as error:
            raise ValueError("the reply is not well-formed XML") from error

    def _take_markup(self, data: bytes, start: re.Pattern[bytes]) -> bytes:
        """Parse up to where the sunk text begins; what may be half a tag waits for the next piece."""
        found = start.search(data)
        if found is not None:
            self._parse(data[: found.end()])
            self._inside = True
            return data[found.end() :]
        cut = data.rfind(b"<")
        whole = cut < 0 or b">" in data[cut:] or len(data) - cut > _TAG_BYTES
        self._held = b"" if whole else data[cut:]
        self._parse(data if whole else data[:cut])
        return b""

    def _take_text(self, data: bytes) -> bytes:
        """Sink the text up to the next tag; what may be half a reference waits for the next piece."""
        assert self._sink is not None
        end = data.find(b"<")
        text, rest = (data, b"") if end < 0 else (data[:end], data[end:])
        self._inside = end < 0
        if b"&" in text:
            cut = text.rfind(b"&")
            if self._inside and b";" not in text[cut:]:
                text, self._held = text[:cut], text[cut:]
            text = _LINE_END.sub(b"", text)
        self._sink(text)
        return rest


class Base64File:
    """Decodes base64 into a file as it comes; `close` raises ValueError when it stops inside a group of four."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rest = b""
        self.size = 0

    def write(self, text: bytes) -> None:
        """Decode as many whole groups of four as there are."""
        text = self._rest + text.translate(None, b" \t\r\n")
        cut = len(text) - len(text) % 4
        self._rest = text[cut:]
        try:
            data = binascii.a2b_base64(text[:cut], strict_mode=True)
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
    large: bool = False


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
        large=soap.large,
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


def call_for_one(wire: Wire, version: str, soap: SoapCall, build: Callable[[Node], T]) -> T:
    """What is built of the one `result` of an operation; raises what the wire raises.

    None, two, or one that cannot be built from make no sense: an error of the call, which is doubtful where it writes.
    """
    call = build_call(version, soap)
    return wire.stream(call, lambda response: read_one(response, call, build))


def read_one(response: requests.Response, call: Call, build: Callable[[Node], T]) -> T:
    """The same of a reply."""
    results = read_results(response, call)
    with making_sense(call.doing, call.safe):
        (result,) = results
        return build(result)


def results_of(envelope: Node) -> list[Node]:
    """Envelope / Body / …Response / result*; raises ValueError for anything else."""
    body = envelope.child("Body")
    if envelope.name != "Envelope" or body is None or len(body.children) != 1:
        raise ValueError("the reply is no SOAP envelope")
    answer = body.children[0]
    if not answer.name.endswith("Response"):
        raise ValueError("the reply is no answer")
    return list(answer.each("result"))


def read_into_file(response: requests.Response, call: Call, element: str, to: Path) -> tuple[Node, int]:
    """The one `result` of a reply, with the base64 text of one element decoded into `to` meanwhile, and its size.

    Raises DiskFull. `to` holds the whole file or, after an error, nothing that a later try would not overwrite.
    """
    try:
        with to.open("wb") as file:
            decoded = Base64File(file)
            parser = ReplyParser(element, decoded.write)
            for piece in response.iter_content(PIECE):
                parser.feed(piece)
            (result,) = results_of(parser.close())
            decoded.close()
            return result, decoded.size
    except ValueError as error:
        raise unreadable(call) from error
    except OSError as error:
        if isinstance(error, requests.exceptions.RequestException):
            raise
        raise unwritable(to, error) from error
