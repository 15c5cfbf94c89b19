"""CumulusCI: connects by an environment variable, retrieves, deploys, and moves data between two orgs."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

from tests.clients.check import Check, need, need_success, run_client
from tests.clients.sf import environment
from tests.clients.world import World

SPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
PROJECT = """minimum_cumulusci_version: '4.0.0'
project:
  name: Practice
  package: {name: Practice, api_version: '62.0'}
"""
MAPPING = """Accounts:
  sf_object: Account
  table: Account
  api: bulk
  fields: [Name, Industry, CustomerNumber__c]
Contacts:
  sf_object: Contact
  table: Contact
  api: rest
  fields: [FirstName, LastName, Email]
  lookups: {AccountId: {table: Account}}
"""
SOURCE, TARGET = "UATFULL", "DEV1"


def project(world: World) -> Path:
    """The git repository that cci wants to stand in; its HOME says that the version was looked up a moment ago."""
    folder = world.folder / "projects" / "cci"
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / "cumulusci.yml").write_text(PROJECT, encoding="utf-8")
        (folder / "mapping.yml").write_text(MAPPING, encoding="utf-8")
        git = ["git", "-c", "user.name=cci", "-c", "user.email=cci@tidewater.example"]
        for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "start"]):
            subprocess.run([*git, *command], cwd=folder, check=True, capture_output=True)
        stamp = world.home("cci") / ".cumulusci" / "cumulus_timestamp"
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(str(time.time()), encoding="ascii")
    return folder


def cci(world: World, org: str, *arguments: str) -> str:
    """The output of a cci command that must end well."""
    variables = dict(world.client("cci", org)["environment"])
    done = run_client([world.tools.cci, *arguments], world.home("cci"), variables, cwd=project(world))
    return need_success(done) + done.stderr


def task(world: World, org: str, name: str, *options: str) -> str:
    """A task with options given as pairs."""
    given = [part for one in options for part in ("-o", *one.split("=", 1))]
    return cci(world, org, "task", "run", name, "--org", org.lower(), *given)


def connect(world: World) -> str:
    """cci org info."""
    text = cci(world, SOURCE, "org", "info", SOURCE.lower())
    need(world.org(SOURCE)["org_id"] in text, text)
    need(world.org(SOURCE)["username"] in text, text)
    return f"org {world.org(SOURCE)['org_id']} and its user are shown"


def import_login(world: World) -> str:
    """cci org import: an org that the Salesforce CLI is logged in to, under a name of cci's own."""
    tools = world.folder / "bin"
    tools.mkdir(exist_ok=True)
    starter = tools / "sf"
    starter.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, world.tools.sf))} "$@"\n', encoding="utf-8")
    starter.chmod(0o755)
    variables = {**environment(world, SOURCE), "SF_TEMP_SHOW_SECRETS": "true"}
    given = dict(world.client("cci", SOURCE)["environment"])
    variables |= {name: value for name, value in given.items() if not name.startswith("CUMULUSCI_ORG_")}
    variables["PATH"] = f"{tools}{os.pathsep}{variables['PATH']}"
    address = world.client("sf", SOURCE)["settings"]["instance-url over HTTPS"]
    login = ["org", "login", "access-token", "--instance-url", address, "--no-prompt", "--alias", "given"]
    home, folder = world.home("cci"), project(world)
    need_success(run_client([starter, *login], home, variables, cwd=folder))
    need_success(run_client([world.tools.cci, "org", "import", "given", "taken"], home, variables, cwd=folder))
    text = need_success(run_client([world.tools.cci, "org", "info", "taken"], home, variables, cwd=folder))
    need(world.org(SOURCE)["org_id"][:15] in text and world.org(SOURCE)["username"] in text, text)
    return f"the CLI's login to {world.org(SOURCE)['org_id']} is taken over"


