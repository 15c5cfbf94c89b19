"""Read plans/RELEASE.yaml into a Release, with every mistake at its line and column.

The calendar that its wall times are read in comes from the caller. A rehearsal that can never fit its hours is a
mistake of the file, found here and not by the planner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.clock import Hours, Span
from rehearse.documents import Document, Place, load_document
from rehearse.errors import DocumentError, Problem
from rehearse.release.file import RehearsalEntry, ReleaseEntry
from rehearse.release.model import Needs, Package, Pin, Rehearsal, Release
from rehearse.release.steps import read_steps
from rehearse.workspace.calendar_file import HoursEntry

TARGETS = {"mock": Span(timedelta(days=14)), "dry-run": Span(timedelta(days=10)), "dress": Span(timedelta(days=7))}
_NEVER = clock.from_iso("1970-01-01T00:00:00Z")


@dataclass(frozen=True)
class Calendar:
    """What a release file is read against: the team's zone, hours and grid, and the names it may mention."""

    zone: ZoneInfo
    hours: Hours
    grid: timedelta
    people: tuple[str, ...] = ()
    sandboxes: tuple[str, ...] = ()


def load_releases(paths: Sequence[Path], calendar: Calendar) -> tuple[Release, ...]:
    """Read several release files. Raises DocumentError with the mistakes of all of them."""
    releases: list[Release] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            releases.append(load_release(path, calendar))
        except DocumentError as error:
            problems.extend(error.problems)
    first: dict[str, str] = {}
    for one in releases:
        if one.name in first:
            said = f"the release {one.name!r} is given twice, the first time by {first[one.name]}"
            problems.append(Problem(one.file, 0, 0, said))
        first.setdefault(one.name, one.file)
    if problems:
        raise DocumentError(problems, "Mend the files and run again.")
    return tuple(releases)


def load_release(path: Path, calendar: Calendar) -> Release:
    """Read one release file. Raises DocumentError with every mistake."""
    document = load_document(path, ReleaseEntry)
    release = _Reader(document, calendar, path.resolve().parent).release()
    document.finish()
    return release


