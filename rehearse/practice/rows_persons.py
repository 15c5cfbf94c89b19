"""Person accounts: an account that is one person, with the one contact that the platform keeps for it.

Only where the fields are there: the setting `person_accounts` brings them (features.py). A last name or a record type
for persons makes an account a person; its name is then made of the person's, its contact is written through the account
alone, and the kind changes only in an update that changes nothing else [data.md 4 row 28; words: unsure].
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.schema import ObjectDef

NAMES = ("Salutation", "FirstName", "LastName")
MIRRORED = {  # field of the account -> field of its contact
    **{name: name for name in NAMES},
    "PersonEmail": "Email",
    "PersonMobilePhone": "MobilePhone",
    "PersonTitle": "Title",
    "PersonBirthdate": "Birthdate",
    **{f"PersonMailing{part}": f"Mailing{part}" for part in ("Street", "City", "State", "PostalCode", "Country")},
}
PERSON_TYPE = "PersonAccount"  # DeveloperName of the record type for persons


def has_persons(definition: ObjectDef) -> bool:
    """Whether an object's definition knows persons."""
    return definition.find("IsPersonAccount") is not None


def couple_persons(
    org: OrgState, definition: ObjectDef, values: dict[str, Stored], before: Mapping[str, Stored]
) -> None:
    """Complete or refuse what is written to an account or a contact; `before` is empty on insert. Raises RowError."""
    if definition.name == "Account" and has_persons(definition):
        _account(org, values, before)
    elif definition.name == "Contact" and has_persons(definition):
        _contact(org, values, before)


def _account(org: OrgState, values: dict[str, Stored], before: Mapping[str, Stored]) -> None:
    was = bool(before.get("IsPersonAccount"))
    person = was
    if "RecordTypeId" in values or not before:
        chosen = values.get("RecordTypeId")
        person = _is_person_type(org, chosen) if chosen is not None else bool(values.get("LastName"))
    if before and person != was:
        if set(values) - {"RecordTypeId"}:
            text = "the record type of a person account and of a business account changes in an update of its own"
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", f"Account: {text}", ("RecordTypeId",))
        values |= {"IsPersonAccount": int(person), **(_adopt(org, before) if person else {"PersonContactId": None})}
        return
    wrong = (
        ["Name"] if person and "Name" in values else [one for one in MIRRORED if values.get(one)] if not person else []
    )
    if wrong:
        text = f"Account: bad field names on insert/update call: {', '.join(wrong)}"
        raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", text, tuple(wrong))
    if person:
        _name(org, values, before)


def _name(org: OrgState, values: dict[str, Stored], before: Mapping[str, Stored]) -> None:
    """The name of a person account, made of the person's, and its record type."""
    if not values.get("LastName", before.get("LastName")):
        raise RowError("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ("LastName",))
    said = (values.get(part, before.get(part)) for part in ("FirstName", "LastName"))
    values |= {"IsPersonAccount": 1, "Name": " ".join(str(one) for one in said if one)}
    if not before and values.get("RecordTypeId") is None:
        values["RecordTypeId"] = _person_type(org)


def _adopt(org: OrgState, before: Mapping[str, Stored]) -> dict[str, Stored]:
    """What an account takes from its one contact when it becomes a person. Raises RowError for none or several."""
    named = ", ".join(f'"{one}"' for one in MIRRORED.values())
    sql = f'SELECT "Id", {named} FROM "Contact" WHERE "AccountId" = ? AND "IsDeleted" = 0'
    found = org.db.execute(sql, (before["Id"],)).fetchall()
    if len(found) != 1:
        text = "An account becomes a person account only with exactly one contact"
        raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", text, ("RecordTypeId",))
    taken = dict(zip(MIRRORED, found[0][1:], strict=True))
    name = " ".join(str(taken[part]) for part in ("FirstName", "LastName") if taken[part])
    return {**taken, "PersonContactId": found[0][0], "Name": name}


def _contact(org: OrgState, values: Mapping[str, Stored], before: Mapping[str, Stored]) -> None:
    """The contact of a person is written through its account, and no other contact stands below a person."""
    if before.get("IsPersonAccount") and set(values) & {*MIRRORED.values(), "AccountId"}:
        raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "Contact: a person is changed through its account", ())
    account = values.get("AccountId")
    if account is not None and not before.get("IsPersonAccount"):
        found = org.db.execute('SELECT "IsPersonAccount" FROM "Account" WHERE "Id" = ?', (account,)).fetchone()
        if found is not None and found[0]:
            text = "A person account has no contacts beside its own"
            raise RowError("FIELD_INTEGRITY_EXCEPTION", text, ("AccountId",))


def follow_person(org: OrgState, definition: ObjectDef, row_id: str, user_id: str) -> None:
    """Make or change the contact of a person account that was just written."""
    if definition.name != "Account" or not has_persons(definition):
        return
    columns = ("IsPersonAccount", "PersonContactId", "OwnerId", *MIRRORED)
    named = ", ".join(f'"{one}"' for one in columns)
    found = org.db.execute(f'SELECT {named} FROM "Account" WHERE "Id" = ?', (row_id,)).fetchone()
    row = dict(zip(columns, found, strict=True))
    if not row["IsPersonAccount"]:
        org.db.execute('UPDATE "Contact" SET "IsPersonAccount" = 0 WHERE "AccountId" = ?', (row_id,))
        return
    stamp = org.stamp()
    values: dict[str, Stored] = {theirs: row[mine] for mine, theirs in MIRRORED.items()}
    values |= {"IsPersonAccount": 1, "OwnerId": row["OwnerId"], "LastModifiedById": user_id, "LastModifiedDate": stamp}
    values["SystemModstamp"] = stamp
    if row["PersonContactId"]:
        sets = ", ".join(f'"{one}" = ?' for one in values)
        org.db.execute(f'UPDATE "Contact" SET {sets} WHERE "Id" = ?', (*values.values(), row["PersonContactId"]))
        return
    contact = org.new_id("003")
    values |= {"Id": contact, "AccountId": row_id, "CreatedById": user_id, "CreatedDate": stamp}
    names = ", ".join(f'"{one}"' for one in values)
    marks = ", ".join("?" for _ in values)
    org.db.execute(f'INSERT INTO "Contact" ({names}) VALUES ({marks})', tuple(values.values()))
    org.db.execute('UPDATE "Account" SET "PersonContactId" = ? WHERE "Id" = ?', (contact, row_id))


def check_person_delete(definition: ObjectDef, before: Mapping[str, Stored]) -> None:
    """Raise RowError for the deletion of a person's contact alone."""
    if definition.name == "Contact" and before.get("IsPersonAccount"):
        text = "The contact of a person account goes with its account"
        raise RowError("DELETE_FAILED", text, ())


def _is_person_type(org: OrgState, record_type: Stored) -> bool:
    found = org.db.execute('SELECT "IsPersonType" FROM "RecordType" WHERE "Id" = ?', (record_type,)).fetchone()
    return found is not None and bool(found[0])


def _person_type(org: OrgState) -> Stored:
    sql = 'SELECT "Id" FROM "RecordType" WHERE "IsPersonType" = 1 ORDER BY "Id" LIMIT 1'
    found = org.db.execute(sql).fetchone()
    return str(found[0]) if found is not None else None
