"""The hazards of records, as data (facts/data.md 4), the particular before the general."""

from __future__ import annotations

from rehearse.reset.model import Grade, Hazard, What


def _record(name: str, types: str, what: What, when: str, verdict: tuple[Grade, str, str]) -> Hazard:
    grade, reason, source = verdict
    return Hazard(name, "record", tuple(types.split()), what, tuple(when.split()), grade, reason, source)


RECORD_HAZARDS: tuple[Hazard, ...] = (
    _record(
        "object-added",
        "*",
        "any",
        "object-added",
        ("exact", "the rows go with their object, which the rehearsal adds", "Salesforce Help, Delete custom objects"),
    ),
    _record(
        "rows-outside-scope",
        "*",
        "any",
        "outside-scope",
        (
            "unknown",
            "outside the scope of the baseline, or not in it: these rows are neither compared nor put back",
            "scope.records in rehearse.yaml",
        ),
    ),
    _record(
        "rows-without-baseline",
        "*",
        "any",
        "no-baseline",
        ("unknown", "there is no baseline that holds the rows of this object yet", "scope.records in rehearse.yaml"),
    ),
    _record(
        "user-created",
        "User UserLogin",
        "created",
        "",
        (
            "manual",
            "a User cannot be deleted; deactivate it by hand",
            "SOAP API guide, getUpdated: users are never deleted",
        ),
    ),
    _record(
        "content-version-new-document",
        "ContentVersion",
        "created",
        "new-document document-in-scope",
        ("exact", "a new file goes with its document, which is deleted", "Object reference, ContentDocument"),
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
        "created-older",
        "*",
        "created",
        "older-than-baseline",
        (
            "manual",
            "it is older than the baseline, which does not have it: it came into the filter, out of the recycle bin or "
            "into the sight of this login; it is not deleted",
            "Object reference, CreatedDate",
        ),
    ),
    _record(
        "created-behind-filter",
        "*",
        "created",
        "filtered",
        (
            "unknown",
            "deleted where the filter of the baseline lets it be seen; a row outside the filter stays",
            "scope.records.where in rehearse.yaml",
        ),
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
        "deleted-contents-unknown",
        "*",
        "deleted",
        "hard-deleted contents-unknown",
        (
            "impossible",
            "it is not in the recycle bin, and the baseline does not hold its contents (scope.records.files would)",
            "Object reference, Attachment: Body is required",
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
        "team-member",
        "AccountTeamMember OpportunityTeamMember",
        "deleted",
        "in-bin",
        ("residue", "a team member cannot be undeleted: it comes back under a new Id", "SOAP API guide, undelete"),
    ),
    _record(
        "deleted",
        "*",
        "deleted",
        "in-bin",
        (
            "exact",
            "undeleted: Id and values are kept; a row deleted for good shows in the bin for a day, comes back under "
            "a new Id",
            "SOAP API guide, undelete and emptyRecycleBin",
        ),
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
        "platform-stamp",
        "*",
        "updated",
        "platform-stamp",
        (
            "residue",
            "the platform stamps a closed or completed row anew, and no call writes that instant; the rest is written",
            "Object reference, Case.ClosedDate and Task.CompletedDateTime (neither Create nor Update)",
        ),
    ),
    _record(
        "only-derived",
        "*",
        "updated",
        "only-derived",
        (
            "unknown",
            "only fields that the platform derives differ: they return when what they follow does",
            "describe: neither createable nor updateable; Salesforce Help 004052228 for Amount with products",
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
        "only-platform-fields",
        ("residue", "re-inserted; fields that only the platform sets are new", "Object reference, auto-number fields"),
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
    _record(
        "field-closed",
        "*",
        "updated",
        "field-closed",
        (
            "exact",
            "field-level security keeps this login from writing a field: it is written once the access is back",
            "describe: a custom field that is neither createable nor updateable",
        ),
    ),
    _record("updated", "*", "updated", "", ("exact", "only the changed fields are written", "REST API guide, update")),
)
