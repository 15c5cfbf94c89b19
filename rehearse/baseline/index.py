"""The index of baselines in the workspace database: names for verified captures, and where their files are.

A row names the host and the store that hold the files: in a shared database a baseline may well be on another
machine, which is an error with a hint, never a missing file. Names are unique within a sandbox.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from rehearse import clock
from rehearse.baseline.manifest import MANIFEST
from rehearse.baseline.model import Baseline, Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.writing import file_sha256
from rehearse.errors import AmbiguousId, NotFound, StoreError, UsageError
from rehearse.ids import find_by_prefix, spell
from rehearse.state import TABLES, Database

_baselines = sa.Table(
    "baseline",
    TABLES,
    sa.Column("sandbox", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("capture", sa.Text, nullable=False),
    sa.Column("snapshot_id", sa.Text, nullable=False),
    sa.Column("taken_at", sa.Text, nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("components", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("manifest_sha256", sa.Text, nullable=False),
    sa.Column("proof", sa.Text),
    sa.Column("proof_verdict", sa.Text),
    sa.Column("proof_at", sa.Text),
    sa.Column("voided", sa.Text),
    sa.Column("pruned", sa.Text),
)

_NAME = re.compile(r"\w[\w .+-]{0,59}\Z")


class Baselines:
    """The baselines that a workspace database knows; their sandboxes are spelled as in `names` (rehearse.yaml)."""

    def __init__(self, database: Database, names: Iterable[str] = ()) -> None:
        self._database = database
        self._names = tuple(names)

    def add(self, baseline: Baseline) -> None:
        """Add one. Raises UsageError when the sandbox has a baseline of this name already."""
        try:
            with self._database.begin() as connection:
                connection.execute(sa.insert(_baselines).values(**_to_row(baseline)))
        except sa.exc.IntegrityError as error:
            raise UsageError(
                f"{baseline.sandbox} has a baseline named {baseline.name} already.", "Choose another name."
            ) from error

    def load(self, sandbox: str | None = None) -> tuple[Baseline, ...]:
        """The baselines of a sandbox (in any letter case), or all, oldest first."""
        query = sa.select(_baselines).order_by(_baselines.c.taken_at, _baselines.c.capture)
        if sandbox is not None:
            query = query.where(sa.func.lower(_baselines.c.sandbox) == sandbox.lower())
        with self._database.begin() as connection:
            rows = connection.execute(query).mappings().all()
        found = [_from_row(row) for row in rows]
        return tuple(replace(one, sandbox=spell(one.sandbox, self._names)) for one in found)

    def find(self, name_or_prefix: str, sandbox: str | None = None) -> Baseline:
        """The baseline of this exact name, else the newest whose name, capture or snapshot id starts so.

        Raises NotFound or AmbiguousId (also when several sandboxes have a baseline of this name).
        """
        known = self.load(sandbox)
        named = [one for one in known if one.name == name_or_prefix]
        if len(named) > 1:
            owners = ", ".join(one.sandbox for one in named)
            raise AmbiguousId(f"Several sandboxes have a baseline {name_or_prefix}: {owners}.", "Add --sandbox NAME.")
        if named:
            return named[0]
        by_id: dict[str, Baseline] = {}
        for one in known:
            by_id[one.name] = by_id[one.capture] = by_id[one.snapshot_id] = one
        try:
            return by_id[find_by_prefix(name_or_prefix, by_id, "baseline")]
        except NotFound as error:
            others = sorted({one.sandbox for one in self.load() if one.name == name_or_prefix})
            if not (sandbox and others):
                raise
            raise NotFound(
                f"{sandbox} has no baseline {name_or_prefix!r}; {', '.join(others)} has.",
                f"See `rehearse baseline list {sandbox}`.",
            ) from error

    def latest(self, sandbox: str, org_id: str) -> Baseline | None:
        """The newest baseline of this generation of a sandbox, or None."""
        found = [one for one in self.load(sandbox) if one.org_id == org_id]
        return found[-1] if found else None

    def check_new_name(self, sandbox: str, name: str) -> None:
        """Raise UsageError when a name cannot be read aloud, or the sandbox has a baseline of this name already."""
        if not _NAME.match(name):
            raise UsageError(
                f"{name[:60]!r} cannot be the name of a baseline.",
                "Use up to 60 letters, digits, spaces and . + - _, and begin with a letter or a digit.",
            )
        if any(one.name == name for one in self.load(sandbox)):
            raise UsageError(f"{sandbox} has a baseline named {name} already.", "Choose another name.")

    def set_proof(self, baseline: Baseline, proof: str, verdict: str, at: datetime) -> None:
        """Record the last proof against a baseline. Raises NotFound when the baseline is gone."""
        changed = {"proof": proof, "proof_verdict": verdict, "proof_at": clock.iso(at)}
        with self._database.begin() as connection:
            done = connection.execute(sa.update(_baselines).where(*_is(baseline)).values(**changed)).rowcount
        if not done:
            raise NotFound(f"The baseline {baseline.name} of {baseline.sandbox} is gone.")

    def void_others(self, sandbox: str, org_id: str, at: datetime) -> tuple[Baseline, ...]:
        """Void the baselines of every earlier generation of a sandbox: nothing can be put back to them any more.

        Returns those that were not void before; their files stay, for comparisons and as evidence.
        """
        old = tuple(one for one in self.load(sandbox) if one.org_id != org_id and one.voided is None)
        with self._database.begin() as connection:
            for one in old:
                connection.execute(sa.update(_baselines).where(*_is(one)).values(voided=clock.iso(at)))
        return old

    def set_pruned(self, baseline: Baseline, at: datetime) -> None:
        """Record that the records of a baseline are being destroyed; said before the deed, so that none is unsaid."""
        with self._database.begin() as connection:
            connection.execute(sa.update(_baselines).where(*_is(baseline)).values(pruned=clock.iso(at)))

    def replace(self, damaged: Baseline, repaired: Baseline) -> str:
        """Give the name of a damaged baseline to its repaired copy, in one step; returns the name that it has now.

        The damaged one counts as partial from here on, so that nothing is built on it.
        """
        known = {one.name for one in self.load(damaged.sandbox)}
        aside = next(name for name in _numbered(f"{damaged.name} damaged") if name not in known)
        with self._database.begin() as connection:
            connection.execute(sa.update(_baselines).where(*_is(damaged)).values(name=aside, verdict="partial"))
            connection.execute(sa.insert(_baselines).values(**_to_row(repaired)))
        return aside

    def remove(self, baseline: Baseline) -> None:
        """Forget the name; the files of its capture are not touched."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(_baselines).where(*_is(baseline)))


