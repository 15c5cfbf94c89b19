"""Tooling rows one by one: sandboxes are made, refreshed and deleted here; flows are activated and deleted here.

SandboxInfo and SandboxProcess exist on production only and are the estate's business (sandboxes). FlowDefinition takes
`{"Metadata": {"activeVersionNumber": n}}` (0: none). Everything else is read only. SourceMember exists only
where a setting says that a sandbox tracks its source, SandboxProcessStage from API 66.0 on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearse.practice import components, deploy, deploy_remove, meta_automation, meta_flows, meta_mirror, sandboxes
from rehearse.practice import describe as describes
from rehearse.practice.components import Author
from rehearse.practice.deploy_model import DeployProblem
from rehearse.practice.http_errors import ApiError
from rehearse.practice.json_body import load_json
from rehearse.practice.meta_flows import FlowVersion
from rehearse.practice.meta_xml import elements, local, parse
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import ObjectDef
from rehearse.practice.tooling_query import answer
from rehearse.practice.tooling_tables import OBJECTS, ON_PRODUCTION, SINCE, World, define, find_object

ALSO_PLAIN = ("ApexClass", "ApexTrigger", "Group", "Organization", "PermissionSet", "Profile", "RecordType", "User")
MISSING = "The requested resource does not exist"
BASE = "/services/data/v{version}/tooling"
MANY = frozenset({"actionCalls", "assignments", "decisions", "formulas", "loops", "recordCreates", "recordDeletes",
                  "recordLookups", "recordUpdates", "screens", "subflows", "variables", "processMetadataValues",
                  "constants", "textTemplates", "filters", "inputAssignments", "rules", "conditions"})  # fmt: skip


def known_object(org: OrgState, name: str) -> ObjectDef | None:
    """The object of this name that the Tooling API has, be it its own or one that is plain too; None for others."""
    plain = next((one for one in ALSO_PLAIN if one.lower() == name.lower()), None)
    return find_object(org, name) or (org.find_object(plain) if plain is not None else None)


def missing() -> ApiError:
    return ApiError(404, "NOT_FOUND", MISSING)


def world_of(request: Request) -> World:
    """The world behind a request, its store prepared."""
    world = World(request.app.state.estate, request.state.org)
    deploy.prepare(world.org)
    return world


def body_of(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises ApiError JSON_PARSER_ERROR."""
    try:
        body = load_json(request.state.body or b"{}")
    except ValueError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"Unexpected character at {error}") from None
    if not isinstance(body, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "Expected a JSON object")
    return body


def list_objects(request: Request) -> Response:
    """GET tooling/sobjects: the Tooling objects of this org."""
    world = world_of(request)
    names = [name for name in sorted(describe_names(world.org))]
    base = f"/services/data/v{request.state.api_version}/tooling/sobjects"
    listed = [{"name": name, "label": name, "urls": {"sobject": f"{base}/{name}"}} for name in names]
    return JSONResponse({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})


def describe_names(org: OrgState) -> list[str]:
    """The names of the Tooling objects that this org has."""
    return [name for name in (*OBJECTS, *ALSO_PLAIN) if known_object(org, name) is not None]


def describe(request: Request) -> Response:
    """GET tooling/sobjects/X/describe; 404 for what is not there, SourceMember above all (clients ask for it)."""
    world, name = world_of(request), request.path_params["name"]
    definition = known_object(world.org, name)
    if definition is None or float(request.state.api_version) < SINCE.get(definition.name, 0):
        raise missing()
    return JSONResponse(describes.describe_object(world.org, define(world, definition), request.state.api_version))


def create(request: Request) -> Response:
    """POST tooling/sobjects/SandboxInfo: 201 with the id of the new sandbox."""
    world, name = world_of(request), request.path_params["name"]
    if name != "SandboxInfo" or world.org.is_sandbox:
        raise not_allowed(world.org, name)
    made = sandboxes.create(world.estate, body_of(request), request.state.user_id)
    return JSONResponse({"id": made, "success": True, "errors": [], "warnings": [], "infos": []}, status_code=201)


def not_allowed(org: OrgState, name: str) -> ApiError:
    """Why a write is refused: the object is not there, or it takes none."""
    if find_object(org, name) is None:
        return missing()
    return ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method not allowed for {name}")


def one(request: Request) -> Response:
    """GET, PATCH and DELETE of one row."""
    return METHODS[request.method](request)


def read(request: Request) -> Response:
    """GET of one row with every field; a flow version and a flow definition with their Metadata."""
    world, name, row_id = world_of(request), request.path_params["name"], request.path_params["id"]
    definition = known_object(world.org, name)
    if definition is None:
        raise missing()
    fields = ", ".join(field.name for field in define(world, definition).fields)
    asked = row_id.replace("\\", "").replace("'", "")
    records = answer(world, f"SELECT {fields} FROM {definition.name} WHERE Id = '{asked}'", request.state.api_version)
    if not records["records"]:
        raise missing()
    row = dict(records["records"][0])
    if definition.name == "Flow":
        row["Metadata"] = as_json(parse(find_version(world.org, row_id).xml))
    elif definition.name == "FlowDefinition":
        versions = meta_flows.load_versions(world.org, row["DeveloperName"])
        row["Metadata"] = {"activeVersionNumber": meta_flows.active_number(versions) or None}
    return JSONResponse(row)


