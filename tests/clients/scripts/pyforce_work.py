"""pyforce, a plain SOAP client of the partner API with no WSDL at all, which sends its requests packed."""

import pyforce
from steps import Steps, need

step = Steps()
world = step.world
client = pyforce.PythonClient(serverUrl=f"{world['http_url']}/services/Soap/u/62.0")


@step("pyforce: login, describe")
def login():
    found = client.login(world["username"], world["password"])
    objects = client.describeGlobal()["sobjects"]
    need(len(objects) > 30 and "Name" in client.describeSObjects("Account")[0].fields, objects)
    return f"{found['userInfo']['userFullName']}, {len(objects)} objects"


@step("pyforce: create, query, search, update, delete")
def work():
    (made,) = client.create([{"type": "Lead", "LastName": "By pyforce", "Company": "Pyforce & sons"}])
    need(made["success"], made)
    need(client.update([{"type": "Lead", "Id": made["id"], "Title": "Pilot"}])[0]["success"], "update")
    (row,) = client.query("SELECT Id, Title, CreatedDate FROM Lead WHERE LastName = 'By pyforce'")
    need(row["Title"] == "Pilot" and row["CreatedDate"].year == 2026, row)
    (hit,) = client.search("FIND {pyforce} IN NAME FIELDS RETURNING Lead(Id)")
    need(hit["Id"] == made["id"], hit)
    need(client.delete([made["id"]])[0]["success"], "delete")
    return f"{made['id']} made, read, found, changed and deleted"
