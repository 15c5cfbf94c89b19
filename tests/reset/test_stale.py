"""A plan is refused when the org moved since it was made, and says what moved; and who took no part keeps the rows."""

from typing import Any

import pytest

from rehearse.errors import NotFound, StalePlan
from rehearse.reset.model import Choices
from rehearse.reset.people import fetch_users


def test_a_plan_is_refused_when_the_org_moved_and_says_what(lab: Any) -> None:
    route, other, third = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 3')
    before = lab.capture(objects=("Routing__c", "Account"), types=("CustomLabels",))
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    plan = lab.plan(before)
    (account,) = lab.pick('"Account" ORDER BY "Id" LIMIT 1')
    lab.update("Account", {"Id": account, "Description": "a customer called"}, by="sales1")
    lab.update("Routing__c", {"Id": other, "Remark__c": "ours"}, by="release")
    lab.delete(third)
    with pytest.raises(StalePlan) as refusal:
        lab.apply(plan, keep_newer=False)
    said = refusal.value.message
    assert "1 row(s) of Account, written by Carla Barros" in said and account in said
    assert "Routing__c, written by" in said and "a customer called" not in said
    assert lab.value("Routing__c", route, "Remark__c") == "rehearsal"  # nothing was written
    again = lab.plan(before)
    assert lab.prove(before, again, lab.apply(again, keep_newer=False)).verdict == "clean"


def test_a_component_that_moved_makes_a_plan_stale(lab: Any) -> None:
    rule = (
        '<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><validationRules><fullName>New_Rule</fullName>'
    )
    tail = (
        "<active>true</active><errorConditionFormula>LEN(Bank__c) &gt; {0}</errorConditionFormula>"
        "<errorMessage>no</errorMessage></validationRules></CustomObject>"
    )
    before = lab.capture(objects=("Routing__c",), types=("CustomObject",))
    lab.deploy({"objects/Routing__c.object": rule + tail.format(80)})
    plan = lab.plan(before)
    lab.deploy({"objects/Routing__c.object": rule + tail.format(70)})
    with pytest.raises(StalePlan, match=r"ValidationRule Routing__c\.New_Rule, written by \w+"):
        lab.apply(plan, keep_newer=False)


