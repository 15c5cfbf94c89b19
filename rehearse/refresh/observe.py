"""Ask production what its sandboxes and copies are, and keep it: the ledger is what we saw, because production forgets.

Reads only. What a login may not read is said in one sentence and left out; dates kept by hand then count alone. A
sandbox that turns out to be another org than the baselines were taken of has those baselines voided, whoever
activated it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rehearse.baseline.index import Baselines
from rehearse.errors import OrgRejected
from rehearse.events import Noted, OnEvent, Started, ignore
from rehearse.org.reader import OrgReader
from rehearse.schedule.ledger import find_in_force
from rehearse.schedule.ledger_sandboxes import record_sandboxes
from rehearse.schedule.ledger_stages import record_stages
from rehearse.schedule.ledger_store import load_cycles, record_copies
from rehearse.state import Database


def observe(production: OrgReader, database: Database, now: datetime, on_event: OnEvent = ignore) -> tuple[str, ...]:
    """Keep what production says about its sandboxes, their copies and stages, and void what that makes void.

    Returns the sandboxes that others refreshed, from the request to the end, since production was asked last.
    """
    unseen: list[str] = []
    on_event(Started("Asking production for its sandboxes"))
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("sandboxes", lambda: record_sandboxes(database, production.fetch_sandboxes(), now)),
        ("copies of sandboxes", lambda: unseen.extend(record_copies(database, production.fetch_sandbox_copies(), now))),
        ("stages of copies", lambda: record_stages(database, production.fetch_copy_stages())),
    )
    for what, step in steps:  # each may be hidden from this login without the others
        try:
            step()
        except OrgRejected as error:
            on_event(Noted(f"note: Production does not show its {what} to this login ({error.org_code})."))
    _void_baselines(database, now, on_event)
    return tuple(unseen)


def _void_baselines(database: Database, now: datetime, on_event: OnEvent) -> None:
    baselines = Baselines(database)
    kept = baselines.load()
    for name, cycles in load_cycles(database).items():
        force = find_in_force(cycles)
        own = [one for one in kept if one.sandbox.casefold() == name.casefold() and one.voided is None]
        if force is None or force.org_id is None or all(one.org_id == force.org_id for one in own):
            continue
        # a baseline of an org that no copy names is not ours to judge: the login may point elsewhere; and a sandbox
        # never goes back to an older org, whatever the newest copy is called for a while
        older = {one.org_id for one in cycles if one.requested < force.requested}
        if not {one.org_id for one in own} <= {force.org_id, *older}:
            continue
        gone = baselines.void_others(name, force.org_id, now)
        names = ", ".join(one.name for one in gone)
        on_event(Noted(f"note: {name} was refreshed: it is the org {force.org_id} now, and {names} is void."))
