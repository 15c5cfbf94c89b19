"""All rows of the practice company, in the order in which they refer to each other.

About 3,000 rows by default; `records` scales the large objects and leaves the small ones (users, routing, switches)
as they are. Rows stream into the org, roll-ups are computed at the end. The org must have its metadata.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import islice

from rehearse.practice import rows, rows_rollup, seed_billing, seed_people, seed_projects, seed_sales
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_logins import make_logins
from rehearse.practice.seed_pen import Pen, Row

# Object, its share of the records in thousandths, who writes it. Objects without a share have a fixed number of rows.
PLAN: tuple[tuple[str, int, Callable[[Pen], Iterator[Row]]], ...] = (
    ("Account", 75, seed_sales.accounts),
    ("Contact", 130, seed_sales.contacts),
    ("Lead", 25, seed_sales.leads),
    ("Product2", 18, seed_sales.products),
    ("Project__c", 45, seed_projects.projects),
    ("ProjectMember__c", 75, seed_projects.members),
    ("Machine__c", 35, seed_projects.machines),
    ("Opportunity", 62, seed_sales.opportunities),
    ("Case", 52, seed_sales.cases),
    ("ServiceVisit__c", 38, seed_projects.visits),
    ("Task", 85, seed_sales.tasks),
    ("Event", 20, seed_sales.events),
    ("Invoice__c", 85, seed_billing.invoices),
    ("InvoiceLine__c", 190, seed_billing.lines),
    ("Payment__c", 65, seed_billing.payments),
    ("Routing__c", 0, seed_billing.routings),
    ("TriggerSwitch__c", 0, seed_billing.switches),
    ("Automation__c", 0, seed_billing.settings),
)
# What the platform keeps by itself: the account of an activity follows what it is about, else whom.
ACCOUNTS_OF_TASKS = tuple(
    statement
    for table in ("Task", "Event")
    for statement in (
        f"""UPDATE "{table}" SET "AccountId" = CASE substr("WhatId", 1, 3) WHEN '001' THEN "WhatId"
            WHEN '006' THEN (SELECT o."AccountId" FROM "Opportunity" AS o WHERE o."Id" = "{table}"."WhatId")
            WHEN '500' THEN (SELECT c."AccountId" FROM "Case" AS c WHERE c."Id" = "{table}"."WhatId") END""",
        f"""UPDATE "{table}" SET "AccountId" = (SELECT c."AccountId" FROM "Contact" AS c WHERE c."Id" = "WhoId")
            WHERE "AccountId" IS NULL AND substr("WhoId", 1, 3) = '003'""",
    )
)
BATCH = 5000  # rows in memory at once
LEAST = 80  # rows of each scaled object, so that every kind of row exists in a small world too


def load_users(org: OrgState, pen: Pen) -> None:
    """Load users, queue members and permission set assignments; then the pen knows users and queues."""
    rows.load(org, "User", seed_people.user_rows(pen))
    make_logins(org)
    found = org.db.execute('SELECT "DeveloperName", "Id" FROM "Group" WHERE "Type" = \'Queue\'').fetchall()
    pen.queues = {str(name): str(row_id) for name, row_id in found}
    kinds = org.db.execute('SELECT "SobjectType", "DeveloperName", "Id" FROM "RecordType"').fetchall()
    pen.record_types = {f"{target}.{name}": str(row_id) for target, name, row_id in kinds}
    rows.load(org, "GroupMember", seed_people.member_rows(pen))
    rows.load(org, "PermissionSetAssignment", seed_people.assignment_rows(pen))


def load_records(org: OrgState, users: list[str], seed: int = 1, records: int = 3000, skew: int = 0) -> dict[str, int]:
    """Load the whole company into an org that has its metadata and no rows; answers the number of rows by object.

    `users` are the ids of the users that are to be made, in their order; `skew` contacts are of the first account."""
    pen = Pen(org, random.Random(f"records {seed}"), users[:-1], ids={"User": users}, skew=skew)
    with org.transaction():
        load_users(org, pen)
    indexes = _drop_indexes(org)
    for name, share, write in PLAN:
        pen.counts[name] = max(LEAST, records * share // 1000, skew if name == "Contact" else 0)
        with org.transaction():
            _load(org, name, write(pen))
    with org.transaction():
        for statement in (*indexes, *ACCOUNTS_OF_TASKS):
            org.db.execute(statement)
        rows_rollup.settle(org, ("Invoice__c",))  # first, as accounts add up the totals of invoices
        rows_rollup.settle(org)
    return {name: pen.counts[name] for name, _, _ in PLAN}


def _drop_indexes(org: OrgState) -> list[str]:
    """Drop the indexes of the tables that are to be filled; answers the statements that make them again.

    A finished index is written in order, which takes a third of the time of growing it row by row."""
    names = {name for name, _, _ in PLAN}
    with org.transaction() as db:
        found = db.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        mine = [(str(index), str(sql)) for index, table, sql in found.fetchall() if table in names]
        for index, _ in mine:
            db.execute(f"DROP INDEX {quote(index)}")
    return [sql for _, sql in mine]


def _load(org: OrgState, name: str, written: Iterator[Row]) -> None:
    while batch := list(islice(written, BATCH)):
        rows.load(org, name, batch)
