"""Bulk API 2.0 ingest over HTTP: make a job, upload its data once, close it, watch it, read its results.

Refuses an unknown object or operation, a second upload, and every step in a wrong state; nothing runs before the job is
closed. Promise: uploaded data is on disk before the upload is answered, and a closed job runs even if the server is
killed right after. Facts and their marks: data.md 1.7.
"""

import os
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from rehearse.practice.bulk_ingest_results import ensure_results
from rehearse.practice.bulk_query import JOBS_A_LIST, choose, job_info, read_json, store_of, workers_of
from rehearse.practice.bulk_query_rules import check_entity
from rehearse.practice.bulk_store import DELIMITERS, LINE_ENDINGS, BulkStore, Job
from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import load_json
from rehearse.practice.org_state import OrgState
from rehearse.practice.throttle import stream_range

OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
MOST_MULTIPART = 100_000  # characters of CSV in a multipart job
BASE = "/services/data/v{version}/jobs/ingest"
TWICE = (
    "Found multiple contents for job: <{}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job"
    " and make sure you only do 'PUT' once on a given Job."
)
NO_HARD_DELETE = (
    "hardDelete operation requires special user profile permission, please contact your system administrator"
)
RESULTS = {"successfulResults": "successful", "failedResults": "failed", "unprocessedrecords": "unprocessed"}


def ingest_info(job: Job) -> dict[str, Any]:
    """An ingest job as it is answered when it is made or changed."""
    info = job_info(job)
    if job.external_id:
        info["externalIdFieldName"] = job.external_id
    info["contentUrl"] = f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"
    return info


def full_info(job: Job) -> dict[str, Any]:
    """An ingest job with its counts: processed counts failed rows too."""
    info = ingest_info(job) | {
        "jobType": "V2Ingest",
        "numberRecordsProcessed": job.processed,
        "numberRecordsFailed": job.failed,
        "retries": 0,
        "totalProcessingTime": job.milliseconds,
        "apiActiveProcessingTime": job.milliseconds,
        "apexProcessingTime": 0,
    }
    return info | ({"errorMessage": job.error} if job.error else {})


def _check_target(org: OrgState, operation: str, name: Any, external_id: str) -> str:
    definition = org.find_object(name) if isinstance(name, str) else None
    if definition is None:
        raise ApiError(400, "INVALIDJOB", f"InvalidJob : Unable to find object: {name}")
    check_entity(definition)
    if operation != "upsert":
        return definition.name
    if not external_id:
        text = "InvalidJob : External ID was blank for UPSERT. An External ID must be specified for UPSERT."
        raise ApiError(400, "INVALIDJOB", text)
    field = definition.find(external_id)
    if field is None or not (field.external_id or field.unique or field.type == "id"):
        text = f"Field name provided, {external_id} does not match an External ID, Salesforce Id, or indexed field for"
        raise ApiError(400, "INVALIDJOB", f"InvalidJob : {text} {definition.name}")
    return definition.name


def build_job(request: Request, body: dict[str, Any]) -> Job:
    """A new job as its maker asked for it. Raises ApiError 400 INVALIDJOB, INVALIDENTITY or FEATURENOTENABLED."""
    org: OrgState = request.state.org
    operation = choose(body, "operation", OPERATIONS, "")
    if operation == "hardDelete" and not workers_of(request).setting("bulk_hard_delete", True):
        raise ApiError(400, "FEATURENOTENABLED", f"FeatureNotEnabled : {NO_HARD_DELETE}")
    choose(body, "contentType", ("CSV",), "CSV")
    external_id = str(body.get("externalIdFieldName") or "") if operation == "upsert" else ""
    now = org.stamp()
    return Job(
        id=org.new_id("750"),
        org_id=org.org_id,
        kind="V2Ingest",
        operation=operation,
        object=_check_target(org, operation, body.get("object"), external_id),
        state="Open",
        version=request.state.api_version,
        created_by=request.state.user_id,
        created_at=now,
        modified_at=now,
        external_id=external_id,
        delimiter=choose(body, "columnDelimiter", DELIMITERS, "COMMA"),
        line_ending=choose(body, "lineEnding", LINE_ENDINGS, "LF"),
    )


def create_job(request: Request) -> Response:
    """POST jobs/ingest: as JSON, an Open job; as multipart with its data, a job that runs at once."""
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower().startswith("multipart/"):
        return _create_with_data(request, rest)
    job = build_job(request, read_json(request))
    store_of(request).create(job)
    request.scope["state"]["bulk_job_id"] = job.id
    return JSONResponse(ingest_info(job))


def _create_with_data(request: Request, options: str) -> Response:
    job_text, content = split_multipart(request.state.body, options)
    try:
        body = load_json(job_text)
    except ValueError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"The job part is not valid JSON: {error}") from error
    if len(content.decode("utf-8", errors="replace")) > MOST_MULTIPART:
        raise ApiError(400, "INVALIDJOB", f"InvalidJob : A multipart job takes at most {MOST_MULTIPART} characters")
    job = build_job(request, body if isinstance(body, dict) else {})
    store = store_of(request)
    store.create(job)
    save_upload(store, job, content)
    request.scope["state"]["bulk_job_id"] = job.id
    closed = _close(request, store, job)
    return JSONResponse(ingest_info(closed))


