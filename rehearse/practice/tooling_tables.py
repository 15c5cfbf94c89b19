"""The Tooling API's own objects as rows: what metadata, deployments and sandboxes look like to a query.

Each builder answers plain rows by API name from the component store, the jobs or the estate; nothing is kept. An
object that is not listed here is a plain object of the org. Sandboxes exist on production only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from rehearse.practice import (
    components,
    deleted_fields,
    deploy_jobs,
    entity_tables,
    meta_flows,
    meta_jobs,
    sandboxes,
    tooling_packages,
    tooling_tracking,
)
from rehearse.practice.components import Component
from rehearse.practice.estate import Estate
from rehearse.practice.meta_xml import flag, number_of, parse, text_of, version_of
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import ObjectDef
from rehearse.practice.schema_standard import build_standard_objects

Rows = list[dict[str, Any]]
OBJECTS: dict[str, ObjectDef] = {
    one.name: one
    for one in build_standard_objects(
        resources.files("rehearse.practice").joinpath("tooling_objects.txt").read_text(encoding="utf-8")
    )
} | entity_tables.DEFINITIONS
ON_PRODUCTION = ("SandboxInfo", "SandboxProcess", "SandboxProcessStage")
SINCE = {"SandboxProcessStage": 66}  # the API version that brought an object [sandbox-and-auth.md 2.4]
UNMANAGED = {"ManageableState": "unmanaged"}


@dataclass(frozen=True)
class World:
    """What a builder looks at."""

    estate: Estate
    org: OrgState


def find_object(org: OrgState, name: str) -> ObjectDef | None:
    """The Tooling object of this name in any case that this org has; None for plain and unknown ones."""
    found = next((one for one in OBJECTS.values() if one.name.lower() == name.lower()), None)
    if found is not None and found.name in ON_PRODUCTION and org.is_sandbox:
        return None
    if found is not None and found.name == tooling_tracking.NAME and not tooling_tracking.tracks(org):
        return None
    return found


def define(world: World, definition: ObjectDef) -> ObjectDef:
    """The object as this world has it: no source names the column of a stage that tells its process."""
    if definition.name != "SandboxProcessStage":
        return definition
    parent = str(world.estate.settings["stage_parent_field"])
    named = (replace(one, name=parent) if one.name == "SandboxProcessId" else one for one in definition.fields)
    return replace(definition, fields=tuple(named))


def load_rows(world: World, name: str) -> Rows:
    """Every row of a Tooling object."""
    return BUILDERS[name](world)


def _stamps(component: Component) -> dict[str, Any]:
    return {
        "CreatedDate": component.created_at,
        "CreatedById": component.created_by,
        "LastModifiedDate": component.modified_at,
        "LastModifiedById": component.modified_by,
        "SystemModstamp": component.modified_at,
    }


def sandbox_infos(world: World) -> Rows:
    return sandboxes.query_rows(world.estate, "SandboxInfo")


def sandbox_processes(world: World) -> Rows:
    """`Status` holds the code here, which WHERE compares with; tooling_query puts the label into the answer."""
    rows = sandboxes.query_rows(world.estate, "SandboxProcess")
    return [{**row, "Status": row["_status_code"], "_label": row["Status"]} for row in rows]


def sandbox_stages(world: World) -> Rows:
    return sandboxes.query_rows(world.estate, "SandboxProcessStage")


def flow_definitions(world: World) -> Rows:
    rows = []
    for component in components.load_type(world.org, "FlowDefinition"):
        versions = meta_flows.load_versions(world.org, component.name)
        active = next((one.id for one in versions if one.status == "Active"), None)
        newest = parse(versions[-1].xml)
        rows.append(
            {
                "Id": component.id,
                "DeveloperName": component.name,
                "MasterLabel": text_of(newest, "label"),
                "Description": text_of(newest, "description") or None,
                "ActiveVersionId": active,
                "LatestVersionId": versions[-1].id,
                **UNMANAGED,
                **_stamps(component),
            }
        )
    return rows


def flows(world: World) -> Rows:
    definitions = {one.name: one.id for one in components.load_type(world.org, "FlowDefinition")}
    rows = []
    for version in meta_flows.load_versions(world.org):
        xml = parse(version.xml)
        rows.append(
            {
                "Id": version.id,
                "DefinitionId": definitions.get(version.flow),
                "MasterLabel": text_of(xml, "label"),
                "VersionNumber": version.number,
                "Status": version.status,
                "ProcessType": text_of(xml, "processType"),
                "Description": text_of(xml, "description") or None,
                "ApiVersion": version_of(xml) or None,
                "RunInMode": text_of(xml, "runInMode") or None,
                "FullName": f"{version.flow}-{version.number}",
                **UNMANAGED,
                "CreatedDate": version.created_at,
                "CreatedById": version.created_by,
                "LastModifiedDate": version.modified_at,
                "LastModifiedById": version.modified_by,
                "SystemModstamp": version.modified_at,
            }
        )
    return rows


def custom_objects(world: World) -> Rows:
    return [
        {
            "Id": one.id,
            "DeveloperName": one.name.rpartition("__")[0],
            "Description": text_of(parse(one.xml), "description") or None,
            **UNMANAGED,
            **_stamps(one),
        }
        for one in components.load_type(world.org, "CustomObject")
        if one.id
    ]


def _owner_ids(world: World) -> dict[str, str]:
    """What names an object in Tooling rows: the id of a custom object, the name of a standard one."""
    return {one.name: one.id or one.name for one in components.load_type(world.org, "CustomObject")}


def custom_fields(world: World) -> Rows:
    owners, rows = _owner_ids(world), []
    for one in components.load_type(world.org, "CustomField"):
        owner, _, name = one.name.partition(".")
        if not name.endswith("__c"):
            continue
        xml = parse(one.xml)
        rows.append(
            {
                "Id": one.id,
                "DeveloperName": name.removesuffix("__c"),
                "TableEnumOrId": owners.get(owner, owner),
                "EntityDefinitionId": owners.get(owner, owner),
                "FullName": one.name,
                "Length": number_of(xml, "length") or None,
                "InlineHelpText": text_of(xml, "inlineHelpText") or None,
                "Description": text_of(xml, "description") or None,
                **UNMANAGED,
                **_stamps(one),
            }
        )
    return [*rows, *_deleted_fields(world, owners)]


def _deleted_fields(world: World, owners: dict[str, str]) -> Rows:
    """Fields in the bin, renamed (metadata.md 4.1); that queries show them is an assumption."""
    if not world.org.settings.get("deleted_fields_show", True):
        return []
    return [
        {
            "Id": one["id"],
            "DeveloperName": one["name"],
            "TableEnumOrId": owners.get(one["object"], one["object"]),
            "EntityDefinitionId": owners.get(one["object"], one["object"]),
            "FullName": f"{one['object']}.{one['name']}__c",
            **UNMANAGED,
            "CreatedDate": one["created_at"],
            "CreatedById": one["created_by"],
            "LastModifiedDate": one["modified_at"],
            "LastModifiedById": one["modified_by"],
            "SystemModstamp": one["modified_at"],
        }
        for one in deleted_fields.load(world.org)
    ]


def validation_rules(world: World) -> Rows:
    owners, rows = _owner_ids(world), []
    for one in components.load_type(world.org, "ValidationRule"):
        xml = parse(one.xml)
        rows.append(
            {
                "Id": one.id,
                "ValidationName": one.name.partition(".")[2],
                "Active": flag(xml, "active"),
                "EntityDefinitionId": owners.get(one.parent, one.parent),
                "Description": text_of(xml, "description") or None,
                "ErrorDisplayField": text_of(xml, "errorDisplayField") or None,
                "ErrorMessage": text_of(xml, "errorMessage"),
                "FullName": one.name,
                **UNMANAGED,
                **_stamps(one),
            }
        )
    return rows


def entity_definitions(world: World) -> Rows:
    return entity_tables.entity_rows(world.org)


def field_definitions(world: World) -> Rows:
    return entity_tables.field_rows(world.org)


def deploy_requests(world: World) -> Rows:
    rows = []
    for job in meta_jobs.load_all(world.org, "deploy"):
        result, options = deploy_jobs.status(world.org, job.id, details=False), deploy_jobs.options_of(job)
        counts = {name[0].upper() + name[1:]: value for name, value in result.items() if name.startswith("number")}
        rows.append(
            {
                "Id": job.id,
                "Status": result["status"],
                "Type": "Internal" if options.test_level == "" else "Api",
                "StartDate": result.get("startDate"),
                "CompletedDate": result.get("completedDate"),
                "CheckOnly": options.check_only,
                "RollbackOnError": options.rollback_on_error,
                "IgnoreWarnings": options.ignore_warnings,
                "AllowMissingFiles": options.allow_missing_files,
                "PurgeOnDelete": options.purge_on_delete,
                "SinglePackage": options.single_package,
                "RunTestsEnabled": result["runTestsEnabled"],
                "TestLevel": options.test_level or None,
                **counts,
                "ErrorMessage": result.get("errorMessage"),
                "ErrorStatusCode": result.get("errorStatusCode"),
                "CanceledById": result.get("canceledBy"),
                "CreatedById": result["createdBy"],
                "CreatedDate": result["createdDate"],
                "LastModifiedById": result["createdBy"],
                "LastModifiedDate": result.get("lastModifiedDate", result["createdDate"]),
                "SystemModstamp": result.get("lastModifiedDate", result["createdDate"]),
            }
        )
    return rows


def source_tracking(world: World) -> Rows:
    on = bool(world.estate.settings["source_tracking"])
    return [{"Id": "0ST000000000001AAA", "DurableId": "SourceTracking", "IsSourceTrackingSandboxesEnabled": on}]


BUILDERS: dict[str, Callable[[World], Rows]] = {
    "CustomField": custom_fields,
    "CustomObject": custom_objects,
    "DeployRequest": deploy_requests,
    "EntityDefinition": entity_definitions,
    "FieldDefinition": field_definitions,
    "Flow": flows,
    "FlowDefinition": flow_definitions,
    "InstalledSubscriberPackage": lambda world: tooling_packages.installed_packages(world.org),
    "SandboxInfo": sandbox_infos,
    "SandboxProcess": sandbox_processes,
    "SandboxProcessStage": sandbox_stages,
    "SourceMember": lambda world: tooling_tracking.source_members(world.org),
    "SourceTrackingSettings": source_tracking,
    "SubscriberPackage": lambda world: tooling_packages.subscriber_packages(world.org),
    "SubscriberPackageVersion": lambda world: tooling_packages.package_versions(world.org),
    "ValidationRule": validation_rules,
}
