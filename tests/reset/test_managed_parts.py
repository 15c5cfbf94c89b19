"""What came with an installed package, and what people put on it: a field of theirs on an object of the package."""

from collections.abc import Iterator
from typing import Any

import pytest

from rehearse.practice import components
from rehearse.practice.components import Author
from rehearse.practice.play import take_seats
from rehearse.practice.play_client import Caller
from rehearse.reset.component_names import is_managed
from rehearse.reset.hazards import find_hazard
from tests.reset.hazards.building import HEAD, NS, manifest

OBJECT = "tidemaps__Chart__c"
OWN = (
    "<deploymentStatus>Deployed</deploymentStatus><label>Chart</label><nameField><label>Name</label><type>Text</type>"
    "</nameField><pluralLabel>Charts</pluralLabel><sharingModel>ReadWrite</sharingModel>"
)
TYPES = ("CustomObject", "Layout", "InstalledPackage")


def field(name: str, label: str = "L") -> str:
    return f"<fields><fullName>{name}</fullName><label>{label}</label><length>40</length><type>Text</type></fields>"


def package(inner: str, *members: str) -> dict[str, bytes]:
    body = f"{HEAD}<CustomObject {NS}>{inner}</CustomObject>"
    files = {"package.xml": manifest({"CustomField": members}), f"objects/{OBJECT}.object": body}
    return {path: text.encode() for path, text in files.items()}


@pytest.fixture
def crew(lab: Any) -> Iterator[Any]:
    """Deploys over the wire, in an org with a package that brought an object, a field on Account, and a layout."""
    brought = {
        f"objects/{OBJECT}.object": f"<CustomObject {NS}>{OWN}{field('tidemaps__Depth__c')}{field('Ours__c')}"
        f"{field('Old__c')}</CustomObject>",
        "objects/Account.object": f"<CustomObject {NS}>{field('tidemaps__Harbour__c')}</CustomObject>",
        f"layouts/{OBJECT}-tidemaps__Chart Layout.layout": f"<Layout {NS}><emailDefault>false</emailDefault></Layout>",
    }
    lab.deploy({path: HEAD + text for path, text in brought.items()})
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    with Caller(admin) as caller:
        yield caller.deploy


def test_what_people_put_on_an_object_of_a_package_is_put_back(lab: Any, crew: Any) -> None:
    before = lab.capture(objects=(), types=TYPES)
    held = {one.full_name for one in lab.store.load_components(before.ulid)}
    assert {OBJECT, f"{OBJECT}.Ours__c", f"{OBJECT}.tidemaps__Depth__c", "Account.tidemaps__Harbour__c"} <= held
    picture = lab.photograph(())
    crew(package(field("Ours__c", "Changed") + field("New__c"), f"{OBJECT}.Ours__c", f"{OBJECT}.New__c"))
    assert lab.photograph(()) != picture
    proof = lab.reset(before)
    assert {(one.key, one.outcome) for one in proof.items} == {
        (f"{OBJECT}.Ours__c", "restored"),
        (f"{OBJECT}.New__c", "restored"),
    }
    assert lab.photograph(()) == picture
    assert proof.verdict == "clean"
    assert [one for one in proof.not_compared if one.startswith("metadata Layout: 1 components of installed packages")]


def test_what_the_package_brought_is_neither_deleted_nor_promised(lab: Any, crew: Any) -> None:
    """An upgrade brings a field, and somebody changes a layout of the package, which no capture holds."""
    before = lab.capture(objects=(), types=TYPES)
    upgrade = f"{HEAD}<CustomObject {NS}>{field('tidemaps__Newer__c')}</CustomObject>"
    lab.deploy({"objects/Account.object": upgrade})
    layout = components.find(lab.org, "Layout", f"{OBJECT}-tidemaps__Chart Layout")
    later = Author(lab.user("admin"), "2026-11-24T08:00:00.000Z")
    components.rewrite(lab.org, layout, layout.xml.replace(b"false", b"true"), later)
    plan = lab.plan(before)
    assert not plan.actions
    blocked = {one.key: (one.grade, one.reason) for one in plan.blocked}
    assert blocked == {
        "Account.tidemaps__Newer__c": (
            "manual",
            "part of an installed package: it came with the package, and goes with it alone",
        )
    }
    proof = lab.prove(before, plan)
    assert {(one.key, one.outcome) for one in proof.items} == {("Account.tidemaps__Newer__c", "manual")}
    told = next(one for one in proof.not_compared if one.startswith("metadata Layout: "))
    assert told.endswith(f"since the baseline were made, changed or deleted: {OBJECT}-tidemaps__Chart Layout")


@pytest.mark.parametrize(
    ("type", "name", "managed"),
    [
        ("CustomObject", "ns__A__c", True),
        ("CustomObject", "A__c", False),
        ("CustomObject", "A_b__mdt", False),
        ("CustomObject", "ns__A__mdt", True),
        ("CustomObject", "Account", False),
        ("CustomField", "ns__A__c.Own__c", False),
        ("CustomField", "A__c.ns__B__c", True),
        ("CustomField", "Account.Industry", False),
        ("ValidationRule", "A__c.ns__rule", True),
        ("ListView", "ns__A__c.All", False),
        ("Layout", "A__c-Old__Layout", False),
    ],
)
def test_a_namespace_is_told_by_the_name(type: str, name: str, managed: bool) -> None:
    assert is_managed(type, name) is managed


def test_no_change_of_what_a_package_brought_is_promised() -> None:
    grades = {what: find_hazard("component", "CustomField", what, {"managed"}).grade for what in ("created", "updated")}
    assert grades == {"created": "manual", "updated": "unknown"}
    assert find_hazard("component", "CustomObject", "deleted", {"managed", "rows-unheld"}).grade == "manual"


def test_what_a_profile_hides_is_told(lab: Any) -> None:
    """Without classes in scope a retrieve shows nobody's access to them: a grant is no change of the profile."""
    before = lab.capture(objects=(), types=("CustomObject", "Profile"))
    grant = "<classAccesses><apexClass>DunningLetter</apexClass><enabled>true</enabled></classAccesses>"
    profile = f"{HEAD}<Profile {NS}>{grant}</Profile>"
    lab.deploy({"profiles/Service.profile": profile})
    proof = lab.prove(before)
    assert not proof.items, "what cannot be seen is no item"
    told = next(one for one in proof.not_compared if one.startswith("metadata Profile (sections)"))
    assert "ApexClass" in told and "Layout" in told and "CustomObject" not in told
