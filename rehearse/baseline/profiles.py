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

from rehearse.baseline.canonical_xml import canonical_form, flatten_names, form_digest, join_forms, parse_xml, tag_of

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
    entries = list(root)
    at = {one: place for place, one in enumerate(entries)}
    places = {name: at[one] for name, one in flatten_names(root).items()}
    return ProfilePart(content, root, [(tag_of(one), canonical_form(one)) for one in entries], places)


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
