"""Somebody writes between our read of a row and our write: the org refuses ours, theirs is kept and named.

The second writer is a user of the team over a connection of its own; the judge is the practice org's own database.
"""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from rehearse.errors import OrgRejected, StalePlan
from rehearse.practice import admin
from rehearse.practice.faults import Fault
from rehearse.practice.play_client import Caller, Seat
from rehearse.practice.play_package import hand_change
from rehearse.reset.gates import fetch_noise

LATER = "2090-01-01T00:00:00.000+0000"
ROUTES = '"Routing__c" WHERE "Remark__c" IS NULL ORDER BY "Id" LIMIT 4'


class Killed(BaseException):
    """What a kill looks like from inside: nothing may catch it."""


@pytest.fixture
def second(lab: Any) -> Iterator[Caller]:
    """An administrator of the team, over the wire."""
    with Caller(Seat(lab.server.http_url, lab.server.estate.issue_token(lab.org, lab.user("admin")))) as caller:
        yield caller


def is_update(method: str, path: str) -> bool:
    """An update under a condition: one row alone, or several as parts of one call (describes are read before)."""
    return (method == "PATCH" and "/sobjects/Routing__c/" in path) or (method == "POST" and path.endswith("/composite"))


def at_update(lab: Any, moment: str, act: Callable[[], None]) -> None:
    """Do something once, at the first call that updates rows, when the clock is in another second than before."""

    def hook(when: str, method: str, path: str) -> None:
        if when == moment and is_update(method, path) and "Updating" in doing(lab):
            lab.hook = None
            admin.move_clock(lab.server.estate, timedelta(seconds=1))
            act()

    lab.hook = hook


def doing(lab: Any) -> str:
    """What the journal says is open: an update, or nothing (a composite call may only read)."""
    from rehearse.journal import load_by_kind

    return "Updating" if any(one.closed is None for one in load_by_kind(lab.database, ["update"])) else ""


def rehearsed(lab: Any) -> tuple[Any, Any, list[str]]:
    before = lab.capture(objects=("Routing__c",))
    ids = lab.pick(ROUTES)
    lab.update("Routing__c", *({"Id": one, "Remark__c": "rehearsal"} for one in ids))
    return before, lab.plan(before), ids


def remarks(lab: Any, ids: list[str]) -> list[Any]:
    return [lab.value("Routing__c", one, "Remark__c") for one in ids]


def outcomes(proof: Any) -> dict[str, str]:
    return {one.key: one.outcome for one in proof.items}


@pytest.mark.parametrize("batch", [200, 1])
def test_what_is_written_between_our_read_and_our_write_is_kept_and_the_rest_goes_back(
    lab: Any, second: Caller, batch: int
) -> None:
    """The same field, another field, and a save that changes nothing; together in one call, or each row alone."""
    before, plan, (same, other, touched, free) = rehearsed(lab)
    who = " ".join(lab.value("User", lab.user("admin"), name) for name in ("FirstName", "LastName"))
    banks = {one: lab.value("Routing__c", one, "Bank__c") for one in (other, touched)}
    last = [same, other, touched] if batch > 1 else [same]

    def write() -> None:
        edits = {same: {"Remark__c": "theirs"}, other: {"Bank__c": "theirs"}, touched: {"Bank__c": banks[touched]}}
        second.update("Routing__c", [{"Id": one, **edits[one]} for one in last])

    at_update(lab, "before", write)
    report = lab.apply(plan, batch=batch)
    proof = lab.prove(before, plan, report)
    kept = last[:2]
    assert outcomes(proof) == {
        one: "changed by someone else" if one in kept else "restored" for one in (same, other, touched, free)
    }
    named = [one for one in report.results if one.key in kept]
    assert {(one.state, one.detail) for one in named} == {
        ("foreign", f"changed since the plan was made by {who}; not written")
    }
    assert remarks(lab, [same, touched, free]) == ["theirs", None, None]
    assert lab.value("Routing__c", other, "Bank__c") == ("theirs" if other in kept else banks[other])
    assert proof.verdict == "dirty"


def test_what_our_own_user_wrote_meanwhile_is_written_over(lab: Any) -> None:
    """Automation that our writes set off writes as our user."""
    before, plan, (one, *_) = rehearsed(lab)
    at_update(lab, "before", lambda: lab.update("Routing__c", {"Id": one, "Remark__c": "a flow"}, by="release"))
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.hook is None and (proof.verdict, lab.value("Routing__c", one, "Remark__c")) == ("clean", None)


