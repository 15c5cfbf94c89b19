"""REST resources about the org itself: versions, the resource list, limits, record counts, describes.

Reads only. The resource list carries `identity`, without which clients believe that their token has expired.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearse.practice.describe import describe_global, describe_object, describe_summary
from rehearse.practice.field_security import find_readable
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rest_call import MISSING, Answer, Call, Entry, make_response, make_routes, parse_http_date
from rehearse.practice.schema import ObjectDef

OLDEST, NEWEST = 51, 67
SEASONS = ("Winter", "Spring", "Summer")
RESOURCES = ("tooling", "metadata", "composite", "jobs", "limits", "sobjects", "query", "queryAll", "search",
             "parameterizedSearch", "identity")  # fmt: skip
PRODUCTION_CALLS, SANDBOX_CALLS = 1_000_000, 5_000_000  # daily API requests; at least 100,000 in production


def version_label(version: int) -> str:
    """The name of a release: 51 is Spring '21, three a year."""
    return f"{SEASONS[(version - 50) % 3]} '{21 + (version - 50) // 3}"


def list_versions(request: Request) -> Response:
    """GET /services/data: the versions served, oldest first; needs no session."""
    found = [
        {"label": version_label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST, NEWEST + 1)
    ]
    return make_response(Answer(200, found))


def list_resources(call: Call) -> Answer:
    """GET /services/data/vXX.0."""
    base = f"/services/data/v{call.version}"
    found = {name: f"{base}/{name}" for name in RESOURCES}
    found["identity"] = f"{call.host}/id/{call.org.org_id}/{call.user_id}"
    return Answer(200, found)


def daily_calls(org: OrgState) -> int:
    """How many API calls an org may answer in 24 hours."""
    return SANDBOX_CALLS if org.is_sandbox else PRODUCTION_CALLS


def list_limits(call: Call) -> Answer:
    """GET /limits: each limit with Max and Remaining."""
    calls = daily_calls(call.org)
    found: dict[str, tuple[int, int]] = {
        "ConcurrentAsyncGetReportInstances": (200, 200),
        "DailyApiRequests": (calls, max(0, calls - call.api_calls)),
        "DailyAsyncApexExecutions": (250_000, 250_000),
        "DailyBulkApiBatches": (15_000, 15_000),
        "DailyBulkV2QueryFileStorageMB": (976_562, 976_562),
        "DailyBulkV2QueryJobs": (10_000, 10_000),
        "DailyWorkflowEmails": (100_000, 100_000),
        "DataStorageMB": (10_240, 9_000),
        "FileStorageMB": (10_240, 10_000),
        "HourlyODataCallout": (20_000, 20_000),
        "HourlySyncReportRuns": (500, 500),
        "MassEmail": (5_000, 5_000),
        "PermissionSets": (1_500, 1_500),
        "SingleEmail": (5_000, 5_000),
    }
    return Answer(200, {name: {"Max": most, "Remaining": left} for name, (most, left) in found.items()})


def count_records(call: Call) -> Answer:
    """GET /limits/recordCount: objects that have rows; a bare `sObjects` means all of them."""
    asked = [name.strip() for name in call.query.get("sObjects", "").split(",") if name.strip()]
    found = []
    with call.org.lock:
        chosen = [call.org.find_object(name) for name in asked] if asked else list(call.org.objects().values())
        for definition in chosen:
            if definition is None:
                continue
            sql = f'SELECT count(*) FROM {quote(definition.name)} WHERE "IsDeleted" = 0'
            number = call.org.db.execute(sql).fetchone()[0]
            if number:
                found.append({"count": number, "name": definition.name})
    return Answer(200, {"sObjects": found})


def known_object(call: Call) -> ObjectDef:
    """The object that a path names. Raises ApiError 404 NOT_FOUND."""
    found = find_readable(call.org, call.path["name"])
    if found is None:
        raise ApiError(404, "NOT_FOUND", MISSING)
    return found


def list_objects(call: Call) -> Answer:
    """GET /sobjects."""
    return Answer(200, describe_global(call.org, call.version))


def show_object(call: Call) -> Answer:
    """GET /sobjects/X: the summary, and the rows that this user saw last (the practice org keeps none)."""
    recent: list[Any] = []
    return Answer(200, {"objectDescribe": describe_summary(known_object(call), call.version), "recentItems": recent})


def show_describe(call: Call) -> Answer:
    """GET /sobjects/X/describe; 304 where nothing was set up after If-Modified-Since (data.md 2.3)."""
    with call.org.lock:
        header = call.headers.get("if-modified-since")
        if header and _set_up_until(call.org) <= parse_http_date(header, "If-Modified-Since"):
            return Answer(304)
        return Answer(200, describe_object(call.org, known_object(call), call.version))


def _set_up_until(org: OrgState) -> datetime:
    """When somebody last changed the set-up of an org, or when the org was made."""
    rows = org.db.execute('SELECT max("CreatedDate") FROM "SetupAuditTrail"').fetchone()
    made = org.db.execute('SELECT "CreatedDate" FROM "Organization"').fetchone()
    newest = max(str(row[0] or "") for row in (rows, made or ("",)))
    if not newest:
        return org.now()
    return datetime.fromisoformat(newest.replace("Z", "+00:00")).replace(microsecond=0)


ENTRIES = [
    Entry("GET", "", list_resources),
    Entry("GET", "/limits", list_limits),
    Entry("GET", "/limits/recordCount", count_records),
    Entry("GET", "/sobjects", list_objects),
    Entry("GET", "/sobjects/{name}", show_object),
    Entry("GET", "/sobjects/{name}/describe", show_describe),
]
routes = [Route("/services/data", list_versions, methods=["GET"]), *make_routes(ENTRIES)]
