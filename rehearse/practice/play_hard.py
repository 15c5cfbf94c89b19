"""What the practice team also does when the rehearsal is to be hard to undo.

Rows deleted for good come back under other ids only; swapped unique values cannot be restored in one pass; a unique
value that a new row has taken stands in the way of undeleting the old one.
"""

from __future__ import annotations

from collections.abc import Callable

from rehearse.practice.play_records import Crew


def destroy_rows(crew: Crew) -> str:
    """Bulk hardDelete of masters, details and rows that others look up to."""
    referred = crew.manager.query("SELECT ReportsToId FROM Contact WHERE ReportsToId != null ORDER BY Id")
    busy = {one["ContactId"] for one in crew.manager.query("SELECT ContactId FROM Case WHERE ContactId != null")}
    bosses = sorted({str(one["ReportsToId"]) for one in referred} - busy)
    crew.manager.bulk("Contact", "hardDelete", [{"Id": one} for one in crew.rng.sample(bosses, 2)])
    routed = crew.pick("SELECT Id FROM Routing__c WHERE Code__c IN ('R-01', 'R-02', 'R-03')", 2)
    crew.manager.bulk("Routing__c", "hardDelete", [{"Id": str(one["Id"])} for one in routed])
    deals = crew.pick("SELECT Id FROM Opportunity WHERE Project__c != null", 3)
    crew.manager.bulk("Opportunity", "hardDelete", [{"Id": str(one["Id"])} for one in deals])
    lines = crew.pick("SELECT Id FROM InvoiceLine__c", 5)
    crew.manager.bulk("InvoiceLine__c", "hardDelete", [{"Id": str(one["Id"])} for one in lines])
    return "deleted 2 contacts, 2 routing rules, 3 deals and 5 lines for good (Bulk hardDelete)"


def swap_keys(crew: Crew) -> str:
    """Two people exchange their badges."""
    one, other = crew.pick("SELECT Id, BadgeNumber__c FROM Contact WHERE BadgeNumber__c != null", 2)
    crew.manager.patch("Contact", one["Id"], {"BadgeNumber__c": None})
    crew.manager.patch("Contact", other["Id"], {"BadgeNumber__c": one["BadgeNumber__c"]})
    crew.manager.patch("Contact", one["Id"], {"BadgeNumber__c": other["BadgeNumber__c"]})
    return "swapped the badge numbers of 2 contacts"


def take_over_serial(crew: Crew) -> str:
    """A machine is deleted and another one gets its serial number."""
    visited = {one["Machine__c"] for one in crew.manager.query("SELECT Machine__c FROM ServiceVisit__c")}
    machines = crew.manager.query("SELECT Id, SerialNumber__c FROM Machine__c ORDER BY Id")
    chosen = crew.rng.choice([one for one in machines if one["Id"] not in visited])
    # The old one gives its number up first: sources disagree whether the bin holds on to unique values (facts 4, 18).
    crew.manager.patch("Machine__c", str(chosen["Id"]), {"SerialNumber__c": None})
    crew.manager.delete([str(chosen["Id"])])
    crew.manager.create("Machine__c", [{"Name": "Replacement", "SerialNumber__c": chosen["SerialNumber__c"]}])
    return "deleted a machine and gave its serial number to a new one"


STORY: tuple[Callable[[Crew], str], ...] = (destroy_rows, swap_keys, take_over_serial)
