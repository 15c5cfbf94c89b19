"""Scopes: what globs mean, which fields count, and filters that stay the same tomorrow."""

from datetime import UTC, date, datetime

import pytest

from rehearse.baseline.filters import freeze_filter, period_of
from rehearse.baseline.model import ComparableField, ObjectScope, ResolvedScope, Scope
from rehearse.baseline.scope import (
    add_to_frozen,
    comparable_fields,
    find_unused,
    match_objects,
    match_types,
    resolve_objects,
    spell,
    unread_rows,
)
from rehearse.errors import UsageError
from rehearse.org.model import Field, MetadataType, ObjectSummary, Schema

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # a Monday


def schema(name: str, *fields: Field) -> Schema:
    return Schema(name, "001", True, True, True, True, True, True, False, fields)


ACCOUNT = schema(
    "Account",
    Field("Id", "id"),
    Field("Name", "string", updateable=True),
    Field("OwnerId", "reference", updateable=True),
    Field("Total__c", "currency", calculated=True),
    Field("BillingAddress", "address"),
    Field("BillingCity", "string", updateable=True, compound_field="BillingAddress"),
    Field("Number__c", "string", auto_number=True),
    Field("Photo", "base64"),
    Field("Card__c", "encryptedstring", encrypted=True, updateable=True),
    Field("Close__c", "date", updateable=True),
    Field("SystemModstamp", "datetime"),
    Field("LastViewedDate", "datetime"),
    Field("CreatedDate", "datetime"),
    Field("IsDeleted", "boolean"),
)
CONTACT = schema(
    "Contact",
    Field("Name", "string"),
    Field("FirstName", "string", updateable=True, compound_field="Name"),
    Field("LastName", "string", updateable=True, compound_field="Name"),
)


def test_comparable_is_what_could_be_written_back() -> None:
    assert [one.name for one in comparable_fields(ACCOUNT)] == [
        "BillingCity",
        "Close__c",
        "Name",
        "Number__c",
        "OwnerId",
    ]
    assert [one.name for one in comparable_fields(CONTACT)] == ["FirstName", "LastName"]


def test_what_somebody_archived_is_compared_and_what_grew_old_is_not() -> None:
    """A product, a price book or a file is archived by a person; activities by their age alone."""
    for name, fields in (("Product2", ["IsArchived"]), ("ContentDocument", ["IsArchived"]), ("Task", [])):
        assert [one.name for one in comparable_fields(schema(name, Field("IsArchived", "boolean")))] == fields


def summary(name: str, queryable: bool = True) -> ObjectSummary:
    return ObjectSummary(name, None, queryable, False, True, True)


def test_globs_over_objects() -> None:
    names = ["Account", "AccountHistory", "AccountFeed", "AccountShare", "A__c", "A__mdt", "A__e", "A__History", "Name"]
    every = [*(summary(name) for name in names), summary("Hidden", queryable=False)]
    assert match_objects(Scope(objects=("*",)), every) == ("A__c", "Account", "Name")
    assert match_objects(Scope(objects=("A*", "AccountShare"), objects_exclude=("*__c",)), every) == (
        "Account",
        "AccountShare",
    )
    assert match_objects(Scope(objects=("Hidden", "A__e")), every) == ()
    assert match_objects(Scope(), every) == ()


def test_globs_over_types() -> None:
    types = [MetadataType(name, name, None, False, False) for name in ("ApexClass", "ApexPage", "Layout")]
    assert match_types(Scope(), types) == ("ApexClass", "ApexPage", "Layout")
    assert match_types(Scope(metadata_include=("Apex*",), metadata_exclude=("*Page",)), types) == ("ApexClass",)


