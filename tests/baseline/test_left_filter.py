"""Rows outside a filter, and schemas that changed, told as what they are: never as deletions or as nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.compare import compare
from rehearse.baseline.left_filter import ENTERED, LEFT, Comparison, recheck_filtered
from rehearse.baseline.model import Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.schema_changes import compare_schemas
from rehearse.org.connect import connect_reader
from rehearse.org.model import Field, Login, Schema
from rehearse.org.reader import OrgReader


@pytest.fixture
def reader(practice: Any) -> Iterator[OrgReader]:
    login = Login("token", url=practice.url, secret=practice.orgs["UATFULL"].access_token)
    with connect_reader(login, ca_bundle=practice.ca_file) as opened:
        yield opened


def accounts(practice: Any, count: int) -> list[str]:
    query = f"SELECT Id FROM Account ORDER BY Id LIMIT {count}"
    return [one["Id"] for one in practice.ask("UATFULL", "GET", "query", params={"q": query}).json()["records"]]


def write(practice: Any, method: str, id: str, **values: Any) -> None:
    answer = practice.ask("UATFULL", method, f"sobjects/Account/{id}", json=values or None)
    assert answer.status_code == 204, answer.text


def test_a_row_that_left_the_filter_is_updated_and_one_that_is_gone_is_deleted(
    practice: Any, reader: OrgReader, store: CaptureStore
) -> None:
    leaving, dying, entering = accounts(practice, 3)
    for id in (leaving, dying):
        write(practice, "PATCH", id, Name="In the filter")
    scope = Scope(metadata_include=(), objects=("Account",), where={"Account": "Name = 'In the filter'"})
    before = capture(reader, CaptureRequest("UATFULL", scope), store)
    for case in practice.ask(
        "UATFULL", "GET", "query", params={"q": f"SELECT Id FROM Case WHERE AccountId = '{dying}'"}
    ).json()["records"]:
        practice.ask("UATFULL", "DELETE", f"sobjects/Case/{case['Id']}")
    write(practice, "PATCH", leaving, Name="Elsewhere")
    write(practice, "PATCH", entering, Name="In the filter")
    write(practice, "DELETE", dying)
    made = practice.ask("UATFULL", "POST", "sobjects/Account", json={"Name": "In the filter"}).json()["id"]
    after = capture(reader, CaptureRequest("UATFULL", Scope((), objects=("Account",)), before), store)
    changes = compare(store, before, after)
    assert {(one.key, one.what) for one in changes} == {
        (leaving, "deleted"), (dying, "deleted"), (entering, "created"), (made, "created"),
    }  # fmt: skip
    found = recheck_filtered(Comparison(reader, store, before, after, {}), changes)
    told = {one.key: (one.what, one.note) for one in found}
    assert told == {
        leaving: ("updated", LEFT), dying: ("deleted", ""), entering: ("created", ENTERED), made: ("created", ""),
    }  # fmt: skip
    (left,) = (one for one in found if one.key == leaving)
    assert [one.name for one in left.fields] == ["Name"] and left.by and left.live_id is None


def test_common_fields_decide_and_the_others_are_told(store: CaptureStore, build_capture: Any) -> None:
    id = "a0B000000000001AAA"
    old = {"Amount__c": "string", "Gone__c": "string", "Name": "string"}
    new = {"Amount__c": "double", "Extra__c": "string", "Name": "string"}
    before = build_capture(store, {"Thing__c": (old, [{"Id": id, "Amount__c": "1", "Gone__c": "x", "Name": "a"}])})
    same = build_capture(store, {"Thing__c": (new, [{"Id": id, "Amount__c": "2", "Extra__c": "y", "Name": "a"}])})
    other = build_capture(store, {"Thing__c": (new, [{"Id": id, "Amount__c": "2", "Extra__c": "y", "Name": "b"}])})
    assert compare(store, before, same) == compare(store, same, before) == ()
    assert [[one.name for one in change.fields] for change in compare(store, before, other)] == [["Name"]]
    schema = Schema(
        "Thing__c", "a0B", True, True, True, True, True, True, False,
        tuple(Field(name, type, createable=True) for name, type in new.items()),
    )  # fmt: skip
    assert [(one.field, one.what, one.before, one.after) for one in compare_schemas(before, {"Thing__c": schema})] == [
        ("Amount__c", "other type", "string", "double"),
        ("Extra__c", "added", None, "string"),
        ("Gone__c", "gone", "string", None),
    ]
    assert compare_schemas(same, {"Thing__c": schema}) == compare_schemas(same, {}) == ()
