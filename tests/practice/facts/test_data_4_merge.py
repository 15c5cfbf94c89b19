"""Merging and converting over SOAP: what becomes of losers, of what pointed at them, and of a lead."""

import pytest


@pytest.fixture
def practice(calm_practice):
    return calm_practice


def merge(partner, kind, master, losers, **values):
    """The one MergeResult of a request, its lists as lists."""
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    ids = "".join(f"<recordToMergeIds>{one}</recordToMergeIds>" for one in losers)
    record = f"<masterRecord><type>{kind}</type><Id>{master}</Id>{fields}</masterRecord>"
    (found,) = partner.call("merge", f"<request>{record}{ids}</request>")
    return found


def code_of(result):
    return result["errors"][0]["statusCode"][0]


def test_data_4_row_8_a_merge_keeps_one_and_moves_what_pointed_at_the_others(rest, partner):
    master, left, right = (rest.create("Account", Name=f"Merge {name}") for name in ("master", "left", "right"))
    contact = rest.create("Contact", LastName="Moves", AccountId=left)
    child = rest.create("Account", Name="Merge child", ParentId=right)
    invoice = rest.create("Invoice__c", Account__c=right, Status__c="Draft")
    case = rest.create("Case", Subject="Moves too", AccountId=left)  # with one, an account cannot be deleted
    gone = rest.create("Contact", LastName="In the bin before", AccountId=left)
    rest.delete("Contact", gone)
    counted = rest.rows(f"SELECT InvoiceCount__c FROM Account WHERE Id = '{master}'")[0]["InvoiceCount__c"] or 0
    found = merge(partner, "Account", master, (left, right), Phone="+353 1")
    assert (found["success"], found["id"]) == (["true"], [master])
    assert found["mergedRecordIds"] == [left, right]
    assert sorted(found["updatedRelatedIds"]) == sorted((contact, child, invoice, case))
    account = rest("GET", f"sobjects/Account/{master}").json()
    assert (account["Phone"], account["InvoiceCount__c"], account["MasterRecordId"]) == ("+353 1", counted + 1, None)
    assert rest("GET", f"sobjects/Contact/{contact}").json()["AccountId"] == master
    assert rest("GET", f"sobjects/Account/{child}").json()["ParentId"] == master
    losers = rest.rows(f"SELECT Id, IsDeleted, MasterRecordId FROM Account WHERE MasterRecordId = '{master}'", True)
    assert [(one["Id"], one["IsDeleted"]) for one in losers] == [(left, True), (right, True)]
    assert rest("GET", f"sobjects/Account/{left}").status_code == 404
    assert rest.rows(f"SELECT AccountId FROM Contact WHERE Id = '{gone}'", True)[0]["AccountId"] == left


def test_data_4_row_8_a_loser_comes_back_without_what_moved(rest, partner):
    account = rest.create("Account", Name="Of the master")
    master = rest.create("Contact", LastName="Stays", AccountId=account)
    loser = rest.create("Contact", LastName="Goes")
    boss = rest.create("Contact", LastName="Boss")
    assert rest("PATCH", f"sobjects/Contact/{loser}", {"ReportsToId": boss}).status_code == 204
    task = rest.create("Task", Subject="Call", WhoId=loser)
    assert merge(partner, "Contact", master, (loser,))["updatedRelatedIds"] == [task]
    assert rest("GET", f"sobjects/Contact/{master}").json()["ReportsToId"] == boss  # the master had no boss
    assert partner.call("undelete", f"<ids>{loser}</ids>")[0]["success"] == ["true"]
    back = rest("GET", f"sobjects/Contact/{loser}").json()
    assert (back["MasterRecordId"], back["ReportsToId"]) == (None, boss)
    call = rest("GET", f"sobjects/Task/{task}").json()
    assert (call["WhoId"], call["AccountId"]) == (master, account)
    assert rest("PATCH", f"sobjects/Contact/{master}", {"AccountId": None}).status_code == 204
    assert rest("GET", f"sobjects/Task/{task}").json()["AccountId"] is None  # it follows whom it is about


