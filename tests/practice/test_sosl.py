"""SOSL on a small org: which rows words find, and what a RETURNING clause makes of them."""

import pytest

from rehearse.practice.http_errors import ApiError
from rehearse.practice.sosl import search


@pytest.fixture
def found(small):
    small.insert("Account", Name="Harbour Pumps (North)", Phone="+353 21 555", Description="old quay pumps")
    small.insert("Account", Name="Harbour Cranes", Phone="+353 99", Description="pumped twice")
    ann = small.insert("Contact", LastName="Quay", FirstName="Ann", Email="ann.quay@acme.example")
    gone = small.insert("Contact", LastName="Harbour")
    small.delete(gone)
    assert ann

    def names(text):
        rows = list(search(small.org, text, "67.0"))
        return sorted(str(row.get("Name") or row["Id"][:3]) for row in rows)

    return names


@pytest.mark.parametrize(
    ("words", "scope", "accounts"),
    [
        ("harbour", "ALL", 2),
        ("HARBOUR pumps", "ALL", 1),
        ("harbour AND NOT pumps", "ALL", 1),
        ("cranes OR north", "NAME", 2),
        ('"harbour pumps"', "ALL", 1),
        ('"pumps harbour"', "ALL", 0),
        ("pump*", "ALL", 2),
        ("pump?", "ALL", 1),
        ("pump", "ALL", 0),
        ("(cranes OR north) harbour", "ALL", 2),
        ("quay", "NAME", 0),
        ("quay", "ALL", 1),
        ("353", "PHONE", 2),
        ("\\(north\\)", "NAME", 1),
    ],
)
def test_words_are_whole_words_joined_as_the_text_says(found, words, scope, accounts):
    assert len(found(f"FIND {{{words}}} IN {scope} FIELDS RETURNING Account(Id, Name)")) == accounts


def test_without_returning_every_object_is_searched_and_deleted_rows_are_not(found):
    assert found("FIND {quay OR harbour}") == ["001", "001", "003"]
    assert found("FIND {ann.quay@acme.example} IN EMAIL FIELDS") == ["003"]


def test_returning_takes_clauses_as_soql_has_them(found):
    where = "WHERE (Name LIKE '%(North)' OR Phone = ')LIMIT')"
    text = f"FIND {{harbour}} RETURNING Account(Name {where} ORDER BY Name LIMIT 5), Contact"
    assert found(text) == ["Harbour Pumps (North)"]
    assert found("FIND {harbour} RETURNING Account(Name ORDER BY Name DESC LIMIT 1) LIMIT 1") == [
        "Harbour Pumps (North)"
    ]


@pytest.mark.parametrize(
    "text",
    ["", "FIND harbour", "FIND {}", "FIND {a}", "FIND {*}", "FIND {harbour} RETURNING", "FIND {harbour} nonsense",
     "FIND {(harbour} RETURNING Account", "FIND {harbour AND} RETURNING Account", "FIND {harbour) x}",
     "FIND {harbour} RETURNING Account(Id", "FIND {harbour} RETURNING Account(Id WHERE Name = 'x)"],
)  # fmt: skip
def test_what_is_no_search_is_refused(found, text):
    with pytest.raises(ApiError) as refused:
        found(text)
    assert refused.value.code == "MALFORMED_SEARCH"


def test_stars_without_end_do_not_hang(small, found):
    small.insert("Account", Name="A", Description="a" * 30_000)
    assert found("FIND {" + "*a" * 40 + "b} RETURNING Account") == []
