"""The runbook of a release file: each step as one deed, with what undoes it. Pure; files are named, never opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rehearse.release.file import DoEntry, RecordsEntry, StepEntry
from rehearse.release.model import Deed, Step

_OPERATIONS: tuple[Literal["insert", "update", "upsert", "delete"], ...] = ("insert", "update", "upsert", "delete")


def read_steps(entries: Sequence[StepEntry], folder: Path) -> tuple[Step, ...]:
    """The steps in their order; paths are absolute, counted from `folder`, where the release file lies."""
    return tuple(
        Step(one.id, one.title, _deed(one, folder), _deed(one.undo, folder) if one.undo else None, one.no_return)
        for one in entries
    )


def _deed(entry: DoEntry, folder: Path) -> Deed:
    if entry.manual is not None:
        value = f" = {entry.manual.value}" if entry.manual.value else ""
        return Deed("manual", f"{entry.manual.where}{value}")
    if entry.records is not None:
        return _records(entry.records, folder)
    if entry.deploy:
        path = None if entry.deploy == "package" else folder / Path(entry.deploy).expanduser()
        return Deed("deploy", entry.deploy, path)
    if entry.apex:
        return Deed("apex", entry.apex, folder / Path(entry.apex).expanduser())
    if entry.shell:
        return Deed("shell", entry.shell[0])
    return Deed("soql", entry.soql)


def _records(entry: RecordsEntry, folder: Path) -> Deed:
    operation = next(one for one in _OPERATIONS if getattr(entry, one))
    path = folder / Path(getattr(entry, operation)).expanduser()
    return Deed("records", f"{operation} {path.name}", path, entry.object, operation, entry.key)
