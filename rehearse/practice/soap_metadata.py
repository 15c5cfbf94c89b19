"""Metadata SOAP: one endpoint, dispatched on the body's element; any tail of the address is accepted (facts 1.1).

Requests are parsed without DTD or entities and read leniently (`True`, unqualified elements, stray text), because
shipping clients send that. Answers have the element order of the WSDL. Refusals are faults, HTTP 500, code `sf:…`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearse.practice import deploy, deploy_jobs, meta_crud, meta_jobs, meta_list, meta_rename, retrieve_jobs
from rehearse.practice.components import Author
from rehearse.practice.deploy_model import Options
from rehearse.practice.field_security import require_metadata
from rehearse.practice.http_errors import ApiError
from rehearse.practice.meta_package import Package, read_package
from rehearse.practice.meta_types import CONTAINER_OF, known
from rehearse.practice.meta_xml import NAMESPACE, XSD, XSI, BrokenXml, elements, first, flag, local, parse, text_of
from rehearse.practice.org_state import OrgState
from rehearse.practice.retrieve import build_files, resolve
from rehearse.practice.soap_forms import RAW, render_value

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
MOST_BYTES = 52_428_800


@dataclass(frozen=True)
class Call:
    """One call: the org, the user, the API version of the address, and the operation's element."""

    org: OrgState
    user_id: str
    version: str
    body: etree._Element


def endpoint(request: Request) -> Response:
    """Answer one SOAP request."""
    if len(request.state.body) > MOST_BYTES:
        text = f"Maximum size of request reached. Maximum size of request is {MOST_BYTES} bytes."
        raise ApiError(500, "LIMIT_EXCEEDED", text)
    try:
        envelope = parse(request.state.body)
    except BrokenXml as error:
        raise ApiError(500, "soapenv:Client", error.problem) from error
    body = first(envelope, "Body")
    operation = next(elements(body), None) if body is not None else None
    if operation is None or local(operation) not in OPERATIONS:
        name = "" if operation is None else local(operation)
        raise ApiError(500, "INVALID_OPERATION", f"No operation available for request {{{NAMESPACE}}}{name}")
    deploy.prepare(request.state.org)
    require_metadata(request.state.org, request.state.user_id)
    call = Call(request.state.org, request.state.user_id, request.state.api_version or "67.0", operation)
    return Response(render_answer(local(operation), OPERATIONS[local(operation)](call)), media_type="text/xml")


def render_answer(operation: str, result: Any) -> str:
    """The SOAP answer of an operation; a list gives one `result` each."""
    results = result if isinstance(result, list) else [result]
    inner = "".join(render_value("result", one) for one in results)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns="{NAMESPACE}" xmlns:xsi="{XSI}"><soapenv:Body>'
        f"<{operation}Response>{inner}</{operation}Response></soapenv:Body></soapenv:Envelope>"
    )


def describe_metadata(call: Call) -> Any:
    return meta_list.describe(call.org)


def list_metadata(call: Call) -> Any:
    queries = [(text_of(one, "type").strip(), text_of(one, "folder").strip()) for one in elements(call.body, "queries")]
    return meta_list.list_members(call.org, queries)


def start_retrieve(call: Call) -> Any:
    """The request's element is called `retrieveRequest` or `request`: the first child counts."""
    asked = next(elements(call.body), None)
    if asked is None:
        raise ApiError(500, "INVALID_FIELD", "Required field is missing: retrieveRequest")
    unpackaged = first(asked, "unpackaged")
    package = read_package(unpackaged) if unpackaged is not None else Package()
    job = retrieve_jobs.start(
        call.org,
        {
            "members": {name: list(members) for name, members in package.members.items()},
            "version": package.version or text_of(asked, "apiVersion").strip() or call.version,
            "single_package": flag(asked, "singlePackage"),
            "package_names": [one.text or "" for one in elements(asked, "packageNames")],
            "specific_files": [one.text or "" for one in elements(asked, "specificFiles")],
        },
    )
    return {"done": False, "id": job.id, "state": "Queued"}


def check_retrieve(call: Call) -> Any:
    return retrieve_jobs.status(call.org, job_id(call), include_zip=flag(call.body, "includeZip", True))


def start_deploy(call: Call) -> Any:
    given = first(call.body, "DeployOptions")
    try:
        zip_file = base64.b64decode("".join(text_of(call.body, "ZipFile").split()), validate=True)
    except binascii.Error as error:
        raise ApiError(500, "soapenv:Client", f"ZipFile is no base64: {error}") from error
    job = deploy_jobs.start(call.org, call.user_id, zip_file, read_options(given))
    return {"done": False, "id": job.id, "state": "Queued"}


def read_options(given: etree._Element | None) -> Options:
    """DeployOptions from their element."""
    if given is None:
        return Options()
    return Options(
        allow_missing_files=flag(given, "allowMissingFiles"),
        check_only=flag(given, "checkOnly"),
        ignore_warnings=flag(given, "ignoreWarnings"),
        purge_on_delete=flag(given, "purgeOnDelete"),
        rollback_on_error=flag(given, "rollbackOnError"),
        run_tests=tuple((one.text or "").strip() for one in elements(given, "runTests")),
        single_package=flag(given, "singlePackage"),
        test_level=text_of(given, "testLevel").strip(),
    )


