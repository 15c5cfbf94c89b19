"""Repair: proven by the snapshot id where it says whole, honest about what is lost; damaged files stay untouched."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearse.baseline.canonical import build_snapshot_id
from rehearse.baseline.manifest import save_components, save_manifest
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.repair import find_damage, repair_capture
from rehearse.baseline.verify import verify_capture
from rehearse.baseline.writing import write_durably
from rehearse.errors import Damaged, KeyUnavailable

FIELDS = {"Name": "string"}
ROWS = [{"Id": f"00100000000000{number}AAA", "Name": f"secret {number}"} for number in range(4)]
FILES = {"classes/A.cls": b"class A {}", "classes/A.cls-meta.xml": b"<ApexClass/>"}


@pytest.fixture
def taken(store: CaptureStore, build_capture: Any) -> Capture:
    capture: Capture = build_capture(store, {"Thing": (FIELDS, ROWS), "Other": (FIELDS, ROWS[:2])}, FILES, parts=2)
    return capture


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def state_of(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def part(store: CaptureStore, capture: Capture, object: str) -> Path:
    (found,) = (one for one in capture.objects if one.object == object)
    return store.folder(capture.ulid) / found.parts[0].path


def test_a_whole_capture_needs_no_repair(store: CaptureStore, taken: Capture) -> None:
    assert find_damage(store, taken).is_whole


def test_a_wrong_key_is_no_damage(store: CaptureStore, taken: Capture, open_a_store: Any) -> None:
    write_durably(store.root.parent / "other", b"A" * 43 + b"=")
    with pytest.raises(KeyUnavailable) as raised:
        find_damage(open_a_store(store.root.parent, "other"), taken)
    assert raised.value.exit_code == 12 and raised.value.hint


def test_lost_rows_come_from_a_capture_that_has_exactly_the_same(
    store: CaptureStore, taken: Capture, build_capture: Any
) -> None:
    changed = [*ROWS[:3], {**ROWS[3], "Name": "changed"}]
    build_capture(store, {"Thing": (FIELDS, changed), "Other": (FIELDS, ROWS[:2])}, FILES)
    donor = build_capture(store, {"Thing": (FIELDS, ROWS), "Other": (FIELDS, [])}, FILES)
    flip(part(store, taken, "Thing"))
    before = state_of(store.folder(taken.ulid))
    damage = find_damage(store, taken)
    assert damage.objects == {"Thing": donor.ulid} and damage.metadata is None and damage.is_mendable
    with store.alone():
        repaired = repair_capture(store, taken, damage)
    assert repaired.ulid != taken.ulid and repaired.snapshot_id == taken.snapshot_id and repaired.verdict == "usable"
    assert sorted(row["Name"] or "" for row in store.load_rows(repaired.ulid, "Thing")) == [one["Name"] for one in ROWS]
    assert state_of(store.folder(taken.ulid)) == before
    store.keys.drop(taken.ulid)  # the repaired copy leans on nothing of the damaged one
    assert verify_capture(store, repaired.ulid, deep=True) == repaired


def test_what_nobody_has_is_left_out_and_named(store: CaptureStore, taken: Capture) -> None:
    part(store, taken, "Thing").unlink()
    damage = find_damage(store, taken)
    assert damage.objects == {"Thing": ""} and not damage.is_mendable
    repaired = repair_capture(store, taken, damage)
    assert repaired.verdict == "partial" and [one.name for one in repaired.scope.objects] == ["Other"]
    assert ("Thing", "unreadable") in {(one.name, one.state) for one in repaired.coverage}
    assert len(list(store.load_rows(repaired.ulid, "Other"))) == 2


def test_a_lost_key_or_list_is_replaced(store: CaptureStore, taken: Capture, build_capture: Any) -> None:
    donor = build_capture(store, {"Thing": (FIELDS, ROWS), "Other": (FIELDS, ROWS[:2])}, FILES)
    (store.folder(taken.ulid) / "components.json").unlink()
    assert find_damage(store, taken).metadata == taken.ulid  # its files still give the snapshot id
    store.keys.drop(taken.ulid)
    damage = find_damage(store, taken)
    assert set(damage.objects.values()) == {donor.ulid}
    assert repair_capture(store, taken, damage).snapshot_id == taken.snapshot_id


def test_metadata_that_is_gone_comes_from_another_commit(
    store: CaptureStore, taken: Capture, build_capture: Any
) -> None:
    import pygit2

    donor = build_capture(store, {"Thing": (FIELDS, ROWS), "Other": (FIELDS, ROWS[:2])}, FILES)
    repository = pygit2.Repository(str(store.root / "metadata.git"))
    repository.references.delete(f"refs/captures/{taken.ulid}")
    damage = find_damage(store, taken)
    assert not damage.is_whole and damage.metadata in (taken.ulid, donor.ulid)
    repaired = repair_capture(store, taken, damage)
    assert repaired.snapshot_id == taken.snapshot_id and store.load_files(repaired.ulid) == FILES


def test_a_capture_of_older_rules_is_whole_and_mended_without_its_own_list_of_them(
    store: CaptureStore, taken: Capture, build_capture: Any
) -> None:
    """An update of rehearse digests components otherwise; a baseline from before it was called damaged, and cut."""

    def grow_old(capture: Capture) -> Capture:
        folder, listed = store.folder(capture.ulid), store.load_components(capture.ulid)
        old = tuple(replace(one, digest=one.digest[::-1]) for one in listed)
        snapshot_id = build_snapshot_id(capture.scope, old, capture.objects, "1")
        made = replace(capture, canonicaliser="1", snapshot_id=snapshot_id)
        (folder / "manifest.json").unlink()
        save_manifest(folder, replace(made, components_sha256=save_components(folder, old)))
        return store.load(capture.ulid)

    aged = grow_old(taken)
    assert verify_capture(store, aged.ulid, deep=True) == aged and find_damage(store, aged).is_whole
    donor = grow_old(build_capture(store, {"Thing": (FIELDS, ROWS), "Other": (FIELDS, ROWS[:2])}, FILES))
    build_capture(store, {"Thing": (FIELDS, ROWS), "Other": (FIELDS, ROWS[:2])}, FILES)  # of today's rules: of no use
    (store.folder(aged.ulid) / "components.json").unlink()
    damage = find_damage(store, aged)
    assert damage.metadata == donor.ulid
    mended = repair_capture(store, aged, damage)
    assert (mended.snapshot_id, mended.canonicaliser) == (aged.snapshot_id, "1")
    flip(store.folder(donor.ulid) / "components.json")
    with pytest.raises(Damaged):
        verify_capture(store, donor.ulid, deep=True)
