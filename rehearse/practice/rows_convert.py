"""Converting a lead: an account, a contact and an opportunity are made of it, or take what they lack from it.

As SOAP's convertLead() does it [SOAP guide, convertLead(); data.md 4 row 40: nothing turns it back]. Refuses with
RowError leads that are converted already, statuses that do not mean converted, owners that are no users. Promise: all
of a conversion or nothing; what was converted is not written again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rehearse.practice.field_security import require
from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_standard import check_convertible
from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.rows_write import (
    Saved,
    Work,
    find_live,
    insert_row,
    row_id_of,
    save_each,
    update_row,
    write_changes,
)
from rehearse.practice.schema import ObjectDef

FIRST_STAGE = "Prospecting"  # a new deal's stage and how far off its end is are ours
DAYS_TO_CLOSE = 90
PLACE = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy")
SHARED = ("Phone", "Fax", "Description")
MAPPED = {  # object -> field of it -> field of the lead
    "Account": {
        "Name": "Company", **{f"Billing{one}": one for one in PLACE}, **{one: one for one in SHARED},
        **{one: one for one in ("Website", "Industry", "Rating", "AnnualRevenue", "NumberOfEmployees")},
        "AccountSource": "LeadSource",
    },
    "Contact": {
        **{one: one for one in ("Salutation", "FirstName", "LastName", "Title", "Email", "MobilePhone", "LeadSource")},
        **{f"Mailing{one}": one for one in PLACE}, **{one: one for one in SHARED},
    },
    "Opportunity": {"LeadSource": "LeadSource", "Description": "Description"},
}  # fmt: skip
FOLLOWERS = {"Task": "WhoId", "Event": "WhoId"}  # what goes over to the contact
Row = dict[str, Stored]


@dataclass(frozen=True)
class Conversion:
    """What convertLead is asked for one lead; empty ids stand for new rows."""

    lead_id: str
    status: str
    account_id: str = ""
    contact_id: str = ""
    opportunity_id: str = ""
    opportunity_name: str = ""
    owner_id: str = ""
    without_opportunity: bool = False
    overwrite_source: bool = False


@dataclass
class Converted:
    """The rows that a lead became, by object."""

    ids: dict[str, str] = field(default_factory=dict)


def convert(org: OrgState, user_id: str, asked: Conversion) -> tuple[Saved, Converted]:
    """Convert one lead in a transaction of its own; answers what became of it and of what."""
    work, done = Work(org, user_id), Converted()
    (saved,) = save_each(work, [asked], lambda one: _convert(work, one, done), False)
    return saved, done if saved.success else Converted()


def _convert(work: Work, asked: Conversion, done: Converted) -> Saved:
    org = work.org
    leads = org.object("Lead")
    lead_id = row_id_of(leads, {"Id": asked.lead_id})
    lead = find_live(org, leads, lead_id)
    require(org, "edit", leads, lead_id)
    check_convertible(leads, lead, asked.status)
    owner = _owner(asked, lead)
    if asked.contact_id and not asked.account_id:
        raise RowError("REQUIRED_FIELD_MISSING", "A contact is given without its account", ("accountId",))
    account = _keep(work, "Account", asked.account_id, lead, {"OwnerId": owner})
    contact = _keep(work, "Contact", asked.contact_id, lead, {"OwnerId": owner, "AccountId": account})
    if asked.overwrite_source and asked.contact_id:
        update_row(work, org.object("Contact"), {"Id": contact, "LeadSource": lead.get("LeadSource")})
    done.ids |= {"Account": account, "Contact": contact}
    if not asked.without_opportunity:
        name = asked.opportunity_name or f"{lead['Company']}-"
        new = {"OwnerId": owner, "AccountId": account, "Name": name, **_deal(org)}
        deal = done.ids["Opportunity"] = _keep(work, "Opportunity", asked.opportunity_id, lead, new)
        if not asked.opportunity_id:
            role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True}
            insert_row(work, org.object("OpportunityContactRole"), role)
    _close(work, leads, lead, (asked.status, owner, done))
    return Saved(lead_id, True)


def _owner(asked: Conversion, lead: Row) -> str:
    owner = str(asked.owner_id or lead.get("OwnerId") or "")
    if not owner.startswith("005"):
        text = (
            "Converted objects can only be owned by users.  If the lead is not owned by a user, you must specify a user"
        )
        raise RowError("UNKNOWN_EXCEPTION", f"{text} for the Owner field.", ())
    return owner


def _deal(org: OrgState) -> dict[str, Any]:
    ordinal = org.now().date().toordinal() + DAYS_TO_CLOSE
    return {"StageName": FIRST_STAGE, "CloseDate": org.now().date().fromordinal(ordinal).isoformat()}


def _keep(work: Work, name: str, given: str, lead: Row, new: dict[str, Any]) -> str:
    """The id of the row that a lead becomes: a new one, or the given one with what it lacked."""
    definition = work.org.object(name)
    said = {mine: lead.get(theirs) for mine, theirs in MAPPED[name].items() if definition.find(mine) is not None}
    said = {mine: value for mine, value in said.items() if value is not None}
    if not given:
        return str(insert_row(work, definition, {**said, **new}).id)
    row_id = row_id_of(definition, {"Id": given})
    held = find_live(work.org, definition, row_id)
    if name == "Contact" and held.get("AccountId") != new["AccountId"]:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "The contact belongs to another account", ("contactId",))
    lacking = {mine: value for mine, value in said.items() if held.get(mine) is None}
    if lacking:
        update_row(work, definition, {"Id": row_id, **lacking})
    return row_id


def _close(work: Work, leads: ObjectDef, lead: Row, what: tuple[str, str, Converted]) -> None:
    """Mark the lead as converted, and let its activities go over to the contact."""
    org, lead_id = work.org, str(lead["Id"])
    status, owner, done = what
    update_row(work, leads, {"Id": lead_id, "Status": status, "OwnerId": owner})
    ids: Row = {f"Converted{name}Id": row_id for name, row_id in done.ids.items()}
    write_changes(org, leads, lead_id, {"IsConverted": 1, "ConvertedDate": org.stamp()[:10], **ids})
    for name, column in FOLLOWERS.items():
        sql = f'SELECT "Id" FROM "{name}" WHERE "{column}" = ? AND "IsDeleted" = 0'
        for (row_id,) in org.db.execute(sql, (lead_id,)).fetchall():
            update_row(work, org.object(name), {"Id": row_id, column: done.ids["Contact"]})
