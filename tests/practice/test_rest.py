"""The REST API on the wire: status codes, bodies and headers as recorded from real orgs."""

from urllib.parse import quote

import pytest


@pytest.fixture
def practice(calm_practice):
    """One world for the tests of this module; those that move its clock or end its server have their own."""
    return calm_practice


VERSION = "/services/data/v67.0"


@pytest.fixture
def rest(practice):
    """Ask a full sandbox: `rest("GET", "/limits")`."""
    org = practice.orgs["UATFULL"]

    def ask(method, path, body=None, **headers):
        address = practice.http_url + (path if path.startswith("/services") else VERSION + path)
        sent = {"Authorization": f"Bearer {org.access_token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return practice.session.request(method, address, json=body, headers=sent, timeout=30)

    ask.org = org
    return ask


def soql(rest, text, **headers):
    return rest("GET", f"/query?q={quote(text)}", **headers)


def only_error(answer):
    (error,) = answer.json()
    return answer.status_code, error["errorCode"]


def test_the_org_tells_what_it_has(rest):
    versions = rest("GET", "/services/data").json()
    assert versions[0] == {"label": "Spring '21", "url": "/services/data/v51.0", "version": "51.0"}
    assert versions[-1] == {"label": "Summer '26", "url": VERSION, "version": "67.0"}
    resources = rest("GET", "/").json()
    assert f"/id/{rest.org.org_id}/005" in resources["identity"]
    assert resources["query"] == f"{VERSION}/query"
    answer = rest("GET", "/limits/")
    limits = answer.json()
    assert limits["DailyApiRequests"]["Max"] == 5_000_000 > limits["DailyApiRequests"]["Remaining"]
    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")
    assert only_error(rest("GET", "/services/data/v50.0/limits")) == (404, "NOT_FOUND")
    assert only_error(rest("GET", "/nothing/here")) == (404, "NOT_FOUND")


def test_record_counts_leave_empty_objects_out(rest):
    counted = rest("GET", "/limits/recordCount?sObjects=Account,OpportunityLineItem,Nothing__c").json()["sObjects"]
    total = soql(rest, "SELECT COUNT() FROM Account").json()["totalSize"]
    assert {"name": "Account", "count": total} in counted
    assert all(one["count"] > 0 for one in counted)
    assert {one["name"] for one in rest("GET", "/limits/recordCount?sObjects").json()["sObjects"]} > {"Account", "User"}


def test_describes_say_what_the_rows_accept(rest):
    listed = rest("GET", "/sobjects/").json()
    assert (listed["encoding"], listed["maxBatchSize"]) == ("UTF-8", 200)
    assert {"Account", "Contact", "Organization"} <= {one["name"] for one in listed["sobjects"]}
    account = rest("GET", "/sobjects/account/describe/").json()
    assert (account["keyPrefix"], account["name"], account["undeletable"]) == ("001", "Account", True)
    fields = {one["name"]: one for one in account["fields"]}
    assert fields["Name"]["nameField"] and not fields["Name"]["nillable"] and fields["Name"]["length"] == 255
    assert fields["ParentId"]["referenceTo"] == ["Account"] and fields["ParentId"]["relationshipName"] == "Parent"
    assert not fields["SystemModstamp"]["updateable"] and not fields["BillingAddress"]["createable"]
    assert fields["BillingCity"]["compoundFieldName"] == "BillingAddress"
    children = {(one["childSObject"], one["field"]): one for one in account["childRelationships"]}
    assert children["Contact", "AccountId"]["cascadeDelete"] and children["Case", "AccountId"]["restrictedDelete"]
    assert account["recordTypeInfos"][-1]["recordTypeId"] == "012000000000000AAA"
    assert rest("GET", "/sobjects/Account").json()["objectDescribe"]["keyPrefix"] == "001"
    assert only_error(rest("GET", "/sobjects/Nothing__c/describe")) == (404, "NOT_FOUND")


def test_every_described_field_of_every_object_can_be_queried(rest):
    for name in [one["name"] for one in rest("GET", "/sobjects").json()["sobjects"]]:
        fields = [one["name"] for one in rest("GET", f"/sobjects/{name}/describe").json()["fields"]]
        only = f" WHERE LinkedEntityId = '{'005':0<18}'" if name == "ContentDocumentLink" else ""  # it demands one
        answer = soql(rest, f"SELECT {', '.join(fields)} FROM {name}{only} LIMIT 3")
        assert answer.status_code == 200, answer.text
        for row in answer.json()["records"]:
            assert [key for key in row if key != "attributes"] == fields


def test_a_row_lives_and_dies(rest):
    made = rest("POST", "/sobjects/Account/", {"Name": "Wire", "NumberOfEmployees": 3})
    row_id = made.json()["id"]
    assert (made.status_code, made.json()) == (201, {"id": row_id, "success": True, "errors": []})
    assert made.headers["Location"] == f"{VERSION}/sobjects/Account/{row_id}"
    read = rest("GET", f"/sobjects/Account/{row_id[:15]}?fields=Name,Owner.Name,BillingAddress").json()
    assert read["attributes"] == {"type": "Account", "url": f"{VERSION}/sobjects/Account/{row_id}"}
    assert (read["Name"], read["BillingAddress"]) == ("Wire", None) and read["Owner"]["Name"]
    whole = rest("GET", f"/sobjects/Account/{row_id}").json()
    assert whole["CreatedDate"].endswith(".000+0000") or whole["CreatedDate"].endswith("+0000")
    changed = rest("PATCH", f"/sobjects/Account/{row_id}", {"Name": None})
    assert only_error(changed) == (400, "REQUIRED_FIELD_MISSING")
    changed = rest("PATCH", f"/sobjects/Account/{row_id}", {"Site": "Cork"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert only_error(rest("PATCH", f"/sobjects/Account/{row_id}", {"Id": row_id})) == (400, "INVALID_FIELD")
    removed = rest("DELETE", f"/sobjects/Account/{row_id}")
    assert (removed.status_code, removed.content) == (204, b"")
    for method in ("GET", "PATCH", "DELETE"):
        assert only_error(rest(method, f"/sobjects/Account/{row_id}", {})) == (404, "ENTITY_IS_DELETED")
    assert only_error(rest("DELETE", "/sobjects/Account/001000000000000AAA")) == (404, "NOT_FOUND")
    assert only_error(rest("GET", f"/sobjects/Contact/{row_id}")) == (404, "NOT_FOUND")


def test_wrong_bodies_and_methods_are_refused(rest, practice):
    broken = practice.session.post(
        f"{practice.http_url}{VERSION}/sobjects/Account",
        data="{nope",
        headers={"Authorization": f"Bearer {rest.org.access_token}", "Content-Type": "application/json"},
        timeout=30,
    )
    assert only_error(broken) == (400, "JSON_PARSER_ERROR")
    assert only_error(rest("POST", "/sobjects/Account", [1])) == (400, "JSON_PARSER_ERROR")
    assert only_error(rest("POST", "/sobjects/Account", {"Nmae": "x"})) == (400, "INVALID_FIELD")
    assert only_error(rest("PUT", "/sobjects/Account", {})) == (405, "METHOD_NOT_ALLOWED")
    assert only_error(soql(rest, "SELECT IsPersonAccount FROM Account LIMIT 1")) == (400, "INVALID_FIELD")
    assert only_error(soql(rest, "SELECT Id FROM ScratchOrgInfo limit 1")) == (400, "INVALID_TYPE")
    assert only_error(rest("GET", "/query")) == (400, "MALFORMED_QUERY")


def test_an_update_refuses_when_the_row_changed_since(rest):
    row_id = rest("POST", "/sobjects/Account", {"Name": "Guarded"}).json()["id"]
    path = f"/sobjects/Account/{row_id}"
    old = rest("PATCH", path, {"Site": "a"}, If_Unmodified_Since="Mon, 23 Nov 2020 08:00:00 GMT")
    assert old.status_code == 412
    new = rest("PATCH", path, {"Site": "b"}, If_Unmodified_Since="Sat, 01 Jan 2050 00:00:00 GMT")
    assert new.status_code == 204
    assert rest("GET", f"{path}?fields=Site").json()["Site"] == "b"
    assert only_error(rest("PATCH", path, {"Site": "c"}, If_Unmodified_Since="later")) == (400, "INVALID_HEADER")


def test_rows_are_found_by_external_id(rest):
    described = rest("GET", "/sobjects/Product2/describe").json()
    assert described["name"] == "Product2"
    names = [one["name"] for one in rest("GET", "/sobjects").json()["sobjects"] if one["custom"]]
    keyed = []
    for name in names:
        fields = rest("GET", f"/sobjects/{name}/describe").json()["fields"]
        keyed += [(name, one["name"]) for one in fields if one["externalId"]]
    assert keyed, "the seed has an object with an external id"
    name, key = keyed[0]
    assert only_error(rest("GET", f"/sobjects/{name}/{key}/nothing-like-it")) == (404, "NOT_FOUND")
    assert only_error(rest("GET", f"/sobjects/{name}/No_Key__c/x")) == (404, "NOT_FOUND")
    row = soql(rest, f"SELECT Id, {key} FROM {name} WHERE {key} != null LIMIT 1").json()["records"][0]
    path = f"/sobjects/{name}/{key}/{quote(row[key], safe='')}"
    assert rest("GET", path).json()["Id"] == row["Id"]
    updated = rest("PATCH", path, {})
    assert (updated.status_code, updated.json()["created"], updated.json()["id"]) == (200, False, row["Id"])
    assert only_error(rest("PATCH", path, {key: "x"})) == (400, "INVALID_FIELD")


def test_several_rows_with_one_key_answer_300(rest):
    for _ in range(2):
        rest("POST", "/sobjects/Contact", {"LastName": "Twin", "Email": "twin@customer.example"})
    answer = rest("PATCH", "/sobjects/Contact/Email/twin@customer.example", {"Title": "x"})
    assert answer.status_code == 300
    assert len(answer.json()) == 2 and answer.json()[0].startswith(f"{VERSION}/sobjects/Contact/003")
    made = rest("PATCH", "/sobjects/Contact/Email/single@customer.example", {"LastName": "Single"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    assert rest("DELETE", "/sobjects/Contact/Email/single@customer.example").status_code == 204


def test_a_query_comes_in_pages_and_tells_its_columns(rest):
    text = "SELECT Id, Owner.Name FROM Contact ORDER BY Id"
    page = soql(rest, text, Sforce_Query_Options="batchSize=200").json()
    assert (page["done"], len(page["records"])) == (False, 200)
    ids = [one["Id"] for one in page["records"]]
    while not page["done"]:
        page = rest("GET", page["nextRecordsUrl"]).json()
        ids += [one["Id"] for one in page["records"]]
    assert len(ids) == page["totalSize"] == len(set(ids)) and ids == sorted(ids)
    assert only_error(rest("GET", "/query/01g000000000000AAA-200")) == (400, "INVALID_QUERY_LOCATOR")
    columns = rest("GET", f"/query?columns=true&q={quote(text)}").json()
    assert (columns["entityName"], columns["keyPrefix"], columns["idSelected"]) == ("Contact", "003", True)
    names = [
        (one["columnName"], [inner["columnName"] for inner in one["joinColumns"]]) for one in columns["columnMetadata"]
    ]
    assert names == [("Id", []), ("Owner", ["Name"])]


def test_queryall_shows_what_was_deleted(rest):
    row_id = rest("POST", "/sobjects/Account", {"Name": "Binned"}).json()["id"]
    rest("DELETE", f"/sobjects/Account/{row_id}")
    text = f"SELECT Id, IsDeleted FROM Account WHERE Id = '{row_id}'"
    assert soql(rest, text).json() == {"totalSize": 0, "done": True, "records": []}
    (row,) = rest("GET", f"/queryAll?q={quote(text)}").json()["records"]
    assert row["IsDeleted"] is True
