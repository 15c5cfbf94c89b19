"""Who wrote since the sandbox was read is found in the org's own rows: by whom, which rows, and from which second on.

One world for all, whose clock stands still: stamps have whole seconds, and a capture begins in the middle of one.
"""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Capture, Scope
from rehearse.reset.apply_context import Context
from rehearse.reset.context import ApplySettings
from rehearse.reset.model import Action
from rehearse.reset.newer_edits import fetch_newer, fetch_newer_components, note_newer

ROUTES = '"Routing__c" WHERE "IsDeleted" = 0 AND "Active__c" = 1 ORDER BY "Id"'
SECOND = timedelta(seconds=1)


@pytest.fixture
def lab(still_lab: Any) -> Any:
    return still_lab


def taken(
    lab: Any, objects: tuple[str, ...] = ("Routing__c",), where: str = "", types: tuple[str, ...] = ()
) -> Capture:
    """A capture in a second in which nothing else was written."""
    lab.server.estate.clock.move(SECOND)
    scope = Scope(types, objects=objects, where={"Routing__c": where} if where else None)
    return capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)


def context_of(lab: Any, since: Capture, *actions: Action, ids: dict[str, str] | None = None) -> Context:
    """What a run knows that has written nothing yet; its journal is not asked."""
    plan: Any = SimpleNamespace(actions=actions)
    journal: Any = None
    return Context(
        plan=plan, writer=lab.writer, store=lab.store, journal=journal, id_map=lab.ids, settings=ApplySettings(),
        on_event=lambda event: None, before=since, after=since, began=since.started, planned_at=since.started,
        user_id=lab.user("release"), ids=ids or {},
    )  # fmt: skip


def action(type: str, key: str, kind: Any = "record") -> Action:
    return Action(f"update/{type}/{key}", 1, "update", kind, type, key, "exact")


def write(lab: Any, *ids: str, by: str, remark: str | None = "theirs") -> None:
    """Stamps have whole seconds, so that an edit after the capture began looks as if it was before."""
    lab.update("Routing__c", *({"Id": one, "Remark__c": remark} for one in ids), by=by, automation=False)
    whole = ", ".join(
        f'"{one}" = substr("{one}", 1, 19) || \'.000Z\'' for one in ("SystemModstamp", "LastModifiedDate")
    )
    with lab.org.transaction() as db:
        db.executemany(f'UPDATE "Routing__c" SET {whole} WHERE "Id" = ?', [(one,) for one in ids])


def test_others_are_found_from_the_second_of_the_capture_on_and_we_only_where_everyone_is_meant(lab: Any) -> None:
    since = taken(lab)
    theirs, ours, gone, edited, touched, *_ = lab.pick(ROUTES)
    write(lab, theirs, edited, by="admin")
    write(lab, ours, by="release", remark="ours")
    lab.server.estate.clock.move(SECOND)
    for remark in ("for a moment", lab.value("Routing__c", touched, "Remark__c")):
        write(lab, touched, by="admin", remark=remark)
    lab.delete(gone, by="release")
    lab.delete(edited, by="admin")
    (made,) = lab.insert("Routing__c", {"Code__c": "NEW"}, by="admin")
    (passed,) = lab.insert("Routing__c", {"Code__c": "PASSED"}, by="admin")
    lab.delete(passed, by="admin")
    them, us = lab.user("admin"), lab.user("release")
    context = context_of(lab, since)
    assert fetch_newer(context, since) == {"Routing__c": dict(sorted({theirs: them, made: them}.items()))}
    everyone = {theirs: them, made: them, ours: us, gone: us, edited: them}
    assert fetch_newer(context, since, everyone=True) == {"Routing__c": everyone}


def test_a_row_that_came_back_under_a_new_id_is_known_by_its_old_one(lab: Any) -> None:
    since = taken(lab)
    (new,) = lab.pick(f"{ROUTES} LIMIT 1")
    old = "a00000000000OLDAAA"
    write(lab, new, by="admin", remark="again")
    found = {"Routing__c": {old: lab.user("admin")}}
    assert fetch_newer(context_of(lab, since, ids={old: new}), since) == found
    again = taken(lab)
    context = context_of(lab, again, ids={old: new})
    lab.server.estate.clock.move(SECOND)
    for remark in ("for a moment", "again"):
        write(lab, new, by="admin", remark=remark)
    assert fetch_newer(context, again) == {}
    lab.delete(new, by="admin")
    assert fetch_newer(context, again, everyone=True) == found


