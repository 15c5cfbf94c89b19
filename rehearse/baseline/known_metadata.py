"""Metadata that did not change since an earlier capture: taken from its commit in place of a retrieve.

Names and dates of a listing decide, and dates are only hints: they are trusted for single components with an id and a
date, never for containers whose children move on their own, nor for what is dated badly (facts/metadata.md 6.1).
What a profile shows depends on what is retrieved with it (3.6), so with profiles in scope everything that their
sections speak of is retrieved each time. What is left are reports, templates, resources and bundles: most of the bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearse import clock
from rehearse.baseline.component_types import CHILDREN, FOLDER_TYPES
from rehearse.baseline.metadata_store import MetadataStore
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.writing import write_durably
from rehearse.errors import Damaged
from rehearse.org.model import MetadataItem

LISTING = "listing.json"
_ALWAYS = frozenset({
    "Profile", "PermissionSet", "PermissionSetGroup", "MutingPermissionSet", "Settings", "StandardValueSet",
    "GlobalValueSet", "CustomObjectTranslation", "Translations", "GlobalValueSetTranslation",
    "StandardValueSetTranslation", "Flow", "FlowDefinition", "AppMenu", "InstalledPackage", *CHILDREN,
})  # fmt: skip
"""Dated badly, not at all, or by their children."""
_SHOWN_BY_PROFILES = frozenset({
    "Layout", "ApexClass", "ApexPage", "CustomApplication", "CustomTab", "CustomPermission", "ExternalDataSource",
    "CustomMetadata", "DataCategoryGroup", "CustomSite", "Network", "NamedCredential", "ExternalCredential",
})  # fmt: skip
Key = tuple[str, str]
Manifest = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Known:
    """What an earlier capture holds of single components: id and date as the org listed them, and their files."""

    dates: Mapping[Key, tuple[str, str]]
    files: Mapping[Key, tuple[str, ...]]
    commit: str
    store: MetadataStore


class KeptFiles(Mapping[str, bytes]):
    """Files of a commit, read one by one as they are asked for."""

    def __init__(self, known: Known | None, paths: Sequence[str] = ()) -> None:
        self._known = known
        self._paths = tuple(sorted(paths))

    def __getitem__(self, path: str) -> bytes:
        if self._known is None or path not in self._paths:
            raise KeyError(path)
        return self._known.store.load_files(self._known.commit, [path])[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def save_listing(folder: Path, items: Sequence[MetadataItem]) -> str:
    """Keep what the org listed beside a manifest; returns the SHA-256 of the file. Raises DiskFull."""
    text = json.dumps([[*key, *dated] for key, dated in sorted(_dates(items).items())], ensure_ascii=False).encode()
    write_durably(folder / LISTING, text)
    return hashlib.sha256(text).hexdigest()


def load_known(store: CaptureStore, base: Capture) -> Known | None:
    """What a capture holds of single components; None where it kept no listing. Raises Damaged."""
    if not base.listing_sha256:
        return None
    path = store.folder(base.ulid) / LISTING
    text = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(text).hexdigest() != base.listing_sha256:
        raise Damaged(f"{path} is not what was written.", "Take a baseline with --full.")
    dates = {(type, name): (id, at) for type, name, id, at in json.loads(text)}
    files = {(one.type, one.full_name): one.files for one in store.load_components(base.ulid)}
    return Known(dates, files, base.commit, store.metadata)


def split_known(
    known: Known | None, manifest: Mapping[str, tuple[str, ...]], items: Sequence[MetadataItem]
) -> tuple[dict[str, tuple[str, ...]], KeptFiles]:
    """What of a manifest has to be retrieved, and the files of the rest."""
    if known is None:
        return dict(manifest), KeptFiles(None)
    now = _dates(items)
    never = _ALWAYS | (_SHOWN_BY_PROFILES if manifest.get("Profile") else frozenset())
    asked: dict[str, tuple[str, ...]] = {}
    kept: list[str] = []
    for type, names in manifest.items():
        same = {name for name in names if type not in never and _is_same(known, now, (type, name))}
        kept += [path for name in same for path in known.files[type, name]]
        if left := tuple(name for name in names if name not in same):
            asked[type] = left
    return asked, KeptFiles(known, kept)


def _is_same(known: Known, now: Mapping[Key, tuple[str, str]], key: Key) -> bool:
    id, at = now.get(key, ("", ""))
    return bool(id and at) and known.dates.get(key) == (id, at) and key in known.files


def _dates(items: Sequence[MetadataItem]) -> dict[Key, tuple[str, str]]:
    """Type (folders under the type that they hold) and name -> id and date; a name that comes twice has no date."""
    of_folder = {folder: type for type, folder in FOLDER_TYPES.items()}
    found: dict[Key, tuple[str, str]] = {}
    for one in items:
        key = (of_folder.get(one.type, one.type), one.full_name)
        twice = key in found
        found[key] = ("", "") if twice else (one.id, clock.iso(one.changed_at) if one.changed_at else "")
    return found
