"""Accounts, people, leads, deals, products, cases and what was done about them: the standard objects' rows.

Self-lookups (parent account, reports to, parent case), polymorphic ones (who, what, owner by user or queue), nulls and
every tricky text are among them. One function an object; each yields rows in order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from rehearse.practice import seed_words as words
from rehearse.practice.seed_pen import Pen, Row, any_instant, as_instant

REGIONS = ("North", "East", "South", "West", "Overseas")
STAGES = (
    ("Prospecting", 10, "Pipeline"),
    ("Qualification", 10, "Pipeline"),
    ("Proposal/Price Quote", 75, "Pipeline"),
    ("Negotiation/Review", 90, "Pipeline"),
    ("Closed Won", 100, "Closed"),
    ("Closed Lost", 0, "Omitted"),
)


def _place(pen: Pen, prefix: str, index: int) -> Row:
    rng = pen.rng
    known = rng.random() < 0.7
    street = f"{rng.randrange(1, 99)} Quay Street"
    return {
        f"{prefix}Street": f"{street}\r\nUnit {index % 40}" if index % 5 == 0 else street,
        f"{prefix}City": rng.choice(words.PLACES),
        f"{prefix}PostalCode": f"{rng.randrange(100000):05d}",
        f"{prefix}Country": rng.choice(words.COUNTRIES),
        f"{prefix}Latitude": round(rng.uniform(-75, 75), 6) if known else None,
        f"{prefix}Longitude": round(rng.uniform(-179, 179), 6) if known else None,
    }


def accounts(pen: Pen) -> Iterator[Row]:
    """Customers and some suppliers, a sixth of them under another one."""
    rng = pen.rng
    for index, row_id in pen.reserve("Account"):
        supplier = index % 11 == 7
        name = words.pick_firm(rng)
        yield {
            "Id": row_id,
            "Name": f"{name} {words.TRICKY_LINES[index]}" if index < len(words.TRICKY_LINES) else name,
            "ParentId": pen.earlier("Account", index, 1 / 6),
            "RecordTypeId": pen.record_types["Account.Supplier" if supplier else "Account.Customer"],
            "Type": "Other" if supplier else "Customer - Direct",
            "Industry": rng.choice(("Shipping", "Utilities", "Food & Beverage", "Government", None)),
            "Phone": f"+353 21 555 {rng.randrange(10000):04d}",
            "Fax": None,
            "Website": f"https://firm{index}.example/" if index % 3 else None,
            "AnnualRevenue": rng.choice((None, 0, 1, 999_999_999_999, rng.randrange(10**9))),
            "NumberOfEmployees": rng.choice((None, 0, rng.randrange(1, 5000))),
            "Rating": rng.choice(("Hot", "Warm", "Cold", None)),
            "Description": words.pick_note(rng, index),
            "CustomerNumber__c": f"C-{index + 1:06d}",
            "CreditLimit__c": rng.choice((None, 0, 0.01, 9_999_999_999_999.99, pen.money(500_000))),
            "Region__c": rng.choice((*REGIONS, None)),
            "Segment__c": rng.choice(("Harbour", "Water works", "Shipyard", "Food", "Other", None)),
            "KeyAccountManager__c": rng.choice((*pen.users[3:5], None)),
            "OpenCases__c": None,
            **_place(pen, "Billing", index),
            **pen.stamps(),
        }


def contacts(pen: Pen) -> Iterator[Row]:
    """People of the accounts; a few belong to nobody, a third report to somebody."""
    rng = pen.rng
    for index, row_id in pen.reserve("Contact"):
        first, last = words.pick_person(rng, index)
        yield {
            "Id": row_id,
            "AccountId": pen.ids["Account"][0] if index < pen.skew else pen.maybe("Account", 0.95),
            "FirstName": first if index % 17 else None,
            "LastName": last,
            "Salutation": rng.choice(("Ms.", "Mr.", "Dr.", None)),
            "Email": f"person{index}@firm{index % 97}.example" if index % 6 else None,
            "Phone": f"+49 421 555 {rng.randrange(10000):04d}" if index % 4 else None,
            "MobilePhone": None,
            "Title": rng.choice(("Harbour master", "Buyer", "Chief engineer", "Welder", None)),
            "Birthdate": pen.day(date(1955, 1, 1), date(2004, 12, 31)).isoformat() if index % 5 == 0 else None,
            "ReportsToId": pen.earlier("Contact", index, 0.3),
            "Description": words.pick_note(rng, index + 1),
            "BadgeNumber__c": f"B{index + 1:06d}" if index % 3 == 0 else None,
            "Newsletter__c": index % 4 == 1,
            "Channel__c": rng.choice(("Mail", "Phone", "Letter", "Pigeon", None)),
            "Salute__c": f"Dear {first}, “{last}”" if index % 7 == 0 else None,
            **_place(pen, "Mailing", index),
            **pen.stamps(),
        }


def leads(pen: Pen) -> Iterator[Row]:
    """Leads, half of them still in the queue."""
    rng = pen.rng
    for index, row_id in pen.reserve("Lead"):
        first, last = words.pick_person(rng, index)
        yield {
            "Id": row_id,
            "FirstName": first,
            "LastName": last,
            "Company": words.pick_firm(rng),
            "Email": f"lead{index}@trade.example",
            "Status": rng.choice(("Open - Not Contacted", "Working - Contacted", "Closed - Not Converted")),
            "LeadSource": rng.choice(("Web", "Phone Inquiry", "Other", None)),
            "Description": words.pick_note(rng, index + 2),
            "IsConverted": False,
            **pen.stamps(owner=pen.queues["New_Leads"] if index % 2 else None),
        }


def products(pen: Pen) -> Iterator[Row]:
    """Pumps and parts; some have a successor."""
    rng = pen.rng
    for index, row_id in pen.reserve("Product2"):
        yield {
            "Id": row_id,
            "Name": f"{rng.choice(words.PUMPS)} {rng.choice((40, 65, 80, 100, 150))}",
            "ProductCode": f"{index + 1:04d}",
            "Description": words.pick_note(rng, index + 3),
            "IsActive": index % 8 != 0,
            "Family": rng.choice(("Hardware", "Services", None)),
            "ArticleNumber__c": f"ART-{index + 1:05d}",
            "Weight__c": rng.choice((None, 0.001, 9_999_999.999, round(rng.random() * 900, 3))),
            "Successor__c": pen.earlier("Product2", index, 0.2),
            **pen.stamps(owned=False),
        }


def opportunities(pen: Pen) -> Iterator[Row]:
    """Deals, won, lost and open, some of them for a project."""
    rng = pen.rng
    rivals = ("Norda", "Kesko Pumps", "Aquaflux")
    for index, row_id in pen.reserve("Opportunity"):
        stage, chance, forecast = rng.choice(STAGES)
        chosen = ";".join(name for name in rivals if rng.random() < 0.4)
        yield {
            "Id": row_id,
            "AccountId": pen.maybe("Account", 0.97),
            "Name": f"{rng.choice(words.PROJECT_WORDS)} {rng.choice(words.PLACES)}",
            "StageName": stage,
            "Probability": chance,
            "ForecastCategoryName": forecast,
            "Amount": rng.choice((None, 0, pen.money(2_000_000), pen.money(90_000))),
            "CloseDate": pen.day().isoformat(),
            "Type": rng.choice(("New Customer", None)),
            "NextStep": words.TRICKY_LINES[index % len(words.TRICKY_LINES)] if index % 9 == 0 else None,
            "Description": words.pick_note(rng, index),
            "Project__c": pen.maybe("Project__c", 0.3),
            "Competitors__c": chosen or None,
            "DecisionOn__c": pen.day().isoformat() if index % 2 else None,
            "Margin__c": rng.choice((None, 0, 100, round(rng.random() * 60, 2))),
            **pen.stamps(),
        }


def cases(pen: Pen) -> Iterator[Row]:
    """Complaints, owned by users or queues; a few belong to another case; three carry very long resolutions."""
    rng = pen.rng
    for index, row_id in pen.reserve("Case"):
        status = rng.choice(("New", "Working", "Escalated", "Closed"))
        closed = as_instant(datetime.combine(pen.day(date(2020, 1, 1), date(2026, 10, 30)), datetime.min.time()))
        resolution = words.build_long_text(rng, 30_000) if index in (5, 40, 77) else words.pick_note(rng, index + 1)
        yield {
            "Id": row_id,
            "AccountId": pen.maybe("Account", 0.9),
            "ContactId": pen.maybe("Contact", 0.6),
            "ParentId": pen.earlier("Case", index, 0.1),
            "Subject": f"{rng.choice(words.PUMPS)}: {rng.choice(words.SENTENCES)}",
            "Status": status,
            "ClosedDate": closed if status == "Closed" else None,
            "Priority": rng.choice(("High", "Medium", "Low")),
            "Origin": rng.choice(("Phone", "Email", "Web", None)),
            "Reason": rng.choice(("Installation", "Performance", "Feedback", None)),
            "Description": words.pick_note(rng, index + 2),
            "IsEscalated": status == "Escalated",
            "Machine__c": pen.maybe("Machine__c", 0.6),
            "Severity__c": rng.choice(("Low", "Middle", "High", "Standstill", None)),
            "Resolution__c": resolution,
            "PromisedAt__c": any_instant(rng) if index % 3 == 0 else None,
            **pen.stamps(owner=rng.choice((None, pen.queues["Service_Desk"], pen.queues["Claims"]))),
        }


def tasks(pen: Pen) -> Iterator[Row]:
    """To-dos about anybody (a contact or a lead) and anything (an account, a deal, a case, or nothing)."""
    rng = pen.rng
    for index, row_id in pen.reserve("Task"):
        status = rng.choice(("Not Started", "In Progress", "Completed"))
        yield {
            "Id": row_id,
            "WhoId": pen.maybe(("Contact", "Lead")[index % 5 == 0], 0.8),
            # A task about a lead can be about nothing else.
            "WhatId": None if index % 5 == 0 else pen.maybe(("Account", "Opportunity", "Case")[index % 3], 0.8),
            "Subject": rng.choice(("Call", "Email", "Send Quote", f"Ask for {rng.choice(words.PUMPS)}")),
            "ActivityDate": pen.day().isoformat() if index % 4 else None,
            "Status": status,
            "Priority": rng.choice(("High", "Normal", "Low")),
            "Description": words.pick_note(rng, index),
            "CallDurationInSeconds": rng.choice((None, 0, rng.randrange(3600))),
            "TaskSubtype": "Task",
            "CompletedDateTime": any_instant(rng) if status == "Completed" else None,
            **pen.stamps(),
        }


def events(pen: Pen) -> Iterator[Row]:
    """Meetings, some of a whole day."""
    rng = pen.rng
    for index, row_id in pen.reserve("Event"):
        day = pen.day()
        all_day = index % 6 == 0
        start = datetime.combine(day, datetime.min.time()) + timedelta(hours=0 if all_day else 9 + index % 7)
        minutes = 1440 if all_day else 30 * (1 + index % 4)
        yield {
            "Id": row_id,
            "WhoId": pen.maybe("Contact", 0.7),
            "WhatId": pen.maybe(("Account", "Opportunity")[index % 2], 0.6),
            "Subject": "Meeting",
            "Location": rng.choice((*words.PLACES, None)),
            "IsAllDayEvent": all_day,
            "ActivityDate": day.isoformat(),
            "ActivityDateTime": as_instant(start),
            "StartDateTime": as_instant(start),
            "EndDateTime": as_instant(start + timedelta(minutes=minutes)),
            "EndDate": day.isoformat(),
            "DurationInMinutes": minutes,
            "ShowAs": "Busy",
            "Description": words.pick_note(rng, index + 1),
            **pen.stamps(),
        }
