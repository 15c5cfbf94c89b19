"""Metadata that did not change since an earlier capture: taken from its commit in place of a retrieve.

Names and dates of a listing decide, and dates are only hints (facts/metadata.md 6.1): they are trusted for components
with an id and a date before that capture began, of types that hold nothing but their own bytes; and of those that name
fields only while no custom field came, went or changed, because the platform edits such a component without dating it.
What a profile shows depends on what is retrieved with it (3.6), so with profiles in scope what their sections speak of
is retrieved each time. What is left are reports, templates, resources and bundles: most of the bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rehearse import clock
from rehearse.baseline.component_types import FOLDER_TYPES, HELD_IN
from rehearse.baseline.field_listing import dates_of_fields
from rehearse.baseline.listing import ListingWork
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.writing import write_durably
from rehearse.errors import Damaged
from rehearse.org.model import MetadataItem

if TYPE_CHECKING:
    from rehearse.baseline.metadata_store import MetadataStore

LISTING = "listing.json"
_OWN_BYTES = frozenset({
    "ApexClass", "ApexComponent", "ApexPage", "ApexTrigger", "AuraDefinitionBundle", "Certificate", "ContentAsset",
    "CspTrustedSite", "Document", "LightningComponentBundle", "RemoteSiteSetting", "StaticResource",
})  # fmt: skip
"""Nothing that happens to another component changes these."""
_NAME_FIELDS = frozenset({"Dashboard", "EmailTemplate", "Report"})
"""A column goes with its field, and follows it to another name."""
_SHOWN_BY_PROFILES = frozenset({"ApexClass", "ApexPage"})
_TRANSLATED = frozenset({"Report"})
"""A translation shows the texts of what is retrieved with it (Metadata API guide, Translations)."""
Key = tuple[str, str]
Manifest = Mapping[str, Sequence[str]]
Dates = Mapping[Key, tuple[str, str]]
"""What an org listed: type and name -> id and date."""


@dataclass(frozen=True)
class Known:
    """What an earlier capture holds of single components: id and date as the org listed them, and their files."""

    dates: Dates
    files: Mapping[Key, tuple[str, ...]]
    commit: str
    store: MetadataStore
    since: datetime
    same_fields: bool = False

    def may_keep(self, *, with_profiles: bool, with_translations: bool) -> frozenset[str]:
        """The types whose dates are trusted, where profiles and translations are read too or not."""
        kept = _OWN_BYTES | (_NAME_FIELDS if self.same_fields else frozenset())
        kept -= _TRANSLATED if with_translations else frozenset()
        return kept - (_SHOWN_BY_PROFILES if with_profiles else frozenset())


class KeptFiles(Mapping[str, bytes]):
    """Files of a commit, read one by one as they are asked for."""

    def __init__(self, known: Known | None, paths: Sequence[str] = ()) -> None:
        self._files = known.store.open_files(known.commit) if known else None
        self._paths = dict.fromkeys(sorted(paths))

    def __getitem__(self, path: str) -> bytes:
        if self._files is None or path not in self._paths:
            raise KeyError(path)
        found = self._files.find(path)
        if found is None:
            raise KeyError(path)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def save_listing(folder: Path, items: Sequence[MetadataItem], fields: Sequence[MetadataItem] | None) -> str:
    """Keep what the org listed beside a manifest; returns the SHA-256 of the file. Raises DiskFull."""
    dates = {**_dates(items), **dates_of_fields(fields)}
    text = json.dumps([[*key, *dated] for key, dated in sorted(dates.items())], ensure_ascii=False).encode()
    write_durably(folder / LISTING, text)
    return hashlib.sha256(text).hexdigest()


def load_dates(store: CaptureStore, base: Capture) -> dict[Key, tuple[str, str]]:
    """What the org listed when a capture was taken; nothing where it kept no listing. Raises Damaged."""
    if not base.listing_sha256:
        return {}
    path = store.folder(base.ulid) / LISTING
    text = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(text).hexdigest() != base.listing_sha256:
        raise Damaged(f"{path} is not what was written.", "Take a baseline with --full.")
    return {(type, name): (id, at) for type, name, id, at in json.loads(text)}


def load_known(store: CaptureStore, base: Capture, dates: Dates, changed: frozenset[str] | None) -> Known:
    """What a capture holds of single components; `changed`: the custom fields that changed since, if known."""
    files = {(one.type, one.full_name): one.files for one in store.load_components(base.ulid)}
    return Known(dates, files, base.commit, store.metadata, base.started.replace(microsecond=0), changed == frozenset())


class AskedManifest(Mapping[str, tuple[str, ...]]):
    """What has to be retrieved of every type: a frozen manifest and what is listed, without what is known to be same.

    A type is there as soon as it is listed. `kept` are the files of the rest, once every type has been asked for.
    """

    def __init__(
        self, listing: ListingWork, frozen: Mapping[str, Sequence[str]] | None = None, known: Known | None = None
    ) -> None:
        self._listing = listing
        self._frozen = frozen or {}
        self._known = known
        self._asked: dict[str, tuple[str, ...]] = {}
        self._kept: list[str] = []

    def kept(self) -> KeptFiles:
        """The files of what is not asked for."""
        return KeptFiles(self._known, self._kept)

    def __getitem__(self, type: str) -> tuple[str, ...]:
        if type not in self:
            raise KeyError(type)
        if type not in self._asked:
            self._asked[type] = self._split(type)
        return self._asked[type]

    def __contains__(self, type: object) -> bool:
        return type in self._frozen or any(one.name == type for one in self._listing.types)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._frozen, *(one.name for one in self._listing.types)}))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _members(self, type: str) -> tuple[str, ...]:
        listed = self._listing.of(type)
        return tuple(sorted({*self._frozen.get(type, ()), *listed.members, *listed.held}))

    def _split(self, type: str) -> tuple[str, ...]:
        names = self._members(type)
        with_profiles, with_translations = (bool(self._members(one)) for one in ("Profile", "Translations"))
        if self._known is None or type not in self._known.may_keep(
            with_profiles=with_profiles, with_translations=with_translations
        ):
            return names
        same = find_same(self._known, type, names, self._listing.of(type).items)
        self._kept += [path for name in same for path in self._known.files[type, name]]
        return tuple(name for name in names if name not in same)


def find_same(known: Known, type: str, names: Sequence[str], items: Sequence[MetadataItem]) -> set[str]:
    """The names whose files are known to be those of the earlier capture, by what the org lists now."""
    now, folders = _dates(items), _folders(items)
    return {name for name in names if name not in folders and _is_same(known, now, (type, name))}


def _is_same(known: Known, now: Mapping[Key, tuple[str, str]], key: Key) -> bool:
    id, at = now.get(key, ("", ""))
    early = bool(id and at) and clock.from_iso(at) < known.since
    return early and known.dates.get(key) == (id, at) and key in known.files


def _folders(items: Sequence[MetadataItem]) -> set[str]:
    """The names of folders, whose sharing has no date: also of those within a folder (`Sales/Europe`)."""
    held = {one.full_name.rpartition("/")[0] for one in items}
    return {one.full_name for one in items if one.type in HELD_IN or one.full_name in held or _is_top(one)}


def _is_top(item: MetadataItem) -> bool:
    return item.type in FOLDER_TYPES and "/" not in item.full_name


def _dates(items: Sequence[MetadataItem]) -> dict[Key, tuple[str, str]]:
    """Type (folders under the type that they hold) and name -> id and date; a name that comes twice has no date."""
    found: dict[Key, tuple[str, str]] = {}
    for one in items:
        key = (HELD_IN.get(one.type, one.type), one.full_name)
        twice = key in found
        found[key] = ("", "") if twice else (one.id, clock.iso(one.changed_at) if one.changed_at else "")
    return found
