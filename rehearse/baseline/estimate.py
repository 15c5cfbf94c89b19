"""What a capture would take, before it starts: rows, bytes, time, API calls and disk of each object.

Rows are counted; everything else is told from a sample of each object's rows and from measured or published rates, and
is called an estimate. With no records in scope it proposes the objects that people work with and that hold rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from math import ceil

from rehearse.baseline.asking import DESCRIBES_AT_ONCE
from rehearse.baseline.canonical import value_text
from rehearse.baseline.listing import count_calls
from rehearse.baseline.manifests import MEMBERS_AT_ONCE
from rehearse.baseline.model import Capture, Estimate, ObjectEstimate, ObjectScope, Scope
from rehearse.baseline.record_parts import RowShape, stored_size
from rehearse.baseline.row_reading import (
    REST_ROWS,
    alive,
    batch_of_rows,
    build_query,
    fetch_expected,
    shape_of_rows,
    with_archived,
)
from rehearse.baseline.scope import match_objects, match_types, resolve_objects, spell, unread_rows
from rehearse.errors import OrgRejected
from rehearse.org.model import ObjectSummary, Schema, Value
from rehearse.org.reader import OrgReader
from rehearse.org.transport import WireOptions
from rehearse.org.waiting import count_questions

PUBLISHED_ROWS_PER_SECOND = 1_400
"""One export of a real org: 777,650 rows of 18 kB in 16 minutes (facts/data.md 5); used until one was measured."""
PAGE_ROWS = 250_000
"""The page size that a server chose by itself (facts/data.md 1.2)."""
_SAMPLE_ROWS = 200
"""From each of two places; the first rows of an object are often unlike the others."""
_FAR = 2_000
"""How many rows a query may pass over (SOQL guide, OFFSET)."""
_SOME_CALLS = 30
"""Login, identity, time, limits, describes of types and objects, packages, schedules, fields, running work."""
_QUESTIONS = 7
"""How often a job is asked after, where nothing is known of how long it takes."""
_CALLS_A_RETRIEVE = 4
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
    described = reader.fetch_metadata_types()
    wanted = set(match_types(scope, described))
    rate = measured_rate(past)
    with ThreadPoolExecutor(DESCRIBES_AT_ONCE) as pool:
        told = pool.map(lambda name: _estimate(reader, scope, name, rate), names)
        found = [one for one in told if one is not None]
    kept = [one for one in found if one.rows or not proposed]
    kept += [ObjectEstimate(one.name, 0, 0, 0, 0, one.note) for one in unread_rows(scope, names, {})]
    members = sum(len(members) for members in past[0].manifest.values()) if past else MEMBERS_AT_ONCE
    lists = count_calls([one for one in described if one.name in wanted])
    calls = _SOME_CALLS + lists + _CALLS_A_RETRIEVE * ceil(members / MEMBERS_AT_ONCE)
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


def _estimate(reader: OrgReader, scope: Scope, name: str, rate: float | None) -> ObjectEstimate | None:
    try:
        schema = reader.fetch_schema(name)
        resolved, _ = resolve_objects(scope, {name: schema}, reader.fetch_server_time())
        rows = fetch_expected(reader, resolved[0])
        size, disk = _weigh(reader, resolved[0], schema, rows) if rows else (0, 0)
    except OrgRejected as error:
        note = f"cannot be estimated: {error.org_code}"
        return None if not scope.objects else ObjectEstimate(name, 0, 0, 0, 2, note)
    return ObjectEstimate(name, rows, size, disk, _calls(rows, rate), _files(scope, schema))


def _weigh(reader: OrgReader, scope: ObjectScope, schema: Schema, rows: int) -> tuple[int, int]:
    """Bytes of so many rows as CSV and as stored, from what a sample takes; on disk each further row takes as much as
    the second half of the sample: what many rows share is stored once."""
    shape = shape_of_rows(scope, schema)
    sample = _fetch_sample(reader, scope, shape, rows)
    if not sample:
        return 0, 0
    lines = (",".join(f'"{value_text(row.get(name)) or ""}"' for name in shape.columns) for row in sample)
    text = sum(len(one.encode()) + 1 for one in lines)
    half = sample[::2]
    whole, less = (stored_size(batch_of_rows(shape, part), shape.fields) for part in (sample, half))
    further = (whole - less) / (len(sample) - len(half)) if len(sample) > 1 else 0
    return ceil(text / len(sample) * rows), int(whole + further * (rows - len(sample)))


def _fetch_sample(reader: OrgReader, scope: ObjectScope, shape: RowShape, rows: int) -> list[dict[str, Value]]:
    """All of few rows, else some from the middle and the last; the first where the org will not pass over any."""
    soql, deleted = build_query(shape, scope.where, alive(shape.object)), with_archived(shape.object)
    if rows > 2 * _SAMPLE_ROWS:
        far = min(_FAR, rows // 2 - _SAMPLE_ROWS)
        places = (f" ORDER BY Id LIMIT {_SAMPLE_ROWS} OFFSET {far}", f" ORDER BY Id DESC LIMIT {_SAMPLE_ROWS}")
        with suppress(OrgRejected):
            return [row for one in places for row in reader.fetch_rows(soql + one, deleted=deleted)]
    return list(reader.fetch_rows(f"{soql} LIMIT {2 * _SAMPLE_ROWS}", deleted=deleted))


def _calls(rows: int, rate: float | None) -> int:
    """Small objects are one query, others a job with its pages: begun, asked after, and removed."""
    if rows <= REST_ROWS:
        return _CALLS_EACH + max(1, ceil(rows / 2000))
    pages = ceil(rows / PAGE_ROWS)
    asked = count_questions(rows / rate, WireOptions()) if rate else _QUESTIONS
    return _CALLS_EACH + 2 + asked + ceil(pages / 5) + pages


def _files(scope: Scope, schema: Schema) -> str:
    if any(one.type == "base64" for one in schema.fields):
        return "each file's contents are one more call" if scope.files else "without the files' contents"
    return ""
