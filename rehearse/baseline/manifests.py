"""Which metadata to ask for: the members of every type in scope, by name, and how to split them into retrieves.

Never a wildcard. Profiles and translations go with every chunk, because they show what is retrieved with them and
nothing else (facts/metadata.md 2 and 3.6; Metadata API guide, Translations); layouts, quick actions and translations of
an object go with it. A manifest may be a mapping that waits for its members: chunks come as soon as they are full.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

MEMBERS_AT_ONCE = 2_500
WITH_EVERY_CHUNK = ("Profile", "Translations")
"""Types whose files come in parts, one a chunk, and are put together (`profiles`)."""
_OF_OBJECT: Mapping[str, str] = {"Layout": "-", "QuickAction": ".", "CustomObjectTranslation": "-"}
"""Types that are retrieved with the object that their name begins with -> what ends its name in theirs."""


def join_manifests(
    frozen: Mapping[str, Sequence[str]], added: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """A frozen manifest verbatim plus what was added since."""
    return {type: tuple(sorted({*frozen.get(type, ()), *added.get(type, ())})) for type in sorted({*frozen, *added})}


def split_manifest(
    manifest: Mapping[str, Sequence[str]], limit: int = MEMBERS_AT_ONCE
) -> Iterator[dict[str, tuple[str, ...]]]:
    """The manifest in chunks of about `limit` members; all in one where it fits."""
    always = {type: tuple(names) for type in WITH_EVERY_CHUNK if (names := manifest.get(type))}
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
    """Two halves of a chunk, profiles and translations in both; empty when there is nothing left to halve."""
    always = {type: tuple(manifest[type]) for type in WITH_EVERY_CHUNK if type in manifest}
    groups = list(_groups(manifest))
    if len(groups) == 1:  # an object comes without its translations rather than not at all
        firm = [one for one in groups[0] if one[0] in ("CustomObject", "Layout")]
        groups = [one for one in (firm, [one for one in groups[0] if one not in firm]) if one]
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
    """What must stay together: an object with what is retrieved with it; anything else stands alone."""
    parts: dict[str, list[tuple[str, str]]] = {}
    for type, end in _OF_OBJECT.items():
        for name in manifest.get(type, ()):
            object = name.rpartition(end)[0] if type == "CustomObjectTranslation" else name.partition(end)[0]
            parts.setdefault(object, []).append((type, name))
    for name in manifest.get("CustomObject", ()):
        yield [("CustomObject", name), *parts.pop(name, ())]
    yield from ([one] for found in parts.values() for one in found)
    for type in sorted(manifest):
        if type not in ("CustomObject", *_OF_OBJECT, *WITH_EVERY_CHUNK):
            yield from ([(type, name)] for name in manifest[type])


def _with(chunk: Mapping[str, Sequence[str]], always: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {**{type: tuple(names) for type, names in chunk.items()}, **always}
