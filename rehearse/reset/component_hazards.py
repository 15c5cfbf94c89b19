"""The hazards of metadata, as data (facts/metadata.md 4.1), the particular before the general."""

from __future__ import annotations

from rehearse.reset.model import Grade, Hazard, What


def _component(name: str, types: str, what: What, when: str, verdict: tuple[Grade, str, str]) -> Hazard:
    grade, reason, source = verdict
    return Hazard(name, "component", tuple(types.split()), what, tuple(when.split()), grade, reason, source)


COMPONENT_HAZARDS: tuple[Hazard, ...] = (
    _component(
        "type-outside-scope",
        "*",
        "any",
        "outside-scope",
        (
            "unknown",
            "the type is outside the scope of the baseline: it is neither compared nor put back",
            "scope.metadata in rehearse.yaml",
        ),
    ),
    _component(
        "package",
        "InstalledPackage",
        "any",
        "",
        (
            "impossible",
            "a package cannot be downgraded or restored by a deployment",
            "Metadata API guide, InstalledPackage",
        ),
    ),
    _component(
        "schedule",
        "CronTrigger",
        "any",
        "",
        (
            "manual",
            "scheduled work is no metadata: abort it in Setup, or schedule it again as its owner, by the Apex that the "
            "baseline holds",
            "Apex guide, System.schedule; Metadata API guide, unsupported types",
        ),
    ),
    _component(
        "never-by-api",
        "Skill AppMenu",
        "any",
        "",
        ("manual", "this type is not deployable both ways; put it back in Setup", "Metadata coverage report"),
    ),
    _component(
        "territory",
        "Territory2Model",
        "updated",
        "archived",
        ("impossible", "an archived territory model never returns to Active", "Salesforce Help, Territory models"),
    ),
    _component(
        "territory-gone",
        "Territory2Model",
        "deleted",
        "",
        ("impossible", "a deleted territory model is lost with its assignments", "Salesforce Help, Territory models"),
    ),
    _component(
        "connected-app",
        "ConnectedApp",
        "deleted",
        "",
        ("manual", "a redeployed connected app has a new consumer key and secret", "Metadata API guide, ConnectedApp"),
    ),
    _component(
        "connected-app-added",
        "ConnectedApp",
        "created",
        "",
        ("manual", "connected apps are kept out of deletions; remove it in Setup", "Metadata API guide, ConnectedApp"),
    ),
    _component(
        "secrets",
        "NamedCredential ExternalCredential AuthProvider Certificate",
        "deleted",
        "",
        (
            "residue",
            "redeployed without its secret, which is never in metadata; enter it again",
            "Metadata API guide, NamedCredential",
        ),
    ),
    _component(
        "standard-value-set",
        "StandardValueSet",
        "updated",
        "value-added",
        ("residue", "an added value is deactivated; an API cannot delete it", "Metadata API guide, StandardValueSet"),
    ),
    _component(
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
    _component(
        "picklist-added",
        "CustomField GlobalValueSet",
        "updated",
        "value-added",
        (
            "residue",
            "an added picklist value is deactivated; an API cannot delete it",
            "Metadata API guide, CustomValue",
        ),
    ),
    _component(
        "dependency-added",
        "CustomField",
        "updated",
        "dependency-added",
        ("manual", "an API cannot remove a field dependency", "Metadata API guide, ValueSettings"),
    ),
    _component(
        "field-retyped",
        "CustomField",
        "updated",
        "type-changed",
        (
            "exact",
            "redeployed with the old type; values are written again afterwards",
            "Salesforce Help, Notes on changing custom field types",
        ),
    ),
    _component(
        "field-lost",
        "CustomField",
        "deleted",
        "",
        (
            "exact",
            "redeployed empty; its values are written again; field history is lost",
            "Salesforce Help, Manage deleted custom fields",
        ),
    ),
    _component(
        "object-lost",
        "CustomObject",
        "deleted",
        "",
        (
            "exact",
            "redeployed with its fields; it is empty, its rows come back under new Ids",
            "Salesforce Help, Manage deleted custom objects",
        ),
    ),
    _component(
        "flow-added",
        "Flow FlowDefinition",
        "created",
        "",
        ("exact", "deactivated and deleted version by version", "Tooling API guide, Flow and FlowDefinition"),
    ),
    _component(
        "flow-version-lost",
        "Flow FlowDefinition",
        "any",
        "version-lost",
        ("residue", "versions of a flow that were deleted do not come back", "Tooling API guide, Flow"),
    ),
    _component(
        "flow-lost",
        "Flow FlowDefinition",
        "deleted",
        "",
        ("exact", "it had one version, which is redeployed", "Tooling API guide, Flow"),
    ),
    _component(
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
    _component(
        "profile-section",
        "Profile",
        "updated",
        "profile-not-removable",
        ("manual", "a deployment cannot remove this section of a profile", "Metadata API guide, Profile"),
    ),
    _component(
        "profile-added",
        "Profile",
        "created",
        "",
        ("exact", "deleted; refused while users hold it", "Metadata API guide, Profile"),
    ),
    _component(
        "profile-lost",
        "Profile",
        "deleted",
        "",
        ("residue", "redeployed; its users have to be assigned again", "Metadata API guide, Profile"),
    ),
    _component(
        "permission-set-lost",
        "PermissionSet",
        "deleted",
        "",
        ("residue", "redeployed; its assignments are rows and are lost", "Metadata API guide, PermissionSet"),
    ),
    _component(
        "profile-granted",
        "Profile",
        "updated",
        "grant-added",
        (
            "residue",
            "what was granted since is switched off; the entry stays in the profile",
            "Metadata API guide, Profile",
        ),
    ),
    _component(
        "profile",
        "Profile",
        "updated",
        "",
        ("exact", "redeployed with an explicit false for what was granted since", "Metadata API guide, Profile"),
    ),
    _component(
        "value-set-added",
        "GlobalValueSet",
        "created",
        "",
        ("exact", "deleted in a pass after the fields that use it", "Metadata API guide, GlobalValueSet"),
    ),
    _component(
        "translation-added",
        "Translations CustomObjectTranslation",
        "updated",
        "entry-added",
        ("manual", "translated entries cannot be deleted by an API", "Metadata API guide, Translations"),
    ),
    _component(
        "site",
        "Network ExperienceBundle DigitalExperienceBundle",
        "any",
        "",
        ("manual", "a redeployed site stays a draft until somebody publishes it", "Metadata API guide, Network"),
    ),
    _component(
        "settings",
        "*Settings",
        "updated",
        "",
        ("unknown", "redeployed; some switches cannot be turned off again", "Metadata API guide, Settings"),
    ),
    _component(
        "standard-object",
        "CustomObject",
        "any",
        "standard",
        ("exact", "the settings of a standard object are redeployed", "Metadata API guide, CustomObject"),
    ),
    _component(
        "added", "*", "created", "", ("exact", "deleted by a destructive manifest", "Metadata API guide, deploy")
    ),
    _component(
        "changed", "*", "updated", "", ("exact", "the baseline's own file is redeployed", "Metadata API guide, deploy")
    ),
    _component(
        "lost", "*", "deleted", "", ("exact", "the baseline's own file is redeployed", "Metadata API guide, deploy")
    ),
)
