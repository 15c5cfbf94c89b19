"""The ledger, as pages and as data: next dates, what is left, copy times and how well they were forecast, licences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.report.view import Cell, Page, Paragraph, Rows, Table, Tone, build_table
from rehearse.schedule.ledger import Availability, Cycle
from rehearse.schedule.ledger_outlook import CopyTime, ForecastError, Left, LicenceUse, NextDate, Phases

_DATES_SHOWN = 3


@dataclass(frozen=True)
class LedgerLine:
    """One sandbox of the ledger with everything that is computed from its history. `phases` are by cycle id."""

    availability: Availability
    cycles: tuple[Cycle, ...]
    dates: tuple[NextDate, ...]
    quarter: Left
    year: Left
    copy_time: CopyTime | None
    errors: tuple[ForecastError, ...]
    phases: dict[str, Phases]
    clashes: tuple[str, ...]
    gone: bool = False


def build_line_body(line: LedgerLine) -> dict[str, Any]:
    """One sandbox as data; lengths are hours."""
    found, took = line.availability, line.copy_time
    return {
        "name": found.sandbox,
        "type": found.type,
        "state": found.state,
        "gone": line.gone,
        "generation": found.generation,
        "org_id": found.org_id,
        "possible_from": found.possible_from,
        "certain_from": found.certain_from,
        "refreshable": found.refreshable,
        "counts_from": found.rule,
        "settled": found.settled,
        "evidence": found.evidence or None,
        "next": [{"possible": one.possible, "certain": one.certain} for one in line.dates],
        "left_quarter": _left(line.quarter),
        "left_year": _left(line.year),
        "copy_time": took and {"p50_hours": took.p50, "p90_hours": took.p90, "basis": took.basis},
        "last_error": build_error_body(line.errors[-1]) if line.errors else None,
        "note": found.note or None,
    }


def build_cycles_body(line: LedgerLine) -> list[dict[str, Any]]:
    """Every copy of a sandbox as data, oldest first."""
    errors = {one.cycle: one for one in line.errors}
    return [_cycle_body(one, line.phases.get(one.id), errors.get(one.id)) for one in line.cycles]


def _cycle_body(one: Cycle, phases: Phases | None, error: ForecastError | None) -> dict[str, Any]:
    plain = ("id", "state", "licence", "org_id", "requested", "started", "copied", "activated", "source", "by", "note")
    return {
        **{name: getattr(one, name) for name in plain},
        "clone_of": one.clone_of or None,
        "phases_hours": phases and dict(phases.__dict__),
        "forecast": error and build_error_body(error),
        "refusals": [{"at": no.at, "code": no.code, "text": no.text, "by": no.by} for no in one.refusals],
    }


def _left(left: Left) -> dict[str, Any]:
    return {"until": left.until, "possible": left.possible, "certain": left.certain}


def build_error_body(one: ForecastError) -> dict[str, Any]:
    """What was expected of a copy and what it took, as data; lengths are hours."""
    return {
        "expected_p50_hours": one.expected_p50,
        "expected_p90_hours": one.expected_p90,
        "took_hours": one.took,
        "error_hours": one.error,
        "within_p90": one.within_p90,
        "told": one.told,
    }


def build_error_words(one: ForecastError) -> Paragraph:
    """What was expected of a copy and what it took, for people."""
    expected = f"{hours(one.expected_p50)} h (P50) to {hours(one.expected_p90)} h (P90) were expected"
    tone: Tone = "plain" if one.within_p90 else "warn"
    return Paragraph(f"The copy took {hours(one.took)} h where {expected}: {_said(one).text}.", tone)


def build_licence_body(uses: Sequence[LicenceUse]) -> list[dict[str, Any]]:
    """Licences as data; `bought` and `free` are null where rehearse.yaml does not say."""
    return [
        {
            "type": one.type,
            "bought": one.bought,
            "used": one.used,
            "free": None if one.bought is None else max(0, one.bought - one.used),
            "sandboxes": list(one.sandboxes),
        }
        for one in uses
    ]


def build_list_page(lines: Sequence[LedgerLine], uses: Sequence[LicenceUse], now: datetime, zone: ZoneInfo) -> Page:
    """All sandboxes: next dates, what is left of this quarter and year, copy times and the last forecast error."""
    rows: Rows = [_list_row(one, zone) for one in lines]
    columns = ["sandbox", "type", "state", "next refresh (possible / certain)", "then possible", "left this quarter",
               "this year", "copy P50/P90", "from", "last forecast"]  # fmt: skip
    title = f"Refresh ledger on {clock.show(now, zone)} ({zone.key})"
    blocks: list[Table | Paragraph] = [build_table(title, columns, rows, empty="no sandbox is known")]
    for one in lines:
        prefix = f"{one.availability.sandbox}: "
        blocks += [Paragraph(prefix + text.removeprefix(prefix), "warn") for text in _notes(one, zone)]
    blocks.append(_licences(uses))
    blocks += [
        Paragraph(
            f"{one.type}: {one.used} in use, {one.bought} bought. Larger licences host the rest while there are any; "
            "else nothing can be refreshed, and what is too many is locked after a grace of 30 days.",
            "warn",
        )
        for one in uses
        if one.bought is not None and one.used > one.bought
    ]
    return Page("", tuple(blocks))


def _list_row(line: LedgerLine, zone: ZoneInfo) -> list[Cell | str]:
    found, took = line.availability, line.copy_time
    first = line.dates[0] if line.dates else None
    tone = {"yes": "good", "maybe": "warn"}.get(found.refreshable, "plain")
    when = f"{_day(first.possible, zone)} / {_day(first.certain, zone)}" if first else "not predicted"
    return [
        found.sandbox,
        found.type or "?",
        "gone" if line.gone else found.state,
        Cell(when, tone),  # type: ignore[arg-type]
        ", ".join(_day(one.possible, zone) for one in line.dates[1:_DATES_SHOWN]) or "-",
        _span(line.quarter),
        _span(line.year),
        f"{hours(took.p50)}/{hours(took.p90)} h" if took else "-",
        took.basis if took else "-",
        _said(line.errors[-1]) if line.errors else "-",
    ]


def _notes(line: LedgerLine, zone: ZoneInfo) -> list[str]:
    told = (line.availability.note, line.availability.evidence, *line.clashes)
    return [clock.show_within(one, zone) for one in told if one]


def _span(left: Left) -> str:
    return str(left.certain) if left.certain == left.possible else f"{left.certain} to {left.possible}"


def _said(one: ForecastError) -> Cell:
    late = one.error >= timedelta()
    text = f"{hours(abs(one.error))} h {'later' if late else 'earlier'}"
    text = "as expected" if abs(one.error) < timedelta(minutes=3) else text  # it would read 0.0 h
    text += "" if one.within_p90 else ", past P90"
    return Cell(text, "plain" if one.within_p90 else "warn")


def _licences(uses: Sequence[LicenceUse]) -> Table:
    rows: Rows = [
        [one.type, "?" if one.bought is None else str(one.bought), str(one.used), ", ".join(one.sandboxes)]
        for one in uses
    ]
    return build_table("Licences", ["type", "bought", "in use", "by"], rows, right=(1, 2))


def build_show_page(line: LedgerLine, zone: ZoneInfo) -> Page:
    """One sandbox: its dates and why, then every copy with its phases and its forecast."""
    found = line.availability
    blocks: list[Table | Paragraph] = [Paragraph(_head(line, zone))]
    blocks += [Paragraph(text, "warn") for text in _notes(line, zone)]
    rows: Rows = [[str(place), _when(one.possible, zone), _when(one.certain, zone)] for place, one in
                  enumerate(line.dates, start=1)]  # fmt: skip
    blocks.append(build_table("Next refreshes", ["", "possible from", "certain from"], rows, empty="not predicted"))
    errors = {one.cycle: one for one in line.errors}
    rows = [_cycle_row(one, line.phases.get(one.id), errors.get(one.id), zone) for one in line.cycles]
    columns = ["requested", "queue", "copy", "waited", "activation", "state", "org", "forecast", "told by", "note"]
    blocks.append(build_table(f"Copies of {found.sandbox} (hours)", columns, rows, right=(1, 2, 3, 4)))
    refused: Rows = [[_when(no.at, zone), no.code, no.text, no.by or "-"] for one in line.cycles for no in one.refusals]
    if refused:
        blocks.append(build_table("Refused requests", ["at", "code", "text", "by"], refused))
    return Page("", tuple(blocks))


def _head(line: LedgerLine, zone: ZoneInfo) -> str:
    found = line.availability
    took = line.copy_time
    copy = f" A copy takes {hours(took.p50)} h (P50) to {hours(took.p90)} h (P90; {took.basis})." if took else ""
    rule = {"request": "the request", "end": "the end of the copy", "activation": "the activation"}[found.rule]
    settled = f"counted from {rule}" if found.settled else "what it counts from is not settled"
    return (
        f"{found.sandbox} ({found.type or 'type not known'}): possible from {_when(found.possible_from, zone)}, "
        f"certain from {_when(found.certain_from, zone)}; {settled}. Left this quarter "
        f"{_span(line.quarter)}, this year {_span(line.year)}.{copy}"
    )


def _cycle_row(one: Cycle, phases: Phases | None, error: ForecastError | None, zone: ZoneInfo) -> list[Cell | str]:
    spans = [phases.queue, phases.copy, phases.waiting, phases.activating] if phases else [None] * 4
    clone = f"clone of {one.clone_of}" if one.clone_of else ""
    return [
        clock.show(one.requested, zone),
        *("-" if span is None else hours(span) for span in spans),
        one.state,
        one.org_id or "-",
        _said(error) if error else "-",
        {"org": "production", "sheet": "the sheet"}.get(one.source, one.by or "hand"),
        "; ".join(text for text in (clone, one.note) if text),
    ]


def hours(length: timedelta) -> str:
    """A length in hours, to one decimal under ten."""
    number = length.total_seconds() / 3600
    return f"{number:.1f}" if abs(number) < 10 else f"{number:.0f}"


def _day(instant: datetime | None, zone: ZoneInfo) -> str:
    return "?" if instant is None else clock.show_minute(instant, zone)


def _when(instant: datetime | None, zone: ZoneInfo) -> str:
    return "?" if instant is None else clock.show(instant, zone)
