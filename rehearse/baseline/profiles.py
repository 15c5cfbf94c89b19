"""One profile out of several retrieves: each shows only what its co-members allow, together they show it all.

Entries are told apart by their keys; where several retrieves name the same entry they say the same, and the first is
kept (facts/metadata.md 3.6 and 6.3). With one retrieve nothing is touched: the org's own bytes stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from rehearse.baseline.canonical_xml import canonical_form, flatten_names, parse_xml, tag_of

PROFILE = ".profile"


def merge_profiles(contents: Sequence[bytes]) -> bytes:
    """The profile that several partial ones make together; the bytes of the first one when they are all the same."""
    first = contents[0]
    if all(one == first for one in contents):
        return first
    roots = [root for root in map(parse_xml, contents) if root is not None]
    if len(roots) < 2:
        return first
    merged = roots[0]
    known = set(flatten_names(merged))
    for root in roots[1:]:
        for name, element in flatten_names(root).items():
            if name not in known:
                known.add(name)
                merged.append(element)
    merged[:] = sorted(merged, key=lambda one: (tag_of(one), canonical_form(one)))
    etree.indent(merged, "    ")
    return etree.tostring(merged, xml_declaration=True, encoding="UTF-8") + b"\n"
