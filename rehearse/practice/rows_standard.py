"""Rules that belong to one standard object: what a stage does to an opportunity, a status to a case.

Runs on the values that are about to be written, after checks and before the write. Knows nothing of custom objects;
what automation of a customer does is in automation.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_campaigns import check_label, make_statuses
from rehearse.practice.rows_files import measure_body
from rehearse.practice.rows_logins import check_lock, make_logins
from rehearse.practice.rows_prices import price_line, use_standard_price
from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.schema import ObjectDef

STAGES: dict[str, tuple[float, str]] = {  # probability, forecast category
    "Prospecting": (10, "Pipeline"),
    "Qualification": (10, "Pipeline"),
    "Needs Analysis": (20, "Pipeline"),
    "Value Proposition": (50, "Pipeline"),
    "Id. Decision Makers": (60, "Pipeline"),
    "Perception Analysis": (70, "Pipeline"),
    "Proposal/Price Quote": (75, "Pipeline"),
    "Negotiation/Review": (90, "Pipeline"),
    "Closed Won": (100, "Closed"),
    "Closed Lost": (0, "Omitted"),
}
ACTIVITY_LINKS = {"Contact": "WhoId", "Opportunity": "WhatId", "Case": "WhatId"}  # whose account activities have
Values = dict[str, Stored]


def apply_standard_rules(org: OrgState, name: str, values: Values, before: Mapping[str, Stored]) -> None:
    """Change `values` as the platform would; `before` is the row as it was, empty on insert. Raises RowError."""
    if name == "Opportunity":
        _opportunity(values, before)
    elif name == "Case":
        _closing(values, before, ("Closed", "ClosedDate", org.stamp()))
    elif name == "Task":
        _closing(values, before, ("Completed", "CompletedDateTime", org.stamp()))
        _activity_account(org, values, before)
    elif name == "Event":
        _activity_account(org, values, before)
    elif name == "Attachment" and values.get("Body"):
        values["Body"], content = measure_body(str(values["Body"]), "Body")
        values["BodyLength"] = len(content)
    elif name == "Lead" and before.get("IsConverted"):
        raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ())
    elif name == "OpportunityLineItem":
        if not values.get("Product2Id") and values.get("PricebookEntryId"):
            values["Product2Id"] = _parent_value(org, "PricebookEntry", values["PricebookEntryId"], "Product2Id")
        price_line(values, before)
    elif name == "CampaignMemberStatus":
        check_label(org, values, before)
    elif name == "UserLogin":
        check_lock(values, before)
    elif name == "PricebookEntry":
        use_standard_price(org, values, before)


def make_along(org: OrgState, name: str, row_id: str, user_id: str) -> None:
    """Write the rows of other objects that a new row is born with."""
    if name == "User":
        make_logins(org)
    elif name == "Campaign":
        make_statuses(org, row_id, user_id)


def _opportunity(values: Values, before: Mapping[str, Stored]) -> None:
    stage = values.get("StageName")
    if stage is not None and stage != before.get("StageName") and str(stage) in STAGES:
        probability, category = STAGES[str(stage)]
        values.setdefault("Probability", probability)
        values.setdefault("ForecastCategoryName", category)
    if before.get("HasOpportunityLineItem"):
        values.pop("Amount", None)  # with products, Amount is their sum; a write is answered and does nothing


def _closing(values: Values, before: Mapping[str, Stored], what: tuple[str, str, str]) -> None:
    closed, stamped, now = what
    if "Status" not in values:
        return
    if values["Status"] == closed and before.get("Status") != closed:
        values[stamped] = now
    elif values["Status"] != closed:
        values[stamped] = None


def _activity_account(org: OrgState, values: Values, before: Mapping[str, Stored]) -> None:
    """The account of an activity follows what it relates to, else whom."""
    if "WhatId" not in values and "WhoId" not in values:
        return
    what = str(values.get("WhatId", before.get("WhatId")) or "")
    who = str(values.get("WhoId", before.get("WhoId")) or "")
    account: Stored = what if what.startswith("001") else None
    for prefix, name in (("006", "Opportunity"), ("500", "Case")):
        if what.startswith(prefix):
            account = _parent_value(org, name, what, "AccountId")
    if account is None and who.startswith("003"):
        account = _parent_value(org, "Contact", who, "AccountId")
    values["AccountId"] = account


def follow_accounts(org: OrgState, name: str, row_id: str) -> None:
    """Let the account of activities follow a row that moved to another account, or the activity itself that moved.

    That it follows at once, and that only SystemModstamp tells, is an assumption."""
    for activity in ("Task", "Event"):
        column = "Id" if name == activity else ACTIVITY_LINKS.get(name)
        if column is None:
            continue
        sql = f'SELECT "Id", "WhoId", "WhatId", "AccountId" FROM "{activity}" WHERE "{column}" = ? AND "IsDeleted" = 0'
        for found, who, what, account in org.db.execute(sql, (row_id,)).fetchall():
            values: Values = {"WhatId": what}
            _activity_account(org, values, {"WhoId": who})
            if values["AccountId"] != account:
                sql = f'UPDATE "{activity}" SET "AccountId" = ?, "SystemModstamp" = ? WHERE "Id" = ?'
                org.db.execute(sql, (values["AccountId"], org.stamp(), found))


def _parent_value(org: OrgState, name: str, row_id: Stored, column: str) -> Stored:
    found = org.db.execute(f'SELECT {quote(column)} FROM {quote(name)} WHERE "Id" = ?', (row_id,)).fetchone()
    value: Stored = found[0] if found is not None else None
    return value


def check_convertible(leads: ObjectDef, lead: Mapping[str, Stored], status: str) -> None:
    """Raise RowError for a lead that is converted, or a status that does not say so.

    Which statuses do is a mark of the value set that only Setup and metadata show: here their name tells (assumption).
    """
    if lead.get("IsConverted"):
        raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ())
    known = leads.find("Status")
    names = {one.name for one in known.values} if known is not None else set()
    if status not in names or not status.endswith("Converted") or status.endswith("Not Converted"):
        raise RowError("INVALID_STATUS", f"invalid convertedStatus: {status}", ())
