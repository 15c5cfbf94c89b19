"""simple-salesforce: queries, records, Bulk 1.0 and 2.0, and its metadata client, without any patch."""

import io
import time
import zipfile
from datetime import datetime, timedelta

from simple_salesforce import Salesforce
from steps import Steps, need

step = Steps()
world = step.world
sf = Salesforce(instance_url=world["url"], session_id=world["token"], version="62.0")


@step("query, query_more, query_all_iter")
def queries():
    rows = [{"LastName": f"Row {number}", "Title": "iter"} for number in range(2300)]
    done = sf.bulk2.Contact.insert(records=rows)
    need(done[0]["numberRecordsFailed"] == 0 and done[0]["numberRecordsProcessed"] == 2300, done)
    soql = "SELECT Id, LastName FROM Contact WHERE Title = 'iter' ORDER BY Id"
    first = sf.query(soql)
    need(first["totalSize"] == 2300 and not first["done"] and len(first["records"]) == 2000, first["totalSize"])
    more = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    need(more["done"] and len(more["records"]) == 300, len(more["records"]))
    every = list(sf.query_all_iter(soql))
    need(len({one["Id"] for one in every}) == 2300, len(every))
    return "2,300 rows in two pages"


@step("bulk2: insert, query, download, failed records")
def bulk2():
    pages = "".join(sf.bulk2.Contact.query("SELECT Id, LastName FROM Contact WHERE Title = 'iter'", max_records=1000))
    need(pages.count('"Row ') == 2300, pages[:200])
    done = sf.bulk2.Contact.insert(records=[{"LastName": ""}, {"LastName": "Good"}])[0]
    need(done["numberRecordsFailed"] == 1, done)
    bad = sf.bulk2.Contact.get_failed_records(done["job_id"])
    need("REQUIRED_FIELD_MISSING" in bad, bad)
    return f"2,300 rows downloaded in pages of 1,000; {bad.splitlines()[1][:70]}"


@step("bulk2: upsert, update, delete, hard delete")
def bulk2_changes():
    keyed = [{"CustomerNumber__c": f"SS2-{number}", "Name": f"Second {number}"} for number in range(30)]
    need(sf.bulk2.Account.upsert(records=keyed, external_id_field="CustomerNumber__c")[0]["numberRecordsFailed"] == 0)
    found = sf.query("SELECT Id FROM Account WHERE CustomerNumber__c LIKE 'SS2-%'")["records"]
    ids = [{"Id": one["Id"]} for one in found]
    need(sf.bulk2.Account.update(records=[{**one, "Industry": "Energy"} for one in ids])[0]["numberRecordsFailed"] == 0)
    need(sf.bulk2.Account.delete(records=ids[:20])[0]["numberRecordsFailed"] == 0)
    need(sf.bulk2.Account.hard_delete(records=ids[20:])[0]["numberRecordsFailed"] == 0)
    need(sf.query("SELECT COUNT() FROM Account WHERE CustomerNumber__c LIKE 'SS2-%'")["totalSize"] == 0)
    return f"{len(ids)} rows upserted, updated, deleted"


@step("bulk (1.0, JSON): insert, query, update, upsert, delete")
def bulk1():
    rows = [{"Name": f"First {number}", "CustomerNumber__c": f"SS1-{number}", "Website": None} for number in range(40)]
    made = sf.bulk.Account.insert(rows, batch_size=15)
    need(len(made) == 40 and all(one["success"] and one["created"] and one["id"] for one in made), made[:2])
    soql = "SELECT Id, Name, CustomerNumber__c, CreatedDate FROM Account WHERE CustomerNumber__c LIKE 'SS1-%'"
    found = [one for one in sf.bulk.Account.query(soql)]
    need(len(found) == 40 and found[0]["attributes"]["type"] == "Account", found[:1])
    changed = sf.bulk.Account.update([{"Id": one["Id"], "Industry": "Banking"} for one in found])
    need(all(one["success"] and not one["created"] for one in changed), changed[:2])
    again = sf.bulk.Account.upsert([{"CustomerNumber__c": "SS1-0", "Name": "Again"}], "CustomerNumber__c")
    need(again[0]["success"] and again[0]["created"] is False, again)
    bad = sf.bulk.Account.insert([{"Name": "x" * 300}])
    need(bad[0]["success"] is False and bad[0]["errors"][0]["statusCode"] == "STRING_TOO_LONG", bad)
    gone = sf.bulk.Account.delete([{"Id": one["Id"]} for one in found])
    need(all(one["success"] for one in gone), gone[:2])
    return f"40 rows; refusal {bad[0]['errors'][0]['statusCode']}"


