"""Find and read rehearse.yaml into a Workspace.

The file is found upward from the current folder. It holds references to secrets, never secrets, and it cannot loosen
any guard: what production may receive is not a setting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.clock import Hours, Span
from rehearse.documents import Document, Place, load_document
from rehearse.errors import UsageError
from rehearse.secret import Reference, resolve
from rehearse.workspace.calendar_file import BlackoutEntry, HoursEntry
from rehearse.workspace.file import (
    BypassEntry,
    LoginEntry,
    ReadyEntry,
    SecretEntry,
    WorkspaceEntry,
)
from rehearse.workspace.model import (
    Blackout,
    BudgetConfig,
    BypassConfig,
    HandDates,
    LoginConfig,
    Person,
    Preview,
    ProductionConfig,
    ReadyConfig,
    RefreshPolicy,
    SandboxConfig,
    ScopeConfig,
    StorageConfig,
    Workspace,
)

_SANDBOX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z")
"""Salesforce allows ten letters and digits; a name of one's own for an org without a login may be longer."""
_NEVER = clock.from_iso("1970-01-01T00:00:00Z")


def load_workspace(path: Path) -> Workspace:
    """Read a rehearse.yaml. Raises DocumentError with every mistake, its line and column."""
    document = load_document(path, WorkspaceEntry, path.name)
    reader = _Reader(document, path.resolve().parent)
    workspace = reader.workspace()
    document.finish()
    return workspace


