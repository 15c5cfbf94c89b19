"""The nouns of rehearse.yaml: which orgs, which scope, which calendar, where things are kept. Frozen values; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from rehearse.clock import Hours, Span
from rehearse.errors import NotFound
from rehearse.secret import Reference

FILE = "rehearse.yaml"


@dataclass(frozen=True)
class LoginConfig:
    """A login as configured: kind, plain values, and references to the secrets it needs (field -> reference)."""

    kind: Literal["sf", "client_credentials", "jwt", "token"]
    plain: Mapping[str, str]
    secrets: Mapping[str, Reference]


@dataclass(frozen=True)
class HandDates:
    """The last refresh of a sandbox as a person wrote it down; `activated` None means the copy is under way."""

    requested: datetime
    copied: datetime | None
    activated: datetime | None


@dataclass(frozen=True)
class SandboxConfig:
    """One sandbox of the file; without a login its dates are kept by hand."""

    name: str
    login: LoginConfig | None
    type: str | None
    tags: tuple[str, ...]
    last_refresh: HandDates | None


@dataclass(frozen=True)
class ProductionConfig:
    """The production org: a login to read with, and optionally one that may refresh sandboxes."""

    name: str
    login: LoginConfig | None
    control: LoginConfig | None


@dataclass(frozen=True)
class Blackout:
    """A time in which nothing may run: a window, a recurring start with a length, or the text of an .ics file."""

    name: str
    sandboxes: tuple[str, ...]
    start: datetime | None = None
    end: datetime | None = None
    rrule: str = ""
    first_day: str = ""
    at: str = ""
    length: timedelta = timedelta()
    ics: str = ""


@dataclass(frozen=True)
class Preview:
    """A preview of the next Salesforce release: a sandbox refreshed and active by the cut-off decides whether it joins.

    Between `start` and `end` a preview sandbox runs another release than production.
    """

    name: str
    cut_off: datetime
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Person:
    """Somebody whom rehearsals need: own zone, optional hours, absences as windows."""

    name: str
    zone: ZoneInfo
    hours: Hours | None
    away: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True)
class ReadyConfig:
    """One configured item of the ready list; `soql` counts rows and ticks it when the number is `equals`."""

    item: str
    owner: str = ""
    types: tuple[str, ...] = ()
    soql: str = ""
    equals: int = 0


@dataclass(frozen=True)
class RefreshPolicy:
    """What may be assumed about refreshes (formats.md, `refresh`), and what must be done after one.

    `interval` is for licence types whose interval is not documented; `ready` None means the items that ship with us.
    """

    prefer: Literal["few", "fresh"] = "few"
    clock: Literal["learn", "request", "end", "activation"] = "learn"
    usable_during_copy: bool = True
    settle: timedelta = timedelta(hours=6)
    plan_with: Literal["certain", "possible"] = "certain"
    copy_time: Mapping[str, timedelta] | None = None
    interval: Mapping[str, timedelta] = field(default_factory=dict)
    ready: tuple[ReadyConfig, ...] | None = None


@dataclass(frozen=True)
class BypassConfig:
    """One switch that silences the org's automation while a reset writes (formats.md, `scope.bypass`)."""

    kind: Literal["custom_permission", "custom_setting", "rows", "deactivate"]
    name: str
    where: str = ""
    values: tuple[tuple[str, str | bool | int | float | None], ...] = ()


@dataclass(frozen=True)
class ScopeConfig:
    """Which metadata and records count (formats.md, `scope`)."""

    metadata_include: tuple[str, ...]
    metadata_exclude: tuple[str, ...]
    objects: tuple[str, ...]
    objects_exclude: tuple[str, ...]
    where: Mapping[str, str]
    files: bool
    bypass: tuple[BypassConfig, ...] = ()


@dataclass(frozen=True)
class BudgetConfig:
    """The part of an org's API calls a day that rehearse may use (0 to 1), and how many retrieves at once."""

    production: float = 0.1
    sandbox: float = 0.5
    retrieves: int = 3


@dataclass(frozen=True)
class StorageConfig:
    """Where things are kept: the folder, the database (URL or None for SQLite in the folder), the key.

    `unset` is the variable that rehearse.yaml names for the team's database, where it is not set.
    """

    folder: Path
    database: str | None
    key: Reference
    keep: timedelta
    unset: str = ""

    @property
    def plans(self) -> Path:
        """Where saved reset plans lie."""
        return self.folder / "plans"


@dataclass(frozen=True)
class Workspace:
    """A whole rehearse.yaml, checked and converted; instants are aware."""

    root: Path
    clock: Literal["machine", "org"]
    team: str
    zone: ZoneInfo
    production: ProductionConfig | None
    sandboxes: tuple[SandboxConfig, ...]
    ca_bundle: Path | None
    grid: timedelta
    horizon: Span
    hours: Hours
    blackouts: tuple[Blackout, ...]
    people: tuple[Person, ...]
    refresh: RefreshPolicy
    licences: Mapping[str, int]
    scope: ScopeConfig
    storage: StorageConfig
    previews: tuple[Preview, ...] = ()
    approvers: tuple[str, ...] = ()
    """Who may approve bookings; empty: no approval is needed."""
    budget: BudgetConfig = BudgetConfig()
    not_acted_on: tuple[str, ...] = ()

    def sandbox(self, name: str) -> SandboxConfig:
        """The sandbox of this name, in any letter case; raises NotFound that lists the known ones."""
        for one in self.sandboxes:
            if one.name.lower() == name.lower():
                return one
        known = ", ".join(one.name for one in self.sandboxes) or "none"
        raise NotFound(f"There is no sandbox {name!r} in {FILE}.", f"Known: {known}.")
