"""Metadata files as trees of libxml2: what is no metadata, or is made to do harm, is no tree and counts by its bytes.

A static resource is written by whoever may upload one, and read by every capture: no entity is expanded or taken for
text, in no encoding, nothing outside the file is read, and nothing is nested so deeply that walking it would end us.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from lxml import etree

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_OURS = "{" + NAMESPACE + "}"
_OWN = threading.local()
_LONG_TEXT = 10_000_000
_TOO_DEEP = "boolean(/*" + "/*" * 256 + ")"


def parse_xml(content: bytes) -> Any | None:
    """The root element of a metadata file, or None when these bytes are no XML of the metadata namespace."""
    if b"<" not in content[:64] or b"<!ENTITY" in content:
        return None  # no org sends entities of its own: such a file counts by its bytes
    root = _parse(content)
    if root is None or not isinstance(root.tag, str) or not root.tag.startswith(_OURS):
        return None
    # in another encoding than UTF-8 they are not seen above
    dtd = root.getroottree().docinfo.internalDTD
    return None if dtd is not None and dtd.entities() else root


def _parse(content: bytes) -> Any | None:
    """The root; None for what is no XML, or is nested so deeply that it can only be meant to harm.

    libxml2 holds a tree to 256 levels unless it may be huge, and a text to 10 MB.
    """
    with suppress(etree.XMLSyntaxError, ValueError):
        return etree.fromstring(content, _parser(huge=False))
    if len(content) < _LONG_TEXT:
        return None
    with suppress(etree.XMLSyntaxError, ValueError):
        root = etree.fromstring(content, _parser(huge=True))
        return None if root.xpath(_TOO_DEEP) else root
    return None


def _parser(*, huge: bool) -> etree.XMLParser:
    """One a thread and kind: making one takes as long as reading a small file."""
    name = "huge" if huge else "parser"
    found: etree.XMLParser | None = getattr(_OWN, name, None)
    if found is None:
        found = etree.XMLParser(
            resolve_entities=False, no_network=True, huge_tree=huge, remove_comments=True, remove_pis=True
        )
        setattr(_OWN, name, found)
    return found
