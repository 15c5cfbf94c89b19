"""The record files of a back-out package: the values that the rows of a load had before it, taken from a baseline.

Reads the load's file and the baseline, and writes plain CSV for the Bulk API: the values are in the clear, because
the team's own pipeline loads them. Rows that a load creates have no Id yet; how to find them is told, never guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearse.baseline.model import ObjectScope
from rehearse.org.bulk_csv import write_bulk_csv
from rehearse.reset.backout_model import RecordFile
from rehearse.reset.coupled import moved_along
from rehearse.reset.forecast_read import Base
from rehearse.reset.forecast_rows import Cells, RowFile, read_rows, same_key

PURGED = (
    "rows that left the recycle bin come back under new Ids; first take out the columns that only the platform sets "
    "(describe: createable is false)"
)


@dataclass(frozen=True)
class _Load:
    """One load beside the baseline's object: the columns of the file as fields, and the rows by their key."""

    file: RowFile
    scope: ObjectScope
    key: str
    fields: tuple[str, ...]
    rows: Mapping[str, Cells]


_NEW_IDS = (
    "rows that left the recycle bin come back under new Ids; first take out the columns that only the platform sets "
    "(describe: createable is false)"
)
"""What stands with a file of rows to insert again."""


def write_record_files(
    base: Base, load: RowFile, folder: Path, added: Collection[str] = ()
) -> tuple[tuple[RecordFile, ...], tuple[str, ...]]:
    """Write the files that undo one load into `folder`; also sentences about rows that no file covers.

    `added` names the objects that the release brings: their rows go with them. Raises NotFound, UsageError for the
    load's file, Damaged, KeyUnavailable, DiskFull.
    """
    if load.object in added:
        return (), ()
    scope = next((one for one in base.capture.scope.objects if one.name == load.object), None)
    if load.operation == "insert":
        return (), (_find_created(load),)
    if scope is None:
        return (), (f"{load.object} is outside the scope of the baseline: what {load.step} writes is not kept.",)
    read = _read(load, scope)
    known = list(_matching(base, read))
    found: list[RecordFile] = []
    start = f"{load.step}-{load.object}"
    if load.operation == "delete":
        names = _without_sums(load.object, [one.name for one in scope.fields])
        binned = RecordFile(load.step, load.object, "undelete", f"{start}-undelete.csv", 0)
        found += _write(folder, binned, ["Id"], known)
        whole = base.store.load_rows(base.capture.ulid, load.object, {str(one["Id"]) for one in known}, names)
        gone = RecordFile(load.step, load.object, "insert", f"{start}-insert.csv", 0, _NEW_IDS)
        found += _write(folder, gone, names, list(whole))
        return tuple(found), ()
    columns = ["Id", *(one for one in read.fields if one not in ("Id", read.key))]
    if len(columns) > 1:
        found += _write(folder, RecordFile(load.step, load.object, "update", f"{start}-update.csv", 0), columns, known)
    met = {same_key(_type(read, read.key), one.get(read.key)) for one in known}
    new = [{read.key: row[read.key]} for key, row in read.rows.items() if key not in met]
    if load.operation == "upsert" and new:
        path = f"{start}-created.csv"
        note = f"query the Ids of the rows whose {read.key} is in records/{path} into IDS.csv, then delete those"
        created = RecordFile(load.step, load.object, "find and delete", path, 0, note)
        found += _write(folder, created, [read.key], new)
    return tuple(found), ()


def _find_created(load: RowFile) -> str:
    return (
        f"Delete the {load.object} rows that {load.step} created: the Ids are in the results of that load; or find "
        f"them with SELECT Id FROM {load.object} WHERE CreatedDate >= <start of the load> AND CreatedById = "
        "<the loading user>."
    )


def _read(load: RowFile, scope: ObjectScope) -> _Load:
    key = "Id" if load.operation in ("update", "delete") else load.key
    types = {one.name: one.type for one in scope.fields} | {"Id": "id"}
    rows: dict[str, Cells] = {}
    fields: set[str] = set()
    for row in read_rows(load.path):
        rows[same_key(types.get(key, "string"), row.get(key))] = row
        fields |= {name for column in row for name in _fields_of(column) if name in types}
    fields |= {name for name in moved_along(load.object, fields) if name in types}
    return _Load(load, scope, key, tuple(sorted(_without_sums(load.object, fields))), rows)


def _without_sums(object: str, names: Collection[str]) -> list[str]:
    """Without the total of a deal's line beside its price a piece: a load that names both is refused."""
    both = object == "OpportunityLineItem" and "UnitPrice" in names
    return [one for one in names if not (both and one == "TotalPrice")]


def _fields_of(column: str) -> tuple[str, ...]:
    """The field that a column writes; one by another record's key (`Bank__r.Code__c`) writes the lookup."""
    lookup, dot, _ = column.partition(".")
    if not dot:
        return (column,)
    return (f"{lookup[:-1]}c",) if lookup.endswith("__r") else (f"{lookup}Id",)


def _matching(base: Base, read: _Load) -> Iterator[Mapping[str, str | None]]:
    names = sorted({read.key, *read.fields})
    for row in base.store.load_rows(base.capture.ulid, read.file.object, None, names):
        if same_key(_type(read, read.key), row.get(read.key)) in read.rows:
            yield row


def _type(read: _Load, name: str) -> str:
    return next((one.type for one in read.scope.fields if one.name == name), "id" if name == "Id" else "string")


def _write(
    folder: Path, file: RecordFile, columns: Sequence[str], rows: Sequence[Mapping[str, str | None]]
) -> list[RecordFile]:
    """Write one file unless it would be empty."""
    if not rows:
        return []
    count = write_bulk_csv(folder / file.path, columns, ([row.get(name) for name in columns] for row in rows))
    return [RecordFile(file.step, file.object, file.operation, f"records/{file.path}", count, file.note)]
