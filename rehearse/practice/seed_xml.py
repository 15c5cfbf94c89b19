"""Metadata XML of the practice company, written the way a retrieve writes it.

A component is a plain mapping: a value is a text, a truth value, a number, another mapping (a nested element) or a
list of those (the element repeats). The order of keys is the order of elements. The same mapping gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

METADATA = "http://soap.sforce.com/2006/04/metadata"
API_VERSION = "67.0"

Scalar = str | bool | int | float
Xml = Mapping[str, "Scalar | Xml | Sequence[Scalar | Xml]"]


def render_component(root: str, body: Xml) -> bytes:
    """One component file: declaration, root element in the metadata namespace, four spaces of indent a level."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{METADATA}">']
    _write(lines, body, 1)
    lines.append(f"</{root}>")
    return ("\n".join(lines) + "\n").encode()


def render_manifest(members: Mapping[str, Sequence[str]], version: str = API_VERSION) -> bytes:
    """A package.xml or destructive manifest; CustomObject comes first, which avoids odd failures (facts 4.2)."""
    types = sorted(members, key=lambda name: (name != "CustomObject", name))
    listed: list[Xml] = [{"members": sorted(members[name]), "name": name} for name in types if members[name]]
    return render_component("Package", {"types": listed, "version": version})


def ordered(full_name: str, **elements: Scalar | Xml | Sequence[Scalar | Xml]) -> Xml:
    """A child element as retrieves give it: `fullName` first, the rest by name. A trailing `_` in a key is dropped."""
    rest = {key.rstrip("_"): value for key, value in elements.items()}
    return {"fullName": full_name, **{key: rest[key] for key in sorted(rest)}}


def _write(lines: list[str], body: Xml, depth: int) -> None:
    for tag, value in body.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            for one in value:
                _write_one(lines, tag, one, depth)
        else:
            _write_one(lines, tag, value, depth)


def _write_one(lines: list[str], tag: str, value: Scalar | Xml, depth: int) -> None:
    indent = "    " * depth
    if isinstance(value, Mapping):
        lines.append(f"{indent}<{tag}>")
        _write(lines, value, depth + 1)
        lines.append(f"{indent}</{tag}>")
        return
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    lines.append(f"{indent}<{tag}>{escape(text, {chr(34): '&quot;', chr(39): '&apos;'})}</{tag}>")
