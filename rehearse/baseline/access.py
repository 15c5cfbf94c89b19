"""What the reading login cannot see: fields hidden by field-level security, and rows that are not shared with it.

Such values look empty, and a reset would write the emptiness back (facts/data.md 4, row 41), so they are named in the
coverage and make a capture partial. Only custom fields are held against the org's own list: of standard fields the two
lists differ for other reasons [unsure: which of them FieldDefinition leaves out].
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rehearse.baseline.model import CoverageRow
from rehearse.baseline.scope import masked_fields
from rehearse.errors import OrgRejected
from rehearse.org.model import Schema
from rehearse.org.reader import OrgReader

OBJECTS_A_QUERY = 20
_DERIVED = ("formula", "roll", "summary")


@dataclass(frozen=True)
class CustomFields:
    """The (object, field) pairs that the org lists, and the code of its refusal where it would not list all."""

    fields: frozenset[tuple[str, str]]
    refused: str = ""


def fetch_unshared(reader: OrgReader, objects: Collection[str], user_id: str) -> tuple[CoverageRow, ...]:
    """The coverage row of a login without View All Data: rows that are not shared with it are missing unsaid.

    Nothing where no object is read at all.
    """
    try:
        if not objects or _sees_all(reader, user_id):
            return ()
    except OrgRejected as error:
        note = f"whether this login has View All Data could not be asked: {error.org_code}"
        return (CoverageRow("records", "(rows of others)", "not-listable", note=note),)
    note = "this login lacks View All Data: rows that are not shared with it are missing"
    return (CoverageRow("records", "(rows of others)", "unreadable", note=note),)


def fetch_custom_fields(reader: OrgReader, objects: Collection[str]) -> CustomFields:
    """The custom fields of objects by the org's own list, which shows them to whom they are hidden from too."""
    names = sorted(objects)
    found: set[tuple[str, str]] = set()
    for start in range(0, len(names), OBJECTS_A_QUERY):
        try:
            found.update(_custom_fields(reader, names[start : start + OBJECTS_A_QUERY]))
        except OrgRejected as error:
            return CustomFields(frozenset(found), error.org_code)
    return CustomFields(frozenset(found))


def find_hidden(schemas: Mapping[str, Schema], listed: CustomFields) -> Iterator[CoverageRow]:
    """A coverage row for each object with fields that its description does not show to this login, and the refusal."""
    if listed.refused:
        note = f"which fields are hidden from this login could not be asked: {listed.refused}"
        yield CoverageRow("records", "(field-level security)", "not-listable", note=note)
    hidden: dict[str, list[str]] = {}
    for object, field in sorted(listed.fields):
        if object in schemas and schemas[object].field(field) is None:
            hidden.setdefault(object, []).append(field)
    for object, fields in sorted(hidden.items()):
        note = "hidden from this login by field-level security: " + ", ".join(sorted(fields))
        yield CoverageRow("records", f"{object} (hidden fields)", "unreadable", len(fields), note)


def _custom_fields(reader: OrgReader, objects: Sequence[str]) -> Iterator[tuple[str, str]]:
    listed = ", ".join(f"'{one}'" for one in objects)
    soql = (
        "SELECT QualifiedApiName, DataType, EntityDefinition.QualifiedApiName FROM FieldDefinition "
        f"WHERE EntityDefinition.QualifiedApiName IN ({listed})"
    )
    for row in reader.fetch_rows(soql):
        name = str(row["QualifiedApiName"])
        if name.endswith("__c") and not str(row.get("DataType") or "").lower().startswith(_DERIVED):
            yield str(row["EntityDefinition.QualifiedApiName"]), name


def _sees_all(reader: OrgReader, user_id: str) -> bool:
    """UserPermissionAccess tells every user what he may himself, from API 41.0; before, his permission sets do.

    [object reference, UserPermissionAccess: one row, of the user who asks; it needs no permission.]
    """
    try:
        rows = list(reader.fetch_rows("SELECT Id, PermissionsViewAllData FROM UserPermissionAccess"))
        return any(row["PermissionsViewAllData"] is True for row in rows)
    except OrgRejected:
        soql = (
            f"SELECT COUNT() FROM PermissionSetAssignment WHERE AssigneeId = '{user_id}' "
            "AND PermissionSet.PermissionsViewAllData = true"
        )
        return reader.fetch_count(soql) > 0


def sees_encrypted(reader: OrgReader, schemas: Mapping[str, Schema]) -> bool:
    """Whether this login reads encrypted values in clear. Only View Encrypted Data grants that (facts/data.md 4, row
    50), and UserPermissionAccess tells it [object reference]; where it does not tell, they count as masked."""
    if not any(masked_fields(one) for one in schemas.values()):
        return False
    try:
        rows = list(reader.fetch_rows("SELECT Id, PermissionsViewEncryptedData FROM UserPermissionAccess"))
    except OrgRejected:
        return False
    return any(row["PermissionsViewEncryptedData"] is True for row in rows)
