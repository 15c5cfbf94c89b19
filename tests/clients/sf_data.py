"""The Salesforce CLI: queries and records, one by one, as trees, and in bulk."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.clients.check import Check, need
from tests.clients.sf import sf, sf_status, sf_text
from tests.clients.world import World

WAIT = ("--wait", "5")


def query_rest(world: World) -> str:
    """sf data query as JSON, table and CSV, with a parent and with children."""
    children = "(SELECT Id FROM Contacts)"
    soql = f"SELECT Id, Name, Owner.Username, {children} FROM Account WHERE Name != null ORDER BY Name LIMIT 3"
    found = sf(world, "data", "query", "-q", soql, "-o", "uat")
    need(found["totalSize"] == 3 and found["records"][0]["Owner"]["Username"], found)
    table = sf_text(world, "data", "query", "-q", soql, "-o", "uat")
    need("Total number of records retrieved: 3" in table, table)
    text = sf_text(world, "data", "query", "-q", "SELECT Id, Name FROM Account LIMIT 5", "-r", "csv", "-o", "uat")
    need(len(list(csv.reader(text.splitlines()))) >= 6, text)
    return "3 rows as JSON and table, 5 as CSV"


def query_aggregate(world: World) -> str:
    """sf data query with COUNT and GROUP BY."""
    soql = "SELECT COUNT(Id) many, Type FROM Account GROUP BY Type"
    found = sf(world, "data", "query", "-q", soql, "-o", "uat")["records"]
    need(sum(one["many"] for one in found) == world.count("UATFULL", "SELECT COUNT() FROM Account"), found)
    return f"{len(found)} groups"


def query_tooling(world: World) -> str:
    """sf data query --use-tooling-api."""
    found = sf(world, "data", "query", "-t", "-q", "SELECT Id, Name FROM ApexClass", "-o", "uat")
    need(found["totalSize"] > 0, found)
    table = sf_text(world, "data", "query", "-t", "-q", "SELECT Id, Name FROM ApexClass", "-o", "uat")
    need(found["records"][0]["Name"] in table, table)
    return f"{found['totalSize']} classes"


def query_all_rows(world: World) -> str:
    """sf data query --all-rows shows a deleted row."""
    made = sf(world, "data", "create", "record", "-s", "Account", "-v", "Name='All rows'", "-o", "uat")
    sf(world, "data", "delete", "record", "-s", "Account", "-i", made["id"], "-o", "uat")
    soql = f"SELECT Id, IsDeleted FROM Account WHERE Id = '{made['id']}'"
    kept = sf(world, "data", "query", "-q", soql, "-o", "uat")
    found = sf(world, "data", "query", "--all-rows", "-q", soql, "-o", "uat")
    need(kept["totalSize"] == 0 and found["records"][0]["IsDeleted"] is True, found)
    return "a deleted row only with --all-rows"


def export_bulk(world: World) -> str:
    """sf data export bulk."""
    target = world.folder / "export.csv"
    soql = "SELECT Id, Name, CustomerNumber__c FROM Account"
    sf(world, "data", "export", "bulk", "-q", soql, "--output-file", str(target), *WAIT, "-o", "uat")
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = world.count("UATFULL", "SELECT COUNT() FROM Account")
    need(len(rows) == expected and rows[0]["Id"].startswith("001"), f"{len(rows)} of {expected}")
    return f"{len(rows)} rows"


def _write(path: Path, header: str, rows: list[str]) -> str:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def import_bulk(world: World) -> str:
    """sf data import bulk."""
    rows = [f'"Bulk, {number}",CLI-{number:04}' for number in range(250)]
    path = _write(world.folder / "import.csv", "Name,CustomerNumber__c", rows)
    done = sf(world, "data", "import", "bulk", "-s", "Account", "-f", path, *WAIT, "-o", "uat")
    need((done["successfulRecords"], done["failedRecords"]) == (250, 0), done)
    found = world.count("UATFULL", "SELECT COUNT() FROM Account WHERE CustomerNumber__c LIKE 'CLI-%'")
    need(found == 250, found)
    return "250 rows inserted"


def update_bulk(world: World) -> str:
    """sf data update bulk."""
    soql = "SELECT Id FROM Account WHERE CustomerNumber__c LIKE 'CLI-%' LIMIT 100"
    ids = [one["Id"] for one in sf(world, "data", "query", "-q", soql, "-o", "uat")["records"]]
    path = _write(world.folder / "update.csv", "Id,Name", [f"{one},Updated in bulk" for one in ids])
    done = sf(world, "data", "update", "bulk", "-s", "Account", "-f", path, *WAIT, "-o", "uat")
    found = world.count("UATFULL", "SELECT COUNT() FROM Account WHERE Name = 'Updated in bulk'")
    need(done["successfulRecords"] == found == 100, f"{found} {done}")
    return "100 rows updated"


def upsert_bulk(world: World) -> str:
    """sf data upsert bulk, one row of which fails, and data bulk results of it."""
    rows = ["Upserted 1,CLI-0001", "Upserted 2,CLI-9999", f"{'x' * 300},CLI-9998"]
    path = _write(world.folder / "upsert.csv", "Name,CustomerNumber__c", rows)
    command = ["data", "upsert", "bulk", "-s", "Account", "-i", "CustomerNumber__c", "-f", path, *WAIT, "-o", "uat"]
    status, body = sf_status(world, *command)
    need("FailedRecordDetailsError" in str(body) or status != 0, body)
    job = str(body).partition("750")[2][:15]
    need(len(job) == 15, body)
    shown = sf(world, "data", "bulk", "results", "--job-id", f"750{job}", "-o", "uat")
    need((shown["successfulRecords"], shown["failedRecords"]) == (2, 1), shown)
    return "1 updated, 1 inserted, 1 refused and listed"


def delete_bulk(world: World) -> str:
    """sf data delete bulk."""
    soql = "SELECT Id FROM Account WHERE CustomerNumber__c LIKE 'CLI-%'"
    ids = [one["Id"] for one in sf(world, "data", "query", "-q", soql, "-o", "uat")["records"]]
    path = _write(world.folder / "delete.csv", "Id", ids)
    done = sf(world, "data", "delete", "bulk", "-s", "Account", "-f", path, *WAIT, "-o", "uat")
    left = world.count("UATFULL", soql.replace("SELECT Id", "SELECT COUNT()"))
    need((done.get("successfulRecords", len(ids)), left) == (len(ids), 0), f"{left} left {done}")
    return f"{len(ids)} rows deleted"


def one_record(world: World) -> str:
    """sf data create, get, update, delete record."""
    on = ("-s", "Account", "-o", "uat")
    made = sf(world, "data", "create", "record", *on, "-v", "Name='One by one' Industry='Energy'")
    got = sf(world, "data", "get", "record", *on, "-w", "Name='One by one'")
    need(got["Id"] == made["id"] and got["Industry"] == "Energy", got)
    sf(world, "data", "update", "record", *on, "-i", made["id"], "-v", "Industry='Banking'")
    need(sf(world, "data", "get", "record", *on, "-i", made["id"])["Industry"] == "Banking", made)
    sf(world, "data", "delete", "record", *on, "-w", "Name='One by one'")
    need(world.count("UATFULL", "SELECT COUNT() FROM Account WHERE Name = 'One by one'") == 0, "still there")
    return f"{made['id']} created, read, updated, deleted"


def trees(world: World) -> str:
    """sf data import tree and export tree."""
    child = {"attributes": {"type": "Contact", "referenceId": "C1"}, "LastName": "Branch"}
    parent = {"attributes": {"type": "Account", "referenceId": "A1"}, "Name": "Tree trunk",
              "Contacts": {"records": [child]}}  # fmt: skip
    path = world.folder / "tree.json"
    path.write_text(json.dumps({"records": [parent]}), encoding="utf-8")
    done = sf(world, "data", "import", "tree", "-f", str(path), "-o", "uat")
    need(len(done) == 2 and all(one["id"] for one in done), done)
    target = world.folder / "trees"
    target.mkdir()
    soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Tree trunk'"
    sf(world, "data", "export", "tree", "-q", soql, "-d", str(target), "-o", "uat")
    text = "".join(one.read_text(encoding="utf-8") for one in target.glob("*.json"))
    need("Tree trunk" in text and "Branch" in text, text)
    return "account with contact in, and out again"


CHECKS = (
    Check("sf", "data query (REST)", query_rest),
    Check("sf", "data query, aggregates", query_aggregate),
    Check("sf", "data query --use-tooling-api", query_tooling),
    Check("sf", "data query --all-rows", query_all_rows),
    Check("sf", "data export bulk", export_bulk),
    Check("sf", "data import bulk", import_bulk),
    Check("sf", "data update bulk", update_bulk),
    Check("sf", "data upsert bulk, bulk results", upsert_bulk),
    Check("sf", "data delete bulk", delete_bulk),
    Check("sf", "data create|get|update|delete record", one_record),
    Check("sf", "data import|export tree", trees),
)
