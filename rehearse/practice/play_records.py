"""What the practice team does to records in the rehearsal of R41: every kind of change that a reset has to undo.

Each function is one scene: it reads what it needs over the wire, changes rows, and answers one line about it. Rows are
chosen with the crew's source of chance from lists in a fixed order, so that the same seed makes the same rehearsal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearse.practice.play_client import Caller, PlayFailed, Value

NOTHING = "#N/A"  # what empties a field in a Bulk update


@dataclass
class Crew:
    """Who plays: the release manager, the administrator, chance, and what they made so far."""

    manager: Caller
    admin: Caller
    rng: random.Random
    made: dict[str, list[str]] = field(default_factory=dict)

    def pick(self, soql: str, count: int) -> list[dict[str, Any]]:
        """`count` rows of a query that is sorted by Id. Raises PlayFailed when there are fewer."""
        found = self.manager.query(f"{soql} ORDER BY Id")
        if len(found) < count:
            raise PlayFailed(f"This sandbox holds too little to rehearse with: {len(found)} rows for {soql}")
        return self.rng.sample(found, count)


def routing_rows() -> list[dict[str, str]]:
    """The routing rules of R41, as plans/r41/routing.csv holds them: R-09 to R-14 change, R-15 to R-18 are new."""
    names = ("Bank of the Bay", "Norden Sparkasse", "Crédit du Quai", "Banco da Ria")
    regions = ("North", "East", "South", "West")
    return [
        {
            "Code__c": f"R-{number:02d}",
            "Name": f"Route {number}",
            "Bank__c": names[number % 4],
            "Region__c": regions[number % 4],
            "Priority__c": str(number % 3 + 1),
            "UpTo__c": NOTHING if number % 2 else "75000",
            "Active__c": "true",
        }
        for number in range(9, 19)
    ]


def load_routing(crew: Crew) -> str:
    """Upsert the routing rules by their code, as the runbook does: some change, some are new."""
    count = crew.manager.bulk("Routing__c", "upsert", routing_rows(), key="Code__c")
    return f"loaded {count} routing rules from a file (Bulk upsert by Code__c)"


def create_customers(crew: Crew) -> str:
    """New accounts with contacts, projects, invoices, lines: masters, details, a junction, a self-lookup."""
    names = ("Rehearsal Quay 🚢", 'Rehearsal "Lock" Board', "Rehearsal Île — Ölhafen")
    rows = [
        {"Name": name, "CustomerNumber__c": f"R41-{place}", "Description": "Line one\r\nline two", "Region__c": "North"}
        for place, name in enumerate(names)
    ]
    accounts = crew.manager.create("Account", rows)
    crew.manager.update("Account", [{"Id": accounts[1], "ParentId": accounts[0]}])
    contacts = crew.manager.create(
        "Contact", [{"LastName": f"Probe {place}", "AccountId": one} for place, one in enumerate(accounts)]
    )
    projects = crew.manager.create(
        "Project__c", [{"Name": "Rehearsal basin", "Account__c": accounts[0], "ExternalKey__c": "plan/r41"}]
    )
    crew.manager.create("ProjectMember__c", [{"Project__c": projects[0], "Contact__c": one} for one in contacts])
    invoices = crew.manager.create(
        "Invoice__c",
        [
            {"Account__c": one, "Project__c": projects[0], "IssuedOn__c": "2026-11-23", "DueOn__c": "2026-12-23"}
            for one in accounts
        ],
    )
    products = crew.pick("SELECT Id FROM Product2", 5)
    lines = [
        {
            "Name": f"Line {place}",
            "Invoice__c": invoices[place % 3],
            "Product__c": products[place % 5]["Id"],
            "Quantity__c": place + 1,
            "UnitPrice__c": 9.99,
            "Amount__c": round((place + 1) * 9.99, 2),
        }
        for place in range(12)
    ]
    crew.manager.create("InvoiceLine__c", lines)
    crew.made |= {"Account": accounts, "Contact": contacts, "Project__c": projects, "Invoice__c": invoices}
    return "created 3 accounts, 3 contacts, a project with 3 members, 3 invoices with 12 lines (REST)"


def start_runs(crew: Crew) -> str:
    """Rows of the object that the package brought, and existing payments that point at them."""
    routes = crew.pick("SELECT Id FROM Routing__c WHERE Active__c = true", 2)
    started = "2026-11-23T08:30:00Z"
    runs = crew.manager.create(
        "PaymentRun__c",
        [
            {
                "Name": f"Run {place}",
                "Code__c": f"RUN-{place}",
                "Bank__c": one["Id"],
                "StartedAt__c": started,
            }
            for place, one in enumerate(routes)
        ],
    )
    crew.made["PaymentRun__c"] = runs
    payments = crew.pick("SELECT Id, Invoice__c FROM Payment__c WHERE RefundOf__c = null", 24)
    rows = [
        {"Id": one["Id"], "Route__c": routes[place % 2]["Id"], "Run__c": runs[place % 2]}
        for place, one in enumerate(payments)
    ]
    crew.manager.update("Payment__c", rows)
    invoices = sorted({str(one["Invoice__c"]) for one in payments if one["Invoice__c"]})
    crew.manager.update("Invoice__c", [{"Id": one, "PaymentRun__c": runs[0]} for one in invoices])
    return f"started 2 payment runs with {len(payments)} payments and {len(invoices)} invoices (REST)"


def change_payments(crew: Crew) -> str:
    """Bulk update of existing rows: from null to a value, from a value to null, odd texts, fields old and new."""
    notes = ('He said "later"', "two\nlines", "NA", "=1+1", "päivää 🚢", NOTHING)
    rows = [
        {
            "Id": str(one["Id"]),
            "Note__c": notes[place % len(notes)],
            "ValueDate__c": NOTHING if one["ValueDate__c"] else "2026-11-30",
            "Rate__c": NOTHING if place % 3 == 0 else "1.00000001",
            "State__c": "Matched" if place % 2 else "Returned",
            "Urgent__c": "false",
        }
        for place, one in enumerate(crew.pick("SELECT Id, ValueDate__c FROM Payment__c", 60))
    ]
    crew.manager.bulk("Payment__c", "update", rows)
    return f"changed {len(rows)} payments (Bulk update, to null and from null)"


def add_lines(crew: Crew) -> str:
    """Bulk insert of details under masters that were there before, so that roll-ups of old rows move."""
    invoices = crew.pick("SELECT Id FROM Invoice__c", 20)
    rows = [
        {
            "Name": f"Surcharge {place}",
            "Invoice__c": str(invoices[place % 20]["Id"]),
            "Quantity__c": "1",
            "Amount__c": f"{place}.50",
            "Text__c": "Zuschlag, “neu”\r\nab R41",
        }
        for place in range(50)
    ]
    crew.manager.bulk("InvoiceLine__c", "insert", rows)
    return f"added {len(rows)} lines to 20 old invoices (Bulk insert)"


def change_rows(crew: Crew) -> str:
    """Single updates: text to and from null, long text, dates that make automation touch other rows, a picklist."""
    empty = crew.pick("SELECT Id FROM Account WHERE Rating = null AND ParentId = null", 3)
    full = crew.pick("SELECT Id FROM Account WHERE Rating != null", 3)
    for one in empty:
        crew.manager.patch(
            "Account", one["Id"], {"Rating": "Hot", "CreditLimit__c": 1234.56, "Fax": "+353 21 555 9999"}
        )
    for one in full:
        crew.manager.patch("Account", one["Id"], {"Rating": None, "CreditLimit__c": None, "BillingStreet": None})
    projects = crew.pick("SELECT Id, Parent__c FROM Project__c WHERE Stage__c != 'Done'", 4)
    for place, one in enumerate(projects):
        values: dict[str, Value] = {"Brief__c": None, "Site__c": None}
        if place % 2:
            values = {"Brief__c": "R41 ⚓ " * 3000 + "end", "Skills__c": "Welding;Diving", "Factor__c": -0.00000001}
        crew.manager.patch("Project__c", one["Id"], values)
    issued = crew.pick("SELECT Id FROM Invoice__c WHERE Project__c != null AND DueOn__c = null", 4)
    rows = [{"Id": one["Id"], "IssuedOn__c": "2026-11-20", "Status__c": "Sent"} for one in issued]
    crew.manager.update("Invoice__c", rows)
    return "changed 6 accounts, 4 projects and 4 invoices one by one; automation touched their accounts and projects"


def hand_over(crew: Crew) -> str:
    """Owners: a case from a queue to a user, another from a user to the queue, an account to somebody else."""
    (queue,) = crew.manager.query("SELECT Id FROM Group WHERE Type = 'Queue' AND DeveloperName = 'Claims'")
    (desk,) = crew.manager.query("SELECT Id FROM User WHERE Alias = 'desk1'")
    (waiting,) = crew.pick(f"SELECT Id FROM Case WHERE OwnerId = '{queue['Id']}'", 1)
    (taken,) = crew.pick("SELECT Id FROM Case WHERE Owner.Type != 'Queue'", 1)
    moves = ((waiting, desk), (taken, queue))
    crew.manager.update("Case", [{"Id": case["Id"], "OwnerId": owner["Id"]} for case, owner in moves])
    (account,) = crew.pick(f"SELECT Id FROM Account WHERE OwnerId != '{desk['Id']}'", 1)
    crew.manager.patch("Account", account["Id"], {"OwnerId": desk["Id"]})
    return "gave 2 cases and an account to other owners"


def delete_rows(crew: Crew) -> str:
    """Deletions of each kind: a master with details, a row others look up to, junction rows, cascading lookups."""
    paid = {
        one["Invoice__c"] for one in crew.manager.query("SELECT Invoice__c FROM Payment__c WHERE Invoice__c != null")
    }
    found = crew.manager.query("SELECT Invoice__c FROM InvoiceLine__c ORDER BY Id")
    free = sorted({str(one["Invoice__c"]) for one in found} - paid - set(crew.made.get("Invoice__c", [])))
    crew.manager.delete(crew.rng.sample(free, 3))
    parents = crew.manager.query("SELECT Parent__c FROM Project__c WHERE Parent__c != null ORDER BY Id")
    crew.manager.delete(crew.rng.sample(sorted({str(one["Parent__c"]) for one in parents}), 2))
    crew.manager.delete([str(one["Id"]) for one in crew.pick("SELECT Id FROM ProjectMember__c", 4)])
    visited = crew.manager.query("SELECT Machine__c FROM ServiceVisit__c WHERE Machine__c != null ORDER BY Id")
    crew.manager.delete(crew.rng.sample(sorted({str(one["Machine__c"]) for one in visited}), 2))
    crew.manager.delete([str(one["Id"]) for one in crew.pick("SELECT Id FROM Task", 5)])
    lines = crew.pick("SELECT Id FROM InvoiceLine__c", 12)
    crew.manager.bulk("InvoiceLine__c", "delete", [{"Id": str(one["Id"])} for one in lines])
    return "deleted 3 invoices with lines, 2 projects with parts, 2 machines with visits, 4 members, 5 tasks, 12 lines"


def correct_by_hand(crew: Crew) -> str:
    """The administrator edits a few rows in passing, as somebody else than the release manager."""
    rows: Sequence[dict[str, Any]] = crew.pick("SELECT Id, Amount__c FROM Payment__c WHERE RefundOf__c != null", 2)
    for one in rows:
        crew.admin.patch("Payment__c", one["Id"], {"Amount__c": abs(one["Amount__c"] or 0) + 1, "Note__c": "corrected"})
    return f"corrected {len(rows)} refunds that the rule would have refused"


STORY: tuple[Callable[[Crew], str], ...] = (
    load_routing,
    create_customers,
    start_runs,
    change_payments,
    add_lines,
    change_rows,
    hand_over,
    delete_rows,
)
