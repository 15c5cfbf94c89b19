"""What a command works at: the workspace, its database, the time that counts as now, and connections on demand.

Connections are opened only when a verb asks and are closed at the end of the block. Production is connected with its
reading login; the login that may refresh sandboxes is loaded by the refresh verbs alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rehearse import clock
from rehearse.cli.answers import say
from rehearse.cli.whose_org import require_itself, require_production
from rehearse.errors import GateClosed, OrgUnreachable, RehearseError, StoreError, UsageError
from rehearse.reset.bypass import load_bypasses
from rehearse.secret import Reference, is_open_to_all, resolve
from rehearse.state import Database, open_database
from rehearse.workspace.find import find_workspace
from rehearse.workspace.model import LoginConfig, SandboxConfig, Workspace
from rehearse.workspace.read import load_workspace

if TYPE_CHECKING:
    from rehearse.baseline.budget import Budget
    from rehearse.baseline.index import Baselines
    from rehearse.baseline.record_store import CaptureStore
    from rehearse.org.connect import OrgReader, OrgWriter
    from rehearse.org.model import Login
    from rehearse.org.transport import WireOptions
    from rehearse.schedule.model import Booking

PRODUCTION = "production"
"""The name of production where an org is named."""


@dataclass
class Desk:
    """The things one command needs; made by `open_desk`."""

    workspace: Workspace
    database: Database
    _stack: ExitStack
    _now: datetime | None = None
    _production: OrgReader | None = None
    _store: CaptureStore | None = None
    _readers: dict[str, OrgReader] = field(default_factory=dict)
    _told_of_clock: bool = False
    org_clock: clock.OrgClock = field(default_factory=clock.OrgClock)
    """By which is counted how long a lost write may still take effect."""
    _connecting: threading.RLock = field(default_factory=threading.RLock)
    continues: str = ""
    """The run (a reset plan) that this command continues: it alone may work where that run bypasses automation."""

    def fetch_now(self, *, fresh: bool = False) -> datetime:
        """The instant that counts as now, asked once a command (or `fresh`, by one that waits): REHEARSE_NOW,
        production's clock, or the machine's."""
        if self._now is None or fresh:
            if text := os.environ.get("REHEARSE_NOW"):
                self._now = clock.from_iso(text)
            elif self.workspace.clock == "org" and (production := self.connect_production()) is not None:
                self._now = production.fetch_server_time()
            else:
                self._now = clock.now()
        return self._now

    @property
    def known_now(self) -> datetime | None:
        """What counts as now, where it was asked for already."""
        return self._now

    def hold_clock_against(self, whose: str, theirs: datetime | None) -> None:
        """Say once that the machine's clock, by which this command counts, is not that of an org or of the database."""
        if theirs is None or self._told_of_clock or self.workspace.clock == "org" or os.environ.get("REHEARSE_NOW"):
            return
        if told := clock.describe_skew(clock.now(), theirs):
            self._told_of_clock = True
            say(
                f"note: The clock of this machine is {told} that of {whose}. Every date is counted by it: set it right."
            )

    def hear_date(self, said: str) -> None:
        """Take what an answer of Salesforce says about the time."""
        theirs = clock.from_http(said)
        self.org_clock.hear(theirs)
        self.hold_clock_against("Salesforce", theirs)

    def connect_production(self) -> OrgReader | None:
        """A reader of production, or None where rehearse.yaml gives no login for it; LoginError where it is none."""
        with self._connecting:
            return self._connect_production()

    def _connect_production(self) -> OrgReader | None:
        config = self.workspace.production
        if self._production is None and config is not None and config.login is not None:
            try:
                found = self._connect(config.login, self.workspace.budget.production, PRODUCTION)
                require_production(config.name, found)
                self._production = found
            except OrgUnreachable as error:
                if self.workspace.clock == "org":  # as `practice up` writes it
                    then = (
                        "It is asked for the time (`clock: org`); a practice org is started by `rehearse practice up`."
                    )
                    error.hint = f"{error.hint or ''} {then}".strip()
                raise
        return self._production

    def connect_reader(self, sandbox: SandboxConfig) -> OrgReader:
        """A reader of a sandbox; raises UsageError where it has no login, NotASandbox where that leads elsewhere."""
        self.check_bypass(sandbox.name)
        if sandbox.name not in self._readers:
            found = self._connect(_needed(sandbox), self.workspace.budget.sandbox, sandbox.name)
            require_itself(sandbox.name, found, self.database, self.connect_production)
            self._readers[sandbox.name] = found
            self._stack.callback(self._keep_use, sandbox.name)
        return self._readers[sandbox.name]

    def _keep_use(self, sandbox: str) -> None:
        """Remember that we logged in: a sandbox that nobody uses is deleted. Nothing ends in an error for it."""
        from rehearse.schedule.uses import record_use

        if self._now is not None:
            with suppress(StoreError):
                record_use(self.database, sandbox, self._now, "rehearse")

    def check_bypass(self, sandbox: str) -> None:
        """Raises GateClosed while a reset that was broken off bypasses the automation of a sandbox."""
        for one in load_bypasses(self.database):
            if one.sandbox.lower() == sandbox.lower() and one.run != self.continues:
                raise GateClosed(
                    f"{one}, since {clock.iso(one.since)}.",
                    f"Continue it with `rehearse reset apply {one.run[:12]} --confirm {one.sandbox}`, or put the "
                    f"switches back with `rehearse reset bypass-off {one.sandbox}`.",
                )

    def name_org(self, name: str) -> str:
        """The name of a sandbox as rehearse.yaml spells it, or `production`. Raises NotFound."""
        config = self.workspace.production
        if name.lower() == PRODUCTION or (config is not None and name.lower() == config.name.lower()):
            return PRODUCTION
        return self.workspace.sandbox(name).name

    def connect_org(self, name: str) -> OrgReader:
        """A reader of what `name_org` names; raises UsageError where it has no login."""
        if name != PRODUCTION:
            return self.connect_reader(self.workspace.sandbox(name))
        found = self.connect_production()
        if found is None:
            raise UsageError("rehearse.yaml gives no login for production.", "Add production.login: it only reads.")
        return found

    def connect_at_once(self, name: str) -> None:
        """Connect an org while production is asked for the time: neither login waits for the other.

        Raises what both raise.
        """
        if name == PRODUCTION:
            return
        with ThreadPoolExecutor(1) as beside:
            connecting = beside.submit(self.connect_org, name)
            self.fetch_now()
            connecting.result()

    def connect_writer(self, sandbox: SandboxConfig, expected_org_id: str | None) -> OrgWriter:
        """A writer of a sandbox that proved to be one (rule 4 of the design); raises NotASandbox, GenerationChanged."""
        from rehearse.org.connect import SandboxClaim, connect_writer

        self.check_bypass(sandbox.name)
        claim = SandboxClaim(
            name=sandbox.name,
            production=self.connect_production(),
            confirmed_org_id=None,
            expected_org_id=expected_org_id,
        )
        budget, options = self._budget(self.workspace.budget.sandbox, sandbox.name)
        login = build_login(_needed(sandbox))
        writer = connect_writer(login, claim, ca_bundle=self.workspace.ca_bundle, options=options)
        self._stack.callback(writer.reader.close)
        budget.begin(writer.reader)
        return writer

    def store(self, *, alone: bool = False) -> CaptureStore:
        """The capture store of this workspace, held for the length of the command. Raises Locked when it is not free.

        `alone`: for a sweep or a repair; everybody else shares it.
        """
        from rehearse.baseline.keys import Keys
        from rehearse.baseline.record_store import CaptureStore

        if self._store is None:
            storage = self.workspace.storage
            _warn_of(storage.key)
            store = CaptureStore(storage.folder, Keys(storage.folder / "keys", storage.key))
            self._stack.enter_context(store.alone() if alone else store.shared())
            self._store = store
        return self._store

    def baselines(self) -> Baselines:
        """The index of baselines."""
        from rehearse.baseline.index import Baselines

        return Baselines(self.database, [one.name for one in self.workspace.sandboxes])

    def load_bookings(self) -> tuple[Booking, ...]:
        """All bookings that stand, with their sandboxes as rehearse.yaml spells them."""
        from rehearse.schedule.store import load_bookings

        return load_bookings(self.database, names=[one.name for one in self.workspace.sandboxes])

    def _connect(self, config: LoginConfig, share: float, name: str) -> OrgReader:
        from rehearse.org.connect import connect_reader

        budget, options = self._budget(share, name)
        reader = connect_reader(build_login(config), ca_bundle=self.workspace.ca_bundle, options=options)
        self._stack.callback(reader.close)
        budget.begin(reader)
        return reader

    def _budget(self, share: float, name: str) -> tuple[Budget, WireOptions]:
        """The API budget of a connection, and the wire that tells it of every call."""
        from rehearse.baseline.budget import Budget
        from rehearse.org.transport import WireOptions

        budget = Budget(self.database, share, name)
        self._stack.callback(budget.save)
        return budget, WireOptions(
            on_call=budget.heard,
            on_date=self.hear_date,
            retrieves_at_once=self.workspace.budget.retrieves,
        )


