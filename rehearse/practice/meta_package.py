"""Manifests: package.xml and the destructive ones, read into members by type and written again.

Refuses what is no manifest. `*` is kept as a member; what it stands for is decided by retrieve and deploy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from rehearse.practice.meta_xml import elements, make, parse, render, text_of


@dataclass(frozen=True)
class Package:
    """A manifest: full names by type in the order given, and the API version that it asks for (may be empty)."""

    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    version: str = ""

    def names(self, type_name: str) -> tuple[str, ...]:
        """The members of a type."""
        return self.members.get(type_name, ())


def read_package(root: etree._Element) -> Package:
    """A manifest from its element, which may be a file's root or the `unpackaged` of a request."""
    members: dict[str, list[str]] = {}
    for entry in elements(root, "types"):
        name = text_of(entry, "name").strip()
        found = members.setdefault(name, [])
        found.extend(text for one in elements(entry, "members") if (text := (one.text or "").strip()))
    kept = {name: tuple(dict.fromkeys(found)) for name, found in members.items() if name}
    return Package(kept, text_of(root, "version").strip())


def parse_package(data: bytes) -> Package:
    """A manifest from its file; raises BrokenXml."""
    return read_package(parse(data))


def render_package(members: Mapping[str, Sequence[str]], version: str) -> bytes:
    """The manifest file: types and members sorted, then the version."""
    root = make("Package")
    for name in sorted(members):
        if members[name]:
            entry = make(
                "types", *(make("members", text=one) for one in sorted(members[name])), make("name", text=name)
            )
            root.append(entry)
    root.append(make("version", text=version))
    return render(root)