def test_rows_that_nobody_captured_count_where_no_filter_leaves_them_out_or_the_plan_names_them(lab: Any) -> None:
    outside, planned = lab.pick('"Routing__c" WHERE "IsDeleted" = 0 AND "Active__c" = 0 ORDER BY "Id" LIMIT 2')
    (inside,) = lab.pick(f"{ROUTES} LIMIT 1")
    since = taken(lab, ("Routing__c", "TriggerSwitch__c"), where="Active__c = true")
    named = [action("Routing__c", planned), action("Account", outside)]
    lab.server.estate.clock.move(SECOND)
    write(lab, outside, planned, inside, by="admin", remark="filtered")
    (switch,) = lab.insert("TriggerSwitch__c", {"Name": "Another"}, by="admin")
    them = lab.user("admin")
    found = fetch_newer(context_of(lab, since, *named), since)
    assert found == {"Routing__c": dict.fromkeys(sorted((planned, inside)), them), "TriggerSwitch__c": {switch: them}}


def test_an_edit_that_bears_the_stamp_of_the_one_before_it_is_found(lab: Any) -> None:
    """The rehearsal wrote, we read, and somebody wrote or deleted, all in one second."""
    edited, gone, read = lab.pick(f"{ROUTES} LIMIT 3")
    lab.server.estate.clock.move(SECOND)
    write(lab, edited, gone, read, by="admin", remark="rehearsal")
    since = capture(lab.writer.reader, CaptureRequest("UATFULL", Scope((), objects=("Routing__c",))), lab.store)
    stamp = lab.value("Routing__c", edited, "SystemModstamp")
    write(lab, edited, by="admin")
    lab.delete(gone, by="admin")
    assert lab.value("Routing__c", edited, "SystemModstamp") == stamp
    them, context = lab.user("admin"), context_of(lab, since)
    assert fetch_newer(context, since) == {"Routing__c": {edited: them}}
    assert fetch_newer(context, since, everyone=True) == {"Routing__c": {edited: them, gone: them}}


def test_what_was_made_in_the_second_before_the_capture_looked_is_nothing_new(lab: Any) -> None:
    """A row behind the filter, that the plan names, was written as the capture began: it was as it is now."""
    (outside,) = lab.pick('"Routing__c" WHERE "IsDeleted" = 0 AND "Active__c" = 0 ORDER BY "Id" LIMIT 1')
    since = taken(lab, where="Active__c = true")
    write(lab, outside, by="admin", remark="in this second")
    assert fetch_newer(context_of(lab, since, action("Routing__c", outside)), since) == {}


def test_objects_without_a_bin_are_asked_too_and_those_that_name_no_writer_are_left_to_each_write(lab: Any) -> None:
    since = taken(lab, ("User", "PermissionSetAssignment"))
    (user,) = lab.pick('"User" WHERE "Alias" = ?', "sales1")
    lab.update("User", {"Id": user, "Title": "Now in charge"}, by="admin")
    assert fetch_newer(context_of(lab, since), since) == {"User": {user: lab.user("admin")}}


def test_profiles_of_the_plan_that_were_saved_since_are_found_by_their_instant(lab: Any) -> None:
    since = taken(lab, types=("Profile",))
    names = sorted(one.full_name for one in lab.store.load_components(since.ulid))
    planned, other = [action("Profile", one, "component") for one in names[:2]], names[2]
    with lab.org.lock:
        (layout,) = lab.org.db.execute("SELECT name FROM meta_component WHERE type = 'Layout' LIMIT 1").fetchone()
    found = context_of(lab, since, *planned, action("Layout", layout, "component"))
    assert fetch_newer_components(found, since) == {}
    with lab.org.transaction() as db:
        moved = "UPDATE meta_component SET modified_at = '2090-01-01T00:00:00.000Z' WHERE type = 'Profile' AND name = ?"
        assert [db.execute(moved, (one,)).rowcount for one in (names[1], other)] == [1, 1]
    newer = fetch_newer_components(found, since)
    assert {type: list(one) for type, one in newer.items()} == {"Profile": [names[1]]}


def test_what_is_left_alone_is_told_of_the_action_or_as_outside_of_the_plan(lab: Any) -> None:
    """Everything is called somebody's, and nothing of it is written in this run."""
    since = taken(lab)
    mine, other = lab.pick(f"{ROUTES} LIMIT 2")
    context = context_of(lab, since, action("Routing__c", mine), action("Account", other))
    note_newer(context, {"Routing__c": {mine: lab.user("admin"), other: lab.user("admin")}})
    assert set(context.foreign) == {("Routing__c", mine), ("Routing__c", other)}
    assert list(context.outside) == [("Routing__c", other)]
    assert {one.state for one in context.results.values()} == {"foreign"}
    assert set(context.results) == {f"update/Routing__c/{mine}", f"leave/Routing__c/{other}"}
