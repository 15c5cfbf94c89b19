"""Writing one component of a deployment: what is created, what is changed, and what was the same already.

Every type is a replacement of the XML but these: containers and profiles merge, picklists keep dropped values inactive,
flows get versions, a FlowDefinition activates. Checks live in deploy_references; the schema follows in `settle`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rehearse.practice import components, meta_automation, meta_flows, meta_mirror, meta_schema, meta_value_sets
from rehearse.practice.components import Author, Component
from rehearse.practice.deploy_access import (
    drop_silent,
    keep_values,
    merge_entries,
    merge_own_part,
    merge_pages,
    merge_profile,
)
from rehearse.practice.deploy_model import DeployProblem
from rehearse.practice.meta_types import BY_NAME, CONTAINER_OF
from rehearse.practice.meta_xml import number_of, parse, same
from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_rollup import settle as settle_roll_ups

TRANSLATIONS = ("CustomObjectTranslation", "GlobalValueSetTranslation", "Translations")


def write(org: OrgState, component: Component, author: Author, *, activate: bool = True) -> str:
    """Write one component; answers created, changed or the empty text when the org was the same already."""
    if component.type == "Flow":
        return _write_flow(org, component, author, activate)
    if component.type == "FlowDefinition":
        return _write_definition(org, component, author)
    old = components.find(org, component.type, component.name)
    if component.type == "PermissionSet" or (component.type == "Profile" and old is None):
        component = replace(component, xml=drop_silent(component.xml))
    if old is None:
        kept = components.save(org, replace(component, id=meta_mirror.adopt_id(org, component)), author)
        meta_mirror.mirror(org, kept)
        return "created"
    xml = _meet(old, component)
    one = BY_NAME.get(component.type)
    unordered = one is not None and one.unordered
    if same(old.xml, xml, unordered=unordered) and dict(old.files) == dict(component.files):
        return ""
    kept = components.save(org, replace(component, xml=xml, path=old.path, name=old.name, parent=old.parent), author)
    meta_mirror.mirror(org, kept)
    return "changed"


def _meet(old: Component, new: Component) -> bytes:
    if new.type == "Profile":
        return drop_silent(merge_profile(old.xml, new.xml))
    if new.type in ("CustomField", "GlobalValueSet", "StandardValueSet"):
        return keep_values(old.xml, new.xml)
    if new.type in TRANSLATIONS:
        return merge_entries(old.xml, new.xml)
    if new.type == "CustomApplication":
        return merge_pages(old.xml, new.xml)
    if new.type in BY_NAME and BY_NAME[new.type].children:
        return merge_own_part(old.xml, new.xml)
    return new.xml


def _write_flow(org: OrgState, component: Component, author: Author, activate: bool) -> str:
    before = components.find(org, "Flow", component.name)
    if not meta_flows.save_flow(org, component, author, activate=activate):
        return ""
    return "changed" if before else "created"


def _write_definition(org: OrgState, component: Component, author: Author) -> str:
    versions = meta_flows.load_versions(org, component.name)
    try:
        number = number_of(parse(component.xml), "activeVersionNumber")
    except ValueError as error:
        raise DeployProblem(f"In field: activeVersionNumber - {error}") from None
    if not versions:
        raise DeployProblem(f"no Flow named {component.name} found")
    if number and number not in {one.number for one in versions}:
        raise DeployProblem(f"In field: activeVersionNumber - no Flow named {component.name}-{number} found")
    if number == meta_flows.active_number(versions):
        return ""
    meta_flows.set_active(org, versions[0].flow, number, author)
    return "changed"


def ensure_container(org: OrgState, component: Component, author: Author) -> None:
    """Give a child's container a part of its own where it has none yet: a Workflow, CustomLabels, a standard object."""
    if component.type not in CONTAINER_OF:
        return
    one, _ = CONTAINER_OF[component.type]
    if components.find(org, one.name, component.parent) is not None:
        return
    if one.name == "CustomObject" and org.find_object(component.parent) is None:
        return
    empty = f'<{one.name} xmlns="http://soap.sforce.com/2006/04/metadata"/>'.encode()
    components.save(org, Component(one.name, component.parent, empty, path=component.path), author)


def settle(org: OrgState, written: Iterable[Component]) -> None:
    """Make objects, validation rules and picklist values follow what was written."""
    objects: set[str] = set()
    rules: set[str] = set()
    kept = list(written)
    for component in kept:
        if component.type == "CustomObject":
            objects.add(component.name)
        elif component.type in ("CustomField", "RecordType"):
            objects.add(component.parent)
        elif component.type == "GlobalValueSet":
            objects.update(field.parent for field in meta_schema.users_of_value_set(org, component.name))
        elif component.type == "StandardValueSet":
            meta_value_sets.follow(org, component)
        elif component.type == "ValidationRule":
            rules.add(component.parent)
    if objects:
        objects |= meta_schema.roll_ups_over(org, frozenset(objects))
    stale = {name for name in sorted(objects) if meta_schema.derive_object(org, name)}
    for component in kept:
        if component.type == "CustomMetadata":
            meta_mirror.mirror_record(org, component)
    done: set[str] = set()
    while stale:  # what is summed up anew may be summed up further
        settle_roll_ups(org, stale, stamped=True)
        done |= stale
        stale = meta_schema.roll_ups_over(org, stale) - done
    for name in sorted(rules):
        meta_schema.derive_rules(org, name)
    kinds = {component.type for component in kept}
    if kinds & {"ApexTrigger", "Flow", "FlowDefinition"}:
        meta_automation.follow_all(org)
    if "Role" in kinds:
        meta_mirror.link_roles(org)
