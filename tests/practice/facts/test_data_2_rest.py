"""REST and partner SOAP, as data.md section 2 has them, and the hazards of section 4 that an org shows by itself."""

from datetime import timedelta


def collection(rest, method, records, **more):
    return rest(method, "composite/sobjects", {"allOrNone": False, "records": records, **more})


def typed(name, **values):
    return {"attributes": {"type": name}, **values}


# ---- 2.1 queries


def test_data_2_1_a_query_has_pages_of_the_size_hinted(rest):
    soql = {"q": "SELECT Id FROM Contact"}
    small = rest("GET", "query", params=soql, headers={"Sforce-Query-Options": "batchSize=200"}).json()
    assert small.keys() == {"totalSize", "done", "nextRecordsUrl", "records"}
    assert (small["done"], len(small["records"])) == (False, 200)
    assert small["records"][0].keys() == {"attributes", "Id"}
    tiny = rest("GET", "query", params=soql, headers={"Sforce-Query-Options": "batchSize=1"}).json()
    assert len(tiny["records"]) == 200


def test_data_2_1_queryall_adds_deleted_rows(rest):
    row = rest.create("Account", Name="Soon gone")
    rest.delete("Account", row)
    soql = f"SELECT Id, IsDeleted FROM Account WHERE Id = '{row}'"
    assert rest.rows(soql) == []
    assert [one["IsDeleted"] for one in rest.rows(soql, deleted=True)] == [True]


def test_data_2_1_address_and_headers_are_bounded(rest):
    answer = rest("GET", "query", params={"q": f"SELECT Id FROM Account WHERE Name = '{'x' * 17_000}'"})
    assert answer.status_code in (414, 431)


def test_data_2_1_a_scope_of_mine_gives_only_what_whoever_asks_owns(rest):
    (user,) = rest.rows("SELECT CreatedById FROM Account WHERE Id = '{}'".format(rest.create("Account", Name="Mine")))
    mine = rest.rows("SELECT OwnerId FROM Account USING SCOPE mine")
    assert {one["OwnerId"] for one in mine} == {user["CreatedById"]}
    assert len(rest.rows("SELECT Id FROM Account USING SCOPE everything")) > len(mine)


# ---- 2.2 writes


def test_data_2_2_a_collection_answers_200_with_results_in_input_order(rest):
    records = [typed("Account", Name="One"), typed("Contact"), typed("Account", Name="Three")]
    answer = collection(rest, "POST", records)
    assert answer.status_code == 200
    good, bad, also = answer.json()
    assert good["success"] and also["success"] and not bad["success"]
    assert bad["errors"][0].keys() == {"statusCode", "message", "fields"}
    gone = rest("DELETE", "composite/sobjects", params={"ids": f"{good['id']},{also['id']}"})
    assert [one["id"] for one in gone.json()] == [good["id"], also["id"]]


def test_data_2_2_a_collection_holds_200_rows_and_ten_runs(rest):
    assert collection(rest, "POST", [typed("Account", Name="x")] * 201).status_code == 400
    mixed = [typed("Account", Name="x"), typed("Contact", LastName="y")] * 6
    assert collection(rest, "POST", mixed).status_code == 400


def test_data_2_2_set_up_rows_do_not_mix_with_others(rest):
    account, group = collection(
        rest, "POST", [typed("Account", Name="Mixed"), typed("Group", Name="Mixed", DeveloperName="Mixed")]
    ).json()
    assert account["success"] and group["errors"][0]["statusCode"] == "MIXED_DML_OPERATION"


def test_data_2_2_composite_takes_25_parts_and_its_own_all_or_none_wins(rest):
    part = {"method": "GET", "url": "/services/data/v67.0/limits"}
    asked = [{**part, "referenceId": f"r{number}"} for number in range(26)]
    assert rest("POST", "composite", {"compositeRequest": asked}).status_code == 400
    record = {"method": "POST", "url": "/services/data/v67.0/sobjects/Account", "body": {"Name": "Halted"}}
    body = {
        "allOrNone": True,
        "compositeRequest": [{**record, "referenceId": "a"}, {**record, "body": {}, "referenceId": "b"}],
    }
    answers = rest("POST", "composite", body).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in answers] == [400, 400]
    assert rest.rows("SELECT Id FROM Account WHERE Name = 'Halted'") == []


