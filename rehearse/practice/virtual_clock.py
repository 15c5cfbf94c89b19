"""The clock of the practice world: real time plus an offset, that can be paused, moved and sped up.

It lives in estate.db, so that every process that has the estate open sees the same time, and a copy of the folder
keeps its own. A new world stands still at `START` until `start()`; from then on it runs in real time. The clock never
goes back: rows already carry later stamps, and Salesforce's own clock does not either. All times are aware and UTC,
cut to milliseconds as Salesforce's stamps are.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rehearse.practice.estate_file import EstateFile

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
END = datetime(2200, 1, 1, tzinfo=UTC)  # no world goes on for longer: sums of dates stay in bounds
PAST_END = f"The practice clock ends in the year {END.year}."
MAX_SPEED = 1_000_000.0

TABLE = """
CREATE TABLE IF NOT EXISTS clock (
    only INTEGER PRIMARY KEY CHECK (only = 1), real_at TEXT NOT NULL, virtual_at TEXT NOT NULL,
    speed REAL NOT NULL, paused INTEGER NOT NULL, started INTEGER NOT NULL)
"""


@dataclass(frozen=True)
class ClockReading:
    """What the clock shows: the virtual time, how fast it runs, and whether it stands still."""

    now: datetime
    speed: float
    paused: bool
    started: bool


class VirtualClock:
    """The virtual clock of one estate file."""

    def __init__(self, file: EstateFile) -> None:
        self._file = file

    def create(self) -> None:
        """Set up the clock of a new estate: standing still at `START`."""
        with self._file.transaction() as db:
            db.execute(TABLE)
            db.execute(
                "INSERT OR IGNORE INTO clock VALUES (1, ?, ?, 1.0, 0, 0)", (_real_now().isoformat(), START.isoformat())
            )

    def now(self) -> datetime:
        """The virtual time, aware, UTC, in whole milliseconds."""
        return self.read().now

    def read(self) -> ClockReading:
        """The virtual time with the state of the clock."""
        (row,) = self._file.load_rows("SELECT * FROM clock")
        return _reading(row)

    def start(self) -> None:
        """Let a world that has never run begin; does nothing to one that has, paused or not."""
        if not self.read().started:
            with self._file.transaction() as db:
                self._write(db, self._locked(db), started=True)

    def move(self, by: timedelta) -> datetime:
        """Move the time on by `by`; returns the new time. Raises ValueError for a negative amount and past END."""
        if by < timedelta():
            raise ValueError(f"The practice clock cannot go back (by {-by}).")
        with self._file.transaction() as db:
            reading = self._locked(db)
            if by > END - reading.now:
                raise ValueError(PAST_END)
            return self._write(db, reading, now=reading.now + by)

    def set(self, at: datetime) -> datetime:
        """Set the time; returns it. Raises ValueError for a naive time, one before the present time and past END."""
        if at.tzinfo is None:
            raise ValueError("The practice clock needs a time with its zone.")
        if at > END:
            raise ValueError(PAST_END)
        with self._file.transaction() as db:
            reading = self._locked(db)
            if at < reading.now:
                raise ValueError(f"The practice clock cannot go back: it shows {reading.now:%Y-%m-%d %H:%M:%S} UTC.")
            return self._write(db, reading, now=at.astimezone(UTC))

    def pause(self) -> datetime:
        """Stand still from now on; moving and setting still work. Returns the time shown."""
        with self._file.transaction() as db:
            return self._write(db, self._locked(db), paused=True)

    def resume(self) -> datetime:
        """Run again from the time shown, which is returned; also starts a world that has never run."""
        with self._file.transaction() as db:
            return self._write(db, self._locked(db), paused=False, started=True)

    def run_at(self, speed: float) -> datetime:
        """Run `speed` times as fast as real time, from the time shown. Raises ValueError outside 0 < speed <= 10^6."""
        if not (math.isfinite(speed) and 0 < speed <= MAX_SPEED):
            raise ValueError(f"The practice clock takes a speed above 0 and up to {MAX_SPEED:.0f}, not {speed:g}.")
        with self._file.transaction() as db:
            return self._write(db, self._locked(db), speed=speed)

    def _locked(self, db: sqlite3.Connection) -> ClockReading:
        return _reading(db.execute("SELECT * FROM clock").fetchone())

    def _write(
        self,
        db: sqlite3.Connection,
        reading: ClockReading,
        **changes: datetime | float | bool,
    ) -> datetime:
        values = {**reading.__dict__, **changes}
        now: datetime = values["now"]
        db.execute(
            "UPDATE clock SET real_at = ?, virtual_at = ?, speed = ?, paused = ?, started = ?",
            (_real_now().isoformat(), now.isoformat(), values["speed"], values["paused"], values["started"]),
        )
        return now


def _real_now() -> datetime:
    return datetime.now(UTC)


def _reading(row: sqlite3.Row) -> ClockReading:
    at = datetime.fromisoformat(row["virtual_at"])
    paused, started = bool(row["paused"]), bool(row["started"])
    if started and not paused:
        passed = max(timedelta(), _real_now() - datetime.fromisoformat(row["real_at"]))
        at += passed * row["speed"]
    at = min(at, END)
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return ClockReading(now=at, speed=row["speed"], paused=paused, started=started)
