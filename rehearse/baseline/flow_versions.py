"""The version history of flows, which the Metadata API does not show (facts/metadata.md 0.5): from Tooling.

It becomes the FlowDefinition component of each flow, where a version counts as Active or Inactive.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from rehearse.baseline.canonical_xml import NAMESPACE
from rehearse.baseline.components import OWN
from rehearse.errors import OrgRejected
from rehearse.ids import to_18
from rehearse.org.reader import OrgReader


def fetch_flow_versions(reader: OrgReader) -> dict[str, bytes] | None:
    """A FlowDefinition file a flow; None where Tooling will not say. Raises OrgError where the org fails."""
    try:
        definitions = list(reader.fetch_tooling_rows("SELECT Id, DeveloperName, ActiveVersionId FROM FlowDefinition"))
        flows = list(reader.fetch_tooling_rows("SELECT Id, DefinitionId, VersionNumber, Status FROM Flow"))
    except OrgRejected:
        return None
    versions: dict[str, list[tuple[int, str]]] = {}
    for row in flows:
        active = "Active" if row["Status"] == "Active" else "Inactive"
        versions.setdefault(to_18(str(row["DefinitionId"])), []).append((int(row["VersionNumber"] or 0), active))
    return {
        f"{OWN}flowDefinitions/{row['DeveloperName']}.flowDefinition": _render_flow(
            sorted(versions.get(to_18(str(row["Id"])), []))
        )
        for row in definitions
    }


def _render_flow(versions: Sequence[tuple[int, str]]) -> bytes:
    active = next((number for number, status in versions if status == "Active"), None)
    said = f"<activeVersionNumber>{active}</activeVersionNumber>" if active else ""
    listed = "".join(
        f"<versions><number>{number}</number><status>{escape(status)}</status></versions>"
        for number, status in versions
    )
    return f'<FlowDefinition xmlns="{NAMESPACE}">{said}{listed}</FlowDefinition>\n'.encode()
