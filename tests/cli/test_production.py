"""Production beside the sandboxes: how alike they are, and the package that takes a release back."""

import json
from typing import Any


def test_a_full_copy_is_held_against_production(desk: Any) -> None:
    found = json.loads(desk.run("fidelity", "UATFULL", "--json", code=3).out)
    assert found["schema"] == "rehearse.fidelity/1"
    assert not found["alike"]
    assert {one["where"] for one in found["components"]} == {"only in production"}
    assert found["summary"]["only_in_production"] == len(found["components"])
    counts = {one["object"]: (one["production"], one["sandbox"]) for one in found["rows"]}
    assert counts["Account"][0] == counts["Account"][1] > 0
    empty = json.loads(desk.run("fidelity", "DEV1", "--json", code=3).out)
    assert {one["sandbox"] for one in empty["rows"]} == {0}


def test_nothing_of_a_comparison_is_kept(desk: Any) -> None:
    desk.run("fidelity", "DEV1", code=3)
    captures = desk.folder / ".rehearse" / "captures"
    assert not captures.exists() or not list(captures.iterdir())


def test_a_back_out_package_comes_from_a_baseline_of_production(desk: Any) -> None:
    missing = desk.run("backout", "plans/r41.yaml", code=10)
    assert "rehearse baseline capture production" in missing.err
    desk.run("baseline", "capture", "production", "--name", "GOLIVE", code=None)
    shown = json.loads(desk.run("backout", "plans/r41.yaml", "--dry-run", "--json").out)
    assert shown["baseline"] == "GOLIVE"
    assert not shown["kept"]
    assert {one["file"] for one in shown["steps"] if one["do"] == "deploy"} == {"metadata-1.zip", "metadata-2.zip"}
    assert not (desk.folder / "backout-R41").exists()
    desk.run("backout", "plans/r41.yaml")
    said = (desk.folder / "backout-R41" / "INSTRUCTIONS.md").read_text()
    assert "# Back-out of R41" in said
    assert "sf project deploy start" in said
    assert json.loads(desk.run("diff", "production", "--json", code=None).out)["baseline"] == "GOLIVE"
    again = desk.run("backout", "plans/r41.yaml", code=5)
    assert "is there already" in again.err


def test_a_baseline_from_after_the_go_live_takes_nothing_back(desk: Any) -> None:
    desk.run("baseline", "capture", "production", "--name", "LATE", "--metadata-only", code=None)
    plan = (desk.folder / "plans" / "r41.yaml").read_text()
    late = desk.folder / "plans" / "past.yaml"
    past = plan.replace("go_live: 2026-12-18", "go_live: 2026-11-20").replace("ready: 2026-11-24", "ready: 2026-10-01")
    late.write_text(past)
    try:
        assert "after the go-live of R41" in desk.run("backout", "plans/past.yaml", "--baseline", "LATE", code=5).err
    finally:
        late.unlink()
