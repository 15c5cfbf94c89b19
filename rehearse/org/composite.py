"""Several reads in one call: REST composite, whose requests count as one against the limits of an org.

For proven sandboxes only: it is a POST, which production never receives. Reads nothing but describes and queries; a
part that the org refuses is answered as its error, beside the others. At most 25 requests go together, and five
queries (REST guide, composite; whether query pages count among the five is [unsure], so they are fetched alone).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote_plus

from rehearse.errors import OrgRejected
from rehearse.org.answers import making_sense
from rehearse.org.bulk import JSON, fetch_json, json_body
from rehearse.org.describe import build_schema
from rehearse.org.model import Schema, Value
from rehearse.org.rest import RestReader
from rehearse.org.wire import Call, Wire

MOST_REQUESTS = 25
MOST_QUERIES = 5


def fetch_schemas(wire: Wire, version: str, objects: Sequence[str]) -> dict[str, Schema]:
    """The describes of these objects; one that the org does not know is absent. Raises OrgError."""
    found: dict[str, Schema] = {}
    for part in _parts(list(objects), MOST_REQUESTS):
        paths = [f"/services/data/v{version}/sobjects/{name}/describe" for name in part]
        for name, answer in zip(part, _fetch_together(wire, version, paths, "Describing objects"), strict=True):
            if not isinstance(answer, OrgRejected):
                with making_sense(f"Describing {name}"):
                    found[name] = build_schema(answer)
    return found


def fetch_queries(
    wire: Wire, version: str, soqls: Sequence[str], *, deleted: bool = False
) -> list[list[dict[str, Value]] | OrgRejected]:
    """The rows of each query, in the order given, or what the org said against it. Raises OrgError for the whole."""
    rest = RestReader(wire, version)
    found: list[list[dict[str, Value]] | OrgRejected] = []
    for part in _parts(list(soqls), MOST_QUERIES):
        base = f"/services/data/v{version}/{'queryAll' if deleted else 'query'}/?q="
        answers = _fetch_together(wire, version, [base + quote_plus(one) for one in part], "Reading rows")
        for soql, answer in zip(part, answers, strict=True):
            found.append(answer if isinstance(answer, OrgRejected) else list(rest.rows_from(answer, soql)))
    return found


def _fetch_together(wire: Wire, version: str, paths: Sequence[str], doing: str) -> list[Any]:
    """The body of each request in order; an OrgRejected in the place of one that was refused."""
    requests = [{"method": "GET", "referenceId": f"r{place}", "url": path} for place, path in enumerate(paths)]
    body = json_body({"allOrNone": False, "compositeRequest": requests})
    answer = fetch_json(wire, Call("POST", f"/services/data/v{version}/composite", doing, body=body, headers=JSON))
    with making_sense(doing):
        by_name = {one["referenceId"]: one for one in answer["compositeResponse"]}
        return [_body(by_name[f"r{place}"], doing) for place in range(len(paths))]


def _body(answer: Any, doing: str) -> Any:
    if int(answer["httpStatusCode"]) < 400:
        return answer["body"]
    errors = answer["body"] if isinstance(answer["body"], list) and answer["body"] else [{}]
    return OrgRejected(str(errors[0].get("errorCode", "UNKNOWN")), str(errors[0].get("message", "")), doing)


def _parts(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
