"""The Salesforce CLI: retrieve by type and by manifest, deploy over SOAP and REST, validate, delete."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tests.clients.check import Check, need
from tests.clients.sf import sf, sf_status
from tests.clients.world import World

PROJECT = {"packageDirectories": [{"path": "force-app", "default": True}], "namespace": "", "sourceApiVersion": "67.0"}
SPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
SOAP = {"SF_ORG_METADATA_REST_DEPLOY": "false"}
REST = {"SF_ORG_METADATA_REST_DEPLOY": "true"}


def project(world: World, name: str) -> Path:
    """A fresh DX project."""
    folder = world.folder / "projects" / name
    (folder / "force-app" / "main" / "default").mkdir(parents=True, exist_ok=True)
    (folder / "sfdx-project.json").write_text(json.dumps(PROJECT), encoding="utf-8")
    return folder


def _files(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in (folder / "force-app").rglob("*") if one.is_file())


def retrieve_types(world: World) -> str:
    """sf project retrieve start --metadata."""
    folder = project(world, "by-type")
    kinds = ("ApexClass", "CustomObject:Invoice__c", "Flow", "Layout", "PermissionSet", "CustomLabels", "Profile")
    asked = [part for one in kinds for part in ("-m", one)]
    done = sf(world, "project", "retrieve", "start", *asked, "-o", "uat", cwd=folder)
    found = _files(folder)
    need(done["status"] == "Succeeded" and len(found) > 30, f"{done.get('status')} {found}")
    need(any(one.endswith("InvoiceTotals.cls") for one in found), found)
    need(any("objects/Invoice__c/fields/" in one for one in found), found)
    return f"{len(found)} files in source format"


def retrieve_manifest(world: World) -> str:
    """sf project retrieve start --manifest."""
    folder = project(world, "by-manifest")
    types = "".join(f"<types><members>*</members><name>{one}</name></types>" for one in ("ApexClass", "ApexTrigger"))
    text = f'<?xml version="1.0" encoding="UTF-8"?><Package {SPACE}>{types}<version>67.0</version></Package>'
    (folder / "package.xml").write_text(text, encoding="utf-8")
    done = sf(world, "project", "retrieve", "start", "-x", "package.xml", "-o", "uat", cwd=folder)
    need(done["status"] == "Succeeded" and len(_files(folder)) >= 10, done)
    return f"{len(_files(folder))} files"


def retrieve_zip(world: World) -> str:
    """sf project retrieve start --target-metadata-dir."""
    folder = project(world, "as-zip")
    command = ["project", "retrieve", "start", "-m", "ApexClass", "--target-metadata-dir", "mdapi", "-o", "uat"]
    sf(world, *command, cwd=folder)
    found = list((folder / "mdapi").rglob("*.zip"))
    need(found, [str(one) for one in folder.rglob("*")])
    with zipfile.ZipFile(found[0]) as archive:
        names = archive.namelist()
    need(any(one.endswith("InvoiceTotals.cls") for one in names), names)
    return f"{len(names)} entries, such as {names[0]}"


def _write_class(folder: Path, name: str, body: str) -> None:
    home = folder / "force-app" / "main" / "default" / "classes"
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{name}.cls").write_text(f"public class {name} {{ {body} }}\n", encoding="utf-8")
    text = f'<?xml version="1.0" encoding="UTF-8"?><ApexClass {SPACE}><apiVersion>67.0</apiVersion>'
    (home / f"{name}.cls-meta.xml").write_text(f"{text}<status>Active</status></ApexClass>", encoding="utf-8")


def _write_field(folder: Path, name: str) -> None:
    home = folder / "force-app" / "main" / "default" / "objects" / "Invoice__c" / "fields"
    home.mkdir(parents=True, exist_ok=True)
    text = f'<?xml version="1.0" encoding="UTF-8"?><CustomField {SPACE}><fullName>{name}</fullName>'
    text += "<label>From the CLI</label><length>40</length><type>Text</type></CustomField>"
    (home / f"{name}.field-meta.xml").write_text(text, encoding="utf-8")


def deploy(name: str, way: dict[str, str], world: World) -> str:
    """sf project deploy start of a class and a field."""
    folder = project(world, f"deploy-{name}")
    _write_class(folder, f"Deployed{name}", "public static Integer one() { return 1; }")
    _write_field(folder, f"Deployed{name}__c")
    done = sf(world, "project", "deploy", "start", "-d", "force-app", "-o", "uat", cwd=folder, more=way)
    need(done["status"] == "Succeeded" and done["numberComponentsDeployed"] == 2, done)
    soql = f"SELECT Id FROM CustomField WHERE DeveloperName = 'Deployed{name}'"  # nobody may see it in a describe yet
    need(sf(world, "data", "query", "-t", "-q", soql, "-o", "uat")["totalSize"] == 1, "the field is not there")
    shown = sf(world, "project", "deploy", "report", "--job-id", done["id"], "-o", "uat", cwd=folder)
    need(shown["status"] == "Succeeded", shown)
    return f"{done['numberComponentsDeployed']} components, {done['id']}"


def deploy_soap(world: World) -> str:
    """Over SOAP."""
    return deploy("Soap", SOAP, world)


def deploy_rest(world: World) -> str:
    """Over REST."""
    return deploy("Rest", REST, world)


def deploy_directory(world: World) -> str:
    """sf project deploy start --metadata-dir, in the format of the Metadata API."""
    folder = project(world, "mdapi-deploy")
    home = folder / "package" / "labels"
    home.mkdir(parents=True)
    label = "<fullName>From_sf</fullName><language>en_US</language><protected>false</protected>"
    label += "<shortDescription>sf</shortDescription><value>hello</value>"
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    text = f"{head}<CustomLabels {SPACE}><labels>{label}</labels></CustomLabels>"
    (home / "CustomLabels.labels").write_text(text, encoding="utf-8")
    types = "<types><members>From_sf</members><name>CustomLabel</name></types><version>67.0</version>"
    (folder / "package" / "package.xml").write_text(f"{head}<Package {SPACE}>{types}</Package>", encoding="utf-8")
    done = sf(world, "project", "deploy", "start", "--metadata-dir", "package", "-o", "uat", cwd=folder)
    need(done["status"] == "Succeeded", done)
    return f"{done['numberComponentsDeployed']} component"


def refuse_broken(world: World) -> str:
    """A deployment that must fail says why, and changes nothing."""
    folder = project(world, "broken")
    home = folder / "force-app" / "main" / "default" / "objects" / "Invoice__c" / "fields"
    _write_field(folder, "Broken__c")
    path = home / "Broken__c.field-meta.xml"
    path.write_text(path.read_text(encoding="utf-8").replace("Text", "NoSuchType"), encoding="utf-8")
    status, body = sf_status(world, "project", "deploy", "start", "-d", "force-app", "-o", "uat", cwd=folder)
    failures = body["result"]["details"]["componentFailures"]
    need(status == 1 and failures, body)
    first = failures[0] if isinstance(failures, list) else failures
    return f"{first['fullName']}: {first['problem']}"


def validate(world: World) -> str:
    """sf project deploy validate and --dry-run."""
    folder = project(world, "validate")
    _write_class(folder, "OnlyChecked", "")
    command = ["project", "deploy", "validate", "-d", "force-app", "-l", "RunLocalTests", "-o", "uat"]
    done = sf(world, *command, cwd=folder)
    need(done["status"] == "Succeeded" and done["checkOnly"] is True, done)
    dry = sf(world, "project", "deploy", "start", "--dry-run", "-d", "force-app", "-o", "uat", cwd=folder)
    need(dry["checkOnly"] is True, dry)
    found = sf(world, "data", "query", "-q", "SELECT Id FROM ApexClass WHERE Name = 'OnlyChecked'", "-o", "uat")
    need(found["totalSize"] == 0, "the class was left behind")
    return f"validated with {done['numberTestsTotal']} tests, nothing left behind"


def delete_source(world: World) -> str:
    """sf project delete source."""
    folder = project(world, "delete")
    _write_class(folder, "ToDelete", "")
    _write_class(folder, "ToKeep", "")
    sf(world, "project", "deploy", "start", "-d", "force-app", "-o", "uat", cwd=folder)
    done = sf(world, "project", "delete", "source", "-m", "ApexClass:ToDelete", "-r", "-o", "uat", cwd=folder)
    found = sf(world, "data", "query", "-q", "SELECT Name FROM ApexClass WHERE Name LIKE 'To%'", "-o", "uat")
    need([one["Name"] for one in found["records"]] == ["ToKeep"], f"{found} {done}")
    need(not (folder / "force-app/main/default/classes/ToDelete.cls").exists(), "the file is still there")
    return "the class is gone, its neighbour is there"


CHECKS = (
    Check("sf", "project retrieve start (types)", retrieve_types),
    Check("sf", "project retrieve start (manifest)", retrieve_manifest),
    Check("sf", "project retrieve start (target dir)", retrieve_zip),
    Check("sf", "project deploy start (SOAP), report", deploy_soap),
    Check("sf", "project deploy start (REST), report", deploy_rest),
    Check("sf", "project deploy start --metadata-dir", deploy_directory),
    Check("sf", "project deploy start, refused", refuse_broken),
    Check("sf", "project deploy validate, --dry-run", validate),
    Check("sf", "project delete source", delete_source),
)