def test_data_2_2_a_graph_is_kept_whole_or_not_at_all(rest):
    def graph(name, *bodies):
        parts = [
            {
                "method": "POST",
                "url": "/services/data/v67.0/sobjects/Account",
                "body": body,
                "referenceId": f"{name}{at}",
            }
            for at, body in enumerate(bodies)
        ]
        return {"graphId": name, "compositeRequest": parts}

    asked = {"graphs": [graph("good", {"Name": "Graph A"}, {"Name": "Graph B"}), graph("bad", {"Name": "Graph C"}, {})]}
    good, bad = rest("POST", "composite/graph", asked).json()["graphs"]
    assert (good["isSuccessful"], bad["isSuccessful"]) == (True, False)
    assert good.keys() == {"graphId", "graphResponse", "isSuccessful"}
    names = {one["Name"] for one in rest.rows("SELECT Name FROM Account WHERE Name LIKE 'Graph _'")}
    assert names == {"Graph A", "Graph B"}
    assert rest("POST", "composite/graph", {"graphs": [graph("x", {})] * 76}).status_code == 400
    many = rest("POST", "composite/graph", {"graphs": [graph("x", {})] * 14 + [graph("late", {"Name": "Graph D"})]})
    assert many.json()["graphs"][-1]["isSuccessful"] is False


def test_data_2_2_an_upsert_that_several_rows_match_is_300(rest):
    for _ in range(2):
        rest.create("Contact", LastName="Twin", Email="twin@fact.example")
    answer = rest("PATCH", "sobjects/Contact/Email/twin@fact.example", {"Title": "x"})
    assert answer.status_code == 300 and len(answer.json()) == 2


def test_data_2_2_if_unmodified_since_is_412_after_a_newer_edit(rest, shared_practice):
    row = rest.create("Account", Name="Guarded")
    shared_practice.estate.clock.move(timedelta(minutes=5))
    rest("PATCH", f"sobjects/Account/{row}", {"Site": "newer"})
    old = {"If-Unmodified-Since": "Mon, 23 Nov 2026 08:00:00 GMT"}
    assert rest("PATCH", f"sobjects/Account/{row}", {"Site": "older"}, headers=old).status_code == 412
    late = {"If-Unmodified-Since": "Tue, 24 Nov 2026 08:00:00 GMT"}
    assert rest("PATCH", f"sobjects/Account/{row}", {"Site": "mine"}, headers=late).status_code == 204


def test_data_2_2_a_describe_not_changed_since_is_304(rest):
    late = {"If-Modified-Since": "Wed, 01 Jan 2031 00:00:00 GMT"}
    answer = rest("GET", "sobjects/Account/describe", headers=late)
    assert (answer.status_code, answer.content) == (304, b"")
    early = {"If-Modified-Since": "Wed, 01 Jan 2020 00:00:00 GMT"}
    assert rest("GET", "sobjects/Account/describe", headers=early).status_code == 200


# ---- 2.3 describe


def test_data_2_3_a_describe_has_what_drives_an_engine(rest):
    described = rest("GET", "sobjects/Account/describe").json()
    flags = {
        "queryable", "retrieveable", "createable", "updateable", "deletable", "undeletable", "replicateable",
        "mergeable", "triggerable", "customSetting", "keyPrefix",
    }  # fmt: skip
    assert flags <= described.keys() and described["keyPrefix"] == "001"
    child = {"childSObject", "field", "relationshipName", "cascadeDelete", "restrictedDelete", "junctionIdListNames"}
    assert child <= described["childRelationships"][0].keys()
    field = {
        "name", "type", "soapType", "length", "precision", "scale", "createable", "updateable", "calculated",
        "autoNumber", "nillable", "defaultedOnCreate", "unique", "externalId", "idLookup", "referenceTo",
        "relationshipName", "relationshipOrder", "polymorphicForeignKey", "namePointing", "writeRequiresMasterRead",
        "compoundFieldName", "encrypted", "restrictedPicklist", "cascadeDelete", "restrictedDelete",
    }  # fmt: skip
    assert all(field <= one.keys() for one in described["fields"])


