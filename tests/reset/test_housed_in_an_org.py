"""Who made the rows of an added object, who wrote values into added fields, and what changed outside the scope: asked
of an org whose clock stands still, in the middle of a second whose stamps are whole.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Capture, Change, Scope
from rehearse.reset.apply_context import Context
from rehearse.reset.context import ApplySettings
from rehearse.reset.housed_rows import UNKNOWN, fetch_housed, keep_objects_with_new_rows
from rehearse.reset.housed_values import count_newer_values, fetch_written
from rehearse.reset.model import Action
from rehearse.reset.outside import count_outside

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
FILTER = "Active__c = true OR Code__c = 'NONE'"
SECOND = timedelta(seconds=1)
NAMED = "<label>{0}</label><nameField><label>Name</label><type>Text</type></nameField>"
NAMED += (
    "<pluralLabel>{0}</pluralLabel><sharingModel>ReadWrite</sharingModel><deploymentStatus>Deployed</deploymentStatus>"
)
FIELDS = {
    "Word__c": "<length>20</length><type>Text</type>",
    "Mark__c": "<defaultValue>false</defaultValue><type>Checkbox</type>",
    "Long__c": "<length>2000</length><type>LongTextArea</type><visibleLines>3</visibleLines>",
    "Sum__c": "<formula>1</formula><precision>9</precision><scale>0</scale><type>Number</type>",
    "Count__c": "<displayFormat>N-{0}</displayFormat><type>AutoNumber</type>",
    "Empty__c": "<length>20</length><type>Text</type>",
}


@pytest.fixture(scope="module")
def lab(still_lab: Any) -> Iterator[Any]:
    """With an object and fields that the rehearsal added."""
    inner = {
        name: f"<fields><fullName>{name}</fullName><label>{name}</label>{one}</fields>" for name, one in FIELDS.items()
    }
    still_lab.deploy({
        "objects/Extra__c.object": f"<CustomObject {NS}>{NAMED.format('Extra')}{inner['Word__c']}</CustomObject>",
        "objects/Routing__c.object": f"<CustomObject {NS}>{''.join(inner.values())}</CustomObject>",
        "objects/Task.object": f"<CustomObject {NS}>{inner['Word__c']}</CustomObject>",
        "objects/Event.object": f"<CustomObject {NS}>{inner['Word__c']}</CustomObject>",
    })  # fmt: skip
    fixed = ("Sum__c", "Count__c")
    granted = "".join(
        f"<fieldPermissions><editable>{str(name not in fixed).lower()}</editable><field>{object}.{name}</field>"
        "<readable>true</readable></fieldPermissions>"
        for object, names in {
            "Routing__c": [*FIELDS],
            "Task": ["Word__c"],
            "Event": ["Word__c"],
            "Extra__c": ["Word__c"],
        }.items()
        for name in names
    )
    sees = "<allowRead>true</allowRead><object>Extra__c</object><viewAllRecords>true</viewAllRecords>"
    objects = f"<objectPermissions>{sees}</objectPermissions>"
    still_lab.deploy({
        "permissionsets/New_Things.permissionset":
        f"<PermissionSet {NS}>{granted}<label>New Things</label>{objects}</PermissionSet>",
    })  # fmt: skip
    (id,) = still_lab.pick('"PermissionSet" WHERE "Name" = ?', "New_Things")
    still_lab.insert(
        "PermissionSetAssignment", {"AssigneeId": still_lab.user("release"), "PermissionSetId": id}, by="admin"
    )
    return still_lab


def created(type: str, key: str) -> Change:
    return Change("component", type, key, None, "new")


def fields(*names: str) -> list[Change]:
    return [created("CustomField", one) for one in names]


def this_second(lab: Any) -> str:
    """As an org stamps what is written now: without a fraction of a second."""
    return f"{lab.org.now():%Y-%m-%dT%H:%M:%S}.000Z"


def whole_second(lab: Any, object: str, ids: list[str]) -> None:
    """These rows were written, or also made, in this second."""
    at = this_second(lab)
    with lab.org.transaction() as db:
        for id in ids:
            for name in ("LastModifiedDate", "SystemModstamp"):
                db.execute(f'UPDATE "{object}" SET "{name}" = ? WHERE "Id" = ?', (at, id))
            made = f'UPDATE "{object}" SET "CreatedDate" = ? WHERE "Id" = ? AND substr("CreatedDate", 1, 19) = ?'
            db.execute(made, (at, id, at[:19]))


def saved(lab: Any, *types: str) -> None:
    """Somebody saves one component of each type in this second."""
    one = "SELECT name FROM meta_component WHERE type = ? ORDER BY name LIMIT 1"
    with lab.org.transaction() as db:
        for type in types:
            moved = f"UPDATE meta_component SET modified_at = ? WHERE type = ? AND name = ({one})"
            assert db.execute(moved, (this_second(lab), type, type)).rowcount == 1, type


def context_at(lab: Any, *actions: Action) -> Context:
    """A run of a plan that read the org just now; nothing of it is written."""
    plan: Any = SimpleNamespace(actions=actions)
    nothing: Any = None
    at = lab.org.now()
    return Context(
        plan=plan, writer=lab.writer, store=lab.store, journal=nothing, id_map=lab.ids, settings=ApplySettings(),
        on_event=lambda event: None, before=nothing, after=nothing, began=at, planned_at=at,
        user_id=lab.user("release"),
    )  # fmt: skip


def destroy(type: str, key: str, do: Any = "destroy") -> Action:
    return Action(f"{do}/{type}/{key}", 1, do, "component", type, key, "exact")


def test_rows_of_an_added_object_are_counted_by_who_made_them_and_unseen_ones_are_nobodys(lab: Any) -> None:
    ids = lab.insert("Extra__c", {"Name": "a"}, {"Name": "b"}, by="admin")
    lab.insert("Extra__c", {"Name": "c"}, by="loader")
    lab.update("Extra__c", {"Id": ids[0], "Name": "d"}, by="release")
    lab.delete(ids[1], by="admin")
    found = fetch_housed(lab.writer.reader, [created("CustomObject", "Extra__c"), created("CustomObject", "Hidden__c")])
    assert found == {"Extra__c": {lab.user("admin"): 1, lab.user("loader"): 1}, "Hidden__c": {UNKNOWN: 1}}


def test_values_count_by_who_wrote_their_rows_last_from_the_second_of_the_baseline_on(lab: Any) -> None:
    """A filter takes no long text: each row that was written counts; a checkbox has a value where it is ticked."""
    lab.server.estate.clock.move(SECOND)
    filled, ticked, plain, mine = lab.pick('"Routing__c" WHERE "IsDeleted" = 0 ORDER BY "Id" LIMIT 4')
    new = fields(*(f"Routing__c.{one}" for one in FIELDS))
    assert fetch_written(lab.writer.reader, new, lab.org.now()) == {}
    lab.update("Routing__c", {"Id": filled, "Word__c": "x"}, {"Id": ticked, "Mark__c": True}, by="admin")
    lab.update("Routing__c", {"Id": plain, "Remark__c": "y"}, by="admin")
    lab.update("Routing__c", {"Id": mine, "Word__c": "z"}, by="release")
    whole_second(lab, "Routing__c", [filled, ticked, plain, mine])
    them, us = lab.user("admin"), lab.user("release")
    found = fetch_written(lab.writer.reader, new, lab.org.now())
    assert found == {
        "Routing__c.Word__c": {them: 1, us: 1}, "Routing__c.Mark__c": {them: 1}, "Routing__c.Long__c": {them: 3, us: 1}
    }  # fmt: skip
    assert fetch_written(lab.writer.reader, new, lab.org.now() + SECOND) == {}
    known = [replace(one, before="old") for one in new]
    assert fetch_written(lab.writer.reader, known, lab.org.now()) == {}
    assert fetch_written(lab.writer.reader, [*new, created("CustomObject", "Routing__c")], lab.org.now()) == {}


def test_a_field_that_this_login_does_not_see_may_hold_a_value_in_each_row_that_was_written(lab: Any) -> None:
    lab.server.estate.clock.move(SECOND)
    (one,) = lab.pick('"Routing__c" WHERE "IsDeleted" = 0 ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": one, "Remark__c": "y"}, by="admin")
    new = fields("Routing__c.Hidden__c", "Gone__c.Word__c", "Country__mdt.Word__c", "PermissionSetAssignment.Word__c")
    assert fetch_written(lab.writer.reader, new, lab.org.now()) == {"Routing__c.Hidden__c": {lab.user("admin"): 1}}


def test_a_field_of_activities_is_one_of_tasks_and_of_events(lab: Any) -> None:
    lab.server.estate.clock.move(SECOND)
    at = lab.org.now()
    ends = {"StartDateTime": "2026-11-24T09:00:00.000Z", "EndDateTime": "2026-11-24T10:00:00.000Z"}
    lab.insert("Task", {"Subject": "Call", "Word__c": "x"}, {"Subject": "Mail"}, by="admin")
    lab.insert("Event", {"Subject": "Meet", "Word__c": "x", "DurationInMinutes": 60, **ends}, by="admin")
    found = fetch_written(lab.writer.reader, fields("Activity.Word__c"), at)
    assert found == {"Activity.Word__c": {lab.user("admin"): 2}}


def test_only_what_others_wrote_since_the_plan_keeps_a_house(lab: Any) -> None:
    """In the very second of the plan as well; what we wrote, edits of rows that the plan saw, and what is not taken
    away go as planned.
    """
    old = lab.insert("Extra__c", {"Name": "a"}, {"Name": "b"}, by="admin")
    lab.server.estate.clock.move(SECOND)
    house, field = destroy("CustomObject", "Extra__c"), destroy("CustomField", "Routing__c.Word__c")
    inner, part = destroy("CustomField", "Extra__c.Word__c"), destroy("Layout", "Extra__c-Extra Layout")
    others = [destroy("CustomObject", "Gone__c"), destroy("Layout", "Extra__c-Main", "deploy")]
    context = context_at(lab, house, field, inner, part, *others)
    everything = [house, field, inner, part, *others]
    one, two = lab.pick('"Routing__c" WHERE "IsDeleted" = 0 ORDER BY "Id" LIMIT 2')
    ours = lab.insert("Extra__c", {"Name": "ours", "Word__c": "w"}, by="release")
    lab.update("Routing__c", {"Id": one, "Word__c": "ours"}, by="release")
    lab.update("Extra__c", {"Id": old[0], "Word__c": "theirs"}, by="admin")
    lab.update("Extra__c", {"Id": old[1], "Word__c": "ours"}, by="release")
    assert keep_objects_with_new_rows(context, everything) == everything
    assert context.results == {}
    assert count_newer_values(context, ["Routing__c.Word__c"]) == {}
    theirs = lab.insert("Extra__c", {"Name": "a", "Word__c": "w"}, {"Name": "b"}, by="admin")
    lab.update("Routing__c", {"Id": two, "Word__c": "theirs"}, by="admin")
    whole_second(lab, "Extra__c", [*ours, *theirs])
    whole_second(lab, "Routing__c", [one, two])
    assert keep_objects_with_new_rows(context, everything) == others
    said = {one.key: (one.state, one.detail) for one in context.results.values()}
    rows = ("foreign", "Extra__c got 2 row(s) since the plan; not destroyed")
    assert said.pop(field.key) == ("foreign", "Routing__c.Word__c got 1 value(s) since the plan; not destroyed")
    assert said == {one.key: rows for one in (house, inner, part)}


def test_what_changed_outside_is_counted_once_with_what_was_deleted_and_without_what_never_lived(lab: Any) -> None:
    """From the very second of the baseline on; not what metadata in scope covers, logs, or companions of rows."""
    lab.server.estate.clock.move(SECOND)
    scope = Scope(("PermissionSet", "CustomObject"), objects=("Routing__c",), where={"Routing__c": FILTER})
    before: Capture = capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)
    assert count_outside(lab.writer.reader, before) == {}
    gone, edited = lab.pick('"Project__c" WHERE "IsDeleted" = 0 ORDER BY "Id" DESC LIMIT 2')
    lab.update("Project__c", {"Id": edited, "Remark__c": "z"}, by="admin", automation=False)
    whole_second(lab, "Project__c", [edited])
    saved(lab, "Layout", "Report", "PermissionSet")
    for object in ("RecordType", "UserRole", "Organization"):
        whole_second(lab, object, lab.pick(f'"{object}" ORDER BY "Id" LIMIT 1'))
    changed = count_outside(lab.writer.reader, before)
    lab.server.estate.clock.move(SECOND)
    _, passed = lab.insert("Extra__c", {"Name": "made"}, {"Name": "passed"}, by="admin")
    lab.delete(passed, by="admin")
    inside, behind = (
        lab.pick(f'"Routing__c" WHERE "IsDeleted" = 0 AND "Active__c" = {one} LIMIT 1')[0] for one in (1, 0)
    )
    lab.update("Routing__c", {"Id": inside, "Remark__c": "in"}, {"Id": behind, "Remark__c": "out"}, by="admin")
    lab.delete(gone, by="admin")
    (user,) = lab.pick('"User" WHERE "Alias" = ?', "sales1")
    lab.update("User", {"Id": user, "Title": "In charge"}, by="admin")
    found = count_outside(lab.writer.reader, before)
    saves = {"Layout": 1, "Report": 1}
    assert changed == {"Project__c": 1, **saves}
    assert found == {**saves, "Extra__c": 1, "Project__c": 2, "Routing__c outside its filter": 1, "User": 1}
