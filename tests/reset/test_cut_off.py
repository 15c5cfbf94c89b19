"""What hung on rows that live under new Ids and lies outside the scope is named; no comparison sees it."""

from dataclasses import replace
from typing import Any

from rehearse.org.model import Child, Schema
from rehearse.reset.cut_off import list_cut_off, lost_below
from rehearse.reset.model import Choices

ACCOUNT = Schema("Account", "001", True, True, True, True, True, True, False, ())


def test_objects_outside_the_scope_are_named_by_what_a_deletion_does_to_them(lab: Any) -> None:
    """Nothing is told of rows under their old Ids, of the platform's own rows, and of what stops a deletion."""
    account, campaign = lab.insert("Account", {"Name": "Lost"})[0], lab.insert("Campaign", {"Name": "Lost"})[0]
    (contact,) = lab.insert("Contact", {"LastName": "Lost", "AccountId": account})
    (deal,) = lab.pick('"Opportunity" ORDER BY "Id" LIMIT 1')
    lab.update("Opportunity", {"Id": deal, "CampaignId": campaign})
    before = lab.capture(objects=["Account", "Campaign"])
    lab.delete(account, campaign, hard=True)
    proof = lab.reset(before)
    assert proof.verdict == "clean-with-residue"
    assert lab.pick('"Contact" WHERE "Id" = ? AND "IsDeleted" = 0', contact) == []
    assert lab.value("Opportunity", deal, "CampaignId") is None
    told = {one.partition(":")[0]: one for one in proof.not_compared}
    gone, _, empty = told["records Account"].partition("are empty")
    assert "1 row(s) live under new Ids" in gone and "history, feed" in gone
    assert "Contact.AccountId" in gone and "Opportunity" in gone
    assert "Project__c.Account__c" in empty and "Case" not in told["records Account"]
    assert "are empty: Opportunity.CampaignId" in told["records Campaign"]

    children = tuple(Child(name, "AccountId", True, False) for name in ("AccountHistory", "OpenActivity", "Asset"))
    many = tuple(Child(f"Part{number}__c", "Account__c", False, False) for number in range(10))
    schemas = {"Account": replace(ACCOUNT, children=(*children, *many)), "Contact": replace(ACCOUNT, key_prefix="003")}
    (one,) = list_cut_off(before, schemas, ["001HES000000001YBA"])
    assert "is gone: Asset.AccountId;" in one and one.endswith("Part7__c.Account__c and 2 more")
    assert list_cut_off(before, schemas, []) == ()


def test_what_stays_and_names_a_row_that_is_deleted_is_told_before(lab: Any) -> None:
    """Who took no part keeps his row; the campaign of the rehearsal that it names is emptied in it."""
    before = lab.capture(objects=["Campaign", "Opportunity"])
    (campaign,) = lab.insert("Campaign", {"Name": "Of the rehearsal"})
    deal = {"StageName": "Prospecting", "CloseDate": "2026-12-01"}
    lab.insert("Opportunity", {**deal, "Name": "Theirs", "CampaignId": campaign}, by="sales1")
    lab.insert("Opportunity", {**deal, "Name": "Without"}, by="sales1")
    plan = lab.plan(before, Choices(participants=frozenset({lab.user("loader")})))
    told = sorted(one.reason.partition("; ")[2].partition("; ")[2] for one in plan.blocked)
    assert told == ["", "what it names in CampaignId is deleted"]
    assert [(one.do, one.key) for one in plan.actions] == [("delete", campaign)]


def test_a_plan_warns_of_rows_below_what_comes_back_by_an_insert(lab: Any) -> None:
    before = lab.capture(objects=["Project__c"])
    schemas = {one: lab.writer.reader.fetch_schema(one) for one in ("Project__c", "Account")}
    (told,) = lost_below(before, schemas, {"Project__c"})
    assert told == "ProjectMember__c is outside the scope: its rows below deleted rows of Project__c do not come back."
    assert any(one.startswith("Contact is outside") for one in lost_below(before, schemas, {"Account", "Gone__c"}))
