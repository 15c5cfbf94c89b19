"""Retrieving: from a manifest to the zip that Salesforce would give, with its gaps.

Wildcards take custom objects only; children and foldered types have none; a standard object shows what may be
customised; a profile shows what its co-members allow; of a flow there is the newest version only. A member that is
missing is a message, never an error. Array order is shuffled, in a way that the retrieve's id decides.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehearse.practice import components, meta_schema
from rehearse.practice.components import Component
from rehearse.practice.meta_files import files_of, join_container, shuffle
from rehearse.practice.meta_list import Properties, Register, file_properties
from rehearse.practice.meta_package import Package, render_package
from rehearse.practice.meta_profiles import add_missing_fields, filter_profile
from rehearse.practice.meta_translations import filter_translation
from rehearse.practice.meta_types import BY_NAME, CONTAINER_OF, FOLDER_TYPE, MetaType, known
from rehearse.practice.meta_xml import elements, local, parse
from rehearse.practice.org_state import OrgState

MOST_FILES = 10_000
MOST_BYTES = 39_000_000  # in base64 they are what a SOAP message may hold [metadata.md 2]; the text is our guess
PREFIX = "unpackaged/"


@dataclass(frozen=True)
class RetrieveRequest:
    """What a retrieve asks for; `id` seeds the order of arrays."""

    id: str
    package: Package
    single_package: bool = False
    package_names: tuple[str, ...] = ()
    specific_files: tuple[str, ...] = ()


@dataclass
class Found:
    """The members that exist, by type, and a message for each that does not."""

    chosen: dict[str, dict[str, Component]] = field(default_factory=dict)
    messages: list[Properties] = field(default_factory=list)

    @property
    def names(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(members) for name, members in self.chosen.items()}


@dataclass(frozen=True)
class Retrieved:
    """A finished retrieve: a RetrieveResult without its zip, and the zip (None where it failed)."""

    result: Properties
    zip: bytes | None


def run(org: OrgState, request: RetrieveRequest) -> Retrieved:
    """Do a whole retrieve on one moment of the org."""
    with org.lock:
        if request.package_names:
            name = request.package_names[0]
            return _failed(request, "INVALID_CROSS_REFERENCE_KEY", f"No package named '{name}' found")
        found = resolve(org, request.package)
        files = build_files(org, found, request.id)
        limit = int(org.settings.get("retrieve_file_limit", MOST_FILES))
        if len(files) > limit:
            return _failed(request, "LIMIT_EXCEEDED", f"Too many files in retrieve call, limit is {limit}")
        if request.specific_files:
            wanted = {path.removeprefix(PREFIX) for path in request.specific_files}
            files = {path: body for path, body in files.items() if path in wanted}
        prefix = "" if request.single_package else PREFIX
        members = {name: sorted(one) for name, one in found.chosen.items() if name != FOLDER_TYPE.name}
        for folder in found.chosen.get(FOLDER_TYPE.name, {}):
            members.setdefault("Report", []).append(folder)
        files["package.xml"] = render_package(members, request.package.version)
        register = Register(org)
        listed = [
            file_properties(one, register, PREFIX)
            for _, every in sorted(found.chosen.items())
            for one in every.values()
        ]
        listed.append(_manifest_properties(org))
        packed = build_zip(files, prefix, org.now())
        most = int(org.settings.get("retrieve_zip_bytes", MOST_BYTES))
        if len(packed) > most:
            return _failed(request, "LIMIT_EXCEEDED", f"The retrieved zip file is larger than {most} bytes")
        return Retrieved(_result(request, listed, found.messages), packed)


def _result(request: RetrieveRequest, listed: list[Properties], messages: list[Properties]) -> Properties:
    return {
        "done": True,
        "fileProperties": listed,
        "id": request.id,
        "messages": messages,
        "status": "Succeeded",
        "success": True,
    }


def _failed(request: RetrieveRequest, code: str, text: str) -> Retrieved:
    result: Properties = {"done": True, "errorMessage": text, "errorStatusCode": code, "fileProperties": []}
    return Retrieved({**result, "id": request.id, "messages": [], "status": "Failed", "success": False}, None)


def _manifest_properties(org: OrgState) -> Properties:
    stamp = org.stamp()
    who = {"ById": "", "ByName": "", "Date": stamp}
    made: dict[str, Any] = {f"created{key}": value for key, value in who.items()}
    made |= {"fileName": f"{PREFIX}package.xml", "fullName": f"{PREFIX}package.xml", "id": ""}
    made |= {f"lastModified{key}": value for key, value in who.items()}
    return {**made, "manageableState": "unmanaged", "type": "Package"}


def resolve(org: OrgState, package: Package) -> Found:
    """The components that a manifest stands for in this org."""
    found = Found()
    for type_name, members in package.members.items():
        if not known(type_name):
            found.messages.append(_message(f"Entity type: '{type_name}' is unknown"))
            continue
        for member in members:
            matches = list(_match(org, type_name, member))
            for component in matches:
                found.chosen.setdefault(component.type, {})[component.name] = component
            if not matches and not (member == "*" and type_name in BY_NAME and BY_NAME[type_name].wildcard):
                text = f"Entity of type '{type_name}' named '{member}' cannot be found"
                found.messages.append(_message(text))
    return found


def _message(problem: str) -> Properties:
    return {"fileName": f"{PREFIX}package.xml", "problem": problem}


def _match(org: OrgState, type_name: str, member: str) -> Iterable[Component]:
    if member != "*":
        one = components.find(org, type_name, member)
        if one is None and type_name == "Report" and "/" not in member:
            one = components.find(org, FOLDER_TYPE.name, member)
        return [one] if one else []
    if type_name not in BY_NAME or not BY_NAME[type_name].wildcard:
        return []
    every = components.load_type(org, type_name)
    if type_name == "CustomObject":
        return [one for one in every if one.name.endswith(("__c", "__mdt", "__e"))]
    return every


def build_files(org: OrgState, found: Found, seed: str) -> dict[str, bytes]:
    """The files of the chosen components, containers put together from their children."""
    files: dict[str, bytes] = {}
    mixed = bool(org.settings.get("retrieve_shuffles", True))
    fields = permitted_fields(org, found.names)
    for type_name, members in sorted(found.chosen.items()):
        if type_name in CONTAINER_OF:
            continue
        for component in members.values():
            if BY_NAME[type_name].children:
                continue
            root = parse(component.xml)
            if type_name in ("CustomObjectTranslation", "Translations"):
                filter_translation(root, component.name, found.names)
            if type_name == "Profile":
                filter_profile(root, found.names, fields)
            elif type_name == "PermissionSet" and org.settings.get("permission_set_noise", True):
                add_missing_fields(root, found.names, fields)
                root[:] = sorted(elements(root), key=local)
            if mixed and BY_NAME[type_name].unordered:
                shuffle(root, f"{seed}/{type_name}/{component.name}")
            files |= files_of(component, root)
    for one, parents in containers(found.chosen).items():
        for parent, (own, children) in parents.items():
            every = _all_children(org, one, parent) if own else children
            root = join_container(one, own.xml if own else None, every)
            if mixed:
                shuffle(root, f"{seed}/{one.name}/{parent}")
            files |= files_of(own or Component(one.name, parent, b""), root)
    return dict(sorted(files.items()))


Containers = dict[MetaType, dict[str, tuple[Component | None, list[Component]]]]


def containers(chosen: Mapping[str, Mapping[str, Component]]) -> Containers:
    """For each container type the containers that the chosen members live in: chosen itself or not, chosen children."""
    grouped: Containers = {}
    for type_name, members in sorted(chosen.items()):
        for component in members.values():
            if type_name in CONTAINER_OF:
                parents = grouped.setdefault(CONTAINER_OF[type_name][0], {})
                parents.setdefault(component.parent, (None, []))[1].append(component)
            elif BY_NAME[type_name].children:
                parents = grouped.setdefault(BY_NAME[type_name], {})
                parents[component.name] = (component, parents.get(component.name, (None, []))[1])
    return grouped


def _all_children(org: OrgState, one: MetaType, parent: str) -> list[Component]:
    return [part for child in one.children for part in components.load_children(org, child.name, parent)]


def permitted_fields(org: OrgState, resolved: Mapping[str, frozenset[str]]) -> list[str]:
    """The custom fields of the chosen objects, and the chosen fields, that may carry a permission: none is required."""
    objects = resolved.get("CustomObject", frozenset())
    objects |= {path.partition(".")[0] for path in resolved.get("CustomField", frozenset())}
    return [
        f"{name}.{field.name}"
        for name in sorted(objects)
        for field in meta_schema.custom_fields(org, name).values()
        if not field.required and field.compound is None
    ]


def build_zip(files: Mapping[str, bytes], prefix: str, now: datetime) -> bytes:
    """The zip of a tree; every entry carries the virtual time, so the same state and moment give the same bytes."""
    body = io.BytesIO()
    moment = (now.year, now.month, now.day, now.hour, now.minute, now.second)
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(prefix + path, moment), files[path], zipfile.ZIP_DEFLATED)
    return body.getvalue()