@step("records one by one")
def records():
    made = sf.Account.create({"Name": "Simple", "CustomerNumber__c": "SS-1"})["id"]
    need(sf.Account.get(made)["Name"] == "Simple")
    need(sf.Account.get_by_custom_id("CustomerNumber__c", "SS-1")["Id"] == made)
    need(sf.Account.update(made, {"Industry": "Energy"}) == 204)
    need(sf.Account.upsert("CustomerNumber__c/SS-1", {"Name": "Simpler"}) in (200, 204))
    need(sf.Account.get(made)["Name"] == "Simpler")
    need(sf.Account.delete(made) == 204)
    now = datetime.fromisoformat(world["now"].replace("Z", "+00:00"))
    window = (now - timedelta(days=1), now + timedelta(hours=1))
    gone = [one["id"] for one in sf.Account.deleted(*window)["deletedRecords"]]
    need(made in gone, gone[-3:])
    need(sf.Contact.updated(*window)["ids"])
    return "create, get, by key, update, upsert, delete, deleted, updated"


@step("describes, limits, tooling, is_sandbox")
def about():
    need(len(sf.describe()["sobjects"]) > 20)
    need(sf.Account.describe()["keyPrefix"] == "001" and sf.Account.metadata()["objectDescribe"]["name"] == "Account")
    limits = sf.limits()
    need(limits["DailyApiRequests"]["Max"] > 0)
    classes = sf.toolingexecute("query/?q=SELECT+Id,Name+FROM+ApexClass")
    need(classes["totalSize"] > 0, classes)
    need(sf.is_sandbox() is True)
    used = sf.api_usage["api-usage"]
    return f"api-usage {used.used} of {used.total}; {classes['totalSize']} classes over Tooling"


@step("mdapi: describe, list, read")
def mdapi_read():
    described = sf.mdapi.describe_metadata()
    names = {one.xmlName for one in described.metadataObjects}
    query = sf.mdapi.ListMetadataQuery(type="CustomObject")
    listed = sf.mdapi.list_metadata([query])
    need(any(one.fullName == "Invoice__c" for one in listed), listed[:2])
    read = sf.mdapi.CustomObject.read("Invoice__c")
    need(read.fullName == "Invoice__c" and len(read.fields) > 5, read)
    field = sf.mdapi.CustomField.read("Account.CustomerNumber__c")
    need(field.fullName == "Account.CustomerNumber__c" and field.type == "Text", field)
    return f"{len(names)} types, {len(listed)} objects, Invoice__c with {len(read.fields)} fields"


@step("mdapi: retrieve")
def mdapi_retrieve():
    job, _ = sf.mdapi.retrieve("", unpackaged={"CustomObject": ["Invoice__c"], "ApexClass": ["*"]})
    state = ""
    for _ in range(60):
        state, *_rest = sf.mdapi.check_retrieve_status(job)
        if state == "Succeeded":
            break
        time.sleep(0.5)
    need(state == "Succeeded", state)
    _, _, _, content = sf.mdapi.retrieve_zip(job)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    need(any("Invoice__c.object" in one for one in names), names)
    return f"{len(names)} files"


@step("deploy, checkDeployStatus")
def deploy():
    package = '<?xml version="1.0" encoding="UTF-8"?><Package xmlns="http://soap.sforce.com/2006/04/metadata">'
    label = (
        '<?xml version="1.0" encoding="UTF-8"?><CustomLabels xmlns="http://soap.sforce.com/2006/04/metadata"><labels>'
        "<fullName>From_simple</fullName><language>en_US</language><protected>false</protected>"
        "<shortDescription>x</shortDescription><value>hello</value></labels></CustomLabels>"
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        types = "<types><members>From_simple</members><name>CustomLabel</name></types><version>62.0</version></Package>"
        archive.writestr("package.xml", package + types)
        archive.writestr("labels/CustomLabels.labels", label)
    started = sf.deploy(content, sandbox=True, rollbackOnError=True)
    for _ in range(60):
        done = sf.checkDeployStatus(started["asyncId"])
        if done["state"] in ("Succeeded", "Failed"):
            break
        time.sleep(0.5)
    need(done["state"] == "Succeeded", done)
    return f"{done['deployment_detail']['deployed_count']} component deployed"


@step("mdapi: create, update, rename, delete")
def mdapi_write():
    api = sf.mdapi
    label = api.CustomLabel(
        fullName="Made_here", language="en_US", protected=False, shortDescription="Made here", value="one"
    )
    api.CustomLabel.create([label])
    label.value = "two"
    api.CustomLabel.update([label])
    need(api.CustomLabel.read("Made_here").value == "two")
    api.CustomLabel.delete("Made_here")
    need(getattr(api.CustomLabel.read("Made_here"), "fullName", None) is None)
    return "a label made, changed, deleted"
