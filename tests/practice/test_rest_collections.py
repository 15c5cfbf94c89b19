"""Collections, composite and tree over the handlers: order, limits, allOrNone, quoted results."""

import json

import pytest

from rehearse.practice import rest_collections, rest_composite
from rehearse.practice.http_errors import ApiError
from rehearse.practice.rest_call import Call, find_handler

BASE = "/services/data/v67.0"
ENTRIES = [*rest_composite.TARGETS, *rest_composite.ENTRIES]


@pytest.fixture
def ask(small):
    """Call a handler of the table: answers (status, body)."""

    def call(method, path, body=None, **query):
        handler, names = find_handler(ENTRIES, method, path)
        sent = b"" if body is None else json.dumps(body).encode()
        answer = handler(Call(small.org, small.user_id, "67.0", names, query, body=sent))
        return answer.status, answer.body

    return call


def typed(name, **values):
    return {"attributes": {"type": name}, **values}


def test_data_2_2_rows_of_several_objects_keep_their_order_and_fail_alone(small, ask):
    sent = [typed("Account", Name="A"), typed("Account"), typed("Contact", LastName="B"), typed("Account", Name="C")]
    status, results = ask("POST", "/composite/sobjects", {"allOrNone": False, "records": sent})
    assert status == 200
    assert [one["success"] for one in results] == [True, False, True, True]
    assert results[0] == {"id": results[0]["id"], "success": True, "errors": []}
    missing = {
        "statusCode": "REQUIRED_FIELD_MISSING",
        "message": "Required fields are missing: [Name]",
        "fields": ["Name"],
    }
    assert results[1] == {"success": False, "errors": [missing]}
    assert [one["id"][:3] for one in (results[0], results[2], results[3])] == ["001", "003", "001"]


