"""Bulk API 2.0 query over HTTP: make a job, watch it, read its pages, end it.

Refuses what Bulk refuses: SOQL constructs and objects that it does not take, results before the job is complete or
under another API version (409), an abort or a deletion in a wrong state. Promise: a page is the same bytes whenever it
is fetched again with its locator. Facts and their marks: data.md 1.1 to 1.5.
"""

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from rehearse.practice.bulk_query_rules import check_query
from rehearse.practice.bulk_store import DELIMITERS, LINE_ENDINGS, BulkStore, Job, show_time
from rehearse.practice.bulk_workers import BulkWorkers
from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import load_json, read_whole
from rehearse.practice.page_file import PageFile
from rehearse.practice.throttle import Throttle, stream_range

DEFAULT_PAGE_ROWS = 50_000  # what the server picks without maxRecords: setting `bulk_page_rows`
JOB_TYPES = {"V2Query": {"jobType": "V2Query"}, "V1": {"jobType": "Classic"}}
JOBS_A_LIST = 1_000
PAGES_A_LIST = 5
BASE = "/services/data/v{version}/jobs/query"


def workers_of(request: Request) -> BulkWorkers:
    """The bulk workers of the server that this request reached."""
    workers: BulkWorkers = request.app.state.world.workers
    return workers


def store_of(request: Request) -> BulkStore:
    """The job store of the org that this request is for."""
    return workers_of(request).store(request.state.org)


def read_json(request: Request) -> dict[str, Any]:
    """The JSON object of a body. Raises ApiError 400 JSON_PARSER_ERROR."""
    try:
        body = load_json(request.state.body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"The HTTP entity body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")
    return body


def choose(body: dict[str, Any], name: str, allowed: Any, default: str) -> str:
    """One of the allowed words of a job's making. Raises ApiError 400 INVALIDJOB."""
    value = body.get(name) or default
    if value not in allowed:
        raise ApiError(400, "INVALIDJOB", f"InvalidJob : Invalid {name}: {value}")
    return str(value)


def job_info(job: Job) -> dict[str, Any]:
    """A query job as its resources show it [data.md 1.1]."""
    info: dict[str, Any] = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by,
        "createdDate": show_time(job.created_at),
        "systemModstamp": show_time(job.modified_at),
        "state": job.state,
        "concurrencyMode": job.concurrency,
        "contentType": job.content,
        "apiVersion": float(job.version),
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
    }
    return info


def full_info(job: Job) -> dict[str, Any]:
    """A query job with what is known once it runs."""
    info = job_info(job) | {
        "jobType": "V2Query",
        "numberRecordsProcessed": job.processed,
        "retries": 0,
        "totalProcessingTime": job.milliseconds,
        "isPkChunkingSupported": True,
    }
    return info | ({"errorMessage": job.error} if job.error else {})


def create_job(request: Request) -> Response:
    """POST jobs/query: check the SOQL, keep the job, queue it."""
    body = read_json(request)
    operation = choose(body, "operation", ("query", "queryAll"), "")
    soql = body.get("query")
    if not isinstance(soql, str) or not soql.strip():
        raise ApiError(400, "INVALIDJOB", "InvalidJob : query is required")
    choose(body, "contentType", ("CSV",), "CSV")
    delimiter = choose(body, "columnDelimiter", DELIMITERS, "COMMA")
    line_ending = choose(body, "lineEnding", LINE_ENDINGS, "LF")
    org = request.state.org
    name = check_query(org, soql)
    now = org.stamp()
    job = Job(
        id=org.new_id("750"),
        org_id=org.org_id,
        kind="V2Query",
        operation=operation,
        object=name,
        state="UploadComplete",
        version=request.state.api_version,
        created_by=request.state.user_id,
        created_at=now,
        modified_at=now,
        query=soql,
        delimiter=delimiter,
        line_ending=line_ending,
    )
    store_of(request).create(job)
    request.scope["state"]["bulk_job_id"] = job.id
    workers_of(request).submit(job)
    return JSONResponse(job_info(job))


def list_jobs(request: Request) -> Response:
    """GET jobs/query: all query jobs of the org, those of Bulk API 1.0 too (data.md 1.1), at most 1,000 a list."""
    known = store_of(request).all(("V2Query", "V1"))
    jobs = [job for job in known if job.operation in ("query", "queryAll")]
    start = read_whole(request.query_params.get("queryLocator", "")) or 0
    page, rest = jobs[start : start + JOBS_A_LIST], jobs[start + JOBS_A_LIST :]
    path = f"{request.url.path}?queryLocator={start + JOBS_A_LIST}"
    info = [job_info(job) | JOB_TYPES[job.kind] for job in page]
    return JSONResponse({"done": not rest, "records": info, "nextRecordsUrl": path if rest else None})


def get_job(request: Request) -> Response:
    """GET jobs/query/ID."""
    return JSONResponse(full_info(store_of(request).find(request.path_params["job_id"], "V2Query")))


