"""While a reset writes, the org's own automation is silent where the scope says so, and afterwards it is as it was."""

import os
from typing import Any

import pytest

from rehearse.errors import UsageError
from rehearse.reset.bypass import load_bypasses
from rehearse.reset.model import Switch

OBJECTS = ("Account", "Invoice__c", "TriggerSwitch__c", "Task", "Payment__c")
PERMISSION = Switch("custom_permission", "Bypass_Automation")
SETTING = Switch("custom_setting", "Automation__c", values=(("Off__c", True),))
ROWS = Switch("rows", "TriggerSwitch__c", "Name = 'all'", (("Active__c", False), ("Remark__c", "reset")))
TABLES = ("PermissionSetAssignment", "Automation__c", "TriggerSwitch__c")


class Killed(BaseException):
    """What a kill looks like from inside."""


def returned_payment(lab: Any) -> str:
    """A payment that a reset puts back to `Returned` from `Open`, which the org's trigger answers with a task."""
    (payment,) = lab.pick('"Payment__c" WHERE "State__c" = \'Returned\' ORDER BY "Id" LIMIT 1')
    return str(payment)


def picture(lab: Any) -> Any:
    found = lab.photograph(TABLES)
    return found.rows, found.components, found.flows


@pytest.mark.parametrize("switch", [PERMISSION, SETTING], ids=["permission", "setting"])
def test_automation_is_silent_and_then_as_it_was(lab: Any, switch: Switch) -> None:
    payment = returned_payment(lab)
    before = lab.capture(objects=OBJECTS)
    kept = picture(lab)
    lab.update("Payment__c", {"Id": payment, "State__c": "Open"})
    tasks = len(lab.pick('"Task" WHERE "IsDeleted" = 0'))
    plan = lab.plan(before, bypass=(switch,))
    report = lab.apply(plan)
    assert {one.ulid for one in lab.store.load_all()} == {
        before.ulid,
        plan.live_capture,
    }  # what the passes read is gone again
    proof = lab.prove(before, plan, report)
    assert lab.value("Payment__c", payment, "State__c") == "Returned"
    assert len(lab.pick('"Task" WHERE "IsDeleted" = 0')) == tasks
    assert proof.verdict == "clean" and picture(lab) == kept
    assert [(one.outcome, one.detail) for one in proof.items if one.type == "bypass"] == [("restored", "")]
    assert load_bypasses(lab.database) == ()
    if switch is SETTING:  # and without a switch the trigger answers: what was silent above can be heard
        lab.update("Payment__c", {"Id": payment, "State__c": "Open"})
        lab.apply(lab.plan(before))
        assert len(lab.pick('"Task" WHERE "IsDeleted" = 0')) == tasks + 1


def test_rows_that_the_rehearsal_changed_go_back_to_the_baseline_and_not_to_what_they_were(lab: Any) -> None:
    switch, other = lab.pick('"TriggerSwitch__c" ORDER BY "Name"')
    before = lab.capture(objects=OBJECTS)
    kept = picture(lab)
    lab.update("TriggerSwitch__c", {"Id": switch, "Remark__c": "rehearsal"}, {"Id": other, "Remark__c": "rehearsal"})
    plan = lab.plan(before, bypass=(ROWS,))
    seen: list[Any] = []

    def hook(when: str, method: str, path: str) -> None:
        if when == "after" and method == "PATCH":
            seen.append(
                (lab.value("TriggerSwitch__c", switch, "Active__c"), lab.value("TriggerSwitch__c", switch, "Remark__c"))
            )

    lab.hook = hook
    proof = lab.prove(before, plan, lab.apply(plan))
    assert (0, "reset") in seen
    assert proof.verdict == "clean" and picture(lab) == kept


def test_what_is_deactivated_by_deployment_is_active_again(lab: Any) -> None:
    """The row breaks the rule that the baseline has: only with the rule off can it come back."""
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    with lab.org.transaction() as db:
        db.execute('UPDATE "Routing__c" SET "Code__c" = NULL WHERE "Id" = ?', (route,))
    before = lab.capture(objects=(*OBJECTS, "Routing__c"))
    kept = picture(lab)
    rules = lab.rules()
    lab.update("Routing__c", {"Id": route, "Code__c": "NOW-GIVEN"})
    plan = lab.plan(before, bypass=(rule_of(rules),))
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Routing__c", route, "Code__c") is None
    assert proof.verdict == "clean" and picture(lab) == kept and lab.rules() == rules