def describe_capture(store: CaptureStore, taken: Capture, name: str) -> Baseline:
    """A capture of a store as the index lists it under a name."""
    return Baseline(
        name=name,
        sandbox=taken.sandbox,
        org_id=taken.org_id,
        capture=taken.ulid,
        snapshot_id=taken.snapshot_id,
        taken_at=taken.started,
        records=taken.record_count,
        components=taken.component_count,
        bytes=store.size(taken.ulid),
        verdict=taken.verdict,
        host=socket.gethostname(),
        store=str(store.root.resolve()),
        manifest_sha256=file_sha256(store.folder(taken.ulid) / MANIFEST),
    )


def pick_newest(known: Sequence[Baseline]) -> Baseline:
    """The newest of some baselines that can be gone back to; of those of its org, where it is hollow or has no records.

    Where all are, the newest: whoever uses it is told what is wrong with it.
    """
    newest = known[-1]
    sound = [
        one
        for one in known
        if one.org_id == newest.org_id and one.verdict != "hollow" and not (one.pruned or one.voided)
    ]
    return sound[-1] if sound else newest


def check_has_records(baseline: Baseline, zone: ZoneInfo) -> None:
    """Raise StoreError when the records of a baseline were destroyed by prune."""
    if baseline.pruned is not None:
        raise StoreError(
            f"The records of baseline {baseline.name} of {baseline.sandbox} were destroyed on "
            f"{clock.show(baseline.pruned, zone)} (storage.keep); its metadata and proofs are kept.",
            "Name a younger baseline with --baseline, or capture a new one.",
        )


def is_here(baseline: Baseline, store: Path) -> bool:
    """Whether the files of a baseline are in this store: where they were written, or moved or copied here since.

    A capture id is given once in the world; whether the files are still those that were recorded, `verify` says.
    """
    written_here = baseline.host == socket.gethostname() and Path(baseline.store) == store.resolve()
    return written_here or (store / "captures" / baseline.capture / MANIFEST).is_file()


def check_is_here(baseline: Baseline, store: Path) -> None:
    """Raise StoreError when the files of a baseline are on another machine or in another store."""
    if not is_here(baseline, store):
        raise StoreError(
            f"Baseline {baseline.name} is in the store {baseline.store} of {baseline.host}.",
            "Work on that machine, name a baseline that is here, or copy the store here and set storage.path to it.",
        )


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} {number}" for number in count(2))


def _is(baseline: Baseline) -> tuple[sa.ColumnElement[bool], ...]:
    return (sa.func.lower(_baselines.c.sandbox) == baseline.sandbox.lower(), _baselines.c.name == baseline.name)


def _to_row(baseline: Baseline) -> dict[str, object]:
    found = {**asdict(baseline), "taken_at": clock.iso(baseline.taken_at)}
    for name in ("proof_at", "voided", "pruned"):
        found[name] = clock.iso(found[name]) if found[name] else None
    return found


def _from_row(row: sa.RowMapping) -> Baseline:
    found = {**row, "taken_at": clock.from_iso(row["taken_at"])}
    for name in ("proof_at", "voided", "pruned"):
        found[name] = clock.from_iso(found[name]) if found[name] else None
    return Baseline(**found)
