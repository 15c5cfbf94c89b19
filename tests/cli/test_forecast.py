"""`rehearse forecast`, what `rehearse plan` makes of it, and what `rehearse drill` refuses, as a user meets them."""

from pathlib import Path
from typing import Any

import pytest

PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<Package xmlns="http://soap.sforce.com/2006/04/metadata"><types><members>tidemaps</members><name>InstalledPackage</name>
</types><version>67.0</version></Package>"""
NEWER = """<?xml version="1.0" encoding="UTF-8"?>
<InstalledPackage xmlns="http://soap.sforce.com/2006/04/metadata"><activateRSS>false</activateRSS>
<versionNumber>{}</versionNumber></InstalledPackage>"""
RELEASE = """version: 1
release: R9
go_live: 2026-12-18 18:00
package: {mdapi: r9}
rehearsals:
  - {name: mock, kind: mock, duration: 4h, needs: {type: FULL}}
"""


def package(folder: Path, version: str) -> Path:
    (folder / "r9" / "installedPackages").mkdir(parents=True)
    (folder / "r9" / "package.xml").write_text(PACKAGE)
    (folder / "r9" / "installedPackages" / "tidemaps.installedPackage").write_text(NEWER.format(version))
    (folder / "r9.yaml").write_text(RELEASE)
    return folder / "r9"


def test_a_release_is_forecast_item_by_item(kept_desk: Any) -> None:
    body = kept_desk.json("forecast", "plans/r41.yaml", code=3)
    assert body["schema"] == "rehearse.forecast/1"
    kept = [one for one in kept_desk.json("baseline", "list")["baselines"] if one["sandbox"] == "SIT1"]
    newest = max(kept, key=lambda one: str(one["taken_at"]))["name"]  # other tests take baselines there too
    assert (body["sandbox"], body["baseline"], body["verdict"]) == ("SIT1", newest, "partly")
    assert body["undelete_until"].endswith("Z") and body["burned_until"] is None
    items = {(one["type"], one["key"]): one for one in body["items"]}
    assert {"kind", "type", "key", "change", "grade", "reason", "source"} <= set(body["items"][0])
    assert items["CustomObject", "PaymentRun__c"]["grade"] == "exact"
    assert items["PaymentRun__c", "runs"]["count"] == 2
    assert items["manual", "switch"]["grade"] == "manual" and items["manual", "freeze"]["grade"] == "unknown"
    text = kept_desk.run("forecast", "plans/r41.yaml", code=3)
    assert "PARTLY undoable" in text.out and "Undelete is possible until" in text.out
    assert "manual step" in text.out and "the runbook" in text.out and "--all" in text.err
    assert "Metadata API guide" not in text.out
    whole = kept_desk.run("forecast", "plans/r41.yaml", "--all", code=3).out
    assert whole.count("Metadata API guide") > 30 and "PaymentRunBatch" in whole


def test_the_package_alone_is_fully_undoable_and_nobody_is_asked_for_a_sandbox(kept_desk: Any) -> None:
    body = kept_desk.json("forecast", "plans/r41/package", "--baseline", "B1")
    assert body["verdict"] == "undoable" and {one["kind"] for one in body["items"]} == {"component"}


def test_what_burns_is_planned_as_burning(kept_desk: Any, tmp_path: Path) -> None:
    burning = package(tmp_path, "9.99")
    body = kept_desk.json("forecast", str(burning), "--sandbox", "SIT1", code=3)
    assert body["verdict"] == "burns" and body["burned_until"]["certain"].endswith("Z")
    assert "BURNS" in kept_desk.run("forecast", str(burning), "--sandbox", "sit1", code=3).out
    planned = kept_desk.json("plan", str(tmp_path / "r9.yaml"), "--dry-run")
    assert [one["burns"] for one in planned["bookings"] if one["release"] == "R9"] == [True]
    assert any("burns SIT1" in one for one in planned["warnings"])


def test_without_a_baseline_the_org_is_read_and_the_planner_warns(desk: Any, tmp_path: Path) -> None:
    package(tmp_path, "9.99")
    refused = desk.refused("forecast", str(tmp_path / "r9"), code=2)
    assert "--sandbox" in refused["hint"]
    body = desk.json("forecast", str(tmp_path / "r9"), "--sandbox", "DEV1", code=3)
    assert (body["baseline"], body["undelete_until"]) == (None, None)
    assert body["items"][0]["change"] == "updated", "the package is in the org already, in an older version"
    planned = desk.json("plan", str(tmp_path / "r9.yaml"), "--dry-run")
    assert any("planned as undoable" in one for one in planned["warnings"])


def test_rows_that_the_baseline_does_not_have_and_columns_that_nobody_knows_are_told(
    kept_desk: Any, tmp_path: Path
) -> None:
    step = "{id: load, title: Load, takes: 5m, records: {object: Routing__c, update: rows.csv}}"
    (tmp_path / "r8.yaml").write_text(
        RELEASE.replace("R9", "R8").replace("package: {mdapi: r9}\n", "") + f"runbook: [{step}]\n"
    )
    (tmp_path / "rows.csv").write_text(
        "Id,Ghost__c\na07000000000001AAA,1\na07000000000001AAA,2\na07000000000002AAA,3\n"
    )
    body = kept_desk.json("forecast", str(tmp_path / "r8.yaml"), "--sandbox", "SIT1", code=3)
    assert [(one["type"], one["count"], one["grade"]) for one in body["items"]] == [("Routing__c", 2, "unknown")]
    assert any("Ghost__c" in one for one in body["warnings"])
    assert any("2 rows share their Id" in one for one in body["warnings"])
    (tmp_path / "rows.csv").write_text("")
    assert (
        "no header" in kept_desk.refused("forecast", str(tmp_path / "r8.yaml"), "--sandbox", "SIT1", code=2)["message"]
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("forecast", "nowhere.zip", "--sandbox", "SIT1"), 10),
        (("forecast", "rehearse.yaml", "--sandbox", "SIT1"), 2),
        (("forecast", "plans/r41/runs.csv", "--sandbox", "SIT1"), 2),
        (("forecast", "plans/r42.yaml", "--sandbox", "SIT1"), 2),
        (("backout", "plans/r42.yaml", "--org", "SIT1"), 2),
        (("backout", "plans", "--org", "SIT1"), 10),
        (("forecast", "plans/r41.yaml", "--sandbox", "NOWHERE"), 10),
        (("forecast", "plans/r41.yaml", "--sandbox", "SIT1", "--baseline", "B9"), 10),
        (("drill", "SIT1", "--confirm", "SIT1"), 5),
        (("drill", "DEV1"), 5),
        (("drill", "DEV1", "--confirm", "DEV2"), 5),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else str(one),
)
def test_what_cannot_be_forecast_or_drilled_is_refused(kept_desk: Any, words: tuple[str, ...], code: int) -> None:
    kept_desk.refused(*words, code=code)


def test_a_drill_that_is_only_tried_does_nothing(kept_desk: Any) -> None:
    assert kept_desk.json("drill", "DEV1", "--dry-run")["verdict"] == "not run"
    assert "open questions" in kept_desk.run("drill", "DEV1", "--facts", "--dry-run").err
    told = kept_desk.run("drill", "DEV1", "--remove", "--dry-run").err
    assert "remove" in told and "plant" not in told
