"""Components under a name that says less than it seems: made again, in other letters, or holding what was left out."""

from dataclasses import replace
from typing import Any

import pytest

from rehearse.baseline.canonical_xml import NAMESPACE, parse_xml
from rehearse.baseline.model import Change, Component
from rehearse.practice import meta_rename
from rehearse.practice.components import Author
from rehearse.practice.play import take_seats
from rehearse.practice.play_client import Caller
from rehearse.reset.hazards import find_hazard
from rehearse.reset.inputs import MetadataBook, PlanInputs
from rehearse.reset.model import Choices
from rehearse.reset.plan_metadata import plan_metadata
from rehearse.reset.profile_layouts import without_redirected
from rehearse.reset.profile_undo import is_off, not_removable, undo_profile
from rehearse.reset.renamed import waits_for_its_name
from tests.reset.hazards.building import build_given, manifest
from tests.reset.test_plan import NOW, build_capture

CREDENTIAL = (
    "<endpoint>https://kept.example</endpoint><label>Kept</label><principalType>Anonymous</principalType>"
    "<protocol>NoAuthentication</protocol>"
)
TEXT = "<label>Extra</label><length>20</length><type>Text</type>"


def test_what_was_deleted_and_made_again_is_not_called_clean(lab: Any) -> None:
    """A credential has lost its secret, a field of an object outside the scope its values: no metadata shows either."""
    package = build_given(lab, [{"given": {"NamedCredential:Kept": CREDENTIAL, "CustomField:Contact.Extra__c": TEXT}}])
    gone = {"NamedCredential": ["Kept"], "CustomField": ["Contact.Extra__c"]}
    destruction = {"package.xml": manifest({}).encode(), "destructiveChanges.xml": manifest(gone).encode()}
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    with Caller(admin) as caller:
        caller.deploy(package)
        before = lab.capture(objects=(), types=("NamedCredential", "CustomObject"))
        assert lab.prove(before).verdict == "clean"
        caller.deploy(destruction)
        caller.deploy(package)
    proof = lab.prove(before)
    assert proof.live_snapshot == proof.baseline_snapshot, "the metadata is the same"
    assert {(one.key, one.outcome) for one in proof.items} == {("Kept", "residue"), ("Contact.Extra__c", "manual")}
    assert proof.verdict == "dirty"


@pytest.mark.parametrize("held", [False, True])
def test_a_field_that_was_renamed_keeps_its_values(lab: Any, held: bool) -> None:
    """By name one field is gone and another one was added: deleting that would take along what the baseline had."""
    objects = ("Routing__c",) if held else ()
    before = lab.capture(objects=objects, types=("CustomObject",))
    author = Author(lab.user("admin"), "2026-11-24T08:00:00.000Z")
    renamed = meta_rename.rename(lab.org, author, ("CustomField", "Routing__c.Remark__c", "Routing__c.Comment__c"))
    assert renamed["success"]
    values = lab.pick('"Routing__c" WHERE "Comment__c" IS NOT NULL')
    plan = lab.plan(before)
    done = {(one.do, one.key) for one in plan.actions if one.kind == "component"}
    why = {one.key: one.reason for one in plan.blocked if one.kind == "component"}
    assert not done and set(why) == {"Routing__c.Comment__c", "Routing__c.Remark__c"}
    assert all(one.startswith("renamed since the baseline") for one in why.values())
    assert lab.reset(before).verdict != "clean"
    assert values and lab.pick('"Routing__c" WHERE "Comment__c" IS NOT NULL') == values


def test_a_permission_set_that_was_renamed_keeps_who_holds_it(lab: Any) -> None:
    """Deleting it under its new name took the assignments of the baseline along; deployed anew, nobody held it."""
    before = lab.capture(objects=(), types=("PermissionSet",))
    author = Author(lab.user("admin"), "2026-11-24T08:00:00.000Z")
    held = '"PermissionSetAssignment" WHERE "PermissionSetId" = ? AND "IsDeleted" = 0'
    id, name = next(
        (one, lab.value("PermissionSet", one, "Name"))
        for one in lab.pick('"PermissionSet" WHERE "IsOwnedByProfile" = 0')
        if lab.pick(held, one)
    )
    who = lab.pick(held, id)
    assert meta_rename.rename(lab.org, author, ("PermissionSet", name, "Renamed_Set"))["success"]
    plan = lab.plan(before)
    assert not plan.actions and {one.key for one in plan.blocked} == {name, "Renamed_Set"}
    assert all(one.reason.startswith("renamed since the baseline") for one in plan.blocked)
    proof = lab.prove(before, plan, lab.apply(plan))
    assert {one.outcome for one in proof.items} == {"manual"} and lab.pick(held, id) == who


