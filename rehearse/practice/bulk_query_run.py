"""Run one query job: read one moment of the org and write its rows as CSV.

Every cell is quoted, null and the empty text are both an empty cell, booleans are words, datetimes end in Z; rows come
shuffled, the same way in every run of the same job, unless the query orders them. The line of a row is put together by
SQLite, which is many times faster than doing it here. Promise: an aborted job leaves no result.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from zlib import crc32

from rehearse.practice.bulk_store import DELIMITERS, LINE_ENDINGS, BulkStore, Job
from rehearse.practice.field_security import as_user
from rehearse.practice.http_errors import ApiError
from rehearse.practice.page_file import write_pages
from rehearse.practice.recycle_bin import expire
from rehearse.practice.soql_parse import parse_soql
from rehearse.practice.soql_plan import Output, Plan, build_plan

TEXTS = ("string", "textarea", "url", "phone")
DECIMALS = ("double", "currency", "percent")


class Aborted(Exception):
    """Somebody aborted or deleted the job while it ran."""


def run_query_job(store: BulkStore, job: Job, check_stop: Callable[[], None]) -> None:
    """Write the result of a job that is InProgress and complete it; an aborted job is left as it is.

    `check_stop` is asked between two chunks and raises when the server stops.
    Raises ApiError for a query that has become impossible since it was made.
    """
    started = time.monotonic()
    org = store.org

    def tick(count: int) -> None:
        check_stop()
        if store.move(job.id, ("InProgress",), processed=count) is None:
            raise Aborted

    deleted = job.operation == "queryAll"
    if deleted:
        expire(org)
    with org.lock, as_user(job.created_by):
        plan = build_plan(org, parse_soql(job.query), deleted=deleted)
    columns = [output for output in plan.outputs if isinstance(output, Output)]
    delimiter, ending = DELIMITERS[job.delimiter], LINE_ENDINGS[job.line_ending]
    header = delimiter.join(f'"{column.name}"' for column in columns) + ending
    shuffle = None if plan.query.order else crc32(job.id.encode())
    path = store.path(job.id, ".csv")
    reader = org.open_reader()
    try:
        lines = _lines(job, reader, (plan, columns, delimiter, ending))
        total = write_pages(path, header.encode(), lines, shuffle, tick)
    except Aborted:
        path.with_suffix(".new").unlink(missing_ok=True)
        return
    except sqlite3.OperationalError as error:
        raise ApiError(400, "QUERY_TIMEOUT", f"The objects of the query changed while it ran: {error}") from error
    finally:
        reader.close()
    spent = int((time.monotonic() - started) * 1000)
    store.move(job.id, ("InProgress",), state="JobComplete", processed=total, milliseconds=spent)


def read_lines(
    reader: sqlite3.Connection, plan: Plan, columns: list[Output], delimiter: str, ending: str
) -> Iterator[bytes]:
    """The rows of a plan as finished CSV lines in UTF-8."""
    reader.text_factory = bytes
    reader.create_function("bulk_double", 1, lambda value: None if value is None else str(float(value)))
    cells = [_cell(plan.columns[column.index], column.type) for column in columns]
    joined = f""" || '"{delimiter}"' || """.join(cells)
    line = f"""'"' || {joined} || '"' || {" || ".join(f"char({ord(one)})" for one in ending)}"""
    cursor = reader.execute(plan.sql(line), plan.params)
    while batch := cursor.fetchmany(2_000):
        for (row,) in batch:
            yield row


def _lines(job: Job, reader: sqlite3.Connection, what: tuple[Plan, list[Output], str, str]) -> Iterator[bytes]:
    """The lines of a job, with what faults and settings make of them."""
    plan, columns, delimiter, ending = what
    if job.fault == "empty":
        return iter(())
    lines = read_lines(reader, plan, columns, delimiter, ending)
    spoilt = columns[-1].type in TEXTS and plan.scope.org.settings.get("bulk_nul_bytes", False)
    return with_nul(lines, len(ending) + 1) if spoilt else lines


def with_nul(lines: Iterable[bytes], tail: int) -> Iterator[bytes]:
    """Every tenth line with a NUL at the end of its last cell: real orgs keep such values [data.md 1.3]."""
    for number, line in enumerate(lines):
        yield line[:-tail] + b"\0" + line[-tail:] if number % 10 == 0 else line


def _cell(sql: str, kind: str) -> str:
    """SQL for the text of one cell, without its outer quotes."""
    if kind == "boolean":
        return f"CASE WHEN {sql} THEN 'true' ELSE 'false' END"
    if kind in DECIMALS:
        return f"coalesce(bulk_double({sql}), '')"
    if kind in ("id", "reference", "int", "date", "datetime"):
        return f"coalesce({sql}, '')"
    return f"""replace(coalesce({sql}, ''), '"', '""')"""
