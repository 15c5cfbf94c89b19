"""From the team's sheet to ledger entries and bookings: columns found by their names, bad rows explained. Pure.

A row may hold a refresh, a booking, or both. A row that cannot be read is left out whole, with its number and the
reason; nothing in it is guessed. A tab whose rows name no sandbox is the tab of one: then its title is the name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from rehearse.errors import UsageError
from rehearse.schedule.ledger import ASSUMED_END, COPY_TIMES, Cycle, licence_name
from rehearse.schedule.ledger_dates import Cell, Moment, Order, find_order, read_moment
from rehearse.schedule.model import Booking

COLUMNS = ("sandbox", "type", "requested", "copied", "activated", "org id", "from", "to", "for", "by", "note")
"""The columns of an export; an import knows them, and what people call them."""

_CALLED: Mapping[str, str] = {
    "sandbox": "sandbox name|environment|environment name|env|org|org name|box|name",
    "type": "licence|license|licence type|license type|sandbox type|kind|edition",
    "requested": "requested at|requested on|request date|refresh requested|refresh started|started|start of refresh",
    "copied": "copied at|copy finished|copy done|copy end|copy ended|finished|completed|refresh completed",
    "activated": "activated at|activated on|activation|activation date|refresh activated|live since",
    "refreshed": "last refresh|last refreshed|refreshed on|refreshed at|refresh date|date of refresh|last refresh date",
    "org id": "orgid|organization id|organisation id",
    "from": "booked from|booking from|start|starts|use from|begin|begins",
    "to": "booked to|booked until|until|till|end|ends|use to|use until",
    "for": "booked for|purpose|project|used for|what for|for what|reason|release",
    "by": "booked by|owner|who|contact|responsible|requested by|team",
    "note": "notes|comment|comments|remark|remarks",
}
_NAMES = {called: name for name, all in _CALLED.items() for called in (name, *all.split("|"))}
_DATES = ("requested", "copied", "activated", "refreshed", "from", "to")
_TYPES = {
    "full": "FULL", "full copy": "FULL", "full sandbox": "FULL", "partial": "PARTIAL", "partial copy": "PARTIAL",
    "partial data": "PARTIAL", "dev": "DEVELOPER", "developer": "DEVELOPER", "developer sandbox": "DEVELOPER",
    "dev pro": "DEVELOPER_PRO", "developer pro": "DEVELOPER_PRO", "devpro": "DEVELOPER_PRO",
}  # fmt: skip


@dataclass(frozen=True)
class Tab:
    """One tab of a workbook, or a whole CSV file: its title (empty for CSV) and its rows as they stand there."""

    title: str
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class BadRow:
    """A row that was left out: the tab, its number as the sheet counts them, and why."""

    tab: str
    row: int
    why: str


@dataclass
class SheetReading:
    """What a sheet says: refreshes and bookings with the place of each, the rows that were left out, and the columns
    whose names mean nothing to us."""

    cycles: list[tuple[Cycle, str]] = field(default_factory=list)
    bookings: list[tuple[Booking, str]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    rows: int = 0
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SheetTerms:
    """How to read a sheet: the zone of its times, names that are known, the order of dates if the user said it, and
    other names of columns (theirs -> ours)."""

    zone: ZoneInfo
    now: datetime
    names: Sequence[str] = ()
    order: Order = ""
    called: Mapping[str, str] = field(default_factory=dict)


def read_tabs(tabs: Iterable[Tab], terms: SheetTerms) -> SheetReading:
    """Everything that the tabs of a sheet say."""
    found = SheetReading()
    for tab in tabs:
        _read_tab(tab, terms, found)
    return found


def _read_tab(tab: Tab, terms: SheetTerms, found: SheetReading) -> None:
    head = _find_head(tab, terms)
    if head is None:
        if any(any(cell not in (None, "") for cell in row) for row in tab.rows):
            why = f"no row names its columns; one of them must be called {', '.join(COLUMNS[:5])} or alike"
            found.bad.append(BadRow(tab.title, 1, why))
        return
    number, columns, twice = head
    if twice:
        why = f"two columns mean {' and '.join(repr(one) for one in twice)}: the first one is read"
        found.bad.append(BadRow(tab.title, number + 1, why))
    named = [one_line(str(cell or "")) for at, cell in enumerate(tab.rows[number]) if at not in columns.values()]
    found.unread += [one for one in named if one and one not in found.unread]
    below = tab.rows[number + 1 :]
    orders: dict[str, Order] = {}
    for name, at in columns.items():
        if name in _DATES:
            try:
                orders[name] = terms.order or find_order(row[at] for row in below if at < len(row))
            except UsageError as error:
                found.bad.append(BadRow(tab.title, number + 1, f"column {name!r}: {error.message}"))
                return
    shared: Order = next((one for one in orders.values() if one), "")
    orders = {name: one or shared for name, one in orders.items()}
    for place, row in enumerate(below, start=number + 2):
        values = {name: row[at] if at < len(row) else None for name, at in columns.items()}
        if all(value is None or str(value).strip() == "" for value in values.values()):
            continue
        found.rows += 1
        try:
            _read_row(_Row(tab, place, values, orders, terms), found)
        except UsageError as error:
            found.bad.append(BadRow(tab.title, place, f"{error.message} {error.hint or ''}".strip()))


def _find_head(tab: Tab, terms: SheetTerms) -> tuple[int, dict[str, int], list[str]] | None:
    """The row that names the columns, among the first twenty, and what two of them mean; titles may stand above it."""
    own = {_plain(theirs): ours for theirs, ours in terms.called.items()}
    for number, row in enumerate(tab.rows[:20]):
        columns: dict[str, int] = {}
        twice: list[str] = []
        for at, cell in enumerate(row):
            name = own.get(_plain(str(cell or ""))) or _NAMES.get(_plain(str(cell or "")))
            if name and name in columns:
                twice.append(name)
            elif name:
                columns[name] = at
        dated = any(name in columns for name in _DATES)
        if dated and ("sandbox" in columns or tab.title):
            return number, columns, sorted(set(twice) & {"sandbox", "type", *_DATES})
    return None


def one_line(text: str) -> str:
    """Words of a sheet on one line, without what steers a terminal or what no workbook can hold."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def our_name(called: str) -> str | None:
    """Our name of a column that people call so; None where it is not known."""
    return _NAMES.get(_plain(called))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w ]", " ", text.replace("_", " ")).casefold().split())