class _Reader:
    def __init__(self, document: Document[ReleaseEntry], calendar: Calendar, folder: Path) -> None:
        self.document = document
        self.file = document.model
        self.calendar = calendar
        self.folder = folder

    def release(self) -> Release:
        file = self.file
        self.check_names()
        go_live = self.instant(("go_live",), file.go_live, self.calendar.zone)
        if len(file.go_live.strip()) == len("2026-12-18"):
            self.document.problem(("go_live",), "go_live needs a clock time, for example 2026-12-18 18:00")
        ready = None
        if file.ready:
            ready = self.edge(("ready",), file.ready, self.calendar.zone, last=False)
        return Release(
            name=file.release,
            title=file.title,
            file=self.document.file,
            go_live=go_live,
            ready=ready,
            window=self.span(("window",), file.window),
            advance=self.span(("advance",), file.advance),
            priority=file.priority,
            package=self.package(),
            rehearsals=tuple(self.rehearsal(index, one, go_live) for index, one in enumerate(file.rehearsals)),
            runbook=read_steps(file.runbook, self.folder),
        )

    def span(self, place: Place, text: str) -> Span:
        return (self.document.read(place, clock.parse_span, text) if text else None) or Span()

    def instant(self, place: Place, text: str, zone: ZoneInfo) -> datetime:
        return self.document.read(place, lambda one: clock.parse_instant(one, zone), text) or _NEVER

    def edge(self, place: Place, text: str, zone: ZoneInfo, *, last: bool) -> datetime:
        return self.document.read(place, lambda one: clock.parse_edge(one, zone, last=last), text) or _NEVER

    def check_names(self) -> None:
        rehearsals = [one.name for one in self.file.rehearsals]
        steps = [one.id for one in self.file.runbook]
        for index, rehearsal in enumerate(self.file.rehearsals):
            place = ("rehearsals", index)
            if rehearsal.name in rehearsals[:index]:
                self.document.problem((*place, "name"), f"the rehearsal {rehearsal.name!r} stands here twice")
            if rehearsal.after and rehearsal.after not in rehearsals:
                self.document.problem((*place, "after"), f"there is no rehearsal {rehearsal.after!r} in this release")
            if _circular(rehearsal.name, {one.name: one.after for one in self.file.rehearsals}):
                self.document.problem((*place, "after"), f"the order of {rehearsal.name!r} runs in a circle")
        for index, step in enumerate(self.file.runbook):
            if step.id in steps[:index]:
                self.document.problem(("runbook", index, "id"), f"the step {step.id!r} stands here twice")
            for name in step.needs:
                if name not in steps:
                    self.document.problem(("runbook", index, "needs"), f"there is no step {name!r} in this runbook")
            self.span(("runbook", index, "takes"), step.takes)

    def package(self) -> Package | None:
        entry = self.file.package
        if entry is None:
            return None
        for kind in ("mdapi", "source", "zip"):
            if text := getattr(entry, kind):
                path = self.folder / Path(text).expanduser()
                if not path.exists():
                    self.document.problem(("package", kind), f"{text} does not exist beside this file")
                return Package(kind, path)
        return None

    def rehearsal(self, index: int, entry: RehearsalEntry, go_live: datetime) -> Rehearsal:
        place: Place = ("rehearsals", index)
        zone = self.calendar.zone
        if entry.timezone:
            zone = self.document.read((*place, "timezone"), clock.zone, entry.timezone) or zone
        hours = entry.hours if isinstance(entry.hours, str) else self.hours((*place, "hours"), entry.hours)
        duration = self.span((*place, "duration"), entry.duration)
        self.check_duration(place, duration, hours)
        if hours == "go_live" and (go_live - _midnight(go_live, self.calendar.zone)) % self.calendar.grid:
            self.document.problem((*place, "hours"), "go_live is off the grid, so hours: go_live cannot start")
        self.check_people(place, entry)
        return Rehearsal(
            name=entry.name,
            release=self.file.release,
            kind=entry.kind,
            duration=duration,
            zone=zone,
            target=self.span((*place, "target"), entry.target) if entry.target else TARGETS[entry.kind],
            needs=self.needs(place, entry),
            before_go_live=self.span((*place, "before_go_live"), entry.before_go_live),
            after=entry.after or None,
            gap=self.span((*place, "gap"), entry.gap),
            hold=self.span((*place, "hold"), entry.hold),
            forecast=entry.forecast,
            not_before=self.edge((*place, "not_before"), entry.not_before, zone, last=False)
            if entry.not_before
            else None,
            not_after=self.edge((*place, "not_after"), entry.not_after, zone, last=True) if entry.not_after else None,
            pin=self.pin(place, entry, zone),
            people=tuple(entry.people),
            hours=hours,
        )

    def needs(self, place: Place, entry: RehearsalEntry) -> Needs:
        types = [entry.needs.type] if isinstance(entry.needs.type, str) else entry.needs.type
        age = self.span((*place, "needs", "data_age"), entry.needs.data_age) if entry.needs.data_age else None
        return Needs(tuple(one.upper() for one in types), tuple(entry.needs.tags), entry.needs.start, age)

    def pin(self, place: Place, entry: RehearsalEntry, zone: ZoneInfo) -> Pin:
        name = entry.pin.sandbox or None
        if name and name.lower() not in {one.lower() for one in self.calendar.sandboxes}:
            self.document.problem((*place, "pin", "sandbox"), f"there is no sandbox {name!r} in rehearse.yaml")
        return Pin(name, self.instant((*place, "pin", "at"), entry.pin.at, zone) if entry.pin.at else None)

    def check_people(self, place: Place, entry: RehearsalEntry) -> None:
        for name in entry.people:
            if name not in self.calendar.people:
                self.document.problem((*place, "people"), f"there is no person {name!r} in rehearse.yaml")

    def hours(self, place: Place, entry: HoursEntry) -> Hours:
        start = self.document.read((*place, "from"), clock.parse_time, entry.start) or time(0)
        end = self.document.read((*place, "to"), clock.parse_time, entry.end) or time(0)
        return Hours(tuple(sorted(clock.DAYS.index(day) for day in entry.days)), start, end)

    def check_duration(self, place: Place, duration: Span, hours: Hours | str) -> None:
        where = (*place, "duration")
        if duration.working_days or duration.amount <= timedelta():
            self.document.problem(where, "a rehearsal lasts minutes, hours, days or weeks, and more than nothing")
            return
        bounds = self.calendar.hours if hours == "calendar" else hours
        if isinstance(bounds, Hours) and duration.amount > _length(bounds):
            room = _length(bounds)
            self.document.problem(where, f"{duration} can never fit: the working hours of a day are {Span(room)} long")


def _length(hours: Hours) -> timedelta:
    start, end = (timedelta(hours=one.hour, minutes=one.minute) for one in (hours.start, hours.end))
    return end - start if end > start else end + timedelta(days=1) - start


def _midnight(instant: datetime, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _circular(name: str, after: dict[str, str]) -> bool:
    seen = {name}
    step = after.get(name, "")
    while step:
        if step in seen:
            return step == name
        seen.add(step)
        step = after.get(step, "")
    return False
