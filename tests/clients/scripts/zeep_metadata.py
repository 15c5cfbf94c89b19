"""A plain SOAP client on the official WSDL shapes: zeep, strict about names and the order of elements."""

import base64
import io
import time
import zipfile
from pathlib import Path

import simple_salesforce
from steps import Steps, need
from zeep import Client, Settings

step = Steps()
world = step.world
WSDL = Path(simple_salesforce.__file__).parent / "metadata.wsdl"
client = Client(WSDL.as_uri(), settings=Settings(strict=True))
service = client.create_service("{http://soap.sforce.com/2006/04/metadata}MetadataBinding", world["metadata"])
head = [client.get_element("ns0:SessionHeader")(sessionId=world["token"])]


def make(kind, **values):
    return client.get_type(f"ns0:{kind}")(**values)


def wait(ask):
    for _ in range(120):
        found = ask()
        if found.done:
            return found
        time.sleep(0.25)
    raise AssertionError(f"not done: {found}")


@step("describeMetadata")
def describe():
    found = service.describeMetadata(62.0, _soapheaders=head)
    need(len(found.metadataObjects) > 20 and found.partialSaveAllowed is not None, found)
    return f"{len(found.metadataObjects)} types"


@step("listMetadata")
def listing():
    found = service.listMetadata([make("ListMetadataQuery", type="Flow")], 62.0, _soapheaders=head)
    need(found and found[0].lastModifiedDate.tzinfo is not None, found)
    return f"{len(found)} flows, {found[0].fileName}"


@step("readMetadata")
def reading():
    found = service.readMetadata("CustomObject", ["Invoice__c"], _soapheaders=head)
    need(found[0].fullName == "Invoice__c" and found[0].nameField.type, found)
    return f"Invoice__c with {len(found[0].fields)} fields"


@step("retrieve, checkRetrieveStatus")
def retrieve():
    types = [make("PackageTypeMembers", name=name, members=["*"]) for name in ("ApexClass", "Flow", "CustomObject")]
    request = make("RetrieveRequest", apiVersion=62.0, singlePackage=True,
                   unpackaged=make("Package", types=types, version="62.0"))  # fmt: skip
    job = service.retrieve(request, _soapheaders=head)
    done = wait(lambda: service.checkRetrieveStatus(job.id, True, _soapheaders=head))
    need(done.success and done.status == "Succeeded", done.status)
    content = done.zipFile if isinstance(done.zipFile, bytes) else base64.b64decode(done.zipFile)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    listed = {one.fileName.removeprefix("unpackaged/") for one in done.fileProperties}
    need(listed <= set(names), listed - set(names))
    return f"{len(names)} files"


def archive(value, name="By_zeep"):
    space = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
    head_line = '<?xml version="1.0" encoding="UTF-8"?>'
    types = "<types><members>By_zeep</members><name>CustomLabel</name></types><version>62.0</version>"
    label = f"<fullName>{name}</fullName><language>en_US</language><protected>false</protected>{value}"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as files:
        files.writestr("package.xml", f"{head_line}<Package {space}>{types}</Package>")
        files.writestr("labels/CustomLabels.labels",
                       f"{head_line}<CustomLabels {space}><labels>{label}</labels></CustomLabels>")  # fmt: skip
    return content.getvalue()


def deploy(content, **options):
    given = dict.fromkeys(("allowMissingFiles", "autoUpdatePackage", "checkOnly", "performRetrieve"), False)
    given |= {"purgeOnDelete": False, "ignoreWarnings": True, "rollbackOnError": True, "singlePackage": True}
    given |= {"testLevel": "NoTestRun", **options}
    job = service.deploy(content, make("DeployOptions", **given), _soapheaders=head)
    return wait(lambda: service.checkDeployStatus(job.id, True, _soapheaders=head).body.result)


@step("deploy, checkDeployStatus")
def deploying():
    good = "<shortDescription>x</shortDescription><value>hello</value>"
    checked = deploy(archive(good), checkOnly=True)
    need(checked.success and checked.checkOnly, checked.status)
    done = deploy(archive(good))
    need(done.success and done.numberComponentsDeployed == 1, done)
    need(any(one.fullName == "By_zeep" for one in done.details.componentSuccesses), done.details)
    failed = deploy(archive(good, name="Another_name"))
    need(failed.status == "Failed" and failed.details.componentFailures[0].problem, failed.status)
    return f"deployed; refused: {failed.details.componentFailures[0].problem}"
