"""What the person at the practice world may see and do that Salesforce would not let them: the clock, orgs, mishaps.

Works on the estate folder itself, beside a running server: the clock and all rows are in estate.db, and the server sees
a change with its next request. Nothing here needs a port or a secret of its own; who may read the folder may do this.
No token and no secret is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from rehearse.practice.estate import Estate
from rehearse.practice.http_errors import ApiError
from rehearse.practice.sandbox_engine import advance, alone
from rehearse.practice.sandbox_rows import COPYING, Process, SandboxRows
from rehearse.practice.sandbox_steps import next_step
from rehearse.practice.sandbox_views import status_label
from rehearse.practice.sandboxes import next_refresh


@dataclass(frozen=True)
class SandboxStatus:
    """One sandbox: its state, its live org (18 characters, None before it is ready), and when a refresh is allowed."""

    name: str
    licence: str
    status: str
    code: str
    org_id: str | None
    requested: datetime
    copied: datetime | None
    activated: datetime | None
    refresh_from: datetime | None


@dataclass(frozen=True)
class WorldStatus:
    """The whole practice world at a glance."""

    now: datetime
    paused: bool
    speed: float
    production_id: str
    sandboxes: tuple[SandboxStatus, ...]


def show_world(estate: Estate) -> WorldStatus:
    """The clock, production, and every sandbox that is not deleted, by name. Does first what is due."""
    advance(estate)
    rows = SandboxRows(estate.file)
    reading = estate.clock.read()
    found = []
    for info in sorted((one for one in rows.infos() if not one.deleted), key=lambda one: one.name.lower()):
        newest = rows.newest(info.id)
        org = estate.sandbox(info.name)
        found.append(
            SandboxStatus(
                name=info.name,
                licence=info.licence,
                status=status_label(newest, estate.settings),
                code=newest.code,
                org_id=org.org_id if org is not None else None,
                requested=newest.created,
                copied=newest.copied,
                activated=newest.activated,
                refresh_from=next_refresh(estate, info),
            )
        )
    return WorldStatus(reading.now, reading.paused, reading.speed, estate.production.org_id, tuple(found))


def move_clock(estate: Estate, by: timedelta) -> datetime:
    """Move the virtual time on and do what has become due. Raises ValueError for a negative amount."""
    estate.clock.start()
    at = estate.clock.move(by)
    advance(estate)
    return at


def set_clock(estate: Estate, at: datetime) -> datetime:
    """Set the virtual time and do what has become due. Raises ValueError for a naive or earlier time."""
    estate.clock.start()
    moved = estate.clock.set(at)
    advance(estate)
    return moved


def next_event(estate: Estate) -> datetime | None:
    """When the next step of a copy is due, as far as it can be known now; None when nothing is under way."""
    advance(estate)
    far = estate.clock.now() + timedelta(days=3650)
    step = next_step(SandboxRows(estate.file).processes(), estate.settings.load(), far)
    return step.at if step is not None else None


def hold_copy(estate: Estate, name: str, how: Literal["suspend", "stop"], minutes: float | None = None) -> None:
    """Suspend the running copy of a sandbox, for so many virtual minutes or until `resume_copy`, or stop it.

    Raises ApiError INVALID_STATUS when none is being copied.
    """
    with alone(estate):
        advance(estate)
        rows = SandboxRows(estate.file)
        process = _find(rows, name)
        if process.code not in COPYING or process.code == "S":
            raise ApiError(400, "INVALID_STATUS", f"No copy of {name} is running.")
        now = estate.clock.now()
        held = process.enter("S" if how == "suspend" else "G", now, held_code=process.code, held_since=process.since)
        if how == "stop":
            held = replace(held, released=now)
        elif minutes is not None:
            held = replace(held, held_until=now + timedelta(minutes=minutes))
        rows.save_process(held)


def resume_copy(estate: Estate, name: str) -> None:
    """Let a suspended copy go on, or a stopped one queue again. Raises ApiError INVALID_STATUS otherwise."""
    with alone(estate):
        advance(estate)
        rows = SandboxRows(estate.file)
        process = _find(rows, name)
        now = estate.clock.now()
        if process.code == "S":
            rows.save_process(replace(process, held_until=now))
            advance(estate)
        elif process.code == "G":
            again = process.enter("0", now, started=None, released=None, held_code=None, held_since=None)
            rows.save_process(again)
        else:
            raise ApiError(400, "INVALID_STATUS", f"No copy of {name} is suspended or stopped.")


def lock_sandboxes(estate: Estate, *, locked: bool) -> None:
    """Lock every sandbox, as when licences run out (all requests are refused then), or unlock them again."""
    with alone(estate):
        advance(estate)
        rows = SandboxRows(estate.file)
        now = estate.clock.now()
        for info in rows.infos():
            newest = rows.newest(info.id)
            if locked and newest.code == "1" and not info.deleted:
                rows.save_process(newest.enter("B", now, held_code="1"))
            elif not locked and newest.code == "B":
                rows.save_process(newest.enter("1", now, held_code=None))


def _find(rows: SandboxRows, name: str) -> Process:
    for info in rows.infos():
        if not info.deleted and info.name.lower() == name.lower():
            return rows.newest(info.id)
    raise ApiError(404, "NOT_FOUND", f"There is no sandbox {name}.")
