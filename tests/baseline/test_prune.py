"""Pruning: which records go, which stay whatever their age, and that a sweep leaves nothing else and breaks nothing."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse import clock
from rehearse.baseline import metadata_sweep, prune_store
from rehearse.baseline.manifest import save_manifest
from rehearse.baseline.model import Baseline, Capture
from rehearse.baseline.prune import KeepRules, decide_fates
from rehearse.baseline.prune_store import sweep
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.store_lock import hold_store
from rehearse.baseline.verify import verify_capture
from rehearse.errors import Damaged, KeyUnavailable, Locked

FIELDS = {"Name": "string"}
ROWS = [{"Id": f"00100000000000{number}AAA", "Name": f"secret {number}"} for number in range(3)]
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FILES = {"classes/A.cls": b"class A {}", "classes/A.cls-meta.xml": b"<ApexClass/>"}


def capture(ulid: str, age: int, sandbox: str = "UAT", **more: Any) -> Capture:
    at = NOW - timedelta(days=age)
    return Capture(
        ulid=ulid, snapshot_id="s", sandbox=sandbox, org_id="00D000000000001AAA", started=at, ended=at,
        api_version="67.0", scope=more.pop("scope", None), manifest={}, objects=more.pop("objects", ()),
        component_count=0, components_sha256="", commit="", coverage=(), verdict="usable", **more,
    )  # fmt: skip


def baseline(of: Capture, name: str, proof: str | None = None, **more: Any) -> Baseline:
    return Baseline(
        name=name, sandbox=of.sandbox, org_id=of.org_id, capture=of.ulid, snapshot_id="s", taken_at=of.started,
        records=0, components=0, bytes=0, verdict=of.verdict, host="here", store="/s", manifest_sha256="",
        proof_verdict=proof, **more,
    )  # fmt: skip


def test_old_records_go_unless_somebody_needs_them() -> None:
    old = [capture(f"U{age}", age) for age in (200, 150, 100, 90, 80, 10)]
    other = capture("O70", 70, sandbox="SIT")
    named = [
        baseline(old[0], "B1", "clean"),
        baseline(old[1], "B2", "clean-with-residue"),
        baseline(old[2], "B3", "dirty"),
        baseline(other, "B1"),
    ]
    rules = KeepRules(NOW, timedelta(days=60), frozenset({"uat", "SIT"}), {"U90": "a reset plan needs it"})
    fates = {one.capture: (one.destroyed, one.why) for one in decide_fates([*old, other], named, rules)}
    assert fates == {
        "U200": (True, "older than 60 days"),
        "U150": (False, "the newest proven baseline of UAT, which is booked"),
        "U100": (True, "older than 60 days"),
        "U90": (False, "a reset plan needs it"),
        "U80": (True, "older than 60 days"),
        "O70": (False, "the newest baseline of SIT, which is booked; none is proven yet"),
        "U10": (False, "younger than 60 days"),
    }
    rules = replace(rules, booked=frozenset(), needed={})
    assert [one.capture for one in decide_fates([*old, other], named, rules) if not one.destroyed] == ["U10"]


def layered(store: CaptureStore, base: Capture, top: Capture) -> Capture:
    """`top` again, with all its rows taken from the parts of `base`."""
    parts = tuple(replace(part, capture=base.ulid) for part in base.objects[0].parts)
    made = replace(top, objects=(replace(top.objects[0], parts=parts),))
    save_manifest(store.folder(top.ulid), made)
    return made


def test_what_a_kept_incremental_capture_needs_stays(store: CaptureStore, build_capture: Any) -> None:
    base, top = (build_capture(store, {"Thing": (FIELDS, ROWS)}, FILES) for _ in range(2))
    top = layered(store, base, top)
    rules = KeepRules(NOW, timedelta(days=60))
    young, aged = replace(top, started=NOW), replace(base, started=NOW - timedelta(days=99))
    fates = decide_fates([aged, young], [baseline(young, "B2")], rules)
    assert [(one.destroyed, one.why) for one in fates] == [
        (False, "B2 is built on its records"),
        (False, "younger than 60 days"),
    ]
    assert sweep(store, [], clock.now()).files == 1  # its own part, which its manifest names no more
    assert verify_capture(store, top.ulid, deep=True) == top
    store.drop(base.ulid)  # refused in silence: something is built on it
    assert verify_capture(store, base.ulid, deep=True) == base


def test_destroyed_records_leave_manifest_and_metadata(store: CaptureStore, build_capture: Any) -> None:
    gone, kept = (build_capture(store, {"Thing": (FIELDS, ROWS)}, FILES) for _ in range(2))
    (store.folder(kept.ulid) / "listing.json").write_text("[]")  # what lies beside a manifest is the capture's own
    swept = sweep(store, [gone.ulid], clock.now())
    assert swept.keys == 1 and swept.files == 1 and swept.bytes > 0
    with pytest.raises(KeyUnavailable):
        list(store.load_rows(gone.ulid, "Thing"))
    assert sorted(one.name for one in store.folder(gone.ulid).rglob("*")) == ["components.json", "manifest.json"]
    assert store.load_files(gone.ulid) == FILES
    assert verify_capture(store, gone.ulid, records=False) == gone
    assert verify_capture(store, kept.ulid, deep=True) == kept
    assert (store.folder(kept.ulid) / "listing.json").exists()
    again = sweep(store, [gone.ulid], clock.now())
    assert (again.keys, again.files) == (0, 0)


def test_a_capture_that_was_not_kept_leaves_no_history(store: CaptureStore, build_capture: Any) -> None:
    """A branch that ended in it knew nothing for the next capture, and showed what `diff` says it does not keep."""
    kept, looked = (
        build_capture(store, {"Thing": (FIELDS, ROWS)}, {**FILES, "classes/B.cls": name.encode()}) for name in "AB"
    )
    assert store.metadata.newest("UAT") == looked.ulid
    store.drop(looked.ulid)
    assert store.metadata.newest("UAT") == kept.ulid
    store.drop(kept.ulid)
    assert store.metadata.newest("UAT") is None


def test_what_nobody_names_is_swept(store: CaptureStore, build_capture: Any) -> None:
    dropped, kept = (
        build_capture(store, {"Thing": (FIELDS, ROWS)}, {**FILES, f"classes/{name}.cls": name.encode() * 5000})
        for name in ("Dropped", "Kept")
    )
    store.drop(dropped.ulid)
    dead = store.root / "captures" / "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    (dead / "Thing").mkdir(parents=True)
    (dead / "Thing" / "part-00001.parquet").write_bytes(b"half")
    store.keys.create(dead.name)
    store.keys.create("01ARZ3NDEKTSV4RRFFQ69G5FAW")
    (store.root / "scratch" / "compare-1").mkdir(parents=True)
    sweep(store, [], clock.now())
    assert [one.name for one in (store.root / "captures").iterdir()] == [kept.ulid]
    assert [one.name for one in (store.root / "keys").iterdir()] == [kept.ulid]
    assert not list((store.root / "scratch").glob("*"))
    assert len(list((store.root / "metadata.git" / "objects" / "pack").glob("*.pack"))) == 1
    assert verify_capture(store, kept.ulid, deep=True) == kept
    git = ["git", "-C", str(store.root / "metadata.git")]
    told = subprocess.run([*git, "fsck", "--full", "--strict"], capture_output=True, text=True, check=True)
    assert "missing" not in told.stdout + told.stderr
    shown = subprocess.run([*git, "log", "--format=%H", "UAT"], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [kept.commit]
    sweep(store, [], clock.now())  # and once more, now that git knows where history was cut
    subprocess.run([*git, "fsck", "--full", "--strict"], capture_output=True, check=True)
    third = build_capture(store, {"Thing": (FIELDS, ROWS)}, FILES)  # the store goes on
    assert verify_capture(store, third.ulid, deep=True) == third


@pytest.mark.parametrize("step", ["_drop_key", "_sweep_parts", "_sweep_folders", "_sweep_keys", "sweep_metadata"])
@pytest.mark.parametrize("after", [False, True])
def test_a_sweep_that_was_killed_is_finished_by_the_next(
    store: CaptureStore, build_capture: Any, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    gone, kept = (build_capture(store, {"Thing": (FIELDS, ROWS)}, FILES) for _ in range(2))
    store.drop(build_capture(store, {"Thing": (FIELDS, ROWS)}, {**FILES, "classes/B.cls": b"B" * 4000}).ulid)
    real = getattr(prune_store, step)

    def dying(*given: Any) -> Any:
        if after:
            real(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(prune_store, step, dying)
    with pytest.raises(KeyboardInterrupt):
        sweep(store, [gone.ulid], clock.now())
    assert verify_capture(store, kept.ulid, deep=True) == kept
    assert verify_capture(store, gone.ulid, records=False) == gone
    monkeypatch.undo()
    sweep(store, [gone.ulid], clock.now())
    assert not store.keys.has(gone.ulid) and not list(store.folder(gone.ulid).rglob("*.parquet"))
    assert verify_capture(store, kept.ulid, deep=True) == kept


@pytest.mark.parametrize("step", ["_pack", "_tell_git", "_remove_loose"])
def test_metadata_is_whole_wherever_its_sweep_was_killed(
    store: CaptureStore, build_capture: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first, second = (build_capture(store, {}, {**FILES, "classes/B.cls": name * 3000}) for name in (b"1", b"2"))
    store.drop(first.ulid)
    real = getattr(metadata_sweep, step)

    def dying(*given: Any) -> Any:
        real(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(metadata_sweep, step, dying)
    with pytest.raises(KeyboardInterrupt):
        sweep(store, [], clock.now())
    assert verify_capture(store, second.ulid, deep=True) == second
    monkeypatch.undo()
    sweep(store, [], clock.now())
    assert len(list((store.root / "metadata.git" / "objects" / "pack").iterdir())) == 2
    assert verify_capture(store, second.ulid, deep=True) == second


def test_damage_stops_the_sweep(store: CaptureStore, build_capture: Any) -> None:
    one, other = (build_capture(store, {"Thing": (FIELDS, ROWS)}, FILES) for _ in range(2))
    manifest = store.folder(one.ulid) / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"UAT", b"SIT"))
    files = sorted(path for path in store.root.rglob("*") if path.is_file())
    with pytest.raises(Damaged):
        sweep(store, [other.ulid], clock.now())
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == files


def test_what_a_killed_command_left_in_clear_text_is_gone_with_the_next(store: CaptureStore) -> None:
    left = store.make_scratch() / "retrieve-00000.zip"
    left.write_text("of a command that was killed")
    with hold_store(store.root, alone=False):
        assert not left.exists()
        store.make_scratch()
        left.write_text("of a command that lives")
        with store.shared():
            assert left.exists()


def test_a_sweep_waits_for_nobody(store: CaptureStore, tmp_path: Path) -> None:
    with store.shared(), store.shared(), pytest.raises(Locked) as raised, store.alone():
        raise AssertionError("unreachable")
    assert raised.value.hint and raised.value.exit_code == 11
    with store.alone(), store.shared():  # who has it alone may verify what he does
        pass
    with store.shared():
        pass
