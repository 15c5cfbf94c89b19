"""The named assumptions of the practice world: every fact about Salesforce that no source settles, with what we chose.

`KNOBS` lists each setting with its default and its meaning; changes are kept in estate.db and seen by every process at
once. A setting that is not listed is refused on writing, and so is a value of another kind than its default. Durations
are virtual minutes. Reading is a plain mapping, so that an org can be given the settings without knowing this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearse.practice.estate_file import EstateFile

MOST = {  # by the end of a setting's name: what clocks and calendars can reckon with
    "_days": 36_500,
    "_hours": 876_000,
    "_minutes": 52_560_000,
    "_seconds": 86_400,
    "": 10**12,
}
TABLE = "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)"


@dataclass(frozen=True)
class Knob:
    """One setting: its default, and in one sentence what it decides."""

    name: str
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()
    entry: str = r".+"  # the form of each entry of a list


_BUSY = "A copy of this sandbox is in progress; wait for it, or activate or discard it."
_NO_LICENCE = "You have no available sandbox license of this type."

KNOBS: tuple[Knob, ...] = (
    # When a sandbox may be refreshed again.
    Knob("interval_days", {"DEVELOPER": 1, "DEVELOPER_PRO": 1, "PARTIAL": 5, "FULL": 29}, "days between two requests"),
    Knob(
        "interval_counts_from",
        "request",
        "what starts the interval: the request, its EndDate or its ActivatedDate",
        ("request", "end", "activation"),
    ),
    Knob("discarded_refresh_counts", True, "a discarded or expired refresh still uses up the interval"),
    Knob("delete_inside_interval", True, "a sandbox may be deleted before its interval is over"),
    Knob("deleted_licence_rests", False, "the licence of a deleted sandbox stays taken until its interval is over"),
    # How long things take, in virtual minutes.
    Knob("pending_minutes", 5, "least time in the queue"),
    Knob("sampling_minutes", 60, "choosing the records of a Partial copy"),
    Knob(
        "processing_minutes",
        {"DEVELOPER": 45, "DEVELOPER_PRO": 60, "PARTIAL": 240, "FULL": 1200},
        "copying, by licence type",
    ),
    Knob("activating_minutes", 40, "codes 5 to 8 together"),
    Knob("discarding_minutes", 10, "dropping a copy that was not activated"),
    Knob("deleting_minutes", 15, "from the deletion until the name is free"),
    Knob("unactivated_days", 30, "an unactivated copy is dropped after this many days"),
    Knob("inactive_days", 180, "a sandbox nobody logged in to is deleted after this many days; 0 = never"),
    Knob("session_idle_hours", 0, "an access token dies when unused for this long; 0 = never"),
    # What rows show.
    Knob("create_shows_activating", True, "a new sandbox passes through the codes 5 to 8 too"),
    Knob(
        "end_date_at",
        "copied",
        "EndDate is set when the copy is made (copied) or when it is usable (completed)",
        ("copied", "completed"),
    ),
    Knob(
        "activated_date_at",
        "finished",
        "ActivatedDate is the end of the activation (finished) or the request for it",
        ("finished", "request"),
    ),
    Knob("activating_label", "Activating", "Status of the codes 5 to 8; empty = the four long labels"),
    Knob("discarded_ends_as", "D", "code of a row after Discarding: Deleted or Completed", ("D", "1")),
    Knob("stage_parent_field", "SandboxProcessId", "column of SandboxProcessStage that names the process"),
    Knob("refresh_clears_unsent", ["Description"], "fields that a refresh empties when they are not sent again"),
    Knob("activation_group_required", False, "Developer and Developer Pro need ActivationUserGroupId"),
    # Refusals whose code or text no source gives. All of them are invented here.
    Knob("too_early_code", "INVALID_OPERATION", "errorCode of a refresh inside the interval"),
    Knob("too_early_message", "Refresh date hasn't been met", "text of the same"),
    Knob("busy_code", "INVALID_STATUS", "errorCode of a refresh, clone or deletion while a copy is in progress"),
    Knob("busy_message", _BUSY, "text of the same"),
    Knob("no_licence_code", "LIMIT_EXCEEDED", "errorCode when all licences are taken"),
    Knob("no_licence_message", _NO_LICENCE, "text of the same"),
    Knob("wrong_action_code", "INVALID_STATUS", "errorCode of a RefreshAction in a wrong state"),
    Knob("wrong_action_message", "The sandbox is not pending activation.", "text of the same"),
    Knob("bad_input_code", "INVALID_INPUT", "errorCode of field values that do not go together"),
    Knob("locked_code", "INSUFFICIENT_ACCESS", "errorCode of every sandbox request while sandboxes are locked"),
    Knob("locked_message", "Your sandboxes are locked.", "text of the same"),
    # Licences and contents.
    Knob("licences", {"DEVELOPER": 25, "DEVELOPER_PRO": 5, "PARTIAL": 1, "FULL": 2}, "how many of each were bought"),
    Knob("sample_records", 10_000, "most records of one object in a Partial copy, before what they refer to"),
    Knob(
        "copy_templates",
        [],
        "such as `1ps000000000001AAA Account Case`: the objects that a template takes records of",
        entry=r"1ps\w{12,15}( \w+)+",
    ),
    Knob("copy_replaces_org_id", True, "org ids inside copied text values become the id of the new org"),
    Knob("copy_stops_schedules", True, "scheduled jobs do not arrive in a copy"),
    Knob("copy_drops_recycle_bin", True, "deleted records do not arrive in a copy"),
    Knob("developer_copies_custom_settings", False, "custom setting records arrive in copies without data"),
    # Bulk jobs.
    Knob("bulk_delay_seconds", 0.05, "real seconds that a bulk job waits before it runs"),
    Knob("bulk_page_rows", 50_000, "rows of a result page when the client names no maxRecords"),
    Knob("bulk_page_bytes", 0, "most bytes of a result page, whatever maxRecords says; 0 = no limit"),
    Knob("chunks_lock_parents", False, "rows are refused whose parent the chunk before in the same job touched"),
    Knob("bulk_nul_bytes", False, "every tenth row of a bulk result ends its last text with a NUL, as in real orgs"),
    Knob("bulk_hard_delete", True, "users may hardDelete (a permission that is off by default)"),
    Knob("result_bytes_per_second", 0, "slows the download of bulk results, to try interruptions; 0 = no limit"),
    # Metadata.
    Knob(
        "metadata_seconds", 0.05, "real seconds that a retrieve or deployment waits, and again that it is in progress"
    ),
    Knob("finalizing_seconds", 0.05, "real seconds that a deployment is Finalizing, for API 65.0 and newer; 0 = never"),
    Knob("retrieve_file_limit", 10_000, "most files of one retrieve"),
    Knob("retrieve_zip_bytes", 39_000_000, "largest zip of one retrieve"),
    Knob("unexplained_components", [], "components that end a deployment in an error which names none"),
    Knob("unnamed_files", [], "types whose entries in a list have no fileName"),
    Knob("retrieve_shuffles", True, "arrays come in another order with each retrieve"),
    Knob(
        "permission_set_noise", True, "permission sets list a `no` for each field of the objects in the same retrieve"
    ),
    Knob("source_tracking", [], "names of Developer sandboxes that keep SourceMember rows"),
    Knob("undated_types", ["Settings", "Workflow"], "types whose dates are reported as 1970"),
    Knob("deleted_field_bumps", True, "deleting a field gives every layout of its object a new modification date"),
    Knob("deleted_fields_show", True, "Tooling queries show deleted fields as Name_del for 15 days"),
    Knob("flow_delete_sees_deactivation", False, "a flow deactivated in the same deployment may be deleted in it"),
    # Records.
    Knob("binned_rows_hold_unique_values", True, "a deleted record still blocks its unique values until purged"),
    Knob("lookup_clear_stamps", False, "clearing a lookup because its target was deleted moves SystemModstamp"),
    Knob("audit_fields", False, "an insert may give CreatedDate, CreatedById and LastModified* (a permission)"),
    Knob("inactive_owners", False, "rows may be given to inactive users (a permission)"),
    Knob("bin_rows", 0, "rows that the recycle bin holds before the oldest are purged; 0 = no limit"),
    Knob("encrypted_masked", True, "encrypted fields are read as asterisks: nobody may view encrypted data"),
    Knob(
        "duplicate_rules",
        [],
        "such as `Lead.Email alert` or `Account.Name block`: refuse a second row with a value",
        entry=r"\w+\.\w+ (alert|block)",
    ),
    Knob(
        "assignment_rules",
        [],
        "such as `Lead New_Leads`: the queue that owns what REST inserts, whoever it names",
        entry=r"\w+ \w+",
    ),
    Knob(
        "dependent_picklists_checked", True, "a value of a dependent picklist is refused under a wrong controlling one"
    ),
    Knob("state_country_codes", False, "addresses have codes beside states and countries; once on, they stay"),
    Knob("person_accounts", False, "accounts may be persons, each with a contact of its own; once on, it stays"),
    Knob("rollups_later_minutes", 0, "roll-ups follow their details after so many virtual minutes; 0 = at once"),
    Knob("field_security", True, "users see and write only the custom fields that they were given access to"),
    Knob("object_permissions", True, "users see and write only objects that profile and permission sets let them"),
    Knob("replication_lag_minutes", 0, "changes of the last minutes are left out of getUpdated and getDeleted"),
    Knob("replication_most_ids", 600_000, "ids that getUpdated and getDeleted list before EXCEEDED_ID_LIMIT"),
    Knob("delete_log_rows", 0, "deleted rows of an object that getDeleted remembers; 0 = no limit"),
    Knob("bin_days", 15, "days that a deleted record can be undeleted"),
    Knob("ghost_hours", 24, "hours that queryAll still shows a hard-deleted record"),
)
_BY_NAME = {knob.name: knob for knob in KNOBS}


class Settings(Mapping[str, Any]):
    """The settings of one estate, read live."""

    def __init__(self, file: EstateFile) -> None:
        self._file = file

    def __getitem__(self, name: str) -> Any:
        knob = _BY_NAME[name]
        rows = self._file.load_rows("SELECT value FROM settings WHERE name = ?", (name,))
        return json.loads(rows[0]["value"]) if rows else knob.default

    def __iter__(self) -> Iterator[str]:
        return iter(_BY_NAME)

    def __len__(self) -> int:
        return len(_BY_NAME)

    def load(self) -> dict[str, Any]:
        """All settings as they are now, read at once."""
        changed = {row["name"]: json.loads(row["value"]) for row in self._file.load_rows("SELECT * FROM settings")}
        return {knob.name: changed.get(knob.name, knob.default) for knob in KNOBS}

    def put(self, name: str, value: Any) -> None:
        """Change a setting. Raises KeyError for an unknown name, TypeError for a value of another kind or choice."""
        default, choices = _BY_NAME[name].default, _BY_NAME[name].choices
        if choices and value not in choices:
            raise TypeError(f"The setting {name} is one of {', '.join(choices)}, not {value!r}.")
        if not _same_kind(default, value):
            raise TypeError(f"The setting {name} is like {default!r}, not like {value!r}.")
        if wrong := [one for one in value if not re.fullmatch(_BY_NAME[name].entry, one)] if _is_list(value) else []:
            form = _BY_NAME[name].meaning.partition(":")[0]
            raise TypeError(f"An entry of the setting {name} is {form}, not {wrong[0]!r}.")
        if _largest(value) > (most := next((MOST[end] for end in MOST if name.endswith(end)), MOST[""])):
            raise TypeError(f"The setting {name} is at most {most:,}, not {_largest(value):,}.")
        with self._file.transaction() as db:
            db.execute(
                "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
                (name, json.dumps(value)),
            )

    def clear(self, name: str) -> None:
        """Go back to the default. Raises KeyError for an unknown name."""
        _BY_NAME[name]
        with self._file.transaction() as db:
            db.execute("DELETE FROM settings WHERE name = ?", (name,))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _largest(value: Any) -> float:
    numbers = value.values() if isinstance(value, dict) else [value]
    return max((one for one in numbers if isinstance(one, int | float)), default=0)


def _same_kind(default: Any, value: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float) and value >= 0
    if isinstance(default, dict):
        return isinstance(value, dict) and all(isinstance(one, int | float) and one >= 0 for one in value.values())
    if isinstance(default, list):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, type(default))
