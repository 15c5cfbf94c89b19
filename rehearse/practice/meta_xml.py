"""Metadata XML: parse it safely, find things in it, and write it the way Salesforce writes it.

A document type declaration is refused and entities are never expanded (a deploy carries strangers' files). What is
written is normalised: four spaces, one element a line, quotes escaped, `xsi` and `xsd` declared on the root where
they are used. The text of a leaf element is kept to the last blank, so parse and render lose nothing that counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from xml.sax.saxutils import escape

from lxml import etree

from rehearse.practice.json_body import read_whole

VERSION = re.compile(r"[0-9]{1,3}(?:\.[0-9])?")
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
NO_DOCTYPE = "DOCTYPE is disallowed when the feature disallow-doctype-decl is set to true."
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
ENTITIES = {'"': "&quot;", "'": "&apos;", "\r": "&#xd;"}
_SPECIAL = re.compile("[&<>\"'\r]")


class BrokenXml(ValueError):
    """A file is no well-formed XML, or carries a document type; the text is Salesforce's own wording."""

    def __init__(self, problem: str, line: int = 0, column: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.line, self.column = problem, line, column


def parse(data: bytes) -> etree._Element:
    """The root element of `data`; raises BrokenXml. No DTD, no entity, no network, no comment survives."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise BrokenXml(f"Error parsing file: {error.msg}", line, column) from error
    if b"<!DOCTYPE" in data[:4096] or any(node.tag is etree.Entity for node in root.iter()):
        raise BrokenXml(f"Error parsing file: {NO_DOCTYPE}")
    return root


def local(element: etree._Element) -> str:
    """The tag without its namespace."""
    return str(element.tag).rpartition("}")[2]


def elements(parent: etree._Element, tag: str = "") -> Iterator[etree._Element]:
    """The child elements with this local tag (all of them when no tag is given), in document order."""
    return parent.iterchildren(f"{{*}}{tag}" if tag else etree.Element)


def first(parent: etree._Element, tag: str) -> etree._Element | None:
    """The first child element with this local tag, or None."""
    return next(elements(parent, tag), None)


def text_of(parent: etree._Element, tag: str, default: str = "") -> str:
    """The text of the first child with this tag, or the default."""
    found = first(parent, tag)
    return default if found is None else (found.text or "")


def number_of(parent: etree._Element, tag: str, default: int = 0) -> int:
    """The whole number of the first child with this tag, or the default. Raises ValueError in Salesforce's words."""
    text = text_of(parent, tag).strip()
    number = read_whole(text) if text else default
    if number is None:
        raise ValueError(f"'{text[:40]}' is not a valid value for the type xsd:int")
    return number


def version_of(parent: etree._Element) -> float:
    """The API version of a component, such as 62.0; 0 where it has none that can be read."""
    text = text_of(parent, "apiVersion").strip()
    return float(text) if VERSION.fullmatch(text) else 0.0


def flag(parent: etree._Element, tag: str, default: bool = False) -> bool:
    """The child as a boolean; clients send `True` as well as `true`, and both count."""
    return text_of(parent, tag, str(default)).strip().lower() in ("true", "1")


def leaves_of(root: etree._Element, *tags: str) -> Iterator[tuple[str, str]]:
    """(tag, text) of every element without children that has one of these tags and a text, at any depth."""
    for one in root.iter():
        if isinstance(one.tag, str) and local(one) in tags and not len(one) and one.text:
            yield local(one), one.text.strip()


def make(tag: str, *children: etree._Element, text: str | None = None) -> etree._Element:
    """A new element in the metadata namespace."""
    element = etree.Element(f"{{{NAMESPACE}}}{tag}")
    element.text = text
    element.extend(children)
    return element


def set_text(parent: etree._Element, tag: str, text: str) -> None:
    """Give the child of this tag this text; it is added at the end when there is none."""
    found = first(parent, tag)
    if found is None:
        parent.append(make(tag, text=text))
    else:
        found.text = text


def copy(element: etree._Element) -> etree._Element:
    """A copy that belongs to no document."""
    return deepcopy(element)


def render(root: etree._Element, tag: str = "") -> bytes:
    """The element as a whole file, ending in a line end; `tag` renames the root (`fields` -> `CustomField`)."""
    lines = [DECLARATION]
    extra = ""
    if any(str(name).startswith(f"{{{XSI}}}") for node in root.iter() for name in node.attrib):
        extra = f' xmlns:xsd="{XSD}" xmlns:xsi="{XSI}"'
    _emit(root, 0, lines, head=f' xmlns="{NAMESPACE}"{extra}', tag=tag)
    return ("\n".join(lines) + "\n").encode()


def _emit(element: etree._Element, depth: int, lines: list[str], head: str = "", tag: str = "") -> None:
    name = tag or local(element)
    opening = name + head + _attributes(element)
    inner = list(elements(element))
    indent = "    " * depth
    if inner:
        lines.append(f"{indent}<{opening}>")
        for child in inner:
            _emit(child, depth + 1, lines)
        lines.append(f"{indent}</{name}>")
    elif element.text:
        lines.append(f"{indent}<{opening}>{_escaped(element.text)}</{name}>")
    else:
        lines.append(f"{indent}<{opening}/>" if depth else f"{indent}<{opening}>\n{indent}</{name}>")


def _escaped(text: str) -> str:
    return escape(text, ENTITIES) if _SPECIAL.search(text) else text


def _attributes(element: etree._Element) -> str:
    if not element.attrib:
        return ""
    parts = []
    for name, value in sorted((str(name), str(value)) for name, value in element.attrib.items()):
        short = name.replace(f"{{{XSI}}}", "xsi:")
        if not short.startswith("{"):
            parts.append(f' {short}="{_escaped(value)}"')
    return "".join(parts)


def same(left: bytes, right: bytes, *, unordered: bool) -> bool:
    """True when two files say the same; the order of groups never counts, inside a group only if not `unordered`."""
    return left == right or _shape(parse(left), unordered) == _shape(parse(right), unordered)


def _shape(root: etree._Element, unordered: bool) -> tuple[object, ...]:
    parts = [(local(child), etree.tostring(child, method="c14n", with_tail=False)) for child in _trimmed(root)]
    return (local(root), *sorted(parts, key=None if unordered else lambda part: part[0]))


def _trimmed(root: etree._Element) -> list[etree._Element]:
    clean = etree.fromstring(render(root))
    for node in clean.iter():
        node.tail = None
        if len(node):
            node.text = None
    return list(clean)
