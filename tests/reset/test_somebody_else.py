"""Somebody works in the sandbox while it is being reset: their edits survive, and the proof names them."""

from dataclasses import replace
from typing import Any

import pytest

from rehearse.errors import Damaged, GenerationChanged, Locked, StalePlan
from rehearse.reset.id_map import IdMap
from rehearse.reset.model import Choices
from rehearse.reset.plan_file import load_plan

OBJECTS = ("Routing__c", "Project__c")


def outcome(proof: Any, key: str) -> str:
    return next(one.outcome for one in proof.items if one.key == key)


def test_what_somebody_writes_between_plan_and_apply_is_kept(lab: Any) -> None:
    """The same field of a row, another field, a row that the rehearsal made, a new row; the rest goes back."""
    before = lab.capture(objects=OBJECTS)
    same, other, untouched = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 3')
    lab.update("Routing__c", *({"Id": one, "Remark__c": "rehearsal"} for one in (same, other, untouched)))
    edited, plain = lab.insert("Routing__c", {"Code__c": "NEW-1"}, {"Code__c": "NEW-2"})
    plan = lab.plan(before)
    lab.update("Routing__c", {"Id": same, "Remark__c": "newer and important"}, by="admin")
    lab.update("Routing__c", {"Id": other, "Bank__c": "theirs"}, by="admin")
    lab.update("Routing__c", {"Id": edited, "Remark__c": "I need this"}, by="admin")
    (theirs,) = lab.insert("Routing__c", {"Code__c": "THEIRS"}, by="admin")
    report = lab.apply(plan, ask_more=lambda rows: True)
    proof = lab.prove(before, plan, report)
    assert lab.value("Routing__c", same, "Remark__c") == "newer and important"
    assert lab.value("Routing__c", other, "Bank__c") == "theirs"
    assert [lab.value("Routing__c", one, "IsDeleted") for one in (edited, plain, theirs)] == [0, 1, 0]
    assert any(theirs in one for one in report.outside)
    kept = {outcome(proof, one) for one in (same, other, edited, theirs)}
    assert kept == {"changed by someone else"} and outcome(proof, untouched) == "restored"
    assert proof.verdict == "dirty"


