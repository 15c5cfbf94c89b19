"""What names a component that stays away, or one that goes although its user stays, is promised to nobody. Pure."""

from rehearse.baseline.components import read_components
from rehearse.baseline.model import Change
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.model import Action
from rehearse.reset.named_parts import without_promises

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def xml(type: str, inner: str) -> bytes:
    return f"<{type} {NS}>{inner}</{type}>".encode()


def field(name: str) -> str:
    return f"<fields><fullName>{name}</fullName><label>L</label><length>9</length><type>Text</type></fields>"


def entry(name: str) -> str:
    return f"<fieldPermissions><editable>true</editable><field>{name}</field></fieldPermissions>"


def class_of(body: bytes) -> dict[str, bytes]:
    return {"classes/Guide.cls": body, "classes/Guide.cls-meta.xml": xml("ApexClass", "<status>Active</status>")}


BEFORE = {
    "objects/Trip__c.object": xml("CustomObject", field("Kind__c") + field("Day__c") + "<label>Trip</label>"),
    "layouts/Trip__c-Main.layout": xml("Layout", "<layoutItems><field>Kind__c</field></layoutItems>"),
    "layouts/Boat__c-Main.layout": xml("Layout", "<layoutItems><field>Kind__c</field></layoutItems>"),
    "profiles/Crew.profile": xml("Profile", entry("Trip__c.Kind__c") + entry("Trip__c.Day__c")),
    "profiles/Sales.profile": xml("Profile", entry("Trip__c.Day__c")),
    **class_of(b"class Guide { Trip__c a; }"),
}
AFTER = {
    "objects/Trip__c.object": xml("CustomObject", field("Day__c") + field("New__c") + "<label>Trip</label>"),
    "layouts/Trip__c-Main.layout": xml("Layout", ""),
    "layouts/Boat__c-Main.layout": xml("Layout", ""),
    "profiles/Crew.profile": xml("Profile", entry("Trip__c.Day__c")),
    "profiles/Sales.profile": xml("Profile", ""),
    **class_of(b"class Guide { Trip__c a; void go() { a.New__c = 'x'; } }"),
}
FIELD, NEW, CLASS = ("CustomField", "Trip__c.Kind__c"), ("CustomField", "Trip__c.New__c"), ("ApexClass", "Guide")


def plan(*left: tuple[str, str]) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Grades and reasons of the actions, and what is blocked, where these places get no action."""
    before, after = ({(one.type, one.full_name): one for one in read_components(files)} for files in (BEFORE, AFTER))
    places = [one for one in sorted({*before, *after}) if before.get(one) != after.get(one)]
    changes = [
        Change("component", *one, before[one].digest if one in before else None, "after" if one in after else None)
        for one in places
    ]
    actions = [
        Action(f"{type}/{key}", 200, "deploy" if (type, key) in before else "destroy", "component", type, key, "exact")
        for type, key in places
        if (type, key) not in left
    ]
    found, blocked = without_promises(MetadataBook(before, after, BEFORE, AFTER), changes, actions)
    return {one.key: (one.grade, one.reason) for one in found}, {one.key: one.reason for one in blocked}


def test_what_names_a_field_that_stays_away_comes_back_without_it_or_without_a_promise() -> None:
    grades, blocked = plan(FIELD)
    told = "it names CustomField Trip__c.Kind__c, which stays away: the org may refuse it"
    assert grades["Trip__c-Main"] == ("unknown", told)
    assert blocked == {"Crew": "it comes back without its entries about CustomField Trip__c.Kind__c, which stays away"}
    assert {grades[one][0] for one in ("Crew", "Sales", "Boat__c-Main", "Guide", NEW[1])} == {"exact"}


def test_a_field_that_a_class_which_stays_names_is_deleted_without_a_promise() -> None:
    grades, blocked = plan(CLASS)
    assert grades[NEW[1]] == ("unknown", "ApexClass Guide stays and names it: the org may refuse to delete it")
    assert not blocked and {grade for key, (grade, _) in grades.items() if key != NEW[1]} == {"exact"}


def test_where_nothing_is_left_every_promise_stands() -> None:
    grades, blocked = plan()
    assert not blocked and {grade for grade, _ in grades.values()} == {"exact"}