@pytest.mark.parametrize(
    ("where", "frozen"),
    [
        ("CreatedDate = LAST_N_DAYS:400", "CreatedDate >= 2025-10-19T00:00:00Z"),
        ("CreatedDate >= last_n_days:1", "CreatedDate >= 2026-11-22T00:00:00Z"),
        ("CreatedDate = TODAY", "(CreatedDate >= 2026-11-23T00:00:00Z AND CreatedDate < 2026-11-24T00:00:00Z)"),
        ("Close__c > THIS_MONTH AND Name = 'TODAY'", "Close__c >= 2026-12-01 AND Name = 'TODAY'"),
        ("Close__c != LAST_YEAR", "(Close__c < 2025-01-01 OR Close__c >= 2026-01-01)"),
        ("Close__c <= N_DAYS_AGO:3", "Close__c < 2026-11-21"),
        ("Close__c < NEXT_N_QUARTERS:2", "Close__c < 2027-01-01"),
        ("Name = 'it\\'s = TODAY' OR CreatedDate < YESTERDAY",
         "Name = 'it\\'s = TODAY' OR CreatedDate < 2026-11-22T00:00:00Z"),
        ("CreatedDate > 2026-01-01T00:00:00Z", "CreatedDate > 2026-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_filters_are_frozen(where: str, frozen: str) -> None:
    assert freeze_filter(where, ACCOUNT, NOW)[0] == frozen
    assert freeze_filter(frozen, ACCOUNT, NOW)[0] == frozen


@pytest.mark.parametrize(
    ("word", "count", "start", "end"),
    [
        ("THIS_WEEK", 0, date(2026, 11, 22), date(2026, 11, 29)),
        ("LAST_QUARTER", 0, date(2026, 7, 1), date(2026, 10, 1)),
        ("NEXT_MONTH", 0, date(2026, 12, 1), date(2027, 1, 1)),
        ("LAST_N_MONTHS", 11, date(2025, 12, 1), date(2026, 11, 1)),
        ("N_WEEKS_AGO", 1, date(2026, 11, 15), date(2026, 11, 22)),
        ("NEXT_90_DAYS", 0, date(2026, 11, 24), date(2027, 2, 22)),
        ("LAST_90_DAYS", 0, date(2026, 8, 25), None),
        ("N_YEARS_AGO", 2, date(2024, 1, 1), date(2025, 1, 1)),
    ],
)
def test_periods(word: str, count: int, start: date, end: date | None) -> None:
    assert period_of(word, count, NOW.date()) == (start, end)


def test_fields_that_can_change_are_named() -> None:
    assert freeze_filter("Name LIKE 'A%' AND CreatedDate = TODAY", ACCOUNT, NOW)[1] == ("Name",)
    assert freeze_filter("Number__c IN ('Name = 1')", ACCOUNT, NOW)[1] == ()
    objects, warnings = resolve_objects(Scope(where={"Account": "OwnerId = '1'"}), {"Account": ACCOUNT}, NOW)
    assert objects[0].where == "OwnerId = '1'" and "OwnerId" in warnings[0]


def test_fiscal_periods_are_refused() -> None:
    with pytest.raises(UsageError):
        freeze_filter("CreatedDate = THIS_FISCAL_YEAR", ACCOUNT, NOW)


def test_a_frozen_scope_stays_and_what_is_new_is_added() -> None:
    a, b, c = (ComparableField(name, "string") for name in "abc")
    frozen = ResolvedScope(("X",), (ObjectScope("Old", (a,)), ObjectScope("One", (a, b), "w")))
    live = ResolvedScope(("X", "Y"), (ObjectScope("New", (c,)), ObjectScope("One", (a, c), "other")))
    assert add_to_frozen(frozen, live) == ResolvedScope(
        ("X", "Y"), (ObjectScope("New", (c,)), ObjectScope("One", (a,), "w"))
    )
    assert add_to_frozen(frozen, frozen) == frozen


def test_what_cannot_be_read_is_said() -> None:
    rows = unread_rows(Scope(objects=("Account", "Ghost", "G*")), ["Account"], {"Account": ACCOUNT})
    assert [(one.name, one.state) for one in rows] == [
        ("Ghost", "unreadable"),
        ("Account (encrypted fields)", "masked"),
        ("Account (files)", "excluded"),
    ]


def test_names_of_objects_are_the_same_in_any_letter_case() -> None:
    every = [summary("Account"), summary("Invoice__c")]
    asked = Scope(
        objects=("ACCOUNT", "invoice__C", "Ghost"), objects_exclude=("invoice__c",), where={"account": "Name = 'a'"}
    )
    assert spell(asked, every) == Scope(
        objects=("Account", "Invoice__c", "Ghost"), objects_exclude=("Invoice__c",), where={"Account": "Name = 'a'"}
    )
    assert match_objects(asked, every) == ("Account",)


def test_what_a_scope_says_to_no_effect_is_told() -> None:
    every, types = [summary("Account"), summary("Case")], [MetadataType("ApexClass", "classes", "cls", False, True)]
    asked = Scope(
        metadata_include=("Apex*", "Flaw"), metadata_exclude=("Raport",), objects=("Account", "Inv*", "C*"),
        objects_exclude=("Lead", "Case"), where={"Account": "a", "Case": "b", "Contact": "c"},
    )  # fmt: skip
    said = find_unused(asked, types, every)
    assert [one.partition(" of rehearse.yaml: ")[2].split()[0].strip("'") for one in said] == [
        "Inv*", "Lead", "Flaw", "Raport", "Case", "Contact",
    ]  # fmt: skip
    assert find_unused(Scope(objects=("*",), where={"Account": "a"}), types, every) == ()
    assert find_unused(Scope(where={"Account": "a"}), types, every) == ()