def test_an_edit_during_the_reset_is_kept(lab: Any) -> None:
    """It comes after the plan was made and before the row's own batch is read, while created rows are deleted."""
    before = lab.capture(objects=OBJECTS)
    (one,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": one, "Remark__c": "rehearsal"})
    made = lab.insert("Routing__c", {"Code__c": "NEW-1"}, {"Code__c": "NEW-2"})
    plan = lab.plan(before)

    def interfere(when: str, method: str, path: str) -> None:
        if (when, method) == ("after", "DELETE"):
            left = [id for id in made if lab.value("Routing__c", id, "IsDeleted") == 0]
            lab.update("Routing__c", *({"Id": id, "Remark__c": "theirs"} for id in (one, *left)), by="admin")

    lab.hook = interfere
    report = lab.apply(plan, batch=1)
    lab.hook = None
    proof = lab.prove(before, plan, report)
    (kept,) = [id for id in made if lab.value("Routing__c", id, "IsDeleted") == 0]
    for id in (one, kept):
        assert lab.value("Routing__c", id, "Remark__c") == "theirs"
        assert outcome(proof, id) == "changed by someone else"


def test_an_edit_after_our_write_is_seen_and_kept(lab: Any) -> None:
    before = lab.capture(objects=OBJECTS)
    (one,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": one, "Remark__c": "rehearsal"})
    plan = lab.plan(before)

    def interfere(when: str, method: str, path: str) -> None:
        if (when, method) == ("after", "PATCH"):
            lab.hook = None
            lab.update("Routing__c", {"Id": one, "Remark__c": "theirs"}, by="admin")

    lab.hook = interfere
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Routing__c", one, "Remark__c") == "theirs"
    assert (outcome(proof, one), proof.verdict) == ("changed by someone else", "dirty")


def test_a_row_of_the_baseline_below_a_created_master_is_never_lost(lab: Any) -> None:
    """Deleting the created account would take the contact along that somebody moved below it meanwhile."""
    before = lab.capture(objects=("Account", "Contact"))
    (created,) = lab.insert("Account", {"Name": "Made by the rehearsal"})
    plan = lab.plan(before)
    (contact,) = lab.pick('"Contact" WHERE "AccountId" IS NOT NULL ORDER BY "Id" LIMIT 1')
    lab.update("Contact", {"Id": contact, "AccountId": created}, by="admin")
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Contact", contact, "IsDeleted") == 0
    assert lab.value("Account", created, "IsDeleted") == 0
    assert proof.verdict == "dirty"


def test_what_automation_makes_is_deleted_only_when_somebody_agrees(lab: Any) -> None:
    objects = ("Payment__c", "Task")
    before = lab.capture(objects=objects)
    picture = lab.photograph(objects)
    (payment,) = lab.pick(
        '"Payment__c" WHERE "State__c" = ? AND "Amount__c" > 0 AND "Account__c" IS NOT NULL ORDER BY "Id" LIMIT 1',
        "Returned",
    )
    lab.update("Payment__c", {"Id": payment, "State__c": "Open"})
    plan = lab.plan(before)
    first = lab.prove(before, plan, lab.apply(plan))
    assert first.verdict == "dirty"
    assert {one.type for one in first.items if one.outcome == "failed"} == {"Task"}
    again = lab.plan(before)
    assert lab.prove(before, again, lab.apply(again, ask_more=lambda rows: True)).verdict == "clean"
    assert lab.photograph(objects).rows == picture.rows


def test_choices_leave_things_alone_and_the_proof_says_so(lab: Any) -> None:
    before = lab.capture(objects=OBJECTS)
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    mine, theirs = *lab.insert("Routing__c", {"Code__c": "A"}), *lab.insert("Routing__c", {"Code__c": "B"}, by="admin")
    plan = lab.plan(before, Choices(left_out=frozenset({route}), participants=frozenset({lab.user("loader")})))
    proof = lab.prove(before, plan, lab.apply(plan))
    assert (lab.value("Routing__c", mine, "IsDeleted"), lab.value("Routing__c", theirs, "IsDeleted")) == (1, 0)
    assert lab.value("Routing__c", route, "Remark__c") == "rehearsal"
    assert (outcome(proof, route), outcome(proof, theirs), proof.verdict) == ("manual", "manual", "dirty")


def test_plans_that_do_not_fit_are_refused_before_anything_is_sent(lab: Any) -> None:
    before = lab.capture(objects=OBJECTS)
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    plan = lab.plan(before)
    with pytest.raises(StalePlan):
        lab.apply(replace(plan, actions=()))
    right, lab.ids = lab.ids, IdMap(lab.database, "00D000000000000AAA")
    with pytest.raises(GenerationChanged):
        lab.apply(plan)
    lab.ids = right
    path = lab.folder / "workspace" / "plan.json"
    path.write_text(path.read_text().replace("Remark__c", "Bank__c"))
    with pytest.raises(Damaged):
        load_plan(path)
    assert lab.value("Routing__c", route, "Remark__c") == "rehearsal"


def test_a_writer_whose_lock_was_broken_stops_before_its_next_call(lab: Any) -> None:
    before = lab.capture(objects=OBJECTS)
    one, two = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 2')
    lab.update("Routing__c", {"Id": one, "Remark__c": "rehearsal"}, {"Id": two, "Remark__c": "rehearsal"})
    plan = lab.plan(before)

    def break_it(when: str, method: str, path: str) -> None:
        if (when, method) == ("before", "PATCH"):
            from rehearse.lock import break_lock, load_locks

            lab.hook = None
            break_lock(lab.database, load_locks(lab.database)[0].token)

    lab.hook = break_it
    with pytest.raises(Locked):
        lab.apply(plan, batch=1)
    changed = [lab.value("Routing__c", id, "Remark__c") == "rehearsal" for id in (one, two)]
    assert sorted(changed) == [False, True], "the call on its way arrives, the next one is never sent"
    assert lab.prove(before, plan, lab.apply(plan)).verdict == "clean"
