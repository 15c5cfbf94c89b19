"""The REST road of deployments: POST metadata/deployRequest as multipart, GET for its status, PATCH to cancel.

The JSON part is called `json` by Salesforce's guide and `entity_content` by the CLI: the part that is JSON counts, and
the other one is the zip. Same rules, same jobs and same result as the SOAP road (facts 1.5).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearse.practice import deploy, deploy_jobs, meta_jobs
from rehearse.practice.deploy_model import Options
from rehearse.practice.field_security import require_metadata
from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import load_json

BASE = "/services/data/v{version}/metadata/deployRequest"


def start(request: Request) -> Response:
    """POST: 201 with the id, the options and a first DeployResult.

    A JSON body that names a `validatedDeployRequestId` deploys what was validated (facts 1.5, unsure)."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return _start_validated(request)
    require_metadata(request.state.org, request.state.user_id)
    given, body = read_parts(request.headers.get("content-type", ""), request.state.body)
    org = request.state.org
    deploy.prepare(org)
    options = read_options(given.get("deployOptions"))
    try:
        job = deploy_jobs.start(org, request.state.user_id, body, options)
    except ApiError as error:
        raise ApiError(400, error.code, error.message) from error
    return JSONResponse(_shape(request, job.id, details=False), status_code=201)


def _start_validated(request: Request) -> Response:
    try:
        asked = load_json(request.state.body or b"{}")
    except ValueError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"Unexpected character at {error}") from None
    validation = asked.get("validatedDeployRequestId") if isinstance(asked, dict) else None
    if not isinstance(validation, str):
        raise ApiError(400, "INVALID_FIELD", "Required field is missing: validatedDeployRequestId")
    org = request.state.org
    deploy.prepare(org)
    try:
        job = deploy_jobs.start_validated(org, request.state.user_id, validation)
    except ApiError as error:
        unknown = error.code == "INVALID_CROSS_REFERENCE_KEY"
        raise ApiError(404 if unknown else 400, "NOT_FOUND" if unknown else error.code, error.message) from error
    return JSONResponse({**_shape(request, job.id, details=False), "validatedDeployRequestId": validation}, 201)


def read_parts(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON object and the zip of a multipart body, whatever the parts are called. Raises ApiError."""
    parts: list[bytearray] = []
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    callbacks: Any = {
        "on_part_begin": lambda: parts.append(bytearray()),
        "on_part_data": lambda data, start, end: parts[-1].extend(data[start:end]),
    }
    try:
        parser = MultipartParser(boundary, callbacks)
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise ApiError(400, "INVALID_MULTIPART_REQUEST", f"Unable to parse multipart body: {error}") from error
    described = next((part for part in parts if part.lstrip()[:1] == b"{"), None)
    zipped = next((part for part in parts if part is not described), None)
    if described is None or zipped is None:
        raise ApiError(400, "INVALID_MULTIPART_REQUEST", "Multipart message must include a JSON part and a zip part")
    try:
        parsed = load_json(bytes(described))
    except ValueError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"Unexpected character at {error}") from None
    return parsed, bytes(zipped)


def read_options(given: Any) -> Options:
    """DeployOptions from JSON; truth values may come as texts."""
    if not isinstance(given, dict):
        raise ApiError(400, "INVALID_FIELD", "Required field is missing: deployOptions")
    known: dict[str, Any] = {}
    for one in fields(Options):
        words = one.name.split("_")
        value = given.get(words[0] + "".join(word.capitalize() for word in words[1:]))
        if value is None:
            continue
        if one.name == "run_tests":
            known[one.name] = tuple(str(name) for name in (value if isinstance(value, list) else [value]))
        elif one.name == "test_level":
            known[one.name] = str(value)
        else:
            known[one.name] = str(value).lower() == "true"
    return Options(**known)


def _shape(request: Request, job_id: str, *, details: bool) -> dict[str, Any]:
    org = request.state.org
    job = meta_jobs.load(org, job_id, "deploy")
    options = deploy_jobs.options_of(job)
    shown = {}
    for one in fields(Options):
        words = one.name.split("_")
        shown[words[0] + "".join(word.capitalize() for word in words[1:])] = getattr(options, one.name)
    result = deploy_jobs.status(org, job.id, details=details, version=request.state.api_version)
    return {"id": job.id, "validatedDeployRequestId": None, "deployResult": result, "deployOptions": shown}


def one(request: Request) -> Response:
    """GET: the state of a deployment; PATCH with status Canceling: cancel it."""
    job_id = request.path_params["id"]
    deploy.prepare(request.state.org)
    try:
        if request.method == "PATCH":
            return _cancel(request, job_id)
        details = request.query_params.get("includeDetails", "").lower() == "true"
        return JSONResponse(_shape(request, job_id, details=details))
    except ApiError as error:
        unknown = error.code == "INVALID_CROSS_REFERENCE_KEY"
        raise ApiError(404 if unknown else 400, "NOT_FOUND" if unknown else error.code, error.message) from error


def _cancel(request: Request, job_id: str) -> Response:
    try:
        asked = load_json(request.state.body or b"{}")
    except ValueError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"Unexpected character at {error}") from None
    result = asked.get("deployResult") if isinstance(asked, dict) else None
    if not isinstance(result, dict) or result.get("status") != "Canceling":
        raise ApiError(400, "INVALID_FIELD", "Only the status Canceling can be set")
    deploy_jobs.cancel(request.state.org, job_id, request.state.user_id)
    return JSONResponse(_shape(request, job_id, details=False), status_code=202)


routes = [
    Route(BASE, start, methods=["POST"]),
    Route(BASE + "/{id}", one, methods=["GET", "PATCH"]),
]
