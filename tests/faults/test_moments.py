"""The moments in which only the journal knows: a reply that was lost, or a kill right after a call that took effect.

What runs on inside the org (a bulk job, a deployment) is looked up and awaited; nothing is sent a second time.
"""

import os
from datetime import datetime, timedelta
from typing import Any

import pytest

from rehearse import clock, lock
from rehearse.errors import NotASandbox, OrgUncertain, StoppedPartWay
from rehearse.events import Finished
from rehearse.journal import Journal, load_entries
from rehearse.org.connect import WireOptions
from rehearse.practice import meta_flows
from rehearse.practice.components import Author
from rehearse.practice.faults import Fault
from rehearse.reset.apply import apply
from rehearse.reset.apply_context import Tools
from rehearse.reset.context import ApplySettings

LONG = os.environ.get("REHEARSE_TEST") == "all"
META = (
    '<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata"><apiVersion>67.0</apiVersion><status>Active</status>'
    "</ApexClass>"
)


def apex(name: str, body: str) -> dict[str, str]:
    return {f"classes/{name}.cls": body, f"classes/{name}.cls-meta.xml": META}


class Killed(BaseException):
    """What a kill looks like from inside: nothing may catch it."""


def apply_killed(lab: Any, plan: Any, when: str, method: str, part: str) -> None:
    """Apply, killed at the first call of this kind."""

    def kill(moment: str, called: str, path: str) -> None:
        if (moment, called) == (when, method) and part in path:
            raise Killed

    lab.hook = kill
    with pytest.raises(Killed):
        lab.apply(plan)
    lab.hook = None


@pytest.mark.parametrize("moment", ["before", "after"] if LONG else ["after"])
def test_a_bulk_job_that_was_let_run_is_found_by_its_id(lab: Any, moment: str) -> None:
    """Killed around the call that closes the upload: the row comes back once, whether the job ran or not."""
    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" WHERE "Code__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    code = lab.value("Routing__c", route, "Code__c")
    lab.delete(route, hard=True)
    plan = lab.plan(before)
    apply_killed(lab, plan, moment, "PATCH", "/jobs/ingest/")
    (job,) = (one.detail["job"] for one in load_entries(lab.database, plan.id) if "job" in one.detail)
    proof = lab.continue_and_prove(before.ulid)
    lab.writer.close_ingest(job)  # as a process would that only seemed to be dead
    assert lab.writer.fetch_ingest(job).state == {"before": "Aborted", "after": "JobComplete"}[moment]
    alive = lab.pick('"Routing__c" WHERE "Code__c" = ? AND "IsDeleted" = 0', code)
    assert alive == [lab.ids.load()[route]]
    assert proof.verdict == "clean-with-residue"


@pytest.mark.parametrize("end", ["lost", "after", "before"] if LONG else ["lost", "after"])
def test_a_deployment_under_way_is_awaited_and_not_sent_again(lab: Any, end: str) -> None:
    """Its reply never came, or the process died right then, or with its id known; the org deploys on, slowly."""
    lab.deploy(apex("Left", "public class Left {}"))
    before = lab.capture(objects=(), types=("ApexClass",))
    lab.deploy(apex("Left", "public class Left { /* rehearsal */ }"))
    plan = lab.plan(before)
    lab.server.faults.put(Fault("JOB", "^deploy$", 1, "slow", 1, 0.7))
    if end == "lost":
        lab.server.faults.add(("SOAP", "^deploy$"), do="lose-reply")
        report = lab.apply(plan)
    else:

        def kill(moment: str, called: str, path: str) -> None:
            if moment == end and deployments(lab):
                raise Killed

        lab.hook = kill
        with pytest.raises(Killed):
            lab.apply(plan)
        lab.hook = None
        report = lab.apply(plan)
    assert deployments(lab) == 1
    assert lab.prove(before, plan, report).verdict == "clean"


def deployments(lab: Any) -> int:
    """How many deployments our user asked this sandbox for, from its own table."""
    with lab.org.lock:
        count = "SELECT count(*) FROM meta_job WHERE kind = 'deploy'"
        return int(lab.org.db.execute(count).fetchone()[0])


