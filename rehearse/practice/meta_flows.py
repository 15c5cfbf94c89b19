"""Flows and their versions: a redeployed flow is a new version, one version at most is active.

The component `Flow` carries the newest version's XML and id; `FlowDefinition` says which version is active (0: none).
Only-status changes are ignored (facts 0.5); activation and deletion of versions come through Tooling or a
FlowDefinition file. Whoever changes what is active also calls meta_automation.
"""

from __future__ import annotations

from dataclasses import dataclass

from rehearse.practice import components
from rehearse.practice.components import Author, Component
from rehearse.practice.json_body import read_whole
from rehearse.practice.meta_xml import elements, local, make, parse, render, same, set_text, text_of
from rehearse.practice.org_state import OrgState

COLUMNS = "flow, number, id, status, xml, created_at, created_by, modified_at, modified_by"


@dataclass(frozen=True)
class FlowVersion:
    """One version of a flow; `status` is Active, Draft, Obsolete or InvalidDraft."""

    flow: str
    number: int
    id: str
    status: str
    xml: bytes
    created_at: str
    created_by: str
    modified_at: str
    modified_by: str


def load_versions(org: OrgState, flow: str = "") -> list[FlowVersion]:
    """All versions of one flow, or of all flows, oldest first."""
    with org.lock:
        where, values = (" WHERE flow = ?", (flow,)) if flow else ("", ())
        rows = org.db.execute(
            f"SELECT {COLUMNS} FROM meta_flow_version{where} ORDER BY flow, number", values
        ).fetchall()
    return [FlowVersion(*row) for row in rows]


def active_number(versions: list[FlowVersion]) -> int:
    """The number of the active version, 0 when there is none."""
    return next((one.number for one in versions if one.status == "Active"), 0)


def same_but_status(left: bytes, right: bytes) -> bool:
    """Whether two flows differ in nothing but their status."""
    stripped = []
    for xml in (left, right):
        root = parse(xml)
        root[:] = [one for one in elements(root) if local(one) != "status"]
        stripped.append(render(root))
    return same(stripped[0], stripped[1], unordered=False)


def save_flow(org: OrgState, component: Component, author: Author, *, activate: bool) -> bool:
    """Deploy a flow: a new version unless it equals the newest one but for its status. Answers whether it did anything.

    Without `activate` a flow that says Active arrives as a Draft (a production without the setting for it)."""
    versions = load_versions(org, component.name)
    if versions and same_but_status(versions[-1].xml, component.xml):
        return False
    number = versions[-1].number + 1 if versions else 1
    root = parse(component.xml)
    status = text_of(root, "status") or "Draft"
    if status == "Active" and not activate:
        status = "Draft"
    name = versions[0].flow if versions else component.name
    with org.transaction() as db:
        db.execute(
            f"INSERT INTO meta_flow_version ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                name,
                number,
                org.new_id("301"),
                "Draft",
                component.xml,
                author.at,
                author.user_id,
                author.at,
                author.user_id,
            ),
        )
        if status == "Active":
            set_active(org, name, number, author)
        else:
            set_status(org, name, number, status, author)
            sync(org, name, author)
    return True


def set_status(org: OrgState, flow: str, number: int, status: str, author: Author) -> None:
    """Change the status of one version, in the table and in its XML."""
    version = next(one for one in load_versions(org, flow) if one.number == number)
    root = parse(version.xml)
    set_text(root, "status", status)
    with org.transaction() as db:
        db.execute(
            "UPDATE meta_flow_version SET status = ?, xml = ?, modified_at = ?, modified_by = ?"
            " WHERE flow = ? AND number = ?",
            (status, render(root), author.at, author.user_id, flow, number),
        )


def set_active(org: OrgState, flow: str, number: int, author: Author) -> None:
    """Make one version the active one, or none (0); the version that was active becomes Obsolete."""
    with org.transaction():
        for version in load_versions(org, flow):
            if version.status == "Active" and version.number != number:
                set_status(org, flow, version.number, "Obsolete", author)
        if number:
            set_status(org, flow, number, "Active", author)
        sync(org, flow, author)


def delete_version(org: OrgState, flow: str, number: int, author: Author) -> None:
    """Forget one version; with the last one the flow itself is gone. The caller has checked that it is not active."""
    with org.transaction() as db:
        db.execute("DELETE FROM meta_flow_version WHERE flow = ? AND number = ?", (flow, number))
        sync(org, flow, author)


def sync(org: OrgState, flow: str, author: Author) -> None:
    """Make the components Flow and FlowDefinition agree with the versions."""
    versions = load_versions(org, flow)
    if not versions:
        components.remove(org, "Flow", flow)
        components.remove(org, "FlowDefinition", flow)
        return
    newest = versions[-1]
    old = components.find(org, "Flow", flow)
    if old is None or (old.id, old.xml) != (newest.id, newest.xml):
        components.save(org, Component("Flow", flow, newest.xml, id=newest.id), author)
    number = active_number(versions)
    root = make("FlowDefinition")
    if number:
        root.append(make("activeVersionNumber", text=str(number)))
    xml = render(root)
    definition = components.find(org, "FlowDefinition", flow)
    if definition is None or definition.xml != xml:
        components.save(org, Component("FlowDefinition", flow, xml), author)


def split_version_name(name: str) -> tuple[str, int]:
    """`Reminder-3` as ("Reminder", 3); a bare name has number 0."""
    flow, _, number = name.rpartition("-")
    version = read_whole(number)
    return (flow, version) if flow and version is not None else (name, 0)