def split_multipart(body: bytes, options: str) -> tuple[bytes, bytes]:
    """The parts `job` and `content` of a multipart body. Raises ApiError 400 INVALIDJOB."""
    boundary = options.partition("boundary=")[2].split(";")[0].strip().strip('"').encode()
    parts: dict[str, bytes] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:] if boundary else []:
        head, separator, content = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
        name = head.decode("latin-1").partition('name="')[2].partition('"')[0]
        if separator and name:
            parts[name] = content
    if "job" not in parts or "content" not in parts:
        raise ApiError(400, "INVALIDJOB", "InvalidJob : A multipart job needs the parts job and content")
    return parts["job"], parts["content"]


def save_upload(store: BulkStore, job: Job, content: bytes) -> None:
    """Put the data of a job on disk. Raises ApiError 400 CLIENTINPUTERROR for a second upload."""
    path = store.path(job.id, ".in.csv")
    if path.exists():
        raise ApiError(400, "CLIENTINPUTERROR", TWICE.format(job.id))
    aside = path.with_suffix(".new")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _find(request: Request) -> tuple[BulkStore, Job]:
    store = store_of(request)
    return store, store.find(request.path_params["job_id"], "V2Ingest")


def upload(request: Request) -> Response:
    """PUT jobs/ingest/ID/batches: the CSV of an Open job, once; 201 without a body."""
    store, job = _find(request)
    if job.state != "Open":
        raise ApiError(400, "INVALIDJOBSTATE", f"Data can be uploaded to a job in state Open, not {job.state}")
    save_upload(store, job, request.state.body)
    return Response(status_code=201)


def list_jobs(request: Request) -> Response:
    """GET jobs/ingest: the jobs of the org."""
    jobs = store_of(request).all(("V2Ingest",))[-JOBS_A_LIST:]
    records = [ingest_info(job) | {"jobType": "V2Ingest"} for job in jobs]
    return JSONResponse({"done": True, "records": records, "nextRecordsUrl": None})


def get_job(request: Request) -> Response:
    """GET jobs/ingest/ID."""
    return JSONResponse(full_info(_find(request)[1]))


def _close(request: Request, store: BulkStore, job: Job) -> Job:
    closed = store.move(job.id, ("Open",), state="UploadComplete")
    if closed is None:
        raise ApiError(400, "INVALIDJOBSTATE", f"A job in state {job.state} cannot be closed")
    workers_of(request).submit(closed)
    return closed


def patch_job(request: Request) -> Response:
    """PATCH jobs/ingest/ID: UploadComplete lets it run, Aborted ends it."""
    store, job = _find(request)
    state = read_json(request).get("state")
    if state == "UploadComplete":
        if job.state == "Open" and not store.path(job.id, ".in.csv").exists():
            raise ApiError(400, "CLIENTINPUTERROR", f"No data was uploaded to job: <{job.id}>")
        return JSONResponse(ingest_info(_close(request, store, job)))
    if state != "Aborted":
        raise ApiError(400, "INVALIDJOBSTATE", f"Invalid job state: {state}")
    aborted = store.move(job.id, ("Open", "UploadComplete", "InProgress"), state="Aborted")
    if aborted is None:
        raise ApiError(400, "INVALIDJOBSTATE", f"Aborting a job in state {job.state} is not allowed")
    return JSONResponse(ingest_info(aborted))


def delete_job(request: Request) -> Response:
    """DELETE jobs/ingest/ID, unless it is Open or runs; 204 without a body."""
    store, job = _find(request)
    if not job.ended and job.state != "UploadComplete":
        raise ApiError(400, "INVALIDJOBSTATE", f"A job in state {job.state} cannot be deleted")
    store.delete(job)
    return Response(status_code=204)


def get_results(request: Request) -> Response:
    """GET jobs/ingest/ID/successfulResults, failedResults, unprocessedrecords: CSV of a job that has ended."""
    kind = {name.lower(): kind for name, kind in RESULTS.items()}.get(request.path_params["results"].lower())
    if kind is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    store, job = _find(request)
    if not job.ended:
        raise ApiError(400, "INVALIDJOBSTATE", f"Results are not available for a job in state {job.state}")
    path = ensure_results(store, job, kind)
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    body = stream_range(path, [(0, path.stat().st_size)], request.app.state.world.throttle, zipped=zipped)
    return StreamingResponse(body, headers={"Content-Encoding": "gzip"} if zipped else None, media_type="text/csv")


routes = [
    Route(BASE, create_job, methods=["POST"]),
    Route(BASE, list_jobs, methods=["GET"]),
    Route(BASE + "/{job_id}", get_job, methods=["GET"]),
    Route(BASE + "/{job_id}", patch_job, methods=["PATCH"]),
    Route(BASE + "/{job_id}", delete_job, methods=["DELETE"]),
    Route(BASE + "/{job_id}/batches", upload, methods=["PUT"]),
    Route(BASE + "/{job_id}/{results}", get_results, methods=["GET"]),
]
