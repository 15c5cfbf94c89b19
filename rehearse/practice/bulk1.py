"""Bulk API 1.0 over HTTP: jobs with batches, in CSV, XML or JSON, for clients that still use it.

Every batch is run like a Bulk API 2.0 job. Refuses an unknown object or operation, batches of a closed job, batches
over 10,000,000 characters; a query or a file that is no good makes its own batch Failed. PK chunking headers are taken
and change nothing. Promise: counts of a job are the sums of its batches'. Mark: shapes seen with three clients
(clients.md), names of states and exceptions from the Bulk API 1.0 guide.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearse.practice import bulk1_data as data
from rehearse.practice import bulk1_forms as forms
from rehearse.practice.auth import NEWEST_VERSION, OLDEST_VERSION
from rehearse.practice.bulk1_forms import AsyncError, speaks_json
from rehearse.practice.bulk_ingest import save_upload
from rehearse.practice.bulk_query import store_of, workers_of
from rehearse.practice.bulk_query_rules import check_entity, check_query
from rehearse.practice.bulk_store import BulkStore, Job
from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import read_whole

BASE = "/services/async/{version}/job"
OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete", "query", "queryAll")
QUERIES = ("query", "queryAll")
MODES = {"0": "Parallel", "1": "Serial", "Parallel": "Parallel", "Serial": "Serial"}
MOST_CHARACTERS = 10_000_000
STATES = {"UploadComplete": "Queued", "JobComplete": "Completed", "Aborted": "NotProcessed"}
COUNTED = {"UploadComplete": "Queued", "InProgress": "InProgress", "JobComplete": "Completed", "Failed": "Failed"}


def served(endpoint: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """An endpoint whose refusals are answered in the words and the form of Bulk API 1.0."""

    def run(request: Request) -> Response:
        try:
            major, _, minor = request.path_params["version"].partition(".")
            if minor != "0" or not OLDEST_VERSION <= (read_whole(major) or 0) <= NEWEST_VERSION:
                raise AsyncError("InvalidVersion", f"Api version {request.path_params['version']} is not supported")
            return endpoint(request)
        except AsyncError as error:
            return forms.error_answer(error, as_json=speaks_json(request))
        except ApiError as error:
            return forms.error_answer(AsyncError("InvalidJob", error.message), as_json=speaks_json(request))

    return run


def job_facts(store: BulkStore, job: Job) -> dict[str, Any]:
    """JobInfo in the order of its schema."""
    batches = batches_of(store, job)
    counts = {name: sum(1 for one in batches if one.state == state) for state, name in COUNTED.items()}
    spent = sum(one.milliseconds for one in batches)
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by,
        "createdDate": job.created_at,
        "systemModstamp": job.modified_at,
        "state": job.state,
        "externalIdFieldName": job.external_id or None,
        "concurrencyMode": job.concurrency,
        "contentType": job.content,
        **{f"numberBatches{name}": count for name, count in counts.items()},
        "numberBatchesTotal": len(batches),
        "numberRecordsProcessed": sum(one.processed for one in batches),
        "numberRetries": 0,
        "apiVersion": float(job.version),
        "numberRecordsFailed": sum(one.failed for one in batches),
        "totalProcessingTime": spent,
        "apiActiveProcessingTime": spent,
        "apexProcessingTime": 0,
    }


def batch_facts(batch: Job) -> dict[str, Any]:
    """BatchInfo in the order of its schema."""
    return {
        "id": batch.id,
        "jobId": batch.parent,
        "state": STATES.get(batch.state, batch.state),
        "stateMessage": batch.error or None,
        "createdDate": batch.created_at,
        "systemModstamp": batch.modified_at,
        "numberRecordsProcessed": batch.processed,
        "numberRecordsFailed": batch.failed,
        "totalProcessingTime": batch.milliseconds,
        "apiActiveProcessingTime": batch.milliseconds,
        "apexProcessingTime": 0,
    }


def batches_of(store: BulkStore, job: Job) -> list[Job]:
    """The batches of a job, oldest first."""
    return [one for one in store.all(("V1Query", "V1Ingest")) if one.parent == job.id]


def create_job(request: Request) -> Response:
    """POST job: 201 with an Open job."""
    asked, org = forms.read_job(request), request.state.org
    operation = asked.get("operation", "")
    if operation not in OPERATIONS:
        raise AsyncError("InvalidJob", f"Invalid operation: {operation}")
    content, mode = asked.get("contentType", "XML"), asked.get("concurrencyMode", "Parallel")
    if content not in forms.TYPES or mode not in MODES:
        raise AsyncError("InvalidJob", f"Invalid contentType or concurrencyMode: {content}, {mode}")
    definition = org.find_object(asked.get("object", ""))
    if definition is None:
        raise AsyncError("InvalidJob", f"Unable to find object: {asked.get('object', '')}")
    check_entity(definition)
    if operation == "upsert" and not asked.get("externalIdFieldName"):
        raise AsyncError("InvalidJob", "External ID was blank for UPSERT. An External ID must be specified for UPSERT.")
    if operation == "hardDelete" and not workers_of(request).setting("bulk_hard_delete", True):
        raise AsyncError("FeatureNotEnabled", "hardDelete operation requires special user profile permission")
    job = new_job(request, "V1", operation, definition.name)
    key = asked.get("externalIdFieldName", "") if operation == "upsert" else ""
    job = replace(job, content=content, concurrency=MODES[mode], external_id=key)
    store = store_of(request)
    store.create(job)
    request.scope["state"]["bulk_job_id"] = job.id
    return forms.render("jobInfo", job_facts(store, job), as_json=speaks_json(request), status=201)


def new_job(request: Request, kind: str, operation: str, name: str) -> Job:
    """A job or a batch that was made just now."""
    org, now = request.state.org, request.state.org.stamp()
    return Job(
        id=org.new_id("750" if kind == "V1" else "751"),
        org_id=org.org_id,
        kind=kind,
        operation=operation,
        object=name,
        state="Open" if kind == "V1" else "UploadComplete",
        version=request.path_params["version"],
        created_by=request.state.user_id,
        created_at=now,
        modified_at=now,
    )


def find_job(request: Request) -> tuple[BulkStore, Job]:
    """The job that a path names. Raises AsyncError InvalidJob."""
    store = store_of(request)
    try:
        return store, store.find(request.path_params["job_id"], "V1")
    except ApiError:
        raise AsyncError("InvalidJob", f"Invalid job id: {request.path_params['job_id']}") from None


def find_batch(request: Request) -> tuple[BulkStore, Job, Job]:
    """Store, job and batch that a path names. Raises AsyncError InvalidBatch."""
    store, job = find_job(request)
    asked = request.path_params["batch_id"]
    found = next((one for one in batches_of(store, job) if one.id[:15] == asked[:15]), None)
    if found is None:
        raise AsyncError("InvalidBatch", f"Invalid batch id: {asked}")
    return store, job, found


def show_job(request: Request) -> Response:
    """GET job/ID."""
    store, job = find_job(request)
    return forms.render("jobInfo", job_facts(store, job), as_json=speaks_json(request))


def change_job(request: Request) -> Response:
    """POST job/ID: Closed takes no more batches; Aborted ends those that have not ended."""
    store, job = find_job(request)
    state = forms.read_job(request).get("state", "")
    if state not in ("Closed", "Aborted"):
        raise AsyncError("InvalidJobState", f"Invalid job state: {state}")
    changed = store.move(job.id, ("Open",) if state == "Closed" else ("Open", "Closed"), state=state)
    if changed is None:
        raise AsyncError("InvalidJobState", f"Job is {job.state} and cannot become {state}")
    if state == "Aborted":
        for batch in batches_of(store, job):
            store.move(batch.id, ("UploadComplete", "InProgress"), state="Aborted")
    return forms.render("jobInfo", job_facts(store, changed), as_json=speaks_json(request))


def add_batch(request: Request) -> Response:
    """POST job/ID/batch: rows, or the SOQL of a query job; 201 with a batch that is queued at once."""
    store, job = find_job(request)
    if job.state != "Open":
        raise AsyncError("InvalidJobState", f"Job is {job.state}: no batch can be added")
    content: bytes = request.state.body
    if len(content.decode("utf-8", errors="replace")) > MOST_CHARACTERS:
        text = f"Failed to read request. Exceeded max size limit of {MOST_CHARACTERS}"
        raise AsyncError("InvalidBatch", text)
    batch = new_job(request, "V1Query" if job.operation in QUERIES else "V1Ingest", job.operation, job.object)
    batch = replace(batch, parent=job.id, content=job.content, external_id=job.external_id)
    store.path(batch.id, ".request").write_bytes(content)
    batch = _fill_query(request, batch, content) if job.operation in QUERIES else _fill_rows(store, batch, content)
    store.create(batch)
    if not batch.ended:
        workers_of(request).submit(batch)
    return forms.render("batchInfo", batch_facts(batch), as_json=batch_speaks_json(request, job), status=201)


def _fill_query(request: Request, batch: Job, content: bytes) -> Job:
    soql = content.decode("utf-8", errors="replace").strip()
    try:
        name = check_query(request.state.org, soql)
    except ApiError as error:
        text = f"InvalidBatch : Failed to process query: {error.code}: {error.message}"
        return replace(batch, query=soql, state="Failed", error=text)
    if name != batch.object:
        text = f"InvalidBatch : Failed to process query: INVALID_TYPE: the job is for {batch.object}"
        return replace(batch, query=soql, state="Failed", error=text)
    return replace(batch, query=soql)


def _fill_rows(store: BulkStore, batch: Job, content: bytes) -> Job:
    try:
        rows = data.as_csv(content, batch.content)
    except AsyncError as error:
        return replace(batch, state="Failed", error=f"{error.code} : {error.message}")
    save_upload(store, batch, rows)
    return replace(batch, line_ending=data.line_ending(rows))


def batch_speaks_json(request: Request, job: Job) -> bool:
    """Batches of a JSON job are described in JSON, whatever asks."""
    return job.content == "JSON" or speaks_json(request)


def list_batches(request: Request) -> Response:
    """GET job/ID/batch."""
    store, job = find_job(request)
    found = [batch_facts(one) for one in batches_of(store, job)]
    return forms.render_list("batchInfoList", "batchInfo", found, as_json=batch_speaks_json(request, job))


def show_batch(request: Request) -> Response:
    """GET job/ID/batch/ID."""
    _store, job, batch = find_batch(request)
    return forms.render("batchInfo", batch_facts(batch), as_json=batch_speaks_json(request, job))


def show_request(request: Request) -> Response:
    """GET job/ID/batch/ID/request: the batch as it was sent."""
    store, job, batch = find_batch(request)
    return forms.answer(store.path(batch.id, ".request").read_bytes(), job.content)


def list_results(request: Request) -> Response:
    """GET job/ID/batch/ID/result: rows of an ingest batch, or the one result id of a query batch."""
    store, job, batch = find_batch(request)
    if batch.kind == "V1Ingest":
        if not batch.ended:
            raise AsyncError("InvalidBatch", "Batch not completed")
        return forms.answer(data.ingest_results(store, batch, job.content), job.content)
    result = f"752{batch.id[3:15]}"
    _complete(batch)
    if batch_speaks_json(request, job):
        return forms.answer(f'["{result}"]', "JSON")
    inner = f'<result-list xmlns="{forms.NAMESPACE}"><result>{result}</result></result-list>'
    return forms.answer(forms.HEAD + inner, "XML")


def _complete(batch: Job) -> None:
    if batch.state != "JobComplete":
        raise AsyncError("InvalidBatch", f"Batch is {STATES.get(batch.state, batch.state)}: it has no result")


def show_result(request: Request) -> Response:
    """GET job/ID/batch/ID/result/ID: the rows of a query batch."""
    store, job, batch = find_batch(request)
    if batch.kind != "V1Query" or request.path_params["result_id"][3:15] != batch.id[3:15]:
        raise AsyncError("InvalidBatch", f"Invalid result id: {request.path_params['result_id']}")
    _complete(batch)
    return forms.answer(data.query_result(store, batch, job.content), job.content)


routes = [
    Route(BASE, served(create_job), methods=["POST"]),
    Route(BASE + "/{job_id}", served(show_job), methods=["GET"]),
    Route(BASE + "/{job_id}", served(change_job), methods=["POST"]),
    Route(BASE + "/{job_id}/batch", served(add_batch), methods=["POST"]),
    Route(BASE + "/{job_id}/batch", served(list_batches), methods=["GET"]),
    Route(BASE + "/{job_id}/batch/{batch_id}", served(show_batch), methods=["GET"]),
    Route(BASE + "/{job_id}/batch/{batch_id}/request", served(show_request), methods=["GET"]),
    Route(BASE + "/{job_id}/batch/{batch_id}/result", served(list_results), methods=["GET"]),
    Route(BASE + "/{job_id}/batch/{batch_id}/result/{result_id}", served(show_result), methods=["GET"]),
]
