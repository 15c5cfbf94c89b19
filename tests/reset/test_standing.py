"""What no deployment brings back, whatever the scope: scheduled work, put back by hand, and package versions."""

from datetime import timedelta
from typing import Any

from rehearse.practice import apex_jobs


def test_lost_work_is_manual_and_a_package_that_moved_is_impossible(lab: Any) -> None:
    with lab.org.lock:
        (script,) = lab.org.db.execute("SELECT name FROM meta_component WHERE type = 'ApexClass' LIMIT 1").fetchone()
    trigger = apex_jobs.schedule_apex(lab.org, lab.user("admin"), script, lab.org.now() + timedelta(days=5))
    before = lab.capture(objects=(), types=())
    apex_jobs.end_apex(lab.org, trigger)
    newer = "UPDATE meta_component SET xml = CAST(replace(CAST(xml AS TEXT), '3.12', '3.13') AS BLOB) WHERE type = ?"
    with lab.org.transaction() as db:
        db.execute(newer, ("InstalledPackage",))
    plan = lab.plan(before)
    assert plan.actions == ()
    assert {(one.type, one.key): one.grade for one in plan.blocked} == {
        ("CronTrigger", f"{script} daily"): "manual",
        ("InstalledPackage", "tidemaps"): "impossible",
    }
    reason = next(one.reason for one in plan.blocked if one.type == "CronTrigger")
    assert f"System.schedule('{script} daily', '" in reason and reason.endswith(f"new {script}());")
    proof = lab.prove(before, plan)
    assert proof.verdict == "dirty" and {one.outcome for one in proof.items} == {"manual", "impossible"}
    alone = next(one.detail for one in lab.prove(before).items if one.type == "CronTrigger")
    owner = lab.value("User", lab.user("admin"), "Username")
    assert alone == reason and f"holds ({owner}): System.schedule(" in reason