def test_data_2_2_all_or_none_reaches_over_runs(small, ask):
    sent = {"allOrNone": True, "records": [typed("Account", Name="A"), typed("Contact")]}
    status, results = ask("POST", "/composite/sobjects", sent)
    assert status == 200
    codes = [one["errors"][0]["statusCode"] for one in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert small.query("SELECT Id FROM Account") == []


def test_updates_and_deletes_name_their_rows_even_when_refused(small, ask):
    row_id, gone = small.insert("Account", Name="A"), small.insert("Account", Name="B")
    small.delete(gone)
    sent = [typed("Account", id=row_id, Name="Z"), typed("Account", Id=gone, Name="Z")]
    _, results = ask("PATCH", "/composite/sobjects", {"records": sent})
    assert results[0] == {"id": row_id, "success": True, "errors": []}
    assert (results[1]["id"], results[1]["errors"][0]["statusCode"]) == (gone, "ENTITY_IS_DELETED")
    contact = small.insert("Contact", LastName="C")
    _, results = ask("DELETE", "/composite/sobjects", ids=f"{row_id},{gone},{contact}")
    assert [one["success"] for one in results] == [True, False, True]
    both = ",".join(small.insert("Account", Name=name) for name in "XY") + f",{gone}"
    _, results = ask("DELETE", "/composite/sobjects", ids=both, allOrNone="true")
    assert [one["success"] for one in results] == [False] * 3
    assert len(small.query("SELECT Id FROM Account")) == 2


def test_calls_that_are_too_large_are_refused(small, ask):
    for records in (
        [typed("Account", Name="A")] * 201,
        [typed(name, Name="A", LastName="A") for name in ("Account", "Contact") * 6],
    ):
        with pytest.raises(ApiError) as refusal:
            ask("POST", "/composite/sobjects", {"records": records})
        assert refusal.value.code == "LIMIT_EXCEEDED"
    for body in ({}, {"records": []}, {"records": "x"}):
        with pytest.raises(ApiError):
            ask("POST", "/composite/sobjects", body)
    assert rest_collections.MOST_ROWS == 200


def test_retrieve_answers_in_the_order_of_ids_with_null_for_what_is_not_there(small, ask):
    first, second = small.insert("Account", Name="A"), small.insert("Account", Name="B")
    small.delete(first)
    body = {"ids": [second[:15], first, "001000000000001AAA", second], "fields": ["Name", "Owner.Name"]}
    status, found = ask("POST", "/composite/sobjects/Account", body)
    assert status == 200
    assert [one and one["Name"] for one in found] == ["B", None, None, "B"]
    assert found[0]["Owner"]["Name"] == "Ann Lee"
    status, found = ask("GET", "/composite/sobjects/Account", ids=second, fields="Id")
    assert [one["Id"] for one in found] == [second]


def test_collections_upsert_by_external_id(small, ask):
    row_id = small.insert("Invoice__c", Code__c="A")
    sent = [typed("Invoice__c", Code__c="A", Rate__c=1), typed("Invoice__c", Code__c="B")]
    _, results = ask("PATCH", "/composite/sobjects/Invoice__c/Code__c", {"records": sent})
    assert [(one["id"] == row_id, one["created"]) for one in results] == [(True, False), (False, True)]


def test_data_2_2_composite_quotes_earlier_answers(small, ask):
    requests = [
        {"method": "POST", "url": f"{BASE}/sobjects/Account", "referenceId": "a", "body": {"Name": "Q"}},
        {
            "method": "POST",
            "url": f"{BASE}/sobjects/Contact/",
            "referenceId": "c",
            "body": {"LastName": "R", "AccountId": "@{a.id}"},
        },
        {
            "method": "GET",
            "url": f"{BASE}/query/?q=SELECT Id, Account.Name FROM Contact WHERE Id = '@{{c.id}}'",
            "referenceId": "q",
        },
        {"method": "GET", "url": f"{BASE}/query/?q=select count() from XYZZY", "referenceId": "refXYZZY"},
        {"method": "GET", "url": f"{BASE}/nothing", "referenceId": "n"},
    ]
    status, body = ask("POST", "/composite", {"compositeRequest": requests})
    assert status == 200
    answers = {one["referenceId"]: one for one in body["compositeResponse"]}
    assert [one["httpStatusCode"] for one in answers.values()] == [201, 201, 200, 400, 404]
    assert answers["q"]["body"]["records"][0]["Account"]["Name"] == "Q"
    # As recorded from a real org.
    assert answers["refXYZZY"]["body"] == [
        {
            "message": "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
            "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to append "
            "the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
            "errorCode": "INVALID_TYPE",
        }
    ]
    assert answers["a"]["httpHeaders"]["Location"].startswith(f"{BASE}/sobjects/Account/001")


def test_composite_all_or_none_takes_everything_back(small, ask):
    requests = [
        {"method": "POST", "url": f"{BASE}/sobjects/Account", "referenceId": "a", "body": {"Name": "Q"}},
        {"method": "POST", "url": f"{BASE}/sobjects/Account", "referenceId": "b", "body": {}},
    ]
    _, body = ask("POST", "/composite", {"allOrNone": True, "compositeRequest": requests})
    first, second = body["compositeResponse"]
    assert first["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert second["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert small.query("SELECT Id FROM Account") == []
    _, body = ask("POST", "/composite", {"compositeRequest": requests})
    assert [one["httpStatusCode"] for one in body["compositeResponse"]] == [201, 400]
    with pytest.raises(ApiError):
        ask("POST", "/composite", {"compositeRequest": requests * 13})


def test_data_2_2_a_tree_is_planted_whole_or_not_at_all(small, ask):
    contacts = [{"attributes": {"type": "Contact", "referenceId": "c1"}, "LastName": "B"}]
    tree = {"attributes": {"type": "Account", "referenceId": "a1"}, "Name": "T", "Contacts": {"records": contacts}}
    status, body = ask("POST", "/composite/tree/Account", {"records": [tree]})
    assert (status, body["hasErrors"]) == (201, False)
    assert [one["referenceId"] for one in body["results"]] == ["a1", "c1"]
    assert small.one("SELECT Account.Name FROM Contact") == {"Account": {"Name": "T"}}
    contacts[0]["LastName"] = ""
    status, body = ask("POST", "/composite/tree/Account", {"records": [tree]})
    assert (status, body["hasErrors"]) == (400, True)
    assert body["results"][0]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert len(small.query("SELECT Id FROM Account")) == 1
