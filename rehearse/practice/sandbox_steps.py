"""What happens next to a sandbox, and when: the life of a copy as pure functions of its rows and the settings.

Copies of one production run one after another in the order of their requests; activations, discards and deletions run
beside them. `next_step` answers the earliest step that is due by a moment, so that a clock that jumped over several
phases gives each of them its own right time. Nothing here reads or writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rehearse.practice.sandbox_rows import ACTIVATING, COPYING, Process

Knobs = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One change that is due: `process` enters `code` at `at`."""

    at: datetime
    process: Process
    code: str


def next_step(processes: Sequence[Process], knobs: Knobs, now: datetime) -> Step | None:
    """The earliest step that is due by `now`; of several at one moment, that of the older request. None: nothing is."""
    steps = [step for step in (_step_of(process, processes, knobs) for process in processes) if step is not None]
    due = [step for step in steps if step.at <= now]
    return min(due, key=lambda step: (step.at, step.process.number), default=None)


def interval_ends(processes: Sequence[Process], licence: str, knobs: Knobs) -> datetime | None:
    """When a sandbox with these copies may be refreshed again by its licence type; None when nothing counts.

    By default counted from the last create or refresh *request*, a discarded one included.
    """
    counted = [one for one in processes if knobs["discarded_refresh_counts"] or not one.discarded]
    if not counted:
        return None
    last = counted[-1]
    start = {
        "request": last.created,
        "end": last.ended or last.created,
        "activation": last.activated or last.ended or last.created,
    }[knobs["interval_counts_from"]]
    return start + timedelta(days=knobs["interval_days"].get(licence, 0))


def copy_progress(process: Process, knobs: Knobs, now: datetime) -> int | None:
    """Percent copied, as CopyProgress shows it: absent for copies made with a template."""
    if process.has_template:
        return None
    if process.copied is not None:
        return 100
    if process.started is None:
        return 0
    passed = process.since - process.held_since if process.held_since is not None else now - process.since
    whole = timedelta(minutes=knobs["processing_minutes"].get(process.licence, 0))
    return max(0, min(99, int(100 * passed / whole))) if whole else 99


def _step_of(process: Process, processes: Sequence[Process], knobs: Knobs) -> Step | None:
    if process.code == "0":
        return _start_of(process, processes, knobs)
    after = _after(process, knobs)
    if after is None:
        return None
    length, code = after
    return Step(process.since + length, process, code)


def _after(process: Process, knobs: Knobs) -> tuple[timedelta, str] | None:
    """How long a copy stays in its code, and the code that follows; None for those that time does not change."""
    code = process.code
    if code == "2":
        minutes = knobs["processing_minutes"].get(process.licence, 0)
        return timedelta(minutes=minutes), _after_copying(process, knobs)
    if code in ACTIVATING:
        return timedelta(minutes=knobs["activating_minutes"]) / 4, "1" if code == "8" else str(int(code) + 1)
    if code == "S":
        if process.held_until is None or process.held_code is None:
            return None
        return process.held_until - process.since, process.held_code
    fixed = {
        "X": (timedelta(minutes=knobs["sampling_minutes"]), "2"),
        "4": (timedelta(days=knobs["unactivated_days"]), "F"),
        "F": (timedelta(minutes=knobs["discarding_minutes"]), knobs["discarded_ends_as"]),
        "E": (timedelta(minutes=knobs["deleting_minutes"]), "D"),
    }
    return fixed.get(code)


def _after_copying(process: Process, knobs: Knobs) -> str:
    if process.is_refresh:
        return "5" if process.asked.get("AutoActivate") else "4"
    return "5" if knobs["create_shows_activating"] else "1"


def _start_of(process: Process, processes: Sequence[Process], knobs: Knobs) -> Step | None:
    """First in, first out: the oldest request starts when the slot is free and it has waited its least time."""
    if any(one.code in COPYING or (one.code == "0" and one.number < process.number) for one in processes):
        return None
    free_at = max((one.released for one in processes if one.released is not None), default=process.created)
    at = max(process.since + timedelta(minutes=knobs["pending_minutes"]), free_at)
    return Step(at, process, "X" if process.has_template else "2")
