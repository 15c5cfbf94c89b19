"""Schedules and bookings as pages, as data, as a timeline and as a calendar feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.report.ical import Happening
from rehearse.report.radar import Deadline
from rehearse.report.sandboxes import SandboxLine
from rehearse.report.view import Cell, Page, Paragraph, Rows, Table, build_table
from rehearse.schedule.model import Booking, Refresh, Schedule, Unplaced, WhyHere


def build_schedule_body(schedule: Schedule) -> dict[str, Any]:
    """The `plan` answer of formats.md."""
    return {
        "proven": schedule.proven,
        "goals": [one.__dict__ for one in schedule.goals],
        "bookings": [build_booking_body(one) for one in schedule.bookings],
        "refreshes": [
            {
                "sandbox": one.sandbox,
                "request": one.request,
                "copied": one.copied,
                "activate": one.activate,
                "ready": one.ready,
                "running": one.running,
            }
            for one in schedule.refreshes
        ],
        "advances": [one.__dict__ for one in schedule.advances],
        "unplaced": [_unplaced_body(one) for one in schedule.unplaced],
        "warnings": list(schedule.warnings),
    }


def build_booking_body(one: Booking, broken: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One `bookings[]` row of formats.md; `broken` is why it can no longer be kept, or null."""
    return {
        "id": one.id,
        "rehearsal": one.rehearsal,
        "release": one.release,
        "kind": one.kind,
        "sandbox": one.sandbox,
        "start": one.start,
        "end": one.end,
        "free_at": one.free_at,
        "prepare": one.prepare,
        "ready_by": one.ready_by,
        "burns": one.burns,
        "by": one.by or None,
        "why": one.why or None,
        "what": one.what,
        "request": one.request,
        "state": one.state,
        "broken": broken.get(one.id) if broken else None,
    }


def _unplaced_body(one: Unplaced) -> dict[str, Any]:
    return {
        "rehearsal": one.rehearsal,
        "release": one.release,
        "kind": one.kind,
        "reasons": [reason.__dict__ for reason in one.reasons],
        "repairs": [repair.__dict__ for repair in one.repairs],
    }


def build_schedule_page(schedule: Schedule, zone: ZoneInfo) -> Page:
    """The schedule for people: what goes where, what must be refreshed or advanced, and why something did not fit."""
    blocks: list[Table | Paragraph] = [build_bookings_table("Rehearsals", schedule.bookings, zone)]
    if schedule.refreshes:
        rows: Rows = [
            [
                one.sandbox,
                *(clock.show(at, zone) for at in (one.request, one.copied, one.activate, one.ready)),
                _kind(one),
            ]
            for one in schedule.refreshes
        ]
        columns = ["sandbox", "request", "copied", "activate", "ready", ""]
        blocks.append(build_table("Refreshes", columns, rows))
    if schedule.advances:
        rows = [
            [one.sandbox, one.release, clock.show(one.start, zone), clock.show(one.end, zone)]
            for one in schedule.advances
        ]
        blocks.append(
            build_table("Advances (the release applied for keeps)", ["sandbox", "release", "start", "end"], rows)
        )
    for one in schedule.unplaced:
        blocks += _unplaced(one)
    if schedule.goals:
        rows = [
            [
                one.name,
                str(one.value),
                str(one.bound),
                Cell("yes", "good") if one.proven else Cell("not yet", "warn"),
                _GOALS.get(one.name, ""),
            ]
            for one in schedule.goals
        ]
        columns = ["goal", "value", "at best", "proven best", "counts"]
        blocks.append(build_table("Goals, the first one first; lower is better", columns, rows, right=(1, 2)))
    blocks += [Paragraph(f"warning: {text}", "warn") for text in schedule.warnings]
    return Page("", tuple(blocks))


_GOALS = {
    "unplaced": "rehearsals without a place; each counts 1000, 100, 10 or 1, by priority 1 to 4",
    "moves": "booked rehearsals that move",
    "refreshes": "refreshes to ask for",
    "advances": "times a release is applied to a sandbox for keeps",
    "distance": "days away from the wished dates; each counts 1000, 100, 10 or 1, by priority 1 to 4",
    "unrepeatable": "rehearsals without time for a second run",
}


def _kind(refresh: Refresh) -> str:
    return "running" if refresh.running else "to request"


def _unplaced(one: Unplaced) -> list[Table | Paragraph]:
    why = ", because these do not fit together:" if len(one.reasons) > 1 else ", because:" if one.reasons else "."
    title = Paragraph(f"{one.release} {one.rehearsal} was not placed{why}", "bad")
    lines: list[Table | Paragraph] = [title]
    lines += [Paragraph(f"  - {reason.rule}: {reason.text}") for reason in one.reasons]
    if one.repairs:
        lines.append(Paragraph("Ways out:"))
        lines += [
            Paragraph(
                f"  - {repair.text}{'' if repair.checked else ' (not checked)'}", "good" if repair.checked else "plain"
            )
            for repair in one.repairs
        ]
    return lines