def as_json(element: etree._Element) -> Any:
    """Metadata XML as the Tooling API shows it: objects, lists where a tag repeats or always may, typed scalars."""
    children = list(elements(element))
    if not children:
        text = element.text or ""
        if text in ("true", "false"):
            return text == "true"
        return int(text) if text.lstrip("-").isdigit() and len(text) < 10 else text
    found: dict[str, Any] = {}
    for child in children:
        tag = local(child)
        if tag in MANY or sum(1 for other in children if local(other) == tag) > 1:
            found.setdefault(tag, []).append(as_json(child))
        else:
            found[tag] = as_json(child)
    return found


def change(request: Request) -> Response:
    """PATCH of a sandbox (refresh), a copy (activate, discard) or a flow definition (activate): 204."""
    world, name, row_id = world_of(request), request.path_params["name"], request.path_params["id"]
    values, user_id = body_of(request), request.state.user_id
    if name in ON_PRODUCTION and not world.org.is_sandbox:
        if name == "SandboxInfo":
            sandboxes.refresh(world.estate, row_id, values, user_id)
        elif name == "SandboxProcess":
            sandboxes.change_process(world.estate, row_id, values, user_id)
        else:
            raise not_allowed(world.org, name)
    elif name == "FlowDefinition":
        activate_flow(world.org, row_id, values, user_id)
    else:
        raise not_allowed(world.org, name)
    return Response(status_code=204)


def activate_flow(org: OrgState, row_id: str, values: dict[str, Any], user_id: str) -> None:
    """Make a version the active one. Raises ApiError for an unknown flow or version."""
    metadata = values.get("Metadata")
    number = metadata.get("activeVersionNumber") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or (number is not None and not isinstance(number, int)):
        raise ApiError(400, "INVALID_FIELD", "Metadata.activeVersionNumber must be a number", ["Metadata"])
    with org.transaction():
        definition = next((c for c in components.load_type(org, "FlowDefinition") if c.id[:15] == row_id[:15]), None)
        if definition is None:
            raise missing()
        versions = meta_flows.load_versions(org, definition.name)
        if number and number not in {version.number for version in versions}:
            text = f"The flow {definition.name} has no version {number}"
            raise ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", text, ["Metadata"])
        author = Author(user_id, org.stamp())
        if (number or 0) != meta_flows.active_number(versions):
            meta_flows.set_active(org, definition.name, number or 0, author)
            meta_automation.follow_all(org)
            meta_mirror.write_audit(org, author, "changed", definition)


def find_version(org: OrgState, row_id: str) -> FlowVersion:
    """The flow version of this id. Raises ApiError NOT_FOUND."""
    found = next((version for version in meta_flows.load_versions(org) if version.id[:15] == row_id[:15]), None)
    if found is None:
        raise missing()
    return found


def delete(request: Request) -> Response:
    """DELETE of a sandbox or of a flow version: 204."""
    world, name, row_id = world_of(request), request.path_params["name"], request.path_params["id"]
    if name == "SandboxInfo" and not world.org.is_sandbox:
        sandboxes.delete(world.estate, row_id, request.state.user_id)
    elif name == "Flow":
        delete_flow(world.org, row_id, request.state.user_id)
    else:
        raise not_allowed(world.org, name)
    return Response(status_code=204)


def delete_flow(org: OrgState, row_id: str, user_id: str) -> None:
    """Delete one flow version. Raises ApiError DELETE_FAILED for the active one."""
    with org.transaction():
        version = find_version(org, row_id)
        if version.status == "Active":
            text = "You can't delete an active flow version. Deactivate it first."
            raise ApiError(400, "DELETE_FAILED", text)
        try:
            deploy_remove.delete_flow_version(org, version.flow, version.number, Author(user_id, org.stamp()))
        except DeployProblem as problem:
            raise ApiError(400, "DELETE_FAILED", problem.text) from problem


def sandbox_auth(request: Request) -> Response:
    """POST tooling/sandboxAuth: the code that logs the requester in to a sandbox."""
    world = world_of(request)
    if world.org.is_sandbox:
        raise missing()
    base = f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"
    return JSONResponse(sandboxes.sandbox_auth(world.estate, body_of(request), request.state.user_id, base))


METHODS: dict[str, Callable[[Request], Response]] = {"GET": read, "HEAD": read, "PATCH": change, "DELETE": delete}

routes = [
    Route(f"{BASE}/sobjects", list_objects, methods=["GET"]),
    Route(f"{BASE}/sandboxAuth", sandbox_auth, methods=["POST"]),
    Route(f"{BASE}/sobjects/{{name}}", create, methods=["POST"]),
    Route(f"{BASE}/sobjects/{{name}}/describe", describe, methods=["GET"]),
    Route(f"{BASE}/sobjects/{{name}}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
]
