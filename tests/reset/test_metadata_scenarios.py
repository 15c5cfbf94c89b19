"""Every kind of metadata change, undone by deployments and the Tooling API, judged by the practice org's own tables."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from rehearse.practice.play import take_seats
from rehearse.practice.play_client import Caller
from rehearse.reset.model import Choices

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
TYPES = (
    "CustomObject", "CustomField", "ValidationRule", "RecordType", "ListView", "CustomLabels", "ApexClass",
    "ApexTrigger", "Flow", "Layout", "Profile", "PermissionSet", "GlobalValueSet", "StaticResource",
    "Report", "Workflow", "CustomTab", "CustomApplication", "QuickAction",
)  # fmt: skip
OBJECTS = ("Routing__c", "Invoice__c")


def manifest(**members: tuple[str, ...]) -> str:
    types = "".join(
        f"<types>{''.join(f'<members>{one}</members>' for one in names)}<name>{type}</name></types>"
        for type, names in members.items()
    )
    return f"{HEAD}<Package {NS}>{types}<version>67.0</version></Package>"


def custom_object(inner: str) -> str:
    return f"{HEAD}<CustomObject {NS}>{inner}</CustomObject>"


TEXT = "<fields><fullName>{}</fullName><label>L</label><length>40</length><type>Text</type></fields>"


@pytest.fixture
def crew(lab: Any) -> Iterator[Any]:
    """Deploys over the wire, by every rule of the platform."""
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    with Caller(admin) as caller:
        yield lambda files: caller.deploy({path: text.encode() for path, text in files.items()})


def own(lab: Any, type: str, name: str) -> str:
    """The XML that the practice org holds of a component."""
    with lab.org.lock:
        row = lab.org.db.execute("SELECT xml FROM meta_component WHERE type = ? AND name = ?", (type, name)).fetchone()
    return re.sub(r"^<\?xml[^>]*>\s*", "", row[0].decode())


def child(lab: Any, type: str, name: str, tag: str) -> str:
    """A child's element as it stands in its container's file."""
    inner = own(lab, type, name)
    return f"<{tag}>{inner[inner.index('>') + 1 : inner.rindex('</')]}</{tag}>"


def check(lab: Any, crew: Any, *deployments: dict[str, str], verdict: str = "clean") -> Any:
    """Baseline, the deployments, the reset: afterwards the org's own tables are what they were."""
    before = lab.capture(objects=OBJECTS, types=TYPES)
    picture = lab.photograph(OBJECTS)
    for files in deployments:
        crew(files)
    assert lab.photograph(OBJECTS) != picture, "the rehearsal changed nothing"
    proof = lab.reset(before)
    after = lab.photograph(OBJECTS)
    if verdict == "clean":
        assert {k: v for k, v in after.components.items() if picture.components.get(k) != v} == {}
        assert set(picture.components) == set(after.components)
        assert (after.flows, after.rows) == (picture.flows, picture.rows)
    assert proof.verdict == verdict, proof.items
    return proof


def new_object() -> dict[str, str]:
    """An object with a field, and a look-up to it from one of the baseline's objects."""
    body = custom_object(
        "<deploymentStatus>Deployed</deploymentStatus><label>Trial</label><pluralLabel>Trials</pluralLabel>"
        "<nameField><label>Name</label><type>Text</type></nameField><sharingModel>ReadWrite</sharingModel>"
        + TEXT.format("Note__c")
    )
    link = custom_object(
        "<fields><fullName>Trial__c</fullName><label>Trial</label><referenceTo>Trial__c</referenceTo>"
        "<relationshipName>Routings</relationshipName><type>Lookup</type></fields>"
    )
    package = manifest(CustomObject=("Trial__c",), CustomField=("Trial__c.Note__c", "Routing__c.Trial__c"))
    return {"package.xml": package, "objects/Trial__c.object": body, "objects/Routing__c.object": link}


def changed_field(lab: Any) -> dict[str, str]:
    """A field with another label."""
    changed = own(lab, "CustomField", "Routing__c.Bank__c").replace("<label>", "<label>Other ")
    inner = changed[changed.index(">") + 1 : changed.rindex("</")]
    return {
        "package.xml": manifest(CustomField=("Routing__c.Bank__c",)),
        "objects/Routing__c.object": custom_object(f"<fields>{inner}</fields>"),
    }


