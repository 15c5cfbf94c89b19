"""SFDMU: from an org into CSV files, and from CSV files into an org."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from tests.clients.check import Check, need, need_success, run_client
from tests.clients.world import World

SCRIPT = Path(__file__).parent / "scripts" / "sfdmu_run.js"
OBJECTS = [
    {"query": "SELECT Id, Name, CustomerNumber__c, Industry FROM Account WHERE CustomerNumber__c != null LIMIT 150",
     "operation": "Upsert", "externalId": "CustomerNumber__c"},
    {"query": "SELECT Id, LastName, Email, AccountId FROM Contact WHERE Email != null LIMIT 150",
     "operation": "Upsert", "externalId": "Email"},
]  # fmt: skip


def run(world: World, folder: Path, way: tuple[str, str], org: str, more: dict[str, Any] | None = None) -> str:
    """Run SFDMU from and to (`way`), with an export.json that names one org with the settings of connect."""
    settings: dict[str, Any] = world.client("sfdmu", org)["settings"]
    one = {"name": org, "instanceUrl": settings["instanceUrl"], "accessToken": settings["accessToken"]}
    content = {
        "orgs": [one],
        "apiVersion": settings["apiVersion"],
        "objects": OBJECTS,
        "promptOnMissingParentObjects": False,
        "promptOnIssuesInCSVFiles": False,
        **(more or {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "export.json").write_text(json.dumps(content), encoding="utf-8")
    flags = ["--sourceusername", way[0], "--targetusername", way[1], "--path", str(folder), "--noprompt"]
    variables = {
        "NODE_PATH": str(world.tools.modules),
        "SFDX_DISABLE_TELEMETRY": "true",
        "SF_DISABLE_TELEMETRY": "true",
    }
    done: subprocess.CompletedProcess[str] = run_client(
        [world.tools.node, SCRIPT, *flags], world.home("sfdmu"), variables, cwd=folder
    )
    return need_success(done) + done.stderr


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def to_csv(world: World) -> str:
    """Org to CSV."""
    folder = world.folder / "sfdmu-out"
    text = run(world, folder, ("UATFULL", "csvfile"), "UATFULL")
    need((folder / "Account.csv").exists(), text[-300:])
    accounts, contacts = _rows(folder / "Account.csv"), _rows(folder / "Contact.csv")
    expected = min(150, world.count("UATFULL", "SELECT COUNT() FROM Account WHERE CustomerNumber__c != null"))
    need(len(accounts) >= expected and len(contacts) > 50, f"{len(accounts)} {len(contacts)}: {text[-300:]}")
    return f"{len(accounts)} accounts, {len(contacts)} contacts"


def to_org(world: World) -> str:
    """CSV to org."""
    out, folder = world.folder / "sfdmu-out", world.folder / "sfdmu-in"
    folder.mkdir()
    for name in ("Account.csv", "Contact.csv"):
        shutil.copy(out / name, folder / name)
    text = run(world, folder, ("csvfile", "DEV2"), "DEV2")
    found = world.count("DEV2", "SELECT COUNT() FROM Account WHERE CustomerNumber__c != null")
    linked = world.count("DEV2", "SELECT COUNT() FROM Contact WHERE AccountId != null AND Email != null")
    need(found >= len(_rows(out / "Account.csv")) and linked > 0, f"{found} {linked}: {text[-300:]}")
    return f"{found} accounts, {linked} contacts linked to them"


def to_org_in_bulk(version: str, world: World) -> str:
    """CSV to org by its bulk engine, which it takes for larger amounts on its own."""
    out, folder = world.folder / "sfdmu-out", world.folder / f"sfdmu-bulk-{version}"
    folder.mkdir()
    mark = f"by bulk {version}"
    rows = [{**one, "Industry": mark} for one in _rows(out / "Account.csv")]
    with (folder / "Account.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    shutil.copy(out / "Contact.csv", folder / "Contact.csv")
    more = {"bulkThreshold": 10, "bulkApiVersion": version}
    text = run(world, folder, ("csvfile", "PERFFULL"), "PERFFULL", more)
    found = world.count("PERFFULL", f"SELECT COUNT() FROM Account WHERE Industry = '{mark}'")
    need(found == len(rows), f"{found} of {len(rows)}: {text[-400:]}")
    return f"{found} accounts written"


CHECKS = (
    Check("sfdmu", "org to CSV", to_csv),
    Check("sfdmu", "CSV to org", to_org),
    Check("sfdmu", "CSV to org, Bulk 1.0", partial(to_org_in_bulk, "1.0")),
    Check("sfdmu", "CSV to org, Bulk 2.0", partial(to_org_in_bulk, "2.0")),
)
