"""What a file of rows would do to the rows of a baseline: how many it creates, updates and deletes. Reads both.

Rows are matched by the key of the step (an external id, or Id) and told apart by value, so that a row that would be
written as it is already counts as no change. No value leaves this file: only counts and marks.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rehearse.baseline.canonical import canonical_value
from rehearse.baseline.coverage import find_unseen
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.row_kinds import WITHOUT_UNDELETE
from rehearse.errors import NotFound, UsageError
from rehearse.reset.activation import ACTIVATED, ACTIVATED_ONCE, CATEGORY, STATUS
from rehearse.reset.forecast import RowChanges
from rehearse.reset.model import What

NULL = "#N/A"
"""The cell that sets null; an empty one leaves the field alone (Bulk API 2.0 guide, prepare CSV files)."""
_CELL = 10_000_000
_OF: Mapping[str, What] = {"insert": "created", "upsert": "updated", "update": "updated", "delete": "deleted"}

Cells = dict[str, str]


@dataclass(frozen=True)
class RowFile:
    """One step that writes a file of rows."""

    step: str
    object: str
    operation: Literal["insert", "update", "upsert", "delete"]
    path: Path
    key: str = "Id"


def find_row_changes(
    store: CaptureStore | None, before: Capture | None, load: RowFile, added: frozenset[str] = frozenset()
) -> tuple[RowChanges, ...]:
    """The changes of one step, counted by kind and marks; `added` names objects that the package creates.

    Raises NotFound, UsageError for a file that is no table, Damaged, KeyUnavailable.
    """
    scope = next((one for one in before.scope.objects if one.name == load.object), None) if before else None
    if load.object in added:
        return (_all(load, "created", "object-added"),)
    if before is None or store is None:
        return (_all(load, _OF[load.operation], "no-baseline"),)
    if scope is None or load.object in find_unseen(before):
        return (_all(load, _OF[load.operation], "outside-scope"),)
    base = {"filtered"} if scope.where else set()
    base |= {"document-in-scope"} if any(one.name == "ContentDocument" for one in before.scope.objects) else set()
    types = {one.name: one.type for one in scope.fields} | {"Id": "id"}
    counted: Counter[tuple[What, frozenset[str]]] = Counter()
    active = _find_active(store, before, load, types)
    if load.operation == "insert":
        counted.update(("created", frozenset(base | _marks(load, row, active))) for row in read_rows(load.path))
    else:
        counted = _matched(store, before, (load, active), types, base)
    return tuple(
        RowChanges(load.step, load.object, what, count, marks)
        for (what, marks), count in sorted(counted.items(), key=lambda pair: (pair[0][0], sorted(pair[0][1])))
    )


def read_rows(path: Path) -> Iterator[Cells]:
    """The rows of a CSV file by column. Raises NotFound, UsageError naming the line."""
    csv.field_size_limit(_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _require_header(path, reader.fieldnames or ())
            for row in reader:
                if None in row or None in row.values():
                    raise UsageError(
                        f"{path}: line {reader.line_num} has not as many cells as the header.", "Mend the file."
                    )
                yield row
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", "Mend the step that names it.") from error
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path} is no CSV file in UTF-8: {error}.", "Save it again as CSV UTF-8.") from error


def _require_header(path: Path, names: Sequence[str]) -> None:
    """A file without a header, or with one name twice, says nothing about its cells."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise UsageError(f"{path} has the column {twice[0]} twice.", "Mend the file.")
    if not any(name.strip() for name in names):
        raise UsageError(f"{path} has no header.", "Its first line names the fields.")


