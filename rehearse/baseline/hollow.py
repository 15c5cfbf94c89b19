"""The hollow alarm: what an org says it has against what came. Pure.

Nothing here is an error of the org: a retrieve that succeeds may still lack members without a word, and an object file
may come without its fields. A baseline of that would undo nothing, or delete what was always there, so it is marked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import unquote

from rehearse.baseline.component_types import PARENT_OF, TypeTable
from rehearse.baseline.components import OWN, name_file
from rehearse.baseline.model import Component, CoverageRow, Scope

_SOME_MISSING = frozenset({"StandardValueSet"})
"""Asked for by a fixed list of names, of which an org may lack any."""


def name_held(paths: Iterable[str], table: TypeTable) -> dict[str, set[str]]:
    """The components that files stand for, type -> full names, decoded; files of our own left out."""
    held: dict[str, set[str]] = {}
    for path in paths:
        named = None if path.startswith(OWN) else name_file(path, table)
        if named is not None:
            held.setdefault(named[0].type, set()).add(unquote(named[1]))
    return held


def find_missing(
    listed: Mapping[str, Sequence[str]], held: Mapping[str, Collection[str]], said: Collection[tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    """Members that the org listed, did not give, and said nothing about (`said`: type and name). Type -> names.

    A type whose files are as many as its members lacks nothing, however its names are spelled; of types in folders and
    bundles only the absence of everything counts, because their files are not one a member.
    """
    table = TypeTable()
    found: dict[str, tuple[str, ...]] = {}
    for type, members in listed.items():
        place = table.place(type)
        wanted = {unquote(one) for one in members if (type, one) not in said}
        given = held.get(type, ())
        if type in _SOME_MISSING or len(given) >= len(wanted):
            continue
        plain = place is not None and not (place.in_folder or place.bundle or place.rare)
        lost = tuple(sorted(wanted.difference(given))) if plain or not given else ()
        if lost:
            found[type] = lost
    return found


def find_fieldless(
    listed: Mapping[str, int], components: Iterable[Component], objects: Collection[str]
) -> tuple[CoverageRow, ...]:
    """Objects whose files hold fewer fields than the org counts (object -> fields), of those that were retrieved."""
    held = Counter(one.full_name.partition(".")[0] for one in components if one.type == "CustomField")
    return tuple(
        CoverageRow(
            "metadata",
            f"{object} (fields)",
            "not-retrieved",
            count - held[object],
            f"the org counts {count} custom fields, its file holds {held[object]}",
        )
        for object, count in sorted(listed.items())
        if object in objects and held[object] < count
    )


def missing_rows(missing: Mapping[str, Sequence[str]]) -> tuple[CoverageRow, ...]:
    """A coverage row a type for members that are silently missing."""
    return tuple(
        CoverageRow("metadata", type, "not-retrieved", len(names), "listed and silently not given: " + ", ".join(names))
        for type, names in sorted(missing.items())
    )


def find_empty(
    scope: Scope, counts: Mapping[str, int], manifest: Mapping[str, Sequence[str]], components: Sequence[Component]
) -> set[str]:
    """The names that came back empty although the scope names them or the org listed them.

    Objects that the user said to be empty are left out.
    """
    held = {one.type for one in components} | {PARENT_OF[one.type][0] for one in components if one.type in PARENT_OF}
    objects = {name for name in scope.objects if counts.get(name) == 0 and not scope.may_lack_rows(name)}
    types = {type for type, members in manifest.items() if members and type not in held and type not in _SOME_MISSING}
    return objects | types
