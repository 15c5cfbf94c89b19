"""The comparison of two captures, beside DuckDB's own join over plain files of (Id, digest).

Two captures of one object with 20 fields are made in a store of their own; the second differs in 2,000 rows. Ours reads
encrypted parts, joins, and names the changed fields; the reference only counts. Times are those inside the processes,
without the imports. `python -m tests.bench.compare ours|reference FOLDER` is one such process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.measure import Command, Run, measure, ratio, times

CHANGES = 2_000
FIELDS = 20
PAGE = 50_000
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def run(folder: Path, rounds: int, records: int) -> None:
    """Print the ratio."""
    place = folder / f"compare-{records}"
    if not (place / "ready").exists():
        _build(place, records)
        (place / "ready").touch()
    words = [sys.executable, "-m", "tests.bench.compare"]
    works: dict[str, Callable[[], Run]] = {
        "ours": lambda: _timed(Command([*words, "ours", str(place)], place)),
        "reference": lambda: _timed(Command([*words, "reference", str(place)], place)),
    }
    found = measure(works, rounds)
    title = f"comparison of {records:,} records, {CHANGES:,} changed"
    ratio(f"{title} / DuckDB's own join of plain files", found["ours"], found["reference"], "3 x")
    times("comparison", found["ours"], memory=True)
    times("plain join", found["reference"], memory=True)


def _timed(command: Command) -> Run:
    done = command.run()
    told = json.loads(done.said)
    if told["changes"] != CHANGES:
        raise RuntimeError(f"{told['changes']} changes were found instead of {CHANGES}")
    return replace(done, wall=told["seconds"])


def _store(folder: Path) -> Any:
    from rehearse.baseline.keys import Keys
    from rehearse.baseline.record_store import CaptureStore
    from rehearse.secret import Reference

    return CaptureStore(folder / "store", Keys(folder / "store" / "keys", Reference(file=str(folder / "key"))))


def _build(folder: Path, records: int) -> None:
    """Two captures; their ids go to captures.json, and their plain (Id, digest) files beside it."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ulids = [_capture(folder, records, side) for side in (0, 1)]
    (folder / "captures.json").write_text(json.dumps(ulids))


def _capture(folder: Path, records: int, side: int) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from rehearse.baseline.model import ComparableField, ObjectScope
    from rehearse.baseline.record_parts import PartWriter, RowShape, build_batch
    from rehearse.baseline.row_reading import part_file, total
    from rehearse.baseline.working import Purpose, begin

    store = _store(folder)
    fields = tuple(ComparableField(f"Field{number:02d}__c", "string") for number in range(FIELDS))
    shape = RowShape("Thing__c", fields, "SystemModstamp", None)
    written = []
    plain = pa.schema([("Id", pa.string()), ("_digest", pa.binary(16))])
    with begin(store.root / "captures", store.keys, Purpose(f"bench {side}", START)) as working:
        with pq.ParquetWriter(folder / f"plain-{side}.parquet", plain) as beside:
            for number, start in enumerate(range(0, records, PAGE), 1):
                batch = build_batch(_columns(shape, range(start, min(start + PAGE, records)), records, side), shape)
                with PartWriter(part_file(working, "Thing__c", number), fields) as writer:
                    writer.write(batch)
                written.append((writer.finish(), writer.digest_sum))
                beside.write_batch(batch.select(["Id", "_digest"]))
        _finish(store, working, ObjectScope("Thing__c", fields), total("Thing__c", written))
        return working.ulid


def _finish(store: Any, working: Any, scope: Any, found: Any) -> None:
    from rehearse.baseline.canonical import build_snapshot_id
    from rehearse.baseline.manifest import save_components, save_manifest
    from rehearse.baseline.model import Capture, ResolvedScope

    resolved = ResolvedScope((), (scope,))
    save_manifest(
        working.folder,
        Capture(
            ulid=working.ulid,
            snapshot_id=build_snapshot_id(resolved, (), (found,)),
            sandbox="BENCH",
            org_id="00D000000000001AAA",
            started=START,
            ended=START,
            api_version="67.0",
            scope=resolved,
            manifest={},
            objects=(found,),
            component_count=0,
            components_sha256=save_components(working.folder, ()),
            commit=store.metadata.save(working.ulid, {}, "BENCH", START),
            coverage=(),
            verdict="usable",
        ),
    )


def _columns(shape: Any, rows: range, records: int, side: int) -> dict[str, Any]:
    from rehearse.baseline.canonical_arrays import text_array

    every = max(1, records // CHANGES)
    changed = {row for row in rows if side and row % every == 0 and row // every < CHANGES}
    columns = {name: text_array(f"{name} {row * 7919 % 104_729}" for row in rows) for name in shape.columns}
    columns["Id"] = text_array(f"a01{row:012d}AAA" for row in rows)
    columns["SystemModstamp"] = text_array("2026-11-23T08:00:00.000Z" for _ in rows)
    columns["Field07__c"] = text_array(f"new {row}" if row in changed else f"old {row}" for row in rows)
    return columns


def _ours(folder: Path) -> tuple[float, int]:
    from rehearse.baseline.compare import compare

    store = _store(folder)
    before, after = (store.load(ulid) for ulid in json.loads((folder / "captures.json").read_text()))
    began = time.monotonic()
    changes = compare(store, before, after)
    return time.monotonic() - began, len(changes)


def _reference(folder: Path) -> tuple[float, int]:
    import duckdb

    question = (
        f"SELECT count(*) FROM '{folder}/plain-0.parquet' b FULL OUTER JOIN '{folder}/plain-1.parquet' a"
        " ON b.Id = a.Id WHERE b._digest IS DISTINCT FROM a._digest"
    )
    began = time.monotonic()
    with duckdb.connect(":memory:") as database:
        (count,) = database.execute(question).fetchone() or (0,)
    return time.monotonic() - began, int(count)


if __name__ == "__main__":
    work = {"ours": _ours, "reference": _reference}[sys.argv[1]]
    seconds, changes = work(Path(sys.argv[2]))
    print(json.dumps({"seconds": seconds, "changes": changes}))
