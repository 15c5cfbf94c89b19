"""One table of hazards: what each kind of change can be undone to, and why. Data, with one look-up.

Forecast, plan and proof read the same table, so that they cannot disagree. Rows go from the particular to the
general; the first one that fits decides. A row fits when its kind, type and change fit and every one of its `when`
marks was observed on the change. A mark is an observation (`in-bin`, `autonumber`), never a wish.
Sources are named by the fact that they rest on; where Salesforce is silent, the assumption has a name of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from rehearse.reset.model import Grade

Kind = Literal["record", "component"]
What = Literal["created", "updated", "deleted", "any"]


@dataclass(frozen=True)
class Hazard:
    """One row: for changes that fit, the grade to expect, the reason in words, and where that is known from."""

    name: str
    kind: Kind
    types: tuple[str, ...]
    what: What
    when: tuple[str, ...]
    grade: Grade
    reason: str
    source: str

    def fits(self, type: str, what: str, marks: Collection[str]) -> bool:
        """Whether this row speaks about a change of this type with these marks."""
        named = any(fnmatchcase(type, pattern) for pattern in self.types)
        return named and self.what in ("any", what) and all(mark in marks for mark in self.when)


def find_hazard(kind: Kind, type: str, what: str, marks: Collection[str] = ()) -> Hazard:
    """The first row of the table that fits; the last rows fit everything, so there always is one."""
    return next(row for row in HAZARDS if row.kind == kind and row.fits(type, what, marks))


def _record(name: str, types: str, what: What, when: str, verdict: tuple[Grade, str, str]) -> Hazard:
    grade, reason, source = verdict
    return Hazard(name, "record", tuple(types.split()), what, tuple(when.split()), grade, reason, source)


def _component(name: str, types: str, what: What, when: str, verdict: tuple[Grade, str, str]) -> Hazard:
    grade, reason, source = verdict
    return Hazard(name, "component", tuple(types.split()), what, tuple(when.split()), grade, reason, source)


RECORD_HAZARDS: tuple[Hazard, ...] = (
    _record(
        "user-created",
        "User",
        "created",
        "",
        (
            "manual",
            "a User cannot be deleted; deactivate it by hand",
            "SOAP API guide, getUpdated: users are never deleted",
        ),
    ),
    _record(
        "content-version",
        "ContentVersion",
        "created",
        "",
        (
            "impossible",
            "a ContentVersion cannot be deleted by an API; only its whole document can",
            "Object reference, ContentVersion",
        ),
    ),
    _record(
        "content-document",
        "ContentDocument",
        "deleted",
        "hard-deleted",
        ("impossible", "a ContentDocument cannot be created by an API", "Object reference, ContentDocument"),
    ),
    _record(
        "contract-activated",
        "Contract",
        "any",
        "activated",
        ("impossible", "an activated Contract cannot go back and cannot be deleted", "Object reference, Contract"),
    ),
    _record(
        "lead-converted",
        "Lead",
        "updated",
        "converted",
        (
            "impossible",
            "the conversion of a Lead cannot be undone",
            "Object reference, Lead (IsConverted is read-only)",
        ),
    ),
    _record(
        "recurring",
        "Task Event",
        "deleted",
        "hard-deleted recurring",
        ("manual", "a series comes back by undelete only", "Object reference, Task (recurrence fields)"),
    ),
    _record(
        "created-not-deletable",
        "*",
        "created",
        "not-deletable",
        ("impossible", "the object does not allow deletion", "describe: deletable is false"),
    ),
    _record(
        "created",
        "*",
        "created",
        "",
        ("exact", "deleted; it stays in the recycle bin for 15 days", "SOAP API guide, delete"),
    ),
    _record(
        "deleted-not-createable",
        "*",
        "deleted",
        "hard-deleted not-createable",
        (
            "impossible",
            "it is not in the recycle bin and the object does not allow inserts",
            "describe: createable is false",
        ),
    ),
    _record(
        "deleted-with-object",
        "*",
        "deleted",
        "object-lost",
        (
            "residue",
            "its object was deleted; the row comes back under a new Id",
            "Salesforce Help, Manage deleted custom objects",
        ),
    ),
    _record(
        "deleted-autonumber",
        "*",
        "deleted",
        "hard-deleted autonumber",
        (
            "residue",
            "not in the recycle bin: it comes back under a new Id and a new auto-number",
            "SOAP API guide, undelete; Object reference, auto-number fields",
        ),
    ),
    _record(
        "deleted-not-in-bin",
        "*",
        "deleted",
        "hard-deleted",
        ("residue", "not in the recycle bin: it comes back under a new Id", "SOAP API guide, undelete"),
    ),
    _record(
        "deleted-not-undeletable",
        "*",
        "deleted",
        "not-undeletable",
        (
            "residue",
            "the object does not allow undelete: it comes back under a new Id",
            "describe: undeletable is false",
        ),
    ),
    _record(
        "deleted", "*", "deleted", "in-bin", ("exact", "undeleted: Id and values are kept", "SOAP API guide, undelete")
    ),
    _record(
        "deleted-unknown-bin",
        "*",
        "deleted",
        "",
        (
            "unknown",
            "undeleted while it is in the recycle bin, else re-inserted under a new Id",
            "SOAP API guide, undelete",
        ),
    ),
    _record(
        "master-detail-fixed",
        "*",
        "updated",
        "reference-not-updateable",
        (
            "impossible",
            "its parent was changed and the relation does not allow reparenting",
            "describe: the master-detail field is not updateable",
        ),
    ),
    _record(
        "amount-with-products",
        "Opportunity",
        "updated",
        "amount-with-products",
        (
            "residue",
            "Amount follows the products of the opportunity; it returns when they do",
            "Salesforce Help 004052228",
        ),
    ),
    _record(
        "updated-not-updateable",
        "*",
        "updated",
        "field-not-updateable",
        ("impossible", "a changed field cannot be written", "describe: updateable is false"),
    ),
    _record(
        "updated-residue",
        "*",
        "updated",
        "only-new-autonumber",
        ("residue", "re-inserted with a new auto-number", "Object reference, auto-number fields"),
    ),
    _record(
        "field-lost",
        "*",
        "updated",
        "field-lost",
        (
            "exact",
            "the field is redeployed first, then its values are written again",
            "Salesforce Help, Manage deleted custom fields (a redeployed field is empty)",
        ),
    ),
    _record("updated", "*", "updated", "", ("exact", "only the changed fields are written", "REST API guide, update")),
)

COMPONENT_HAZARDS: tuple[Hazard, ...] = (
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
            "residue",
            "redeployed empty; its rows come back under new Ids",
            "Salesforce Help, Manage deleted custom objects",
        ),
    ),
    _component(
        "flow-lost",
        "Flow FlowDefinition",
        "deleted",
        "",
        ("residue", "the last version is redeployed; older versions are lost", "Tooling API guide, Flow"),
    ),
    _component(
        "flow-added",
        "Flow FlowDefinition",
        "created",
        "",
        ("exact", "deactivated and deleted version by version", "Tooling API guide, Flow and FlowDefinition"),
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

HAZARDS: tuple[Hazard, ...] = RECORD_HAZARDS + COMPONENT_HAZARDS
