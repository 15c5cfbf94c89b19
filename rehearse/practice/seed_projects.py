"""Projects, their members, machines and visits: the rows of the custom objects that carry work.

A project fills every field type, with values at the edges of what a field may hold; a member has two masters.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from rehearse.practice import seed_words as words
from rehearse.practice.seed_pen import Pen, Row, any_instant
from rehearse.practice.seed_sales import REGIONS
from rehearse.practice.seed_work import SKILLS

# What a Number(18, 8) and a Number(16, 6) may hold, as far as a double carries it.
FACTORS = (0, 1e-8, -1e-8, 0.1, 1234567.12345678, -9_999_999_999.5, 9_999_999_999.99999, None)
PRESSURES = (0, 1e-6, -273.15, 101_325.000001, 9_999_999_999.0, None)
LONG_BRIEFS = (30_000, 30_000, 131_072)


def projects(pen: Pen) -> Iterator[Row]:
    """Projects of customers and our own, a quarter of them a part of another one."""
    rng = pen.rng
    for index, row_id in pen.reserve("Project__c"):
        own = index % 12 == 11
        skills = ";".join(skill for skill in SKILLS if rng.random() < 0.35)
        yield {
            "Id": row_id,
            "Name": f"{rng.choice(words.PROJECT_WORDS)} {rng.choice(words.PLACES)}",
            "RecordTypeId": pen.record_types["Project__c.Internal_Project" if own else "Project__c.Customer_Project"],
            "Account__c": None if own else pen.maybe("Account", 0.97),
            "Parent__c": pen.earlier("Project__c", index, 0.25),
            "Sponsor__c": pen.maybe("Contact", 0.5),
            "Lead__c": rng.choice((*pen.users, None)),
            "ExternalKey__c": f"plan/{index + 1}" if index % 5 else None,
            "Region__c": rng.choice((*REGIONS, None)),
            "Skills__c": skills or None,
            "Confidential__c": index % 7 == 0,
            **_course(pen, index),
            **_amounts(pen, index),
            **_texts(pen, index),
            **pen.stamps(),
        }


def _course(pen: Pen, index: int) -> Row:
    """Stage and dates; what is done has an end."""
    rng = pen.rng
    stage = rng.choice(("Idea", "Planned", "Running", "On hold", "Done"))
    start = pen.day(last=date(2027, 3, 1))
    end = start + timedelta(days=rng.randrange(0, 900)) if stage == "Done" or rng.random() < 0.5 else None
    return {
        "Stage__c": stage,
        "Active__c": stage != "Done",
        "Start__c": start.isoformat() if index % 9 else None,
        "End__c": end.isoformat() if end else None,
        "KickOff__c": any_instant(rng) if index % 3 else None,
        "LastInvoiceOn__c": pen.day().isoformat() if index % 3 == 0 else None,
    }


def _amounts(pen: Pen, index: int) -> Row:
    rng = pen.rng
    return {
        "Budget__c": rng.choice((None, 0, pen.money(800_000_000))),
        "Spent__c": rng.choice((None, 0, pen.money(1_000_000))),
        "Progress__c": rng.choice((None, 0, 100, round(rng.random() * 100, 2))),
        "Headcount__c": rng.choice((None, 0, 999_999, rng.randrange(40))),
        "Factor__c": FACTORS[index % len(FACTORS)],
    }


def _texts(pen: Pen, index: int) -> Row:
    rng = pen.rng
    long = words.build_long_text(rng, LONG_BRIEFS[index // 20]) if index in (8, 28, 48) else None
    return {
        "ContactEmail__c": f"project{index}@tidewater.example" if index % 4 else None,
        "Hotline__c": "+353 21 555 0100" if index % 4 == 1 else None,
        "Site__c": f"https://sites.tidewater.example/p/{index}?tide=high&view=%20" if index % 4 == 2 else None,
        "Remark__c": words.TRICKY[index % len(words.TRICKY)] if index % 2 else None,
        "Brief__c": long or words.pick_note(rng, index + 2),
        "Story__c": f"<p>{index} &amp; <b>more</b></p>" if index % 6 == 0 else None,
        "GateCode__c": f"{rng.randrange(10000):04d}" if index % 10 == 0 else None,
    }


def members(pen: Pen) -> Iterator[Row]:
    """Who works in which project: rows with two masters."""
    rng = pen.rng
    for index, row_id in pen.reserve("ProjectMember__c"):
        yield {
            "Id": row_id,
            "Project__c": pen.some("Project__c"),
            "Contact__c": pen.some("Contact"),
            "Role__c": rng.choice(("Engineer", "Buyer", "Inspector", "Guest", None)),
            "Share__c": rng.choice((None, 0, 12.5, 100)),
            "From__c": pen.day().isoformat() if index % 3 else None,
            **pen.stamps(owned=False),
        }


def machines(pen: Pen) -> Iterator[Row]:
    """Pumps that were delivered."""
    rng = pen.rng
    for index, row_id in pen.reserve("Machine__c"):
        yield {
            "Id": row_id,
            "Name": f"{rng.choice(words.PUMPS)} {index + 1}",
            "Account__c": pen.maybe("Account", 0.95),
            "Product__c": pen.maybe("Product2", 0.9),
            "Project__c": pen.maybe("Project__c", 0.5),
            "SerialNumber__c": f"{rng.choice('ABCDEF')}{index + 1:07d}",
            "State__c": rng.choice(("Ordered", "Running", "Down", "Scrapped")),
            "InstalledOn__c": pen.day().isoformat() if index % 5 else None,
            "HoursRun__c": rng.choice((None, 0, 9_999_999_999_999.99, round(rng.random() * 60_000, 2))),
            "Pressure__c": PRESSURES[index % len(PRESSURES)],
            "LastVisitAt__c": any_instant(rng) if index % 2 else None,
            "OpenVisits__c": None,
            **pen.stamps(),
        }


def visits(pen: Pen) -> Iterator[Row]:
    """Visits to machines; a visit goes when its machine goes."""
    rng = pen.rng
    for index, row_id in pen.reserve("ServiceVisit__c"):
        yield {
            "Id": row_id,
            "Machine__c": pen.maybe("Machine__c", 0.95),
            "Case__c": pen.maybe("Case", 0.4),
            "Technician__c": rng.choice((*pen.users[7:9], None)),
            "StartsAt__c": any_instant(rng) if index % 8 else None,
            "Hours__c": rng.choice((None, 0.25, 7.5, 999.99)),
            "State__c": rng.choice(("Planned", "On site", "Finished", "Dropped")),
            "Rating__c": rng.choice((None, 0, 3.5, 5)),
            "Report__c": words.pick_note(rng, index + 1),
            **pen.stamps(),
        }