class _Reader:
    """Converts the checked file into a Workspace; notes what a wall clock or a path has against it."""

    def __init__(self, document: Document[WorkspaceEntry], root: Path) -> None:
        self.document = document
        self.file = document.model
        self.root = root
        self.zone = document.read(("timezone",), clock.zone, self.file.timezone) or clock.zone("UTC")

    def workspace(self) -> Workspace:
        file, calendar = self.file, self.file.calendar
        grid = self.span(("calendar", "grid"), calendar.grid)
        if grid <= timedelta() or timedelta(days=1) % grid:
            self.document.problem(("calendar", "grid"), "a day must be a whole number of grid steps")
        return Workspace(
            root=self.root,
            clock=file.clock,
            team=file.team,
            zone=self.zone,
            production=self.production(),
            sandboxes=tuple(self.sandbox(name) for name in file.sandboxes),
            ca_bundle=self.root / Path(file.tls.ca_bundle).expanduser() if file.tls else None,
            grid=grid,
            horizon=self.document.read(("calendar", "horizon"), clock.parse_span, calendar.horizon) or Span(),
            hours=self.hours(("calendar", "hours"), calendar.hours),
            blackouts=(*self.blackouts(("calendar", "blackouts"), calendar.blackouts), *self.announced()),
            people=tuple(self.person(name) for name in file.people),
            refresh=self.refresh(),
            licences=file.licences,
            scope=self.scope(),
            storage=self.storage(),
            previews=self.previews(),
            approvers=tuple(self.file.bookings.approvers),
            budget=BudgetConfig(
                self.share(("budget", "production"), file.budget.production),
                self.share(("budget", "sandbox"), file.budget.sandbox),
                file.budget.retrieves,
            ),
            not_acted_on=file.not_acted_on(),
        )

    def span(self, place: Place, text: str) -> timedelta:
        span = self.document.read(place, clock.parse_span, text) or Span()
        if span.working_days:
            self.document.problem(place, "working days make no sense here; write hours or days")
        return span.amount

    def share(self, place: Place, text: str) -> float:
        """A part of a whole, written `50%`."""
        found = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*%\s*", text)
        if not found or not 0 < float(found[1]) <= 100:
            self.document.problem(place, f"{text!r} is no part of the daily API calls; write for example 50%")
            return 1.0
        return float(found[1]) / 100

    def instant(self, place: Place, text: str) -> datetime:
        return self.document.read(place, lambda one: clock.parse_instant(one, self.zone), text) or _NEVER

    def edge(self, place: Place, text: str, where: ZoneInfo, *, last: bool) -> datetime:
        parsed = self.document.read(place, lambda one: clock.parse_edge(one, where, last=last), text)
        return parsed or _NEVER

    def reference(self, entry: SecretEntry) -> Reference:
        return Reference(entry.env, entry.file, entry.keyring, tuple(entry.command), self.root)

    def login(self, entry: LoginEntry | None) -> LoginConfig | None:
        if entry is None:
            return None
        if entry.sf:
            return LoginConfig("sf", {"alias": entry.sf}, {})
        kind, body = entry.chosen()
        plain = {key: value for key, value in body if isinstance(value, str)}
        if key_file := plain.pop("key_file", ""):
            return LoginConfig(kind, plain, self.secrets(body) | {"key": Reference(file=key_file, base=self.root)})
        return LoginConfig(kind, plain, self.secrets(body))

    def secrets(self, body: object) -> dict[str, Reference]:
        pairs = {key: value for key, value in body if isinstance(value, SecretEntry)}  # type: ignore[attr-defined]
        return {key: self.reference(value) for key, value in pairs.items()}

    def production(self) -> ProductionConfig | None:
        entry = self.file.production
        if entry is None:
            return None
        return ProductionConfig(entry.name, self.login(entry.login), self.login(entry.control))

    def sandbox(self, name: str) -> SandboxConfig:
        entry, place = self.file.sandboxes[name], ("sandboxes", name)
        if not _SANDBOX.match(name):
            self.document.problem(place, f"{name[:60]!r} is no name of a sandbox: letters, digits, - and _, at most 40")
        if next(one for one in self.file.sandboxes if one.lower() == name.lower()) != name:
            self.document.problem(place, f"another sandbox is named {name!r} but for capital letters")
        dates = None
        if last := entry.last_refresh:
            where = (*place, "last_refresh")
            dates = HandDates(
                self.edge((*where, "requested"), last.requested, self.zone, last=False),
                self.edge((*where, "copied"), last.copied, self.zone, last=True) if last.copied else None,
                self.edge((*where, "activated"), last.activated, self.zone, last=True) if last.activated else None,
            )
            order = [one for one in (dates.requested, dates.copied, dates.activated) if one]
            if order != sorted(order):
                self.document.problem(where, "requested, copied and activated must follow one another")
        return SandboxConfig(name, self.login(entry.login), entry.type, tuple(entry.tags), dates)

    def hours(self, place: Place, entry: HoursEntry) -> Hours:
        midnight = clock.parse_time("00:00")
        start = self.document.read((*place, "from"), clock.parse_time, entry.start) or midnight
        end = self.document.read((*place, "to"), clock.parse_time, entry.end) or midnight
        return Hours(tuple(sorted(clock.DAYS.index(day) for day in entry.days)), start, end)

    def blackouts(self, place: Place, entries: Sequence[BlackoutEntry]) -> tuple[Blackout, ...]:
        return tuple(self.blackout((*place, index), one) for index, one in enumerate(entries))

    def announced(self) -> tuple[Blackout, ...]:
        """What Salesforce announces and closes sandboxes: maintenance, and previews that are marked as closed."""
        entry, previews = self.file.salesforce, self.previews()
        closed = tuple(
            Blackout(found.name, tuple(one.sandboxes), found.start, found.end)
            for one, found in zip(entry.preview, previews, strict=True)
            if one.closed
        )
        return (*self.blackouts(("salesforce", "maintenance"), entry.maintenance), *closed)

    def previews(self) -> tuple[Preview, ...]:
        found = []
        for index, one in enumerate(self.file.salesforce.preview):
            place: Place = ("salesforce", "preview", index)
            edges = (("cut_off", one.cut_off, True), ("from", one.start, False), ("to", one.end, True))
            dates = [self.edge((*place, key), text, self.zone, last=last) for key, text, last in edges]
            if dates[2] <= dates[1]:
                self.document.problem(place, f"the preview {one.name!r} ends before it starts")
            found.append(Preview(one.name, *dates))
        return tuple(found)

    def blackout(self, place: Place, entry: BlackoutEntry) -> Blackout:
        spelled = {name.lower(): name for name in self.file.sandboxes}
        for name in entry.sandboxes:
            if name.lower() not in spelled:
                self.document.problem((*place, "sandboxes"), f"there is no sandbox {name!r} in this file")
        chosen = tuple(spelled.get(name.lower(), name) for name in entry.sandboxes)
        if entry.ics:
            return Blackout(entry.name or entry.ics, chosen, ics=self.text_of((*place, "ics"), entry.ics))
        if entry.rrule:
            length = self.span((*place, "for"), entry.length)
            return Blackout(
                entry.name, chosen, rrule=entry.rrule, first_day=entry.start, at=entry.at or "00:00", length=length
            )
        start = self.edge((*place, "from"), entry.start, self.zone, last=False)
        end = self.edge((*place, "to"), entry.end, self.zone, last=True)
        if end <= start:
            self.document.problem(place, f"the blackout {entry.name!r} ends before it starts")
        return Blackout(entry.name, chosen, start, end)

    def text_of(self, place: Place, name: str) -> str:
        try:
            return (self.root / Path(name).expanduser()).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.document.problem(place, f"{name} cannot be read: {getattr(error, 'strerror', None) or 'not text'}")
            return ""

    def person(self, name: str) -> Person:
        entry, place = self.file.people[name], ("people", name)
        where = self.zone
        if entry.timezone:
            where = self.document.read((*place, "timezone"), clock.zone, entry.timezone) or self.zone
        away = tuple(
            (
                self.edge((*place, "away", index, "from"), one.start, where, last=False),
                self.edge((*place, "away", index, "to"), one.end, where, last=True),
            )
            for index, one in enumerate(entry.away)
        )
        hours = self.hours((*place, "hours"), entry.hours) if entry.hours else None
        return Person(name, where, hours, away)

    def refresh(self) -> RefreshPolicy:
        entry = self.file.refresh
        times = {name: self.span(("refresh", "copy_time", name), text) for name, text in entry.copy_time.items()}
        settle = self.span(("refresh", "settle"), entry.settle)
        intervals = {name: self.span(("refresh", "interval", name), text) for name, text in entry.interval.items()}
        ready = None if entry.ready is None else tuple(_ready(one) for one in entry.ready)
        return RefreshPolicy(
            entry.prefer, entry.clock, entry.usable_during_copy, settle, entry.plan_with, times, intervals, ready
        )

    def scope(self) -> ScopeConfig:
        metadata, records = self.file.scope.metadata, self.file.scope.records
        return ScopeConfig(
            tuple(metadata.include),
            tuple(metadata.exclude),
            tuple(records.include),
            tuple(records.exclude),
            records.where,
            records.files,
            tuple(_bypass(one) for one in self.file.scope.bypass),
        )

    def storage(self) -> StorageConfig:
        entry = self.file.storage
        database: str | None = None
        if entry.database:
            database = _database_url(self.reference(entry.database))
        given = entry.database if "database" in entry.model_fields_set and database is None else None
        keep, folder = self.span(("storage", "keep"), entry.keep), self.root / Path(entry.path).expanduser()
        return StorageConfig(folder, database, self.reference(entry.key), keep, (given and given.env) or "")


def _bypass(entry: BypassEntry) -> BypassConfig:
    if entry.custom_permission:
        return BypassConfig("custom_permission", entry.custom_permission)
    if entry.custom_setting:
        return BypassConfig("custom_setting", entry.custom_setting, values=((entry.field, entry.value),))
    if entry.rows:
        return BypassConfig("rows", entry.rows.object, entry.rows.where, tuple(sorted(entry.rows.set.items())))
    return BypassConfig("deactivate", entry.deactivate)


def _ready(entry: ReadyEntry) -> ReadyConfig:
    return ReadyConfig(entry.item, entry.owner, tuple(entry.types), entry.soql, entry.equals)


def _database_url(reference: Reference) -> str | None:
    """The URL of a team database; an unset variable means SQLite in the storage folder."""
    if reference.env and not os.environ.get(reference.env):
        return None
    url = resolve(reference)
    if "://" not in url:
        raise UsageError(f"The {reference} holds no database URL.", "Write postgresql+psycopg://HOST/NAME.")
    return url
