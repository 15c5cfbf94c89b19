"""The hazards of metadata, as data (facts/metadata.md 4.1), the particular before the general."""

from __future__ import annotations

from rehearse.reset.access_hazards import ACCESS_HAZARDS
from rehearse.reset.field_hazards import FIELD_HAZARDS
from rehearse.reset.model import Hazard
from rehearse.reset.undeployable_hazards import UNDEPLOYABLE_HAZARDS, component

COMPONENT_HAZARDS: tuple[Hazard, ...] = (
    component(
        "type-outside-scope",
        "*",
        "any",
        "outside-scope",
        (
            "unknown",
            "the type is outside the scope of the baseline, or was not wholly read: what the baseline lacks is neither "
            "compared nor put back",
            "scope.metadata in rehearse.yaml",
        ),
    ),
    *UNDEPLOYABLE_HAZARDS,
    component(
        "standard-value-set",
        "StandardValueSet",
        "updated",
        "value-added",
        ("residue", "an added value is deactivated; an API cannot delete it", "Metadata API guide, StandardValueSet"),
    ),
    component(
        "record-type-added",
        "RecordType",
        "created",
        "",
        (
            "residue",
            "a record type cannot be deleted by an API; it is deactivated",
            "Metadata API: 'Cannot delete record type through API'",
        ),
    ),
    *FIELD_HAZARDS,
    component(
        "flow-active-lost",
        "Flow FlowDefinition",
        "any",
        "active-lost",
        (
            "impossible",
            "the version that was active is gone; a retrieve shows the newest one only, so no baseline holds it",
            "Metadata API guide, Flow (from API 44.0 on)",
        ),
    ),
    component(
        "flow-added",
        "Flow FlowDefinition",
        "created",
        "",
        ("exact", "deactivated and deleted version by version", "Tooling API guide, Flow and FlowDefinition"),
    ),
    component(
        "flow-version-lost",
        "Flow FlowDefinition",
        "any",
        "version-lost",
        ("residue", "versions of a flow that were deleted do not come back", "Tooling API guide, Flow"),
    ),
    component(
        "flow-lost",
        "Flow FlowDefinition",
        "deleted",
        "",
        ("exact", "it had one version, which is redeployed", "Tooling API guide, Flow"),
    ),
    component(
        "flow-changed",
        "Flow FlowDefinition",
        "updated",
        "",
        (
            "exact",
            "the version of the baseline is activated, newer versions are deleted",
            "Tooling API guide, Flow and FlowDefinition",
        ),
    ),
    *ACCESS_HAZARDS,
    component(
        "value-set-added",
        "GlobalValueSet",
        "created",
        "",
        ("exact", "deleted in a pass after the fields that use it", "Metadata API guide, GlobalValueSet"),
    ),
    component(
        "translation-added",
        "Translations *Translation",
        "any",
        "entry-added",
        ("manual", "translated entries cannot be deleted by an API", "Metadata API guide, Translations"),
    ),
    component(
        "settings-added",
        "Settings",
        "created",
        "",
        (
            "manual",
            "settings came with a feature that was switched on, and no API deletes them: switch it off in Setup, where "
            "that can be done",
            "Metadata API guide, Settings",
        ),
    ),
    component(
        "settings",
        "*Settings",
        "updated",
        "",
        ("unknown", "redeployed; some switches cannot be turned off again", "Metadata API guide, Settings"),
    ),
    component(
        "record-type-uses",
        "BusinessProcess CompactLayout",
        "created",
        "record-type-uses",
        (
            "unknown",
            "deleted where the org lets it: an added record type uses it, which no API deletes",
            "Metadata API guide, BusinessProcess; RecordType",
        ),
    ),
    component(
        "standard-object",
        "CustomObject",
        "any",
        "standard",
        ("exact", "the settings of a standard object are redeployed", "Metadata API guide, CustomObject"),
    ),
    component(
        "added", "*", "created", "", ("exact", "deleted by a destructive manifest", "Metadata API guide, deploy")
    ),
    component(
        "changed", "*", "updated", "", ("exact", "the baseline's own file is redeployed", "Metadata API guide, deploy")
    ),
    component(
        "lost", "*", "deleted", "", ("exact", "the baseline's own file is deployed again", "Metadata API guide, deploy")
    ),
)
