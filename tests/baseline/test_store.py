"""The store: every flipped byte is noticed, a wrong key is refused, a full disk harms nothing that was there."""

import os
from pathlib import Path
from typing import Any

import pytest

from rehearse.baseline import record_parts
from rehearse.baseline.canonical_xml import NAMESPACE
from rehearse.baseline.metadata_store import decode_name, encode_name
from rehearse.baseline.record_parts import PartFile, read_part
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.verify import require_keys, verify_capture
from rehearse.baseline.writing import write_durably
from rehearse.errors import Damaged, DiskFull, KeyUnavailable, NotFound, RehearseError
from rehearse.secret import Reference

FIELDS = {"Name": "string", "Amount": "currency"}
ROWS = [{"Id": f"0010000000{number:05d}AAA", "Name": f"secret {number}", "Amount": str(number)} for number in range(60)]
FILES = {
    "objects/A__c.object": f'<CustomObject xmlns="{NAMESPACE}"><label>A</label></CustomObject>'.encode(),
    "classes/A.cls": b"class A {}",
    "documents/.git/config.txt": b"x",
    "documents/..": b"y",
}


@pytest.fixture
def taken(store: CaptureStore, build_capture: Any) -> Any:
    return build_capture(store, {"Thing": (FIELDS, ROWS)}, FILES, parts=2)


def stored_files(store: CaptureStore) -> list[Path]:
    found = [one for one in store.root.rglob("*") if one.is_file()]
    idle = ("hooks/", "/info/", "/description", "/config", "/HEAD", ".lock", "/refs/heads/")
    return [one for one in found if not any(part in str(one) for part in idle)]


def test_a_whole_capture_verifies(store: CaptureStore, taken: Any) -> None:
    assert verify_capture(store, taken.ulid) == taken
    assert verify_capture(store, taken.ulid, deep=True) == taken
    assert store.load_all() == (taken,)
    assert store.load_files(taken.ulid) == FILES
    absent = ["none", "classes", "classes/", "classes/A.cls/deeper", "none/A.cls", ""]
    assert store.load_files(taken.ulid, ["classes/A.cls", *absent]) == {"classes/A.cls": b"class A {}"}
    assert {one.full_name for one in store.load_components(taken.ulid)} >= {"A__c", "A"}
    assert store.size(taken.ulid) > 0