def test_rows_of_people_who_took_no_part_stay_unless_told_otherwise(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",))
    (ours,) = lab.insert("Routing__c", {"Code__c": "OURS"}, by="release")
    (theirs,) = lab.insert("Routing__c", {"Code__c": "THEIRS"}, by="loader")
    lab.update("Routing__c", {"Id": theirs, "Remark__c": "touched by us"}, by="release")  # whoever touched it last
    reader = lab.writer.reader
    release, loader = lab.user("release"), lab.user("loader")
    assert fetch_users(reader, ["loader", release, "Data Loader"]) == {
        "loader": loader, release: release, "Data Loader": loader,
    }  # fmt: skip
    with pytest.raises(NotFound):
        fetch_users(reader, ["nobody' OR Name LIKE '%"])
    plan = lab.plan(before, Choices(participants=frozenset({release})))
    assert {one.key for one in plan.actions} == {ours}
    assert {(one.by, one.count, one.stay) for one in plan.created} == {
        ("Rónán Fáinle", 1, False), ("Data Loader", 1, True),
    }  # fmt: skip
    assert [(one.key, "took no part" in one.reason) for one in plan.blocked] == [(theirs, True)]
    both = Choices(participants=frozenset({release, loader}))
    for choices in (both, Choices(participants=frozenset({release}), delete_others=True), Choices()):
        assert {one.key for one in lab.plan(before, choices).actions} == {ours, theirs}
    for choices in (Choices(delete_added=False), Choices(left_out=frozenset({ours, theirs}))):
        assert {one.stay for one in lab.plan(before, choices).created} == {True}  # as the plan does, whoever made them
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.pick('"Routing__c" WHERE "Id" = ? AND "IsDeleted" = 0', theirs) and proof.verdict == "dirty"
    assert [one.outcome for one in proof.items if one.key == theirs] == ["manual"]


def test_a_proof_tells_who_changed_the_setup_and_what_was_accepted_before(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",), types=("CustomLabels",))
    person = lab.user("sales1")
    rows_of_set = lab.pick('"PermissionSet" WHERE "Name" = \'Data_Loading\'')
    held = {"AssigneeId": person, "PermissionSetId": rows_of_set[0]}
    lab.insert("PermissionSetAssignment", held, by="admin")
    proof = lab.prove(before)
    assert [(one.by, one.count) for one in proof.setup_changes] == [("Wiebke Hüsken", 1)]
    assert proof.setup_changes[0].section and "Barros" not in str(proof.setup_changes)
    assert any("SystemModstamp" in one for one in proof.assumptions)


def test_a_login_that_does_not_see_all_rows_inserts_none_and_proves_nothing(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",))
    assert before.verdict == "usable" and not [one for one in before.coverage if one.name == "(rows of others)"]
    gone, binned = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 2')
    with lab.org.transaction() as db:  # past the day in which queryAll still shows it
        db.execute('DELETE FROM "Routing__c" WHERE "Id" = ?', (gone,))
    lab.delete(binned)
    assert {one.key: one.do for one in lab.plan(before).actions} == {gone: "insert", binned: "undelete"}
    with lab.org.transaction() as db:  # the login's profile sees every object, but no longer all data
        sql = "SELECT xml FROM meta_component WHERE type = 'Profile' AND name = 'Admin'"
        xml = bytes(db.execute(sql).fetchone()[0]).replace(b"ModifyAllData", b"ModifyMetadata")
        short = xml.replace(b"ViewAllData", b"RunReports")
        db.execute("UPDATE meta_component SET xml = ? WHERE type = 'Profile' AND name = 'Admin'", (short,))
    plan = lab.plan(before)
    assert {one.key: one.do for one in plan.actions} == {binned: "undelete"}
    assert [(one.key, "View All Data" in one.reason) for one in plan.blocked] == [(gone, True)]
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "partial" and any("lacks View All Data" in one for one in proof.not_compared)
    assert lab.capture(objects=("Routing__c",)).verdict == "partial"
    rows, refused, none = lab.writer.fetch_queries(
        ["SELECT Id, Owner.Name FROM Account LIMIT 3", "SELECT Nope FROM Account", "SELECT Id FROM Account LIMIT 0"]
    )
    assert len(rows) == 3 and "Owner.Name" in rows[0] and refused.org_code == "INVALID_FIELD" and none == []
    assert set(lab.writer.fetch_schemas(["Account", "Nothing__c", "Contact"])) == {"Account", "Contact"}


def test_a_broken_off_reset_that_a_later_one_took_over_is_not_continued(lab: Any) -> None:
    """The next rehearsal makes the very same change: to the old plan it would look like the one that it undoes."""
    before = lab.capture(objects=("Routing__c",))
    ids = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 2')
    lab.update("Routing__c", *({"Id": one, "Remark__c": "rehearsal"} for one in ids))
    old = lab.plan(before)

    def stop(when: str, method: str, path: str) -> None:
        if (when, method) == ("before", "PATCH"):
            raise KeyboardInterrupt

    lab.hook = stop
    with pytest.raises(KeyboardInterrupt):
        lab.apply(old, batch=1)
    lab.hook = None
    later = lab.plan(before)
    assert lab.prove(before, later, lab.apply(later)).verdict == "clean"
    lab.update("Routing__c", *({"Id": one, "Remark__c": "rehearsal"} for one in ids))
    with pytest.raises(StalePlan, match="A later reset of UATFULL"):
        lab.apply(old)
    assert [lab.value("Routing__c", one, "Remark__c") for one in ids] == ["rehearsal"] * 2
    report = lab.apply(later)
    assert report.passes and [lab.value("Routing__c", one, "Remark__c") for one in ids] == ["rehearsal"] * 2