def test_what_a_renamed_object_holds_is_neither_deleted_nor_inserted_again() -> None:
    old, new = ("CustomObject", "Old__c"), ("CustomObject", "New__c")
    book = MetadataBook({}, {}, renamed={old: new, new: old})
    parts = [(*new,), ("CustomField", "New__c.Code__c"), ("Layout", "New__c-New Layout"), (*old,)]
    assert all(waits_for_its_name(book, *one) for one in parts)
    assert not waits_for_its_name(book, "CustomField", "Newer__c.Code__c")
    kinds = ("RecordType", "Invoice__c.Foreign"), ("RecordType", "Invoice__c.Abroad")
    book = MetadataBook({}, {}, renamed=dict((kinds, kinds[::-1])))
    assert all(waits_for_its_name(book, *one) for one in kinds), "its rows would have been left with an inactive one"
    report = ("Report", "A/Old"), ("Report", "A/New")
    assert not waits_for_its_name(MetadataBook({}, {}, renamed=dict((report, report[::-1]))), *report[0])
    row = find_hazard("record", "Old__c", "deleted", {"object-lost", "hard-deleted", "object-renamed"})
    assert row.grade == "manual"


def component(type: str, name: str) -> Component:
    return Component(type, name, name, (f"files/{name}",))


def planned(
    sides: tuple[list[tuple[str, str]], list[tuple[str, str]]], left_out: frozenset[str] = frozenset()
) -> tuple[list[str], dict[str, str]]:
    """What a plan does about components that are there on one side only, and why it leaves others."""
    before, after = ({one: component(*one) for one in found} for found in sides)
    changes = [Change("component", *one, "digest", None) for one in before.keys() - after.keys()]
    changes += [Change("component", *one, None, "digest") for one in after.keys() - before.keys()]
    ordered = tuple(sorted(changes, key=lambda one: (one.type, one.key)))
    inputs = PlanInputs(
        "UATFULL", "B1", build_capture("b"), build_capture("a"), ordered, {}, {}, MetadataBook(before, after), NOW
    )
    actions, blocked = plan_metadata(replace(inputs, choices=Choices(left_out=left_out)))
    return [f"{one.do} {one.key}" for one in actions], {one.key: one.reason for one in blocked}


def test_a_name_in_other_letters_is_never_deleted() -> None:
    """An org takes both names for one: deleting the new one would take the field, and its values, along."""
    done, stays = planned(([("CustomField", "A__c.Note__c")], [("CustomField", "A__c.NOTE__c")]))
    assert not done
    assert set(stays) == {"A__c.Note__c", "A__c.NOTE__c"} and all("letter case" in why for why in stays.values())
    assert planned(([("CustomField", "A__c.Note__c")], [("CustomField", "B__c.NOTE__c")]))[0] == [
        "deploy A__c.Note__c",
        "destroy B__c.NOTE__c",
    ]


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        (("CustomObject", "New__c"), ("CustomField", "New__c.Code__c")),
        (("CustomObject", "New__c"), ("Layout", "New__c-New Layout")),
        (("Report", "New"), ("Report", "New/Kept")),
    ],
)
def test_what_is_left_out_keeps_what_it_is_part_of(whole: tuple[str, str], part: tuple[str, str]) -> None:
    other = ("CustomField", "Newer__c.Code__c")
    done, stays = planned(([], [whole, part, other]), frozenset({part[1]}))
    assert done == [f"destroy {other[1]}"]
    assert stays == {whole[1]: f"{part[1]} is left out by choice, and would go with it"}


def profile(*assigned: tuple[str, str]) -> bytes:
    inner = "".join(
        f"<layoutAssignments><layout>{layout}</layout>{f'<recordType>{kind}</recordType>' if kind else ''}"
        "</layoutAssignments>"
        for layout, kind in assigned
    )
    return f'<Profile xmlns="{NAMESPACE}">{inner}</Profile>'.encode()


def layouts(content: bytes) -> set[tuple[str, ...]]:
    root = parse_xml(content)
    assert root is not None
    return {tuple(str(part.text) for part in one) for one in root}


def test_a_layout_that_was_assigned_goes_back_to_that_of_the_object() -> None:
    """No deployment takes an assignment away; without one, a record type shows the layout of its object."""
    before, live = profile(("A__c-One", "")), profile(("A__c-Two", ""), ("A__c-Two", "A__c.Kind"))
    undone = undo_profile(before, live)
    assert layouts(undone) == {("A__c-One",), ("A__c-One", "A__c.Kind")}
    assert not not_removable(before, live)
    left = without_redirected(parse_xml(before), parse_xml(undone))
    assert len(left) == 1
    assert len(without_redirected(parse_xml(before), parse_xml(live))) == 2, "another layout is no residue"


def test_a_grant_of_a_newer_release_is_switched_off_too() -> None:
    """Reading all fields of an object came with API 63: it stayed, and the entry counted as off."""
    entry = (
        "<objectPermissions><allowRead>{}</allowRead><object>A__c</object><viewAllFields>{}</viewAllFields>"
        "</objectPermissions>"
    )
    live = f'<Profile xmlns="{NAMESPACE}">{entry.format("true", "true")}</Profile>'.encode()
    undone = parse_xml(undo_profile(profile(), live))
    assert undone is not None and is_off(undone[0])
    assert b"true" not in undo_profile(profile(), live)
    half = parse_xml(live.replace(b"<allowRead>true", b"<allowRead>false"))
    assert half is not None and not is_off(half[0])


def test_a_layout_that_the_baseline_does_not_tell_cannot_be_given_back() -> None:
    assert not_removable(profile(), profile(("A__c-Two", "A__c.Kind"))) == ("layoutAssignments",)
