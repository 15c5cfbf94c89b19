"""What a change takes along that no metadata shows, and what no deployment takes away: marks and grades."""

from dataclasses import replace
from typing import Any

import pytest

from rehearse.baseline.components import read_components
from rehearse.baseline.model import Change, Component
from rehearse.baseline.packages import read_package_xml
from rehearse.reset.backout_metadata import POST, build_backout_metadata
from rehearse.reset.component_marks import component_marks
from rehearse.reset.component_names import is_part
from rehearse.reset.deploy_zip import build_upserts
from rehearse.reset.forecast_package import Known, Place, open_package
from rehearse.reset.grading import UNSEEN
from rehearse.reset.hazards import HAZARDS, find_hazard
from rehearse.reset.inputs import MetadataBook, PlanInputs
from rehearse.reset.plan_metadata import plan_metadata
from tests.reset.test_plan import NOW, build_capture

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
OVERRIDE = (
    "<actionOverrides><actionName>View</actionName><content>{}</content><formFactor>Large</formFactor>"
    "<pageOrSobjectType>Trip__c</pageOrSobjectType><type>Flexipage</type></actionOverrides>"
)
FIELD = "<fields><fullName>A__c</fullName><label>A</label>{}</fields>"
TEXT = "<length>9</length><type>Text</type>"


def book(path: str, root: str, *inner: str, **more: Any) -> MetadataBook:
    """A file before and after; None where one side has none."""
    sides = []
    for text in inner:
        files = {path: f"<{root} {NS}>{text}</{root}>".encode()} if text else {}
        sides.append(({(one.type, one.full_name): one for one in read_components(files)}, files))
    (before, old), (after, new) = sides
    return MetadataBook(before, after, old, new, **{"types": frozenset({"Profile", "PermissionSet"}), **more})


def grade(found: MetadataBook, type: str, name: str) -> tuple[str, str]:
    place = (type, name)
    what = "created" if place not in found.before else "updated" if place in found.after else "deleted"
    hazard = find_hazard("component", type, what, component_marks(found, type, name))
    return hazard.name, hazard.grade


OBJECT = ("objects/Trip__c.object", "CustomObject")
MODEL = "<label>Trip</label><sharingModel>{}</sharingModel>"


@pytest.mark.parametrize(
    ("before", "after", "hazard"),
    [
        ("Private", "ReadWrite", "sharing-opened"),
        ("Private", "Read", "sharing-opened"),
        ("Read", "ReadWrite", "sharing-opened"),
        ("Private", "ControlledByParent", "sharing-opened"),
        ("ReadWrite", "Private", "changed"),
        ("ControlledByParent", "Private", "changed"),
    ],
)
def test_a_wider_default_takes_shares_by_hand_away(before: str, after: str, hazard: str) -> None:
    for object, place in (("Trip__c", OBJECT), ("Account", ("objects/Account.object", "CustomObject"))):
        found = grade(book(*place, MODEL.format(before), MODEL.format(after)), "CustomObject", object)
        assert found[0] == ("standard-object" if (object, hazard) == ("Account", "changed") else hazard)
    external = [f"{MODEL.format('Read')}<externalSharingModel>{one}</externalSharingModel>" for one in (before, after)]
    assert grade(book(*OBJECT, *external), "CustomObject", "Trip__c")[0] == hazard


@pytest.mark.parametrize(
    ("before", "after", "hazard"),
    [
        (TEXT, f"<formula>1</formula>{TEXT}", "kind-changed"),
        ("<formula>1</formula><type>Number</type>", "<type>Number</type>", "kind-changed"),
        ("<type>Summary</type>", "<type>Number</type>", "kind-changed"),
        ("<formula>1</formula><type>Number</type>", "<formula>2</formula><type>Number</type>", "changed"),
        (TEXT, "<type>TextArea</type>", "field-retyped"),
        (f"<trackHistory>true</trackHistory>{TEXT}", "", "history-lost"),
        (f"<trackHistory>false</trackHistory>{TEXT}", "", "field-lost"),
        ("", TEXT, "added"),
    ],
)
def test_fields_come_back_as_the_table_says(before: str, after: str, hazard: str) -> None:
    inner = [f"<label>Trip</label>{FIELD.format(one) if one else ''}" for one in (before, after)]
    assert grade(book(*OBJECT, *inner), "CustomField", "Trip__c.A__c")[0] == hazard


def test_pages_that_were_assigned_in_an_app_stay_assigned() -> None:
    place, app = ("applications/Sales.app", "CustomApplication"), "<label>Sales</label>{}"
    profile = OVERRIDE.replace("actionOverrides", "profileActionOverrides").replace(
        "<type>", "<profile>P</profile><type>"
    )
    for more in (OVERRIDE, profile):
        assert grade(book(*place, app.format(""), app.format(more.format("A"))), "CustomApplication", "Sales") == (
            "page-assigned",
            "manual",
        )
        sides = [app.format(more.format(page)) for page in ("A", "B")]
        assert grade(book(*place, *sides), "CustomApplication", "Sales")[0] == "changed"
        assert grade(book(*place, sides[0], app.format("")), "CustomApplication", "Sales")[0] == "changed"


