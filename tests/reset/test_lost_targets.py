"""What hangs on rows that do not come back, or are out of the scope: named, and the rest goes back all the same."""

from typing import Any

import pytest

from rehearse.reset.model import Choices

OBJECTS = ("Opportunity", "Project__c", "ProjectMember__c", "Machine__c")

NOT_THERE = "without what it names in Project__c, which is not there"


def test_a_row_that_points_to_one_that_stays_deleted_gets_all_else_back(lab: Any) -> None:
    """A project is left out; what named it, alive or deleted too, comes back without it, and no write is refused."""
    before = lab.capture(objects=OBJECTS)
    (project,) = lab.pick(
        '"Project__c" p WHERE EXISTS (SELECT 1 FROM "Opportunity" WHERE "Project__c" = p."Id")'
        ' AND EXISTS (SELECT 1 FROM "Machine__c" WHERE "Project__c" = p."Id")'
        ' AND EXISTS (SELECT 1 FROM "ProjectMember__c" WHERE "Project__c" = p."Id") ORDER BY "Id" LIMIT 1'
    )
    deal = lab.pick('"Opportunity" WHERE "Project__c" = ? ORDER BY "Id" LIMIT 1', project)[0]
    owner = lab.value("Opportunity", deal, "OwnerId")
    machine = lab.pick('"Machine__c" WHERE "Project__c" = ? ORDER BY "Id" LIMIT 1', project)[0]
    members = lab.pick('"ProjectMember__c" WHERE "Project__c" = ?', project)
    stage = lab.value("Opportunity", deal, "NextStep")
    lab.update("Opportunity", {"Id": deal, "NextStep": "rehearsal", "OwnerId": lab.user("desk1")})
    lab.delete(machine)
    lab.delete(project)
    plan = lab.plan(before, Choices(left_out=frozenset([project])))
    told = {one.key: one.reason for one in plan.blocked}
    assert told.keys() >= {project, deal, machine, *members}
    assert told[deal] == told[machine] == f"Project__c names {project}, which stays deleted"
    assert not {one.key for one in plan.actions} & {project, *members}
    report = lab.apply(plan)
    assert {one.state for one in report.results} <= {"done", "already", "waiting"}
    assert [lab.value("Opportunity", deal, one) for one in ("NextStep", "OwnerId")] == [stage, owner]
    assert lab.value("Machine__c", machine, "IsDeleted") == 0
    proof = lab.prove(before, plan, report)
    assert proof.verdict == "dirty" and {one.outcome for one in proof.items if one.key in told} == {"manual"}


@pytest.mark.parametrize("after_the_plan", [False, True])
def test_a_look_up_out_of_the_scope_that_names_nobody_any_more_holds_up_nothing_else(
    lab: Any, after_the_plan: bool
) -> None:
    """The plan says so where it can; else the org refuses the row, which then goes without the look-up."""
    before = lab.capture(objects=("Opportunity",))
    (deal,) = lab.pick('"Opportunity" WHERE "Project__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    project, step = lab.value("Opportunity", deal, "Project__c"), lab.value("Opportunity", deal, "NextStep")
    lab.update("Opportunity", {"Id": deal, "NextStep": "rehearsal", **({"Project__c": None} if after_the_plan else {})})
    if not after_the_plan:
        lab.delete(project)
    plan = lab.plan(before)
    if after_the_plan:
        lab.delete(project)
    blocked = {(one.key, one.reason) for one in plan.blocked}
    assert blocked == (set() if after_the_plan else {(deal, f"Project__c names {project}, which stays deleted")})
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Opportunity", deal, "NextStep") == step
    (item,) = [one for one in proof.items if one.key == deal]
    assert (proof.verdict, item.outcome) == ("dirty", "failed" if after_the_plan else "manual")
    assert item.detail == (NOT_THERE if after_the_plan else plan.blocked[0].reason)


def test_what_the_platform_derives_from_a_row_out_of_the_scope_is_for_somebody_to_put_back(lab: Any) -> None:
    """A task's account is that of its deal: no reset of tasks alone can write it, and none has failed to."""
    before = lab.capture(objects=("Task",))
    deals = lab.pick('"Opportunity" WHERE "Id" IN (SELECT "WhatId" FROM "Task") ORDER BY "Id" LIMIT 1')
    tasks = lab.pick('"Task" WHERE "WhatId" = ? AND "IsDeleted" = 0 ORDER BY "Id"', deals[0])
    (other,) = lab.pick('"Account" WHERE "Id" <> ? LIMIT 1', lab.value("Opportunity", deals[0], "AccountId"))
    lab.update("Opportunity", {"Id": deals[0], "AccountId": other})
    proof = lab.reset(before)
    assert {(one.key, one.outcome) for one in proof.items} == {(one, "manual") for one in tasks}
    assert proof.verdict == "dirty" and all(one.detail.startswith("AccountId: ") for one in proof.items)
