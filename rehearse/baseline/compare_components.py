"""What differs between the metadata of two captures: by digest, then element by element."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rehearse.baseline.canonical_xml import compare_elements, parse_xml, trim_equal
from rehearse.baseline.component_types import CHILDREN, PARENT_OF, PLACES, Place
from rehearse.baseline.components import file_digest, find_child, is_body, without_children
from rehearse.baseline.model import Capture, Change, Component, FieldChange
from rehearse.baseline.record_store import CaptureStore

Key = tuple[str, str]
_PLACES = {one.type: one for one in PLACES}
_KEYED = frozenset({"Profile", "PermissionSet", "MutingPermissionSet"})


def compare_components(store: CaptureStore, before: Capture, after: Capture) -> tuple[Change, ...]:
    """The components that differ, sorted by type and name, with the elements that differ. Raises Damaged."""
    if before.commit == after.commit:
        return ()
    old, new = (_by_key(store.load_components(one.ulid)) for one in (before, after))
    differing = sorted(key for key in old.keys() | new.keys() if _digest(old, key) != _digest(new, key))
    old_files = store.load_files(before.ulid, _paths(old, differing))
    new_files = store.load_files(after.ulid, _paths(new, differing))
    if before.canonicaliser != after.canonicaliser:
        differing = [key for key in differing if not _same_bytes(old.get(key), new.get(key), old_files, new_files)]
    return tuple(_change(key, (old.get(key), new.get(key)), old_files, new_files) for key in differing)


def compare_content(
    before: Component | None, after: Component | None, old: Mapping[str, bytes], new: Mapping[str, bytes]
) -> tuple[FieldChange, ...]:
    """The elements that differ between two states of one component, given the files of both sides."""
    if before is None or after is None:
        return ()
    found: list[FieldChange] = []
    for path in sorted({*before.files, *after.files}):
        companion = f"{path}-meta.xml" in before.files + after.files
        body = companion or is_body(_PLACES.get(before.type, Place(before.type, "")), path)
        left, right = (None, None) if body else _parts((before, after), path, old, new)
        if left is None and right is None:
            digests = [file_digest(files[path], body=body)[:32] if path in files else None for files in (old, new)]
            if digests[0] != digests[1]:
                found.append(FieldChange(path, *digests))
        else:
            found += compare_elements(left, right)
    return tuple(found)


def _same_bytes(
    before: Component | None, after: Component | None, old: Mapping[str, bytes], new: Mapping[str, bytes]
) -> bool:
    """Whether a component is in the very same files: its digests differ because they were made by other rules."""
    if before is None or after is None or before.files != after.files:
        return False
    return all(one in old and old[one] == new.get(one) for one in before.files)


def _change(
    key: Key, sides: tuple[Component | None, Component | None], old: Mapping[str, bytes], new: Mapping[str, bytes]
) -> Change:
    before, after = sides
    return Change(
        kind="component",
        type=key[0],
        key=key[1],
        before=before.digest if before else None,
        after=after.digest if after else None,
        fields=compare_content(before, after, old, new),
        by=after.by if after else "",
        at=after.at if after else None,
    )


def _parts(
    sides: tuple[Component, Component], path: str, old: Mapping[str, bytes], new: Mapping[str, bytes]
) -> tuple[Any | None, Any | None]:
    """The elements of a component in one file of both sides."""
    left, right = old.get(path), new.get(path)
    if left is not None and right is not None and sides[0].type in _KEYED:
        left, right = trim_equal(left, right)
    return _part(sides[0], left), _part(sides[1], right)


def _part(component: Component, content: bytes | None) -> Any | None:
    """The element of a component in one of its files; None for content that is no metadata XML."""
    root = None if content is None else _parse(content)
    if root is None:
        return None
    if component.type in PARENT_OF:
        name = component.full_name.partition(".")[2] if PARENT_OF[component.type][1].dotted else component.full_name
        return find_child(root, component.type, name)
    return without_children(root, component.type) if component.type in CHILDREN else root


@lru_cache(maxsize=4)
def _parse(content: bytes) -> Any | None:
    """A parsed file, kept while its children are compared one after the other. Nobody changes what this returns."""
    return parse_xml(content)


def _by_key(components: tuple[Component, ...]) -> dict[Key, Component]:
    return {(one.type, one.full_name): one for one in components}


def _digest(components: Mapping[Key, Component], key: Key) -> str | None:
    found = components.get(key)
    return found.digest if found else None


def _paths(components: Mapping[Key, Component], keys: list[Key]) -> set[str]:
    return {path for key in keys if key in components for path in components[key].files}
