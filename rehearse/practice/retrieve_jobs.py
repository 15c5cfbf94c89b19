"""Retrieves as asynchronous jobs: started, asked for, and handed out once."""

from __future__ import annotations

import base64
from typing import Any

from rehearse.practice import meta_jobs, retrieve
from rehearse.practice.http_errors import ApiError
from rehearse.practice.meta_jobs import Finished, Job
from rehearse.practice.meta_package import Package
from rehearse.practice.org_state import OrgState


def start(org: OrgState, request: dict[str, Any]) -> Job:
    """Start a retrieve; `request` has members (names by type) and the other fields of RetrieveRequest as JSON."""
    return meta_jobs.start(org, "retrieve", request)


def run(org: OrgState, job: Job) -> Finished:
    """Do the retrieve of a job."""
    asked = job.request
    package = Package({name: tuple(members) for name, members in asked["members"].items()}, asked["version"])
    request = retrieve.RetrieveRequest(
        job.id, package, asked["single_package"], tuple(asked["package_names"]), tuple(asked["specific_files"])
    )
    done = retrieve.run(org, request)
    return Finished(done.result["status"], done.result, done.zip)


def status(org: OrgState, job_id: str, *, include_zip: bool) -> dict[str, Any]:
    """RetrieveResult. Handing out the zip drops it: the next call raises INVALID_LOCATOR (an invented code)."""
    job = meta_jobs.load(org, job_id, "retrieve")
    if not job.done:
        return {"done": False, "id": job.id, "status": job.state, "success": False, "zipFile": None}
    if job.state != "Succeeded" or not include_zip:
        known = {"done": True, "id": job.id, "status": job.state, "success": False, **job.result}
        return _ordered({**known, "zipFile": None})
    if job.zip is None:
        raise ApiError(500, "INVALID_LOCATOR", f"Retrieve result has already been deleted: {job.id}")
    meta_jobs.drop_zip(org, job.id)
    return _ordered({**job.result, "zipFile": base64.b64encode(job.zip).decode()})


def _ordered(result: dict[str, Any]) -> dict[str, Any]:
    return {key: result[key] for key in sorted(result)}


meta_jobs.RUNNERS["retrieve"] = run
