"""The small pure parts: what a row's state means, values on the wire, hazards, coupled fields, profiles, signatures."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse.baseline.canonical import canonical_value, value_text
from rehearse.baseline.canonical_xml import parse_xml
from rehearse.baseline.components import read_components
from rehearse.baseline.keys import Keys
from rehearse.baseline.model import ComparableField, Component
from rehearse.errors import Damaged, KeyUnavailable
from rehearse.org.model import Field, Schema
from rehearse.reset.apply_updates import spare_value
from rehearse.reset.batches import error_code, row_mark, wire_value
from rehearse.reset.component_marks import component_marks, residue_of
from rehearse.reset.coupled import with_coupled
from rehearse.reset.hazards import HAZARDS, find_hazard
from rehearse.reset.id_map import IdMap, turn
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.model import Proof, ProofItem
from rehearse.reset.profile_undo import not_removable, undo_profile, without_off
from rehearse.reset.proof_file import load_proof, save_proof
from rehearse.reset.row_state import decide, guard_digest
from rehearse.secret import Reference
from rehearse.state import open_database

VALUES = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]))
ROWS = st.fixed_dictionaries({"F": VALUES, "G": VALUES})


@given(live=ROWS, expects=ROWS, goal=ROWS, ours=st.booleans())
def test_a_third_value_is_written_over_only_when_it_is_our_own(live: Any, expects: Any, goal: Any, ours: bool) -> None:
    decision = decide(live, expects, goal, ours=ours)
    third = any(live[name] not in (expects[name], goal[name]) for name in goal)
    if live == goal:
        assert decision.state == "done"
    elif third and not ours:
        assert decision.state == "foreign"
    else:
        assert decision.state == "write"
        assert {**live, **{name: goal[name] for name in decision.fields}} == goal


@given(live=ROWS, expects=ROWS, goal=VALUES)
def test_an_edit_of_another_field_by_somebody_else_counts_too(live: Any, expects: Any, goal: Any) -> None:
    """Only F is to be put back; whoever else wrote the row since apply began may have changed G."""
    decision = decide(live, expects, {"F": goal}, theirs=True)
    theirs = live["F"] not in (expects["F"], goal) or live["G"] != expects["G"]
    assert decision.state == ("done" if live["F"] == goal else "foreign" if theirs else "write")


def test_a_guard_digest_tells_null_from_empty_and_fields_from_each_other() -> None:
    fields = (ComparableField("F", "string"), ComparableField("G", "string"))
    rows: list[dict[str, str | None]] = [
        {"F": None, "G": "x"}, {"F": "", "G": "x"}, {"F": "x", "G": None}, {"F": "x", "G": ""}, {"F": "-", "G": "x"},
    ]  # fmt: skip
    assert len({guard_digest("A", row, fields) for row in rows}) == len(rows)
    assert guard_digest("A", rows[0], fields) == guard_digest("A", rows[0], fields[::-1])
    assert guard_digest("A", rows[0], fields) != guard_digest("B", rows[0], fields)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e17"), max_value=Decimal("1e17"), places=4)
)
def test_a_number_keeps_its_digits_on_the_wire(number: Decimal) -> None:
    text = format(number, "f")
    sent = wire_value("currency", text)
    assert canonical_value("currency", value_text(sent)) == canonical_value("currency", text)


def test_other_values_go_as_they_are() -> None:
    assert wire_value("boolean", "true") is True
    assert wire_value("boolean", "false") is False
    assert wire_value("string", "12") == "12"
    assert wire_value("double", None) is None
    assert wire_value("int", "7") == 7


def test_sent_rows_are_told_apart_whatever_the_org_does_to_line_ends_and_nulls() -> None:
    columns = ["A", "B"]
    assert row_mark({"A": "x\r\ny", "B": None}, columns) == row_mark({"A": "x\ny", "B": ""}, columns)
    assert row_mark({"A": "x", "B": ""}, columns) == row_mark({"A": "x", "B": "#N/A"}, columns)
    assert row_mark({"A": "xy", "B": ""}, columns) != row_mark({"A": "x", "B": "y"}, columns)


def test_the_code_of_a_bulk_error_is_kept_and_its_text_is_not() -> None:
    assert error_code("DUPLICATE_VALUE:duplicate value found: Secret:Code__c --") == "DUPLICATE_VALUE"
    assert error_code("something else entirely") == "UNKNOWN_ERROR"


def test_every_hazard_has_a_reason_a_source_and_can_be_reached() -> None:
    assert len({(row.kind, row.name) for row in HAZARDS}) == len(HAZARDS)
    for row in HAZARDS:
        assert row.reason and row.source
        what = "updated" if row.what == "any" else row.what
        type = row.types[0].replace("*", "Some")
        assert find_hazard(row.kind, type, what, row.when) == row, f"{row.name} is hidden by an earlier row"


@pytest.mark.parametrize(
    ("kind", "type", "what", "marks", "grade"),
    [
        ("record", "Account", "deleted", {"in-bin"}, "exact"),
        ("record", "Account", "deleted", {"hard-deleted"}, "residue"),
        ("record", "Account", "deleted", {"hard-deleted", "not-createable"}, "impossible"),
        ("record", "Attachment", "deleted", {"hard-deleted", "contents-unknown"}, "impossible"),
        ("record", "Attachment", "deleted", {"in-bin", "contents-unknown"}, "exact"),
        ("record", "User", "created", (), "manual"),
        ("record", "Contract", "updated", {"activated"}, "impossible"),
        ("record", "Invoice__c", "updated", {"reference-not-updateable"}, "impossible"),
        ("component", "RecordType", "created", (), "residue"),
        ("component", "CustomField", "updated", {"dependency-added"}, "manual"),
        ("component", "InstalledPackage", "updated", (), "impossible"),
        ("component", "ApexClass", "created", (), "exact"),
        ("component", "CaseSettings", "updated", (), "unknown"),
    ],
)
def test_grades(kind: Any, type: str, what: str, marks: Any, grade: str) -> None:
    assert find_hazard(kind, type, what, marks).grade == grade


def test_an_address_is_written_whole_and_as_codes() -> None:
    names = ["BillingCity", "BillingCountry", "BillingCountryCode", "BillingState", "BillingStateCode", "BillingStreet"]
    fields = tuple(Field(name, "string", updateable=True, compound_field="BillingAddress") for name in names)
    schema = Schema("Account", "001", True, True, True, True, True, True, False, fields)
    row = dict.fromkeys(names)
    assert with_coupled(["BillingState"], schema, row) == ("BillingCountryCode", "BillingStateCode")
    assert with_coupled(["BillingCity"], schema, row) == ("BillingCity", "BillingCountryCode", "BillingStateCode")
    plain = replace(schema, fields=tuple(one for one in fields if not one.name.endswith("Code")))
    assert with_coupled(["BillingState"], plain, row) == ("BillingState",)
    older = {name: None for name in names if not name.endswith("Code")}
    assert with_coupled(["BillingState"], schema, older) == ("BillingState",), "the baseline knows no codes"


@pytest.mark.parametrize(
    ("object", "differing", "row", "written"),
    [
        ("OpportunityLineItem", ["TotalPrice", "UnitPrice"], {"UnitPrice": "5"}, ("UnitPrice",)),
        ("OpportunityLineItem", ["Quantity", "TotalPrice"], {"UnitPrice": "5"}, ("Quantity", "UnitPrice")),
        ("OpportunityLineItem", ["TotalPrice"], {"UnitPrice": "5"}, ("TotalPrice",)),
        ("OpportunityLineItem", ["Quantity", "TotalPrice"], {"UnitPrice": None}, ("Quantity", "TotalPrice")),
        ("PricebookEntry", ["UnitPrice", "UseStandardPrice"], {"UseStandardPrice": "true"}, ("UseStandardPrice",)),
        ("PricebookEntry", ["UnitPrice"], {"UseStandardPrice": "true"}, ("UnitPrice",)),
        ("PricebookEntry", ["UnitPrice", "UseStandardPrice"], {"UseStandardPrice": "false"},
         ("UnitPrice", "UseStandardPrice")),
    ],
)  # fmt: skip
def test_of_two_prices_that_follow_each_other_one_is_written(
    object: str, differing: list[str], row: dict[str, str | None], written: tuple[str, ...]
) -> None:
    names = ("Quantity", "TotalPrice", "UnitPrice", "UseStandardPrice")
    fields = tuple(Field(name, "currency", updateable=True) for name in names)
    schema = Schema(object, "00k", True, True, True, True, True, True, False, fields)
    assert with_coupled(differing, schema, row) == written


def test_picklists_that_depend_on_each_other_are_written_together() -> None:
    chain = {"Region__c": None, "Country__c": "Region__c", "City__c": "Country__c", "Other__c": None}
    fields = tuple(Field(name, "picklist", updateable=True, controller=up) for name, up in chain.items())
    schema = Schema("Account", "001", True, True, True, True, True, True, False, fields)
    for one in ("Region__c", "Country__c", "City__c"):
        assert with_coupled([one], schema, {}) == ("City__c", "Country__c", "Region__c")
    assert with_coupled(["Other__c"], schema, {}) == ("Other__c",)


def profile(inner: str) -> bytes:
    return f'<Profile xmlns="http://soap.sforce.com/2006/04/metadata">{inner}</Profile>'.encode()


OLD_CLASS = "<classAccesses><apexClass>Old</apexClass><enabled>true</enabled></classAccesses>"
NEW_CLASS = "<classAccesses><apexClass>New</apexClass><enabled>true</enabled></classAccesses>"
LOGIN_IPS = "<loginIpRanges><endAddress>10.0.0.9</endAddress><startAddress>10.0.0.1</startAddress></loginIpRanges>"


def test_grants_since_the_baseline_are_deployed_as_off() -> None:
    undone = undo_profile(profile(OLD_CLASS), profile(OLD_CLASS + NEW_CLASS))
    assert b"<apexClass>New</apexClass>" in undone
    assert undone.count(b"<enabled>false</enabled>") == 1
    root = parse_xml(undone)
    assert root is not None and len(without_off(root)) == 1
    assert not_removable(profile(OLD_CLASS), profile(OLD_CLASS + NEW_CLASS)) == ()
    assert not_removable(profile(OLD_CLASS), profile(OLD_CLASS + LOGIN_IPS)) == ("loginIpRanges",)


def test_a_profile_with_a_description_that_it_got_is_to_be_put_right_by_hand() -> None:
    """A deployment that leaves the description out leaves it as it is; another one replaces it (Gearset 4046001)."""
    old, new = (f"<description>{one}</description>" for one in ("old", "new"))
    assert not_removable(profile(OLD_CLASS), profile(OLD_CLASS + new)) == ("description",)
    assert not_removable(profile(OLD_CLASS + old), profile(OLD_CLASS + new)) == ()


ASSIGNED = "<layoutAssignments><layout>Trip-{}</layout><recordType>Trip.{}</recordType></layoutAssignments>"
SEEN = (
    "<recordTypeVisibilities><default>false</default><recordType>Trip.Far</recordType><visible>{}</visible>"
    "</recordTypeVisibilities>"
)


@pytest.mark.parametrize(
    ("left", "residue"),
    [
        (ASSIGNED.format("A", "Far") + SEEN.format("false"), True),
        (ASSIGNED.format("A", "Far") + SEEN.format("true"), False),
        (ASSIGNED.format("A", "Far") + ASSIGNED.format("B", "Near"), False),
        (ASSIGNED.format("A", "Far") + NEW_CLASS, False),
    ],
)
def test_layouts_of_a_record_type_that_stays_are_a_residue_of_the_profile(left: str, residue: bool) -> None:
    """An API deactivates a record type that was added; what assigns a layout to it stays in each profile."""
    path, place = "profiles/Sales.profile", ("Profile", "Sales")
    files = [{path: profile(OLD_CLASS)}, {path: profile(OLD_CLASS + left)}]
    before, after = ({(one.type, one.full_name): one for one in read_components(one)} for one in files)
    after[("RecordType", "Trip.Far")] = Component("RecordType", "Trip.Far", "d", ("objects/Trip.object",))
    book = MetadataBook(before, after, *files)
    assert "grant-added" in component_marks(book, *place)
    assert (residue_of(book, *place) is not None) == residue


@pytest.mark.parametrize("length", [4, 8, 15, 16, 18, 255, None])
def test_values_that_make_room_for_others_differ_from_row_to_row(length: int | None) -> None:
    """The Ids of one object begin alike: a code of ten characters has to be made of what comes after that."""
    keys = [f"003HES0000000{number:02d}YBA" for number in range(12)]
    made = {spare_value(key, length) for key in keys}
    assert len(made) == len(keys)
    assert all(one.startswith("~") and len(one) <= (length or 19) for one in made)


def test_ids_lead_to_their_newest_and_belong_to_a_generation(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    try:
        ids, other = IdMap(database, "00D1"), IdMap(database, "00D2")
        with database.begin() as connection:
            ids.add(connection, {"A": "B", "X": "Y"})
            ids.add(connection, {"B": "C"})
            ids.add(connection, {"X": "Z"})
        assert ids.load() == {"A": "C", "B": "C", "X": "Z", "Y": "Z"}, "a later baseline knows X by the name of Y"
        assert other.load() == {}
    finally:
        database.close()


def test_of_two_old_ids_the_one_of_the_baseline_counts() -> None:
    pairs = {"A": "C", "B": "C", "X": "Z"}
    assert turn(pairs, lambda ids: {"A"} & set(ids)) == {"C": "A", "Z": "X"}
    assert turn(pairs, lambda ids: {"B"} & set(ids)) == {"C": "B", "Z": "X"}


def build_small_proof() -> Proof:
    return Proof(
        id="01X", sandbox="UATFULL", org_id="00D1", baseline="B1", baseline_snapshot="s1", live_snapshot="s2", plan="p",
        at=datetime(2026, 11, 23, 8, tzinfo=UTC), verdict="dirty",
        items=(ProofItem("record", "Account", "001", "failed", "LOCKED", "005"),), counts={"failed": 1},
        scope={"types": ("ApexClass",), "objects": ("Account",)}, outside_scope={"Task": 3}, assumptions=("one",),
        digests={"plan": "f"}, ids={"001": "002"},
    )  # fmt: skip


def test_a_proof_is_signed_and_any_edited_byte_is_noticed(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys", Reference(file=str(tmp_path / "key")))
    keys.create("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    proof = build_small_proof()
    path = tmp_path / "proof.json"
    save_proof(proof, path, keys)
    assert load_proof(path, keys) == proof
    good = path.read_bytes()
    assert b'"schema": "rehearse.proof/1"' in good
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(Damaged):
            load_proof(path, keys)
    path.write_bytes(good + b" ")
    with pytest.raises(Damaged):
        load_proof(path, keys)


def test_a_proof_under_another_key_was_not_changed(tmp_path: Path) -> None:
    """The store's own captures say that the key does not fit; without them nobody can tell which of the two it is."""
    ours = Keys(tmp_path / "keys", Reference(file=str(tmp_path / "ours")))
    theirs = Keys(tmp_path / "keys", Reference(file=str(tmp_path / "theirs")))
    path = tmp_path / "proof.json"
    save_proof(build_small_proof(), path, ours)
    theirs.sign(b"made on first use, before there was a capture")
    with pytest.raises(Damaged, match="another workspace key"):
        load_proof(path, theirs)
    ours.create("01J0000000000000000000000A")
    with pytest.raises(KeyUnavailable, match="not the one"):
        load_proof(path, theirs)
    path.write_bytes(path.read_bytes().replace(b"UATFULL", b"UATFULK"))
    with pytest.raises(Damaged, match="was changed"):
        load_proof(path, ours)
