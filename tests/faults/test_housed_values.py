"""Values that people wrote into a field which the rehearsal added: the field takes them along when it is destroyed."""

from dataclasses import replace
from typing import Any

from rehearse import clock
from rehearse.reset.gather import GatherRequest, gather
from rehearse.reset.housed_values import find_kept_before
from rehearse.reset.model import Choices
from rehearse.reset.plan import build_plan

FIELD = "Routing__c.Added__c"


def add_field(lab: Any, type: str = "<length>30</length><type>Text</type>", readable: bool = True) -> None:
    head = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
    sees = f"<fieldPermissions><editable>true</editable><field>{FIELD}</field><readable>true</readable>"
    files = {
        "objects/Routing__c.object": f"<CustomObject {head}><fields><fullName>Added__c</fullName><label>Added</label>"
        f"{type}</fields></CustomObject>"
    }
    if readable:
        files["profiles/Admin.profile"] = f"<Profile {head}>{sees}</fieldPermissions></Profile>"
    lab.deploy(files)


def test_values_of_others_keep_a_field_that_the_rehearsal_added(lab: Any) -> None:
    """Before the plan, after it, and with the consent of who deletes what others made; a default is nobody's value."""
    before = lab.capture(objects=("Routing__c",), types=("CustomObject",))
    add_field(lab)
    ours = frozenset({lab.user("release"), lab.user("loader")})
    mine, theirs, later = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 3')
    lab.update("Routing__c", {"Id": mine, "Added__c": "ours"})
    plan = lab.plan(before, Choices(participants=ours))
    assert [(one.do, one.key) for one in plan.actions] == [("destroy", FIELD)]
    assert [(one.type, one.count, one.stay) for one in plan.created] == [(FIELD, 1, False)]

    lab.update("Routing__c", {"Id": theirs, "Added__c": "theirs"}, by="admin")
    kept = lab.plan(before, Choices(participants=ours))
    assert kept.actions == ()
    assert [one.key for one in kept.blocked] == [FIELD]
    assert "in 1 row(s) last written by" in kept.blocked[0].reason
    assert {(one.type, one.count, one.stay) for one in kept.created} == {(FIELD, 1, True)}

    plan = lab.plan(before, Choices(participants=ours, delete_others=True))
    assert {(one.type, one.count, one.stay) for one in plan.created} == {(FIELD, 1, False)}
    lab.update("Routing__c", {"Id": later, "Added__c": "after the plan"}, by="admin")
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Routing__c", later, "Added__c") == "after the plan"
    assert {one.key: one.outcome for one in proof.items}[FIELD] == "changed by someone else"
    assert proof.verdict == "dirty"


def test_a_reset_that_kept_a_field_does_not_make_its_values_ours(lab: Any) -> None:
    """It puts another field of the same row back, and is then the one who wrote the row last."""
    before = lab.capture(objects=("Routing__c",), types=("CustomObject",))
    add_field(lab)
    ours = Choices(participants=frozenset({lab.user("release"), lab.user("loader")}))
    (row,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": row, "Bank__c": "rehearsal"})
    lab.update("Routing__c", {"Id": row, "Added__c": "theirs"}, by="admin")
    first = lab.plan(before, ours)
    lab.apply(first)
    kept = find_kept_before([first], before.ulid)
    assert lab.value("Routing__c", row, "LastModifiedById") == lab.user("release") and kept == {FIELD}
    for choices, do in ((ours, []), (replace(ours, delete_others=True), ["destroy"])):
        after = lab.capture(objects=("Routing__c",), types=("CustomObject",), frozen=before)
        request = GatherRequest("UATFULL", "B1", before, after, clock.now(), {}, choices, kept=kept)
        plan = build_plan(gather(lab.writer.reader, lab.store, request))
        assert [one.do for one in plan.actions] == do
        assert [one.key for one in plan.blocked] == ([] if do else [FIELD])


def test_a_field_that_nobody_may_filter_or_read_counts_every_row_that_was_written(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",), types=("CustomObject",))
    add_field(lab, "<length>32768</length><type>LongTextArea</type><visibleLines>3</visibleLines>", readable=False)
    ours = Choices(participants=frozenset({lab.user("release")}))
    assert [one.do for one in lab.plan(before, ours).actions] == ["destroy"]
    (theirs,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": theirs, "Added__c": "theirs"}, by="admin")
    plan = lab.plan(before, ours)
    assert plan.actions == ()
    assert [one.key for one in plan.blocked] == [FIELD]