def retrieve(world: World) -> str:
    """cci task run retrieve_unpackaged."""
    folder = project(world)
    lines = [HEAD, f"<Package {SPACE}>"]
    for one in ("ApexClass", "CustomObject"):
        lines += ["  <types>", "    <members>*</members>", f"    <name>{one}</name>", "  </types>"]
    (folder / "all.xml").write_text("\n".join([*lines, "  <version>62.0</version>", "</Package>", ""]))
    task(world, SOURCE, "retrieve_unpackaged", "path=retrieved", "package_xml=all.xml", "api_version=62.0")
    found = [one.name for one in (folder / "retrieved").rglob("*") if one.is_file()]
    need("InvoiceTotals.cls" in found and "Invoice__c.object" in found, found)
    return f"{len(found)} files"


def deploy(world: World) -> str:
    """cci task run deploy."""
    home = project(world) / "deployed" / "labels"
    home.mkdir(parents=True)
    label = "<fullName>From_cci</fullName><language>en_US</language><protected>false</protected>"
    label += "<shortDescription>cci</shortDescription><value>hello</value>"
    text = f"{HEAD}<CustomLabels {SPACE}><labels>{label}</labels></CustomLabels>"
    (home / "CustomLabels.labels").write_text(text, encoding="utf-8")
    types = "<types><members>From_cci</members><name>CustomLabel</name></types><version>62.0</version>"
    (home.parent / "package.xml").write_text(f"{HEAD}<Package {SPACE}>{types}</Package>", encoding="utf-8")
    text = task(world, SOURCE, "deploy", "path=deployed")
    need("Success" in text, text[-300:])
    return "[Success] is reported"


def extract(world: World) -> str:
    """cci task run extract_dataset, Account by Bulk 1.0, Contact by REST."""
    task(world, SOURCE, "extract_dataset", "mapping=mapping.yml", "sql_path=data.sql")
    text = (project(world) / "data.sql").read_text(encoding="utf-8")
    found = [text.count(f'INSERT INTO "{one}"') for one in ("Account", "Contact")]
    expected = [world.count(SOURCE, f"SELECT COUNT() FROM {one}") for one in ("Account", "Contact")]
    need(found == expected and found[0] > 100, f"{found} of {expected}")
    return f"{found[0]} accounts, {found[1]} contacts"


def load(world: World) -> str:
    """cci task run load_dataset into another org."""
    before = [world.count(TARGET, f"SELECT COUNT() FROM {one}") for one in ("Account", "Contact")]
    task(world, TARGET, "load_dataset", "mapping=mapping.yml", "sql_path=data.sql")
    after = [world.count(TARGET, f"SELECT COUNT() FROM {one}") for one in ("Account", "Contact")]
    linked = world.count(TARGET, "SELECT COUNT() FROM Contact WHERE AccountId != null")
    need(after[0] - before[0] > 100 and after[1] > before[1] and linked > 0, f"{before} {after} {linked}")
    return f"{after[0]} accounts, {after[1]} contacts, {linked} of them linked"


def delete(world: World) -> str:
    """cci task run delete_data, small (REST) and by Bulk 1.0."""
    task(world, TARGET, "delete_data", "objects=Contact", "where=LastName LIKE 'A%'")
    left = world.count(TARGET, "SELECT COUNT() FROM Contact WHERE LastName LIKE 'A%'")
    need(left == 0, f"{left} contacts left")
    task(world, TARGET, "delete_data", "objects=Contact,Account", "api=bulk")
    rest = world.count(TARGET, "SELECT COUNT() FROM Account")
    need(rest == 0, f"{rest} accounts left")
    return "all rows of the other org deleted"


CHECKS = (
    Check("cci", "org info", connect),
    Check("cci", "org import", import_login),
    Check("cci", "retrieve_unpackaged", retrieve),
    Check("cci", "deploy", deploy),
    Check("cci", "extract_dataset", extract),
    Check("cci", "load_dataset", load),
    Check("cci", "delete_data (REST, bulk)", delete),
)
