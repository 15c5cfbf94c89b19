"""The out-of-core join of (Id, digest) pairs of two captures: which rows can differ at all.

Only ids and digests enter DuckDB, memory is limited, and what spills goes to a scratch folder of the store that is
removed afterwards.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from rehearse.baseline.canonical_arrays import DIGEST_TYPE, digest_rows, text_array
from rehearse.baseline.model import Capture, ComparableField
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.writing import make_private_folder
from rehearse.errors import DiskFull, StoreError

MEMORY_LIMIT = "1GB"
_PAIRS = pa.schema([pa.field("id", pa.string()), pa.field("digest", DIGEST_TYPE)])
_DIFFERENT = """
    SELECT coalesce(b.id, a.id) AS id, b.id IS NOT NULL AS in_before, a.live AS live
    FROM before b FULL OUTER JOIN after a ON b.id = a.id
    WHERE b.digest IS DISTINCT FROM a.digest ORDER BY 1
"""


@dataclass(frozen=True)
class Pair:
    """A row that can differ: its Id on the before side, whether it is there, and its Id in the org ('' = absent)."""

    id: str
    in_before: bool
    live: str


def find_candidates(
    store: CaptureStore,
    sides: tuple[Capture, Capture],
    object: str,
    fields: Sequence[ComparableField] | None,
    back: Mapping[str, str],
) -> Iterator[Pair]:
    """The rows whose digests differ or that one side lacks, in Id order.

    `fields` None takes the stored digests; otherwise they are recomputed over these fields. `back` maps ids of
    the after side to those of the before side. Raises Damaged, KeyUnavailable, StoreError.
    """
    with _database(store.root) as database:
        _fill(database, "before", _pairs(store, sides[0], object, fields))
        _fill(database, "live_pairs", _pairs(store, sides[1], object, fields))
        mapping = pa.table({"new": text_array(back), "old": text_array(back.values())})
        database.register("mapping", mapping)
        database.execute(
            "CREATE TABLE after AS SELECT coalesce(m.old, p.id) AS id, p.id AS live, p.digest AS digest"
            " FROM live_pairs p LEFT JOIN mapping m ON p.id = m.new"
        )
        found = database.execute(_DIFFERENT)
        while rows := found.fetchmany(10_000):
            yield from (Pair(id, in_before, live or "") for id, in_before, live in rows)


def _fill(database: Any, table: str, pairs: Iterator[Any]) -> None:
    reader = pa.RecordBatchReader.from_batches(_PAIRS, pairs)
    database.register("incoming", reader)
    database.execute(f"CREATE TABLE {table} AS SELECT id, digest FROM incoming")
    database.unregister("incoming")


def _pairs(
    store: CaptureStore, capture: Capture, object: str, fields: Sequence[ComparableField] | None
) -> Iterator[Any]:
    columns = ["Id", "_digest"] if fields is None else ["Id", *(one.name for one in fields)]
    for batch in store.read_batches(capture, object, columns):
        ids = batch.column("Id")
        digests = (
            batch.column("_digest")
            if fields is None
            else digest_rows(ids, [batch.column(one.name) for one in fields], fields)
        )
        yield pa.record_batch([ids, digests], schema=_PAIRS)


@contextmanager
def _database(root: Path) -> Iterator[Any]:
    import duckdb

    make_private_folder(root / "scratch")
    folder = tempfile.mkdtemp(prefix="compare-", dir=root / "scratch")
    try:
        with duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT, "temp_directory": folder}) as database:
            yield database
    except duckdb.Error as error:
        if "No space left" in str(error) or "disk space" in str(error):
            raise DiskFull("There is no room left to compare captures.", "Free some space and run again.") from error
        raise StoreError("The comparison of row digests failed.", "Run again; the captures are untouched.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
