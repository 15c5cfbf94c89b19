"""The three result files of an ingest job that has ended: successful, failed, unprocessed.

Built once from the uploaded file and the results of its chunks, in an order that is shuffled but the same every time;
joining them by position is a mistake that shows. Every cell is quoted. Promise: each row of the input is in exactly one
of the three.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from rehearse.practice.bulk_csv import BadBatch, CsvFile
from rehearse.practice.bulk_ingest_run import CHUNK
from rehearse.practice.bulk_store import BulkStore, Job
from rehearse.practice.page_file import write_pages

KINDS = {"successful": ["sf__Id", "sf__Created"], "failed": ["sf__Id", "sf__Error"], "unprocessed": []}
_building = threading.Lock()


def ensure_results(store: BulkStore, job: Job, kind: str) -> Path:
    """The file of one kind of results of a job that has ended, built on the first call."""
    path = store.path(job.id, f".{kind}.csv")
    with _building:
        if not path.exists():
            _build(store, job, kind, path)
    return path


def _build(store: BulkStore, job: Job, kind: str, path: Path) -> None:
    source = CsvFile(store.path(job.id, ".in.csv"), job)
    try:
        header = source.header()
    except (BadBatch, FileNotFoundError):
        header = []
    first = _line(source, [*KINDS[kind], *header])
    lines = _lines(store, job, kind, source) if header else iter(())
    write_pages(path, first, lines, crc32(f"{job.id}{kind}".encode()), lambda count: None)


def _lines(store: BulkStore, job: Job, kind: str, source: CsvFile) -> Iterator[bytes]:
    done = store.load_chunks(job.id)
    width = len(source.header())
    try:
        for number, record in enumerate(source.rows()):
            cells = (record.cells + [""] * width)[:width]
            chunk = done.get(number // CHUNK)
            if chunk is None:
                if kind == "unprocessed":
                    yield _line(source, cells)
                continue
            row_id, created, error = chunk[number % CHUNK]
            if error and kind == "failed":
                yield _line(source, [row_id, error, *cells])
            elif not error and kind == "successful":
                yield _line(source, [row_id, str(bool(created)).lower(), *cells])
    except BadBatch:
        return  # the file breaks off here: what follows was never a row


def _line(source: CsvFile, cells: list[str]) -> bytes:
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
    return (source.delimiter.join(quoted) + source.ending).encode()
