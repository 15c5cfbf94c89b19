"""The budget of API calls: how much of an org's daily allowance rehearse may use, over all commands of the team.

Calls are counted as they leave and kept by the hour in the workspace database; what the last 24 hours and this command
come to may not pass the budget. Past it the command stops part-way, before the call that would be too many, and the
same command continues it later. What other programs use is not counted: the org itself refuses when nothing is left.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa

from rehearse import clock
from rehearse.errors import StoppedPartWay
from rehearse.org.reader import OrgReader
from rehearse.state import TABLES, Database

SAVE_EVERY = 200
"""Calls between two writes to the database: what a kill may leave uncounted."""
_DAY = timedelta(hours=24)

_calls = sa.Table(
    "api_calls",
    TABLES,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("hour", sa.Text, primary_key=True),
    sa.Column("calls", sa.BigInteger, nullable=False),
)


class Budget:
    """The budget of one connection. `heard` is its ear on the wire; it limits nothing before `begin`."""

    def __init__(self, database: Database, share: float, name: str) -> None:
        self._database = database
        self._share = share
        self._name = name
        self._lock = threading.Lock()
        self._org_id = ""
        self._unsaved = 0
        self._spent = 0
        self._most: int | None = None
        self._allowance = 0

    def heard(self, moment: str, method: str, path: str) -> None:
        """Count a call before it leaves. Raises StoppedPartWay in place of the call that passes the budget."""
        if moment != "before" or not path.startswith("/services/") or path.startswith("/services/oauth2/"):
            return
        with self._lock:
            if self._most is not None and self._spent >= self._most:
                raise self._stopped()
            self._spent += 1
            self._unsaved += 1
            full = self._unsaved >= SAVE_EVERY and bool(self._org_id)
        if full:
            self.save()

    def begin(self, reader: OrgReader, now: datetime | None = None) -> None:
        """From here on the budget holds: of the org's daily allowance, less what the last 24 hours used."""
        usage = reader.api_usage
        allowance = usage[1] if usage else reader.fetch_limits()["DailyApiRequests"].maximum
        since = clock.iso((now or clock.now()) - _DAY)
        query = sa.select(sa.func.coalesce(sa.func.sum(_calls.c.calls), 0)).where(
            _calls.c.org_id == reader.org_id, _calls.c.hour > since
        )
        with self._database.begin() as connection:
            before = int(connection.execute(query).scalar_one())
        with self._lock:
            self._org_id, self._allowance = reader.org_id, allowance
            self._spent += before
            self._most = int(allowance * self._share)

    def save(self, now: datetime | None = None) -> None:
        """Write down what was used since the last time; forget what is older than two days."""
        if self._database.read_only:
            return
        with self._lock:
            calls, self._unsaved = (self._unsaved, 0) if self._org_id else (0, self._unsaved)
        if not calls:
            return
        moment = now or clock.now()
        hour = clock.iso(moment.replace(minute=0, second=0, microsecond=0))
        here = (_calls.c.org_id == self._org_id, _calls.c.hour == hour)
        row = {"org_id": self._org_id, "hour": hour}
        with suppress(sa.exc.IntegrityError), self._database.begin() as connection:  # another command made the row
            if not connection.execute(sa.select(_calls.c.calls).where(*here)).first():
                connection.execute(sa.insert(_calls).values(**row, calls=0))
        with self._database.begin() as connection:
            connection.execute(sa.update(_calls).where(*here).values(calls=_calls.c.calls + calls))
            connection.execute(sa.delete(_calls).where(_calls.c.hour < clock.iso(moment - 2 * _DAY)))

    def _stopped(self) -> StoppedPartWay:
        part = f"{self._share * 100:g} %"
        return StoppedPartWay(
            f"{self._name} has answered {self._spent:,} API calls of rehearse in 24 hours: the budget of {part} of its "
            f"{self._allowance:,} a day is used up.",
            "Run the same command again later: it continues. Or raise the budget in rehearse.yaml.",
        )