def test_data_4_row_8_what_does_not_merge_is_refused_whole(rest, partner, tools):
    first, second, third, fourth = (rest.create("Lead", LastName=f"L{n}", Company="Merge") for n in range(4))
    assert code_of(merge(partner, "Lead", first, (second, third, fourth))) == "MERGE_FAILED"
    assert code_of(merge(partner, "Lead", first, (first,))) == "MERGE_FAILED"
    account = rest.create("Account", Name="No lead")
    assert code_of(merge(partner, "Lead", first, (second, account))) == "MALFORMED_ID"
    rest.delete("Lead", fourth)
    assert code_of(merge(partner, "Lead", first, (second, fourth))) == "ENTITY_IS_DELETED"
    assert code_of(merge(partner, "Lead", first, (second,), LastName="x" * 81)) == "STRING_TOO_LONG"
    child = rest.create("Account", Name="Child", ParentId=account)
    assert code_of(merge(partner, "Account", child, (account,))) == "CIRCULAR_DEPENDENCY"
    alive = rest.rows(f"SELECT Id FROM Lead WHERE Id IN ('{first}', '{second}', '{third}')")
    assert len(alive) == 3 and rest("GET", f"sobjects/Account/{child}").json()["ParentId"] == account
    with pytest.raises(tools.Fault, match="INVALID_TYPE_FOR_OPERATION: entity type does not support merge"):
        merge(partner, "Opportunity", first, (second,))
    with pytest.raises(tools.Fault, match="INVALID_TYPE"):
        partner.call("merge", f"<request><recordToMergeIds>{second}</recordToMergeIds></request>")


def convert(partner, lead, **more):
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    (found,) = partner.call("convertLead", f"<leadConverts><leadId>{lead}</leadId>{inner}</leadConverts>")
    return found


def test_data_4_row_40_a_converted_lead_becomes_three_rows_and_is_not_written_again(rest, partner):
    lead = rest.create("Lead", LastName="Fry", FirstName="Jo", Company="Fry and sons", Email="jo@fry.example")
    task = rest.create("Task", Subject="Call", WhoId=lead)
    assert code_of(convert(partner, lead, convertedStatus="Closed - Not Converted")) == "INVALID_STATUS"
    found = convert(partner, lead, convertedStatus="Closed - Converted")
    assert found["success"] == ["true"] and found["leadId"] == [lead]
    account, contact, deal = (found[f"{name}Id"][0] for name in ("account", "contact", "opportunity"))
    row = rest("GET", f"sobjects/Lead/{lead}").json()
    assert (row["IsConverted"], row["Status"]) == (True, "Closed - Converted") and row["ConvertedDate"]
    ids = (row["ConvertedAccountId"], row["ConvertedContactId"], row["ConvertedOpportunityId"])
    assert ids == (account, contact, deal)
    assert rest("GET", f"sobjects/Account/{account}").json()["Name"] == "Fry and sons"
    person = rest("GET", f"sobjects/Contact/{contact}").json()
    assert (person["Name"], person["Email"], person["AccountId"]) == ("Jo Fry", "jo@fry.example", account)
    assert rest("GET", f"sobjects/Opportunity/{deal}").json()["AccountId"] == account
    assert rest("GET", f"sobjects/Task/{task}").json()["WhoId"] == contact
    refused = (400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    assert rest.error("PATCH", f"sobjects/Lead/{lead}", {"Title": "x"}) == refused
    assert code_of(convert(partner, lead, convertedStatus="Closed - Converted")) == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_data_4_row_40_a_lead_joins_an_account_and_fills_only_what_it_lacks(rest, partner):
    account = rest.create("Account", Name="Has a name", Phone="1")
    (queue,) = rest.rows("SELECT Id FROM Group WHERE Type = 'Queue' AND DeveloperName = 'New_Leads'")
    asked = {"LastName": "Sea", "Company": "Other", "Phone": "2", "Website": "https://sea.example"}
    lead = rest.create("Lead", **asked, OwnerId=queue["Id"])
    more = {"convertedStatus": "Closed - Converted", "accountId": account, "doNotCreateOpportunity": "true"}
    refused = convert(partner, lead, **more)
    assert "can only be owned by users" in refused["errors"][0]["message"][0]
    (user,) = rest.rows("SELECT Id FROM User WHERE IsActive = true ORDER BY Id LIMIT 1")
    found = convert(partner, lead, **more, ownerId=user["Id"])
    assert (found["accountId"], found["opportunityId"]) == ([account], [None])
    row = rest("GET", f"sobjects/Account/{account}").json()
    assert (row["Name"], row["Phone"], row["Website"]) == ("Has a name", "1", "https://sea.example")
