"""One profile out of several retrieves: each shows only what its co-members allow, together they show it all.

Entries are told apart by their keys; where several retrieves name the same entry they say the same, and the first is
kept (facts/metadata.md 3.6 and 6.3). With one retrieve nothing is touched: the org's own bytes stay. What is known of a
part does not depend on the others, so it is found out when the part comes; putting them together is little work then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lxml import etree

from rehearse.baseline.canonical_xml import (
    canonical_form,
    find_key,
    flatten_names,
    form_digest,
    join_forms,
    parse_xml,
    tag_of,
)

PROFILE = ".profile"


@dataclass(frozen=True)
class ProfilePart:
    """A partial profile, read: its entries in order as (tag, canonical form), and where each name stands first.

    `root` is None for bytes that are no metadata XML. Nobody changes it.
    """

    content: bytes
    root: Any
    forms: Sequence[tuple[str, bytes]] = ()
    places: Mapping[str, int] | None = None


@dataclass(frozen=True)
class MergedProfile:
    """What several parts make together, and the digest of its meaning; no digest where nothing was put together."""

    content: bytes
    digest: str | None = None


def read_part(content: bytes) -> ProfilePart:
    """Read a partial profile."""
    root = parse_xml(content)
    if root is None:
        return ProfilePart(content, None)
    forms: list[tuple[str, bytes]] = []
    keys: dict[Any, str] = {}
    at: dict[Any, int] = {}
    for place, one in enumerate(root):
        tag, texts = tag_of(one), _read_texts(one)
        forms.append((tag, _texts_form(tag, texts) if texts else canonical_form(one)))
        keys[one], at[one] = find_key(tag, one, texts), place
    return ProfilePart(content, root, forms, {name: at[one] for name, one in flatten_names(root, keys).items()})


def merge_profiles(parts: Sequence[ProfilePart]) -> MergedProfile:
    """The profile that several partial ones make together; the bytes of the first one when they are all the same."""
    read = [one for one in parts if one.root is not None]
    if len(read) < 2 or all(one.content == parts[0].content for one in parts):
        return MergedProfile(parts[0].content)
    merged = deepcopy(read[0].root)
    entries, forms, known = list(merged), list(read[0].forms), set(read[0].places or ())
    for part in read[1:]:
        own = list(part.root)
        for name, place in (part.places or {}).items():
            if name not in known:
                known.add(name)
                entries.append(deepcopy(own[place]))
                forms.append(part.forms[place])
    order = sorted(range(len(forms)), key=forms.__getitem__)
    merged[:] = [entries[place] for place in order]
    etree.indent(merged, "    ")
    content: bytes = etree.tostring(merged, xml_declaration=True, encoding="UTF-8") + b"\n"
    return MergedProfile(content, form_digest(join_forms(merged, [forms[place] for place in order])))


def _read_texts(element: Any) -> dict[str, str] | None:
    """The texts in an element that holds nothing but texts, each under its name; None for any other element."""
    found: dict[str, str] = {}
    for one in element:
        name = tag_of(one)
        if name in found or name == "packageVersions" or len(one) or one.keys():
            return None
        found[name] = one.text or ""
    return found if found and not element.keys() else None


def _texts_form(tag: str, texts: Mapping[str, str]) -> bytes:
    """The canonical form of an element with these texts (a profile has thousands of them)."""
    plain = [(name.encode(), texts[name].replace("\r\n", "\n").encode()) for name in sorted(texts)]
    return b"%s{%s}" % (tag.encode(), b"".join([b"%s=%d:%s;" % (name, len(text), text) for name, text in plain]))
