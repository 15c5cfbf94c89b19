"""Metadata SOAP as a client meets it: hand-built requests over HTTP against the seeded world."""

import base64
import io
import time
import zipfile
from typing import Any
from xml.sax.saxutils import escape

import pytest
from lxml import etree


@pytest.fixture
def practice(calm_practice):
    """One world for the tests of this module; those that move its clock or end its server have their own."""
    return calm_practice


METADATA = "http://soap.sforce.com/2006/04/metadata"
MANIFEST = '<?xml version="1.0" encoding="UTF-8"?>\n<Package xmlns="{}">\n{}<version>67.0</version>\n</Package>\n'


class Fault(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text


def manifest(**members: Any) -> bytes:
    """A package.xml: type=name or type=[names]."""
    types = ""
    for name, listed in members.items():
        names = [listed] if isinstance(listed, str) else listed
        types += (
            "<types>" + "".join(f"<members>{escape(one)}</members>" for one in names) + f"<name>{name}</name></types>\n"
        )
    return MANIFEST.format(METADATA, types).encode()


def xml(root: str, inner: str) -> bytes:
    """A metadata file."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{METADATA}">{inner}</{root}>\n'
    return text.encode()


def pack(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return body.getvalue()


def unpack(zip_file: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(zip_file))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def value(element: etree._Element) -> Any:
    """An element as text, or a mapping tag -> list of values."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        return element.text or ""
    found: dict[str, list[Any]] = {}
    for child in children:
        found.setdefault(etree.QName(child).localname, []).append(value(child))
    return found


class Client:
    """Speaks to one org of a running practice world."""

    def __init__(self, practice: Any, org: str = "UATFULL") -> None:
        self.practice, self.org = practice, practice.orgs[org]

    def call(self, operation: str, inner: str = "", version: str = "67.0", tail: str = "") -> list[Any]:
        """The `result` elements of one call; raises Fault."""
        body = (
            f'<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="{METADATA}">'
            f"<e:Header><SessionHeader><sessionId>{self.org.access_token}</sessionId></SessionHeader></e:Header>"
            f"<e:Body><{operation}>{inner}</{operation}></e:Body></e:Envelope>"
        )
        answer = self.practice.session.post(
            f"{self.practice.http_url}/services/Soap/m/{version}{tail}",
            data=body.encode(),
            headers={"Content-Type": "text/xml", "SOAPAction": '""'},
            timeout=30,
        )
        root = etree.fromstring(answer.content)
        fault = root.find(".//faultcode")
        if fault is not None:
            assert answer.status_code == 500
            raise Fault(fault.text or "", root.findtext(".//faultstring") or "")
        assert answer.status_code == 200
        return [
            value(one) for one in root.iter(f"{{{METADATA}}}result") if one.getparent().getparent().tag.endswith("Body")
        ]

    def list(self, *queries: Any) -> list[dict[str, Any]]:
        inner = "".join(
            f"<queries>{f'<folder>{one[1]}</folder>' if isinstance(one, tuple) else ''}"
            f"<type>{one[0] if isinstance(one, tuple) else one}</type></queries>"
            for one in queries
        )
        return [{key: found[0] for key, found in one.items()} for one in self.call("listMetadata", inner)]

    def names(self, type_name: str) -> set[str]:
        return {one["fullName"] for one in self.list(type_name)}

    def start_retrieve(self, single: bool = False, **members: Any) -> str:
        inner = manifest(**members).decode().split("\n", 2)[2].rsplit("</Package>", 1)[0]
        asked = f"<apiVersion>67.0</apiVersion><singlePackage>{str(single).lower()}</singlePackage>"
        result = self.call("retrieve", f"<retrieveRequest>{asked}<unpackaged>{inner}</unpackaged></retrieveRequest>")
        return str(result[0]["id"][0])

    def wait(self, operation: str, job_id: str, more: str = "") -> dict[str, Any]:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            result = self.call(operation, f"<asyncProcessId>{job_id}</asyncProcessId>{more}")[0]
            if result["done"] == ["true"]:
                return dict(result)
            time.sleep(0.01)
        raise AssertionError(f"{job_id} is not done")

    def retrieve(self, single: bool = False, **members: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
        job_id = self.start_retrieve(single, **members)
        self.wait("checkRetrieveStatus", job_id, "<includeZip>false</includeZip>")
        result = self.call("checkRetrieveStatus", f"<asyncProcessId>{job_id}</asyncProcessId>")[0]
        zip_file = result["zipFile"][0]
        return (unpack(zip_file) if zip_file else {}), result

    def start_deploy(self, files: dict[str, bytes], **options: Any) -> str:
        chosen = {"rollbackOnError": True, "singlePackage": True, "ignoreWarnings": True, **options}
        inner = "".join(
            f"<{key}>{str(one).lower() if isinstance(one, bool) else one}</{key}>" for key, one in chosen.items()
        )
        body = base64.b64encode(pack(files)).decode()
        result = self.call("deploy", f"<ZipFile>{body}</ZipFile><DeployOptions>{inner}</DeployOptions>")
        return str(result[0]["id"][0])

    def deploy(self, files: dict[str, bytes], **options: Any) -> dict[str, Any]:
        """A finished deployment with its details."""
        return self.wait(
            "checkDeployStatus", self.start_deploy(files, **options), "<includeDetails>true</includeDetails>"
        )

    def destroy(self, **members: Any) -> dict[str, Any]:
        return self.deploy({"package.xml": manifest(), "destructiveChanges.xml": manifest(**members)})


def messages(result: dict[str, Any]) -> dict[tuple[str, str], dict[str, str]]:
    """Every message of a deployment by (type, full name)."""
    details = result["details"][0] or {}
    both = details.get("componentSuccesses", []) + details.get("componentFailures", [])
    flat = [{key: found[0] for key, found in one.items()} for one in both]
    return {(one["componentType"], one["fullName"]): one for one in flat}


def problems(result: dict[str, Any]) -> list[str]:
    """The texts of the failures of a deployment."""
    details = result["details"][0] or {}
    return [one["problem"][0] for one in details.get("componentFailures", [])]


@pytest.fixture
def client(practice):
    return Client(practice)


def test_describe_tells_production_by_test_required(practice, client):
    sandbox = client.call("describeMetadata", "<asOfVersion>67.0</asOfVersion>")[0]
    production = Client(practice, "production").call("describeMetadata", "<asOfVersion>67.0</asOfVersion>")[0]
    assert (sandbox["testRequired"], sandbox["partialSaveAllowed"]) == (["false"], ["true"])
    assert (production["testRequired"], production["partialSaveAllowed"]) == (["true"], ["false"])
    kinds = {one["xmlName"][0]: one for one in sandbox["metadataObjects"]}
    assert len(kinds) >= 20
    assert kinds["ApexClass"]["metaFile"] == ["true"] and kinds["ApexClass"]["suffix"] == ["cls"]
    assert kinds["Report"]["inFolder"] == ["true"]
    assert "CustomField" in kinds["CustomObject"]["childXmlNames"]
    assert list(kinds["Workflow"]) == ["childXmlNames", "directoryName", "inFolder", "metaFile", "suffix", "xmlName"]


def test_list_answers_file_properties_of_all_queries_flat(client):
    listed = client.list("ApexClass", "CustomField", "Layout")
    assert {one["type"] for one in listed} == {"ApexClass", "CustomField", "Layout"}
    first = next(one for one in listed if one["fullName"] == "PaymentRouter")
    assert first["fileName"] == "classes/PaymentRouter.cls"
    assert first["id"].startswith("01p") and len(first["id"]) == 18
    assert first["lastModifiedDate"].endswith("Z") and first["manageableState"] == "unmanaged"
    assert next(one for one in listed if one["type"] == "CustomField")["fileName"].startswith("objects/")


def test_metadata_1_2_list_takes_three_queries_and_no_unknown_type(client):
    with pytest.raises(Fault) as four:
        client.list("ApexClass", "Layout", "Flow", "Profile")
    assert four.value.code == "sf:LIMIT_EXCEEDED"
    assert "No more than 3 allowed in request" in four.value.text
    with pytest.raises(Fault) as unknown:
        client.list("ApexClass", "Nonsense")
    assert unknown.value.code == "sf:INVALID_TYPE"


def test_metadata_3_reports_are_listed_by_folder(client):
    assert client.list("Report") == []
    folders = client.names("ReportFolder")
    assert folders
    folder = sorted(folders)[0]
    inside = client.list(("Report", folder))
    assert inside and all(one["fullName"].startswith(f"{folder}/") for one in inside)


@pytest.mark.parametrize("type_name, name", [("CustomObject", "Account"), ("Settings", None)])
def test_metadata_1_3_some_dates_are_1970(client, type_name, name):
    listed = [one for one in client.list(type_name) if name in (None, one["fullName"])]
    assert listed and {one["lastModifiedDate"] for one in listed} == {"1970-01-01T00:00:00.000Z"}


@pytest.mark.parametrize("tail", ["", "/", "/00D000000000000", "/deployRequest/0Af000000000000"])
def test_metadata_1_1_any_tail_of_the_address_is_served(client, tail):
    assert client.call("describeMetadata", version="51.0", tail=tail)


def test_metadata_1_1_bad_sessions_and_operations_are_faults(client):
    with pytest.raises(Fault) as unknown:
        client.call("mergeMetadata")
    assert unknown.value.code == "sf:INVALID_OPERATION"
    client.org = type(client.org)(**{**client.org.__dict__, "access_token": "00D000000000000!dead"})
    with pytest.raises(Fault) as dead:
        client.call("describeMetadata")
    assert dead.value.code == "sf:INVALID_SESSION_ID"


def test_metadata_1_2_a_retrieve_is_handed_out_once(client):
    job_id = client.start_retrieve(ApexClass="*", Flow="Nobody")
    assert job_id.startswith("09S")
    told = client.wait("checkRetrieveStatus", job_id, "<includeZip>false</includeZip>")
    assert told["status"] == ["Succeeded"] and told["zipFile"] == [""]
    asked = f"<asyncProcessId>{job_id}</asyncProcessId>"
    result = client.call("checkRetrieveStatus", asked)[0]
    files = unpack(result["zipFile"][0])
    assert "unpackaged/classes/PaymentRouter.cls-meta.xml" in files
    assert list(result) == ["done", "fileProperties", "id", "messages", "status", "success", "zipFile"]
    assert result["messages"][0]["problem"] == ["Entity of type 'Flow' named 'Nobody' cannot be found"]
    with pytest.raises(Fault):
        client.call("checkRetrieveStatus", asked)


def test_metadata_1_2_the_old_status_call_still_answers(client):
    job_id = client.start_retrieve(ApexClass="*")
    result = client.wait("checkStatus", job_id)
    assert result["state"] == ["Completed"] and "stateDetail" not in result


def test_single_package_has_no_folder(client):
    files, _ = client.retrieve(single=True, ApexClass="PaymentRouter")
    assert sorted(files) == ["classes/PaymentRouter.cls", "classes/PaymentRouter.cls-meta.xml", "package.xml"]


def test_what_was_retrieved_deploys_unchanged(client):
    types = {"ApexClass": "*", "Layout": "*", "CustomObject": ["*", "Account"], "Profile": "*", "PermissionSet": "*"}
    files, _ = client.retrieve(single=True, **types)
    result = client.deploy(files)
    assert result["status"] == ["Succeeded"], problems(result)
    moved = [key for key, one in messages(result).items() if key[0] and one["changed"] == "true"]
    assert moved == []


def test_metadata_6_2_arrays_come_in_another_order_each_time(client):
    one, _ = client.retrieve(CustomObject="Invoice__c")
    two, _ = client.retrieve(CustomObject="Invoice__c")
    path = "unpackaged/objects/Invoice__c.object"
    assert one[path] != two[path]
    assert sorted(one[path].split(b"\n")) == sorted(two[path].split(b"\n"))


def test_a_deployment_reports_each_component_in_the_order_of_the_wsdl(client):
    files = {
        "package.xml": manifest(CustomLabel="Fresh_Label"),
        "labels/CustomLabels.labels": xml(
            "CustomLabels",
            "<labels><fullName>Fresh_Label</fullName><language>en_US</language><protected>false</protected>"
            "<shortDescription>Fresh</shortDescription><value>Fresh &amp; new</value></labels>",
        ),
    }
    result = client.deploy(files)
    assert list(result) == sorted(result)
    told = messages(result)["CustomLabel", "Fresh_Label"]
    assert (told["created"], told["changed"], told["success"]) == ("true", "true", "true")
    assert list(told) == sorted(told)
    again = messages(client.deploy(files))["CustomLabel", "Fresh_Label"]
    assert (again["created"], again["changed"], again["success"]) == ("false", "false", "true")
    quiet = client.call("checkDeployStatus", f"<asyncProcessId>{result['id'][0]}</asyncProcessId>")[0]
    assert quiet["details"] == [""]


def test_metadata_1_2_waiting_deployments_can_be_cancelled(practice, client):
    practice.estate.settings.put("metadata_seconds", 0.3)  # the second has to wait until the request to cancel is in
    files = {"package.xml": manifest()}
    first, second = client.start_deploy(files), client.start_deploy(files)
    told = client.call("cancelDeploy", f"<String>{second}</String>")[0]
    result = client.wait("checkDeployStatus", second)
    assert result["status"] == ["Canceled"] and told["id"] == [second]
    assert client.wait("checkDeployStatus", first)["status"] == ["Succeeded"]
    with pytest.raises(Fault):
        client.call("cancelDeploy", f"<String>{first}</String>")


def test_metadata_1_4_production_refuses_partial_deployments_and_purging(practice):
    production = Client(practice, "production")
    with pytest.raises(Fault) as partial:
        production.start_deploy({"package.xml": manifest()}, rollbackOnError=False)
    assert "rollbackOnError" in partial.value.text
    with pytest.raises(Fault) as purge:
        production.start_deploy({"package.xml": manifest()}, purgeOnDelete=True)
    assert "non-active org" in purge.value.text


def test_an_entity_in_a_request_is_refused(practice, client):
    body = '<!DOCTYPE x [<!ENTITY y "z">]><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>'
    answer = practice.session.post(f"{practice.http_url}/services/Soap/m/67.0", data=body, timeout=10)
    assert answer.status_code == 500 and b"Fault" in answer.content


def test_metadata_1_2_read_metadata_gives_typed_records(client):
    result = client.call(
        "readMetadata", "<type>CustomObject</type><fullNames>Invoice__c</fullNames><fullNames>No__c</fullNames>"
    )
    assert result[0]["records"][0]["fullName"] == ["Invoice__c"]
    assert result[0]["records"][1] == ""


def test_metadata_1_5_deploy_by_rest(practice, client):
    options = '{"deployOptions": {"rollbackOnError": true, "singlePackage": true, "checkOnly": "true"}}'
    body = pack(
        {
            "package.xml": manifest(ApexClass="Rest"),
            "classes/Rest.cls": b"public class Rest {}",
            "classes/Rest.cls-meta.xml": xml("ApexClass", "<apiVersion>67.0</apiVersion>"),
        }
    )
    parts = {"entity_content": (None, options, "application/json"), "file": ("d.zip", body, "application/zip")}
    answer = practice.ask("UATFULL", "POST", "metadata/deployRequest", files=parts)
    assert answer.status_code == 201
    path = f"metadata/deployRequest/{answer.json()['id']}?includeDetails=true"
    until = time.monotonic() + 20
    while not (told := practice.ask("UATFULL", "GET", path).json())["deployResult"]["done"]:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert told["deployResult"]["status"] == "Succeeded" and told["deployResult"]["checkOnly"] is True
    assert [one["fullName"] for one in told["deployResult"]["details"]["componentSuccesses"] if one["created"]] == [
        "Rest"
    ]
    assert "Rest" not in client.names("ApexClass")
    assert practice.ask("UATFULL", "GET", "metadata/deployRequest/0Af000000000000").status_code == 404