def test_an_org_that_refuses_the_condition_of_a_row_that_nobody_changed_is_written_to_without_it(lab: Any) -> None:
    """As if it compared another instant than the last modified date that it shows."""
    before, plan, ids = rehearsed(lab)

    def refuse() -> None:
        with lab.org.transaction() as db:
            for id in ids[:2]:
                db.execute('UPDATE "Routing__c" SET "LastModifiedDate" = ? WHERE "Id" = ?', (LATER, id))

    at_update(lab, "before", refuse)
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.hook is None and (proof.verdict, remarks(lab, ids)) == ("clean", [None] * 4)


@pytest.mark.parametrize("code", ["METHOD_NOT_ALLOWED", "HTTP_501"])
def test_an_org_that_knows_no_condition_is_written_to_without_one(lab: Any, code: str) -> None:
    before, plan, ids = rehearsed(lab)
    refused = 0

    def refuse(when: str, method: str, path: str) -> None:
        nonlocal refused
        if when == "before" and method == "PATCH" and "/sobjects/Routing__c/" in path:
            refused += 1
            raise OrgRejected(code, "not here", "Updating a row of Routing__c")

    lab.hook = refuse
    proof = lab.prove(before, plan, lab.apply(plan, batch=1))
    assert refused == len(ids) and (proof.verdict, remarks(lab, ids)) == ("clean", [None] * 4)


def test_a_row_that_changes_at_each_try_is_left_and_named(lab: Any) -> None:
    before, plan, (one, *_) = rehearsed(lab)

    def change(when: str, method: str, path: str) -> None:
        if when == "before" and method == "PATCH" and path.endswith(one):
            admin.move_clock(lab.server.estate, timedelta(seconds=1))
            lab.update("Routing__c", {"Id": one, "Remark__c": "a flow"}, by="release")

    lab.hook = change
    report = lab.apply(plan, batch=1, lock_tries=2)
    lab.hook = None
    (named,) = [found for found in report.results if found.key == one]
    assert (named.state, named.detail) == ("foreign", "changed again and again during the reset; not written")
    assert outcomes(lab.prove(before, plan, report))[one] == "changed by someone else"


def test_the_second_try_carries_the_condition_too_where_the_row_was_changed(lab: Any, second: Caller) -> None:
    """Our own automation is met first, so that the row is judged again; then somebody edits it before that write."""
    before, plan, (one, *_) = rehearsed(lab)

    def theirs() -> None:
        second.update("Routing__c", [{"Id": one, "Remark__c": "theirs"}])

    def ours() -> None:
        lab.update("Routing__c", {"Id": one, "Remark__c": "a flow"}, by="release")
        at_update(lab, "before", theirs)

    at_update(lab, "before", ours)
    proof = lab.prove(before, plan, lab.apply(plan, batch=1))
    assert lab.hook is None and lab.value("Routing__c", one, "Remark__c") == "theirs"
    assert outcomes(proof)[one] == "changed by someone else"


def test_who_edits_a_row_that_has_just_come_back_keeps_it(lab: Any, second: Caller) -> None:
    """Between our undelete and our update: the plan saw no values of a row in the bin, so only the writer tells."""
    before = lab.capture(objects=("Routing__c",))
    ids = lab.pick(ROUTES)
    lab.update("Routing__c", *({"Id": one, "Remark__c": "rehearsal"} for one in ids))
    lab.delete(*ids)
    plan = lab.plan(before)

    def edit(when: str, method: str, path: str) -> None:
        if when == "after" and lab.value("Routing__c", ids[0], "IsDeleted") == 0:
            lab.hook = None
            second.update("Routing__c", [{"Id": ids[0], "Bank__c": "theirs"}])

    lab.hook = edit
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.hook is None and lab.value("Routing__c", ids[0], "Bank__c") == "theirs"
    assert remarks(lab, ids) == ["rehearsal", None, None, None]
    assert outcomes(proof) == {one: "restored" if one in ids[1:] else "changed by someone else" for one in ids}