def test_a_deleted_field_comes_back_with_its_values(lab: Any, crew: Any) -> None:
    proof = check(
        lab,
        crew,
        {"package.xml": manifest(), "destructiveChanges.xml": manifest(CustomField=("Routing__c.Remark__c",))},
    )
    restored = {(one.type, one.outcome) for one in proof.items}
    assert ("CustomField", "restored") in restored
    assert ("Routing__c", "restored") in restored


def test_an_added_record_type_and_an_added_value_stay_inactive_and_are_called_residue(lab: Any, crew: Any) -> None:
    record_type = "<recordTypes><fullName>Trial</fullName><active>true</active><label>Trial</label></recordTypes>"
    added = own(lab, "GlobalValueSet", "Sales_Region").replace(
        "</GlobalValueSet>",
        "<customValue><fullName>Far Away</fullName><default>false</default><label>Far Away</label></customValue>"
        "</GlobalValueSet>",
    )
    proof = check(
        lab,
        crew,
        {
            "package.xml": manifest(RecordType=("Invoice__c.Trial",), GlobalValueSet=("Sales_Region",)),
            "objects/Invoice__c.object": custom_object(record_type),
            "globalValueSets/Sales_Region.globalValueSet": HEAD + added,
        },
        verdict="clean-with-residue",
    )
    found = {(one.type, one.key): one.outcome for one in proof.items}
    assert found["RecordType", "Invoice__c.Trial"] == found["GlobalValueSet", "Sales_Region"] == "residue"
    assert set(found.values()) == {"residue"}
    assert "<active>false</active>" in own(lab, "RecordType", "Invoice__c.Trial")


def test_an_added_flow_and_a_new_version_are_gone_and_a_switched_off_flow_is_on(lab: Any, crew: Any) -> None:
    body = own(lab, "Flow", "Project_Last_Invoice")
    newer = body.replace("<label>", "<label>New ", 1)
    off = f"{HEAD}<FlowDefinition {NS}><activeVersionNumber>0</activeVersionNumber></FlowDefinition>"
    check(
        lab,
        crew,
        {"package.xml": manifest(Flow=("Brand_New",)), "flows/Brand_New.flow": HEAD + body},
        {"package.xml": manifest(Flow=("Project_Last_Invoice",)), "flows/Project_Last_Invoice.flow": HEAD + newer},
        {"package.xml": manifest(FlowDefinition=("Case_Urgency",)), "flowDefinitions/Case_Urgency.flowDefinition": off},
    )


def test_grants_of_a_profile_are_taken_back(lab: Any, crew: Any) -> None:
    grant = (
        f"{HEAD}<Profile {NS}><classAccesses><apexClass>DunningLetter</apexClass><enabled>true</enabled>"
        "</classAccesses><userPermissions><enabled>true</enabled><name>ViewSetup</name></userPermissions></Profile>"
    )
    before = lab.capture(objects=OBJECTS, types=TYPES)
    picture = lab.photograph(OBJECTS)
    crew({"package.xml": manifest(Profile=("Service",)), "profiles/Service.profile": grant})
    assert lab.photograph(OBJECTS) != picture
    proof = lab.reset(before)
    assert lab.photograph(OBJECTS) == picture, "the photograph leaves out entries that grant nothing"
    assert proof.verdict == "clean-with-residue"
    assert [(one.key, one.outcome) for one in proof.items] == [("Service", "residue")]
    assert {(one.key, one.grade) for one in lab.plan(before).actions} == {("Service", "residue")}


def test_access_to_what_a_plan_leaves_stays_in_the_profile(lab: Any) -> None:
    """With the field that it is about it would go, and the profile be as it was."""
    before = lab.capture(objects=(), types=("CustomObject", "Profile"))
    lab.deploy(
        {
            "objects/Routing__c.object": custom_object(TEXT.format("Added__c")),
            "profiles/Sales.profile": f"{HEAD}<Profile {NS}><fieldPermissions><editable>true</editable>"
            "<field>Routing__c.Added__c</field><readable>true</readable></fieldPermissions></Profile>",
        }
    )
    grades = [
        {one.key: one.grade for one in lab.plan(before, Choices(**choices)).actions}["Sales"]
        for choices in ({}, {"delete_added": False}, {"left_out": frozenset({"Routing__c.Added__c"})})
    ]
    assert grades == ["exact", "residue", "residue"]
    proof = lab.reset(before)
    assert proof.verdict == "clean"


