"""What a deleted field or object took along is not back because an empty one was deployed; the org's tables judge."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.components import read_components
from rehearse.baseline.model import Scope
from rehearse.practice.play import take_seats
from rehearse.practice.play_client import Caller
from rehearse.reset.component_marks import component_marks
from rehearse.reset.deploy_zip import build_upserts
from rehearse.reset.hazards import find_hazard
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.lost_values import goes_with
from rehearse.reset.model import Action, Choices

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
PATH = "objects/Trip__c.object"
FIELD = ("CustomField", "Trip__c.Kind__c")


@pytest.fixture
def crew(lab: Any) -> Iterator[Any]:
    """Deletes over the wire."""
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    package = f"<Package {NS}>{{}}<version>67.0</version></Package>"
    with Caller(admin) as caller:

        def delete(*members: tuple[str, str]) -> None:
            types = "".join(f"<types><members>{name}</members><name>{type}</name></types>" for type, name in members)
            files = {"package.xml": package.format(""), "destructiveChanges.xml": package.format(types)}
            caller.deploy({path: text.encode() for path, text in files.items()})

        yield delete


def book(field: str, held: dict[str, frozenset[str]] | None, *, now: str = "", object: bool = True) -> MetadataBook:
    """An object with a field that is gone, or is another one `now`; without `object` all of it is gone."""
    both = []
    for inner in (field, now):
        fields = f"<fields><fullName>Kind__c</fullName><label>Kind</label>{inner}</fields>" if inner else ""
        text = f"<CustomObject {NS}><label>Trip</label>{fields}</CustomObject>".encode()
        found = {(one.type, one.full_name): one for one in read_components({PATH: text})}
        both.append((found, {PATH: text}))
    (before, old), (after, new) = both
    return MetadataBook(before, after if object else {}, old, new, held=held)


ALL, OTHER = {"Trip__c": frozenset({"Kind__c", "Name"})}, {"Trip__c": frozenset({"Name"})}
TEXT, NUMBER = "<length>9</length><type>Text</type>", "<displayFormat>{0}</displayFormat><type>AutoNumber</type>"


@pytest.mark.parametrize(
    ("field", "held", "hazard"),
    [
        (TEXT, ALL, "field-lost"),
        (TEXT, None, "field-lost"),
        (TEXT, OTHER, "values-unheld"),
        (TEXT, {}, "values-unheld"),
        ("<formula>1</formula><type>Number</type>", {}, "field-lost"),
        ("<summaryOperation>count</summaryOperation><type>Summary</type>", {}, "field-lost"),
        (NUMBER, ALL, "auto-number-lost"),
        ("<type>MasterDetail</type>", ALL, "master-detail-lost"),
        ("<type>MasterDetail</type>", {}, "values-unheld"),
    ],
)
def test_a_field_comes_back_whole_only_where_its_values_are_held(field: str, held: Any, hazard: str) -> None:
    marks = component_marks(book(field, held), *FIELD)
    assert find_hazard("component", FIELD[0], "deleted", marks).name == hazard


def test_an_object_whose_rows_nobody_holds_keeps_its_parts_waiting() -> None:
    gone, place = book(TEXT, {}, object=False), ("CustomObject", "Trip__c")
    assert find_hazard("component", place[0], "deleted", component_marks(gone, *place)).name == "rows-unheld"
    assert [goes_with(gone, *one) for one in (FIELD, ("Layout", "Trip__c-Main"), place)] == ["Trip__c", "Trip__c", ""]
    held = book(TEXT, ALL, object=False)
    assert goes_with(held, *FIELD) == "" and component_marks(held, *FIELD) == set()
    assert find_hazard("component", place[0], "deleted", component_marks(held, *place)).name == "object-lost"


@pytest.mark.parametrize(("held", "hazard"), [(ALL, "field-retyped"), ({}, "retyped-unheld")])
def test_values_that_were_converted_unseen_are_a_residue(held: Any, hazard: str) -> None:
    changed = book(TEXT, held, now="<type>TextArea</type>")
    assert find_hazard("component", FIELD[0], "updated", component_marks(changed, *FIELD)).name == hazard


def test_access_to_what_stays_away_does_not_hold_up_the_rest_of_a_profile() -> None:
    """One entry about a field that is not there and the org refuses the whole profile (facts/metadata.md 3.6)."""
    path = "profiles/Sales.profile"
    inner = "<fieldPermissions><editable>true</editable><field>Trip__c.{}</field></fieldPermissions>"
    text = f"<Profile {NS}>{inner.format('Kind__c')}{inner.format('Name__c')}</Profile>".encode()
    before = {(one.type, one.full_name): one for one in read_components({path: text})}
    found = MetadataBook(before, before, {path: text}, {path: text})
    action = Action("deploy/Profile/Sales", 200, "deploy", "component", "Profile", "Sales", "exact", expects="live")
    files = build_upserts(found, [action], "67.0", {FIELD})
    assert b"Trip__c.Name__c" in files[path] and b"Trip__c.Kind__c" not in files[path]


def test_values_and_rows_that_the_baseline_does_not_hold_are_never_called_restored(lab: Any, crew: Any) -> None:
    """A field of an object outside the scope, an encrypted one, a whole object: an empty one each was a clean proof."""
    before = lab.capture(objects=("Project__c",), types=("CustomObject", "Layout", "Profile", "PermissionSet"))
    picture = lab.photograph(("Project__c",))
    crew(("CustomField", "Routing__c.Remark__c"), ("CustomField", "Project__c.GateCode__c"))
    crew(("CustomObject", "TriggerSwitch__c"), ("CustomField", "Project__c.Remark__c"))
    crew(("CustomField", "Machine__c.HoursRun__c"))
    plan = lab.plan(before)
    made = {(one.type, one.key) for one in plan.actions if one.kind == "component" and one.expects is None}
    assert made == {("CustomField", "Project__c.Remark__c")}
    proof = lab.prove(before, plan, lab.apply(plan))
    outcomes = {(one.type, one.key): one.outcome for one in proof.items if one.kind == "component"}
    assert proof.verdict == "dirty"
    for place in (("CustomField", "Routing__c.Remark__c"), ("CustomField", "Project__c.GateCode__c"),
                  ("CustomObject", "TriggerSwitch__c"), ("CustomField", "TriggerSwitch__c.Remark__c")):  # fmt: skip
        assert outcomes[place] == "manual"
    assert outcomes["CustomField", "Project__c.Remark__c"] == "restored"
    promised = {(one.type, one.key) for one in plan.actions if one.grade == "exact"}
    promised -= {(one.type, one.key) for one in plan.blocked}
    assert {outcomes.get(one, "restored") for one in promised} == {"restored"}
    now = {id: row["Remark__c"] for id, row in lab.photograph(("Project__c",)).rows["Project__c"].items()}
    assert now == {id: row["Remark__c"] for id, row in picture.rows["Project__c"].items()}


@pytest.mark.parametrize(
    ("types", "inner", "hazard"),
    [
        ({"CustomField"}, TEXT, "unfillable"),
        ({"CustomField"}, "<formula>1</formula><type>Number</type>", "access-lost"),
        ({"CustomField", "Profile"}, TEXT, "access-lost"),
        ({"CustomField", "Profile", "PermissionSet"}, TEXT, "field-lost"),
        ({"CustomField"}, f"<required>true</required>{TEXT}", "field-lost"),
        (None, TEXT, "field-lost"),
    ],
)
def test_access_that_the_baseline_does_not_hold_is_lost(types: Any, inner: str, hazard: str) -> None:
    found = replace(book(inner, ALL), types=None if types is None else frozenset(types))
    assert find_hazard("component", FIELD[0], "deleted", component_marks(found, *FIELD)).name == hazard


def test_an_object_that_nobody_could_fill_keeps_its_parts_waiting() -> None:
    gone = replace(book(TEXT, ALL, object=False), types=frozenset({"CustomObject"}))
    place = ("CustomObject", "Trip__c")
    assert find_hazard("component", place[0], "deleted", component_marks(gone, *place)).name == "unfillable-object"
    assert goes_with(gone, *FIELD) == "Trip__c"


def test_what_nobody_may_see_once_it_is_made_anew_is_never_called_restored(lab: Any, crew: Any) -> None:
    """Without profiles and permission sets in scope the plan promised rows that nobody could write."""
    before = lab.capture(objects=("Project__c",), types=("CustomObject", "ApexClass"))
    crew(("CustomField", "Project__c.Remark__c"), ("ApexClass", "LegacyPaymentExport"))
    plan = lab.plan(before)
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "partial"
    outcomes = {(one.type, one.key): one.outcome for one in proof.items if one.kind == "component"}
    assert outcomes == {
        ("CustomField", "Project__c.Remark__c"): "manual",
        ("ApexClass", "LegacyPaymentExport"): "residue",
    }
    assert {one.outcome for one in proof.items if one.kind == "record"} == {"manual"}
    assert {one.grade for one in plan.blocked} == {"manual"}


def test_values_of_a_field_that_is_left_out_are_not_promised(lab: Any, crew: Any) -> None:
    """The same row is put back in its other fields, and named."""
    before = lab.capture(objects=("Project__c",), types=("CustomObject", "Profile", "PermissionSet"))
    (row,) = lab.pick('"Project__c" WHERE "Remark__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    name = lab.value("Project__c", row, "Name")
    lab.update("Project__c", {"Id": row, "Name": "Another"})
    crew(("CustomField", "Project__c.Remark__c"))
    plan = lab.plan(before, Choices(left_out=frozenset({"Project__c.Remark__c"})))
    assert [(one.key, one.fields) for one in plan.actions if one.kind == "record"] == [(row, ("Name",))]
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "partial" and lab.value("Project__c", row, "Name") == name
    assert {one.outcome for one in proof.items if one.kind == "record"} == {"manual"}


def test_values_that_are_hidden_from_our_login_are_neither_promised_nor_called_clean(lab: Any) -> None:
    """The rehearsal took a field from everybody, and no profile is in scope: the org shows none of its values."""
    before = lab.capture(objects=("Project__c",))
    (row,) = lab.pick('"Project__c" WHERE "Remark__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    lab.update("Project__c", {"Id": row, "Remark__c": "changed, then hidden", "Name": "Another"})
    off = "<editable>false</editable><field>Project__c.Remark__c</field><readable>false</readable>"
    with lab.org.lock:
        names = [one[0] for one in lab.org.db.execute("SELECT name FROM meta_component WHERE type = 'Profile'")]
    lab.deploy(
        {
            f"profiles/{one}.profile": f"<Profile {NS}><fieldPermissions>{off}</fieldPermissions></Profile>"
            for one in names
        }
    )
    alone = {one.key: (one.outcome, one.detail[-12:]) for one in lab.prove(before).items}
    assert alone.pop(row)[0] == "failed" and set(alone.values()) == {("manual", " (Remark__c)")}
    plan = lab.plan(before)
    assert [(one.key, one.fields) for one in plan.actions] == [(row, ("Name",))]
    assert {one.grade for one in plan.blocked} == {"manual"} and row in {one.key for one in plan.blocked}
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "partial" and {one.outcome for one in proof.items} == {"manual"}


def test_a_filter_that_names_a_deleted_field_promises_nothing(lab: Any, crew: Any) -> None:
    """Its rows cannot be asked for: every field of each would have been written again."""
    types = ("CustomObject", "Profile", "PermissionSet")
    scope = Scope(metadata_include=types, objects=("Project__c",), where={"Project__c": "Remark__c != null"})
    before = capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)
    crew(("CustomField", "Project__c.Remark__c"))
    plan = lab.plan(before)
    assert not [one for one in plan.actions if one.kind == "record"] and not plan.warnings
    assert {one.grade for one in plan.blocked if one.kind == "record"} == {"manual"}
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "partial"
    assert {one.outcome for one in proof.items if one.kind == "record"} == {"manual"}
