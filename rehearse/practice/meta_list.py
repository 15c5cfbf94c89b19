"""describeMetadata and listMetadata: which types there are, and what there is of each, with Salesforce's traps.

Three queries a call at most; one unknown type spoils the whole call; foldered types list nothing without a folder;
some types report 1970. Answers are plain mappings whose keys stand in the order of the WSDL.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearse.practice import components
from rehearse.practice.components import Component
from rehearse.practice.http_errors import ApiError
from rehearse.practice.meta_types import BY_NAME, CONTAINER_OF, EPOCH, FOLDER_TYPE, LISTED_AS_NIL, TYPES, known
from rehearse.practice.org_state import OrgState
from rehearse.practice.packages_installed import installed_versions, namespace_of

MOST_QUERIES = 3
Properties = dict[str, Any]


def describe(org: OrgState) -> Properties:
    """DescribeMetadataResult. `testRequired` is true for production, `partialSaveAllowed` its opposite (facts 1.2)."""
    kinds: list[Properties] = []
    for one in TYPES:
        kind: Properties = {"childXmlNames": [child.name for child in one.children], "directoryName": one.directory}
        kind |= {"inFolder": bool(one.folder), "metaFile": one.content}
        if one.suffix:
            kind["suffix"] = one.suffix
        kinds.append({**kind, "xmlName": one.name})
    production = not org.is_sandbox
    return {
        "metadataObjects": kinds,
        "organizationNamespace": "",
        "partialSaveAllowed": not production,
        "testRequired": production,
    }


def list_members(org: OrgState, queries: Iterable[tuple[str, str]]) -> list[Properties]:
    """FileProperties for the (type, folder) queries, flat. Raises LIMIT_EXCEEDED and INVALID_TYPE."""
    asked = list(queries)
    if len(asked) > MOST_QUERIES:
        raise ApiError(500, "LIMIT_EXCEEDED", f"No more than {MOST_QUERIES} allowed in request")
    for type_name, _ in asked:
        if not known(type_name):
            raise ApiError(500, "INVALID_TYPE", f"Cannot use: {type_name} in this version")
    register = Register(org)
    found: list[Properties] = []
    for type_name, folder in asked:
        found += [_in_list(file_properties(one, register), register) for one in listed(org, type_name, folder)]
    return found


def _in_list(properties: Properties, register: Register) -> Properties:
    """What a list shows of a component: some types are nil there, some have no file name (facts 1.3)."""
    shown = {**properties, "type": None} if properties["type"] in LISTED_AS_NIL else properties
    return {**shown, "fileName": None} if properties["type"] in register.unnamed else shown


def listed(org: OrgState, type_name: str, folder: str = "") -> list[Component]:
    """The components that a list of this type shows, without their contents; a foldered type shows one folder."""
    if type_name == "StandardValueSet":  # its members are there, but no list shows them (facts 1.3)
        return []
    every = components.load_heads(org, type_name)
    if type_name in BY_NAME and BY_NAME[type_name].folder:
        return [one for one in every if folder and one.name.startswith(f"{folder}/")]
    return every


class Register:
    """What every line of a list needs, read once: the names of users by id, and the types without dates."""

    def __init__(self, org: OrgState) -> None:
        sql = 'SELECT "Id", trim(coalesce("FirstName", ?) || ? || "LastName") FROM "User"'
        with org.lock:
            self._names: dict[str, str] = dict(org.db.execute(sql, ("", " ")))
        self.namespaces = frozenset(installed_versions(org))
        self.undated = frozenset(org.settings.get("undated_types", ()))
        self.unnamed = frozenset(org.settings.get("unnamed_files", ()))

    def name(self, user_id: str) -> str:
        """The name of a user; the platform's own user where nobody has this id."""
        return self._names.get(user_id) or "Automated Process"


def file_properties(component: Component, register: Register, prefix: str = "") -> Properties:
    """One FileProperties of a component; `prefix` is the zip folder of a retrieve, with its slash."""
    one = CONTAINER_OF[component.type][0] if component.type in CONTAINER_OF else BY_NAME[component.type]
    dated = component.created_at != EPOCH and component.type not in register.undated
    path = f"reports/{component.name}" if one is FOLDER_TYPE else component.path
    if one.bundle:
        path = f"{one.directory}/{component.name}"
    return {
        "createdById": component.created_by,
        "createdByName": register.name(component.created_by),
        "createdDate": component.created_at if dated else EPOCH,
        "fileName": f"{prefix}{path}",
        "fullName": component.name,
        "id": component.id,
        "lastModifiedById": component.modified_by,
        "lastModifiedByName": register.name(component.modified_by),
        "lastModifiedDate": component.modified_at if dated else EPOCH,
        **_managed(namespace_of(component.type, component.name, register.namespaces)),
        "type": component.type,
    }


def _managed(namespace: str) -> Properties:
    return (
        {"manageableState": "installed", "namespacePrefix": namespace}
        if namespace
        else {"manageableState": "unmanaged"}
    )