def mixed() -> dict[str, str]:
    """A permission set with less in it, another text, and new code."""
    fewer = f"{HEAD}<PermissionSet {NS}><label>Service Team</label></PermissionSet>"
    labels = (
        f"{HEAD}<CustomLabels {NS}><labels><fullName>Hotline</fullName><language>en_US</language><protected>false"
        "</protected><shortDescription>Hotline</shortDescription><value>none</value></labels></CustomLabels>"
    )
    meta = f"{HEAD}<ApexClass {NS}><apiVersion>67.0</apiVersion><status>Active</status></ApexClass>"
    return {
        "package.xml": manifest(PermissionSet=("Service_Team",), CustomLabel=("Hotline",), ApexClass=("Fresh",)),
        "permissionsets/Service_Team.permissionset": fewer,
        "labels/CustomLabels.labels": labels,
        "classes/Fresh.cls": "public class Fresh { }",
        "classes/Fresh.cls-meta.xml": meta,
    }


def test_what_was_added_goes_and_what_was_changed_or_deleted_comes_back(lab: Any, crew: Any) -> None:
    gone = manifest(ValidationRule=("Routing__c.Code_Is_Given",), Report=("Receivables/Cheques_Of_Old",))
    deleted = {"package.xml": manifest(), "destructiveChanges.xml": gone}
    check(lab, crew, changed_field(lab), deleted, mixed(), new_object())


def test_a_rule_added_by_the_rehearsal_does_not_stop_the_rows(lab: Any, crew: Any) -> None:
    """The added rule would refuse the baseline's own values."""
    rule = (
        "<validationRules><fullName>No_Remark</fullName><active>true</active><errorConditionFormula>NOT(ISBLANK(Remark__c))"
        "</errorConditionFormula><errorMessage>No remarks</errorMessage></validationRules>"
    )
    before = lab.capture(objects=OBJECTS, types=TYPES)
    picture = lab.photograph(OBJECTS)
    for route in lab.pick('"Routing__c" WHERE "Remark__c" IS NOT NULL'):
        lab.update("Routing__c", {"Id": route, "Remark__c": None})
    crew(
        {
            "package.xml": manifest(ValidationRule=("Routing__c.No_Remark",)),
            "objects/Routing__c.object": custom_object(rule),
        }
    )
    assert lab.reset(before).verdict == "clean"
    assert lab.photograph(OBJECTS) == picture


def test_what_an_org_refuses_without_a_name_holds_up_nothing_else(lab: Any, crew: Any) -> None:
    """The org answers with an error that names no component: all of the deployment counted as refused."""
    before = lab.capture(objects=(), types=TYPES)
    picture = lab.photograph(())
    crew(mixed())
    crew(changed_field(lab))
    lab.server.estate.settings.put("unexplained_components", ["Hotline"])
    proof = lab.reset(before)
    outcomes = {(one.key, one.outcome, one.detail.partition(":")[0]) for one in proof.items}
    assert ("Hotline", "failed", "UNKNOWN_EXCEPTION") in outcomes
    assert {outcome for key, outcome, _ in outcomes if key != "Hotline"} == {"restored"}
    assert len(outcomes) == 4 and proof.verdict == "dirty"
    after = lab.photograph(()).components
    assert [key for key in picture.components if after[key] != picture.components[key]] == [("CustomLabel", "hotline")]


def test_what_a_hollow_baseline_lacks_of_its_types_is_never_deleted(lab: Any) -> None:
    before = lab.capture(objects=(), types=("CustomObject", "CustomLabels"))
    rule = "<errorConditionFormula>false</errorConditionFormula><errorMessage>no</errorMessage>"
    rule = f"<validationRules><fullName>Was_There</fullName><active>true</active>{rule}</validationRules>"
    lab.deploy({"objects/Routing__c.object": custom_object(rule)})
    assert {(one.do, one.key) for one in lab.plan(before).actions} == {("destroy", "Routing__c.Was_There")}
    plan = lab.plan(replace(before, verdict="hollow", hollow=("CustomObject",)))
    assert plan.actions == () and [one.key for one in plan.blocked] == ["Routing__c.Was_There"]
