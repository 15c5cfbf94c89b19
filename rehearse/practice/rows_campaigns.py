"""Campaigns are born with the statuses that their members may have: Sent, the usual one, and Responded.

A status has a label of its own within its campaign; the platform writes the first two itself, so a load that brings
them along is refused [object reference, Campaign and CampaignMemberStatus]. The text of that refusal is ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import RowError, Stored

BORN = (("Sent", False, True, 1), ("Responded", True, False, 2))


def make_statuses(org: OrgState, campaign: str, user_id: str) -> None:
    """Write the statuses of a new campaign, by whoever made it."""
    for label, responded, usual, order in BORN:
        stamp = org.stamp()
        values: dict[str, Stored] = {
            "Id": org.new_id("01Y"), "CampaignId": campaign, "Label": label, "HasResponded": responded,
            "IsDefault": usual, "SortOrder": order, "CreatedDate": stamp, "CreatedById": user_id,
            "LastModifiedDate": stamp, "LastModifiedById": user_id, "SystemModstamp": stamp,
        }  # fmt: skip
        columns, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
        org.db.execute(f'INSERT INTO "CampaignMemberStatus" ({columns}) VALUES ({marks})', tuple(values.values()))


def check_label(org: OrgState, values: Mapping[str, Stored], before: Mapping[str, Stored]) -> None:
    """Raise RowError DUPLICATE_VALUE where the campaign has a status of this label already."""
    campaign = values.get("CampaignId") or before.get("CampaignId")
    label = values.get("Label")
    if label is None or label == before.get("Label"):
        return
    sql = 'SELECT 1 FROM "CampaignMemberStatus" WHERE "CampaignId" = ? AND "Label" = ? AND "IsDeleted" = 0'
    if org.db.execute(sql, (campaign, label)).fetchone() is not None:
        raise RowError("DUPLICATE_VALUE", f"the campaign has a status {label} already", ("Label",))
