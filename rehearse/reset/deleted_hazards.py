"""The hazards of rows that are gone, as data (facts/data.md 2.5, 2.6, and 4 rows 4 to 9), the particular before the
general."""

from __future__ import annotations

from rehearse.reset.model import Hazard
from rehearse.reset.record_hazards import of_record

DELETED_HAZARDS: tuple[Hazard, ...] = (
    of_record(
        "content-document",
        "ContentDocument",
        "deleted",
        "hard-deleted",
        ("impossible", "a ContentDocument cannot be created by an API", "Object reference, ContentDocument"),
    ),
    of_record(
        "recurring",
        "Task Event",
        "deleted",
        "hard-deleted recurring",
        ("manual", "a series comes back by undelete only", "Object reference, Task (recurrence fields)"),
    ),
    of_record(
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
    of_record(
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
    of_record(
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
    of_record(
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
    of_record(
        "deleted-not-in-bin",
        "*",
        "deleted",
        "hard-deleted",
        ("residue", "not in the recycle bin: it comes back under a new Id", "SOAP API guide, undelete"),
    ),
    of_record(
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
    of_record(
        "team-member",
        "AccountTeamMember OpportunityTeamMember",
        "deleted",
        "in-bin",
        ("residue", "a team member cannot be undeleted: it comes back under a new Id", "SOAP API guide, undelete"),
    ),
    of_record(
        "deleted-buried",
        "*",
        "deleted",
        "in-bin buried",
        (
            "residue",
            "deleted before the row above it was, which takes it out of the recycle bin: it comes back under a new Id",
            "Salesforce Help 000386040",
        ),
    ),
    of_record(
        "carrier",
        "*",
        "deleted",
        "carrier",
        (
            "exact",
            "it carries rows of the baseline in the recycle bin: it comes back for as long as they are moved off it",
            "SOAP API guide, undelete",
        ),
    ),
    of_record(
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
    of_record(
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
)
