"""Which metadata to ask for: the members of every type in scope, by name, and how to split them into retrieves.

Never a wildcard. A profile goes with every chunk, and a layout with its object, because what a profile shows depends on
them (facts/metadata.md 2 and 3.6). A manifest may be a mapping that waits for its members: chunks come as soon as they
are full.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

MEMBERS_AT_ONCE = 2_500
_WITH_EVERY_CHUNK = ("Profile",)


def join_manifests(
    frozen: Mapping[str, Sequence[str]], added: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """A frozen manifest verbatim plus what was added since."""
    return {type: tuple(sorted({*frozen.get(type, ()), *added.get(type, ())})) for type in sorted({*frozen, *added})}


def split_manifest(
    manifest: Mapping[str, Sequence[str]], limit: int = MEMBERS_AT_ONCE
) -> Iterator[dict[str, tuple[str, ...]]]:
    """The manifest in chunks of about `limit` members; all in one where it fits."""
    always = {type: tuple(names) for type in _WITH_EVERY_CHUNK if (names := manifest.get(type))}
    chunk: dict[str, list[str]] = {}
    size = chunks = 0
    for group in _groups(manifest):
        if size and size + len(group) > limit:
            yield _with(chunk, always)
            chunk, size, chunks = {}, 0, chunks + 1
        for type, name in group:
            chunk.setdefault(type, []).append(name)
        size += len(group)
    if size or (always and not chunks):
        yield _with(chunk, always)


def halve_manifest(manifest: Mapping[str, Sequence[str]]) -> list[dict[str, tuple[str, ...]]]:
    """Two halves of a chunk, profiles in both; empty when there is nothing left to halve."""
    always = {type: tuple(manifest[type]) for type in _WITH_EVERY_CHUNK if type in manifest}
    groups = list(_groups(manifest))
    if len(groups) < 2:
        return []
    halves = groups[: len(groups) // 2], groups[len(groups) // 2 :]
    found: list[dict[str, tuple[str, ...]]] = []
    for half in halves:
        chunk: dict[str, list[str]] = {}
        for type, name in (pair for group in half for pair in group):
            chunk.setdefault(type, []).append(name)
        found.append(_with(chunk, always))
    return found


def _groups(manifest: Mapping[str, Sequence[str]]) -> Iterator[list[tuple[str, str]]]:
    """What must stay together: an object with its layouts; anything else stands alone. Profiles are left out."""
    layouts: dict[str, list[str]] = {}
    for name in manifest.get("Layout", ()):
        layouts.setdefault(name.partition("-")[0], []).append(name)
    for name in manifest.get("CustomObject", ()):
        yield [("CustomObject", name), *(("Layout", one) for one in layouts.pop(name, ()))]
    yield from ([("Layout", one)] for names in layouts.values() for one in names)
    for type in sorted(manifest):
        if type not in ("CustomObject", "Layout", *_WITH_EVERY_CHUNK):
            yield from ([(type, name)] for name in manifest[type])


def _with(chunk: Mapping[str, Sequence[str]], always: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {**{type: tuple(names) for type, names in chunk.items()}, **always}