@dataclass(frozen=True)
class _Row:
    tab: Tab
    number: int
    values: Mapping[str, Cell]
    orders: Mapping[str, Order]
    terms: SheetTerms

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else one_line(str(value).lstrip("'"))

    def moment(self, name: str) -> Moment | None:
        try:
            return read_moment(self.values.get(name), self.orders.get(name, ""))
        except UsageError as error:
            raise UsageError(f"{name}: {error.message}", error.hint) from error

    @property
    def place(self) -> str:
        return f"{self.tab.title + ', ' if self.tab.title else ''}row {self.number}"

    def sandbox(self) -> str:
        """The name as we know it: letter case, blanks and hyphens of a sheet do not count."""
        given = self.text("sandbox") if "sandbox" in self.values else self.tab.title.strip()
        if not given:
            raise UsageError("It names no sandbox.")
        known = {re.sub(r"[^a-z0-9]", "", one.casefold()): one for one in self.terms.names}
        bare = re.sub(r"[^a-z0-9]", "", given.casefold())
        if bare in known:
            return known[bare]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", given):
            raise UsageError(f"{given[:40]!r} is no name of a sandbox.", "Letters, digits, - and _, at most 40.")
        return given


def _read_row(row: _Row, found: SheetReading) -> None:
    sandbox = row.sandbox()
    cycle, booking = _read_cycle(row, sandbox), _read_booking(row, sandbox)
    if cycle is None and booking is None:
        raise UsageError("It has no date, neither of a refresh nor of a booking.")
    if cycle is not None:
        found.cycles.append((cycle, row.place))
    if booking is not None:
        found.bookings.append((booking, row.place))


