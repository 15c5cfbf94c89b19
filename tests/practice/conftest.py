"""A small company for the tests of estates and sandboxes: three users, some records, a clock that stands still."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rehearse.practice import admin, sandboxes
from rehearse.practice.estate import Estate
from rehearse.practice.http_errors import ApiError
from rehearse.practice.sandbox_rows import Process, SandboxRows


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
