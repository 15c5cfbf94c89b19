"""Captures in layers: a delta over the parts of a base reads as if it had been captured whole."""

from dataclasses import replace
from typing import Any

import pytest

from rehearse.baseline.canonical_arrays import sum_digest_array
from rehearse.baseline.compare import compare
from rehearse.baseline.layers import owners
from rehearse.baseline.manifest import save_manifest
from rehearse.baseline.model import Capture, ObjectCapture, Part
from rehearse.baseline.record_parts import PartFile, RowShape
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.row_reading import total, write_rows
from rehearse.baseline.verify import verify_capture
from rehearse.errors import Damaged, KeyUnavailable

FIELDS = {"Name": "string"}
IDS = [f"00100000000000{number}AAA" for number in range(6)]


def rows(**names: str) -> list[dict[str, str | None]]:
    return [{"Id": IDS[int(place[1:])], "Name": name} for place, name in names.items()]


def stack(store: CaptureStore, base: Capture, whole: Capture, deltas: list[Any]) -> Capture:
    """`whole` again, its rows as layers over those of `base`: each delta is (ids hidden below, rows written)."""
    key = store.keys.load(whole.ulid)
    parts = [replace(part, capture=base.ulid) for part in base.objects[0].parts]
    removed: list[Part] = []
    for layer, (hidden, written) in enumerate(deltas, 1):
        for name, shape, content, target in (
            ("delta", RowShape("Thing", whole.scope.objects[0].fields, None, None), written, parts),
            ("removed", RowShape("Thing", (), None, None), [{"Id": one} for one in hidden], removed),
        ):
            file = PartFile(store.folder(whole.ulid), f"Thing/{name}-{layer}.parquet", whole.ulid, key)
            target.append(replace(write_rows(file, shape, content)[0], layer=layer))
    found = replace(whole.objects[0], parts=tuple(parts), removed=tuple(removed))
    layered = replace(whole, objects=(found,))
    save_manifest(store.folder(whole.ulid), layered)
    return layered


@pytest.fixture
def base(store: CaptureStore, build_capture: Any) -> Capture:
    capture: Capture = build_capture(store, {"Thing": (FIELDS, rows(r0="a", r1="b", r2="c", r3="d"))}, parts=2)
    return capture


@pytest.fixture
def layered(store: CaptureStore, build_capture: Any, base: Capture) -> Capture:
    whole = build_capture(store, {"Thing": (FIELDS, rows(r0="a", r1="B2", r3="back", r4="new"))})
    deltas = [([IDS[1], IDS[2], IDS[3]], rows(r1="B1")), ([IDS[1]], rows(r1="B2", r3="back", r4="new"))]
    return stack(store, base, whole, deltas)


def test_newest_wins(store: CaptureStore, layered: Capture) -> None:
    assert {row["Id"]: row["Name"] for row in store.load_rows(layered.ulid, "Thing")} == {
        IDS[0]: "a", IDS[1]: "B2", IDS[3]: "back", IDS[4]: "new",
    }  # fmt: skip
    assert [row["Name"] for row in store.load_rows(layered.ulid, "Thing", [IDS[1], IDS[2]])] == ["B2"]
    assert store.load(layered.ulid) == layered
    digests = store.read_batches(layered, "Thing", ["_digest"])
    assert sum(sum_digest_array(one.column("_digest")) for one in digests) % 2**128 == int(
        layered.objects[0].digest_sum, 16
    )


def test_a_layered_capture_is_verified_with_its_base(store: CaptureStore, base: Capture, layered: Capture) -> None:
    assert verify_capture(store, layered.ulid, deep=True) == layered
    assert owners(layered.objects[0], layered.ulid) == {base.ulid, layered.ulid}
    path = store.folder(base.ulid) / base.objects[0].parts[0].path
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Damaged, match=path.name):
        verify_capture(store, layered.ulid)


def test_a_layered_capture_needs_the_key_of_its_base(store: CaptureStore, base: Capture, layered: Capture) -> None:
    store.keys.drop(base.ulid)
    with pytest.raises(KeyUnavailable, match=base.ulid):
        list(store.load_rows(layered.ulid, "Thing"))


def test_layers_compare_as_what_they_hold(store: CaptureStore, base: Capture, layered: Capture) -> None:
    found = [(one.key, one.what) for one in compare(store, base, layered)]
    assert found == [(IDS[1], "updated"), (IDS[2], "deleted"), (IDS[3], "updated"), (IDS[4], "created")]
    assert compare(store, layered, layered) == ()
    assert total("Thing", []) == ObjectCapture("Thing", 0, "0" * 32, ())