def test_an_edit_between_two_passes_is_kept_although_our_automation_then_touches_the_row(lab: Any) -> None:
    """The first pass meets a lock, so the second one writes; before it, somebody edits what that write will touch."""
    before = lab.capture(objects=("Account", "Invoice__c"))
    (invoice,) = lab.pick('"Invoice__c" WHERE "IssuedOn__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    account = lab.value("Invoice__c", invoice, "Account__c")
    lab.update("Invoice__c", {"Id": invoice, "IssuedOn__c": "2019-01-01"}, automation=False)
    plan = lab.plan(before)
    lab.server.faults.put(Fault("PATCH", "/composite/sobjects", 1, "lock-row", WireOptions().attempts))

    def edit(event: Any) -> None:
        if isinstance(event, Finished) and event.work == "reset pass 1":
            lab.update("Account", {"Id": account, "Fax": "theirs"}, by="admin")

    lab._begin_a_second(plan)
    with lock.hold(lab.database, "UATFULL", "reset", clock.now()) as held:
        tools = Tools(lab.writer, lab.store, Journal(lab.database, held, plan.id), lab.ids, edit)
        report = apply(plan, tools, ApplySettings(poll=0.0, sleep=lambda seconds: None, lock_tries=1))
    assert report.passes > 1 and lab.value("Invoice__c", invoice, "IssuedOn__c") != "2019-01-01"
    assert lab.value("Account", account, "Fax") == "theirs"
    assert lab.prove(before, plan, report).verdict == "dirty"


def activate(lab: Any, number: int) -> None:
    """Somebody of the team switches the flow to a version, or off."""
    with lab.org.transaction():
        meta_flows.set_active(lab.org, "Case_Urgency", number, Author(lab.user("admin"), lab.org.stamp()))


def active(lab: Any) -> list[int]:
    query = "SELECT number FROM meta_flow_version WHERE flow = 'Case_Urgency' AND status = 'Active'"
    with lab.org.lock:
        return [number for (number,) in lab.org.db.execute(query)]


ENDS = {"lost": OrgUncertain("The reply was lost."), "killed": Killed()}


@pytest.mark.parametrize("end", list(ENDS.values()) if LONG else [ENDS["killed"]], ids=lambda one: type(one).__name__)
def test_a_flow_is_switched_again_only_when_the_first_call_can_no_longer_arrive(lab: Any, end: BaseException) -> None:
    before = lab.capture(objects=(), types=("Flow", "FlowDefinition"))
    activate(lab, 0)
    plan = lab.plan(before)
    began = clock.now()
    at, sent = {"now": began}, list[datetime]()

    def cut(when: str, method: str, path: str) -> None:
        if (when, method) == ("before", "PATCH"):
            sent.append(at["now"])
            if len(sent) == 1:
                raise end

    def sleep(seconds: float) -> None:
        at["now"] += timedelta(seconds=seconds)

    lab.hook = cut
    patient = {"uncertain_for": timedelta(minutes=10), "poll": 60.0, "now": lambda: at["now"], "sleep": sleep}
    if isinstance(end, Killed):
        with pytest.raises(Killed):
            lab.apply(plan, **patient)
    report = lab.apply(plan, **patient)
    assert len(sent) == 2 and sent[1] - began >= timedelta(minutes=10)
    assert active(lab) == [2] and lab.prove(before, plan, report).verdict == "clean"


def test_components_that_somebody_else_changed_after_the_plan_stay(lab: Any) -> None:
    """A version that was activated, a class that the plan would put back, a class that no plan knows."""
    lab.deploy(apex("Left", "public class Left {}"))
    before = lab.capture(objects=(), types=("Flow", "FlowDefinition", "ApexClass"))
    activate(lab, 0)
    lab.deploy({**apex("Left", "public class Left { /* rehearsal */ }"), **apex("Fresh", "public class Fresh {}")})
    plan = lab.plan(before)
    activate(lab, 1)
    lab.deploy({**apex("Left", "public class Left { /* theirs */ }"), **apex("Theirs", "public class Theirs {}")})
    proof = lab.prove(before, plan, lab.apply(plan))
    bodies = {name: bytes(body) for name, body in lab.org.db.execute("SELECT name, body FROM meta_file")}
    assert active(lab) == [1] and b"theirs" in bodies["Left"] and "Theirs" in bodies and "Fresh" not in bodies
    found = {one.key: one.outcome for one in proof.items}
    others = "changed by someone else"
    assert found == {"Case_Urgency": others, "Left": others, "Theirs": others, "Fresh": "restored"}
    assert proof.verdict == "dirty"


def test_a_destructive_phase_asks_again_whether_this_is_the_sandbox(lab: Any) -> None:
    """The org says something else right after a kept row was taken off a created one: that one is not deleted."""
    before = lab.capture(objects=("Project__c",))
    (kept,) = lab.pick('"Project__c" WHERE "Parent__c" IS NULL ORDER BY "Id" LIMIT 1')
    (made,) = lab.insert("Project__c", {"Name": "Umbrella"})
    lab.update("Project__c", {"Id": kept, "Parent__c": made}, automation=False)
    plan = lab.plan(before)

    def turn(when: str, method: str, path: str) -> None:
        if when == "after" and lab.value("Project__c", kept, "Parent__c") is None:
            lab.hook = None
            with lab.org.transaction() as db:
                db.execute('UPDATE "Organization" SET "IsSandbox" = 0')

    lab.hook = turn
    with pytest.raises(NotASandbox):
        lab.apply(plan)
    assert lab.value("Project__c", made, "IsDeleted") == 0


def test_what_the_budget_of_calls_stopped_before_it_left_is_not_waited_for(lab: Any) -> None:
    """The same command continues when there is budget again: at once, and not when the longest call is over."""
    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    plan = lab.plan(before)

    def stop(when: str, method: str, path: str) -> None:
        if (when, method) == ("before", "PATCH"):
            raise StoppedPartWay("The budget of API calls is used up.")

    lab.hook = stop
    with pytest.raises(StoppedPartWay):
        lab.apply(plan)
    lab.hook = None
    assert [one.result for one in load_entries(lab.database, plan.id) if one.kind == "update"][0] is not None
    report = lab.apply(plan, uncertain_for=timedelta(minutes=10), sleep=lambda _: pytest.fail("nothing was sent"))
    assert lab.prove(before, plan, report).verdict == "clean"
