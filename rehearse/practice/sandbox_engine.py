"""Time passing over the sandboxes: does every step that is due, in its order, each at its own right time.

The steps come from sandbox_steps (pure); here they are carried out: files are built and dropped, tokens die, rows are
saved. One process at a time works; a killed one leaves a step undone, never half done, and the next pulse does it.
Take no org's lock around `advance`: building a copy takes that of its source.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from rehearse.practice.estate import Estate
from rehearse.practice.org_state import OrgState
from rehearse.practice.sandbox_copy import CopyOrder, build_copy
from rehearse.practice.sandbox_rows import BUSY, Info, Process, SandboxRows
from rehearse.practice.sandbox_steps import Step, next_step


def pulse(estate: Estate) -> None:
    """Do everything that is due by now: copies, activations, expiries. The first pulse starts the clock.

    Call it while holding no org's lock: a copy takes the lock of the org that it reads.
    """
    estate.clock.start()
    advance(estate)


def advance(estate: Estate) -> None:
    """Carry out everything that is due by the virtual now."""
    rows = SandboxRows(estate.file)
    now = estate.clock.now()
    if _next(estate, rows, now) is None:
        return
    with alone(estate):
        while (step := _next(estate, rows, now)) is not None:
            if isinstance(step, Step):
                _carry_out(estate, rows, step)
            else:
                start_deletion(estate, *step)


@contextmanager
def alone(estate: Estate) -> Iterator[None]:
    """Hold what only one thread of one process may hold: the right to change sandboxes."""
    with estate.pulse_lock:
        if estate.pulse_depth:
            yield
            return
        gate = sqlite3.connect(estate.folder / "pulse.lock", timeout=120, isolation_level=None)
        estate.pulse_depth += 1
        try:
            gate.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            estate.pulse_depth -= 1
            gate.close()


def start_deletion(estate: Estate, info: Info, at: datetime) -> None:
    """Begin to delete a sandbox: its org is gone at once, its name when the deletion is over."""
    rows = SandboxRows(estate.file)
    newest = rows.newest(info.id)
    gone = estate.file.load_rows("SELECT id FROM orgs WHERE info_id = ? AND state <> 'gone'", (info.id,))
    with estate.file.transaction():
        rows.save_process(newest.enter("E", at))
        rows.save_info(replace(info, deleted=True, modified=at))
        for row in gone:
            estate.mark_gone(row["id"])
    for row in gone:
        estate.drop_org_files(row["id"])


def build_org(estate: Estate, process: Process) -> None:
    """Build the org file of a copy from its source as it is now."""
    production = estate.production
    source = _source(estate, process) or production
    live = [org for org in estate.orgs() if estate.sandbox_name(org.org_id) != process.name]
    order = CopyOrder(
        org_id=process.org,
        sandbox=process.name,
        licence=process.licence,
        keep_mail_of=_keeps_mail(production, process),
        taken={name for org in live for name in _usernames(org)},
        instance=f"CS{int(process.org[5:]) % 900 + 100}",
        template=str(process.asked.get("TemplateId") or ""),
    )
    build_copy(source, estate.org_path(process.org), order)


def go_live(estate: Estate, process: Process, at: datetime) -> None:
    """Let the org of a finished copy take the place of the one before it, whose tokens die."""
    query = "SELECT id FROM orgs WHERE info_id = ? AND id <> ? AND state = 'live'"
    old = [row["id"] for row in estate.file.load_rows(query, (process.info_id, process.org))]
    with estate.file.transaction():
        for org_id in old:
            estate.mark_gone(org_id)
        estate.mark_live(process.org, at)
    for org_id in old:
        estate.drop_org_files(org_id)


def _next(estate: Estate, rows: SandboxRows, now: datetime) -> Step | tuple[Info, datetime] | None:
    step = next_step(rows.processes(), estate.settings.load(), now) if rows.any_open() else None
    idle = _idle_since(estate, step.at if step is not None else now)
    return idle if idle is not None else step


def _idle_since(estate: Estate, until: datetime) -> tuple[Info, datetime] | None:
    """The sandbox that nobody used for too long by `until`, and when it became so; the first one of several."""
    days = estate.settings["inactive_days"]
    if not days:
        return None
    limit = timedelta(days=days)
    query = "SELECT info_id, used_at FROM orgs WHERE state = 'live' AND info_id IS NOT NULL AND used_at <= ?"
    rows = SandboxRows(estate.file)
    for row in estate.file.load_rows(f"{query} ORDER BY used_at, number", ((until - limit).isoformat(),)):
        info = rows.info(row["info_id"])
        newest = rows.newest(row["info_id"])
        if info is not None and not info.deleted and newest.code not in BUSY:
            return info, max(newest.modified, datetime.fromisoformat(row["used_at"]) + limit)
    return None


def _carry_out(estate: Estate, rows: SandboxRows, step: Step) -> None:
    process, code, at = step.process, step.code, step.at
    if process.code == "2":
        build_org(estate, process)
        process = replace(process, copied=at, released=at)
        if estate.settings["end_date_at"] == "copied":
            process = replace(process, ended=at)
        if code == "5" and process.is_refresh:
            process = replace(process, activation_asked=at, activated_by=process.created_by)
    changed = _entered(process, code, at)
    if code == "1":
        changed = _completed(estate, changed, at)
        go_live(estate, process, at)
    if code == "F":
        changed = replace(changed, discarded=True)
    if code == "2" and process.code != "S":
        changed = _held(estate, changed, at)
    if process.code == "F":
        estate.set_org_gone(process.org)
        _keep_old_name(estate, rows, process.info_id)
    rows.save_process(changed)


def _keep_old_name(estate: Estate, rows: SandboxRows, info_id: str) -> None:
    """A discarded refresh that would have renamed the sandbox leaves it its name."""
    info = rows.info(info_id)
    live = estate.file.load_rows("SELECT sandbox FROM orgs WHERE info_id = ? AND state = 'live'", (info_id,))
    if info is not None and live and live[0]["sandbox"] != info.name:
        rows.save_info(replace(info, name=live[0]["sandbox"]))


def _entered(process: Process, code: str, at: datetime) -> Process:
    if process.code == "S" and process.held_since is not None:
        since = at - (process.since - process.held_since)
        return replace(process.enter(code, at), since=since, held_code=None, held_since=None, held_until=None)
    if process.code == "0":
        return process.enter(code, at, started=at)
    return process.enter(code, at)


def _held(estate: Estate, process: Process, at: datetime) -> Process:
    """A copy that has begun, suspended or stopped where somebody asked for that fault."""
    fault = estate.faults.fire("COPY", process.name)
    if fault is None:
        return process
    held = process.enter("S" if fault.deed == "suspend" else "G", at, held_code="2", held_since=at)
    if fault.deed == "stop":
        return replace(held, released=at)
    return replace(held, held_until=at + timedelta(minutes=fault.amount)) if fault.amount else held


def _completed(estate: Estate, process: Process, at: datetime) -> Process:
    process = replace(process, ended=process.ended or at)
    if not process.is_refresh:
        return process
    finished = estate.settings["activated_date_at"] == "finished"
    return replace(process, activated=at if finished else process.activation_asked)


def _source(estate: Estate, process: Process) -> OrgState | None:
    """The live org of the sandbox that is cloned; None when there is none: then production is copied."""
    source_id = process.asked.get("SourceId")
    info = SandboxRows(estate.file).info(source_id) if source_id else None
    return estate.sandbox(info.name) if info is not None and not info.deleted else None


def _keeps_mail(production: OrgState, process: Process) -> set[str]:
    """The requester and the members of the chosen access group keep their e-mail addresses."""
    users = {process.created_by}
    group = process.asked.get("ActivationUserGroupId")
    if group and production.find_object("GroupMember") is not None:
        with production.lock:
            found = production.db.execute('SELECT "UserOrGroupId" FROM "GroupMember" WHERE "GroupId" = ?', (group,))
            users.update(row[0] for row in found)
    return users


def _usernames(org: OrgState) -> list[str]:
    with org.lock:
        return [row[0].lower() for row in org.db.execute('SELECT "Username" FROM "User"') if row[0]]