@pytest.mark.parametrize(
    ("before", "after", "hazard"), [("true", "false", "approval-process-put-off"), ("false", "true", "changed")]
)
def test_an_approval_process_that_was_switched_off_loses_its_place(before: str, after: str, hazard: str) -> None:
    sides = [f"<active>{one}</active><label>Trip</label>" for one in (before, after)]
    found = book("approvalProcesses/Trip__c.Large.approvalProcess", "ApprovalProcess", *sides)
    assert grade(found, "ApprovalProcess", "Trip__c.Large")[0] == hazard


def test_what_an_empty_translation_got_stays() -> None:
    """A retrieve writes fields that nobody translated with an empty text: filling it is an entry added."""
    path, entry = (
        "objectTranslations/Trip__c-de.objectTranslation",
        "<fields><label>{}</label><name>A__c</name></fields>",
    )
    for before, after, hazard in (("<!-- A -->", "Eins", "translation-added"), ("Eins", "Zwei", "changed"),
                                  ("Eins", "<!-- A -->", "changed")):  # fmt: skip
        found = book(path, "CustomObjectTranslation", entry.format(before), entry.format(after))
        assert grade(found, "CustomObjectTranslation", "Trip__c-de")[0] == hazard


def test_translations_of_what_was_added_go_with_it() -> None:
    """A retrieve names each field in each language: a release that adds one was foretold as work by hand in all."""
    path, type, name = "objectTranslations/Trip__c-de.objectTranslation", "CustomObjectTranslation", "Trip__c-de"
    entry = "<fields><label>{}</label><name>{}</name></fields>"
    old = entry.format("Eins", "A__c")
    rows = [
        (old + entry.format("<!-- N -->", "N__c"), set(), "changed"),
        (old + entry.format("Neu", "N__c"), set(), "translation-added"),
        (old + entry.format("Neu", "N__c"), {("CustomField", "Trip__c.N__c")}, "changed"),
        (old + entry.format("Neu", "N__c"), {("CustomField", "Other__c.N__c")}, "translation-added"),
        (old + "<layouts><layout>Big</layout><sections><label>Kopf</label><section>Head</section></sections></layouts>",
         {("Layout", "Trip__c-Big")}, "changed"),
        (entry.format("Eins", "A__c").replace("</fields>", "<help>Hilfe</help></fields>"), set(), "translation-added"),
    ]  # fmt: skip
    for inner, added, hazard in rows:
        found = book(path, type, old, inner)
        found = replace(found, after={**found.after, **{one: Component(*one, "d", ()) for one in added}})
        assert grade(found, type, name)[0] == hazard, inner
    made = book(path, type, "", old)
    assert grade(made, type, name) == ("translation-added", "manual")
    made = replace(
        made, after={**made.after, ("CustomObject", "Trip__c"): Component("CustomObject", "Trip__c", "d", ())}
    )
    assert grade(made, type, name) == ("added", "exact")


@pytest.mark.parametrize(
    ("path", "root", "inner", "type", "name"),
    [
        ("objects/Order.object", "CustomObject", "<label>Order</label>", "CustomObject", "Order"),
        ("objects/Account.object", "CustomObject", FIELD.replace("A__c", "Tier"), "CustomField", "Account.Tier"),
        ("applications/standard__Sales.app", "CustomApplication", "<label>S</label>", "CustomApplication",
         "standard__Sales"),
        ("matchingRules/Account.matchingRule", "MatchingRules",
         "<matchingRules><fullName>Standard_Account</fullName><label>S</label></matchingRules>",
         "MatchingRule", "Account.Standard_Account"),
    ],
)  # fmt: skip
def test_what_is_salesforces_own_is_neither_deleted_nor_made(
    path: str, root: str, inner: str, type: str, name: str
) -> None:
    assert grade(book(path, root, "", inner), type, name) == ("standard-created", "manual")
    assert grade(book(path, root, inner, ""), type, name) == ("standard-deleted", "manual")
    changed = inner.replace("<label>", "<label>New ")
    assert grade(book(path, root, inner, changed), type, name)[1] == "exact"
    assert grade(book(path, root, "", inner, types=None), type, name)[0] == "added", "where nobody knows what was there"


@pytest.mark.parametrize("type", ["AppMenu", "CustomSite", "Skill"])
def test_what_no_api_deletes_is_redeployed_where_it_changed(type: str) -> None:
    found = {what: find_hazard("component", type, what).grade for what in ("created", "updated", "deleted")}
    assert found == {"created": "manual", "updated": "exact", "deleted": "manual"}


def test_settings_that_a_feature_brought_are_not_deleted() -> None:
    assert find_hazard("component", "Settings", "created").grade == "manual"
    assert find_hazard("component", "Settings", "updated").grade == "unknown"


