"""An installed package moves to another version, as when its publisher pushes an upgrade or a person installs one.

The platform has no way back from a newer version (metadata.md 4.1, InstalledPackage), so this refuses an older one,
and a package that is not installed, with ValueError. The move stands in the audit trail.
"""

from __future__ import annotations

from collections.abc import Iterable

from rehearse.practice import components
from rehearse.practice.components import Author
from rehearse.practice.meta_mirror import write_audit
from rehearse.practice.meta_xml import parse, render, set_text, text_of
from rehearse.practice.org_state import OrgState


def installed_versions(org: OrgState) -> dict[str, str]:
    """The version of every installed package by its namespace."""
    found = components.load_type(org, "InstalledPackage")
    return {one.name: text_of(parse(one.xml), "versionNumber", "1.0") for one in found}


def namespace_of(type_name: str, name: str, namespaces: Iterable[str]) -> str:
    """The namespace of the package that a component came with, by its own name, not that of its object."""
    short = name.partition("-")[2] if type_name == "Layout" else name.rpartition(".")[2]
    return next((one for one in namespaces if short.startswith(f"{one}__")), "")


def move_package(org: OrgState, user_id: str, namespace: str, version: str) -> None:
    """Put a newer version of an installed package in the place of the one that is there."""
    kept = components.find(org, "InstalledPackage", namespace)
    if kept is None:
        raise ValueError(f"No package {namespace} is installed.")
    root = parse(kept.xml)
    old, new = _numbers(text_of(root, "versionNumber", "1.0")), _numbers(version)
    if new <= old:
        raise ValueError(f"{namespace} has version {'.'.join(map(str, old))}; there is no way back to {version}.")
    set_text(root, "versionNumber", version)
    author = Author(user_id, org.stamp())
    with org.transaction():
        components.rewrite(org, kept, render(root), author)
        write_audit(org, author, "changed", kept)


def _numbers(version: str) -> list[int]:
    parts = version.split(".")
    if not 2 <= len(parts) <= 4 or not all(part.isdecimal() for part in parts):
        raise ValueError(f"A version is two to four numbers with dots, such as 3.12, not {version}.")
    numbers = [int(part) for part in parts]
    while len(numbers) > 2 and not numbers[-1]:
        numbers.pop()
    return numbers
