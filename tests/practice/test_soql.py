"""SOQL: what queries answer and how they are refused (cases in soql_cases.toml), the shape of rows, pages, streams."""

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse.practice import rows
from rehearse.practice.http_errors import ApiError
from rehearse.practice.soql_dates import find_span
from rehearse.practice.soql_pages import Asked, first_page, held_batch, next_page
from rehearse.practice.soql_parse import parse_soql
from rehearse.practice.soql_run import run_query

CASES = tomllib.loads(Path(__file__).with_name("soql_cases.toml").read_text())["case"]


@pytest.fixture
def world(small):
    """Accounts, contacts, invoices and tasks that the cases ask about; marks such as @acme are their ids."""
    acme = small.insert("Account", Name="Acme", Site="Cork", NumberOfEmployees=30, BillingCity="Cork")
    beta = small.insert("Account", Name="Beta", NumberOfEmployees=20)
    small.insert("Account", Name="O'Neill \\ 100%", NumberOfEmployees=10)
    small.insert("Account", Name="alba", Site="Turin")
    brown = small.insert("Contact", LastName="Brown", AccountId=acme)
    adams = small.insert(
        "Contact", FirstName="Jo", LastName="Adams", AccountId=acme, Email="j@x.example", ReportsToId=brown
    )
    small.insert("Contact", LastName="Clark", AccountId=beta)
    small.delete(small.insert("Contact", LastName="Deleted", AccountId=acme))
    deal = small.insert("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2026-12-01", AccountId=acme)
    small.insert("Task", Subject="Call", WhatId=acme, WhoId=adams)
    small.insert("Task", Subject="Write", WhatId=deal, Status="Completed")
    sent = {"Sent__c": "2026-11-23T08:00:00Z"}
    today = small.insert(
        "Invoice__c", Code__c="today", Due__c="2026-11-23", Rate__c=1.5, Colours__c="red;blue", Account__c=acme, **sent
    )
    small.insert("Invoice__c", Code__c="friday", Due__c="2026-11-20", Colours__c="green")
    small.insert("Invoice__c", Code__c="october", Due__c="2026-10-31")
    small.insert("Invoice__c", Code__c="advent", Due__c="2026-11-29", Sent__c="2026-11-24T00:00:00Z")
    small.insert("Invoice__c", Code__c="none", Open__c=False)
    for amount in (1, 2.5):
        small.insert("Line__c", Invoice__c=today, Amount__c=amount)
    small.marks = {"@acme15": acme[:15], "@beta15": beta[:15], "@acme": acme}
    return small


def marked(world, text):
    for mark, value in world.marks.items():
        text = text.replace(mark, value) if isinstance(text, str) else text
    return text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["soql"][:70])
def test_a_query_answers_or_is_refused(world, case):
    soql = marked(world, case["soql"])
    if "code" in case:
        with pytest.raises(ApiError) as refusal:
            run_query(world.org, soql)
        assert (refusal.value.status, refusal.value.code) == (400, case["code"])
        assert case["text"] in refusal.value.message
        return
    result = run_query(world.org, soql)
    if "total" in case:
        assert (result.total, list(result.rows)) == (case["total"], [])
        return
    found = [next(value for name, value in row.items() if name != "attributes") for row in result.rows]
    names = [one["Name"] if isinstance(one, dict) else one for one in found]
    assert names == [marked(world, one) for one in case["rows"]]
    assert result.total == len(names)


def test_rows_nest_parents_children_and_addresses_with_attributes(world):
    children = "(SELECT LastName FROM Contacts ORDER BY LastName)"
    soql = f"SELECT id, NAME, BillingAddress, parent.name, {children} FROM Account LIMIT 1"
    (row,) = run_query(world.org, soql, version="60.0").rows
    acme = world.marks["@acme"]
    contacts = row.pop("Contacts")
    assert row == {
        "attributes": {"type": "Account", "url": f"/services/data/v60.0/sobjects/Account/{acme}"},
        "Id": acme,
        "Name": "Acme",
        "BillingAddress": {
            "street": None,
            "city": "Cork",
            "state": None,
            "postalCode": None,
            "country": None,
            "latitude": None,
            "longitude": None,
            "geocodeAccuracy": None,
        },
        "Parent": None,
    }
    assert (contacts["totalSize"], contacts["done"]) == (2, True)
    assert [one["LastName"] for one in contacts["records"]] == ["Adams", "Brown"]
    assert contacts["records"][0]["attributes"]["type"] == "Contact"


