"""Settling open intents: what became of a call whose reply was lost, or that a killed run may or may not have sent.

Reads only. Nothing is sent twice until its effect was seen or is still absent when the longest call of the platform
is over (`uncertain_for` after the intent). Whoever calls this goes on by re-reading the rows, so the answer decides
only how long to wait, never what is true.
"""

from __future__ import annotations

from collections.abc import Callable

from rehearse import clock
from rehearse.errors import OrgRejected
from rehearse.events import Noted
from rehearse.ids import to_18
from rehearse.journal import Entry
from rehearse.org.model import Value
from rehearse.reset.apply_context import Context
from rehearse.reset.inputs import FlowState

ROW_KINDS = ("update", "delete", "undelete")


def settle_rows(context: Context, entry: Entry) -> bool:
    """Wait until a batch of row writes shows its effect or can no longer do so; closes the intent. True: seen."""
    seen = wait_for_effect(context, entry, lambda: _rows_moved(context, entry))
    context.journal.close(entry, {"ok": [], "failed": {}, "seen": seen})
    return seen


def wait_for_effect(context: Context, entry: Entry, seen: Callable[[], bool]) -> bool:
    """Ask again and again until `seen`, or until `uncertain_for` after the intent; one last look then decides."""
    deadline = entry.opened + context.settings.uncertain_for
    told = False
    while True:
        late = context.settings.now() >= deadline
        if seen():
            return True
        if late:
            return False
        if not told:
            until = clock.iso(deadline)
            context.on_event(Noted(f"A {entry.kind} may still take effect; waiting for it until {until} at most."))
            told = True
        context.settings.sleep(context.settings.poll)


def _rows_moved(context: Context, entry: Entry) -> bool:
    object, ids = str(entry.detail["object"]), [str(one) for one in entry.detail["ids"]]
    schema = context.schema(object)
    names = [name for name in ("IsDeleted", "LastModifiedById", "LastModifiedDate") if schema.field(name) is not None]
    try:
        rows = context.writer.reader.fetch_by_ids(object, ids, names or ["Id"], deleted="IsDeleted" in names)
    except OrgRejected:
        return False
    if entry.kind == "delete":
        return any(one not in rows or rows[one].get("IsDeleted") is True for one in ids)
    if entry.kind == "undelete":
        return any(row.get("IsDeleted") is False for row in rows.values())
    stamps = entry.detail.get("stamps", {})
    return any(_touched(row, stamps.get(one), context.user_id) for one, row in rows.items())


def _touched(row: dict[str, Value], stamp: str | None, user_id: str) -> bool:
    """Whether our user changed the row after it was read for this batch."""
    now = row.get("LastModifiedDate")
    if row.get("LastModifiedById") != user_id or not now:
        return False
    return stamp is None or clock.from_iso(str(now)) > clock.from_iso(stamp)


def settle_deploy(context: Context, entry: Entry) -> None:
    """Wait for a deployment whose reply was lost, found by our user among those of this run; closes the intent."""
    known = context.known_deploys()
    found: list[str] = []

    def seen() -> bool:
        since = clock.iso(context.began)
        soql = (
            "SELECT Id FROM DeployRequest WHERE CreatedById = "
            f"'{context.user_id}' AND CreatedDate >= {since} ORDER BY CreatedDate"
        )
        rows = context.writer.reader.fetch_tooling_rows(soql)
        found.extend(one for row in rows if (one := to_18(str(row["Id"]))) not in known)
        return bool(found)

    if wait_for_effect(context, entry, seen):
        for deploy_id in found:
            context.writer.wait_deploy(deploy_id, context.on_event)
    context.journal.close(entry, {"ok": [], "failed": {}, "seen": bool(found), "deploys": found})


def fetch_flow(context: Context, flow: str) -> FlowState:
    """The versions of a flow and the active one, from the Tooling API; no versions when there is no such flow."""
    soql = f"SELECT VersionNumber, Status FROM Flow WHERE Definition.DeveloperName = '{flow}'"
    rows = list(context.writer.reader.fetch_tooling_rows(soql))
    numbers = {int(str(row["VersionNumber"])): str(row["Status"]) for row in rows}
    active = next((number for number, status in numbers.items() if status == "Active"), 0)
    return FlowState(active, tuple(sorted(numbers)))


def settle_flow(context: Context, entry: Entry) -> None:
    """Wait until a change of a flow shows, or can no longer do so; closes the intent."""
    flow, version = str(entry.detail["flow"]), int(entry.detail["version"])

    def seen() -> bool:
        state = fetch_flow(context, flow)
        return state.active == version if entry.detail["do"] == "activate-flow" else version not in state.versions

    done = wait_for_effect(context, entry, seen)
    context.journal.close(entry, {"ok": [], "failed": {}, "seen": done})
