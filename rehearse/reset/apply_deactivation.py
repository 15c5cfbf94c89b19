"""Automation that is switched off by deployment and on again by its own bytes; flows by their active version.

Holds the writer, with apply_bypass. What is deployed to switch off is the component as it stands in the org, cut out of
its container, with nothing but its switch turned; what is deployed to switch on again is what was retrieved before.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.baseline.canonical_xml import parse_xml, tag_of
from rehearse.baseline.components import find_child
from rehearse.baseline.writing import nameless_file
from rehearse.errors import OrgRejected
from rehearse.org.writer import OrgWriter
from rehearse.reset.apply_context import Tools
from rehearse.reset.bypass_components import FLOW_FILE, digest_of, fetch_active_version, fetch_files, place_of
from rehearse.reset.component_xml import set_text, text_at, write
from rehearse.reset.deploy_zip import write_zip
from rehearse.reset.model import Silenced

_SWITCHES = {
    "ValidationRule": ("active", "false"),
    "WorkflowRule": ("active", "false"),
    "ApexTrigger": ("status", "Inactive"),
    "DuplicateRule": ("isActive", "false"),
}
"""Type -> the element that says whether it is active, and its text for no."""


def put_on(tools: Tools, silenced: Silenced) -> list[str]:
    """Switch the component off, unless it is; answers the deployments. Raises OrgRejected when the org refuses."""
    type, name = place_of(silenced.switch)
    if type == "Flow":
        _set_version(tools.writer, name, 0)
        return []
    return _deploy(tools, type, name, _off(silenced))


def was_off(silenced: Silenced) -> bool:
    """Whether the component was not active before anybody switched it off."""
    type, name = place_of(silenced.switch)
    if type == "Flow":
        return silenced.files[FLOW_FILE] == "0"
    before = {path: content.encode() for path, content in silenced.files.items()}
    return digest_of(before, type, name) == digest_of(_off(silenced), type, name)


def _off(silenced: Silenced) -> dict[str, bytes]:
    type, name = place_of(silenced.switch)
    return {path: _turned(path, content.encode(), type, name) for path, content in silenced.files.items()}


def put_back(tools: Tools, silenced: Silenced) -> list[str]:
    """Deploy what was there before, unless it is there; answers the deployments. Raises OrgRejected."""
    type, name = place_of(silenced.switch)
    if type == "Flow":
        _set_version(tools.writer, name, int(silenced.files[FLOW_FILE]))
        return []
    return _deploy(tools, type, name, {path: content.encode() for path, content in silenced.files.items()})


def _turned(path: str, content: bytes, type: str, name: str) -> bytes:
    """A file with the switch of this component turned off."""
    root = parse_xml(content)
    if root is None or path == "package.xml":
        return content
    element = root if tag_of(root) == type else find_child(root, type, name.partition(".")[2])
    tag, off = _SWITCHES[type]
    if element is not None and text_at(element, tag) is not None:
        set_text(element, tag, off)
    return write(root)


def _deploy(tools: Tools, type: str, name: str, files: Mapping[str, bytes]) -> list[str]:
    if digest_of(fetch_files(tools.writer.reader, type, name), type, name) == digest_of(files, type, name):
        return []
    with nameless_file() as path:
        write_zip(files, path)
        deploy_id = tools.writer.start_deploy(path)
    result = tools.writer.wait_deploy(deploy_id, tools.on_event)
    if not result.success:
        why = result.error or next((one.problem for one in result.messages if not one.success), "it failed")
        raise OrgRejected("DEPLOY_FAILED", why, f"Switching {type} {name}")
    return [deploy_id]


def _set_version(writer: OrgWriter, flow: str, number: int) -> None:
    if fetch_active_version(writer.reader, flow) != number:
        writer.set_active_flow_version(flow, number)
