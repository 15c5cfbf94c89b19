"""Deployments as asynchronous jobs: started, done one after the other, asked for, cancelled.

A zip that is unsafe or no zip ends as a failed deployment; options that an org of this kind refuses are refused at
once. `status` gives a DeployResult in the order of the WSDL, with details only where asked.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from rehearse.practice import deploy_zip, meta_jobs
from rehearse.practice.components import Author
from rehearse.practice.deploy_apply import apply_plan
from rehearse.practice.deploy_items import build_plan
from rehearse.practice.deploy_model import DeployPackage, DeployProblem, Options, Outcome
from rehearse.practice.deploy_result import count_tests, finish, manifest_outcomes
from rehearse.practice.http_errors import ApiError
from rehearse.practice.meta_jobs import Finished, Job
from rehearse.practice.meta_list import Register
from rehearse.practice.org_state import OrgState

QUICK_DAYS = 10
FINALIZING_FROM = 65  # the API version that has these states
BEFORE_FINALIZING = {"Finalizing": "InProgress", "FinalizingFailed": "Failed"}  # the second: our guess
SAVED = ("Succeeded", "SucceededPartial")
UNEXPLAINED = "UNKNOWN_EXCEPTION: An unexpected error occurred. Please include this ErrorId if you contact support: 1"
ON_ACTIVE_ORG = "purgeOnDelete option can only be used on a non-active org"


def start(org: OrgState, user_id: str, body: bytes, options: Options) -> Job:
    """Queue a deployment. Raises ApiError for options that the org refuses (facts 1.4)."""
    if options.purge_on_delete and not org.is_sandbox:
        raise ApiError(500, "INVALID_OPERATION", ON_ACTIVE_ORG)
    if not org.is_sandbox and not options.rollback_on_error:
        raise ApiError(500, "INVALID_OPERATION", "rollbackOnError must be true for a production organization")
    if options.run_tests and options.test_level not in ("", "RunSpecifiedTests"):
        text = "runTests can only be used with a testLevel of RunSpecifiedTests"
        raise ApiError(500, "INVALID_OPERATION", text)
    request = {"options": asdict(options), "user_id": user_id, "created": org.stamp()}
    return meta_jobs.start(org, "deploy", request, body)


def start_validated(org: OrgState, user_id: str, validation_id: str) -> Job:
    """Deploy what was validated with tests in the last ten days, without tests (facts 1.2, deployRecentValidation).

    Raises ApiError; which code it has for a validation that will not do is an assumption."""
    job = meta_jobs.load(org, validation_id, "deploy")
    options = options_of(job)
    why = ""
    if not options.check_only or job.state != "Succeeded" or job.body is None:
        why = "it is no successful validation"
    elif not job.result.get("runTestResult", {}).get("numTestsRun"):
        why = "no tests were run"
    elif org.now() - timedelta(days=QUICK_DAYS) > datetime.fromisoformat(job.result["completedDate"]):
        why = f"it is older than {QUICK_DAYS} days"
    if why or job.body is None:
        raise ApiError(500, "INVALID_ID_FIELD", f"Validation {job.id} cannot be deployed: {why}")
    return start(org, user_id, job.body, replace(options, check_only=False, run_tests=(), test_level="NoTestRun"))


def options_of(job: Job) -> Options:
    """The options that a deployment was started with."""
    given = dict(job.request["options"])
    return Options(**{**given, "run_tests": tuple(given["run_tests"])})


def run(org: OrgState, job: Job) -> Finished:
    """Do the deployment of a job, inside the caller's transaction."""
    options, started = options_of(job), org.stamp()
    author = Author(job.request["user_id"], started)
    try:
        package = deploy_zip.open_package(job.body or b"")
    except deploy_zip.ZipRefused as refused:
        result = finish(options, [], started, org.stamp())
        trouble = {"errorMessage": refused.text, "errorStatusCode": refused.code, "success": False, "status": "Failed"}
        return Finished("Failed", {**result, **trouble})
    except DeployProblem as problem:
        name = deploy_zip.MANIFEST
        outcome = Outcome("", name, name, success=False, problem=problem.text, problem_type="Error", line=problem.line)
        return Finished("Failed", finish(options, [outcome], started, org.stamp()))
    plan = build_plan(package, options)
    plan.settled[:0] = manifest_outcomes(_manifests(package))
    odd = frozenset(org.settings.get("unexplained_components", ()))
    if any(one.name in odd for one in plan.items):
        trouble = {"errorMessage": UNEXPLAINED, "errorStatusCode": "UNKNOWN_EXCEPTION", "success": False}
        return Finished("Failed", {**finish(options, [], started, org.stamp()), **trouble, "status": "Failed"})
    outcomes = apply_plan(org, plan, options, author)
    result = finish(options, outcomes, started, org.stamp())
    has_apex = any(one.type in ("ApexClass", "ApexTrigger") for one in outcomes)
    result["runTestResult"] = count_tests(org, options, has_apex=has_apex)
    keep = options.check_only and result["status"] == "Succeeded"
    last_step = org.settings.get("finalizing_seconds", meta_jobs.STEP_SECONDS) or meta_jobs.UNFINISHED in job.request
    lasts = result["status"] in SAVED and bool(last_step)
    return Finished("Finalizing" if lasts else result["status"], result, keep=keep)