def check_deploy(call: Call) -> Any:
    return deploy_jobs.status(call.org, job_id(call), details=flag(call.body, "includeDetails"), version=call.version)


def cancel_deploy(call: Call) -> Any:
    """The WSDL calls the parameter `String`, jsforce `id`: the first child counts."""
    given = next(elements(call.body), None)
    return deploy_jobs.cancel(call.org, (given.text or "").strip() if given is not None else "", call.user_id)


def deploy_validated(call: Call) -> Any:
    """deployRecentValidation answers the id alone."""
    return deploy_jobs.start_validated(call.org, call.user_id, text_of(call.body, "validationId").strip()).id


def check_status(call: Call) -> Any:
    """The legacy call, for retrieves and deployments; `stateDetail` is left out because it breaks CumulusCI."""
    asked = job_id(call)
    job = meta_jobs.load(call.org, asked, "deploy" if asked.startswith("0Af") else "retrieve")
    states = {"Pending": "Queued", "InProgress": "InProgress", "Canceling": "InProgress", "Finalizing": "InProgress"}
    states |= dict.fromkeys(("Failed", "FinalizingFailed"), "Error")
    return {"done": job.done, "id": job.id, "state": states.get(job.state, "Completed")}


def job_id(call: Call) -> str:
    """The id that a status call asks for."""
    return text_of(call.body, "asyncProcessId").strip()


def read_metadata(call: Call) -> Any:
    """ReadResult: one record a name, ten at most; a name that is not there gives an empty record."""
    type_name = text_of(call.body, "type").strip()
    asked = [(one.text or "").strip() for one in elements(call.body, "fullNames")]
    if not known(type_name):
        raise ApiError(500, "INVALID_TYPE", f"Unknown type: {type_name}")
    if len(asked) > 10:
        raise ApiError(500, "LIMIT_EXCEEDED", "record limit reached. cannot submit more than 10 records into this call")
    return {"records": [_record(call.org, type_name, name) for name in asked]}


def _record(org: OrgState, type_name: str, name: str) -> Any:
    found = resolve(org, Package({type_name: (name,)}))
    if not found.chosen:
        return None
    component = next(iter(next(iter(found.chosen.values())).values()))
    if type_name in CONTAINER_OF:
        source = component.xml
    else:
        files = build_files(org, found, "read")
        source = next(body for path, body in sorted(files.items(), reverse=True) if body.startswith(b"<?xml"))
    inner = "".join(_bare(one) for one in elements(parse(source)) if local(one) != "fullName")
    return {"type": type_name, RAW: f"<fullName>{escape(component.name)}</fullName>{inner}"}


def _bare(element: etree._Element) -> str:
    """An element without the namespaces that the envelope declares: jsforce takes a declaration for content."""
    head, mark, rest = etree.tostring(element, encoding="unicode", with_tail=False).partition(">")
    for declared in (f' xmlns="{NAMESPACE}"', f' xmlns:xsi="{XSI}"'):
        head = head.replace(declared, "")
    return head + mark + rest if "xsd:" in rest else head.replace(f' xmlns:xsd="{XSD}"', "") + mark + rest


def _author(call: Call) -> Author:
    return Author(call.user_id, call.org.stamp())


def _all_or_none(call: Call) -> bool:
    root = call.body.getroottree().getroot()
    header = first(root, "Header")
    asked = first(header, "AllOrNoneHeader") if header is not None else None
    return asked is not None and flag(asked, "allOrNone")


def create_metadata(call: Call) -> Any:
    return meta_crud.create(call.org, _author(call), meta_crud.read_records(call.body), _all_or_none(call))


def update_metadata(call: Call) -> Any:
    return meta_crud.update(call.org, _author(call), meta_crud.read_records(call.body), _all_or_none(call))


def upsert_metadata(call: Call) -> Any:
    return meta_crud.upsert(call.org, _author(call), meta_crud.read_records(call.body), _all_or_none(call))


def delete_metadata(call: Call) -> Any:
    return meta_crud.delete(call.org, _author(call), meta_crud.read_names(call.body), _all_or_none(call))


def rename_metadata(call: Call) -> Any:
    names = [text_of(call.body, name).strip() for name in ("type", "oldFullName", "newFullName")]
    return meta_rename.rename(call.org, _author(call), (names[0], names[1], names[2]))


def describe_value_type(call: Call) -> Any:
    return meta_crud.describe_value_type(call.org, text_of(call.body, "type"))


OPERATIONS: dict[str, Callable[[Call], Any]] = {
    "describeMetadata": describe_metadata,
    "listMetadata": list_metadata,
    "readMetadata": read_metadata,
    "createMetadata": create_metadata,
    "updateMetadata": update_metadata,
    "upsertMetadata": upsert_metadata,
    "deleteMetadata": delete_metadata,
    "renameMetadata": rename_metadata,
    "describeValueType": describe_value_type,
    "retrieve": start_retrieve,
    "checkRetrieveStatus": check_retrieve,
    "deploy": start_deploy,
    "checkDeployStatus": check_deploy,
    "cancelDeploy": cancel_deploy,
    "deployRecentValidation": deploy_validated,
    "checkStatus": check_status,
}

routes = [
    Route("/services/Soap/m/{version}", endpoint, methods=["POST"]),
    Route("/services/Soap/m/{version}/{tail:path}", endpoint, methods=["POST"]),
]
