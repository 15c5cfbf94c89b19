"""Whom an org may write e-mail to: nobody, system mails only, or everybody.

Set by hand under Setup > Deliverability and by no API of Salesforce [metadata.md 5, sandbox-and-auth.md 1.8]: here by
`rehearse practice org`. A fresh copy has system mails only. Every change stands in the audit trail.
"""

from __future__ import annotations

from typing import Literal, cast

from rehearse.practice.meta_mirror import put_row
from rehearse.practice.org_state import OrgState

Level = Literal["none", "system", "all"]
LEVELS: dict[Level, str] = {"none": "No access", "system": "System email only", "all": "All email"}
FACT = "email_deliverability"


def deliverability(org: OrgState) -> Level:
    """The level of an org; one that was never set lets all e-mail out."""
    with org.lock:
        row = org.db.execute("SELECT value FROM org_facts WHERE name = ?", (FACT,)).fetchone()
    return cast(Level, row[0]) if row is not None and row[0] in LEVELS else "all"


def set_deliverability(org: OrgState, user_id: str, level: Level) -> None:
    """Set the level, as a person in Setup would. Raises ValueError for another one."""
    if level not in LEVELS:
        raise ValueError(f"The level is one of {', '.join(LEVELS)}, not {level}.")
    with org.transaction() as db:
        db.execute(
            "INSERT INTO org_facts VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
            (FACT, level),
        )
        entry = {"Id": org.new_id("0Ym"), "Action": "sendEmailAccessControl", "Section": "Email Administration"}
        text = f"Changed Access to Send Email level to {LEVELS[level]}"
        put_row(
            org,
            "SetupAuditTrail",
            {**entry, "Display": text, "CreatedById": user_id, "CreatedDate": org.stamp()},
        )
