"""The quiet gate: is anything else writing to this org? Asked before a capture, an apply and a proof. Reads only.

Running work (Apex jobs, bulk loads and deployments of others, background operations such as sharing or publishing, a
schedule about to fire) closes the gate. Writes of others in the last minutes close it where the caller is strict. Else
they are named: a plan has read them, an apply refuses a plan that is older than they are and protects edits row by row,
a proof reads them and keeps their names. What may not be asked is named, never called quiet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from rehearse import clock
from rehearse.errors import GateClosed, OrgRejected
from rehearse.events import Noted, OnEvent, ignore
from rehearse.ids import to_18
from rehearse.org.connect import OrgReader
from rehearse.org.model import Value
from rehearse.reset.listed import listed

RECENT = timedelta(minutes=10)
PAUSE = timedelta(seconds=15)
"""Between two looks while waiting for quiet."""
_DUE = "scheduled work is due before this is expected to end"
STOP_IT = "What starts again and again is stopped in Setup > Scheduled Jobs."
_NAMED = 3
_AT_ONCE = 8


@dataclass(frozen=True)
class Noise:
    """Something that writes, or may: `blocks` closes the gate; `recent` closes it where the caller is strict."""

    what: str
    detail: str
    blocks: bool
    recent: bool = False


@dataclass(frozen=True)
class Patience:
    """How long to wait for quiet, and how; `strict`: recent writes of others are no quiet either; `open`: nothing
    closes the gate, all is only named (production never stands still, and nobody may stop its work for us).

    `otherwise` tells what to do when nothing but recent writes is left after the wait, `running` when something runs.
    `ours`: what this login runs is work of the run that is continued, which waits for it by itself.
    """

    bound: timedelta = timedelta()
    strict: bool = False
    open: bool = False
    ours: bool = False
    running: str = "Run the same command again when it has ended, or add --wait 15m."
    otherwise: str = "Add --wait 15m to wait until it is, or --despite-writes: what changes meanwhile is read again."
    pause: timedelta = PAUSE
    sleep: Callable[[float], None] = time.sleep


def await_quiet(look: Callable[[], Sequence[Noise]], patience: Patience, on_event: OnEvent = ignore) -> tuple[str, ...]:
    """Look until it is quiet or the bound has passed; the warnings left. Raises GateClosed naming who and what."""
    waited, minutes = timedelta(), patience.bound.total_seconds() / 60
    while True:
        noise = tuple(look())
        try:
            return require_quiet(noise, patience)
        except GateClosed as error:
            if waited >= patience.bound:
                raise
            if not waited:
                on_event(Noted(f"{error.message} Waiting up to {minutes:g} minutes."))
        pause = min(patience.pause, patience.bound - waited)
        patience.sleep(pause.total_seconds())
        waited += pause


def fetch_noise(
    reader: OrgReader, objects: Iterable[str], lasts: timedelta = RECENT, *, ours: bool = False
) -> tuple[Noise, ...]:
    """Everything that moves in the org now; `lasts`: how long our own work is expected to take from now on; `ours`:
    loads and deployments of this login are left out. Else they are another's, who uses the same login."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = pool.submit(reader.fetch_identity)
        now, user_id = reader.fetch_server_time(), asked.result().user_id
        looks: list[Callable[[], Iterable[Noise]]] = [
            lambda: _running(reader),
            lambda: _loading(reader, user_id if ours else ""),
            lambda: _deploying(reader, user_id if ours else ""),
            lambda: _due(reader, now, now + lasts),
            *(partial(_recent, reader, name, now - RECENT, user_id) for name in sorted(objects)),
        ]
        return tuple(one for seen in pool.map(lambda look: list(look()), looks) for one in seen)


def require_quiet(noise: Iterable[Noise], patience: Patience | None = None) -> tuple[str, ...]:
    """The warnings among it, as sentences. Raises GateClosed naming who and what when something blocks."""
    noise, patience = tuple(noise), patience or Patience()
    blocking = [one for one in noise if not patience.open and (one.blocks or (patience.strict and one.recent))]
    if blocking:
        said = f"The org is not quiet: {listed([f'{one.what} ({one.detail})' for one in blocking], _NAMED, '; ')}."
        running = [one for one in blocking if one.blocks]
        if not running:
            raise GateClosed(said, patience.otherwise)
        repeats = f" {STOP_IT}" if any(one.what == _DUE for one in running) else ""
        raise GateClosed(said, patience.running + repeats)
    return tuple(f"{one.what}: {one.detail}" for one in noise)


def _running(reader: OrgReader) -> Iterable[Noise]:
    """Apex jobs under way or waiting (a ScheduledApex row only waits for its time) and background operations."""
    jobs = (
        "SELECT Id, JobType, ApexClassId, CreatedBy.Name FROM AsyncApexJob WHERE JobType != 'ScheduledApex' "
        "AND Status IN ('Holding', 'Queued', 'Preparing', 'Processing')"
    )
    yield from _named(reader, jobs, "Apex jobs queued or running", partial(_tell_jobs, reader))
    operations = "SELECT Id, Name, Type FROM BackgroundOperation WHERE Status IN ('New', 'Scheduled', 'Running')"
    yield from _named(reader, operations, "background operations", _tell_operations)