def test_every_flipped_byte_is_noticed(store: CaptureStore, taken: Any, open_a_store: Any) -> None:
    kinds = set()
    for path in stored_files(store):
        whole = path.read_bytes()
        mode = path.stat().st_mode
        os.chmod(path, 0o600)
        last = len(whole.rstrip(b"\n")) - 1  # git takes any white space after a reference
        for place in sorted({0, 1, len(whole) // 3, len(whole) // 2, last - 1, last}):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(RehearseError) as raised:
                verify_capture(open_a_store(store.root.parent), taken.ulid, deep=True)
            assert isinstance(raised.value, Damaged | KeyUnavailable), (path, place)
        path.write_bytes(whole)
        os.chmod(path, mode)
        kinds.add(path.suffix or path.parent.name)
    assert kinds >= {".parquet", ".json", ".pack", ".idx", "captures", "keys"}
    verify_capture(store, taken.ulid, deep=True)


def test_every_missing_file_is_noticed(store: CaptureStore, taken: Any) -> None:
    for path in stored_files(store):
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises((Damaged, KeyUnavailable, NotFound)):
            verify_capture(store, taken.ulid, deep=True)
        path.write_bytes(whole)


def test_a_pack_that_a_killed_sweep_left_without_its_index_is_no_damage(store: CaptureStore, taken: Any) -> None:
    (store.metadata.path / "objects" / "pack" / "pack-left.pack").write_bytes(b"PACK")
    verify_capture(store, taken.ulid, deep=True)


def test_a_flipped_byte_never_gives_other_rows(store: CaptureStore, taken: Any) -> None:
    rows = list(store.load_rows(taken.ulid, "Thing"))
    refused = 0
    path = store.folder(taken.ulid) / taken.objects[0].parts[0].path
    whole = path.read_bytes()
    for place in range(4, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            assert list(store.load_rows(taken.ulid, "Thing")) == rows  # it hit a column that was not asked for
        except Damaged:
            refused += 1
    assert refused > 10


def test_a_part_in_another_place_is_refused(store: CaptureStore, taken: Any, build_capture: Any) -> None:
    first, second = (store.folder(taken.ulid) / one.path for one in taken.objects[0].parts)
    whole = first.read_bytes()
    first.write_bytes(second.read_bytes())
    with pytest.raises(Damaged):
        list(store.load_rows(taken.ulid, "Thing"))
    first.write_bytes(whole)
    other = build_capture(store, {"Thing": (FIELDS, ROWS)}, FILES, parts=2)
    (store.folder(other.ulid) / other.objects[0].parts[0].path).write_bytes(whole)
    with pytest.raises(Damaged):
        list(store.load_rows(other.ulid, "Thing"))


def test_no_value_lies_in_clear(store: CaptureStore, taken: Any) -> None:
    for path in store.root.rglob("*"):
        if path.is_file():
            assert b"secret" not in path.read_bytes(), path
    assert (store.root / "metadata.git").stat().st_mode & 0o077 == 0
    assert store.folder(taken.ulid).stat().st_mode & 0o077 == 0
    assert (store.root / "keys" / taken.ulid).stat().st_mode & 0o177 == 0


def test_another_workspace_key_is_refused(store: CaptureStore, taken: Any, open_a_store: Any) -> None:
    write_durably(store.root.parent / "other", b"A" * 43 + b"=")
    stranger = open_a_store(store.root.parent, "other")
    with pytest.raises(KeyUnavailable) as raised:
        list(stranger.load_rows(taken.ulid, "Thing"))
    assert raised.value.exit_code == 12 and raised.value.hint
    assert verify_capture(stranger, taken.ulid) == taken  # needs no key


def test_a_lost_key_is_not_made_anew(store: CaptureStore, taken: Any, open_a_store: Any) -> None:
    (store.root.parent / "key").unlink()
    with pytest.raises(KeyUnavailable):
        list(open_a_store(store.root.parent).load_rows(taken.ulid, "Thing"))
    with pytest.raises(KeyUnavailable):
        open_a_store(store.root.parent).keys.create("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert not (store.root.parent / "key").exists()


def test_another_key_makes_no_capture_and_compares_none(store: CaptureStore, taken: Any, open_a_store: Any) -> None:
    """Digests alone would call an unchanged org equal, and what is captured then would stand under the other key."""
    (store.root.parent / "another").write_text("A" * 43 + "=")
    stranger = open_a_store(store.root.parent, "another")
    with pytest.raises(KeyUnavailable, match="not the one"):
        require_keys(stranger, taken)
    with pytest.raises(KeyUnavailable, match="not the one"):
        stranger.keys.create("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert not stranger.keys.has("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    require_keys(store, taken)


@pytest.mark.parametrize("text", ["", "short", "AAAA", "not base64 at all!!"])
def test_a_bad_key_file(store: CaptureStore, taken: Any, open_a_store: Any, text: str) -> None:
    (store.root.parent / "key").write_text(text)
    with pytest.raises(KeyUnavailable):
        list(open_a_store(store.root.parent).load_rows(taken.ulid, "Thing"))


def test_a_key_from_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rehearse.baseline.keys import Keys

    keys = Keys(tmp_path / "keys", Reference(env="A_KEY"))
    monkeypatch.delenv("A_KEY", raising=False)
    with pytest.raises(KeyUnavailable):
        keys.create("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    monkeypatch.setenv("A_KEY", "A" * 43 + "=")
    made = keys.create("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert Keys(tmp_path / "keys", Reference(env="A_KEY")).load("01ARZ3NDEKTSV4RRFFQ69G5FAV") == made
    assert made.hex() not in repr(keys)


def test_a_dropped_key_leaves_the_manifest(store: CaptureStore, taken: Any) -> None:
    store.keys.drop(taken.ulid)
    assert not store.keys.has(taken.ulid)
    assert verify_capture(store, taken.ulid) == taken
    with pytest.raises(KeyUnavailable, match="is gone"):
        require_keys(store, taken)  # its files lie there: without the key they are no rows
    with pytest.raises(KeyUnavailable):
        list(store.load_rows(taken.ulid, "Thing"))


def test_signatures(store: CaptureStore, open_a_store: Any) -> None:
    signature = store.keys.sign(b"proof")
    assert store.keys.check(b"proof", signature) and not store.keys.check(b"Proof", signature)
    assert open_a_store(store.root.parent).keys.check(b"proof", signature)
    write_durably(store.root.parent / "other", b"A" * 43 + b"=")
    assert not open_a_store(store.root.parent, "other").keys.check(b"proof", signature)


def test_few_ids_decrypt_few_groups(store: CaptureStore, build_capture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_parts, "GROUP_ROWS", 5)
    capture = build_capture(store, {"Thing": (FIELDS, ROWS)})
    part = capture.objects[0].parts[0]
    file = PartFile(store.folder(capture.ulid), part.path, capture.ulid, store.keys.load(capture.ulid))
    wanted = sorted([ROWS[7]["Id"], ROWS[42]["Id"]])
    read = [batch.to_pylist() for batch in read_part(file, ["Id", "Name"], wanted)]
    assert [row for rows in read for row in rows] == [
        {"Id": ROWS[7]["Id"], "Name": "secret 7"},
        {"Id": ROWS[42]["Id"], "Name": "secret 42"},
    ]
    # groups that cannot hold a wanted id are never decrypted: damage in them goes unseen by this look-up
    assert len(list(read_part(file, ["Id"], None))) == 12
    assert len(read) == 2


def test_a_full_disk_leaves_what_was_there(store: CaptureStore, taken: Any, build_capture: Any) -> None:
    with pytest.raises(DiskFull):
        write_durably_to_full_disk(store.folder(taken.ulid) / "manifest.json")
    assert verify_capture(store, taken.ulid, deep=True) == taken


def write_durably_to_full_disk(path: Path) -> None:
    """`/dev/full` is a device on which every write says that no space is left."""
    waiting = path.with_name(f"{path.name}.tmp")
    waiting.symlink_to("/dev/full")
    try:
        write_durably(path, b"new content")
    finally:
        assert not waiting.is_symlink(), "half of a file that found no room is left"


def test_a_part_on_a_full_disk(store: CaptureStore, build_capture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = build_capture(store, {"Thing": (FIELDS, ROWS)}, FILES)
    make = record_parts.pq.ParquetWriter

    def full(path: Path, *arguments: Any, **options: Any) -> Any:
        path.symlink_to("/dev/full")
        return make(path, *arguments, **options)

    monkeypatch.setattr(record_parts.pq, "ParquetWriter", full)
    with pytest.raises(DiskFull):
        build_capture(store, {"Thing": (FIELDS, ROWS * 50)}, FILES)
    monkeypatch.undo()
    assert store.load_all() == (taken,)
    assert verify_capture(store, taken.ulid, deep=True) == taken


@pytest.mark.parametrize("name", [".git", ".GIT", "..", ".", "git~1", ".git ", "%rehearse%x", "Größe.layout", "a b"])
def test_names_that_git_refuses(name: str) -> None:
    assert decode_name(encode_name(name)) == name
    assert (encode_name(name) == name) == (name in ("Größe.layout", "a b"))


def test_an_unchanged_tree_adds_next_to_nothing(store: CaptureStore, build_capture: Any) -> None:
    files = {f"classes/C{number}.cls": os.urandom(2000) for number in range(40)}
    first = build_capture(store, {}, files)
    packs = store.root / "metadata.git" / "objects" / "pack"
    before = sum(one.stat().st_size for one in packs.iterdir())
    second = build_capture(store, {}, files)
    assert sum(one.stat().st_size for one in packs.iterdir()) - before < 4_000
    assert first.snapshot_id == second.snapshot_id and first.commit != second.commit
    assert store.load_files(second.ulid) == files
