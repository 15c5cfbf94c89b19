"""Comparison: empty with itself, complete with anything else; applying it to the one side gives the other."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearse.baseline import compare as compare_module
from rehearse.baseline import digest_join, record_parts, row_places
from rehearse.baseline.canonical import canonical_value, field_digest, row_digest
from rehearse.baseline.canonical_xml import NAMESPACE
from rehearse.baseline.compare import compare
from rehearse.baseline.manifest import save_components, save_manifest
from rehearse.baseline.model import Change, ComparableField
from rehearse.baseline.record_store import CaptureStore

FIELDS = {"Amount": "currency", "Name": "string", "Parent": "reference", "Text": "textarea"}
COMPARABLE = tuple(ComparableField(*one) for one in sorted(FIELDS.items()))
VALUES = {
    "Amount": st.sampled_from([None, "1", "1.0", "2.50", "0"]),
    "Name": st.sampled_from([None, "a", "b", 'q"uote', "é😀"]),
    "Parent": st.sampled_from([None, "001000000000001AAA", "001000000000002"]),
    "Text": st.sampled_from([None, "x\ny", "x\r\ny", "z"]),
}
IDS = [f"00100000000000{number}AAA" for number in range(6)]
TABLES = st.dictionaries(st.sampled_from(IDS), st.fixed_dictionaries(VALUES), max_size=6)
Table = Mapping[str, Mapping[str, str | None]]
QUICK = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def rows_of(table: Table) -> list[dict[str, str | None]]:
    return [{"Id": id, **row} for id, row in table.items()]


@contextmanager
def fresh(open_a_store: Callable[..., CaptureStore]) -> Iterator[CaptureStore]:
    folder = Path(tempfile.mkdtemp())
    try:
        yield open_a_store(folder)
    finally:
        shutil.rmtree(folder)


def digests_of(table: Table) -> dict[str, dict[str, str | None]]:
    return {id: {name: field_digest(FIELDS[name], row[name]) for name in FIELDS} for id, row in table.items()}


def applied(changes: tuple[Change, ...], state: dict[str, dict[str, str | None]]) -> dict[str, dict[str, str | None]]:
    """A table of field digests after these changes."""
    result = {id: dict(row) for id, row in state.items()}
    for change in changes:
        if change.after is None:
            del result[change.key]
            continue
        row = result.setdefault(change.key, dict.fromkeys(FIELDS))
        for field in change.fields:
            assert row[field.name] == field.before
            row[field.name] = field.after
    return result


@given(TABLES, TABLES, st.sampled_from([0, 0, digest_join.SMALL]))
@QUICK
def test_applying_the_difference_gives_the_other_side(
    open_a_store: Any, build_capture: Any, left: Table, right: Table, small: int
) -> None:
    with fresh(open_a_store) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest_join, "SMALL", small)  # 0: out of core
        before = build_capture(store, {"Thing": (FIELDS, rows_of(left))})
        after = build_capture(store, {"Thing": (FIELDS, rows_of(right))}, parts=2)
        changes = compare(store, before, after)
        assert applied(changes, digests_of(left)) == digests_of(right)
        assert applied(tuple(one.inverse() for one in changes), digests_of(right)) == digests_of(left)
        assert {one.inverse() for one in changes} == {one for one in compare(store, after, before)}
        assert compare(store, after, after) == ()
        assert (before.snapshot_id == after.snapshot_id) == (not changes)


@given(TABLES, st.randoms())
@QUICK
def test_order_and_parts_do_not_count(open_a_store: Any, build_capture: Any, table: Table, mix: Any) -> None:
    rows = rows_of(table)
    mixed = list(rows)
    mix.shuffle(mixed)
    with fresh(open_a_store) as store:
        before = build_capture(store, {"Thing": (FIELDS, rows)})
        after = build_capture(store, {"Thing": (FIELDS, mixed)}, parts=3)
        assert before.snapshot_id == after.snapshot_id
        assert compare(store, before, after) == ()


ROW = {"Amount": "1", "Name": "a", "Parent": None, "Text": "t"}


def test_a_change_names_exactly_its_fields(store: Any, build_capture: Any) -> None:
    before = build_capture(store, {"Thing": (FIELDS, [{"Id": IDS[0], **ROW}, {"Id": IDS[1], **ROW}])})
    changed = {**ROW, "Amount": None, "Name": "b"}
    after = build_capture(store, {"Thing": (FIELDS, [{"Id": IDS[0], **ROW}, {"Id": IDS[1], **changed}])})
    (change,) = compare(store, before, after)
    assert (change.kind, change.type, change.key, change.what) == ("record", "Thing", IDS[1], "updated")
    assert [(one.name, one.before, one.after) for one in change.fields] == [
        ("Amount", field_digest("currency", "1"), None),
        ("Name", field_digest("string", "a"), field_digest("string", "b")),
    ]
    assert change.before == row_digest(IDS[1], ROW, COMPARABLE).hex()
    assert change.after == row_digest(IDS[1], changed, COMPARABLE).hex()


@pytest.mark.parametrize("small", [0, 50_000], ids=["out of core", "in memory"])
def test_reinserted_rows_are_known_by_their_old_ids(
    store: Any, build_capture: Any, monkeypatch: Any, small: int
) -> None:
    monkeypatch.setattr(digest_join, "SMALL", small)
    old, new, child = IDS[0], IDS[5], IDS[1]
    before = build_capture(store, {"Thing": (FIELDS, [{"Id": old, **ROW}, {"Id": child, **ROW, "Parent": old}])})
    after = build_capture(store, {"Thing": (FIELDS, [{"Id": new, **ROW}, {"Id": child, **ROW, "Parent": new}])})
    assert [(one.key, one.what) for one in compare(store, before, after)] == [
        (old, "deleted"),
        (child, "updated"),
        (new, "created"),
    ]
    assert compare(store, before, after, {old: new}) == ()
    edited = build_capture(
        store, {"Thing": (FIELDS, [{"Id": new, **ROW, "Name": "b"}, {"Id": child, **ROW, "Parent": new}])}
    )
    (change,) = compare(store, before, edited, {old: new})
    assert (change.key, change.live_id, [one.name for one in change.fields]) == (old, new, ["Name"])
    assert change.before == row_digest(old, ROW, COMPARABLE).hex()


def test_only_fields_of_both_sides_decide(store: Any, build_capture: Any) -> None:
    before = build_capture(store, {"Thing": ({"A": "string", "B": "string"}, [{"Id": IDS[0], "A": "1", "B": "2"}])})
    after = build_capture(store, {"Thing": ({"A": "string", "C": "string"}, [{"Id": IDS[0], "A": "1", "C": "3"}])})
    assert compare(store, before, after) == ()
    retyped = build_capture(store, {"Thing": ({"A": "double", "B": "string"}, [{"Id": IDS[0], "A": "1", "B": "9"}])})
    (change,) = compare(store, before, retyped)
    assert [one.name for one in change.fields] == ["B"]


def test_an_object_that_is_gone_lost_its_rows(store: Any, build_capture: Any) -> None:
    before = build_capture(store, {"Thing": (FIELDS, [{"Id": IDS[0], **ROW}])})
    after = build_capture(store, {})
    assert [(one.key, one.what) for one in compare(store, before, after)] == [(IDS[0], "deleted")]
    assert [(one.key, one.what) for one in compare(store, after, before)] == [(IDS[0], "created")]


def test_more_changes_than_one_batch(store: Any, build_capture: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(compare_module, "BATCH_IDS", 7)
    ids = [f"0010000000{number:05d}AAA" for number in range(50)]
    before = build_capture(store, {"Thing": ({"A": "string"}, [{"Id": id, "A": "1"} for id in ids])}, parts=3)
    after = build_capture(store, {"Thing": ({"A": "string"}, [{"Id": id, "A": "2"} for id in ids])}, parts=2)
    assert [one.key for one in compare(store, before, after)] == ids


def test_nothing_of_a_row_is_left_in_the_scratch_folder(store: CaptureStore, build_capture: Any) -> None:
    before = build_capture(store, {"Thing": (FIELDS, [{"Id": IDS[0], **ROW}])})
    compare(store, before, build_capture(store, {"Thing": (FIELDS, [])}))
    assert list((store.root / "scratch").iterdir()) == []


def metadata(inner: str) -> dict[str, bytes]:
    return {"objects/A__c.object": f'<CustomObject xmlns="{NAMESPACE}">{inner}</CustomObject>'.encode()}


FIELD = "<fields><fullName>{}</fullName><label>{}</label></fields>"


def test_components_differ_by_element(store: Any, build_capture: Any) -> None:
    before = build_capture(
        store, {}, {**metadata(FIELD.format("X__c", "x") + FIELD.format("Y__c", "y")), "classes/A.cls": b"1"}
    )
    after = build_capture(
        store, {}, {**metadata(FIELD.format("Z__c", "z") + FIELD.format("X__c", "xx")), "classes/A.cls": b"2"}
    )
    changes = compare(store, before, after)
    assert [(one.type, one.key, one.what, [field.name for field in one.fields]) for one in changes] == [
        ("ApexClass", "A", "updated", ["classes/A.cls"]),
        ("CustomField", "A__c.X__c", "updated", ["label"]),
        ("CustomField", "A__c.Y__c", "deleted", []),
        ("CustomField", "A__c.Z__c", "created", []),
    ]
    assert compare(store, before, before) == ()
    assert before.snapshot_id != after.snapshot_id


def test_values_come_back_canonical(store: CaptureStore, build_capture: Any) -> None:
    raw = {"Id": "001000000000001", "Amount": "1.50", "Name": "", "Parent": "001000000000002", "Text": "a\r\nb"}
    capture = build_capture(store, {"Thing": (FIELDS, [raw])})
    (row,) = store.load_rows(capture.ulid, "Thing")
    assert row == {
        "Id": "001000000000001AAA",
        "Amount": "1.5",
        "Name": None,
        "Parent": "001000000000002AAA",
        "Text": "a\r\nb",
    }
    assert canonical_value("textarea", row["Text"]) == "a\nb"
    assert list(store.load_rows(capture.ulid, "Thing", ["001000000000009AAA"])) == []
    assert list(store.load_rows(capture.ulid, "Thing", [], ["Name"])) == []
    assert list(store.load_rows(capture.ulid, "Other")) == []
    assert list(store.load_rows(capture.ulid, "Thing", None, ["Text", "Gone"])) == [
        {"Id": "001000000000001AAA", "Text": "a\r\nb"}
    ]


@pytest.mark.parametrize("told", [True, False], ids=["prints", "no prints"])
@pytest.mark.parametrize("deed", ["change", "delete", "insert", "all"])
def test_groups_that_fit_and_groups_that_do_not(
    store: CaptureStore, build_capture: Any, monkeypatch: Any, deed: str, told: bool
) -> None:
    monkeypatch.setattr(record_parts, "GROUP_ROWS", 3)
    monkeypatch.setattr(digest_join, "SMALL", 0 if deed in ("delete", "all") else digest_join.SMALL)
    if not told:  # parts of an earlier version tell no prints
        monkeypatch.setattr(row_places, "PRINTS", b"something else")
    ids = [f"0010000000000{number:02d}AAA" for number in range(40)]
    table = {id: {"Amount": "1", "Name": f"n{id}", "Parent": None, "Text": "t"} for id in ids[1:]}
    other = {id: dict(row) for id, row in table.items()}
    if deed in ("change", "all"):
        other[ids[5]]["Name"], other[ids[6]]["Text"], other[ids[30]]["Amount"] = "x", None, "2"
    if deed in ("delete", "all"):
        del other[ids[2]]
    if deed in ("insert", "all"):
        other[ids[0]] = {**table[ids[3]], "Name": "first"}
    before = build_capture(store, {"Thing": (FIELDS, rows_of(table))}, parts=2)
    after = build_capture(store, {"Thing": (FIELDS, sorted(rows_of(other), key=lambda row: str(row["Id"])))}, parts=2)
    changes = compare(store, before, after)
    assert applied(changes, digests_of(table)) == digests_of(other)
    assert applied(tuple(one.inverse() for one in changes), digests_of(other)) == digests_of(table)
    assert len(changes) == {"change": 3, "delete": 1, "insert": 1, "all": 5}[deed]


def test_only_columns_that_can_differ_are_decrypted(store: CaptureStore, build_capture: Any, monkeypatch: Any) -> None:
    table = {id: {"Amount": "1", "Name": "a", "Parent": None, "Text": "t"} for id in IDS}
    before = build_capture(store, {"Thing": (FIELDS, rows_of(table))})
    after = build_capture(store, {"Thing": (FIELDS, rows_of({**table, IDS[2]: {**ROW, "Name": "b"}}))})
    asked: list[set[str]] = []
    real = compare_module.read_at

    def listening(places: Any, wanted: Any, columns: Any) -> Any:
        return real(places, wanted, lambda *at: (asked.append(set(columns(*at))), columns(*at))[1])

    monkeypatch.setattr(compare_module, "read_at", listening)
    (change,) = compare(store, before, after)
    assert [one.name for one in change.fields] == ["Name"]
    assert asked == [{"Id", "Name"}, {"Id", "Name", "_stamp", "_by"}]


SOURCES = st.dictionaries(st.sampled_from("ABC"), st.sampled_from([b"one", b"two"]), max_size=3)


@given(SOURCES, SOURCES)
@QUICK
def test_applying_the_difference_of_components_gives_the_other_side(
    open_a_store: Any, build_capture: Any, left: dict[str, bytes], right: dict[str, bytes]
) -> None:
    with fresh(open_a_store) as store:
        before, after = (
            build_capture(store, {}, {f"classes/{name}.cls": content for name, content in side.items()})
            for side in (left, right)
        )
        old, new = ({one.full_name: one.digest for one in store.load_components(side.ulid)} for side in (before, after))
        changes = compare(store, before, after)
        state: dict[str, str] = dict(old)
        for change in changes:
            assert state.pop(change.key, None) == change.before
            state.update({change.key: change.after} if change.after is not None else {})
        assert state == new and compare(store, after, after) == ()
        assert {(one.key, one.what) for one in compare(store, after, before)} == {
            (one.key, one.inverse().what) for one in changes
        }


def test_a_baseline_of_older_rules_differs_only_where_files_do(store: Any, build_capture: Any) -> None:
    """A digest that other rules made says nothing about bytes that are the same."""
    path, other = "staticresources/S.resource", "staticresources/T.resource"
    before = build_capture(store, {}, {path: b"<a/>", other: b"<b/>"})
    after = build_capture(store, {}, {path: b"<a/>", other: b"<c/>"})
    old = store.load_components(before.ulid)
    folder = store.folder(before.ulid)
    changed = tuple(replace(one, digest="0" * 64) for one in old)
    before = replace(before, canonicaliser="1", components_sha256=save_components(folder, changed))
    save_manifest(folder, before)
    assert [one.key for one in compare(store, before, after)] == ["T"]
