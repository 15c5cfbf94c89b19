"""A small company for the tests of estates and sandboxes: three users, some records, a clock that stands still."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse.practice import admin, rows, sandboxes
from rehearse.practice.estate import Estate
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.sandbox_rows import Process, SandboxRows
from rehearse.practice.schema import FieldDef, PicklistValue, RollUp, build_custom_object
from rehearse.practice.soql_run import run_query

# Recorded answers of real orgs lie beside the checkout where the project is developed and are no part of it: without
# them, the module that compares with them is not collected.
RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
collect_ignore = [] if RECORDINGS.is_dir() else ["test_recordings.py"]


@pytest.fixture
def calm_practice(shared_practice: Any) -> Iterator[Any]:
    """The world that a module shares, with no fault and every setting at its default before and after each test."""
    yield shared_practice
    shared_practice.faults.clear()
    with shared_practice.estate.file.transaction() as db:
        db.execute("DELETE FROM settings")


@dataclass
class Company:
    """An open estate without a server. `admin_id` asks for sandboxes; `user_ids` has all three users."""

    estate: Estate
    admin_id: str
    user_ids: tuple[str, ...]

    @property
    def rows(self) -> SandboxRows:
        return SandboxRows(self.estate.file)

    def create(self, name: str = "UAT", licence: str = "Full", **fields: object) -> str:
        return sandboxes.create(self.estate, {"SandboxName": name, "LicenseType": licence, **fields}, self.admin_id)

    def ready(self, name: str = "UAT", licence: str = "Full", **fields: object) -> str:
        """Create a sandbox and let the time pass until it can be used."""
        info_id = self.create(name, licence, **fields)
        self.finish()
        return info_id

    def refresh(self, info_id: str, licence: str = "Full", **fields: object) -> None:
        sandboxes.refresh(self.estate, info_id, {"LicenseType": licence, **fields}, self.admin_id)

    def activate(self, info_id: str) -> None:
        sandboxes.activate(self.estate, self.newest(info_id).id, self.admin_id)

    def wait(self, **amount: float) -> datetime:
        return admin.move_clock(self.estate, timedelta(**amount))

    def finish(self) -> None:
        """Let the time pass until no copy is under way; one that waits for its activation goes on waiting."""
        while any(one.code in "0X25678FE" for one in self.rows.processes()):
            due = admin.next_event(self.estate)
            assert due is not None
            admin.set_clock(self.estate, due)

    def newest(self, info_id: str) -> Process:
        return self.rows.newest(info_id)

    def row(self, info_id: str) -> dict[str, object]:
        """The newest SandboxProcess row of a sandbox, as a query shows it."""
        found = sandboxes.query_rows(self.estate, "SandboxProcess")
        return next(one for one in found if one["SandboxInfoId"] == info_id)

    def refused(
        self, request: Callable[[], object], code: str, *, text: str = "", fields: Sequence[str] = ()
    ) -> ApiError:
        """Hold that a request is refused with this code, and that no row has changed."""
        before = self._all_rows()
        with pytest.raises(ApiError) as refusal:
            request()
        assert refusal.value.code == code
        assert text in refusal.value.message
        assert refusal.value.fields == tuple(fields)
        assert self._all_rows() == before
        return refusal.value

    def _all_rows(self) -> list[list[dict[str, object]]]:
        return [sandboxes.query_rows(self.estate, one) for one in ("SandboxInfo", "SandboxProcess")]


def _fill(estate: Estate) -> None:
    org = estate.production
    user_ids = org.new_ids("005", 3)
    accounts, contacts = org.new_ids("001", 6), org.new_ids("003", 6)
    with org.transaction() as db:
        db.execute('UPDATE "Organization" SET "Name" = ?, "InstanceName" = ?', ("Acme", "EU47"))
        for user_id, name in zip(user_ids, ("ann", "bob", "cem"), strict=True):
            db.execute(
                'INSERT INTO "User" ("Id", "Username", "LastName", "Email", "IsActive") VALUES (?, ?, ?, ?, 1)',
                (user_id, f"{name}@acme.example", name, f"{name}@acme.example"),
            )
        for number, account in enumerate(accounts):
            parent = accounts[number - 1] if number else None
            db.execute(
                'INSERT INTO "Account" ("Id", "Name", "ParentId", "Description", "IsDeleted") VALUES (?, ?, ?, ?, 0)',
                (account, f"Account {number}", parent, f"https://x/?org={org.org_id} or {org.org_id[:15]}."),
            )
        for number, contact in enumerate(contacts):
            db.execute(
                'INSERT INTO "Contact" ("Id", "LastName", "AccountId", "Email", "IsDeleted") VALUES (?, ?, ?, ?, ?)',
                (contact, f"Contact {number}", accounts[5 - number], "someone@customer.example", number == 0),
            )
        db.execute('INSERT INTO "LoginHistory" ("Id", "UserId") VALUES (?, ?)', (org.new_id("0Ya"), user_ids[0]))
        db.execute('INSERT INTO "CronTrigger" ("Id", "State") VALUES (?, ?)', (org.new_id("08e"), "WAITING"))
    estate.tokens.add_client(None, user_ids[0])
    estate.clock.pause()


@pytest.fixture(scope="session")
def company_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company's estate, closed; every test gets a copy."""
    folder = tmp_path_factory.mktemp("company") / "estate"
    estate = Estate.create(folder)
    _fill(estate)
    estate.close()
    return folder


