"""A filtered scope: a row that left the filter is updated back under its own Id, and never called deleted; what lies
behind the filter is counted and said."""

from typing import Any

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Scope


def test_a_row_that_left_the_filter_comes_back_by_an_update(lab: Any) -> None:
    scope = Scope(metadata_include=(), objects=("Routing__c",), where={"Routing__c": "Active__c = true"})
    before = capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)
    picture = lab.photograph(["Routing__c"])
    kept = {str(row["Id"]) for row in lab.store.load_rows(before.ulid, "Routing__c", None, [])}
    leaving, dying = sorted(kept)[:2]
    lab.update("Routing__c", {"Id": leaving, "Active__c": False})
    lab.delete(dying)
    told = {one.key: (one.outcome, one.detail) for one in lab.prove(before).items}
    assert told[leaving] == ("failed", "left the filter of the baseline and not put back")
    assert "deleted" in told[dying][1]
    plan = lab.plan(before)
    assert {one.key: one.do for one in plan.actions} == {leaving: "update", dying: "undelete"}
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "clean" and {one.outcome for one in proof.items} == {"restored"}
    assert lab.photograph(["Routing__c"]).rows == picture.rows
    away = lab.pick('"Routing__c" WHERE "Active__c" = 0 AND "IsDeleted" = 0 ORDER BY "Id" LIMIT 2')
    lab.update("Routing__c", {"Id": away[0], "Remark__c": "nobody compares it"})
    lab.delete(away[1])
    lab.insert("Routing__c", {"Code__c": "ELSEWHERE", "Active__c": False})
    proof = lab.prove(before)
    assert proof.verdict == "clean"
    assert proof.outside_scope["Routing__c outside its filter"] == 3
    assert proof.scope["filters"] == ("Routing__c: Active__c = true",)
