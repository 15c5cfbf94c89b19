"""The users of the practice company and where they stand: profiles, roles, queues, permission sets.

Ten users, invented; one of them left. The first is the release manager, the second the administrator who changes
things by hand, the third the integration that loads data. Profile, role and queue rows come from the metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import Value
from rehearse.practice.seed_pen import Pen, Row

HOST = "tidewater.example"
# Alias, first name, last name, title, profile, role.
USERS: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("release", "Rónán", "Fáinle", "Release manager", "Admin", "Head_Office"),
    ("admin", "Wiebke", "Hüsken", "Administrator", "Admin", "Head_Office"),
    ("loader", "Data", "Loader", "Integration", "Admin", ""),
    ("sales1", "Carla", "Barros", "Head of sales", "Sales", "Sales_Lead"),
    ("sales2", "Søren", "Ulvang", "Key accounts", "Sales", "Sales_Lead"),
    ("books1", "Mireille", "Gaspari", "Head of accounting", "Accounting", "Accounting_Lead"),
    ("books2", "Tomáš", "Dvořák", "Payments", "Accounting", "Accounting_Lead"),
    ("desk1", "健", "田中", "Service desk", "Service", ""),
    ("desk2", "Ola", "Lindqvist", "Technician", "Service", ""),
    ("gone", "Quentin", "Zeller", "Left in 2024", "Sales", ""),
)
ZONES = ("Europe/Dublin", "Europe/Berlin", "GMT", "Europe/Paris", "Europe/Berlin")


def username(alias: str) -> str:
    """The production username of one of the users."""
    return f"{alias}@{HOST}"


def find_id(org: OrgState, target: str, names: Sequence[str], column: str = "Name") -> str | None:
    """The id of the row of an object whose column holds one of these names, or None."""
    marks = ", ".join("?" for _ in names)
    with org.lock:
        row = org.db.execute(f'SELECT "Id" FROM "{target}" WHERE "{column}" IN ({marks})', tuple(names)).fetchone()
    return str(row[0]) if row else None


def user_rows(pen: Pen) -> Iterator[Row]:
    """The rows of User under ids that are promised already; the administrator made everybody else."""
    ids = pen.ids["User"]
    for index, (alias, first, last, title, profile, role) in enumerate(USERS):
        standard = "System Administrator" if profile == "Admin" else profile
        stamps = pen.stamps(owned=False)
        values: dict[str, Value] = {
            "Id": ids[index],
            "Username": username(alias),
            "FirstName": first,
            "LastName": last,
            "Alias": alias,
            "Title": title,
            "Email": username(alias),
            "CommunityNickname": alias,
            "IsActive": alias != "gone",
            "CompanyName": "Tidewater Pumps",
            "Department": profile,
            "ProfileId": find_id(pen.org, "Profile", (standard, profile)),
            "UserRoleId": find_id(pen.org, "UserRole", (role,), "DeveloperName") if role else None,
            "ManagerId": ids[0] if index > 2 else None,
            "TimeZoneSidKey": ZONES[index % len(ZONES)],
            "LocaleSidKey": "en_IE",
            "LanguageLocaleKey": "en_US",
            "EmailEncodingKey": "UTF-8",
            "UserType": "Standard",
            "AboutMe": None if index % 3 else f"{title}.\nCall me before noon.",
        }
        yield {**values, **stamps, "CreatedById": ids[1], "LastModifiedById": ids[1]}


def assignment_rows(pen: Pen) -> Iterator[Row]:
    """Who holds which permission set."""
    held = (
        (2, "Data_Loading"),
        (5, "Payments_Team"),
        (6, "Payments_Team"),
        (3, "Read_Receivables"),
        (8, "Service_Team"),
    )
    pen.counts["PermissionSetAssignment"] = len(held)
    for index, row_id in pen.reserve("PermissionSetAssignment"):
        user, name = held[index]
        stamp = pen.stamps(owned=False)["SystemModstamp"]
        yield {
            "Id": row_id,
            "AssigneeId": pen.ids["User"][user],
            "PermissionSetId": find_id(pen.org, "PermissionSet", (name,)),
            "IsActive": True,
            "SystemModstamp": stamp,
        }


def member_rows(pen: Pen) -> Iterator[Row]:
    """Who is in which queue."""
    placed = (("Service_Desk", 7), ("Service_Desk", 8), ("Claims", 7), ("New_Leads", 3), ("New_Leads", 4))
    pen.counts["GroupMember"] = len(placed)
    for index, row_id in pen.reserve("GroupMember"):
        queue, user = placed[index]
        yield {
            "Id": row_id,
            "GroupId": pen.queues[queue],
            "UserOrGroupId": pen.ids["User"][user],
            **pen.stamps(owned=False),
        }
