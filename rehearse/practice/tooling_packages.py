"""Installed packages as Tooling queries show them: the installation, the package, and its version.

Made from the InstalledPackage components of an org; the id of a version follows its numbers. Nothing is kept.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from rehearse.practice import components
from rehearse.practice.components import Component
from rehearse.practice.json_body import read_whole
from rehearse.practice.meta_xml import parse, text_of
from rehearse.practice.org_ids import base62, to_18
from rehearse.practice.org_state import OrgState

Rows = list[dict[str, Any]]


def _packages(org: OrgState) -> list[tuple[Component, list[int]]]:
    found = []
    for one in components.load_type(org, "InstalledPackage"):
        parts = map(read_whole, text_of(parse(one.xml), "versionNumber", "1.0").split("."))
        numbers = [number for number in parts if number is not None]
        found.append((one, [*numbers, 0, 0, 0][:4]))
    return found


def _package_id(one: Component) -> str:
    return to_18(f"033{one.id[3:15]}")


def _version_id(one: Component, numbers: list[int]) -> str:
    """The id of a version of a package: the same for the same version, another for another one."""
    mark = crc32(".".join(map(str, numbers)).encode()) % 62**4
    return to_18(f"04t{one.id[3:11]}{base62(mark, 4)}")


def installed_packages(org: OrgState) -> Rows:
    rows = []
    for one, numbers in _packages(org):
        version = _version_id(one, numbers)
        rows.append({"Id": one.id, "SubscriberPackageId": _package_id(one), "SubscriberPackageVersionId": version})
    return rows


def subscriber_packages(org: OrgState) -> Rows:
    return [{"Id": _package_id(one), "Name": one.name, "NamespacePrefix": one.name} for one, _ in _packages(org)]


def package_versions(org: OrgState) -> Rows:
    names = ("MajorVersion", "MinorVersion", "PatchVersion", "BuildNumber")
    return [
        {"Id": _version_id(one, numbers), "Name": one.name, "IsBeta": False, **dict(zip(names, numbers, strict=True))}
        for one, numbers in _packages(org)
    ]
