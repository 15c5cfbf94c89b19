"""Switches that are rows: a custom permission (an assignment), a custom setting (the user's own row), other rows.

Reads only. A prior state names the rows with the values that they had, and at most one row that was not there, by the
values that identify it. All three kinds are put on and back by the same three questions: what was, what is, what else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rehearse.baseline.canonical_xml import parse_xml, tag_of, text_of
from rehearse.baseline.components import read_package
from rehearse.baseline.writing import nameless_file
from rehearse.errors import OrgRejected, UsageError
from rehearse.org.connect import OrgReader
from rehearse.org.model import Value
from rehearse.reset.model import Switch

MOST_ROWS = 2000
CORRECT = "Correct scope.bypass in rehearse.yaml and make a new plan."


@dataclass(frozen=True)
class Prior:
    """What was before: `rows` by Id with the values of the fields that are switched; `missing`: what identifies a row
    that was not there; `given`: the values that this row is made with."""

    object: str
    rows: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    missing: Mapping[str, Value] = field(default_factory=dict)
    given: Mapping[str, Value] = field(default_factory=dict)


def fetch_prior(reader: OrgReader, switch: Switch, user_id: str) -> Prior:
    """The state of a switch now. Raises UsageError where the org has no such switch."""
    try:
        if switch.kind == "custom_permission":
            return _permission(reader, switch, user_id)
        if switch.kind == "custom_setting":
            return _setting(reader, switch, user_id)
        return _rows(reader, switch)
    except OrgRejected as error:
        raise UsageError(
            f"scope.bypass names the {switch}, which the sandbox does not take: {error.org_code}.",
            CORRECT,
        ) from error


def fetch_state(reader: OrgReader, prior: Prior) -> tuple[dict[str, dict[str, Value]], list[str]]:
    """The values that the rows of a prior state have now (a row that is gone is absent), and the Ids of the row that
    was missing then."""
    names = sorted({name for values in prior.rows.values() for name in values})
    now = reader.fetch_by_ids(prior.object, sorted(prior.rows), names) if prior.rows else {}
    rows = {id: {name: row.get(name) for name in names} for id, row in now.items()}
    if not prior.missing:
        return rows, []
    where = " AND ".join(f"{name} = {_literal(value)}" for name, value in sorted(prior.missing.items()))
    found = reader.fetch_rows(f"SELECT Id FROM {prior.object} WHERE {where}")
    return rows, sorted(str(row["Id"]) for row in found)


def _rows(reader: OrgReader, switch: Switch) -> Prior:
    names = [name for name, _ in switch.values]
    where = f" WHERE {switch.where}" if switch.where else ""
    soql = f"SELECT Id, {', '.join(names)} FROM {switch.name}{where} LIMIT {MOST_ROWS + 1}"
    found = {str(row["Id"]): {name: row.get(name) for name in names} for row in reader.fetch_rows(soql)}
    if not found or len(found) > MOST_ROWS:
        count = "no row" if not found else f"more than {MOST_ROWS} rows"
        raise UsageError(f"scope.bypass: the {switch} fits {count}.", "Correct its `where` in rehearse.yaml.")
    return Prior(switch.name, found)


def _setting(reader: OrgReader, switch: Switch, user_id: str) -> Prior:
    """The user's own row of a hierarchy setting. A new one takes over what held for the user until now: its other
    checkboxes would else be off."""
    (name, value), *_ = switch.values
    schema = reader.fetch_schema(switch.name)
    if schema.field("SetupOwnerId") is None:
        raise UsageError(f"{switch.name} is no hierarchy custom setting.", "Name its rows in scope.bypass instead.")
    fields = [one.name for one in schema.fields if one.createable and one.name.endswith("__c")]
    profile = next(iter(reader.fetch_rows(f"SELECT ProfileId FROM User WHERE Id = '{user_id}'")))["ProfileId"]
    owners = [user_id, str(profile), reader.org_id]
    quoted = ", ".join(f"'{one}'" for one in owners)
    soql = f"SELECT Id, SetupOwnerId, {', '.join(fields)} FROM {switch.name} WHERE SetupOwnerId IN ({quoted})"
    rows = {str(row["SetupOwnerId"]): row for row in reader.fetch_rows(soql)}
    if user_id in rows:
        return Prior(switch.name, {str(rows[user_id]["Id"]): {name: rows[user_id].get(name)}})
    upper = next((rows[one] for one in owners[1:] if one in rows), {})
    given = {one: upper[one] for one in fields if upper.get(one) is not None}
    return Prior(switch.name, missing={"SetupOwnerId": user_id}, given={**given, name: value})


def _permission(reader: OrgReader, switch: Switch, user_id: str) -> Prior:
    """An assignment of a permission set that grants the custom permission; nothing to do where the user has one."""
    sets = _granting(reader, switch.name)
    if not sets:
        raise UsageError(
            f"No permission set of the sandbox grants the custom permission {switch.name}.",
            "Make one that does, or name another switch in scope.bypass.",
        )
    names = ", ".join(f"'{one}'" for one in sets)
    ids = {
        str(row["Name"]): str(row["Id"])
        for row in reader.fetch_rows(f"SELECT Id, Name FROM PermissionSet WHERE Name IN ({names})")
    }
    quoted = ", ".join(f"'{one}'" for one in ids.values())
    soql = f"SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '{user_id}' AND PermissionSetId IN ({quoted})"
    if list(reader.fetch_rows(soql)):
        return Prior("PermissionSetAssignment")
    chosen = next(ids[name] for name in sets if name in ids)
    return Prior("PermissionSetAssignment", missing={"AssigneeId": user_id, "PermissionSetId": chosen})


def _granting(reader: OrgReader, permission: str) -> Sequence[str]:
    """Permission sets that grant a custom permission, the one that grants least else first."""
    with nameless_file() as path:
        reader.retrieve({"CustomPermission": (permission,), "PermissionSet": ("*",)}, path)
        files = read_package(path)
    found: list[tuple[int, str]] = []
    for name, content in files.items():
        root = parse_xml(content)
        if root is None or tag_of(root) != "PermissionSet":
            continue
        if any(
            tag_of(one) == "customPermissions"
            and text_of(one, "name") == permission
            and text_of(one, "enabled") == "true"
            for one in root
        ):
            found.append((len(root), name.rpartition("/")[2].partition(".")[0]))
    return [name for _, name in sorted(found)]


def _literal(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}'" if isinstance(value, str) else str(value)
