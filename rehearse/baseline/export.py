"""A baseline as clear text for auditors: one CSV file an object, and the metadata as a folder under git.

Everything is written beside the target and renamed at the end: a folder of that name is whole or not there. Readable by
its owner only. `SHA256SUMS` lists every file, `manifest.json` is the capture's own. Refuses a target that exists.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pygit2

from rehearse.baseline.bodies import load_body
from rehearse.baseline.manifest import COMPONENTS, MANIFEST
from rehearse.baseline.metadata_store import encode_name, translated
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore, shape_of
from rehearse.baseline.scope import BODY_TYPE
from rehearse.baseline.store_model import Exported
from rehearse.baseline.writing import file_sha256, sync_folder, waiting_folder
from rehearse.errors import UsageError

SUMS, README, RENAMED = "SHA256SUMS", "README.txt", "RENAMED.txt"
_NAME_BYTES = 255
_STAMPS = {"_stamp": "SystemModstamp", "_by": "LastModifiedById"}
_TEXT = """This is baseline {name} of {sandbox} (org {org_id}), taken {taken}, in clear text.
It holds personal data: keep it on an encrypted disk, and delete it when it has served.

records/   one CSV file an object, UTF-8, in the order of Ids; an empty cell is null. The first column is the Id, then
           the compared fields with their canonical values, then who changed the row last and when, where it says so.
           A text that begins with = + - or @ is data: open these files as text, not as formulas. The contents of
           files, where they were captured, lie in a folder an object by the SHA-256 that their cell names.
metadata/  the files of the org as they were retrieved, a git repository with one commit. Where a disk or git does not
           take a name, {renamed} says which file has which.
{manifest}, {components}: what was captured, and the digest of every component. Snapshot {snapshot}.
{sums}: check with `sha256sum -c {sums}`.
"""


def export_capture(store: CaptureStore, capture: Capture, name: str, target: Path) -> Exported:
    """Write a capture as clear text to a new folder. Raises UsageError where it exists, Damaged, KeyUnavailable,
    DiskFull, StoreError."""
    check_target(target)
    with waiting_folder(target) as waiting:
        rows = sum(_write_rows(store, capture, one.object, waiting / "records") for one in capture.objects)
        files = _write_metadata(store, capture, waiting / "metadata")
        for own in (MANIFEST, COMPONENTS):
            shutil.copyfile(store.folder(capture.ulid) / own, waiting / own)
        (waiting / README).write_text(_readme(capture, name))
        size = _write_sums(waiting)
        os.rename(waiting, target)
        sync_folder(target.parent)
    return Exported(len(capture.objects), rows, files, size)


def check_target(target: Path) -> None:
    """Raise UsageError where a folder cannot be made."""
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already.", "Name a folder that does not exist yet.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.", "Make it first, on an encrypted disk.")


def _write_bodies(store: CaptureStore, capture: Capture, object: str, folder: Path) -> None:
    """The contents of files that the rows of an object name."""
    names = [one.name for one in shape_of(capture, object) if one.type == BODY_TYPE]
    for row in store.load_rows(capture.ulid, object, None, names) if names else ():
        for digest in filter(None, (row[name] for name in names)):
            place = folder / encode_name(object) / digest.split(":")[1]
            place.parent.mkdir(mode=0o700, exist_ok=True)
            place.write_bytes(load_body(store, capture.ulid, object, digest))


def _write_rows(store: CaptureStore, capture: Capture, object: str, folder: Path) -> int:
    """One CSV file of an object, sorted by Id within each part; returns its rows."""
    folder.mkdir(mode=0o700, exist_ok=True)
    names = ["Id", *(one.name for one in shape_of(capture, object)), *_STAMPS]
    titles = _titles(names)
    schema = pa.schema([pa.field(one, pa.string()) for one in titles])
    count = 0
    with pa.csv.CSVWriter(folder / f"{encode_name(object)}.csv", schema) as writer:
        for batch in store.read_batches(capture, object, names):
            writer.write_batch(pa.record_batch([batch.column(one) for one in names], schema=schema))
            count += batch.num_rows
    _write_bodies(store, capture, object, folder)
    return count


def _titles(names: Sequence[str]) -> list[str]:
    """The heads of the columns; a field that is called like a stamp keeps its name, and the stamp its own."""
    return [_STAMPS[one] if one in _STAMPS and _STAMPS[one] not in names else one for one in names]


def _write_metadata(store: CaptureStore, capture: Capture, folder: Path) -> int:
    """The metadata files, and a git repository with one commit of them; returns their number."""
    files = store.load_files(capture.ulid)
    folder.mkdir(mode=0o700)
    renamed = ""
    with translated(folder):
        repository = pygit2.init_repository(str(folder))
        for path, content in files.items():
            place = _find_place(folder, path)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.write_bytes(content)
            inside = place.relative_to(folder).as_posix()
            renamed += f"{inside}\t{path!r}\n" if inside != path else ""
            # each by itself: what an org calls .gitignore or .gitattributes decides nothing here
            entry = pygit2.IndexEntry(inside, repository.create_blob(content), pygit2.enums.FileMode.BLOB)
            repository.index.add(entry)
        repository.index.write()
        who = pygit2.Signature("rehearse", "rehearse@localhost", int(capture.started.timestamp()), 0)
        message = f"{capture.sandbox} {capture.ulid}\n"
        repository.create_commit("HEAD", who, who, message, repository.index.write_tree(), [])
    if renamed:
        (folder.parent / RENAMED).write_text(renamed, encoding="utf-8")
    return len(files)


def _find_place(folder: Path, path: str) -> Path:
    """Where a file of the org goes: names that no disk takes are cut, and so is one that another has on this disk."""
    names = [encode_name(one) for one in path.split("/")]
    place = folder.joinpath(*(_cut(one) if len(one.encode()) > _NAME_BYTES else one for one in names))
    return place.with_name(_cut(names[-1])) if place.exists() else place


def _cut(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    end = f"~{hashlib.sha256(name.encode()).hexdigest()[:16]}" + (f".{suffix}" if dot and len(suffix) < 40 else "")
    return (stem or name).encode()[: _NAME_BYTES - 60].decode(errors="ignore") + end


def _readme(capture: Capture, name: str) -> str:
    return _TEXT.format(
        name=name,
        sandbox=capture.sandbox,
        org_id=capture.org_id,
        taken=f"{capture.started:%Y-%m-%d %H:%M} UTC",
        manifest=MANIFEST,
        components=COMPONENTS,
        snapshot=capture.snapshot_id,
        sums=SUMS,
        renamed=RENAMED,
    )


def _write_sums(folder: Path) -> int:
    """The digests of all files outside git's own folder; returns their bytes."""
    lines, size = [], 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[:2] != ("metadata", ".git"):
            lines.append(f"{file_sha256(path)}  {inside.as_posix()}\n")
            size += path.stat().st_size
    text = "".join(lines).encode()
    (folder / SUMS).write_bytes(text)
    return size + len(text)