def test_a_polymorphic_parent_is_a_name(world):
    rows_ = list(run_query(world.org, "SELECT What.Name, What.Type, Who.Name FROM Task ORDER BY Subject").rows)
    assert rows_[0]["What"]["attributes"]["type"] == "Name"
    assert "/sobjects/Account/" in rows_[0]["What"]["attributes"]["url"]
    assert [(one["What"]["Name"], one["What"]["Type"]) for one in rows_] == [
        ("Acme", "Account"),
        ("Deal", "Opportunity"),
    ]
    assert rows_[1]["Who"] is None


def test_aggregates_are_named_by_alias_or_number(world):
    chosen = "Site, COUNT(Id), MAX(NumberOfEmployees) most"
    soql = f"SELECT {chosen} FROM Account GROUP BY Site ORDER BY Site NULLS LAST LIMIT 1"
    (row,) = run_query(world.org, soql).rows
    assert row == {"attributes": {"type": "AggregateResult"}, "Site": "Cork", "expr0": 1, "most": 30}


def test_children_of_a_parent_without_any_are_null(world):
    row = world.one("SELECT Name, (SELECT Id FROM Contacts) FROM Account WHERE Name = 'alba'")
    assert row == {"Name": "alba", "Contacts": None}


def test_queryall_sees_the_recycle_bin(world):
    assert len(world.query("SELECT Id FROM Contact")) == 3
    assert world.query("SELECT LastName FROM Contact WHERE IsDeleted = true", deleted=True) == [{"LastName": "Deleted"}]


def test_pages_are_stable_and_live_two_days(small):
    rows.load(small.org, "Account", [{"Name": f"A{number:04}"} for number in range(950)])
    soql = "SELECT Name FROM Account ORDER BY Name DESC"
    page = first_page(small.org, Asked(soql, False, 400, "67.0"))
    assert (page.total, len(page.records), page.records[0]["Name"]) == (950, 400, "A0949")
    small.insert("Account", Name="Z")
    second = next_page(small.org, page.locator, "67.0")
    again = next_page(small.org, page.locator, "67.0")
    third = next_page(small.org, second.locator, "67.0")
    assert second == again and third.locator is None
    names = [one["Name"] for part in (page, second, third) for one in part.records]
    assert names == [f"A{number:04}" for number in reversed(range(950))]
    small.clock.moment += timedelta(days=2, minutes=1)
    for locator in (page.locator, "01gxx", "nonsense-400"):
        with pytest.raises(ApiError) as refusal:
            next_page(small.org, locator, "67.0")
        assert refusal.value.code == "INVALID_QUERY_LOCATOR"


def test_a_batch_size_is_held_to_its_bounds():
    sizes = [
        held_batch(text) for text in (None, "batchSize=500", "batchSize=1", "batchSize=9999", "x=1; batchSize = 300")
    ]
    assert sizes == [2000, 500, 200, 2000, 300]


@given(st.text())
def test_any_text_survives_a_literal(text):
    quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    if "\\%" in quoted or "\\_" in quoted or "\0" in text:
        return
    where = parse_soql(f"SELECT Id FROM Account WHERE Name = '{quoted}'").where
    assert where.right.value == text


WORDS = [
    "SELECT",
    "FROM",
    "WHERE",
    "Id",
    "Account",
    "(",
    ")",
    ",",
    ".",
    "=",
    "<",
    "'x'",
    "5",
    "AND",
    "NOT",
    "IN",
    "COUNT",
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)))
def test_reading_a_query_never_fails_in_another_way(text):
    try:
        parse_soql(text)
    except ApiError as error:
        assert error.code == "MALFORMED_QUERY"


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2090, 1, 1)))
def test_periods_join_without_gap_or_overlap(day):
    for unit in ("WEEK", "MONTH", "QUARTER", "YEAR"):
        last, this, after = (find_span(f"{word}_{unit}", 0, day) for word in ("LAST", "THIS", "NEXT"))
        assert last[1] == this[0] <= day < this[1] == after[0]
        assert find_span(f"LAST_N_{unit}S", 1, day) == last and find_span(f"NEXT_N_{unit}S", 1, day) == after
        assert find_span(f"N_{unit}S_AGO", 1, day) == last
    assert find_span("LAST_N_DAYS", 0, day) == find_span("TODAY", 0, day)
