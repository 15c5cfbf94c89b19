"""One profile or translation out of several retrieves: each shows what its co-members allow, together they show all.

Entries are told apart by their keys; where several retrieves name the same entry they say the same, and the first is
kept (facts/metadata.md 3.6 and 6.3). With one retrieve nothing is touched: the org's own bytes stay. What is known of a
part does not depend on the others, nor does how its entries are written, so both are found out when the part comes;
putting them together is little work then.
"""

from __future__ import annotations

import re
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

PARTIAL = (".profile", ".translation")
"""What the files end in that show only what is retrieved with them."""
_ENTRY = b"\n    <"
_BEGIN = re.compile(_ENTRY + b"(?!/)")


@dataclass(frozen=True)
class ProfilePart:
    """A partial profile, read: its entries as (tag, canonical form), sorted, and where each name stands among them.

    `root` is None for bytes that are no metadata XML, nobody changes it, and `order` is where the entries stand in it.
    `texts` are the entries as they will be written, and `frame` is what stands before and after them; without it they
    can only be written from the tree.
    """

    content: bytes
    root: Any
    forms: Sequence[tuple[str, bytes]] = ()
    places: Mapping[str, int] | None = None
    order: Sequence[int] = ()
    texts: Sequence[bytes] = ()
    frame: tuple[bytes, bytes] | None = None


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
    for one in root:
        tag, texts = tag_of(one), _read_texts(one)
        forms.append((tag, _texts_form(tag, texts) if texts else canonical_form(one)))
        keys[one] = find_key(tag, one, texts)
    order = sorted(range(len(forms)), key=forms.__getitem__)
    entries = list(keys)
    at = {entries[one]: place for place, one in enumerate(order)}
    places = {name: at[one] for name, one in flatten_names(root, keys).items()}
    written, frame = _cut(root)
    ready = [written[one] for one in order] if frame else []
    return ProfilePart(content, root, [forms[one] for one in order], places, order, ready, frame)


def _cut(root: Any) -> tuple[Sequence[bytes], tuple[bytes, bytes] | None]:
    """The entries of a root as they are written, and what stands before and after them; no frame where it is not clear.

    An entry begins a line that is indented once: what is inside it is indented more, and texts hold no `<`.
    """
    head, *texts = _BEGIN.split(_write(root))
    last, end, tail = texts[-1].rpartition(b"\n</") if texts else (b"", b"", b"")
    if tag_of(root) != "Profile" or len(texts) != len(root) or not end:
        return (), None
    return (*texts[:-1], last), (head, end + tail)


def _write(root: Any) -> bytes:
    etree.indent(root, "    ")
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written + b"\n"


def merge_profiles(parts: Sequence[ProfilePart]) -> MergedProfile:
    """The profile that several partial ones make together; the bytes of the first one when they are all the same."""
    read = [one for one in parts if one.root is not None]
    if len(read) < 2 or all(one.content == parts[0].content for one in parts):
        return MergedProfile(parts[0].content)
    known = set(read[0].places or ())
    taken = [(0, place) for place in range(len(read[0].forms))]
    for number, part in enumerate(read[1:], 1):
        more = {name: place for name, place in (part.places or {}).items() if name not in known}
        known.update(more)
        taken += [(number, place) for place in more.values()]
    taken.sort(key=lambda one: read[one[0]].forms[one[1]])
    forms = [read[number].forms[place] for number, place in taken]
    if read[0].frame is None or any(one.frame != read[0].frame for one in read):
        merged = _join_trees(read, taken)
        return MergedProfile(_write(merged), form_digest(join_forms(merged, forms)))
    head, tail = read[0].frame
    texts = (_ENTRY + read[number].texts[place] for number, place in taken)
    return MergedProfile(b"".join([head, *texts, tail]), form_digest(join_forms(read[0].root, forms)))


def _join_trees(read: Sequence[ProfilePart], taken: Sequence[tuple[int, int]]) -> Any:
    """The root of the first part with the entries that were taken: number of the part, place among its sorted ones."""
    merged = deepcopy(read[0].root)
    roots = [list(merged), *(list(one.root) for one in read[1:])]
    entries = [(number, roots[number][read[number].order[place]]) for number, place in taken]
    merged[:] = [deepcopy(one) if number else one for number, one in entries]
    return merged


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
