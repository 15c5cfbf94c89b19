"""What a capture would take, before it starts: rows, bytes, time, API calls and disk of each object.

Rows are counted; everything else is told from a sample of each object's rows and from measured or published rates, and
is called an estimate. With no records in scope it proposes the objects that people work with and that hold rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import pyarrow as pa

from rehearse.baseline.asking import DESCRIBES_AT_ONCE
from rehearse.baseline.canonical import value_text
from rehearse.baseline.manifests import MEMBERS_AT_ONCE
from rehearse.baseline.model import Capture, Estimate, ObjectEstimate, ObjectScope, Scope
from rehearse.baseline.row_reading import REST_ROWS, alive, build_where, fetch_expected, shape_of_rows, with_archived
from rehearse.baseline.scope import match_objects, match_types, resolve_objects, spell, unread_rows
from rehearse.errors import OrgRejected
from rehearse.org.model import ObjectSummary, Schema
from rehearse.org.reader import OrgReader

PUBLISHED_ROWS_PER_SECOND = 1_400
"""One export of a real org: 777,650 rows of 18 kB in 16 minutes (facts/data.md 5); used until one was measured."""
PAGE_ROWS = 250_000
"""The page size that a server chose by itself (facts/data.md 1.2)."""
ROW_BYTES_ON_DISK = 34
"""A digest and a stamp compress badly."""
_SAMPLE_ROWS = 100
_SOME_CALLS = 30
"""Login, identity, time, limits, describes of types and objects, packages, schedules, fields, folders, running work."""
_CALLS_EACH = 5
"""Of an object beside its rows: a describe, two counts, what changed meanwhile, and who wrote to it lately."""


def fetch_estimate(reader: OrgReader, scope: Scope, past: Sequence[Capture] = ()) -> Estimate:
    """Estimate a capture of a scope; `past`: captures of the same org, newest first.

    Raises OrgError where the org fails, UsageError for a filter that cannot be frozen.
    """
    summaries = reader.fetch_objects()
    scope = spell(scope, summaries)
    proposed = not scope.objects
    names = _proposal(scope, summaries) if proposed else match_objects(scope, summaries)
    types = len(match_types(scope, reader.fetch_metadata_types()))
    with ThreadPoolExecutor(DESCRIBES_AT_ONCE) as pool:
        found = [one for one in pool.map(lambda name: _estimate(reader, scope, name), names) if one is not None]
    kept = [one for one in found if one.rows or not proposed]
    kept += [ObjectEstimate(one.name, 0, 0, 0, 0, one.note) for one in unread_rows(scope, names, {})]
    rate = measured_rate(past)
    members = sum(len(members) for members in past[0].manifest.values()) if past else MEMBERS_AT_ONCE
    calls = _SOME_CALLS + types + 3 * ceil(members / MEMBERS_AT_ONCE)
    ordered = tuple(sorted(kept, key=lambda one: (-one.bytes, one.name)))
    return Estimate(ordered, calls, rate or PUBLISHED_ROWS_PER_SECOND, rate is not None, proposed)


def measured_rate(past: Sequence[Capture]) -> float | None:
    """Rows a second of the newest capture that read enough rows to tell; None without one."""
    for one in past:
        seconds = (one.ended - one.started).total_seconds()
        built = any(part.capture for found in one.objects for part in found.parts)  # an increment read little
        if one.record_count >= REST_ROWS and seconds > 1 and not built:
            return one.record_count / seconds
    return None


def _proposal(scope: Scope, summaries: Sequence[ObjectSummary]) -> list[str]:
    """Objects that people work with: those with a page layout, and custom settings."""
    worked = {one.name for one in summaries if one.layoutable or one.custom_setting}
    everything = Scope(objects=("*",), objects_exclude=scope.objects_exclude)
    return [name for name in match_objects(everything, summaries) if name in worked]


def _estimate(reader: OrgReader, scope: Scope, name: str) -> ObjectEstimate | None:
    try:
        schema = reader.fetch_schema(name)
        resolved, _ = resolve_objects(scope, {name: schema}, reader.fetch_server_time())
        rows = fetch_expected(reader, resolved[0])
        row, ratio = _sample(reader, resolved[0], schema) if rows else (0, 1.0)
    except OrgRejected as error:
        note = f"cannot be estimated: {error.org_code}"
        return None if not scope.objects else ObjectEstimate(name, 0, 0, 0, 2, note)
    size = rows * row
    disk = int(size * ratio) + rows * ROW_BYTES_ON_DISK
    return ObjectEstimate(name, rows, size, disk, _calls(rows), _files(scope, schema))


def _sample(reader: OrgReader, scope: ObjectScope, schema: Schema) -> tuple[int, float]:
    """Bytes of one row as CSV, and what part of them is left when compressed, from the first rows of an object."""
    shape = shape_of_rows(scope, schema)
    columns = shape.columns
    where = build_where(scope.where, alive(shape.object))
    soql = f"SELECT {', '.join(columns)} FROM {shape.object}{where} LIMIT {_SAMPLE_ROWS}"
    rows = list(reader.fetch_rows(soql, deleted=with_archived(shape.object)))
    lines = ["\n".join(f'"{value_text(row.get(name)) or ""}"' for name in columns) for row in rows]
    text = "\n".join(lines).encode()
    if not rows or not text:
        return 0, 1.0
    return ceil(len(text) / len(rows)), len(pa.Codec("zstd").compress(text, asbytes=True)) / len(text)


def _calls(rows: int) -> int:
    """Small objects are one query, others a job with its pages: begun, asked after some eight times, and removed."""
    if rows <= REST_ROWS:
        return _CALLS_EACH + max(1, ceil(rows / 2000))
    pages = ceil(rows / PAGE_ROWS)
    return _CALLS_EACH + 10 + ceil(pages / 5) + pages


def _files(scope: Scope, schema: Schema) -> str:
    if any(one.type == "base64" for one in schema.fields):
        return "each file's contents are one more call" if scope.files else "without the files' contents"
    return ""
