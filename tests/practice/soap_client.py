"""A small Metadata SOAP client for the contract tests: builds requests by hand and reads answers as nested values."""

import base64
import io
import time
import zipfile
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

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
