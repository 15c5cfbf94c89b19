"""Who changed what in Setup since the baseline began: the org's own audit trail, counted by person, section and action.

Rows say by LastModifiedBy who wrote them; metadata, switches and permissions say it here. The text of an entry is never
kept: it may hold names and addresses. Reads only.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from rehearse import clock
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.reset.model import SetupChange

MOST = 2000


def fetch_setup_changes(reader: OrgReader, since: datetime) -> tuple[tuple[SetupChange, ...], str]:
    """Entries of the audit trail since then, counted, the newest first; and why there are none where nobody may ask."""
    soql = (
        "SELECT Action, Section, CreatedDate, CreatedBy.Name FROM SetupAuditTrail WHERE CreatedDate >= "
        f"{clock.iso(since)} ORDER BY CreatedDate DESC LIMIT {MOST}"
    )
    try:
        rows = list(reader.fetch_rows(soql))
    except OrgRejected as error:
        return (), f"setup changes: the audit trail could not be asked: {error.org_code}"
    counted: Counter[tuple[str, str, str]] = Counter()
    last: dict[tuple[str, str, str], str] = {}
    for row in rows:
        who = str(row.get("CreatedBy.Name") or "the platform")
        place = (who, str(row.get("Section") or ""), str(row.get("Action") or ""))
        counted[place] += 1
        last.setdefault(place, str(row["CreatedDate"]))
    found = tuple(SetupChange(*place, counted[place], clock.iso(clock.from_iso(last[place]))) for place in last)
    return found, f"setup changes: only the newest {MOST} entries of the audit trail were read" if len(
        rows
    ) == MOST else ""
