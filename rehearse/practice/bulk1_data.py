"""The rows of Bulk API 1.0: batches in JSON or XML become the CSV that ingest jobs read, and results go back.

A null is `#N/A` on the way in. On the way out a CSV result is the file of the job as it is; JSON and XML results carry
typed values, times as milliseconds since 1970 in JSON, as Salesforce has it. Promise: results of an ingest batch are in
the order of its rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from rehearse.practice.bulk1_forms import HEAD, NAMESPACE, XSI, AsyncError, elements, read_xml
from rehearse.practice.bulk_csv import NULL
from rehearse.practice.bulk_store import BulkStore, Job
from rehearse.practice.json_body import load_json
from rehearse.practice.soql_parse import parse_soql
from rehearse.practice.soql_plan import Output, build_plan

NO_RECORDS = "Records not found for this query"
DECIMALS = ("double", "currency", "percent")


# ---- in


def as_csv(content: bytes, kind: str) -> bytes:
    """A batch as CSV with LF, or CSV as it came. Raises AsyncError InvalidBatch."""
    if kind == "CSV":
        return content
    rows = _json_rows(content) if kind == "JSON" else [_xml_row(one) for one in read_xml(content, "InvalidBatch")]
    names = list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO()
    writer = csv.DictWriter(written, names, restval="", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue().encode()


def _json_rows(content: bytes) -> list[dict[str, str]]:
    try:
        body = load_json(content)
    except (ValueError, RecursionError) as error:
        raise AsyncError("InvalidBatch", f"Failed to parse JSON: {error}") from None
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise AsyncError("InvalidBatch", "A JSON batch is a list of objects")
    return [dict(_flatten(one)) for one in body]


def _flatten(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The cells of a JSON row; a parent named by a key field becomes the column Parent.Key."""
    for name, value in row.items():
        if name == "attributes":
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", text) for key, text in _flatten(value))
        elif value is None:
            yield name, NULL
        else:
            yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _xml_row(record: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in record:
        name = etree.QName(one).localname
        parent = one.find("{*}sObject")
        if parent is not None:
            found |= {f"{name}.{key}": text for key, text in _xml_row(parent).items()}
        elif name != "type":
            found[name] = NULL if one.get(f"{{{XSI}}}nil") == "true" else (one.text or "")
    return found


def line_ending(content: bytes) -> str:
    """LF or CRLF, whichever ends the header of a CSV batch: version 1 of the API takes both."""
    return "CRLF" if content.partition(b"\n")[0].endswith(b"\r") else "LF"


# ---- results of an ingest batch


def ingest_results(store: BulkStore, batch: Job, kind: str) -> str:
    """The results of a batch row by row, in CSV, XML or JSON."""
    rows = [row for _number, chunk in sorted(store.load_chunks(batch.id).items()) for row in chunk]
    if kind == "CSV":
        lines = ['"Id","Success","Created","Error"']
        lines += [
            _line([row_id or "", str(not error).lower(), str(bool(made)).lower(), error])
            for row_id, made, error in rows
        ]
        return "\n".join(lines) + "\n"
    found = [_result(*row) for row in rows]
    if kind == "JSON":
        return json.dumps(found, ensure_ascii=False)
    inner = "".join(f"<result>{elements(one)}</result>" for one in found)
    return f'{HEAD}<results xmlns="{NAMESPACE}">{inner}</results>'


def _result(row_id: str, made: bool, error: str) -> dict[str, Any]:
    errors = []
    if error:
        code, _, rest = error.partition(":")
        message, _, fields = rest.removesuffix("--").rstrip().rpartition(":")
        errors = [{"message": message, "fields": fields.split(), "statusCode": code, "extendedErrorDetails": None}]
    return {"success": not error, "created": bool(made), "id": row_id or None, "errors": errors}


def _line(cells: list[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


# ---- results of a query batch


def query_result(store: BulkStore, batch: Job, kind: str) -> str | bytes:
    """The rows of a complete query batch in CSV, XML or JSON."""
    path = store.path(batch.id, ".csv")
    if kind == "CSV":
        return path.read_bytes() if batch.processed else f"{NO_RECORDS}\n"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    with store.org.lock:
        plan = build_plan(store.org, parse_soql(batch.query), deleted=batch.operation == "queryAll")
    columns = [one for one in plan.outputs if isinstance(one, Output)]
    if kind == "JSON":
        address = f"/services/data/v{batch.version}/sobjects/{batch.object}"
        return json.dumps([_json_record(batch.object, address, columns, row) for row in rows], ensure_ascii=False)
    inner = "".join(_xml_record(batch.object, columns, row) for row in rows)
    return f'{HEAD}<queryResult xmlns="{NAMESPACE}" xmlns:xsi="{XSI}" xsi:type="QueryResult">{inner}</queryResult>'


def _json_record(name: str, address: str, columns: list[Output], cells: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"attributes": {"type": name}}
    for column, cell in zip(columns, cells, strict=True):
        place = found
        *parents, last = column.name.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = _typed(column.type, cell)
        if column.name == "Id":
            found["attributes"]["url"] = f"{address}/{cell}"
    return found


def _typed(kind: str, cell: str) -> Any:
    if cell == "":
        return None
    if kind == "boolean":
        return cell == "true"
    if kind in DECIMALS or kind == "int":
        return float(cell) if kind != "int" else int(cell)
    if kind in ("datetime", "date"):
        moment = datetime.fromisoformat(cell)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return cell


def _xml_record(name: str, columns: list[Output], cells: list[str]) -> str:
    inner = "".join(
        f"<{column.name}>{escape(cell)}</{column.name}>" if cell else f'<{column.name} xsi:nil="true"/>'
        for column, cell in zip(columns, cells, strict=True)
    )
    return f'<records xsi:type="sObject"><type>{name}</type>{inner}</records>'
