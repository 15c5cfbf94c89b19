"""Plain clients for the contract tests of facts: REST as it stands in the shared world, Bulk, and SOAP by hand.

A test's name carries the key of the fact that it holds: the file of facts, the section, and the fact in a few words.
Most tests share one running world a module, and leave it as usable as they found it.
"""

import base64
import io
import time
import zipfile
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import pytest
from lxml import etree

METADATA = "http://soap.sforce.com/2006/04/metadata"
PARTNER = "urn:partner.soap.sforce.com"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass
class Rest:
    """REST and Bulk calls to one org; `path` is below the version."""

    practice: Any
    org: str = "UATFULL"

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        return self.practice.ask(self.org, method, path, json=body, **options)

    def create(self, name: str, **values: Any) -> str:
        answer = self("POST", f"sobjects/{name}", values)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def delete(self, name: str, row_id: str) -> None:
        assert self("DELETE", f"sobjects/{name}/{row_id}").status_code == 204

    def rows(self, soql: str, deleted: bool = False, **headers: str) -> Any:
        found = self("GET", "queryAll" if deleted else "query", params={"q": soql}, headers=headers)
        assert found.status_code == 200, found.text
        return found.json()["records"]

    def error(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        answer = self(method, path, body, **options)
        (problem,) = answer.json()
        return answer.status_code, problem["errorCode"], problem["message"]

    def wait(self, kind: str, job_id: str) -> Any:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            info = self("GET", f"jobs/{kind}/{job_id}").json()
            if info["state"] in ("JobComplete", "Failed", "Aborted"):
                return info
            time.sleep(0.01)
        raise AssertionError("the job never ended")

    def query_job(self, soql: str, **more: Any) -> Any:
        answer = self("POST", "jobs/query", {"operation": "query", "query": soql, **more})
        assert answer.status_code == 200, answer.text
        return self.wait("query", answer.json()["id"])

    def ingest(self, operation: str, name: str, text: str, **more: Any) -> Any:
        job = self("POST", "jobs/ingest", {"object": name, "operation": operation, **more}).json()
        path = f"jobs/ingest/{job['id']}"
        sent = self("PUT", f"{path}/batches", data=text.encode(), headers={"Content-Type": "text/csv"})
        assert (sent.status_code, sent.content) == (201, b"")
        assert self("PATCH", path, {"state": "UploadComplete"}).status_code == 200
        return self.wait("ingest", job["id"])


class Fault(Exception):
    """A SOAP fault."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.status, self.code, self.text = status, code, text


def value(element: etree._Element) -> Any:
    """An element as text (None where it is nil), or a mapping from tag to the list of its values."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        return None if element.get(f"{{{XSI}}}nil") == "true" else element.text or ""
    found: dict[str, list[Any]] = {}
    for child in children:
        found.setdefault(etree.QName(child).localname, []).append(value(child))
    return found


@dataclass
class Soap:
    """SOAP calls to one org: `space` METADATA or PARTNER."""

    practice: Any
    space: str = METADATA
    org: str = "UATFULL"
    version: str = "67.0"

    def post(self, data: bytes, token: str | None = None) -> Any:
        kind = "m" if self.space == METADATA else "u"
        url = f"{self.practice.http_url}/services/Soap/{kind}/{self.version}"
        return self.practice.session.post(url, data=data, headers={"Content-Type": "text/xml"}, timeout=30)

    def call(self, operation: str, inner: str = "", header: str = "") -> list[Any]:
        """The results of a call. Raises Fault."""
        who = self.practice.production if self.org == "production" else self.practice.orgs[self.org]
        body = (
            '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns="{self.space}" xmlns:xsi="{XSI}"><e:Header><SessionHeader>'
            f"<sessionId>{who.access_token}</sessionId></SessionHeader>{header}</e:Header><e:Body><{operation}>{inner}</{operation}></e:Body></e:Envelope>"
        )
        answer = self.post(body.encode())
        root = etree.fromstring(answer.content)
        if root.find(".//faultcode") is not None:
            raise Fault(answer.status_code, root.findtext(".//faultcode") or "", root.findtext(".//faultstring") or "")
        return [value(one) for one in root[-1][0]]

    def list(self, type_name: str) -> list[dict[str, Any]]:
        found = self.call("listMetadata", f"<queries><type>{type_name}</type></queries><asOfVersion>67.0</asOfVersion>")
        return [{key: values[0] for key, values in one.items()} for one in found]

    def names(self, type_name: str) -> set[str]:
        return {one["fullName"] for one in self.list(type_name)}

    def wait(self, operation: str, job_id: str, more: str = "") -> Any:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            (result,) = self.call(operation, f"<asyncProcessId>{job_id}</asyncProcessId>{more}")
            if result["done"] == ["true"]:
                return result
            time.sleep(0.01)
        raise AssertionError(f"{job_id} is not done")

    def start_deploy(self, files: dict[str, bytes], **options: Any) -> str:
        chosen = {"rollbackOnError": True, "singlePackage": True, "ignoreWarnings": True, **options}
        inner = "".join(f"<{k}>{str(v).lower() if isinstance(v, bool) else v}</{k}>" for k, v in chosen.items())
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, data in files.items():
                archive.writestr(path, data)
        sent = base64.b64encode(packed.getvalue()).decode()
        return str(self.call("deploy", f"<ZipFile>{sent}</ZipFile><DeployOptions>{inner}</DeployOptions>")[0]["id"][0])

    def deploy(self, files: dict[str, bytes], **options: Any) -> Any:
        job = self.start_deploy(files, **options)
        return self.wait("checkDeployStatus", job, "<includeDetails>true</includeDetails>")

    def destroy(self, **members: Any) -> Any:
        return self.deploy({"package.xml": manifest(), "destructiveChanges.xml": manifest(**members)})

    def retrieve(self, **members: Any) -> tuple[dict[str, bytes], Any]:
        listed = manifest(**members).decode().split("\n", 2)[2].rsplit("</Package>", 1)[0]
        asked = f"<retrieveRequest><apiVersion>67.0</apiVersion><unpackaged>{listed}</unpackaged></retrieveRequest>"
        job = self.call("retrieve", asked)[0]["id"][0]
        self.wait("checkRetrieveStatus", job, "<includeZip>false</includeZip>")
        (result,) = self.call("checkRetrieveStatus", f"<asyncProcessId>{job}</asyncProcessId>")
        if not result["zipFile"][0]:
            return {}, result
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(result["zipFile"][0]))) as archive:
            return {name: archive.read(name) for name in archive.namelist()}, result


