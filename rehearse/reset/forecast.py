"""The forecast: before a rehearsal, what of it could be undone, item by item, and whether it burns the sandbox. Pure.

It reads the same table of hazards as plan and proof, so that it cannot disagree with them. What nobody can foresee
(scripts, Apex, work by hand without an undo) is *unknown* and never counted as undoable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rehearse.reset.forecast_package import ComponentChange
from rehearse.reset.hazards import find_hazard
from rehearse.reset.model import Forecast, ForecastItem, What

BIN_KEEPS = timedelta(days=15)
"""How long the recycle bin keeps a row (Apex guide, restoring deleted records)."""


@dataclass(frozen=True)
class RowChanges:
    """`count` rows of one object that a step would change alike."""

    step: str
    object: str
    what: What
    count: int
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Work:
    """A step whose effect nobody can foresee; `text` is what it does, `undo` the kind of its undo step, if any."""

    step: str
    kind: str
    text: str
    undo: str = ""
    undo_text: str = ""
    no_return: bool = False

    @property
    def marks(self) -> frozenset[str]:
        if self.undo:
            return frozenset({"undo-by-hand" if self.undo == "manual" else "undo-by-script"})
        return frozenset({"no-return"} if self.no_return else ())


@dataclass(frozen=True)
class ForecastInputs:
    """Everything that a forecast is made of; `taken_at` is when the baseline was taken (None: there is none); `sound`:
    it is usable. No reset to another one can be proven, so nothing is promised to be undone by it."""

    components: Sequence[ComponentChange]
    rows: Sequence[RowChanges]
    work: Sequence[Work]
    now: datetime
    taken_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    sound: bool = True


def build_forecast(inputs: ForecastInputs) -> Forecast:
    """The forecast, in the order components, rows, steps."""
    items = (
        *(_item("component", one.type, one.key, one.what, one.marks) for one in inputs.components),
        *(_item("record", one.object, one.step, one.what, one.marks, one.count) for one in inputs.rows if one.count),
        *(_of_work(one) for one in inputs.work),
    )
    until = inputs.taken_at + BIN_KEEPS if inputs.taken_at else None
    verdict = find_verdict(items)
    if verdict == "undoable" and not inputs.sound:
        verdict = "partly"
    return Forecast(verdict, items, until, (*inputs.warnings, *_warnings(inputs, until)))


def find_verdict(items: Sequence[ForecastItem]) -> Literal["undoable", "partly", "burns"]:
    """burns: something is impossible to undo · undoable: everything comes back exactly · partly: anything else."""
    grades = {one.grade for one in items}
    if "impossible" in grades:
        return "burns"
    return "partly" if grades - {"exact"} else "undoable"


def _item(
    kind: Literal["component", "record"], type: str, key: str, what: What, marks: frozenset[str], count: int = 1
) -> ForecastItem:  # fmt: skip
    hazard = find_hazard(kind, type, what, marks)
    return ForecastItem(kind, type, key, what, hazard.grade, hazard.reason, hazard.source, hazard.name, count)


def _of_work(work: Work) -> ForecastItem:
    hazard = find_hazard("step", work.kind, "any", work.marks)
    undo = f": {work.undo_text}" if work.undo_text else ""
    return ForecastItem(
        "step", work.kind, work.step, "updated", hazard.grade, f"{hazard.reason}{undo}", hazard.source, hazard.name
    )


def _warnings(inputs: ForecastInputs, until: datetime | None) -> tuple[str, ...]:
    found: list[str] = []
    if until is None:
        found.append("There is no baseline: nothing can be reset until one is captured.")
    elif until <= inputs.now:
        found.append(
            "The baseline is older than the recycle bin keeps rows: what was deleted more than 15 days ago comes back "
            "under new Ids."
        )
    if inputs.rows:
        found.append(
            "Automation of the org may change more rows when these are written; only a comparison afterwards tells."
        )
    return tuple(found)
