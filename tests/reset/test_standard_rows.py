"""Rows of standard objects, one world for all: refused inserts, shares, what a campaign is born with, what no undelete
takes. The judge is the practice org's own database.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse.practice import admin
from rehearse.reset import outside
from rehearse.reset.forecast import ForecastInputs, build_forecast
from rehearse.reset.forecast_rows import RowFile, find_row_changes
from rehearse.reset.outside import count_outside, shared

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def lab(still_lab: Any) -> Any:
    """One lab for the whole file; what is deleted for good shows in no bin."""
    still_lab.server.estate.settings.put("ghost_hours", 0)
    return still_lab


def test_a_forecast_promises_no_undelete_where_there_is_none(lab: Any, tmp_path: Path) -> None:
    """Members of groups, like those of campaigns, come back under a new Id only."""
    before = lab.capture(objects=["GroupMember", "Contact"])
    grades = []
    for object in ("GroupMember", "Contact"):
        path = tmp_path / f"{object}.csv"
        path.write_text("Id\n" + "\n".join(lab.pick(f'"{object}" ORDER BY "Id" LIMIT 2')) + "\n")
        found = find_row_changes(lab.store, before, RowFile("load", object, "delete", path))
        grades += [(one.count, one.grade) for one in build_forecast(ForecastInputs((), found, (), NOW, NOW)).items]
    assert grades == [(2, "residue"), (2, "exact")]


@pytest.mark.parametrize(
    ("name", "object"),
    [("AccountShare", "Account"), ("Invoice__Share", "Invoice__c"), ("Share", ""), ("Account", ""), ("Share__c", "")],
)
def test_which_object_shares_are_of(name: str, object: str) -> None:
    assert shared(name) == object


def test_a_proof_counts_the_shares_that_people_gave_and_no_others(lab: Any) -> None:
    first, second = lab.pick('"Account" ORDER BY "Id" LIMIT 2')
    given = {"UserOrGroupId": lab.user("admin"), "AccountAccessLevel": "Edit"}
    before = lab.capture(objects=["Account"])
    lab.insert("AccountShare", {**given, "AccountId": first}, {**given, "AccountId": second, "RowCause": "Rule"})
    proof = lab.reset(before)
    assert (proof.verdict, proof.outside_scope) == ("clean", {"AccountShare (given by hand)": 1})


def test_a_proof_counts_links_of_files_and_names_what_no_org_counts(lab: Any, monkeypatch: Any) -> None:
    """An org tells links only with a filter; without one that lets all through they were left out without a word."""
    before = lab.capture(objects=["Campaign", "Account"])
    (account,) = lab.pick('"Account" ORDER BY "Id" LIMIT 1')
    file = {"Title": "t", "PathOnClient": "t.txt", "VersionData": "aGVsbG8=", "FirstPublishLocationId": account}
    lab.insert("ContentVersion", file)
    said: list[str] = []
    assert count_outside(lab.writer.reader, before, said)["ContentDocumentLink"] == 2 and not said
    monkeypatch.setattr(outside, "DEMAND_FILTER", {})
    assert "ContentDocumentLink" not in count_outside(lab.writer.reader, before, said)
    assert said == ["records ContentDocumentLink: nobody can count what was written there"]


def test_what_the_platform_makes_along_stands_for_the_rows_of_the_baseline(lab: Any) -> None:
    campaign, other = lab.insert(
        "Campaign", *({"Name": one, "OwnerId": lab.user("admin")} for one in ("Fair", "Stays"))
    )
    (contact,) = lab.pick('"Contact" ORDER BY "Id" LIMIT 1')
    lab.insert("CampaignMemberStatus", {"CampaignId": campaign, "Label": "Came", "SortOrder": 3, "HasResponded": True})
    (sent,) = lab.pick('"CampaignMemberStatus" WHERE "Label" = ? AND "CampaignId" = ?', "Sent", campaign)
    lab.update("CampaignMemberStatus", {"Id": sent, "IsDefault": False, "SortOrder": 9})
    lab.insert(
        "CampaignMember",
        *({"CampaignId": one, "ContactId": contact, "Status": "Responded"} for one in (campaign, other)),
    )
    scope = ["Campaign", "CampaignMember", "CampaignMemberStatus"]
    before = lab.capture(objects=scope)
    kept = lab.photograph(scope)
    lab.delete(campaign, hard=True)
    proof = lab.reset(before)
    ids = lab.ids.load()
    assert not (
        left := [(one.type, one.key, one.outcome, one.detail) for one in proof.items if one.outcome != "residue"]
    ), left
    assert proof.verdict == "clean-with-residue"
    left_out = {"Id", "CreatedDate", "CreatedById", "LastModifiedById", "LastModifiedDate"}

    def plain(rows: dict[str, dict[str, Any]], back: dict[str, str]) -> dict[str, dict[str, Any]]:
        return {
            back.get(id, id): {name: back.get(str(one), one) for name, one in row.items() if name not in left_out}
            for id, row in rows.items()
        }

    found = lab.photograph(scope)
    for object in scope:
        assert plain(found.rows[object], {new: old for old, new in ids.items()}) == plain(kept.rows[object], {})


def test_rows_that_no_bin_holds_come_back_without_the_one_value_that_is_refused(lab: Any) -> None:
    """An owner who left, a row like any, and a likeness of which a rule warns: Bulk is deaf to warnings."""
    owned, plain, alike, double = lab.pick('"Contact" ORDER BY "Id" LIMIT 4')
    lab.update("Contact", {"Id": owned, "OwnerId": lab.user("sales1"), "Title": "Buyer"})
    lab.update("Contact", {"Id": alike, "Email": "same@example.com"}, {"Id": double, "Email": "same@example.com"})
    lab.update("Contact", *({"Id": one, "OwnerId": lab.user("admin")} for one in (plain, alike)))
    before = lab.capture(objects=["Contact"])
    last = lab.value("Contact", owned, "LastName")
    lab.delete(owned, plain, alike, hard=True)
    admin.move_clock(lab.server.estate, timedelta(seconds=1))
    lab.update("User", {"Id": lab.user("sales1"), "IsActive": False}, by="admin")
    lab.server.estate.settings.put("duplicate_rules", ["Contact.Email alert"])
    plan = lab.plan(before)
    told = {one.key: (one.grade, one.reason) for one in plan.actions}
    assert told[owned][0] == "unknown" and "inactive" in told[owned][1]
    assert told[plain][0] == "residue" and "inactive" not in told[plain][1]
    proof = lab.prove(before, plan, lab.apply(plan))
    lab.server.estate.settings.clear("duplicate_rules")
    new = {old: id for old, id in lab.ids.load().items() if old.startswith("003")}
    assert set(new) == {owned, plain, alike}
    assert lab.value("Contact", new[owned], "LastName") == last
    assert lab.value("Contact", new[owned], "Title") == "Buyer"
    assert lab.value("Contact", new[owned], "OwnerId") == lab.user("release")
    found = {one.key: (one.outcome, one.detail) for one in proof.items}
    refused = "without OwnerId, whose old value the org refuses: INACTIVE_OWNER_OR_USER"
    assert found[owned][0] == "failed" and found[owned][1].startswith(refused) and "let this login" in found[owned][1]
    assert (found[plain][0], found[alike][0], proof.verdict) == ("residue", "residue", "dirty")