def patch_job(request: Request) -> Response:
    """PATCH jobs/query/ID: `{"state": "Aborted"}` and nothing else."""
    store = store_of(request)
    job = store.find(request.path_params["job_id"], "V2Query")
    if read_json(request).get("state") != "Aborted":
        raise ApiError(400, "INVALIDJOBSTATE", "Only the state Aborted can be set on a query job")
    aborted = store.move(job.id, ("UploadComplete", "InProgress"), state="Aborted")
    if aborted is None:
        raise ApiError(400, "INVALIDJOBSTATE", f"Aborting already {_ended_word(job)} Job not allowed")
    return JSONResponse(job_info(aborted))


def _ended_word(job: Job) -> str:
    return {"JobComplete": "Completed"}.get(job.state, job.state)


def delete_job(request: Request) -> Response:
    """DELETE jobs/query/ID: only ended jobs; 204 without a body."""
    store = store_of(request)
    job = store.find(request.path_params["job_id"], "V2Query")
    if not job.ended:
        raise ApiError(400, "INVALIDJOBSTATE", f"A job in state {job.state} cannot be deleted")
    store.delete(job)
    return Response(status_code=204)


# ---- results


def make_locator(start: int, rows: int) -> str:
    """An opaque locator of the page that begins at this row."""
    return base64.urlsafe_b64encode(f"{start}.{rows}".encode()).decode().rstrip("=")


def read_locator(locator: str) -> tuple[int, int]:
    """First row and page size of a locator. Raises ApiError 400 INVALID_QUERY_LOCATOR."""
    try:
        start, _, rows = base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode().partition(".")
        return int(start), int(rows)
    except ValueError as error:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from error


def _complete_job(request: Request) -> tuple[Job, PageFile]:
    store = store_of(request)
    job = store.find(request.path_params["job_id"], "V2Query")
    if job.version != request.state.api_version:
        raise ApiError(409, "API_VERSION_MISMATCH", f"The job was created with API version {job.version}")
    if job.state != "JobComplete":
        raise ApiError(400, "INVALIDJOBSTATE", f"Results are not available for a job in state {job.state}")
    return job, PageFile(store.path(job.id, ".csv"))


def _page_size(request: Request) -> int:
    asked = request.query_params.get("maxRecords")
    if asked is None:
        return int(workers_of(request).setting("bulk_page_rows", DEFAULT_PAGE_ROWS))
    rows = read_whole(asked)
    if not rows:
        raise ApiError(400, "INVALID_QUERY_LIMIT", "maxRecords must be a positive number")
    return rows


def get_results(request: Request) -> Response:
    """GET jobs/query/ID/results: one page as CSV, with its row count and the locator of the next one."""
    job, pages = _complete_job(request)
    start, rows = 0, _page_size(request)
    locator = request.query_params.get("locator")
    if locator:
        start, size = read_locator(locator)
        rows = rows if request.query_params.get("maxRecords") else size
        if not 0 <= start < max(job.processed, 1):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    page = pages.cut(start, rows, int(workers_of(request).setting("bulk_page_bytes", 0)))
    following = "null" if page.end >= job.processed else make_locator(page.end, rows)
    headers = {"Sforce-NumberOfRecords": str(page.end - start), "Sforce-Locator": following}
    throttle: Throttle = request.app.state.world.throttle
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    body = stream_range(pages.path, page.spans, throttle, zipped=zipped)
    headers |= {"Content-Encoding": "gzip"} if zipped else {}
    return StreamingResponse(body, headers=headers, media_type="text/csv")


def get_result_pages(request: Request) -> Response:
    """GET jobs/query/ID/resultPages: the addresses of up to five pages, from API version 58.0 on."""
    if float(request.state.api_version) < 58:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    job, pages = _complete_job(request)
    rows, limit = _page_size(request), int(workers_of(request).setting("bulk_page_bytes", 0))
    start = 0
    if request.query_params.get("locator"):
        start, rows = read_locator(request.query_params["locator"])
    base = f"/services/data/v{request.state.api_version}/jobs/query/{job.id}"
    urls: list[dict[str, str]] = []
    while len(urls) < PAGES_A_LIST and (start < job.processed or not urls):
        urls.append({"resultUrl": f"{base}/results?locator={make_locator(start, rows)}"})
        start = max(pages.cut(start, rows, limit).end, start + 1)
    body: dict[str, Any] = {"resultPages": urls, "done": start >= job.processed}
    if start < job.processed:
        body["nextRecordsUrl"] = f"{base}/resultpages?locator={make_locator(start, rows)}"
    return JSONResponse(body)


routes = [
    Route(BASE, create_job, methods=["POST"]),
    Route(BASE, list_jobs, methods=["GET"]),
    Route(BASE + "/{job_id}", get_job, methods=["GET"]),
    Route(BASE + "/{job_id}", patch_job, methods=["PATCH"]),
    Route(BASE + "/{job_id}", delete_job, methods=["DELETE"]),
    Route(BASE + "/{job_id}/results", get_results, methods=["GET"]),
    Route(BASE + "/{job_id}/resultPages", get_result_pages, methods=["GET"]),
    Route(BASE + "/{job_id}/resultpages", get_result_pages, methods=["GET"]),
]
