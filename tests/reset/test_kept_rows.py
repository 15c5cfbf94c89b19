"""Rows that stay by choice, and what stands or falls with them: the plan says it, and promises nothing else."""

from typing import Any

from rehearse.reset.model import Choices

OBJECTS = ("Contact", "Account", "Routing__c", "Project__c", "ProjectMember__c", "Machine__c", "Opportunity")
BACK = ("restored", "already equal")


def test_a_plan_promises_nothing_that_a_row_which_stays_stands_in_the_way_of(lab: Any) -> None:
    before = lab.capture(objects=OBJECTS)
    where = ' AND EXISTS (SELECT 1 FROM "ProjectMember__c" WHERE "Project__c" = p."Id") ORDER BY "Id" LIMIT 2'
    taken, other = lab.pick(f'"Project__c" p WHERE "ExternalKey__c" IS NOT NULL{where}')
    members = lab.pick('"ProjectMember__c" WHERE "Project__c" = ?', taken)
    left_out = lab.pick('"ProjectMember__c" WHERE "Project__c" = ? ORDER BY "Id" LIMIT 1', other)[0]
    key = lab.value("Project__c", taken, "ExternalKey__c")
    first, second = lab.pick('"Routing__c" WHERE "Code__c" IS NOT NULL ORDER BY "Id" LIMIT 2')
    code, remark = lab.value("Routing__c", first, "Code__c"), lab.value("Routing__c", first, "Remark__c")
    lab.server.estate.settings.put("binned_rows_hold_unique_values", False)
    # what the rehearsal does, and what somebody else does
    (purged,) = lab.pick('"Machine__c" WHERE "SerialNumber__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    serial = lab.value("Machine__c", purged, "SerialNumber__c")
    lab.delete(purged, hard=True)
    with lab.org.transaction() as db:
        db.execute('DELETE FROM "Machine__c" WHERE "Id" = ?', (purged,))  # nothing shows it any more
    (again,) = lab.insert("Machine__c", {"Name": "theirs", "SerialNumber__c": serial}, by="admin")
    lab.delete(taken, other)
    (holder,) = lab.insert("Project__c", {"Name": "theirs", "ExternalKey__c": key.upper()}, by="admin")
    lab.update("Routing__c", {"Id": first, "Code__c": "free", "Remark__c": "rehearsal"})
    lab.update("Routing__c", {"Id": second, "Code__c": code})
    (account,) = lab.insert("Account", {"Name": "ours"}, by="release")
    (contact,) = lab.insert("Contact", {"LastName": "theirs", "AccountId": account}, by="admin")
    chosen = Choices(participants=frozenset([lab.user("release")]), left_out=frozenset([second, left_out]))
    plan = lab.plan(before, chosen)
    told = {one.key: one.reason for one in plan.blocked}
    assert told[taken] == f"ExternalKey__c is taken by {holder}, which stays"
    assert told[purged] == f"SerialNumber__c is taken by {again}, which stays"
    assert told[members[0]] == f"Project__c names {taken}, which stays deleted"
    assert told[first] == f"Code__c is taken by {second}, which stays"
    assert told[account] == f"{contact} of Contact stays and would be deleted with it"
    assert told[left_out] == f"left out by choice, but comes back with {other}"
    report = lab.apply(plan)
    proof = lab.prove(before, plan, report)
    failed = {one.key for one in proof.items if one.outcome not in BACK} - told.keys()
    assert not failed and {one.outcome for one in proof.items} <= {*BACK, "manual"}, failed
    assert lab.value("Routing__c", first, "Remark__c") == remark and lab.value("Project__c", other, "IsDeleted") == 0
    assert [lab.value("Account", account, one) for one in ("IsDeleted", "Name")] == [0, "ours"]
    # without the choices nothing is in the way
    plan = lab.plan(before, Choices(delete_others=True))
    assert not plan.blocked
    assert lab.prove(before, plan, lab.apply(plan)).verdict == "clean-with-residue"
    assert lab.pick('"Machine__c" WHERE "SerialNumber__c" = ? AND "IsDeleted" = 0', serial) != [again]


def test_a_unique_value_comes_back_where_no_hard_delete_is_allowed_and_the_bin_holds_values(lab: Any) -> None:
    """That login cannot delete past the bin, and most cannot: the created row gives its value up first."""
    lab.server.estate.settings.put("bulk_hard_delete", False)
    before = lab.capture(objects=("Routing__c", "Machine__c"))
    (route,) = lab.pick('"Routing__c" WHERE "Code__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    code = lab.value("Routing__c", route, "Code__c")
    lab.update("Routing__c", {"Id": route, "Code__c": "moved away"})
    (holder,) = lab.insert("Routing__c", {"Name": "new", "Code__c": code}, by="release")
    plan = lab.plan(before)
    assert {one.grade for one in plan.actions} == {"exact"}
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "clean" and lab.value("Routing__c", route, "Code__c") == code
    assert lab.value("Routing__c", holder, "IsDeleted") == 1


def test_a_row_that_somebody_brought_back_beside_the_one_that_was_re_inserted_is_the_row_again(lab: Any) -> None:
    """What was re-inserted goes, and the old row is put back under its own Id: the pair of Ids speaks of it no more."""
    before = lab.capture(objects=("Opportunity", "Project__c"))
    where = '"Opportunity" WHERE "Project__c" = ? ORDER BY "Id"'
    (project,) = lab.pick('"Project__c" WHERE "Id" IN (SELECT "Project__c" FROM "Opportunity") ORDER BY "Id" LIMIT 1')
    deals, name = lab.pick(where, project), lab.value("Project__c", project, "Name")
    lab.delete(project, hard=True)
    assert lab.reset(before).verdict == "clean-with-residue"
    new = lab.ids.load()[project]
    assert lab.pick(where, new) == deals
    with lab.org.transaction() as db:
        db.execute('UPDATE "Project__c" SET "IsDeleted" = 0, "Name" = \'old\' WHERE "Id" = ?', (project,))
    proof = lab.reset(before)
    assert proof.verdict == "clean", [(one.key, one.outcome, one.detail) for one in proof.items]
    assert lab.value("Project__c", new, "IsDeleted") == 1 and lab.value("Project__c", project, "Name") == name
    assert lab.pick(where, project) == deals
