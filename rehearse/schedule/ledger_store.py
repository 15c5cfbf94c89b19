"""The ledger in the workspace database: every create and refresh ever seen, because the platform forgets.

Rows are keyed by the id of their SandboxProcess (or an id of ours for what a person wrote down). Nothing is ever
removed by what production says: a sandbox that it no longer lists is marked as gone, and what we discarded stays
discarded whatever label production gives it later. Names are kept as production spells them, found in any letter case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from rehearse import clock
from rehearse.errors import UsageError
from rehearse.ids import ByName, build_ulid
from rehearse.schedule.ledger import GONE, Cycle, Refusal, copy_times, holds, interval_of, licence_name, percentile
from rehearse.schedule.ledger_rule import Dated, find_wrong_rules
from rehearse.schedule.ledger_sandboxes import KnownSandbox, load_gone, load_sandboxes, upsert
from rehearse.state import TABLES, Database

if TYPE_CHECKING:
    from rehearse.org.model import SandboxCopy

_cycles = sa.Table(
    "refresh_cycle",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sandbox", sa.Text, nullable=False, index=True),
    sa.Column("licence", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("org_id", sa.Text),
    sa.Column("requested", sa.Text, nullable=False),
    sa.Column("copied", sa.Text),
    sa.Column("activated", sa.Text),
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("sandbox_id", sa.Text),
    sa.Column("started", sa.Text),
    sa.Column("source", sa.Text),
    sa.Column("by", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("clone_of", sa.Text),
    sa.Column("progress", sa.Integer),
    sa.Column("expected_p50", sa.Text),
    sa.Column("expected_p90", sa.Text),
)
_refusals = sa.Table(
    "refresh_refusal",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sandbox", sa.Text, nullable=False, index=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)


def record_copies(database: Database, copies: Iterable[SandboxCopy], now: datetime) -> tuple[str, ...]:
    """Keep what production says about its copies; a row that is known already takes the newer state.

    Where a copy is seen under way for the first time, what we expect of it is kept too, to be held against it later.
    Returns the sandboxes that were refreshed since production was asked last, from the request to the end.
    """
    unseen: list[str] = []
    known = load_sandboxes(database)
    before = load_cycles(database)
    ordered = sorted(copies, key=lambda one: one.requested)
    with database.begin() as connection:
        for one in ordered:
            found = next((known_one for known_one in known if known_one.id == one.sandbox_id), None)
            cycles = before.get(one.name, ())
            old = next((cycle for cycle in cycles if cycle.id == one.id), None)
            row = _row_of(one, found, old, [*ordered, *cycles], now)
            if old is None and one.copied is None:
                row |= _expected(cycles, str(row["licence"]), one.requested)
            upsert(connection, _cycles, one.id, row)
            told = [cycle.requested for cycle in cycles if not cycle.by_hand]
            if old is None and row["state"] == "completed" and told and one.requested > max(told):
                unseen.append(one.name)
    return tuple(unseen)


def _row_of(
    one: SandboxCopy,
    found: KnownSandbox | None,
    old: Cycle | None,
    others: Sequence[SandboxCopy | Cycle],
    now: datetime,
) -> dict[str, object]:
    licence = licence_name(one.licence) or (found.licence if found else "") or (old.licence if old else "?")
    return {
        "sandbox": one.name,
        "licence": licence,
        "state": _state_of(one, found, old, others),
        "org_id": one.org_id,
        "requested": clock.iso(one.requested),
        "copied": _text(one.copied),
        "activated": _text(one.activated),
        "seen": clock.iso(now),
        "sandbox_id": one.sandbox_id,
        "started": _text(one.started),
        "source": "org",
        "clone_of": found.clone_of if found else "",
        "progress": one.progress,
    }


def _state_of(
    one: SandboxCopy, found: KnownSandbox | None, old: Cycle | None, others: Sequence[SandboxCopy | Cycle]
) -> str:
    """The state of a copy; a dropped copy of a sandbox that lives on is *discarded*, its sandbox is not deleted.

    What the row of a discarded copy reads in the end is not documented (facts 2.3): what we discarded stays so.
    """
    if old is not None and old.state in ("discarding", "discarded") and one.state in ("deleted", "completed"):
        return "discarded"
    lives = found is not None and found.gone is None
    first = all(other.requested >= one.requested for other in others if other.sandbox_id == one.sandbox_id)
    return "discarded" if one.state == "deleted" and lives and not first else one.state


def _expected(cycles: Sequence[Cycle], licence: str, requested: datetime) -> dict[str, object]:
    times = copy_times(cycles, licence)
    found = {"expected_p50": percentile(times, 50), "expected_p90": percentile(times, 90)}
    return {name: None if one is None else clock.iso(requested + one) for name, one in found.items()}


def set_expected(database: Database, cycle_id: str, p50: datetime, p90: datetime) -> None:
    """Keep what was said to a person about a copy at its request."""
    values = {"expected_p50": clock.iso(p50), "expected_p90": clock.iso(p90)}
    with database.begin() as connection:
        connection.execute(sa.update(_cycles).where(_cycles.c.id == cycle_id).values(**values))


def set_discarded(database: Database, cycle_id: str) -> None:
    """Remember that we discarded a copy."""
    with database.begin() as connection:
        connection.execute(sa.update(_cycles).where(_cycles.c.id == cycle_id).values(state="discarded"))


def save_cycles(database: Database, cycles: Iterable[Cycle], now: datetime) -> None:
    """Keep cycles that a person wrote down, all or none; one with a known id of a person is replaced.

    Raises UsageError for an id that production gave: its word is not overwritten.
    """
    with database.begin() as connection:
        for one in cycles:
            held = connection.execute(sa.select(_cycles.c.source).where(_cycles.c.id == one.id)).scalar()
            if held == "org":
                raise UsageError(f"The copy {one.id} is known from production.", "Its dates cannot be overwritten.")
            row = {name: getattr(one, name) for name in ("sandbox", "licence", "state", "org_id", "source", "by")}
            row |= {"note": one.note, "seen": clock.iso(now), "clone_of": one.clone_of}
            row |= {name: _text(getattr(one, name)) for name in ("requested", "started", "copied", "activated")}
            upsert(connection, _cycles, one.id, row)


def remove_cycle(database: Database, cycle: Cycle) -> None:
    """Forget a cycle that a person wrote down; raises UsageError for one that production told."""
    if not cycle.by_hand:
        raise UsageError(f"The copy {cycle.id} is known from production.", "It cannot be forgotten.")
    with database.begin() as connection:
        connection.execute(sa.delete(_cycles).where(_cycles.c.id == cycle.id))


def record_refusal(database: Database, sandbox: str, refusal: Refusal) -> None:
    """Keep a refused request with the platform's own words."""
    row = {"sandbox": sandbox, "at": clock.iso(refusal.at), "code": refusal.code, "text": refusal.text}
    with database.begin() as connection:
        connection.execute(sa.insert(_refusals).values(id=build_ulid(refusal.at), by=refusal.by, **row))


