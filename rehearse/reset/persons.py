"""Person accounts: an account that is one person, and the contact that the platform keeps for it, are one thing.

The contact is written, deleted and brought back through its account alone, and the account's name is made of the
person's (facts/data.md 4, row 28; SOAP API guide, person account record types). So a plan never names such a contact,
an account changes its kind before it changes anything else, and what is inserted again under a new Id has a new
contact, whose Id is remembered with the account's.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.org.connect import OrgReader
from rehearse.reset.row_state import Values

CONTACT_FIELD = "PersonContactId"


def is_person(values: Mapping[str, str | None]) -> bool:
    """Whether an account is a person, or a contact the one of a person account."""
    return values.get("IsPersonAccount") == "true"


def follows_account(object: str, before: Values, after: Values) -> bool:
    """Whether a row is the contact of a person account, to be written through it alone.

    One whose account was no person in the baseline is a contact like others again once the account is back.
    """
    return object == "Contact" and is_person(before or after)


def switches_kind(object: str, live: Values, goal: Values) -> bool:
    """Whether an account is a person and shall be a company, or the other way round.

    Only its record type says so, in an update that changes nothing else (API guide, person account record types).
    """
    return object == "Account" and "IsPersonAccount" in live and is_person(live) != is_person(goal)


def made_of_others(object: str, *sides: Mapping[str, str | None]) -> frozenset[str]:
    """Fields of an account that the platform makes of others, so that no call may name them."""
    return frozenset({"Name"}) if object == "Account" and any(is_person(one) for one in sides) else frozenset()


def fetch_contacts(
    reader: OrgReader, stored: Mapping[str, Mapping[str, str | None]], pairs: Mapping[str, str]
) -> dict[str, str]:
    """Old -> new Id of the contacts of person accounts that came back under new Ids (`pairs`: of the accounts)."""
    old = {key: str(row[CONTACT_FIELD]) for key, row in stored.items() if key in pairs and row.get(CONTACT_FIELD)}
    rows = reader.fetch_by_ids("Account", [pairs[key] for key in old], [CONTACT_FIELD]) if old else {}
    made = {key: rows.get(pairs[key], {}).get(CONTACT_FIELD) for key in old}
    return {old[key]: str(new) for key, new in made.items() if new}
