"""A forecast as a page and as JSON: the verdict, what would not simply come back, and counts of the rest."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.report.view import Cell, Page, Paragraph, Rows, Table, Tone, build_table
from rehearse.reset.model import Forecast, ForecastItem

_TONES: dict[str, Tone] = {"exact": "good", "residue": "warn", "manual": "bad", "impossible": "bad", "unknown": "warn"}
_WORDS: dict[str, tuple[str, Tone]] = {
    "undoable": ("fully undoable: a reset puts everything back exactly", "good"),
    "partly": ("PARTLY undoable: see what would not come back by itself", "warn"),
    "burns": ("BURNS the refresh: something cannot be undone at all", "bad"),
}


def build_forecast_body(forecast: Forecast, about: dict[str, Any]) -> dict[str, Any]:
    """The `forecast` answer of formats.md; `about` says what was compared with what."""
    items = [
        {
            "kind": one.kind, "type": one.type, "key": one.key, "change": one.change, "count": one.count,
            "grade": one.grade, "reason": one.reason, "source": one.source, "hazard": one.hazard,
        }
        for one in forecast.items
    ]  # fmt: skip
    return {
        **about,
        "verdict": forecast.verdict,
        "undelete_until": forecast.undelete_until,
        "items": items,
        "warnings": list(forecast.warnings),
    }


Until = tuple[datetime | None, datetime | None]
"""The possible and the certain date of the next refresh, where they are known."""


def build_forecast_page(
    forecast: Forecast, what: str, until: Until | None, zone: ZoneInfo, *, whole: bool = False
) -> Page:
    """The page; `whole`: every item with its reason and its source, not only what would not simply come back."""
    words, tone = _WORDS[forecast.verdict]
    blocks: list[Table | Paragraph] = [Paragraph(f"{what} is {words}.", tone)]
    if forecast.verdict == "burns":
        blocks.append(Paragraph(_burned(until, zone), "bad"))
    counted = Counter[tuple[str, str, str, str]]()
    for one in forecast.items:
        counted[one.kind, one.type, one.change, one.grade] += one.count
    rows: Rows = [
        [kind, type, change, f"{count:,}", Cell(grade, _TONES[grade])]
        for (kind, type, change, grade), count in sorted(counted.items())
        if kind != "step"
    ]
    blocks.append(
        build_table(
            "What it would change", ["kind", "type", "change", "count", "grade"], rows, right=(3,), empty="nothing"
        )
    )
    lines: Rows = [_line(one) for one in forecast.items if whole or one.grade != "exact"]
    if lines:
        title = "How each would be undone" if whole else "Not simply undone"
        blocks.append(build_table(title, ["type", "key", "change", "grade", "reason", "source"], lines))
    if forecast.undelete_until is not None:
        shown = clock.show(forecast.undelete_until, zone)
        blocks.append(Paragraph(f"Undelete is possible until {shown}: reset before, or deleted rows get new Ids."))
    blocks += [Paragraph(f"warning: {one}", "warn") for one in forecast.warnings]
    return Page("", tuple(blocks))


def _line(item: ForecastItem) -> list[Cell | str]:
    """One item: of rows the step that writes them and how many, of a step its kind; a step changes nothing by name."""
    named = f"step {item.key}: {item.count:,} rows" if item.kind == "record" else item.key
    kind, change = (f"{item.type} step", "") if item.kind == "step" else (item.type, item.change)
    return [kind, named, change, Cell(item.grade, _TONES[item.grade]), item.reason, item.source]


def _burned(until: Until | None, zone: ZoneInfo) -> str:
    possible, certain = until or (None, None)
    if possible is None and certain is None:
        return "The sandbox stays burned until its next refresh; no date is known."
    dates = [f"{name} {clock.show(at, zone)}" for name, at in (("possible", possible), ("certain", certain)) if at]
    return f"The sandbox stays burned until its next refresh: {', '.join(dates)}."
