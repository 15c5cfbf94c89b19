"""Exports: clear text that says exactly what was captured, in a folder that is whole or not there."""

import csv
import subprocess
from pathlib import Path
from typing import Any

import pygit2
import pytest

from rehearse.baseline.export import export_capture
from rehearse.baseline.metadata_store import MetadataStore
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.errors import Damaged, DiskFull, UsageError

FIELDS = {"Name": "string", "Text": "textarea"}
ROWS = [
    {"Id": "001000000000001AAA", "Name": 'q"uote, and =1+1', "Text": "line\r\nline"},
    {"Id": "001000000000002AAA", "Name": None, "Text": "é😀"},
]
FILES = {"classes/A.cls": b"class A {}", ".git/config": b"hostile", "../up.txt": b"hostile", "labels/L.labels": b"<x/>"}


@pytest.fixture
def taken(store: CaptureStore, build_capture: Any) -> Capture:
    capture: Capture = build_capture(store, {"Thing": (FIELDS, ROWS), "None": (FIELDS, [])}, FILES)
    return capture


def test_an_export_holds_what_was_captured(store: CaptureStore, taken: Capture, tmp_path: Path) -> None:
    target = tmp_path / "out"
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f".out.{gone.pid}.part" / "records").mkdir(parents=True)  # of an export that was killed
    done = export_capture(store, taken, "B1", target)
    assert (done.objects, done.records, done.files) == (2, 2, 4)
    with (target / "records" / "Thing.csv").open(newline="", encoding="utf-8") as file:
        read = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
    assert [{name: row[name] for name in ("Id", *FIELDS)} for row in read] == ROWS
    assert (target / "records" / "None.csv").read_text().startswith('"Id","Name","Text"')
    assert (target / "metadata" / "classes" / "A.cls").read_bytes() == b"class A {}"
    assert {one.name for one in tmp_path.iterdir()} == {"out", "store", "key"}  # nothing outside, nothing left over
    assert target.stat().st_mode & 0o777 == 0o700
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=target, check=True)
    git = ["git", "-C", str(target / "metadata"), "-c", "safe.directory=*"]
    assert not subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True).stdout
    subprocess.run([*git, "fsck", "--strict"], capture_output=True, check=True)


def test_hostile_names_are_exported_whole(store: CaptureStore, build_capture: Any, tmp_path: Path) -> None:
    long = "layouts/" + "取" * 100 + "-" + "引" * 80 + ".layout"
    files = {
        long: b"long", long.replace("取" * 9, "x" * 27): b"other", "objects/../../../up": b"a", "/abs": b"b",
        "x\0y": b"c", ".gitignore": b"*", ".gitattributes": b"* text eol=crlf", ".gitmodules": b"[x",
        "a/.GIT/config": b"d", "classes/A.cls": b"1\n2\r\n", "trail. ": b"e", "dir/": b"f", "a//b": b"g", "CON": b"h",
        "..": b"i", "classes/Ä.cls": b"j", "classes/A\u0308.cls": b"k",
    }  # fmt: skip
    taken = build_capture(store, {}, files)
    done = export_capture(store, taken, "B1", tmp_path / "out")
    assert done.files == len(files) and {one.name for one in tmp_path.iterdir()} == {"out", "store", "key"}
    found = MetadataStore(tmp_path)
    found.path = tmp_path / "out" / "metadata"
    head = str(pygit2.Repository(str(found.path)).head.target)
    assert sorted(found.load_files(head).values()) == sorted(files.values())
    lying = [one for one in found.path.rglob("*") if one.is_file() and ".git" not in one.parts]
    assert sorted(one.read_bytes() for one in lying) == sorted(files.values())


def test_an_export_never_overwrites_and_leaves_nothing_half_written(
    store: CaptureStore, taken: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    for target in (tmp_path / "there", tmp_path / "no" / "such"):
        with pytest.raises(UsageError):
            export_capture(store, taken, "B1", target)
    part = store.folder(taken.ulid) / taken.objects[1].parts[0].path
    whole = part.read_bytes()
    part.write_bytes(whole[:-40] + b"x" * 40)
    with pytest.raises(Damaged):
        export_capture(store, taken, "B1", tmp_path / "out")
    part.write_bytes(whole)
    monkeypatch.setattr("rehearse.baseline.export.README", "/dev/full")
    with pytest.raises(DiskFull):
        export_capture(store, taken, "B1", tmp_path / "out")
    assert {one.name for one in tmp_path.iterdir()} == {"there", "store", "key"}