def build_bookings_table(
    title: str, bookings: Sequence[Booking], zone: ZoneInfo, broken: Mapping[str, str] | None = None
) -> Table:
    """Bookings as a table, oldest first; `broken` says by id what stands against one."""
    rows: Rows = [
        [
            one.sandbox,
            one.label,
            one.kind or one.what,
            clock.show(one.start, zone),
            _end(one, zone),
            one.prepare,
            "-" if one.ready_by is None else clock.show(one.ready_by, zone),
            _mark(one, broken or {}, zone),
            one.id,
        ]
        for one in sorted(bookings, key=lambda found: (found.start, found.sandbox))
    ]
    columns = ["sandbox", "what", "kind", "start", "end", "prepare", "ready by", "", "id"]
    return build_table(title, columns, rows, empty="none")


def _end(one: Booking, zone: ZoneInfo) -> str:
    """The clock time alone, where it is of the same day and exists once."""
    shown = clock.show_minute(one.end, zone)
    same = shown[:10] == clock.show_minute(one.start, zone)[:10] and len(shown) == len("2026-11-23 08:30")
    return shown[11:] if same else clock.show(one.end, zone)


def _mark(one: Booking, broken: Mapping[str, str], zone: ZoneInfo) -> Cell:
    if one.id in broken:
        return Cell(f"broken: {broken[one.id]}", "bad")
    if one.state == "requested":
        return Cell("to be confirmed", "warn")
    if one.what == "refresh" and one.request:
        return Cell(f"request {clock.show_minute(one.request, zone)}")
    return Cell("burns", "bad") if one.burns else Cell("")


def build_happenings(
    lines: Sequence[SandboxLine],
    bookings: Sequence[Booking],
    now: datetime,
    due: Sequence[Deadline] = (),
    changed: Mapping[str, int] | None = None,
) -> tuple[Happening, ...]:
    """Everything with a date, for a calendar, each once: bookings, refresh dates from now on, other deadlines.

    `changed` says by booking id how often a booking was changed, so that a calendar takes the newest.
    """
    found = [
        Happening(
            one.id,
            one.start,
            one.end,
            f"{one.sandbox}: {one.label}",
            f"prepare: {one.prepare}",
            (changed or {}).get(one.id, 0),
            "TENTATIVE" if one.state == "requested" else "CONFIRMED",
        )
        for one in bookings
    ]
    for booked in bookings:
        if booked.request and booked.request >= now:
            title = f"{booked.sandbox}: ask for the booked refresh"
            half_an_hour = booked.request, booked.request + timedelta(minutes=30)
            found.append(Happening(f"{booked.id}-request", *half_an_hour, title, _ask(booked)))
    for line in lines:
        dates = line.availability
        for name, at in (("possible", dates.possible_from), ("certain", dates.certain_from)):
            if at and at >= now and (name == "certain" or at != dates.certain_from):
                title = f"{dates.sandbox}: refresh {name}"
                uid = f"{dates.sandbox}-{name}-{dates.requested:%Y%m%d%H%M}"
                found.append(Happening(uid, at, at + timedelta(minutes=30), title))
    for one in due:
        if one.kind not in ("refresh", "booking") and (one.kind != "request" or one.due < now):
            uid = f"{one.kind}-{one.sandbox or 'production'}-{one.subject or format(one.due, '%Y%m%d%H%M')}"
            found.append(Happening(uid, one.due, one.due + timedelta(minutes=30), one.what, one.clear_with))
    return tuple(found)


def build_cancelled(bookings: Sequence[Booking], changed: Mapping[str, int]) -> tuple[Happening, ...]:
    """Bookings that were taken back: a calendar that took them over earlier learns it only when it is told."""
    return tuple(
        Happening(one.id, one.start, one.end, f"{one.sandbox}: {one.label}", "", changed.get(one.id, 0), "CANCELLED")
        for one in bookings
    )


def _ask(one: Booking) -> str:
    return f"rehearse refresh request {one.sandbox}"


def build_why_body(found: WhyHere) -> dict[str, Any]:
    """The `why` answer: `by` (rules, goal, begun, now, nothing, time), the sentence, the rules, the goal."""
    return {
        "rehearsal": found.booking.rehearsal,
        "release": found.booking.release,
        "kind": found.booking.kind,
        "sandbox": found.booking.sandbox,
        "start": found.booking.start,
        "by": found.by,
        "text": found.text,
        "reasons": [reason.__dict__ for reason in found.reasons],
        "goal": found.goal and found.goal.name,
        "would_cost": found.would_cost,
        "repairs": [],
    }


def build_why_not_body(one: Unplaced, said: Sequence[str]) -> dict[str, Any]:
    """The `why` answer for what was not placed (`by`: unplaced): what keeps it out, and the ways out."""
    text = " ".join(said) or f"{one.release} {one.rehearsal} was not placed."
    nothing = dict.fromkeys(("sandbox", "start", "goal", "would_cost"))
    return {**_unplaced_body(one), **nothing, "by": "unplaced", "text": text}


def build_why_not_page(one: Unplaced, said: Sequence[str]) -> Page:
    """What keeps a rehearsal out, for people."""
    return Page("", (*_unplaced(one), *(Paragraph(text, "warn") for text in said)))


def build_why_page(found: WhyHere, zone: ZoneInfo) -> Page:
    """What stops a rehearsal from being earlier, for people."""
    one = found.booking
    head = f"{one.label} is in {one.sandbox} on {clock.show(one.start, zone)}."
    lines = [Paragraph(f"  - {reason.rule}: {reason.text}") for reason in found.reasons]
    return Page("", (Paragraph(head), Paragraph(found.text), *lines))