def find_row_doubts(before: Capture | None, load: RowFile, fields: Collection[tuple[str, str]] = ()) -> tuple[str, ...]:
    """Sentences on columns that nobody knows and on keys that come twice; `fields`: (object, field) that are added."""
    scope = next((one for one in before.scope.objects if one.name == load.object), None) if before else None
    if scope is None:
        return ()
    known = {"Id", *(one.name for one in scope.fields), *(field for object, field in fields if object == load.object)}
    names: dict[str, None] = {}
    keys: Counter[str] = Counter()
    key = "Id" if load.operation in ("update", "delete") else load.key
    for row in read_rows(load.path):
        names |= dict.fromkeys(row)
        keys[same_key("string", row.get(key))] += 1
    strange = [one for one in names if one not in known and not {".", ":"} & set(one)]
    twice = sum(count for given, count in keys.items() if given and count > 1) if load.operation != "insert" else 0
    said = []
    if strange:
        what = f"{load.object} has no such field in the baseline: {', '.join(strange[:5])}"
        said.append(f"{load.path.name}: {what}. A load refuses them, or writes what is not compared.")
    if twice:
        said.append(f"{load.path.name}: {twice:,} rows share their {key}; a load refuses them, or the last one wins.")
    return tuple(said)


def _all(load: RowFile, what: What, mark: str) -> RowChanges:
    return RowChanges(load.step, load.object, what, sum(1 for _ in read_rows(load.path)), frozenset({mark}))


def _find_active(
    store: CaptureStore, before: Capture, load: RowFile, types: Mapping[str, str]
) -> Collection[str | None]:
    """The statuses that mean activated: each org names its own, and its rows tell which."""
    if load.object not in ACTIVATED_ONCE or not {STATUS, CATEGORY} <= types.keys():
        return {ACTIVATED}
    rows = store.load_rows(before.ulid, load.object, None, [STATUS, CATEGORY])
    return {ACTIVATED, *(row.get(STATUS) for row in rows if row.get(CATEGORY) == ACTIVATED)}


def _marks(load: RowFile, row: Cells, active: Collection[str | None]) -> set[str]:
    if load.object == "ContentVersion":
        return {"new-document"} if row.get("ContentDocumentId") in (None, "", NULL) else set()
    return {"activated"} if load.object in ACTIVATED_ONCE and row.get(STATUS) in active else set()


def _matched(
    store: CaptureStore,
    before: Capture,
    asked: tuple[RowFile, Collection[str | None]],
    types: Mapping[str, str],
    base: set[str],
) -> Counter[tuple[What, frozenset[str]]]:
    """Rows of the file against the rows of the baseline with the same key."""
    load, active = asked
    key = "Id" if load.operation in ("update", "delete") else load.key
    gone = {"in-bin", *({"not-undeletable"} if load.object in WITHOUT_UNDELETE else ())}
    rows: dict[str, Cells] = {}
    for row in read_rows(load.path):
        if key not in row:
            raise UsageError(f"{load.path} has no column {key}.", f"The step {load.step} needs it to find the rows.")
        rows[same_key(types.get(key, "string"), row[key])] = row
    counted: Counter[tuple[What, frozenset[str]]] = Counter()
    wanted = sorted({key, *(name for row in rows.values() for name in row if name in types)})
    for known in store.load_rows(before.ulid, load.object, None, wanted) if key in types else ():
        given = rows.pop(same_key(types[key], known.get(key)), None)
        if given is None:
            continue
        if load.operation == "delete":
            counted["deleted", frozenset(base | gone)] += 1
        elif any(_differs(types, name, cell, known) for name, cell in given.items() if name != key):
            counted["updated", frozenset(_marks(load, given, active))] += 1
    if load.operation == "upsert":
        for row in rows.values():
            counted["created", frozenset(base | _marks(load, row, active))] += 1
    elif rows:  # of another org, made since, or left out by a filter: nobody can tell what they were
        counted[_OF[load.operation], frozenset({"outside-scope"})] += len(rows)
    return counted


def same_key(type: str, text: str | None) -> str:
    """A key as it is compared: canonical, and without regard to case, as external ids are (an Id is not)."""
    value = canonical_value(type, text) or ""
    return value if type in ("id", "reference") else value.lower()


def _differs(types: Mapping[str, str], name: str, cell: str, known: Mapping[str, str | None]) -> bool:
    """Whether a cell changes a compared field; a column by another record's key (`Bank__r.Code__c`) may do so."""
    if not cell:
        return False
    if name not in types:
        return "." in name or ":" in name
    wanted = None if cell == NULL else canonical_value(types[name], cell)
    return wanted != canonical_value(types[name], known.get(name))
