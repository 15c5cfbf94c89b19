"""Installed packages as Tooling queries show them: the installation, the package, and its version.

Made from the InstalledPackage components of an org; the three ids of one package share their tail. Nothing is kept.
"""

from __future__ import annotations

from typing import Any

from rehearse.practice import components
from rehearse.practice.components import Component
from rehearse.practice.meta_xml import parse, text_of
from rehearse.practice.org_state import OrgState

Rows = list[dict[str, Any]]


def _packages(org: OrgState) -> list[tuple[Component, list[int]]]:
    found = []
    for one in components.load_type(org, "InstalledPackage"):
        numbers = [int(part) for part in text_of(parse(one.xml), "versionNumber", "1.0").split(".") if part.isdigit()]
        found.append((one, [*numbers, 0, 0, 0][:4]))
    return found


def installed_packages(org: OrgState) -> Rows:
    rows = []
    for one, _ in _packages(org):
        tail = one.id[3:]
        rows.append({"Id": one.id, "SubscriberPackageId": f"033{tail}", "SubscriberPackageVersionId": f"04t{tail}"})
    return rows


def subscriber_packages(org: OrgState) -> Rows:
    return [{"Id": f"033{one.id[3:]}", "Name": one.name, "NamespacePrefix": one.name} for one, _ in _packages(org)]


def package_versions(org: OrgState) -> Rows:
    names = ("MajorVersion", "MinorVersion", "PatchVersion", "BuildNumber")
    return [
        {"Id": f"04t{one.id[3:]}", "Name": one.name, "IsBeta": False, **dict(zip(names, numbers, strict=True))}
        for one, numbers in _packages(org)
    ]