def load_cycles(database: Database) -> ByName[tuple[Cycle, ...]]:
    """All cycles by sandbox name (in any letter case), oldest first, each with the requests refused after it."""
    with database.begin() as connection:
        rows = connection.execute(sa.select(_cycles).order_by(_cycles.c.requested, _cycles.c.id)).mappings().all()
    refusals, gone = load_refusals(database), load_gone(database)
    found: ByName[list[Cycle]] = ByName((row["sandbox"], []) for row in rows)
    for row in rows:
        found[row["sandbox"]].append(_from_row(row))
    for own in found.values():
        if own and own[-1].sandbox_id in gone and own[-1].state not in GONE:
            own[-1] = replace(own[-1], state="deleted")  # production lists it no more, and told of no end of its copy
    return _with_learned(
        ByName((name, with_refusals(_without_doubles(own), refusals.get(name, ()))) for name, own in found.items())
    )


def _with_learned(ledger: ByName[tuple[Cycle, ...]]) -> ByName[tuple[Cycle, ...]]:
    """What one sandbox proved about the interval holds for all of its licence type: it is the platform's rule."""
    wrong: dict[str, frozenset[Dated]] = {}
    for cycles in ledger.values():
        for kind in {one.licence for one in cycles}:
            wrong[kind] = wrong.get(kind, frozenset()) | find_wrong_rules(cycles, kind, interval_of(kind))
    return ByName(
        (name, tuple(replace(one, learned=wrong.get(one.licence, frozenset())) for one in cycles))
        for name, cycles in ledger.items()
    )


def _without_doubles(cycles: Sequence[Cycle]) -> list[Cycle]:
    """What a person wrote down counts until production itself tells of the same refresh."""
    told = [one for one in cycles if not one.by_hand]
    return [one for one in cycles if not (one.by_hand and any(holds(other, one.requested) for other in told))]


def with_refusals(cycles: Sequence[Cycle], refusals: Sequence[Refusal]) -> tuple[Cycle, ...]:
    """The cycles (oldest first), each with the requests that were refused after it and before the next one."""
    ends = [one.requested for one in cycles[1:]]
    found = []
    for cycle, end in zip(cycles, [*ends, None], strict=True):
        own = tuple(one for one in refusals if one.at >= cycle.requested and (end is None or one.at < end))
        found.append(replace(cycle, refusals=own))
    return tuple(found)


def load_last_asked(database: Database) -> datetime | None:
    """When production last told of its copies; None where it never did."""
    with database.begin() as connection:
        found = connection.execute(sa.select(sa.func.max(_cycles.c.seen)).where(_cycles.c.source == "org")).scalar()
    return _instant(found)


def load_refusals(database: Database) -> ByName[tuple[Refusal, ...]]:
    """The refused requests by sandbox name, oldest first; also of a sandbox of which no copy is known here."""
    with database.begin() as connection:
        rows = connection.execute(sa.select(_refusals).order_by(_refusals.c.at)).mappings().all()
    found: ByName[list[Refusal]] = ByName((row["sandbox"], []) for row in rows)
    for row in rows:
        found[row["sandbox"]].append(Refusal(clock.from_iso(row["at"]), row["code"], row["text"], row["by"]))
    return ByName((name, tuple(own)) for name, own in found.items())


def _from_row(row: sa.RowMapping) -> Cycle:
    source = row["source"] or "org"
    return Cycle(
        row["id"],
        row["sandbox"],
        row["licence"],
        row["state"],
        row["org_id"],
        clock.from_iso(row["requested"]),
        _instant(row["copied"]),
        _instant(row["activated"]),
        by_hand=source != "org",
        sandbox_id=row["sandbox_id"] or "",
        started=_instant(row["started"]),
        source=source,
        by=row["by"] or "",
        note=row["note"] or "",
        clone_of=row["clone_of"] or "",
        progress=row["progress"],
        expected_p50=_instant(row["expected_p50"]),
        expected_p90=_instant(row["expected_p90"]),
    )


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else clock.iso(instant)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else clock.from_iso(text)