def _manifests(package: DeployPackage) -> list[str]:
    given = {"pre": package.pre, "plain": package.plain, "post": package.post}
    named = [
        package.folder + deploy_zip.DESTRUCTIVE[which] for which, one in given.items() if one.members or one.version
    ]
    return [*named, package.folder + deploy_zip.MANIFEST]


def status(org: OrgState, job_id: str, *, details: bool, version: str = "67.0") -> dict[str, Any]:
    """DeployResult of a job; `details` holds messages only where asked. Raises INVALID_CROSS_REFERENCE_KEY.

    Whoever asks under an older API version than 65.0 sees neither Finalizing nor FinalizingFailed (facts 1.4)."""
    job = meta_jobs.load(org, job_id, "deploy")
    state = BEFORE_FINALIZING.get(job.state, job.state) if float(version) < FINALIZING_FROM else job.state
    options, register = options_of(job), Register(org)
    tests = job.result.get("runTestResult", {"numFailures": 0, "numTestsRun": 0, "successes": [], "totalTime": 0.0})
    body: dict[str, Any] = {"done": job.done, "id": job.id, "status": state}
    body |= {"checkOnly": options.check_only, "ignoreWarnings": options.ignore_warnings}
    body |= {"rollbackOnError": options.rollback_on_error, "runTestsEnabled": bool(tests["numTestsRun"])}
    body["createdBy"] = job.request["user_id"]
    body["createdByName"] = register.name(body["createdBy"])
    body["createdDate"] = job.request["created"]
    for name in ("numberComponentErrors", "numberComponentsDeployed", "numberComponentsTotal"):
        body[name] = job.result.get(name, 0)
    body["numberTestErrors"] = tests["numFailures"]
    body["numberTestsCompleted"] = body["numberTestsTotal"] = tests["numTestsRun"]
    body["success"] = bool(job.result.get("success", False)) and job.done and job.state != "FinalizingFailed"
    for name in ("completedDate", "errorMessage", "errorStatusCode", "lastModifiedDate", "startDate"):
        if name in job.result:
            body[name] = job.result[name]
    if job.state in ("Canceled", "Canceling") and "canceled_by" in job.request:
        body["canceledBy"] = job.request["canceled_by"]
        body["canceledByName"] = register.name(body["canceledBy"])
    body["details"] = _details(job, tests) if details else {}
    return {key: body[key] for key in sorted(body)}


def _details(job: Job, tests: dict[str, Any]) -> dict[str, Any]:
    return {
        "componentFailures": job.result.get("componentFailures", []),
        "componentSuccesses": job.result.get("componentSuccesses", []),
        "runTestResult": tests,
    }


def cancel(org: OrgState, job_id: str, user_id: str) -> dict[str, Any]:
    """CancelDeployResult: done at once while it waits, else to be polled.

    Raises INVALID_ID_FIELD when it is over, or Finalizing: what it did is saved (facts 1.4; the code is our guess)."""
    job = meta_jobs.load(org, job_id, "deploy")
    done = meta_jobs.move(org, job.id, ("Pending",), "Canceled")
    if not done and not meta_jobs.move(org, job.id, ("InProgress", "Canceling"), "Canceling"):
        over = "is finalizing and cannot be canceled" if job.state == "Finalizing" else "already completed"
        raise ApiError(500, "INVALID_ID_FIELD", f"Deployment {over}")
    meta_jobs.note(org, job.id, {**job.request, "canceled_by": user_id})
    meta_jobs.ensure_worker(org, "deploy")
    return {"done": done, "id": job.id}


meta_jobs.RUNNERS["deploy"] = run
