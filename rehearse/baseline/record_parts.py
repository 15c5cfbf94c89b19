"""One encrypted Parquet file of rows: written once, read many times, by pyarrow only.

All columns are text except `_digest` (16 bytes); `_stamp` is SystemModstamp and `_by` who modified the row last.
AES-256-GCM under the data key of the capture, bound to capture and path, so that a part that was changed, cut or put
in another's place is refused. Rows are sorted by Id within each row group: a look-up of few ids decrypts few groups.
The (encrypted) footer tells for each column of each group a print of its content: of two captures, only the columns
whose prints differ need to be read to find what differs.
"""

from __future__ import annotations

import bisect
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.parquet import encryption

from rehearse.baseline.canonical_arrays import (
    DIGEST_TYPE,
    column_print,
    digest_rows,
    stored_array,
    sum_digest_array,
    text_array,
)
from rehearse.baseline.model import ComparableField, Part
from rehearse.baseline.writing import file_sha256, storing, sync_file
from rehearse.errors import Damaged

GROUP_ROWS = 16_384
PRINTS = b"rehearse prints/1"
"""In the footer: for each row group, by column, what `column_print` says of it (hex)."""


@dataclass(frozen=True)
class RowShape:
    """What is read of an object: its comparable fields, and the names of its stamp and author fields if it has them."""

    object: str
    fields: tuple[ComparableField, ...]
    stamp: str | None = "SystemModstamp"
    author: str | None = "LastModifiedById"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the SELECT list, Id first."""
        return ("Id", *(one.name for one in self.fields), *(one for one in (self.stamp, self.author) if one))


@dataclass(frozen=True)
class PartFile:
    """Where a part lies and how it is locked: capture folder, path below it, capture id and data key."""

    folder: Path
    path: str
    ulid: str
    key: bytes

    def __repr__(self) -> str:
        return f"PartFile({self.path})"

    @property
    def aad(self) -> bytes:
        return f"rehearse part/1:{self.ulid}:{self.path}".encode()


def build_batch(columns: Mapping[str, Any], shape: RowShape) -> Any:
    """A batch in the layout of a part, from text columns by name; canonical, digested, sorted by Id."""
    ids = stored_array("id", columns["Id"])
    values = [stored_array(one.type, columns[one.name]) for one in shape.fields]
    nulls = pa.nulls(len(ids), pa.string())
    stamps = stored_array("datetime", columns[shape.stamp]) if shape.stamp else nulls
    authors = stored_array("id", columns[shape.author]) if shape.author else nulls
    digests = digest_rows(ids, values, shape.fields)
    batch = pa.record_batch([ids, *values, stamps, authors, digests], schema=part_schema(shape.fields))
    if pc.all(pc.less_equal(ids.slice(0, max(0, len(ids) - 1)), ids.slice(1)), min_count=0).as_py():
        return batch
    return batch.take(pc.sort_indices(ids))


def part_schema(fields: Sequence[ComparableField]) -> Any:
    """The columns of a part."""
    names = ("Id", *(one.name for one in fields), "_stamp", "_by")
    return pa.schema([*(pa.field(name, pa.string()) for name in names), pa.field("_digest", DIGEST_TYPE)])


def stored_size(batch: Any, fields: Sequence[ComparableField]) -> int:
    """The bytes that rows of `build_batch` take as a part; nothing is stored."""
    told = io.BytesIO()
    with _open_writer(told, fields, (os.urandom(32), b"")) as writer:
        writer.write_batch(batch)
    return len(told.getvalue())


def _open_writer(to: Any, fields: Sequence[ComparableField], lock: tuple[bytes, bytes]) -> Any:
    """pyarrow's writer of a part, into a path or a stream; `lock` is the data key, and what the part is bound to."""
    key, aad = lock
    return pq.ParquetWriter(
        to,
        part_schema(fields),
        compression="zstd",
        write_statistics=["Id"],
        use_dictionary=[one.name for one in fields] + ["_by"],
        encryption_properties=encryption.create_encryption_properties(key, aad_prefix=aad, store_aad_prefix=False),
    )


class PartWriter:
    """Writes one part; counts rows and references, sums digests. Leaves no half file behind when the block fails."""

    def __init__(self, file: PartFile, fields: Sequence[ComparableField]) -> None:
        self._file = file
        self._target = file.folder / file.path
        self._fields = fields
        self._writer: Any = None
        self._prints: list[dict[str, str]] = []
        self._filled = {one.name: 0 for one in fields if one.type == "reference"}
        self.rows = 0
        self.digest_sum = 0

    def __enter__(self) -> PartWriter:
        with storing(self._target):
            self._target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer = _open_writer(self._target, self._fields, (self._file.key, self._file.aad))
        return self

    def write(self, batch: Any) -> None:
        """Append a batch made by `build_batch`. Raises DiskFull."""
        with storing(self._target):
            for start in range(0, batch.num_rows, GROUP_ROWS):
                self._write_group(batch.slice(start, GROUP_ROWS))
        self.rows += batch.num_rows
        for name in self._filled:
            self._filled[name] += batch.num_rows - batch.column(name).null_count
        self.digest_sum += sum_digest_array(batch.column("_digest"))

    def _write_group(self, group: Any) -> None:
        self._writer.write_batch(group)
        told = {name: column_print(group.column(name)).hex() for name in ("Id", *(one.name for one in self._fields))}
        self._prints.append(told)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        whole = False
        try:
            with storing(self._target):
                self._writer.add_key_value_metadata({PRINTS: json.dumps(self._prints).encode()})
                self._writer.close()
            whole = kind is None
        finally:
            if not whole:
                self._target.unlink(missing_ok=True)

    def finish(self) -> Part:
        """After the block: flush the file to the disk and describe it."""
        sync_file(self._target)
        return Part(self._file.path, self.rows, file_sha256(self._target), filled=self._filled)


def read_part(file: PartFile, columns: Sequence[str], ids: Sequence[str] | None = None) -> Iterator[Any]:
    """The row groups of a part with the named columns; with `ids` (sorted), only those rows, and only their groups.

    Raises Damaged for bytes that are missing or not what was written.
    """
    with opened_part(file) as part:
        for group in range(part.metadata.num_row_groups):
            if ids is not None and not _may_hold(part.metadata.row_group(group), ids):
                continue
            table = part.read_row_group(group, columns=list(columns))
            if ids is not None:
                table = table.filter(pc.is_in(table.column("Id"), text_array(ids)))
            yield from table.combine_chunks().to_batches()


@contextmanager
def opened_part(file: PartFile) -> Iterator[Any]:
    """A part, open for reading, as pyarrow's ParquetFile. Raises Damaged."""
    path = file.folder / file.path
    try:
        with pq.ParquetFile(
            path,
            decryption_properties=encryption.create_decryption_properties(file.key, aad_prefix=file.aad),
        ) as part:
            yield part
    except (OSError, pa.ArrowException) as error:
        raise Damaged(
            f"The stored rows in {path} are damaged or missing.",
            "Take a new baseline, or restore the file from a copy.",
        ) from error


def _may_hold(group: Any, ids: Sequence[str]) -> bool:
    statistics = group.column(0).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    at = bisect.bisect_left(ids, statistics.min)
    return at < len(ids) and ids[at] <= statistics.max
