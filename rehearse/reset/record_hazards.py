"""The hazards of records, as data (facts/data.md 4), the particular before the general."""

from __future__ import annotations

from rehearse.reset.model import Grade, Hazard, What


def of_record(name: str, types: str, what: What, when: str, verdict: tuple[Grade, str, str]) -> Hazard:
    """One row of the table: objects and marks as words, and its grade, reason and source."""
    grade, reason, source = verdict
    return Hazard(name, "record", tuple(types.split()), what, tuple(when.split()), grade, reason, source)


RECORD_HAZARDS: tuple[Hazard, ...] = (
    of_record(
        "object-added",
        "*",
        "any",
        "object-added",
        ("exact", "the rows go with their object, which the rehearsal adds", "Salesforce Help, Delete custom objects"),
    ),
    of_record(
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
    of_record(
        "rows-without-baseline",
        "*",
        "any",
        "no-baseline",
        ("unknown", "there is no baseline that holds the rows of this object yet", "scope.records in rehearse.yaml"),
    ),
    of_record(
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
    of_record(
        "content-version-new-document",
        "ContentVersion",
        "created",
        "new-document document-in-scope",
        ("exact", "a new file goes with its document, which is deleted", "Object reference, ContentDocument"),
    ),
    of_record(
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
    of_record(
        "contract-activated",
        "Contract",
        "any",
        "activated",
        ("impossible", "an activated Contract cannot go back and cannot be deleted", "Object reference, Contract"),
    ),
    of_record(
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
    of_record(
        "created-not-deletable",
        "*",
        "created",
        "not-deletable",
        ("impossible", "the object does not allow deletion", "describe: deletable is false"),
    ),
    of_record(
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
    of_record(
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
    of_record(
        "created",
        "*",
        "created",
        "",
        ("exact", "deleted; it stays in the recycle bin for 15 days", "SOAP API guide, delete"),
    ),
    of_record(
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
    of_record(
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
    of_record(
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
    of_record(
        "updated-not-updateable",
        "*",
        "updated",
        "field-not-updateable",
        ("impossible", "a changed field cannot be written", "describe: updateable is false"),
    ),
    of_record(
        "updated-residue",
        "*",
        "updated",
        "only-platform-fields",
        ("residue", "re-inserted; fields that only the platform sets are new", "Object reference, auto-number fields"),
    ),
    of_record(
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
    of_record(
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
    of_record(
        "updated", "*", "updated", "", ("exact", "only the changed fields are written", "REST API guide, update")
    ),
)