@pytest.mark.parametrize(
    ("name", "types", "hazard"),
    [
        ("Rate__mdt", set(), "rows-unheld"),
        ("Rate__mdt", {"CustomMetadata"}, "object-lost"),
        ("Log__b", {"CustomMetadata"}, "rows-unheld"),
        ("Done__e", set(), "object-lost"),
    ],
)
def test_records_that_are_metadata_or_archived_go_with_their_type(name: str, types: set[str], hazard: str) -> None:
    scope = frozenset({"CustomObject", "Profile", "PermissionSet"} | types)
    found = book(f"objects/{name}.object", "CustomObject", "<label>R</label>", "", types=scope, held={})
    assert grade(found, "CustomObject", name)[0] == hazard


def test_values_of_custom_metadata_are_held_by_its_records() -> None:
    inner = [f"<label>R</label>{one}" for one in (FIELD.format(TEXT), "")]
    path = ("objects/Rate__mdt.object", "CustomObject")
    scopes = {
        "values-unheld": {"CustomObject"},
        "field-lost": {"CustomObject", "CustomMetadata", "Profile", "PermissionSet"},
    }
    for hazard, types in scopes.items():
        found = book(*path, *inner, types=frozenset(types), held={})
        assert grade(found, "CustomField", "Rate__mdt.A__c")[0] == hazard


RULE = "<matchingRules><fullName>Near</fullName><label>Near</label><ruleStatus>{}</ruleStatus></matchingRules>"


@pytest.mark.parametrize(
    ("path", "root", "inner", "place"),
    [
        ("matchingRules/Account.matchingRule", "MatchingRules", RULE, ("MatchingRule", "Account.Near")),
        ("approvalProcesses/Trip__c.Big.approvalProcess", "ApprovalProcess", "<active>{}</active><label>B</label>",
         ("ApprovalProcess", "Trip__c.Big")),
    ],
)  # fmt: skip
def test_what_acts_is_switched_off_before_it_is_deleted(path: str, root: str, inner: str, place: Place) -> None:
    """The org refuses to delete it as long as it is active; in a back-out the two are in deployments of their own."""
    on, off = ("Active", "Inactive") if root == "MatchingRules" else ("true", "false")
    change = Change("component", *place, None, "live")
    for state, done in ((off, ["destroy"]), (on, ["deploy", "destroy"])):
        found = book(path, root, "", inner.format(state))
        actions, blocked = plan_metadata(
            PlanInputs("UATFULL", "B1", build_capture("b"), build_capture("a"), (change,), {}, {}, found, NOW)
        )
        assert [one.do for one in actions] == done and not blocked
        assert [one.phase for one in actions] == sorted({one.phase for one in actions})
    switched = build_upserts(book(path, root, "", inner.format(on)), actions[:1], "67.0")
    assert f">{off}<".encode() in switched[path] and f">{on}<".encode() not in switched[path]
    assert read_package_xml(switched["package.xml"]) == {place[0]: (place[1],)}
    package = open_package({path: f"<{root} {NS}>{inner.format(on)}</{root}>".encode()}, whole=True)
    back = build_backout_metadata([(package, Known({}, {}))], build_capture("b"), "67.0", NOW)
    assert f">{off}<".encode() in back.first[path] and POST not in back.first
    assert read_package_xml(back.last[POST]) == {place[0]: (place[1],)}


def test_a_back_out_promises_what_a_plan_promises() -> None:
    """It knew of no values that the baseline lacks, and would have deployed an empty field in production."""
    path = OBJECT[0]
    text = f"<CustomObject {NS}><label>Trip</label>{FIELD.format(TEXT)}</CustomObject>".encode()
    access = "<fieldPermissions><editable>true</editable><field>Trip__c.{}</field></fieldPermissions>"
    profile = f"<Profile {NS}>{access.format('A__c')}{access.format('B__c')}</Profile>".encode()
    files = {path: text, "profiles/Crew.profile": profile}
    components = {(one.type, one.full_name): one for one in read_components(files)}
    known = Known(components, files, frozenset({"CustomObject", "CustomField", "Profile", "PermissionSet"}), {})
    gone = f"<Package {NS}><types><members>Trip__c.A__c</members><name>CustomField</name></types></Package>"
    package = open_package({"package.xml": f"<Package {NS}/>".encode(), "destructiveChanges.xml": gone.encode()})
    back = build_backout_metadata([(package, known)], build_capture("b"), "67.0", NOW)
    assert [(one.do, one.key) for one in back.actions] == [("deploy", "Crew")]
    assert [(one.key, one.grade) for one in back.blocked] == [("Trip__c.A__c", "manual")]
    assert b"Trip__c.B__c" in back.first["profiles/Crew.profile"], "one entry about what is away, and all is refused"
    assert b"Trip__c.A__c" not in back.first["profiles/Crew.profile"]


def test_what_is_lost_unseen_is_a_row_of_the_table() -> None:
    assert {row.name for row in HAZARDS} >= UNSEEN


def test_territories_go_with_their_model() -> None:
    model = ("Territory2Model", "EU")
    assert is_part("Territory2", "EU.France", model) and is_part("Territory2Rule", "EU.Big", model)
    assert not is_part("Territory2", "EUR.France", model)
    assert find_hazard("component", "Territory2", "deleted").grade == "residue"