def manifest(**members: Any) -> bytes:
    """A package.xml: type=name or type=[names]."""
    types = ""
    for name, listed in members.items():
        names = [listed] if isinstance(listed, str) else listed
        types += f"<types>{''.join(f'<members>{escape(one)}</members>' for one in names)}<name>{name}</name></types>\n"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<Package xmlns="{METADATA}">\n{types}<version>67.0</version>\n</Package>\n'.encode()


def xml(root: str, inner: str) -> bytes:
    """A metadata file."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{METADATA}">{inner}</{root}>\n'.encode()


def problems(result: Any) -> list[str]:
    """The texts of the failures of a deployment."""
    details = result["details"][0] or {}
    return [one["problem"][0] for one in details.get("componentFailures", [])]


def text_field(name: str, owner: str = "Account", inner: str = "") -> dict[str, bytes]:
    """A package with one text field."""
    body = inner or "<label>Fact</label><length>40</length><type>Text</type>"
    return {
        "package.xml": manifest(CustomField=f"{owner}.{name}"),
        f"objects/{owner}.object": xml("CustomObject", f"<fields><fullName>{name}</fullName>{body}</fields>"),
    }


@dataclass
class Tools:
    """What test modules need of this file: with importlib mode they cannot import it."""

    manifest = staticmethod(manifest)
    xml = staticmethod(xml)
    problems = staticmethod(problems)
    text_field = staticmethod(text_field)
    Fault = Fault


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools()


@pytest.fixture(scope="module")
def rest(shared_practice: Any) -> Rest:
    """REST to the sandbox UATFULL of the module's world."""
    return Rest(shared_practice)


@pytest.fixture(scope="module")
def production(shared_practice: Any) -> Rest:
    """REST to production of the module's world."""
    return Rest(shared_practice, "production")


@pytest.fixture(scope="module")
def metadata(shared_practice: Any) -> Soap:
    """Metadata SOAP to the sandbox UATFULL."""
    return Soap(shared_practice)


@pytest.fixture(scope="module")
def partner(shared_practice: Any) -> Soap:
    """Partner SOAP to the sandbox UATFULL."""
    return Soap(shared_practice, PARTNER, version="64.0")
