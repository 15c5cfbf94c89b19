"""Queues and groups are metadata and rows at once: what was deleted comes back once, and owns and holds what it did."""

from typing import Any

from rehearse.practice.play_client import Caller, Seat

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
PACKAGE = f"<Package {NS}>{{}}<version>67.0</version></Package>"
OBJECTS = ("Group", "GroupMember")


def member(type: str, name: str) -> str:
    return f"<types><members>{name}</members><name>{type}</name></types>"


def test_a_queue_and_a_group_whose_rows_are_in_scope_too_come_back_once(lab: Any, judge: Any) -> None:
    group = f"<Group {NS}><doesIncludeBosses>false</doesIncludeBosses><name>Temps</name></Group>"
    lab.deploy({"groups/Temps.group": group})
    (temps,) = lab.pick('"Group" WHERE "DeveloperName" = ?', "Temps")
    lab.insert("GroupMember", {"GroupId": temps, "UserOrGroupId": lab.user("sales1")}, by="admin")
    before = lab.capture(objects=OBJECTS, types=("Queue", "Group"))
    picture = judge.take_picture(lab)
    gone = member("Queue", "Claims") + member("Group", "Temps")
    files = {
        "package.xml": PACKAGE.format(member("Group", "Added")),
        "destructiveChangesPost.xml": PACKAGE.format(gone),
    }
    files["groups/Added.group"] = group.replace("Temps", "Added")
    seat = Seat(lab.server.http_url, lab.server.estate.issue_token(lab.org, lab.user("admin")))
    with Caller(seat) as caller:
        caller.deploy({path: text.encode() for path, text in files.items()})
    assert lab.pick('"Group" WHERE "DeveloperName" IN (?, ?)', "Claims", "Temps") == []
    rehearsed = judge.take_picture(lab)
    plan = lab.plan(before)
    report = lab.apply(plan)
    proof = lab.prove(before, plan, report)
    assert {one.type for one in plan.actions} == {"Queue", "Group", "GroupMember"}
    assert not [one for one in plan.actions if (one.kind, one.type) == ("record", "Group")]
    assert len(lab.pick('"Group" WHERE "DeveloperName" = ?', "Claims")) == 1
    (again,) = lab.pick('"Group" WHERE "DeveloperName" = ?', "Temps")
    assert len(lab.pick('"GroupMember" WHERE "GroupId" = ?', again)) == 1
    assert lab.pick('"Group" WHERE "DeveloperName" = ?', "Added") == []
    assert proof.verdict == "clean-with-residue"
    assert not judge.judge(lab, proof, picture, rehearsed, set(OBJECTS)).wrong
