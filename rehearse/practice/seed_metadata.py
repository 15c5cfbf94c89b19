"""The metadata of the practice company as mdapi trees: path -> bytes, the same for the same seed.

Tidewater Pumps sells pumps to harbours and water works, delivers them in projects and sends invoices: about 110
component files of more than 15 types. `build_layers` gives the order of history (a flow gets a version in each layer
that holds it); `build_files` is the newest state as one tree with its package.xml.
"""

from __future__ import annotations

import random

from rehearse.practice import seed_access, seed_code, seed_flows, seed_pages
from rehearse.practice.seed_xml import render_component, render_manifest

# Directory -> (type, suffix). Directories with a rule of their own (objects' children, folders, bundles) see below.
DIRECTORIES = {
    "applications": ("CustomApplication", ".app"),
    "classes": ("ApexClass", ".cls"),
    "customPermissions": ("CustomPermission", ".customPermission"),
    "flows": ("Flow", ".flow"),
    "globalValueSets": ("GlobalValueSet", ".globalValueSet"),
    "groups": ("Group", ".group"),
    "installedPackages": ("InstalledPackage", ".installedPackage"),
    "layouts": ("Layout", ".layout"),
    "objects": ("CustomObject", ".object"),
    "permissionsets": ("PermissionSet", ".permissionset"),
    "profiles": ("Profile", ".profile"),
    "queues": ("Queue", ".queue"),
    "quickActions": ("QuickAction", ".quickAction"),
    "remoteSiteSettings": ("RemoteSiteSetting", ".remoteSite"),
    "reports": ("Report", ".report"),
    "roles": ("Role", ".role"),
    "settings": ("Settings", ".settings"),
    "staticresources": ("StaticResource", ".resource"),
    "tabs": ("CustomTab", ".tab"),
    "triggers": ("ApexTrigger", ".trigger"),
    "workflows": ("Workflow", ".workflow"),
}


def list_members(files: dict[str, bytes]) -> dict[str, list[str]]:
    """What a tree holds, as the members of a package.xml: type -> full names."""
    members: dict[str, set[str]] = {}
    for path in files:
        directory, _, rest = path.partition("/")
        if directory == "lwc":
            members.setdefault("LightningComponentBundle", set()).add(rest.partition("/")[0])
        elif directory == "labels":
            members.setdefault("CustomLabels", set()).add("CustomLabels")
        elif directory == "reports" and rest.endswith("-meta.xml"):
            members.setdefault("Report", set()).add(rest.removesuffix("-meta.xml"))
        elif directory in DIRECTORIES and rest.endswith(DIRECTORIES[directory][1]):
            kind, suffix = DIRECTORIES[directory]
            members.setdefault(kind, set()).add(rest.removesuffix(suffix))
    return {kind: sorted(names) for kind, names in sorted(members.items())}


def with_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    """The tree with a package.xml that names everything in it."""
    return {"package.xml": render_manifest(list_members(files)), **dict(sorted(files.items()))}


def build_layers(seed: int = 1) -> list[dict[str, bytes]]:
    """The trees to install one after the other; together they are the company's metadata with its flow versions."""
    hotline = f"+353 1 555 {random.Random(f'hotline {seed}').randrange(1000, 9999)}"
    objects = seed_access.ALL_OBJECTS.items()
    first = {f"objects/{name}.object": render_component("CustomObject", body) for name, body in objects}
    first |= seed_code.build_code_files() | seed_pages.build_page_files(hotline) | seed_access.build_access_files()
    flows = seed_flows.build_flow_layers()
    return [with_manifest(first | flows[0]), *(with_manifest(layer) for layer in flows[1:])]


def build_files(seed: int = 1) -> dict[str, bytes]:
    """The newest state as one tree, package.xml included; of a flow only its newest version, as a retrieve gives it."""
    files: dict[str, bytes] = {}
    for layer in build_layers(seed):
        files |= layer
    files.pop("package.xml")
    return with_manifest(files)