def _tell_jobs(reader: OrgReader, rows: Sequence[dict[str, Value]]) -> list[str]:
    """Which class each job runs, and for whom: `VisitPlanner (BatchApex) by Ana Lima`."""
    ids = [to_18(str(row["ApexClassId"])) if row.get("ApexClassId") else "" for row in rows]
    classes = _fetch_names(reader, "ApexClass", sorted(set(filter(None, ids))))
    said = []
    for row, id in zip(rows, ids, strict=True):
        name = classes.get(id)
        kind = str(row["JobType"])
        said.append(f"{f'{name} ({kind})' if name else kind} by {row.get('CreatedBy.Name')}")
    return said


def _tell_operations(rows: Sequence[dict[str, Value]]) -> list[str]:
    return [f"{row.get('Type') or ''} {row.get('Name') or ''}".strip() or str(row["Id"]) for row in rows]


def _loading(reader: OrgReader, but: str) -> Iterable[Noise]:
    """Bulk loads that are under way, but for those of one user. A query job writes nothing."""
    try:
        jobs = [one for one in reader.fetch_load_jobs() if one.state in ("UploadComplete", "InProgress")]
    except OrgRejected as error:
        yield Noise("bulk loads", f"not asked: {error.org_code}", False)
        return
    foreign = [one for one in jobs if not but or one.created_by[:15] != but[:15]]
    if foreign:
        who = _fetch_names(reader, "User", sorted({one.created_by for one in foreign}))
        said = [f"{one.operation} of {one.object} by {who.get(one.created_by, one.created_by)}" for one in foreign]
        yield Noise("bulk loads under way", listed(said, _NAMED), True)


def _deploying(reader: OrgReader, but: str) -> Iterable[Noise]:
    soql = (
        "SELECT Id, CreatedById FROM DeployRequest WHERE Status IN ('Pending', 'InProgress', 'Finalizing', 'Canceling')"
    )
    try:
        rows = [row for row in reader.fetch_tooling_rows(soql) if row.get("CreatedById") != but]
    except OrgRejected as error:
        yield Noise("deployments", f"not asked: {error.org_code}", False)
        return
    if rows:
        who = _fetch_names(reader, "User", sorted({str(row["CreatedById"]) for row in rows}))
        said = [f"{row['Id']} by {who.get(str(row['CreatedById']), row['CreatedById'])}" for row in rows]
        yield Noise("deployments under way", listed(said, _NAMED), True)


def _named(
    reader: OrgReader, soql: str, what: str, tell: Callable[[Sequence[dict[str, Value]]], list[str]]
) -> Iterable[Noise]:
    try:
        rows = list(reader.fetch_rows(soql))
    except OrgRejected as error:
        yield Noise(what, f"not asked: {error.org_code}", False)
        return
    if rows:
        yield Noise(what, f"{len(rows)}: {listed(tell(rows), _NAMED)}", True)


def _fetch_names(reader: OrgReader, object: str, ids: Sequence[str]) -> dict[str, str]:
    """The names of users or classes by id; none where the org does not tell them."""
    try:
        return {id: str(row["Name"]) for id, row in reader.fetch_by_ids(object, ids, ["Name"]).items()} if ids else {}
    except OrgRejected:
        return {}


def _due(reader: OrgReader, now: datetime, ends: datetime) -> Iterable[Noise]:
    soql = (
        "SELECT Id, CronJobDetail.Name, NextFireTime, CreatedBy.Name FROM CronTrigger WHERE State = 'WAITING' "
        f"AND NextFireTime >= {clock.iso(now)} AND NextFireTime <= {clock.iso(ends)}"
    )
    try:
        rows = sorted(reader.fetch_rows(soql), key=lambda row: str(row["NextFireTime"]))
    except OrgRejected as error:
        yield Noise("scheduled work", f"not asked: {error.org_code}", False)
        return
    if rows:
        said = [f"{row.get('CronJobDetail.Name')} at {_at(row)} by {row.get('CreatedBy.Name')}" for row in rows]
        yield Noise(_DUE, listed(said, _NAMED), True)


def _at(row: dict[str, Value]) -> str:
    """When it fires, to the minute and with its zone: the org's own zone is not that of who reads this."""
    return f"{clock.from_iso(str(row['NextFireTime'])):%Y-%m-%d %H:%M} UTC"


def _recent(reader: OrgReader, object: str, since: datetime, user_id: str) -> Iterable[Noise]:
    soql = (
        f"SELECT Id, LastModifiedBy.Name FROM {object} WHERE SystemModstamp >= {clock.iso(since)} "
        f"AND LastModifiedById != '{user_id}' LIMIT 200"
    )
    try:
        rows = list(reader.fetch_rows(soql))
    except OrgRejected:
        return  # not every object knows who wrote last; its rows are compared all the same
    if rows:
        names = sorted({str(row.get("LastModifiedBy.Name")) for row in rows})
        more = " or more" if len(rows) == 200 else ""
        detail = f"{len(rows)}{more} rows of {object}, by {', '.join(names[:_NAMED])}"
        yield Noise("written in the last 10 minutes", detail, False, recent=True)
