"""Who may come in: access tokens, the codes and refresh tokens that become tokens, and client credentials.

A token belongs to one org and dies with it; only its SHA-256 is stored. A client belongs to a *name*, production or a
sandbox, so the same client id and secret reach the new org after a refresh, as an external client app that was made in
production does. Secrets are kept in clear (a practice user must be shown them), in a file that only its owner may read;
they never appear in a repr or an error.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rehearse.practice.estate_file import EstateFile

TABLES = """
CREATE TABLE IF NOT EXISTS tokens (
    digest TEXT PRIMARY KEY, org TEXT NOT NULL, user_id TEXT NOT NULL, issued_at TEXT NOT NULL, used_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS auth_codes (digest TEXT PRIMARY KEY, org TEXT NOT NULL, user_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clients (
    client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL, sandbox TEXT UNIQUE COLLATE NOCASE,
    user_id TEXT NOT NULL);
"""
CODE, REFRESH = "aPrx", "5Aep"  # how codes and refresh tokens begin; both are kept as digests in auth_codes
TOUCH_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Client:
    """Client credentials: of the sandbox with this name, or of production (`sandbox` None), running as a user."""

    client_id: str
    client_secret: str = field(repr=False)
    sandbox: str | None
    user_id: str


@dataclass(frozen=True)
class Session:
    """What a token stands for: the 15-character id of its org, and its user."""

    org: str
    user_id: str


class Tokens:
    """The tokens, codes and clients of one estate file."""

    def __init__(self, file: EstateFile) -> None:
        self._file = file

    def issue(self, org: str, user_id: str, now: datetime) -> str:
        """A new access token, `00D…!…`, of a user in the org with this 15-character id."""
        token = f"{org}!{secrets.token_urlsafe(60)}"
        with self._file.transaction() as db:
            stamp = now.isoformat()
            db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?)", (_digest(token), org, user_id, stamp, stamp))
        return token

    def find(self, token: str, now: datetime, idle_hours: float = 0) -> Session | None:
        """The session of a token, or None when it is unknown, revoked, or idle for more than `idle_hours` (0: ever)."""
        rows = self._file.load_rows("SELECT * FROM tokens WHERE digest = ?", (_digest(token),))
        if not rows:
            return None
        idle = now - datetime.fromisoformat(rows[0]["used_at"])
        if idle_hours and idle > timedelta(hours=idle_hours):
            return None
        if idle_hours and idle > min(TOUCH_AFTER, timedelta(hours=idle_hours) / 10):
            with self._file.transaction() as db:
                db.execute("UPDATE tokens SET used_at = ? WHERE digest = ?", (now.isoformat(), rows[0]["digest"]))
        return Session(rows[0]["org"], rows[0]["user_id"])

    def revoke(self, token: str) -> None:
        """Make one token worthless."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM tokens WHERE digest = ?", (_digest(token),))

    def revoke_org(self, org: str) -> None:
        """Make every token and code of an org (15 characters) worthless."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM tokens WHERE org = ?", (org,))
            db.execute("DELETE FROM auth_codes WHERE org = ?", (org,))

    def issue_code(self, org: str, user_id: str) -> str:
        """A code that `redeem_code` accepts once, as sandboxAuth hands out."""
        return self._keep(CODE, org, user_id)

    def _keep(self, head: str, org: str, user_id: str) -> str:
        secret = f"{head}{secrets.token_urlsafe(40)}"
        with self._file.transaction() as db:
            db.execute("INSERT INTO auth_codes VALUES (?, ?, ?)", (_digest(secret), org, user_id))
        return secret

    def issue_refresh(self, org: str, user_id: str) -> str:
        """A refresh token of a user in the org with this 15-character id: good until the org is gone."""
        return self._keep(REFRESH, org, user_id)

    def find_refresh(self, token: str) -> Session | None:
        """The session that a refresh token stands for; None for an unknown or dead one."""
        if not token.startswith(REFRESH):
            return None
        rows = self._file.load_rows("SELECT org, user_id FROM auth_codes WHERE digest = ?", (_digest(token),))
        return Session(rows[0]["org"], rows[0]["user_id"]) if rows else None

    def redeem_code(self, code: str) -> Session | None:
        """The session that a code stands for, and the code is used up; None for an unknown or used one."""
        if not code.startswith(CODE):
            return None
        with self._file.transaction() as db:
            found = db.execute(
                "DELETE FROM auth_codes WHERE digest = ? RETURNING org, user_id", (_digest(code),)
            ).fetchall()
        return Session(found[0]["org"], found[0]["user_id"]) if found else None

    def add_client(self, sandbox: str | None, user_id: str) -> Client:
        """The client of a sandbox name (None: of production); made on the first call, the same one ever after."""
        with self._file.transaction() as db:
            found = db.execute("SELECT * FROM clients WHERE sandbox IS ?", (sandbox,)).fetchone()
            if found is not None:
                return _client(found)
            client = Client(f"3MVG9{secrets.token_urlsafe(45)}", secrets.token_hex(32), sandbox, user_id)
            db.execute("INSERT INTO clients VALUES (?, ?, ?, ?)", tuple(client.__dict__.values()))
            return client

    def keep_client(self, client: Client) -> None:
        """Put a known client in the place of the one that its sandbox (or production) has."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM clients WHERE sandbox IS ?", (client.sandbox,))
            db.execute("INSERT INTO clients VALUES (?, ?, ?, ?)", tuple(client.__dict__.values()))

    def client(self, client_id: str) -> Client | None:
        """The client with this id, or None."""
        rows = self._file.load_rows("SELECT * FROM clients WHERE client_id = ?", (client_id,))
        return _client(rows[0]) if rows else None

    def clients(self) -> tuple[Client, ...]:
        """All clients, production's first, then by name."""
        return tuple(_client(row) for row in self._file.load_rows("SELECT * FROM clients ORDER BY sandbox"))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _client(row: sqlite3.Row) -> Client:
    return Client(row["client_id"], row["client_secret"], row["sandbox"], row["user_id"])
