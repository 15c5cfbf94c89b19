"""A back-out package takes a release back, deployed by somebody who is not us; a fresh comparison is the judge."""

import csv
import shutil
import stat
import subprocess
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rehearse.baseline.compare import compare
from rehearse.baseline.packages import read_package_xml
from rehearse.errors import Refused
from rehearse.reset.backout import FIRST, LAST, BackoutRequest, write_backout
from rehearse.reset.backout_metadata import POST
from rehearse.reset.backout_model import Backout, RunStep
from rehearse.reset.backout_rows import write_record_files
from rehearse.reset.forecast_read import Base, Demand, load_package
from rehearse.reset.forecast_rows import RowFile

PLANS = Path(__file__).parents[2] / "plans" / "r41"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ROUTING = RowFile("routing", "Routing__c", "upsert", PLANS / "routing.csv", "Code__c")
RUNBOOK = (
    RunStep("freeze", "manual", "stop the ledger"),
    RunStep("deploy", "deploy", "package"),
    RunStep("routing", "records", "routing.csv"),
    RunStep("switch", "manual", "turn on", "manual", "turn off"),
)


def make_backout(lab: Any, before: Any, folder: Path, files: tuple[RowFile, ...] = (ROUTING,)) -> Backout:
    demand = Demand((load_package(PLANS / "package"),), files, ())
    request = BackoutRequest(demand, RUNBOOK, Base(lab.store, before), folder, NOW)
    return write_backout(request, lambda made: f"{len(made.steps)} steps")


def deploy(lab: Any, path: Path) -> None:
    done = lab.writer.wait_deploy(lab.writer.start_deploy(path))
    assert done.success, [one for one in done.messages if not one.success] or done.error


def named_in(path: Path) -> set[tuple[str, str]]:
    """Type and name of all that a deployment brings or takes away."""
    with zipfile.ZipFile(path) as zipped:
        lists = [read_package_xml(zipped.read(one)) for one in zipped.namelist() if one in ("package.xml", POST)]
    return {(type, name) for one in lists for type, names in one.items() for name in names}


def release(lab: Any) -> None:
    """What the team does on the day: deploy the package, load the routes."""
    folder = Path(tempfile.mkdtemp(dir=lab.folder))
    deploy(lab, Path(shutil.make_archive(str(folder / "package"), "zip", PLANS / "package")))
    known = {row["Code__c"]: row["Id"] for row in lab.writer.reader.fetch_rows("SELECT Id, Code__c FROM Routing__c")}
    with (PLANS / "routing.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            values = {name: None if cell == "#N/A" else _typed(name, cell) for name, cell in row.items() if cell}
            if row["Code__c"] in known:
                lab.update("Routing__c", {"Id": known[row["Code__c"]], **values})
            else:
                lab.insert("Routing__c", values)


def _typed(name: str, cell: str) -> Any:
    return (
        cell.lower() == "true" if name == "Active__c" else float(cell) if name in ("Priority__c", "UpTo__c") else cell
    )


def test_a_release_is_taken_back_by_its_package(lab: Any, tmp_path: Path) -> None:
    before = lab.capture(objects=("Routing__c", "Invoice__c"), types=("*",))
    found = make_backout(lab, before, tmp_path / "out")
    assert [(one.do, one.step) for one in found.steps] == [
        ("deploy", "deploy"), ("by hand", "switch"), ("load", "routing"), ("load", "routing"), ("deploy", "deploy"),
        ("unknown", "freeze"),
    ]  # fmt: skip
    release(lab)
    assert compare(lab.store, before, lab.capture(objects=("Routing__c",), types=("*",), frozen=before))
    deploy(lab, found.folder / FIRST)
    files = {one.operation: found.folder / one.path for one in found.records}
    with files["update"].open(newline="") as file:
        rows = [{k: None if v == "#N/A" else _typed(k, v) for k, v in row.items()} for row in csv.DictReader(file)]
    lab.update("Routing__c", *rows)
    with files["find and delete"].open(newline="") as file:
        codes = {row["Code__c"] for row in csv.DictReader(file)}
    live = lab.writer.reader.fetch_rows("SELECT Id, Code__c FROM Routing__c")
    lab.delete(*[str(row["Id"]) for row in live if row["Code__c"] in codes])
    deploy(lab, found.folder / LAST)
    left = compare(lab.store, before, lab.capture(objects=("Routing__c",), types=("*",), frozen=before))
    assert [(one.type, one.key, one.what) for one in left] == []


def test_nobody_else_may_read_it_and_it_is_never_written_over(lab: Any, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f".out.{gone.pid}.part" / "records").mkdir(parents=True)  # of one that was killed
    before = lab.capture(objects=("Routing__c",), types=("ApexClass", "CustomObject"))
    found = make_backout(lab, before, tmp_path / "out")
    assert not list(tmp_path.glob(".out*"))
    assert stat.S_IMODE(found.folder.stat().st_mode) == 0o700
    assert set(found.digests) == {
        FIRST,
        LAST,
        "records/routing-Routing__c-update.csv",
        "records/routing-Routing__c-created.csv",
    }
    assert (found.folder / "INSTRUCTIONS.md").read_text() == f"{len(found.steps)} steps"
    with zipfile.ZipFile(found.folder / FIRST) as zipped:
        assert "classes/PaymentRouter.cls" in zipped.namelist()
    outside = {(one.type, one.key) for one in found.forecast.items if one.hazard == "type-outside-scope"}
    assert {("CustomLabel", "Visit_Done"), ("PermissionSet", "Payments_Team")} <= outside
    for name in (FIRST, LAST):  # they may have been there before the release: nobody looked
        assert not outside & named_in(found.folder / name)
    with pytest.raises(Refused, match="is there already"):
        make_backout(lab, before, tmp_path / "out")


def test_a_file_that_moves_a_stage_is_backed_out_with_all_that_it_moved(lab: Any, tmp_path: Path) -> None:
    """A stage written alone gives its own probability in place of the one that somebody wrote."""
    (deal,) = lab.pick('"Opportunity" WHERE "StageName" = ? ORDER BY "Id" LIMIT 1', "Prospecting")
    lab.update("Opportunity", {"Id": deal, "Probability": 33})
    before = lab.capture(objects=("Opportunity",))
    path = tmp_path / "stages.csv"
    path.write_text(f"Id,StageName\n{deal},Qualification\n")
    files, _ = write_record_files(Base(lab.store, before), RowFile("move", "Opportunity", "update", path), tmp_path)
    lab.update("Opportunity", {"Id": deal, "StageName": "Qualification"})
    (written,) = files
    with (tmp_path / Path(written.path).name).open(newline="") as file:
        (row,) = csv.DictReader(file)
    lab.update("Opportunity", {**row, "Probability": float(row["Probability"])})
    now = [lab.value("Opportunity", deal, one) for one in ("StageName", "Probability")]
    assert now == ["Prospecting", 33]


def test_a_bad_file_of_rows_leaves_nothing_behind(lab: Any, tmp_path: Path) -> None:
    before = lab.capture(objects=("Routing__c",), types=("ApexClass",))
    bad = tmp_path / "bad.csv"
    bad.write_text("Code__c,Name\nR1\n")
    with pytest.raises(Exception, match="line 2"):
        make_backout(lab, before, tmp_path / "out", (RowFile("routing", "Routing__c", "upsert", bad, "Code__c"),))
    assert not (tmp_path / "out").exists()
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".out")]
