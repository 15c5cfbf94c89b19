"""A typed SOAP client on the enterprise WSDL that the org gives for download: zeep, strict about names and order."""

from steps import Steps, need
from zeep import Client, Settings

step = Steps()
world = step.world
SPACE, RECORDS = "urn:enterprise.soap.sforce.com", "urn:sobject.enterprise.soap.sforce.com"
wsdl = f"{world['http_url']}/soap/wsdl.jsp?type=*&oauth_token={world['token']}"
client = Client(wsdl, settings=Settings(strict=True))
service = client.create_service(f"{{{SPACE}}}SoapBinding", f"{world['http_url']}/services/Soap/c/62.0")
head = {}


def record(name, **values):
    return client.get_type(f"{{{RECORDS}}}{name}")(**values)


@step("enterprise: login, describe")
def login():
    found = service.login(world["username"], world["password"] + world["security_token"])
    head["SessionHeader"] = {"sessionId": found.sessionId}
    need("/Soap/c/" in found.serverUrl, found.serverUrl)
    names = [one.name for one in service.describeGlobal(_soapheaders=head).sobjects]
    fields = sum(len(one.fields) for one in service.describeSObjects(names, _soapheaders=head))
    return f"{len(names)} objects with {fields} fields"


@step("enterprise: create, query, update, delete")
def work():
    made, bad = service.create(
        [record("Account", Name="Typed", Industry="Energy"), record("Account")], _soapheaders=head
    )
    need(made.success and bad.errors[0].statusCode == "REQUIRED_FIELD_MISSING", bad)
    changed = record("Account", Id=made.id, NumberOfEmployees=12, fieldsToNull=["Industry"])
    need(service.update([changed], _soapheaders=head)[0].success, "update")
    soql = "SELECT Id, Name, NumberOfEmployees, CreatedDate, Industry, Owner.Name, (SELECT LastName FROM Contacts)"
    soql += " FROM Account"
    row = service.query(f"{soql} WHERE Id = '{made.id}'", _soapheaders=head).records[0]
    need((row.Name, row.NumberOfEmployees, row.Industry, row.CreatedDate.year) == ("Typed", 12, None, 2026), row)
    many = service.query(f"{soql} LIMIT 200", _soapheaders=head).records
    need(all(one.Owner.Name for one in many) and any(one.Contacts for one in many), "parents and children")
    need(service.delete([made.id], _soapheaders=head)[0].success, "delete")
    return f"{made.id} made, read, changed and deleted; {len(many)} typed rows"
