"""What an administrator switches on for a whole org, and never quite off again: state and country picklists, person
accounts. Their settings say whether every org of the world has them.

`follow_features` brings an org up to its settings; the fields that come then stay, whatever the settings say later.
Rows that are there get codes where their country is known, and keep the others as text.
"""

from __future__ import annotations

from dataclasses import replace

from rehearse.practice.meta_mirror import put_row
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_logins import make_logins
from rehearse.practice.rows_persons import MIRRORED, PERSON_TYPE, has_persons
from rehearse.practice.rows_places import load_places
from rehearse.practice.schema import FieldDef, ObjectDef, PicklistValue
from rehearse.practice.schema_standard import STANDARD_OBJECTS


def follow_features(org: OrgState) -> None:
    """Bring an org what the settings have switched on since, and what worlds of an older version lack."""
    _bring_newer(org)
    if org.settings.get("state_country_codes", False):
        account = org.find_object("Account")
        if account is not None and account.find("BillingCountryCode") is None:
            _bring_codes(org)
    if org.settings.get("person_accounts", False):
        account = org.find_object("Account")
        if account is not None and not has_persons(account):
            _bring_persons(org, account)


def _bring_newer(org: OrgState) -> None:
    """Objects and fields that came to the practice org after this world was made."""
    newer = {one.name: one for one in STANDARD_OBJECTS if one.name in ("OpportunityLineItem", "UserLogin")}
    if org.find_object("UserLogin") is None:
        with org.transaction():
            org.put_object(newer["UserLogin"])
            make_logins(org)
    lines, total = org.object("OpportunityLineItem"), newer["OpportunityLineItem"].find("TotalPrice")
    if total is not None and (old := lines.find("TotalPrice")) is not None and old.formula:
        price = '"Quantity" * "UnitPrice" * (1 - coalesce("Discount", 0) / 100)'
        with org.transaction() as db:
            org.put_object(lines.with_field(total))
            db.execute(f'UPDATE "OpportunityLineItem" SET "TotalPrice" = round({price}, 2)')


# ---- state and country picklists


def _bring_codes(org: OrgState) -> None:
    with org.transaction():
        for definition in list(org.objects().values()):
            prefixes = [
                one.name.removesuffix("Country")
                for one in definition.fields
                if one.name.endswith("Country") and one.compound is not None and not one.custom
            ]
            changed = definition
            for prefix in prefixes:
                changed = _with_codes(changed, prefix)
            if prefixes:
                org.put_object(changed)
                for prefix in prefixes:
                    _fill_codes(org, definition.name, prefix)


def _with_codes(definition: ObjectDef, prefix: str) -> ObjectDef:
    """An object whose address has codes behind its state and its country."""
    places = load_places()
    countries = tuple(PicklistValue(code, name) for code, (name, _) in places.items())
    owners: dict[tuple[str, str], list[str]] = {}
    for country, (_, named) in places.items():
        for code, name in named.items():
            owners.setdefault((code, name), []).append(country)
    states = tuple(PicklistValue(code, name, valid_for=tuple(where)) for (code, name), where in owners.items())
    fields: list[FieldDef] = []
    for one in definition.fields:
        if one.name == f"{prefix}Address":
            parts = [part for name in one.parts for part in _behind(name, prefix)]
            one = replace(one, parts=tuple(parts))
        fields.append(one)
        if one.name == f"{prefix}State":
            coded = FieldDef(f"{one.name}Code", f"{one.label} Code", "picklist", 10, restricted=True, values=states)
            fields.append(replace(coded, compound=one.compound, controller=f"{prefix}CountryCode"))
        elif one.name == f"{prefix}Country":
            coded = FieldDef(f"{one.name}Code", f"{one.label} Code", "picklist", 10, restricted=True, values=countries)
            fields.append(replace(coded, compound=one.compound))
    return replace(definition, fields=tuple(fields))


def _behind(name: str, prefix: str) -> tuple[str, ...]:
    return (name, f"{name}Code") if name in (f"{prefix}State", f"{prefix}Country") else (name,)


def _fill_codes(org: OrgState, table: str, prefix: str) -> None:
    """Codes for the rows that are there; their stamps do not move."""
    country, state = f"{prefix}Country", f"{prefix}State"
    for code, (name, states) in load_places().items():
        sql = f"UPDATE {quote(table)} SET {quote(f'{country}Code')} = ? WHERE {quote(country)} = ?"
        org.db.execute(sql, (code, name))
        for short, full in states.items():
            where = f"{quote(state)} = ? AND {quote(f'{country}Code')} = ?"
            org.db.execute(f"UPDATE {quote(table)} SET {quote(f'{state}Code')} = ? WHERE {where}", (short, full, code))


# ---- person accounts


def _bring_persons(org: OrgState, account: ObjectDef) -> None:
    """The fields of a person on accounts, IsPersonAccount on contacts, and a record type for persons."""
    contact, record_type = org.object("Contact"), org.object("RecordType")
    flag = FieldDef(
        "IsPersonAccount", "Is Person Account", "boolean", required=True, createable=False, updateable=False
    )
    link = FieldDef(
        "PersonContactId",
        "Contact ID",
        "reference",
        length=18,
        reference_to=("Contact",),
        relationship_name="PersonContact",
        createable=False,
        updateable=False,
    )
    with org.transaction() as db:
        for mine, theirs in MIRRORED.items():
            source = contact.find(theirs)
            if source is not None:
                label = source.label if mine == theirs else f"Person Account: {source.label}"
                account = account.with_field(replace(source, name=mine, label=label, required=False, compound=None))
        org.put_object(account.with_field(flag).with_field(link))
        org.put_object(contact.with_field(flag))
        if record_type.find("IsPersonType") is None:
            org.put_object(record_type.with_field(replace(flag, name="IsPersonType", label="Is Person Type")))
        db.execute('UPDATE "Account" SET "IsPersonAccount" = 0')
        db.execute('UPDATE "Contact" SET "IsPersonAccount" = 0')
        db.execute('UPDATE "RecordType" SET "IsPersonType" = 0')
        named = {"Name": "Person Account", "DeveloperName": PERSON_TYPE, "SobjectType": "Account"}
        put_row(org, "RecordType", {"Id": org.new_id("012"), **named, "IsActive": 1, "IsPersonType": 1})
