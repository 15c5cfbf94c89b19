"""Rows over SOAP: the partner and the enterprise dialect, as the official WSDLs and clients without one have them.

Strict clients judge the order of elements in `make clients`; here stands what each operation does.
"""

import gzip
import zlib

import pytest
from lxml import etree

ENTERPRISE = "urn:enterprise.soap.sforce.com"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def one(found):
    """The only result, with each value alone where it is alone."""
    (result,) = found
    return flat(result)


def flat(value):
    if not isinstance(value, dict):
        return value
    return {
        key: flat(values[0]) if len(values) == 1 else [flat(each) for each in values] for key, values in value.items()
    }


def record(kind, **values):
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<sObjects><type>{kind}</type>{inner}</sObjects>"


def test_data_2_soap_a_row_is_made_changed_emptied_and_read(partner, rest):
    made = one(partner.call("create", record("Account", Name="Soap &amp; co", Industry="Energy", Phone="1")))
    assert made == {"id": made["id"], "success": "true"}
    changed = record("Account", Id=made["id"], Phone="", Fax="2", fieldsToNull="Industry")
    assert one(partner.call("update", changed))["success"] == "true"
    asked = (
        f"<fieldList>Name, Industry, Phone, Fax</fieldList><sObjectType>Account</sObjectType><ids>{made['id']}</ids>"
    )
    row = one(partner.call("retrieve", asked))
    assert row == {"type": "Account", "Id": None, "Name": "Soap & co", "Industry": None, "Phone": "1", "Fax": "2"}
    assert one(partner.call("delete", f"<id>{made['id']}</id>"))["success"] == "true"  # as pyforce says it
    assert partner.call("retrieve", asked) == [None]


def test_data_2_soap_each_row_has_its_result_in_order(partner):
    good, bad = map(flat, partner.call("create", record("Account", Name="Good") + record("Account")))
    assert good["success"] == "true"
    assert (bad["id"], bad["errors"]["statusCode"], bad["errors"]["fields"]) == (None, "REQUIRED_FIELD_MISSING", "Name")
    header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
    undone, _ = map(flat, partner.call("create", record("Account", Name="Undone") + record("Account"), header))
    assert undone["errors"]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"


def test_data_2_soap_an_upsert_says_what_it_made_and_parents_go_by_their_keys(partner, rest):
    key = "<externalIDFieldName>CustomerNumber__c</externalIDFieldName>"
    first = one(partner.call("upsert", key + record("Account", Name="First", CustomerNumber__c="SOAP-1")))
    assert list(first) == ["created", "id", "success"] and first["created"] == "true"
    again = one(partner.call("upsert", key + record("Account", Name="Again", CustomerNumber__c="soap-1")))
    assert again == {"created": "false", "id": first["id"], "success": "true"}
    parent = "<type>Account</type><CustomerNumber__c>SOAP-1</CustomerNumber__c>"
    child = one(partner.call("create", record("Contact", LastName="Child", Account=parent)))
    assert rest.rows(f"SELECT AccountId FROM Contact WHERE Id = '{child['id']}'")[0]["AccountId"] == first["id"]


def test_data_2_soap_more_than_200_rows_are_a_fault(partner, tools):
    with pytest.raises(tools.Fault) as refused:
        partner.call("create", record("Account", Name="x") * 201)
    assert refused.value.code == "sf:EXCEEDED_ID_LIMIT"


def test_data_2_soap_a_query_has_pages_parents_children_and_nothing_twice(partner):
    header = "<QueryOptions><batchSize>200</batchSize></QueryOptions>"
    page = one(partner.call("query", "<queryString>SELECT Id, Name FROM Contact ORDER BY Id</queryString>", header))
    assert page["done"] == "false" and len(page["records"]) == 200
    ids = [row["Id"][0] for row in page["records"]]
    while page["done"] == "false":
        page = one(partner.call("queryMore", f"<queryLocator>{page['queryLocator']}</queryLocator>", header))
        ids += [row["Id"][0] for row in page["records"]]
    assert len(ids) == len(set(ids)) == int(page["size"])
    soql = "SELECT Name, CreatedDate, Owner.Name, (SELECT Id FROM Contacts) FROM Account"
    soql += " WHERE Id IN (SELECT AccountId FROM Contact) LIMIT 1"
    row = one(partner.call("query", f"<queryString>{soql}</queryString>"))["records"]
    assert row["Id"] is None and row["CreatedDate"].endswith("Z") and row["Owner"]["type"] == "User"
    assert row["Contacts"]["done"] == "true" and int(row["Contacts"]["size"]) >= 1


