"""The estate: one folder with a production org, its sandboxes, their clock, tokens and settings.

Copying the folder of a closed estate copies the whole practice world. Every live org is reached through its token; an
org that was replaced, dropped or is still being copied is not reachable. Promise: one OrgState object an org and
process, and nothing in the folder is readable for others than its owner.
"""

from __future__ import annotations

import contextlib
import os
import threading
from datetime import datetime, timedelta
from pathlib import Path

from rehearse.practice.bulk_store import drop_pages
from rehearse.practice.estate_file import EstateFile
from rehearse.practice.faults import Faults
from rehearse.practice.org_state import OrgState
from rehearse.practice.sandbox_rows import TABLES as SANDBOX_TABLES
from rehearse.practice.settings import TABLE as SETTINGS_TABLE
from rehearse.practice.settings import Settings
from rehearse.practice.tokens import TABLES as TOKEN_TABLES
from rehearse.practice.tokens import Client, Tokens
from rehearse.practice.virtual_clock import VirtualClock

TABLES = """
CREATE TABLE IF NOT EXISTS orgs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, sandbox TEXT COLLATE NOCASE, info_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('coming', 'live', 'gone')), used_at TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS orgs_live ON orgs (coalesce(sandbox, '')) WHERE state = 'live';
CREATE TABLE IF NOT EXISTS estate_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
USE_IS_NOTED_EVERY = timedelta(days=1)


class Estate:
    """An open estate folder. Use `Estate.create` or `Estate.open`, and `close` it."""

    def __init__(self, folder: Path, file: EstateFile) -> None:
        self.folder = folder
        self.file = file
        self.clock = VirtualClock(file)
        self.settings = Settings(file)
        self.tokens = Tokens(file)
        self.faults = Faults(file)
        self._opened: dict[str, OrgState] = {}
        self._retired: list[OrgState] = []
        self._opening = threading.RLock()
        self.pulse_lock = threading.RLock()
        self.pulse_depth = 0

    @classmethod
    def create(cls, folder: Path, seed: int = 1) -> Estate:
        """A new estate whose production has the standard objects and no rows. Raises FileExistsError for one there."""
        if (folder / "estate.db").exists():
            raise FileExistsError(f"There is an estate in {folder.name} already.")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        (folder / "orgs").mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(folder / "estate.db", os.O_CREAT | os.O_RDWR, 0o600))
        estate = cls(folder, EstateFile(folder / "estate.db"))
        with estate.file.transaction() as db:
            for statement in f"{TABLES};{TOKEN_TABLES};{SETTINGS_TABLE};{SANDBOX_TABLES}".split(";"):
                db.execute(statement)
            db.execute("INSERT INTO estate_facts VALUES ('seed', ?)", (str(seed),))
        estate.clock.create()
        org_id = estate.reserve_org(None, None)
        OrgState.create(estate.org_path(org_id), estate.clock, org_id, estate.settings).close()
        estate.mark_live(org_id, estate.clock.now())
        return estate

    @classmethod
    def open(cls, folder: Path) -> Estate:
        """An estate that exists. Raises FileNotFoundError for a folder without one."""
        if not (folder / "estate.db").is_file():
            raise FileNotFoundError(f"There is no estate in {folder.name}.")
        estate = cls(folder, EstateFile(folder / "estate.db"))
        for row in estate.file.load_rows("SELECT id FROM orgs WHERE state = 'gone'"):
            estate.drop_org_files(row["id"])
        return estate

    @property
    def seed(self) -> int:
        """The number that the world was made from."""
        (row,) = self.file.load_rows("SELECT value FROM estate_facts WHERE name = 'seed'")
        return int(row["value"])

    def keep_recipe(self, **sizes: int) -> None:
        """Note how large the world was made: `records`, `components`, `skew`."""
        with self.file.transaction() as db:
            rows = [(f"made with {name}", str(size)) for name, size in sizes.items()]
            db.executemany("INSERT OR REPLACE INTO estate_facts VALUES (?, ?)", rows)

    @property
    def recipe(self) -> dict[str, int]:
        """What `keep_recipe` noted; empty for a world of which nobody did."""
        rows = self.file.load_rows("SELECT name, value FROM estate_facts WHERE name LIKE 'made with %'")
        return {str(row["name"]).removeprefix("made with "): int(row["value"]) for row in rows}

    # ---- orgs

    def org(self, org_id: str) -> OrgState:
        """The live org with this id of 15 or 18 characters. Raises KeyError when it is not live (any more)."""
        head = org_id[:15]
        with self._opening:
            if not self.file.load_rows("SELECT 1 FROM orgs WHERE id = ? AND state = 'live'", (head,)):
                raise KeyError(org_id)
            if head not in self._opened:
                self._opened[head] = OrgState(self.org_path(head), self.clock, self.settings)
                self._opened[head].faults = self.faults
                self._opened[head].sandbox = self.sandbox_name(head) or ""
            return self._opened[head]

    def orgs(self) -> tuple[OrgState, ...]:
        """Every live org: production, then the sandboxes by name."""
        rows = self.file.load_rows("SELECT id FROM orgs WHERE state = 'live' ORDER BY sandbox")
        return tuple(self.org(row["id"]) for row in rows)

    @property
    def production(self) -> OrgState:
        """The production org."""
        (row,) = self.file.load_rows("SELECT id FROM orgs WHERE state = 'live' AND sandbox IS NULL")
        return self.org(row["id"])

    def sandbox(self, name: str) -> OrgState | None:
        """The live org of a sandbox name in any case; None when there is none, or it was never ready."""
        rows = self.file.load_rows("SELECT id FROM orgs WHERE state = 'live' AND sandbox = ?", (name,))
        return self.org(rows[0]["id"]) if rows else None

    def sandbox_name(self, org_id: str) -> str | None:
        """The sandbox name that a known org has or had; None for production and for unknown ids."""
        rows = self.file.load_rows("SELECT sandbox FROM orgs WHERE id = ?", (org_id[:15],))
        return str(rows[0]["sandbox"]) if rows and rows[0]["sandbox"] is not None else None

    def org_path(self, org_id: str) -> Path:
        """Where the file of an org is, by its id of 15 or 18 characters."""
        return self.folder / "orgs" / f"{org_id[:15]}.db"

    def reserve_org(self, sandbox: str | None, info_id: str | None) -> str:
        """A fresh org id of 15 characters, for an org that is coming: it is not reachable before it is live."""
        with self.file.transaction() as db:
            (last,) = db.execute("SELECT coalesce(max(number), 0) FROM orgs").fetchone()
            org_id = f"00DPr{last + 1:010d}"
            values = (org_id, sandbox, info_id, self.clock.now().isoformat())
            db.execute("INSERT INTO orgs (id, sandbox, info_id, state, used_at) VALUES (?, ?, ?, 'coming', ?)", values)
        return org_id

    def mark_live(self, org_id: str, at: datetime) -> None:
        """Make an org reachable; `at` counts as its first use."""
        with self.file.transaction() as db:
            values = (at.isoformat(), org_id[:15])
            db.execute("UPDATE orgs SET state = 'live', used_at = ? WHERE id = ?", values)

    def mark_gone(self, org_id: str) -> None:
        """Make an org unreachable for ever, with its tokens; call `drop_org_files` once the transaction is over."""
        with self.file.transaction() as db:
            db.execute("UPDATE orgs SET state = 'gone' WHERE id = ?", (org_id[:15],))
            self.tokens.revoke_org(org_id[:15])

    def set_org_gone(self, org_id: str) -> None:
        """Make an org unreachable and remove its files."""
        self.mark_gone(org_id)
        self.drop_org_files(org_id)

    def drop_org_files(self, org_id: str) -> None:
        """Remove the files of an org that is gone; harmless to repeat.

        A request that is under way in it may end in peace: its open file is closed with the estate.
        """
        with self._opening:
            org = self._opened.pop(org_id[:15], None)
            if org is not None:
                self._retired.append(org)
        drop_pages(self.folder / "pages", org_id)
        path = self.org_path(org_id)
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    # ---- people

    def token(self, access_token: str) -> tuple[OrgState, str] | None:
        """The live org and the user id of an access token; None for an unknown or dead one."""
        now = self.clock.now()
        session = self.tokens.find(access_token, now, self.settings["session_idle_hours"])
        if session is None:
            return None
        self._note_use(session.org, now)
        with contextlib.suppress(KeyError):
            return self.org(session.org), session.user_id
        return None

    def issue_token(self, org: OrgState, user_id: str) -> str:
        """A new access token of a user in a live org. Raises KeyError when the org is not live."""
        head = self.org(org.org_id).org_id[:15]
        now = self.clock.now()
        self._note_use(head, now)
        return self.tokens.issue(head, user_id, now)

    def redeem_code(self, code: str) -> tuple[OrgState, str] | None:
        """The live org and user id that an authorization code stands for; a code works once."""
        session = self.tokens.redeem_code(code)
        with contextlib.suppress(KeyError):
            return (self.org(session.org), session.user_id) if session is not None else None
        return None

    def client(self, client_id: str) -> Client | None:
        """The client credentials with this id, or None."""
        return self.tokens.client(client_id)

    def org_of_client(self, client: Client) -> OrgState | None:
        """The live org that a client reaches now; None while its sandbox does not exist."""
        return self.production if client.sandbox is None else self.sandbox(client.sandbox)

    def find_user(self, username: str) -> tuple[OrgState, str] | None:
        """The live org and id of the active user with this username in any case; usernames are unique worldwide."""
        for org in self.orgs():
            with org.lock:
                row = org.db.execute(
                    'SELECT "Id" FROM "User" WHERE "Username" = ? COLLATE NOCASE AND "IsActive" = 1', (username,)
                ).fetchone()
            if row is not None:
                return org, str(row[0])
        return None

    def _note_use(self, org_id: str, now: datetime) -> None:
        before = (now - USE_IS_NOTED_EVERY).isoformat()
        if self.file.load_rows("SELECT 1 FROM orgs WHERE id = ? AND used_at < ?", (org_id, before)):
            with self.file.transaction() as db:
                db.execute("UPDATE orgs SET used_at = ? WHERE id = ?", (now.isoformat(), org_id))

    def close(self) -> None:
        """Close every org and the estate file."""
        with self._opening:
            for org in (*self._opened.values(), *self._retired):
                with org.lock:
                    org.close()
            self._opened.clear()
            self._retired.clear()
        self.file.close()
