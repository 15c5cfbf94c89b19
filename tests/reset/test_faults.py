"""Calls that go wrong: lost replies, locked rows, refusals, a full day's limit. Nothing is lost or done twice."""

import os
from typing import Any

import pytest

from rehearse.events import Advanced, Noted

OBJECTS = ("Routing__c", "Project__c", "ProjectMember__c", "Invoice__c", "InvoiceLine__c")
UNPAID = '"Id" NOT IN (SELECT "Invoice__c" FROM "Payment__c" WHERE "Invoice__c" IS NOT NULL)'
FREE = ("CreatedDate", "CreatedById", "Name", "Number__c", "GateCode__c")
CALLS = {
    "update": ("PATCH", r"/sobjects/"),
    "delete": ("DELETE", r"/composite/sobjects"),
    "undelete": ("SOAP", "undelete"),
    "open job": ("POST", r"/jobs/ingest$"),
    "upload": ("PUT", r"/batches"),
    "close job": ("PATCH", r"/jobs/ingest/"),
    "results": ("GET", r"/successfulResults"),
}


def rehearse(lab: Any) -> None:
    routes = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 4')
    lab.update("Routing__c", {"Id": routes[0], "Remark__c": "changed"})
    lab.delete(routes[1], hard=True)
    lab.insert("Routing__c", {"Code__c": "NEW-1"}, {"Code__c": "NEW-2"})
    lab.delete(*lab.pick(f'"Invoice__c" WHERE {UNPAID} AND "LineCount__c" > 1 ORDER BY "Id" LIMIT 2'))


def assert_back(lab: Any, picture: Any) -> None:
    ids = lab.ids.load()
    after = lab.photograph(OBJECTS).rows
    back = {new: old for old, new in ids.items()}
    for object, rows in picture.rows.items():
        found = {back.get(id, id): row for id, row in after[object].items()}
        assert set(found) == set(rows), object
        for id, row in rows.items():
            names = [name for name in row if id not in ids or name not in (*FREE, "Id")]
            assert {name: found[id][name] for name in names} == {name: row[name] for name in names}


DEEDS = ["lose-reply", "500", "503-html", "401"]
ALL = [(call, deed) for call in CALLS for deed in DEEDS]
SOME = [(call, "lose-reply") for call in ("undelete", "close job")]
"""The lost reply of an update has a test of its own below, and that of a deletion in tests/faults, which lets calls of
every phase be answered with errors."""


@pytest.mark.parametrize(("call", "deed"), ALL if os.environ.get("REHEARSE_TEST") == "all" else SOME)
def test_one_call_goes_wrong(lab: Any, call: str, deed: str) -> None:
    before = lab.capture(objects=OBJECTS)
    picture = lab.photograph(OBJECTS)
    rehearse(lab)
    plan = lab.plan(before)
    lab.server.faults.add(CALLS[call], do=deed)
    report = continue_until_done(lab, plan)
    assert_back(lab, picture)
    assert lab.prove(before, plan, report).verdict == "clean-with-residue"


def continue_until_done(lab: Any, plan: Any) -> Any:
    """The same command again, as a user does after an error, at most once more."""
    from rehearse.errors import RehearseError

    try:
        return lab.apply(plan)
    except RehearseError:
        return lab.apply(plan)


def test_rows_that_are_locked_are_sent_again_in_smaller_batches(lab: Any) -> None:
    before = lab.capture(objects=OBJECTS)
    picture = lab.photograph(OBJECTS)
    rehearse(lab)
    plan = lab.plan(before)
    lab.server.faults.add(("CHUNK", "Routing__c"), do="lock-row")
    deletions = 0

    def count(when: str, method: str, path: str) -> None:
        nonlocal deletions
        deletions += (when, method) == ("before", "DELETE")

    lab.hook = count
    report = lab.apply(plan, batch=8)
    assert (report.passes, deletions) == (1, 3)  # two rows together are refused, and then each goes alone
    assert lab.prove(before, plan, report).verdict == "clean-with-residue"
    assert_back(lab, picture)


def test_a_refused_row_does_not_stop_the_others(lab: Any) -> None:
    """The baseline's own value is refused by a rule that the baseline has: it is named, and the rest is back."""
    one, two = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 2')
    with lab.org.transaction() as db:
        db.execute('UPDATE "Routing__c" SET "Code__c" = NULL WHERE "Id" = ?', (one,))
    before = lab.capture(objects=OBJECTS)
    lab.update("Routing__c", {"Id": one, "Code__c": "NOW-GIVEN"}, {"Id": two, "Remark__c": "rehearsal"})
    proof = lab.reset(before)
    found = {item.key: (item.outcome, item.detail) for item in proof.items}
    assert found[two][0] == "restored"
    assert found[one][0] == "failed"
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in found[one][1]
    assert proof.verdict == "dirty"


def test_a_lost_reply_is_waited_for_before_the_row_is_written_again(lab: Any) -> None:
    """The write never arrived: it is sent again only when the longest call is over."""
    from datetime import UTC, datetime, timedelta

    before = lab.capture(objects=OBJECTS)
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"}, by="release")  # our user wrote it last already
    plan = lab.plan(before)
    began = datetime.now(UTC)
    clock = {"now": began}
    sent: list[datetime] = []

    class Cut(BaseException):
        pass

    def cut(when: str, method: str, path: str) -> None:
        if (when, method) == ("before", "PATCH"):
            sent.append(clock["now"])
            if len(sent) == 1:
                raise Cut

    def sleep(seconds: float) -> None:
        clock["now"] += timedelta(seconds=seconds)

    lab.hook = cut
    with pytest.raises(Cut):
        lab.apply(plan)
    settings = {"uncertain_for": timedelta(minutes=10), "poll": 30.0, "now": lambda: clock["now"], "sleep": sleep}
    report = lab.apply(plan, **settings)
    assert sent[1] - began >= timedelta(minutes=10)
    assert lab.prove(before, plan, report).verdict == "clean"


def test_events_tell_of_a_lost_reply_and_how_far_a_pass_has_come(lab: Any) -> None:
    from rehearse import clock, lock
    from rehearse.journal import Journal
    from rehearse.reset.apply import apply
    from rehearse.reset.apply_context import Tools
    from rehearse.reset.context import ApplySettings

    before = lab.capture(objects=OBJECTS)
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    for number in range(3):
        lab.insert("Routing__c", {"Name": f"Rehearsal {number}", "Code__c": f"R-{number}"})
    plan = lab.plan(before)
    lab.server.faults.add(CALLS["update"], do="lose-reply")
    heard: list[Any] = []
    with lock.hold(lab.database, "UATFULL", "reset", clock.now()) as held:
        journal = Journal(lab.database, held, plan.id)
        settings = ApplySettings(poll=0.0, sleep=lambda seconds: None)
        apply(plan, Tools(lab.writer, lab.store, journal, lab.ids, heard.append), settings)
    assert any("lost" in one.text for one in heard if isinstance(one, Noted))
    told = [(one.work, one.done, one.total) for one in heard if isinstance(one, Advanced) and "reset" in one.work]
    assert told == [("reset pass 1", done, 4) for done in (1, 2, 3)]  # the fourth waits for the look at the org
    assert lab.prove(before, plan).verdict == "clean"