MOMENTS = ["before", "after", "lost"] if os.environ.get("REHEARSE_TEST") == "all" else ["after"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_somebody_writes_and_continued(lab: Any, second: Caller, moment: str) -> None:
    """Before our call left, after the org refused one row and wrote the others, or with its reply lost."""
    before, plan, ids = rehearsed(lab)

    def write() -> None:
        second.update("Routing__c", [{"Id": ids[0], "Bank__c": "theirs"}])
        if moment == "before":
            raise Killed
        if moment == "lost":
            lab.server.faults.add(("POST", "/composite$"), do="lose-reply")
        else:
            lab.hook = kill

    def kill(when: str, method: str, path: str) -> None:
        if when == "after" and is_update(method, path):
            raise Killed

    at_update(lab, "before", write)
    if moment == "lost":
        report = lab.apply(plan)
    else:
        with pytest.raises(Killed):
            lab.apply(plan)
        lab.hook = None
        assert remarks(lab, ids) == (["rehearsal"] + [None] * 3 if moment == "after" else ["rehearsal"] * 4)
        report = lab.apply(plan)
    proof = lab.prove(before, plan, report)
    assert remarks(lab, ids) == ["rehearsal", None, None, None]
    assert lab.value("Routing__c", ids[0], "Bank__c") == "theirs"
    assert outcomes(proof)[ids[0]] == "changed by someone else" and proof.verdict == "dirty"
    assert {outcomes(proof)[one] for one in ids[1:]} <= {"restored", "already equal"}


def test_a_rule_that_is_switched_off_again_after_we_put_it_back_stays_off_and_its_writer_is_named(
    lab: Any, second: Caller
) -> None:
    """Parts of a file have authors of their own, which no list of files tells: a later pass wrote over their edits."""
    before = lab.capture(objects=("Routing__c",), types=("CustomObject",))
    lab.deploy(hand_change())
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    plan = lab.plan(before)
    on = ("Payment__c", "Refund_Below_Zero", True)

    def again(when: str, method: str, path: str) -> None:
        if when == "after" and on in lab.rules():
            lab.hook = None
            admin.move_clock(lab.server.estate, timedelta(seconds=2))
            lab.update("Routing__c", {"Id": route, "Remark__c": "ours"}, by="release")  # so that there is a next pass
            second.deploy(hand_change())

    assert on not in lab.rules()
    lab.hook = again
    report = lab.apply(plan)
    assert lab.hook is None and on not in lab.rules()
    proof = lab.prove(before, plan, report)
    rule = next(one for one in proof.items if one.key == "Payment__c.Refund_Below_Zero")
    assert (rule.outcome, rule.by, proof.verdict) == ("changed by someone else", "Wiebke Hüsken", "dirty")
    assert rule.detail == "changed during the reset by Wiebke Hüsken; not deployed"


def start_load(caller: Caller, object: str, content: str = "") -> None:
    """A bulk load by a program of its own; it begins where there is content."""
    body = {"object": object, "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}
    job = caller._json("POST", "jobs/ingest", json=body)["id"]
    if content:
        caller._call("PUT", f"jobs/ingest/{job}/batches", data=content, headers={"Content-Type": "text/csv"})
        caller._call("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})


@pytest.fixture
def twin(lab: Any) -> Iterator[Caller]:
    """Somebody who uses the login of the reset: a copy of the workspace, or a program of the team."""
    with Caller(Seat(lab.server.http_url, lab.server.estate.issue_token(lab.org, lab.user("release")))) as caller:
        yield caller


def test_a_load_with_our_own_login_closes_the_gate_too(lab: Any, twin: Caller) -> None:
    """It may be a reset from a copy of this workspace; only a run that goes on has loads of its own under way."""
    start_load(twin, "Account")
    assert not [one for one in fetch_noise(lab.writer.reader, ()) if one.blocks], "it has not begun"
    lab.server.faults.put(Fault("JOB", "^ingest$", 1, "slow", 1, 5.0))
    start_load(twin, "Contact", "LastName\nX\n")
    (noise,) = [one for one in fetch_noise(lab.writer.reader, ()) if one.blocks]
    assert "insert of Contact" in noise.detail
    assert not [one for one in fetch_noise(lab.writer.reader, (), ours=True) if one.blocks]


def test_two_resets_from_two_databases_do_not_bring_a_row_back_twice(lab: Any, twin: Caller) -> None:
    """They see no lock of each other, but each other's loads; a load of before is none, nor one of ours whose answer
    was lost."""
    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" WHERE "Code__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    code = lab.value("Routing__c", route, "Code__c")
    lab.delete(route, hard=True)
    start_load(twin, "Account", "Name\nBefore\n")
    plan = lab.plan(before)
    admin.move_clock(lab.server.estate, timedelta(seconds=2))

    def open_another(when: str, method: str, path: str) -> None:
        if (when, method) == ("before", "POST") and path.endswith("/jobs/ingest"):
            lab.hook = None
            start_load(twin, "Account", "Name\nX\n")

    lab.hook = open_another
    with pytest.raises(StalePlan, match="with the login of this reset"):
        lab.apply(plan)
    assert lab.pick('"Routing__c" WHERE "Code__c" = ? AND "IsDeleted" = 0', code) == []
    admin.move_clock(lab.server.estate, timedelta(seconds=2))
    lab.server.faults.add(("POST", "/jobs/ingest"), do="lose-reply")
    later = lab.plan(before)
    report = lab.apply(later)
    assert len(lab.pick('"Routing__c" WHERE "Code__c" = ? AND "IsDeleted" = 0', code)) == 1
    assert lab.prove(before, later, report).verdict == "clean-with-residue"