# ---- 2.4 getUpdated and getDeleted


def test_data_2_4_windows_are_whole_minutes_and_answer_what_was_covered(rest, shared_practice):
    row = rest.create("Account", Name="Seen")
    shared_practice.estate.clock.move(timedelta(minutes=3))
    now = shared_practice.estate.clock.now()
    window = {"start": (now - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ"), "end": "2026-11-30T00:00:00Z"}
    updated = rest("GET", "sobjects/Account/updated/", params=window).json()
    assert updated.keys() == {"ids", "latestDateCovered"} and row in updated["ids"]
    assert updated["latestDateCovered"] < "2026-11-30"
    rest.delete("Account", row)
    shared_practice.estate.clock.move(timedelta(minutes=3))
    deleted = rest("GET", "sobjects/Account/deleted/", params=window).json()
    assert deleted.keys() == {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}
    assert row in {one["id"] for one in deleted["deletedRecords"]}


def test_data_2_4_a_window_needs_more_than_a_minute(rest):
    window = {"start": "2026-11-23T07:00:10Z", "end": "2026-11-23T07:00:50Z"}
    assert rest.error("GET", "sobjects/Account/updated/", params=window)[1] == "INVALID_REPLICATION_DATE"


# ---- 2.5 and 2.6 recycle bin


def test_data_2_5_a_deleted_row_is_neither_updated_nor_made_again(rest):
    row = rest.create("Account", Name="Ghost")
    rest.delete("Account", row)
    assert rest.error("PATCH", f"sobjects/Account/{row}", {"Name": "x"})[:2] == (404, "ENTITY_IS_DELETED")
    assert rest.error("POST", "sobjects/Account", {"Id": row, "Name": "x"})[:2] == (400, "INVALID_FIELD")


def test_data_2_5_an_emptied_bin_leaves_rows_that_nothing_brings_back(rest, partner):
    row = rest.create("Account", Name="Emptied")
    rest.delete("Account", row)
    assert partner.call("emptyRecycleBin", f"<ids>{row}</ids>")[0]["success"] == ["true"]
    assert rest.rows(f"SELECT Id FROM Account WHERE Id = '{row}'", deleted=True)
    (told,) = partner.call("undelete", f"<ids>{row}</ids>")
    problem = told["errors"][0]
    assert (problem["statusCode"], problem["message"]) == (["UNDELETE_FAILED"], ["Entity is not in the recycle bin"])


def test_data_2_5_a_bin_that_is_too_full_loses_its_oldest_after_two_hours(shared_practice, rest, partner):
    first, second = (rest.create("Account", Name=f"Evicted {number}") for number in range(2))
    rest.delete("Account", first)
    shared_practice.estate.clock.move(timedelta(hours=1))
    rest.delete("Account", second)
    bound = shared_practice.estate.sandbox("UATFULL").db.execute("SELECT count(*) FROM recycle_bin WHERE hard = 0")
    shared_practice.estate.settings.put("bin_rows", bound.fetchone()[0] - 1)
    try:
        assert rest.rows(f"SELECT Id FROM Account WHERE Id = '{first}'", deleted=True), "too young"
        shared_practice.estate.clock.move(timedelta(hours=1, minutes=30))
        rest.rows("SELECT Id FROM Account LIMIT 1", deleted=True)
        held = shared_practice.estate.sandbox("UATFULL").db.execute("SELECT count(*) FROM recycle_bin WHERE hard = 0")
        assert held.fetchone()[0] == shared_practice.estate.settings["bin_rows"]
        assert rest.rows(f"SELECT Id FROM Account WHERE Id = '{second}'", deleted=True)
    finally:
        shared_practice.estate.settings.clear("bin_rows")


def test_data_2_6_undelete_is_soap_with_the_same_id_and_rest_has_none(rest, partner):
    row = rest.create("Account", Name="Back")
    rest.delete("Account", row)
    assert rest("POST", f"sobjects/Account/{row}/undelete").status_code in (404, 405)
    assert partner.call("undelete", f"<ids>{row}</ids>")[0] == {"id": [row], "success": ["true"]}
    assert rest.rows(f"SELECT Id FROM Account WHERE Id = '{row}'")


def test_data_2_6_all_or_none_holds_for_undelete(rest, partner):
    row = rest.create("Account", Name="Not back")
    rest.delete("Account", row)
    header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
    told = partner.call("undelete", f"<ids>{row}</ids><ids>001000000000000AAA</ids>", header)
    assert [one["success"] for one in told] == [["false"], ["false"]]
    assert rest.rows(f"SELECT Id FROM Account WHERE Id = '{row}'") == []


# ---- 4 hazards


def test_data_4_row_16_audit_fields_are_set_on_insert_only_and_with_the_permission(rest, shared_practice):
    old = "2020-01-01T00:00:00.000+0000"
    asked = {"LastName": "Old", "CreatedDate": old}
    assert rest.error("POST", "sobjects/Contact", asked)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    shared_practice.estate.settings.put("audit_fields", True)
    try:
        row = rest.create("Contact", **asked)
        assert (
            rest.error("PATCH", f"sobjects/Contact/{row}", {"CreatedDate": old})[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
        )
    finally:
        shared_practice.estate.settings.clear("audit_fields")
    (found,) = rest.rows(f"SELECT CreatedDate, SystemModstamp FROM Contact WHERE Id = '{row}'")
    assert found["CreatedDate"] == old != found["SystemModstamp"]


def test_data_4_row_23_an_inactive_owner_needs_a_permission(rest, shared_practice):
    gone = rest.rows("SELECT Id FROM User WHERE IsActive = false LIMIT 1")[0]["Id"]
    asked = {"Name": "Owned", "OwnerId": gone}
    assert rest.error("POST", "sobjects/Account", asked)[:2] == (400, "INACTIVE_OWNER_OR_USER")
    shared_practice.estate.settings.put("inactive_owners", True)
    try:
        assert rest.create("Account", **asked)
    finally:
        shared_practice.estate.settings.clear("inactive_owners")


def test_data_4_row_26_users_are_not_deleted(rest):
    user = rest.rows("SELECT Id FROM User LIMIT 1")[0]["Id"]
    assert rest("DELETE", f"sobjects/User/{user}").status_code in (400, 405)


def test_data_4_row_21_validation_fires_on_every_road(rest):
    code, text = "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A routing rule needs a code."
    assert rest.error("POST", "sobjects/Routing__c", {"Name": "No code"}) == (400, code, text)
    (row,) = collection(rest, "POST", [typed("Routing__c", Name="No code")]).json()
    assert row["errors"] == [{"statusCode": code, "message": text, "fields": ["Code__c"]}]
    done = rest.ingest("insert", "Routing__c", "Name\nNo code\n")
    assert f"{code}:{text}" in rest("GET", f"jobs/ingest/{done['id']}/failedResults").text


def test_data_4_row_42_extra_decimals_are_cut_off_silently(rest):
    fields = rest("GET", "sobjects/Opportunity/describe").json()["fields"]
    amount = next(one for one in fields if one["name"] == "Amount")
    row = rest.create("Opportunity", Name="Exact", StageName="Prospecting", CloseDate="2026-12-01", Amount=1.23456789)
    (found,) = rest.rows(f"SELECT Amount FROM Opportunity WHERE Id = '{row}'")
    assert found["Amount"] == round(1.23456789, amount["scale"])