@contextmanager
def open_desk() -> Iterator[Desk]:
    """Find and read rehearse.yaml, open its database, and close everything at the end of the block."""
    workspace = load_workspace(find_workspace(Path.cwd()))
    with ExitStack() as stack:
        database = open_database(workspace.storage.database or workspace.storage.folder)
        stack.callback(database.close)
        if workspace.storage.unset:
            folder = workspace.storage.folder
            say(f"note: {workspace.storage.unset} is not set: what is kept now stays in {folder} alone.")
        if database.read_only:
            why = "is on a disk that is full" if database.full else "can only be read"
            say(f"note: {workspace.storage.folder} {why}: nothing is kept there, also not what orgs say now.")
        for bypass in load_bypasses(database):
            say(f"note: {bypass}")
        desk = Desk(workspace, database, stack)
        desk.hold_clock_against("the workspace database", database.fetch_time())
        try:
            yield desk
        except RehearseError as error:
            error.at = desk.known_now
            error.message = clock.show_within(error.message, workspace.zone)  # people read the calendar's zone
            error.hint = error.hint and clock.show_within(error.hint, workspace.zone)
            raise


def build_login(config: LoginConfig) -> Login:
    """The login of a configuration, with its secrets looked up; raises LoginError where one is missing."""
    from rehearse.org.model import Login

    for reference in config.secrets.values():
        _warn_of(reference)
    found = {key: resolve(reference) for key, reference in config.secrets.items()}
    known = {**config.plain, **found}
    return Login(
        kind=config.kind,
        alias=known.get("alias", ""),
        url=known.get("url", "").rstrip("/"),
        username=known.get("username", ""),
        client_id=known.get("client_id", ""),
        secret=known.get("client_secret", "") or known.get("access_token", ""),
        key=known.get("key", ""),
    )


def _warn_of(reference: Reference) -> None:
    if is_open_to_all(reference):
        say(f"note: every user of this machine can read the secret in the {reference}; close it with `chmod 600`.")


def _needed(sandbox: SandboxConfig) -> LoginConfig:
    if sandbox.login is None:
        raise UsageError(
            f"The sandbox {sandbox.name} has no login in rehearse.yaml; only its dates are kept by hand.",
            "Give it a login to capture, compare or reset it.",
        )
    return sandbox.login
