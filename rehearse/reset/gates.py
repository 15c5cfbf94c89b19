"""The quiet gate: is anything else writing to this org? Asked before a capture, an apply and a proof. Reads only.

Running work (Apex jobs, deployments, background operations, a schedule about to fire) closes the gate; recent writes of
other users are named as a warning, because their edits are protected row by row anyway. An object that this login may
not ask about is named as not asked, never counted as quiet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearse import clock
from rehearse.errors import GateClosed, OrgRejected
from rehearse.org.connect import OrgReader

RECENT = timedelta(minutes=10)
_NAMED = 3


@dataclass(frozen=True)
class Noise:
    """Something that writes, or may: `blocks` says whether it closes the gate."""

    what: str
    detail: str
    blocks: bool


def fetch_noise(reader: OrgReader, objects: Iterable[str], ends: datetime | None = None) -> tuple[Noise, ...]:
    """Everything that moves in the org now; `ends` is when our own work is expected to be over (org's clock)."""
    now = reader.fetch_server_time()
    user_id = reader.fetch_identity().user_id
    found = [*_running(reader, user_id), *_due(reader, now, ends or now + RECENT)]
    for name in sorted(objects):
        found.extend(_recent(reader, name, now - RECENT, user_id))
    return tuple(found)


def require_quiet(noise: Iterable[Noise]) -> tuple[str, ...]:
    """The warnings among it, as sentences. Raises GateClosed naming who and what when something blocks."""
    noise = tuple(noise)
    blocking = [one for one in noise if one.blocks]
    if blocking:
        raise GateClosed(
            "The sandbox is not quiet: " + "; ".join(f"{one.what} ({one.detail})" for one in blocking[:_NAMED]) + ".",
            "Wait until it has ended, then run the same command again.",
        )
    return tuple(f"{one.what}: {one.detail}" for one in noise)


def _running(reader: OrgReader, user_id: str) -> Iterable[Noise]:
    """Apex jobs, background operations, and deployments of others."""
    states = "('Holding', 'Queued', 'Preparing', 'Processing')"
    yield from _counted(
        reader, f"SELECT COUNT() FROM AsyncApexJob WHERE Status IN {states}", "Apex jobs queued or running"
    )
    states = "('New', 'Scheduled', 'Running')"
    yield from _counted(
        reader, f"SELECT COUNT() FROM BackgroundOperation WHERE Status IN {states}", "background operations"
    )
    soql = "SELECT Id, CreatedById FROM DeployRequest WHERE Status IN ('Pending', 'InProgress', 'Canceling')"
    try:
        rows = [row for row in reader.fetch_tooling_rows(soql) if row.get("CreatedById") != user_id]
    except OrgRejected as error:
        yield Noise("deployments", f"not asked: {error.org_code}", False)
        return
    if rows:
        yield Noise("a deployment of somebody else", ", ".join(str(row["Id"]) for row in rows[:_NAMED]), True)


def _counted(reader: OrgReader, soql: str, what: str) -> Iterable[Noise]:
    try:
        number = reader.fetch_count(soql)
    except OrgRejected as error:
        yield Noise(what, f"not asked: {error.org_code}", False)
        return
    if number:
        yield Noise(what, str(number), True)


def _due(reader: OrgReader, now: datetime, ends: datetime) -> Iterable[Noise]:
    soql = (
        "SELECT Id, NextFireTime FROM CronTrigger WHERE State = 'WAITING' "
        f"AND NextFireTime >= {clock.iso(now)} AND NextFireTime <= {clock.iso(ends)}"
    )
    try:
        rows = list(reader.fetch_rows(soql))
    except OrgRejected as error:
        yield Noise("scheduled work", f"not asked: {error.org_code}", False)
        return
    if rows:
        first = min(str(row["NextFireTime"]) for row in rows)
        yield Noise("scheduled work is about to start", f"{len(rows)}, the first at {first}", True)


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
        yield Noise("written in the last 10 minutes", detail, False)
