"""The one file that asks production for a refresh, an activation or a discard; nobody else holds a ProductionControl.

Each request is journalled first and sent once: a refresh cannot be cancelled and costs the interval. After a lost
reply, or a kill, what happened is looked up in SandboxProcess; only when the effect is still absent after the
platform's longest call is the intent closed as not taken. A refusal is kept in the platform's own words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rehearse import clock
from rehearse.errors import NotFound, OrgRejected, OrgUncertain, RehearseError, StoppedPartWay
from rehearse.events import Noted, OnEvent, ignore
from rehearse.ids import is_same_name
from rehearse.journal import Entry, Journal, load_entries
from rehearse.lock import Lock
from rehearse.org.connect import ProductionControl, connect_control
from rehearse.org.model import Login, SandboxCopy, SandboxRecord, Value
from rehearse.schedule.ledger import Refusal
from rehearse.schedule.ledger_store import record_refusal, set_discarded
from rehearse.state import Database

UNDER_WAY = ("pending", "copying", "suspended", "pending-activation", "activating")


@dataclass(frozen=True)
class ActSettings:
    """Named limits: how long a lost request may still take effect, how long one command looks for it, and how often."""

    uncertain_for: timedelta = timedelta(minutes=10)
    look_for: timedelta = timedelta(seconds=20)
    poll: float = 2.0
    now: Callable[[], datetime] = clock.now
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Door:
    """How to reach who may refresh sandboxes; `org_id`: the production that everything else was read from."""

    login: Login
    ca_bundle: Path | None
    org_id: str | None


@dataclass(frozen=True)
class Taken:
    """What became of a request: the copy that it made or moved, or the refusal; `differs` names fields of the sandbox
    that came back otherwise than they were sent; `found` says that it was sent earlier and only looked up now."""

    copy: SandboxCopy | None = None
    refusal: Refusal | None = None
    differs: tuple[str, ...] = ()
    found: bool = False


class Actor:
    """The sandbox lifecycle of one production, for one locked sandbox; made by `open_actor`."""

    def __init__(
        self, control: ProductionControl, database: Database, held: Lock, settings: ActSettings, on_event: OnEvent
    ) -> None:
        self._control = control
        self._database = database
        self._journal = Journal(database, held, run_of(held.sandbox), settings.now)
        self._settings = settings
        self._on_event = on_event
        self.sandbox = held.sandbox
        self.org_id = control.org_id

    def fetch_record(self) -> SandboxRecord:
        """The sandbox as production knows it, with every writable field; raises NotFound."""
        found = [one for one in self._control.fetch_sandboxes() if is_same_name(one.name, self.sandbox)]
        if not found:
            raise NotFound(
                f"Production has no sandbox named {self.sandbox}.",
                "Look at `rehearse ledger list` for the names it has.",
            )
        return found[0]

    def fetch_newest(self, sandbox_id: str) -> SandboxCopy | None:
        """The newest copy of a sandbox: its state. Followed by id, because one name may have had several sandboxes."""
        return next((one for one in self._control.fetch_sandbox_copies() if one.sandbox_id == sandbox_id), None)

    def request(self, record: SandboxRecord, by: str, now: datetime, *, auto_activate: bool = False) -> Taken:
        """Ask for a refresh with every writable field sent again. Raises StoppedPartWay while it is not known whether
        an earlier request was taken, OrgError for a failure that is no refusal."""
        earlier = self._settle("refresh", lambda entry: self._new_copy(record.id, str(entry.detail["newest"])))
        if earlier is not None and earlier.state in UNDER_WAY:
            return Taken(earlier, found=True)
        newest = self.fetch_newest(record.id)
        known = newest.id if newest else ""
        entry = self._journal.open("refresh", {"sandbox": record.id, "newest": known, "by": by})
        try:
            self._control.request_refresh(record, {"AutoActivate": auto_activate})
        except OrgRejected as error:
            return Taken(refusal=self._refused(entry, error, by, now))
        except OrgUncertain:
            made = self._look(entry, lambda: self._new_copy(record.id, known))
            return Taken(made, found=True)
        except RehearseError:
            self._not_taken(entry)
            raise
        copy = self._look(entry, lambda: self._new_copy(record.id, known))
        return Taken(copy, differs=self._differences(record, auto_activate))

    def activate(self, copy: SandboxCopy, by: str) -> Taken:
        """Replace the sandbox by its new copy; irreversible. Raises as `request` does, OrgRejected for a refusal."""
        return self._decide(copy, "activate", by)

    def discard(self, copy: SandboxCopy, by: str) -> Taken:
        """Drop the new copy and keep the old sandbox. Raises as `activate` does."""
        taken = self._decide(copy, "discard", by)
        set_discarded(self._database, copy.id)
        return taken

    def _decide(self, copy: SandboxCopy, kind: str, by: str) -> Taken:
        def seen() -> SandboxCopy | None:
            return self._moved(copy.id)

        earlier = self._settle(kind, lambda entry: self._moved(str(entry.detail["copy"])))
        if earlier is not None and earlier.id == copy.id:
            return Taken(earlier, found=True)
        entry = self._journal.open(kind, {"copy": copy.id, "by": by})
        try:
            (self._control.activate if kind == "activate" else self._control.discard)(copy.id)
        except OrgRejected as error:
            self._journal.close(entry, {"refused": error.org_code})
            raise
        except OrgUncertain:
            return Taken(self._look(entry, seen), found=True)
        except RehearseError:
            self._not_taken(entry)
            raise
        return Taken(self._look(entry, seen))

    def _not_taken(self, entry: Entry) -> None:
        """A limit, a session that ended, no connection: the org did nothing, and nobody has to wait to ask again."""
        self._journal.close(entry, {"taken": False})

    def _refused(self, entry: Entry, error: OrgRejected, by: str, now: datetime) -> Refusal:
        refusal = Refusal(now, error.org_code, error.org_message, by)
        record_refusal(self._database, self.sandbox, refusal)
        self._journal.close(entry, {"refused": error.org_code})
        return refusal

    def _settle(self, kind: str, seen: Callable[[Entry], SandboxCopy | None]) -> SandboxCopy | None:
        """What became of the last request of this kind whose end we do not know; None where there is none."""
        last = None
        for entry in load_entries(self._database, self._journal.run):
            if entry.kind != kind or entry.result is not None:
                continue
            found = seen(entry)
            if found is not None:
                self._journal.close(entry, {"copy": found.id})
                last = found
                continue
            if self._settings.now() < entry.opened + self._settings.uncertain_for:
                raise self._unknown(kind, entry)
            self._journal.close(entry, {"taken": False})
            self._on_event(Noted(f"note: The {kind} of {clock.iso(entry.opened)} never reached production."))
        return last

    def _look(self, entry: Entry, seen: Callable[[], SandboxCopy | None]) -> SandboxCopy:
        """Wait a little for the effect of what was sent; raises StoppedPartWay, with the intent left open."""
        until = self._settings.now() + self._settings.look_for
        while True:
            late = self._settings.now() >= until
            found = seen()
            if found is not None:
                self._journal.close(entry, {"copy": found.id})
                return found
            if late:
                raise self._unknown(entry.kind, entry)
            self._settings.sleep(self._settings.poll)

    def _unknown(self, kind: str, entry: Entry) -> StoppedPartWay:
        until = clock.iso(entry.opened + self._settings.uncertain_for)
        return StoppedPartWay(
            f"A {kind} of {self.sandbox} was sent at {clock.iso(entry.opened)} and may have been taken or not.",
            f"Nothing is sent again before that is known, at the latest at {until}: run the same command again then.",
        )

    def _fetch(self, copy_id: str) -> SandboxCopy | None:
        return next((one for one in self._control.fetch_sandbox_copies() if one.id == copy_id), None)

    def _moved(self, copy_id: str) -> SandboxCopy | None:
        """A copy that does not wait for its activation any more; None while it does."""
        found = self._fetch(copy_id)
        return found if found is not None and found.state != "pending-activation" else None

    def _new_copy(self, sandbox_id: str, known: str) -> SandboxCopy | None:
        """A copy of this sandbox newer than the one that was the newest before the request."""
        newest = self.fetch_newest(sandbox_id)
        return newest if newest is not None and newest.id != known else None

    def _differences(self, sent: SandboxRecord, auto_activate: bool) -> tuple[str, ...]:
        """Fields that are not what was sent: an API refresh has been seen to empty some (facts 2.5)."""
        wanted: dict[str, Value] = {**sent.fields, "AutoActivate": auto_activate}
        found = self.fetch_record().fields
        return tuple(name for name, value in wanted.items() if name in found and found[name] != value)


@contextmanager
def open_actor(
    door: Door,
    place: tuple[Database, Lock],
    settings: ActSettings | None = None,
    on_event: OnEvent = ignore,
) -> Iterator[Actor]:
    """Log in as the one who may refresh sandboxes, for one block; raises LoginError."""
    database, held = place
    with connect_control(door.login, expected_org_id=door.org_id, ca_bundle=door.ca_bundle) as control:
        yield Actor(control, database, held, settings or ActSettings(), on_event)


def find_open(database: Database, sandbox: str) -> frozenset[str]:
    """The kinds of request whose end is not known: a killed command left them, and running it again settles them."""
    return frozenset(one.kind for one in load_entries(database, run_of(sandbox)) if one.result is None)


def was_asked_by_us(database: Database, sandbox: str, copy_id: str) -> bool:
    """Whether a copy came of a request that was sent here."""
    entries = load_entries(database, run_of(sandbox))
    return any(one.kind == "refresh" and (one.result or {}).get("copy") == copy_id for one in entries)


def run_of(sandbox: str) -> str:
    """The journal's name for everything that was asked of production for a sandbox."""
    return f"refresh:{sandbox.lower()}"
