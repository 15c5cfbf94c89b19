"""Switches that are components: automation that a deployment turns off, and flows by their active version.

Reads only: what a component was before, and whether it is that again. Who deploys is apply_deactivation.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.baseline.components import read_components, read_package
from rehearse.baseline.packages import build_deploy_files, container_of
from rehearse.baseline.writing import nameless_file
from rehearse.errors import NotFound, UsageError
from rehearse.org.connect import OrgReader
from rehearse.reset.bypass_rows import CORRECT
from rehearse.reset.model import Silenced, Switch

FLOW_FILE = "rehearse/active-version"
"""What stands for a flow's file: the number of its active version."""


def place_of(switch: Switch) -> tuple[str, str]:
    """The component that a switch of this kind is: type and full name."""
    type, _, name = switch.name.partition(":")
    return type, name


def fetch_prior(reader: OrgReader, switch: Switch) -> dict[str, str]:
    """The files of the component as it is now; of a flow, the number of its active version. Raises UsageError."""
    type, name = place_of(switch)
    if type == "Flow":
        return {FLOW_FILE: str(fetch_active_version(reader, name))}
    files = fetch_files(reader, type, name)
    try:
        cut = build_deploy_files([(type, name)], files, reader.api_version)
    except NotFound as error:
        raise UsageError(
            f"scope.bypass deactivates {type} {name}, which the sandbox does not have.", CORRECT
        ) from error
    return {path: content.decode() for path, content in cut.items()}


def is_back(reader: OrgReader, silenced: Silenced) -> bool:
    """Whether the component is what it was before it was switched off."""
    type, name = place_of(silenced.switch)
    if type == "Flow":
        return fetch_active_version(reader, name) == int(silenced.files[FLOW_FILE])
    files = {path: content.encode() for path, content in silenced.files.items()}
    return digest_of(fetch_files(reader, type, name), type, name) == digest_of(files, type, name)


def fetch_files(reader: OrgReader, type: str, name: str) -> dict[str, bytes]:
    """The files of one component, with its container where it lives in one."""
    with nameless_file() as path:
        members = {type: (name,)} if container_of(type, name)[0] == type else {
            type: (name,), container_of(type, name)[0]: (container_of(type, name)[1],)
        }  # fmt: skip
        reader.retrieve(members, path)
        return read_package(path)


def digest_of(files: Mapping[str, bytes], type: str, name: str) -> str | None:
    """The canonical digest of one component in these files; None where they do not hold it."""
    return next((one.digest for one in read_components(files) if (one.type, one.full_name) == (type, name)), None)


def fetch_active_version(reader: OrgReader, flow: str) -> int:
    """The number of a flow's active version, 0 where none is. Raises UsageError for a flow that is not there."""
    soql = f"SELECT VersionNumber, Status FROM Flow WHERE Definition.DeveloperName = '{flow}'"
    rows = list(reader.fetch_tooling_rows(soql))
    if not rows:
        raise UsageError(f"scope.bypass deactivates the flow {flow}, which the sandbox does not have.", CORRECT)
    return next((int(str(row["VersionNumber"])) for row in rows if row["Status"] == "Active"), 0)
