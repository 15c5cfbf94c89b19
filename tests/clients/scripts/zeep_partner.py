"""A plain SOAP client on the official partner WSDL (as jsforce ships it): zeep, strict about names and their order."""

import datetime

from lxml import etree
from steps import Steps, need
from zeep import Client, Settings
from zeep.exceptions import Fault

step = Steps()
world = step.world
SPACE, RECORDS = "urn:partner.soap.sforce.com", "urn:sobject.partner.soap.sforce.com"
client = Client(f"file://{world['partner_wsdl']}", settings=Settings(strict=True))
door = client.create_service(f"{{{SPACE}}}SoapBinding", f"{world['http_url']}/services/Soap/u/62.0")
Record = client.get_type(f"{{{RECORDS}}}sObject")


class Session:
    """The service that login named, and the headers of every call."""

    service = None
    headers: dict = {}


def ask(operation, *arguments, **headers):
    """The `result` of an operation."""
    found = getattr(Session.service, operation)(*arguments, _soapheaders={**Session.headers, **headers})
    found = getattr(found, "body", found)
    return found.result if hasattr(found, "result") else found


def record(name, row_id=None, nulls=(), **values):
    one = Record(type=name, Id=row_id, fieldsToNull=list(nulls))
    one._value_1 = []
    for key, value in values.items():
        element = etree.Element(f"{{{RECORDS}}}{key}")
        element.text = value
        one._value_1.append(element)
    return one


def fields(one):
    """The fields of a record that zeep left as elements, by name."""
    return {etree.QName(part).localname: part.text for part in one._value_1 if hasattr(part, "tag")}


@step("partner: login, getUserInfo")
def login():
    found = door.login(world["username"], world["password"] + world["security_token"])
    Session.service = client.create_service(f"{{{SPACE}}}SoapBinding", found.serverUrl)
    Session.headers = {"SessionHeader": {"sessionId": found.sessionId}}
    me = ask("getUserInfo")
    need(me.userName == world["username"] and me.organizationId == world["org_id"], me)
    return f"{me.userFullName} at {found.serverUrl.partition('/services')[2]}"


@step("partner: describeGlobal, describeSObjects")
def describe():
    names = [one.name for one in ask("describeGlobal").sobjects]
    found = [ask("describeSObject", name) for name in names]
    (account,) = ask("describeSObjects", ["Account"])
    need({one.name for one in found} == set(names) and account.fields, names)
    return f"{len(names)} objects with {sum(len(one.fields) for one in found)} fields"


@step("partner: create, update, upsert, delete, undelete")
def write():
    good, bad = ask("create", [record("Account", Name="By zeep & co", Industry="Energy"), record("Account")])
    need(good.success and not bad.success and bad.errors[0].statusCode == "REQUIRED_FIELD_MISSING", bad)
    (changed,) = ask("update", [record("Account", good.id, ["Industry"], Phone="123")])
    need(changed.success, changed)
    (row,) = ask("retrieve", "Id, Name, Industry, Phone", "Account", [good.id])
    need(fields(row) == {"Id": good.id, "Name": "By zeep & co", "Industry": None, "Phone": "123"}, fields(row))
    again, new = ask("upsert", "Id", [record("Account", good.id, Name="Twice"), record("Account", Name="New")])
    need(again.created is False and new.created is True, (again, new))
    need(all(one.success for one in ask("delete", [good.id, new.id])), "delete")
    need(ask("undelete", [good.id])[0].success and not ask("undelete", ["001000000000000AAA"])[0].success, "undelete")
    need(ask("emptyRecycleBin", [new.id])[0].success, "emptyRecycleBin")
    return f"{good.id} made, changed, upserted, deleted and brought back; refused: {bad.errors[0].message}"


@step("partner: merge, convertLead")
def merge():
    keep, goes = ask("create", [record("Account", Name="Keeps"), record("Account", Name="Goes")])
    (moved,) = ask("create", [record("Contact", LastName="Moves", AccountId=goes.id)])
    request = client.get_type(f"{{{SPACE}}}MergeRequest")
    (merged,) = ask("merge", [request(masterRecord=record("Account", keep.id, Phone="1"), recordToMergeIds=[goes.id])])
    need(merged.success and merged.mergedRecordIds == [goes.id] and merged.updatedRelatedIds == [moved.id], merged)
    (refused,) = ask("merge", [request(masterRecord=record("Account", keep.id), recordToMergeIds=[goes.id])])
    need(not refused.success and refused.errors[0].statusCode == "ENTITY_IS_DELETED", refused)
    (lead,) = ask("create", [record("Lead", LastName="Fry", Company="Fry and sons")])
    convert = client.get_type(f"{{{SPACE}}}LeadConvert")
    given = {"leadId": lead.id, "convertedStatus": "Closed - Converted", "accountId": keep.id}
    off = dict.fromkeys(("doNotCreateOpportunity", "overwriteLeadSource", "sendNotificationEmail"), False)
    (done,) = ask("convertLead", [convert(**given, **off)])
    need(done.success and done.accountId == keep.id and done.contactId and done.opportunityId, done)
    return f"{goes.id} merged into {keep.id}, a contact moved; a lead became {done.contactId}"


@step("partner: query, queryAll, queryMore")
def query():
    options = {"QueryOptions": {"batchSize": 200}}
    found = ask("query", "SELECT Id, Name FROM Contact", **options)
    size, rows = found.size, list(found.records)
    need(not found.done and len(rows) == 200, (found.done, len(rows)))
    while not found.done:
        found = ask("queryMore", found.queryLocator, **options)
        rows += found.records
    need(len({one.Id for one in rows}) == size, (len(rows), size))
    gone = ask("queryAll", "SELECT Id FROM Account WHERE IsDeleted = true")
    deep = ask("query", "SELECT Name, BillingAddress, Owner.Name, (SELECT LastName FROM Contacts) FROM Account LIMIT 5")
    total = ask("query", "SELECT COUNT(Id) n, MAX(CreatedDate) d FROM Account").records[0]
    need(deep.size == 5 and total._value_1[0] > 100, total)
    return f"{size} contacts in pages of 200, {gone.size} deleted accounts, parents and children of {deep.size}"


@step("partner: search, getUpdated, getDeleted")
def find():
    found = ask("search", "FIND {Twice} IN NAME FIELDS RETURNING Account(Id, Name)").searchRecords
    need([fields(one.record)["Name"] for one in found] == ["Twice"], found)
    now = ask("getServerTimestamp").timestamp
    window = (now - datetime.timedelta(minutes=5), now + datetime.timedelta(minutes=2))
    updated, deleted = ask("getUpdated", "Account", *window), ask("getDeleted", "Account", *window)
    need(found[0].record.Id in updated.ids and deleted.latestDateCovered, (updated, deleted))
    return f"1 found, {len(updated.ids)} updated, {len(deleted.deletedRecords)} deleted"


@step("partner: faults, logout")
def end():
    try:
        ask("query", "SELECT Nope FROM Account")
        raise AssertionError("no fault")
    except Fault as fault:
        need(fault.code == "sf:INVALID_FIELD", fault.code)
    ask("logout")
    try:
        ask("getUserInfo")
        raise AssertionError("the session lives")
    except Fault as fault:
        need(fault.code == "sf:INVALID_SESSION_ID", fault.code)
    return "INVALID_FIELD, then INVALID_SESSION_ID"