@pytest.fixture
def company(company_folder: Path, tmp_path: Path) -> Iterator[Company]:
    """A private copy of the company, opened."""
    shutil.copytree(company_folder, tmp_path / "estate")
    estate = Estate.open(tmp_path / "estate")
    with estate.production.lock:
        users = [row[0] for row in estate.production.db.execute('SELECT "Id" FROM "User" ORDER BY "Id"')]
    yield Company(estate, users[0], tuple(users))
    estate.close()


# ---- one small org, for the tests of rows, queries and REST without a server


@dataclass
class StillClock:
    """A clock that moves only when told."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def wait(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


@dataclass
class SmallOrg:
    """An org with one user, standard objects, and invoices with lines, tags, projects and a junction."""

    org: OrgState
    clock: StillClock
    user_id: str
    settings: dict[str, object]

    def insert(self, name: str, **values: object) -> str:
        """Insert one row that must be accepted; answers its id."""
        saved = rows.insert(self.org, self.user_id, name, [values])[0]
        assert saved.success, saved.errors
        assert saved.id is not None
        return saved.id

    def update(self, name: str, row_id: str, **values: object) -> rows.Saved:
        return rows.update(self.org, self.user_id, name, [{"Id": row_id, **values}])[0]

    def delete(self, *ids: str, hard: bool = False) -> list[rows.Saved]:
        return rows.delete(self.org, self.user_id, ids, hard=hard)

    def undelete(self, *ids: str) -> list[rows.Saved]:
        return rows.undelete(self.org, self.user_id, ids)

    def refusal(self, name: str, **values: object) -> tuple[str, str, tuple[str, ...]]:
        """The one error of an insert that must be refused."""
        saved = rows.insert(self.org, self.user_id, name, [values])[0]
        assert not saved.success
        return saved.errors[0]

    def query(self, soql: str, deleted: bool = False) -> list[dict[str, Any]]:
        """Rows of a query without their attributes, parents and children included."""
        return [bare(row) for row in run_query(self.org, soql, deleted=deleted).rows]

    def one(self, soql: str, deleted: bool = False) -> dict[str, Any]:
        """The only row of a query."""
        (row,) = self.query(soql, deleted)
        return row


def bare(row: Any) -> Any:
    """A row without attributes, and child queries as plain lists."""
    if isinstance(row, dict):
        if "records" in row:
            return [bare(one) for one in row["records"]]
        return {name: bare(value) for name, value in row.items() if name != "attributes"}
    return row


def _lookup(name: str, to: str, children: str | None = None, **more: Any) -> FieldDef:
    path = name.replace("__c", "__r")
    return FieldDef(
        name,
        name,
        "reference",
        length=18,
        reference_to=(to,),
        relationship_name=path,
        child_relationship=children,
        custom=True,
        **more,
    )


def _small_objects(org: OrgState) -> None:
    states = tuple(PicklistValue(name, name.title()) for name in ("open", "paid", "late"))
    colours = tuple(PicklistValue(name, name) for name in ("red", "green", "blue"))
    invoice = [
        _lookup("Account__c", "Account", "Invoices__r"),
        FieldDef("Code__c", "Code", length=20, unique=True, external_id=True, custom=True),
        FieldDef(
            "State__c", "State", "picklist", length=40, restricted=True, values=states, default="open", custom=True
        ),
        FieldDef("Colours__c", "Colours", "multipicklist", length=100, values=colours, custom=True),
        FieldDef("Rate__c", "Rate", "double", precision=6, scale=2, custom=True),
        FieldDef("Count__c", "Count", "int", custom=True),
        FieldDef("Due__c", "Due", "date", custom=True),
        FieldDef("Sent__c", "Sent", "datetime", custom=True),
        FieldDef("Mail__c", "Mail", "email", length=80, custom=True),
        FieldDef("Open__c", "Open", "boolean", required=True, default=True, custom=True),
        FieldDef("Notes__c", "Notes", "textarea", length=32000, custom=True),
        FieldDef("Label__c", "Label", formula='Name & " " & TEXT(Rate__c)', custom=True),
        FieldDef("Double__c", "Double", "double", precision=8, scale=2, formula="Rate__c * 2", custom=True),
        FieldDef("Total__c", "Total", "currency", precision=16, scale=2, custom=True),
        FieldDef("Big__c", "Big lines", "double", precision=8, custom=True),
    ]
    total = RollUp("Line__c", "Invoice__c", "SUM", "Amount__c")
    big = RollUp("Line__c", "Invoice__c", "COUNT", None, (("Amount__c", "greaterThan", "100"),))
    sums = {"Total__c": total, "Big__c": big}
    invoice = [replace(one, summary=sums.get(one.name)) for one in invoice]
    number = FieldDef("Name", "Invoice Number", length=80, auto_number="INV-{0000}")
    org.put_object(build_custom_object("Invoice__c", "Invoice", "Invoices", "a00", invoice, number))
    master = _lookup("Invoice__c", "Invoice__c", "Lines__r", relationship_order=0, required=True)
    amount = FieldDef("Amount__c", "Amount", "currency", precision=16, scale=2, custom=True)
    above = FieldDef("Account__c", "Account", formula="Invoice__r.Account__r.Name", custom=True)
    org.put_object(build_custom_object("Line__c", "Line", "Lines", "a01", [master, amount, above]))
    tag = [
        _lookup("Free__c", "Invoice__c", "FreeTags__r"),
        _lookup("Bound__c", "Invoice__c", "BoundTags__r", on_delete="restrict"),
        _lookup("Along__c", "Invoice__c", "AlongTags__r", on_delete="cascade"),
        _lookup("Next__c", "Tag__c", "Before__r"),
    ]
    org.put_object(build_custom_object("Tag__c", "Tag", "Tags", "a02", tag))
    org.put_object(build_custom_object("Project__c", "Project", "Projects", "a03", []))
    both = [
        _lookup("Project__c", "Project__c", "Joins__r", relationship_order=0, required=True),
        _lookup("Invoice__c", "Invoice__c", "Joins__r", relationship_order=1, required=True, reparentable=True),
    ]
    org.put_object(build_custom_object("Join__c", "Join", "Joins", "a04", both))


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the small org; every test gets a copy."""
    path = tmp_path_factory.mktemp("small") / "org.db"
    org = OrgState.create(path, StillClock(datetime(2026, 11, 23, 8, tzinfo=UTC)), "00DPr0000000001")
    rows.load(org, "User", [{"Username": "ann@acme.example", "FirstName": "Ann", "LastName": "Lee", "IsActive": 1}])
    _small_objects(org)
    org.close()
    return path


@pytest.fixture
def small(small_file: Path, tmp_path: Path) -> Iterator[SmallOrg]:
    """A private copy of the small org, opened."""
    shutil.copy(small_file, tmp_path / "org.db")
    clock = StillClock(datetime(2026, 11, 23, 8, tzinfo=UTC))
    settings: dict[str, object] = {}
    org = OrgState(tmp_path / "org.db", clock, settings)
    yield SmallOrg(org, clock, str(org.db.execute('SELECT "Id" FROM "User"').fetchone()[0]), settings)
    org.close()