def test_data_2_soap_describes_stand_in_the_order_of_the_wsdl(partner):
    found = one(partner.call("describeSObject", "<sObjectType>Account</sObjectType>"))
    assert list(found) == sorted(found) and {"idEnabled", "urlNew", "fields", "recordTypeInfos"} <= found.keys()
    assert all(list(field) == sorted(field) for field in found["fields"])
    every = one(partner.call("describeGlobal"))
    assert list(every) == ["encoding", "maxBatchSize", "sobjects"] and "urls" not in every["sobjects"][0]
    twice = partner.call("describeSObjects", "<sObjectType>Account</sObjectType><sObjectType>Case</sObjectType>")
    assert [result["name"] for result in twice] == [["Account"], ["Case"]]


def test_data_2_soap_replication_and_search(partner, rest):
    now = one(partner.call("getServerTimestamp"))["timestamp"]
    row_id = rest.create("Account", Name="Zanzibar Moorings")
    dates = f"<startDate>{now[:10]}T00:00:00Z</startDate><endDate>2026-12-24T00:00:00Z</endDate>"
    window = f"<sObjectType>Account</sObjectType>{dates}"
    updated = one(partner.call("getUpdated", window))
    assert row_id in updated["ids"] and updated["latestDateCovered"].endswith("Z")
    text = "FIND {zanzibar moor*} IN NAME FIELDS RETURNING Account(Id, Name)"
    assert one(partner.call("search", f"<searchString>{text}</searchString>"))["searchRecords"]["record"]["Name"] == (
        "Zanzibar Moorings"
    )
    rest.delete("Account", row_id)
    assert one(partner.call("getDeleted", window))["deletedRecords"]


def test_data_2_soap_a_logout_ends_the_session(shared_practice, partner, tools):
    shared = shared_practice
    org = shared.estate.org(shared.orgs["UATFULL"].org_id)
    user_id = shared.estate.client(shared.orgs["UATFULL"].client_id).user_id
    token = shared.estate.issue_token(org, user_id)
    assert post(shared, token, "u", "urn:partner.soap.sforce.com", "<logout/>")[0] == 200
    assert post(shared, token, "u", "urn:partner.soap.sforce.com", "<getUserInfo/>")[0] == 500


def post(practice, token, letter, space, body, packed=False):
    """Status and root of a call by hand."""
    text = (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns="{space}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"'
        f' xmlns:xsi="{XSI}"><s:Header><SessionHeader><sessionId>{token}</sessionId></SessionHeader></s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
    answer = practice.session.post(
        f"{practice.http_url}/services/Soap/{letter}/62.0",
        data=gzip.compress(text[:200]) + gzip.compress(text[200:]) if packed else text,  # of two members
        headers={"Content-Type": "text/xml", **({"Content-Encoding": "gzip"} if packed else {})},
        timeout=20,
    )
    return answer.status_code, etree.fromstring(answer.content)


def test_data_2_soap_enterprise_names_the_type_of_each_record(shared_practice):
    token = shared_practice.orgs["UATFULL"].access_token
    body = '<create><sObjects xsi:type="sf:Account"><sf:Name>Enterprise</sf:Name><sf:Fax>1</sf:Fax></sObjects></create>'
    status, root = post(shared_practice, token, "c", ENTERPRISE, body, packed=True)
    assert (status, root.findtext(".//{*}success")) == (200, "true"), etree.tostring(root)
    soql = f"SELECT Name, Fax, Id FROM Account WHERE Id = '{root.findtext('.//{*}id')}'"
    _, root = post(shared_practice, token, "c", ENTERPRISE, f"<query><queryString>{soql}</queryString></query>")
    found = root.find(f".//{{{ENTERPRISE}}}records")
    assert found.get(f"{{{XSI}}}type") == "sf:Account"
    names = [etree.QName(part).localname for part in found]
    assert names == ["Id", "Fax", "Name"], "the sequence of the WSDL, without `type` and a second Id"
    status, root = post(shared_practice, "00Ddead", "c", ENTERPRISE, "<getUserInfo/>")
    assert status == 500 and b"urn:fault.enterprise.soap.sforce.com" in etree.tostring(root)


def bomb():
    """A little gzip that unpacks to more than a request may hold."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(packer.compress(bytes(10_000_000)) for _ in range(16)) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (lambda: b"no gzip", "gzip", 400),
        (lambda: gzip.compress(b"x" * 100)[:20], "gzip", 400),
        (lambda: gzip.compress(b"{}") + b"more", "gzip", 400),
        (lambda: b"x", "br", 415),
        (bomb, "gzip", 413),
    ],
    ids=["garbage", "cut", "a tail", "another encoding", "a bomb"],
)
def test_sandbox_5_packed_bodies_that_are_none_or_burst_are_refused(shared_practice, body, encoding, status):
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    answer = shared_practice.ask("UATFULL", "POST", "composite", data=body(), headers=headers)
    assert answer.status_code == status and answer.json()[0]["errorCode"]
