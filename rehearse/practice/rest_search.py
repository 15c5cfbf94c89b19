"""The search resources of REST: SOSL by `/search`, and `/parameterizedSearch` for those who rather name parameters.

Both answer `{"searchRecords": […]}` and refuse what sosl.py refuses.
"""

from __future__ import annotations

import re
from typing import Any

from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import read_whole
from rehearse.practice.rest_call import Answer, Call, Entry, make_routes
from rehearse.practice.sosl import search

SCOPES = {"ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"}
RESERVED = re.compile(r'([?&|!{}\[\]()^~*:\\"\'+-])')


def run(call: Call) -> Answer:
    """GET /search?q=FIND…"""
    return Answer(200, {"searchRecords": search(call.org, call.query.get("q", ""), call.version)})


def run_by_address(call: Call) -> Answer:
    """GET /parameterizedSearch?q=words&sobject=Account&Account.fields=Id,Name&in=NAME"""
    names = [one for one in call.query.get("sobject", "").split(",") if one]
    objects = [{"name": one, "fields": (call.query.get(f"{one}.fields") or "").split(",")} for one in names]
    shared = [one for one in call.query.get("fields", "").split(",") if one]
    return _run(call, {**call.query, "sobjects": objects, "fields": shared})


def run_by_body(call: Call) -> Answer:
    """POST /parameterizedSearch {q, in, fields, sobjects: [{name, fields, where, orderBy, limit}], overallLimit}"""
    return _run(call, call.json_object())


def _run(call: Call, asked: dict[str, Any]) -> Answer:
    words = str(asked.get("q") or "")
    if not words:
        raise ApiError(400, "MALFORMED_SEARCH", "The q parameter is required")
    scope = str(asked.get("in") or "ALL").upper()
    if scope not in SCOPES:
        raise ApiError(400, "MALFORMED_SEARCH", f"in is none of {', '.join(sorted(SCOPES))}")
    objects = asked.get("sobjects") or []
    if not isinstance(objects, list) or not all(isinstance(one, dict) and one.get("name") for one in objects):
        raise ApiError(400, "JSON_PARSER_ERROR", "sobjects must be a list of objects with a name")
    returning = ", ".join(_returning(one, asked.get("fields") or []) for one in objects)
    text = f"FIND {{{RESERVED.sub(_escaped, words)}}} IN {scope} FIELDS"
    text += f" RETURNING {returning}" if returning else ""
    if read_whole(str(asked.get("overallLimit"))) is not None:
        text += f" LIMIT {asked['overallLimit']}"
    return Answer(200, {"searchRecords": search(call.org, text, call.version)})


def _escaped(sign: re.Match[str]) -> str:
    return sign[1] if sign[1] in '*?"' else f"\\{sign[1]}"


def _returning(one: dict[str, Any], shared: Any) -> str:
    fields = [str(name) for name in one.get("fields") or shared or [] if name]
    clauses = [("WHERE", "where"), ("ORDER BY", "orderBy"), ("LIMIT", "limit"), ("OFFSET", "offset")]
    rest = "".join(f" {word} {one[key]}" for word, key in clauses if one.get(key))
    return f"{one['name']}({', '.join(fields) or 'Id'}{rest})"


ENTRIES = [
    Entry("GET", "/search", run),
    Entry("GET", "/parameterizedSearch", run_by_address),
    Entry("POST", "/parameterizedSearch", run_by_body),
]
routes = make_routes(ENTRIES)