def _read_cycle(row: _Row, sandbox: str) -> Cycle | None:
    zone = row.terms.zone
    asked, made, live = (row.moment(name) for name in ("requested", "copied", "activated"))
    once = row.moment("refreshed")
    asked, live = asked or once or live, live or once
    if asked is None:
        if made is not None:
            raise UsageError("It says when the copy was made, but not when it was requested.")
        return None
    requested, now = asked.start(zone), row.terms.now
    if any(one.start(zone) > now for one in (asked, made, live) if one):
        raise UsageError("Its refresh lies in the future: only what happened belongs in the ledger.")
    copied, activated = (min(one.end(zone), now) if one else None for one in (made, live))  # today is not over yet
    dates = [one for one in (requested, copied, activated) if one]
    if dates != sorted(dates):
        raise UsageError("Its dates do not follow one another: requested, copied, activated.")
    return build_hand_cycle(
        HandCycle(sandbox, read_licence(row.text("type")), requested, copied, activated),
        now,
        source="sheet",
        by=row.text("by"),
        note=row.text("note"),
    )


@dataclass(frozen=True)
class HandCycle:
    """A refresh that a person wrote down."""

    sandbox: str
    licence: str
    requested: datetime
    copied: datetime | None = None
    activated: datetime | None = None
    org_id: str | None = None


def build_hand_cycle(given: HandCycle, now: datetime, *, source: str, by: str = "", note: str = "") -> Cycle:
    """A cycle of a person. Without its end it is under way while that is possible (30 days); after that its copy is
    taken to have lasted as long as its type is assumed to, and the note says so."""
    state, copied = "completed", given.copied or given.activated
    if copied is None and (now - given.requested).days < 30:
        state = "copying"
    elif copied is None:
        copied = given.requested + COPY_TIMES.get(given.licence, COPY_TIMES["FULL"])
        note = f"{note} {ASSUMED_END}".strip()
    elif given.activated is None and (now - copied).days < 30 and given.copied is not None and source != "sheet":
        state = "pending-activation"
    key = f"{given.sandbox.casefold()} {given.requested.isoformat()}"
    return Cycle(
        f"{source}:{hashlib.sha256(key.encode()).hexdigest()[:16]}",
        given.sandbox,
        given.licence,
        state,
        given.org_id,
        given.requested,
        copied,
        given.activated,
        by_hand=True,
        source=source,
        by=by[:120],
        note=note[:500],
    )


def read_licence(text: str) -> str:
    """A licence type as people write it; `?` where they do not."""
    return _TYPES.get(_plain(text)) or licence_name(text) or "?"


def _read_booking(row: _Row, sandbox: str) -> Booking | None:
    begin, until = row.moment("from"), row.moment("to")
    if begin is None and until is None:
        return None
    if begin is None or until is None:
        has, lacks = ("until", "from") if begin is None else ("from", "until")
        raise UsageError(f"It is booked {has} a date, but not {lacks} one.")
    zone = row.terms.zone
    start, end = begin.start(zone), until.end(zone)
    if end <= start:
        raise UsageError("Its booking ends before it begins.")
    key = f"{sandbox.casefold()} {start.isoformat()} {end.isoformat()}"
    name = f"sheet-{sandbox.lower()}-{start:%Y-%m-%d}-{hashlib.sha256(key.encode()).hexdigest()[:6]}"
    why = row.text("for") or row.text("note") or "from the team's sheet"
    return Booking(name, sandbox, start, end, end, "use", by=row.text("by")[:120], why=why[:200])