def rule_of(rules: list[Any]) -> Switch:
    """The rule that asks for a code."""
    name = next(name for object, name, active in rules if object == "Routing__c" and active)
    return Switch("deactivate", f"ValidationRule:Routing__c.{name}")


@pytest.mark.parametrize("place", range(1, 11) if os.environ.get("REHEARSE_TEST") == "all" else [2])
def test_a_killed_reset_is_shown_until_it_is_continued(lab: Any, place: int) -> None:
    payment = returned_payment(lab)
    before = lab.capture(objects=OBJECTS)
    kept = picture(lab)
    lab.update("Payment__c", {"Id": payment, "State__c": "Open"})
    plan = lab.plan(before, bypass=(SETTING, ROWS))
    writes = 0

    def hook(when: str, method: str, path: str) -> None:
        nonlocal writes
        if method in ("POST", "PATCH", "DELETE") and "/sobjects" in path:
            writes += 1
            if writes == place:
                raise Killed

    lab.hook = hook
    with pytest.raises(Killed):
        lab.apply(plan)
    lab.hook = None
    (bypass,) = load_bypasses(lab.database)
    assert (
        bypass.run == plan.id and bypass.sandbox == "UATFULL" and "custom setting Automation__c" in bypass.switches[0]
    )
    with lab.database.begin() as connection:
        journal = str(connection.exec_driver_sql("SELECT group_concat(detail) FROM journal").scalar())
    assert "Off__c" not in journal and "reset" not in journal.replace("reset}", "")
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "clean" and picture(lab) == kept and load_bypasses(lab.database) == ()


def test_a_switch_that_did_not_go_back_makes_the_proof_dirty(lab: Any) -> None:
    before = lab.capture(objects=("Account",))
    (account,) = lab.pick('"Account" ORDER BY "Id" LIMIT 1')
    lab.update("Account", {"Id": account, "Description": "rehearsal"})
    plan = lab.plan(before, bypass=(ROWS,))
    report = lab.apply(plan)
    (switch,) = lab.pick('"TriggerSwitch__c" WHERE "Name" = \'all\'')
    lab.update("TriggerSwitch__c", {"Id": switch, "Active__c": False})
    proof = lab.prove(before, plan, report)
    (item,) = [one for one in proof.items if one.type == "bypass"]
    assert item.outcome == "failed" and "TriggerSwitch__c" in item.detail and proof.verdict == "dirty"
    lab.update("TriggerSwitch__c", {"Id": switch, "Remark__c": "reset"})  # as another workspace may have left it
    lab.update("Account", {"Id": account, "Description": "rehearsal"})
    plan = lab.plan(before, bypass=(ROWS,))
    proof = lab.prove(before, plan, lab.apply(plan))
    assert [one.detail[:52] for one in proof.items if one.type == "bypass"] == [
        "as before the reset, and that was silent already: an"
    ]


def test_a_switch_that_the_org_does_not_have_stops_before_anything_is_written(lab: Any) -> None:
    (account,) = lab.pick('"Account" ORDER BY "Id" LIMIT 1')
    before = lab.capture(objects=("Account",))
    lab.update("Account", {"Id": account, "Description": "rehearsal"})
    kept = picture(lab)
    for switch in (
        Switch("custom_permission", "No_Such_Permission"),
        Switch("custom_setting", "Nothing__c", values=(("Off__c", True),)),
        Switch("custom_setting", "TriggerSwitch__c", values=(("Active__c", False),)),
        Switch("rows", "TriggerSwitch__c", "Name = 'nobody'", (("Active__c", False),)),
        Switch("rows", "TriggerSwitch__c", "Nothing = 1", (("Active__c", False),)),
        Switch("deactivate", "ValidationRule:Routing__c.Nothing"),
    ):
        with pytest.raises(UsageError, match=r"scope\.bypass|Nothing|TriggerSwitch__c is no|No_Such") as refusal:
            lab.apply(lab.plan(before, bypass=(SETTING, switch)))  # the first one is not touched for the second's sake
        assert refusal.value.hint
        assert lab.value("Account", account, "Description") == "rehearsal", switch
        assert picture(lab) == kept and load_bypasses(lab.database) == ()
