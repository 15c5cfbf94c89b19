"""A sandbox without rows: hollow unless somebody says that it is meant to be so."""

from typing import Any


def _empty(desk: Any, *objects: str) -> None:
    """Put objects into scope that hold no row in this world."""
    path = desk.folder / "rehearse.yaml"
    text = path.read_text()
    start = text.index("include: [Account")
    path.write_text(text[:start] + f"include: [{', '.join(objects)}]\n" + text[text.index("storage:") :])


def test_what_is_empty_is_hollow_until_it_is_said_to_be_so(desk: Any) -> None:
    _empty(desk, "Campaign", "TriggerSwitch__c")
    answer = desk.run("baseline", "capture", "DEV1", code=3)
    assert "--allow-empty Campaign --allow-empty TriggerSwitch__c" in answer.err
    assert "Campaign, TriggerSwitch__c" in " ".join(answer.out.split())
    # what needs a look, and one line for the rest; `show` has all of it
    assert len(answer.out.splitlines()) < 30 and "ApexClass" not in answer.out and "Besides: " in answer.out
    assert "rehearse baseline show B1 --sandbox DEV1" in answer.err
    assert "ApexClass" in desk.run("baseline", "show", "B1").out
    refused = desk.run("diff", "DEV1")
    assert "Baseline B1 is hollow" in refused.err
    assert "is whole" in (whole := desk.run("baseline", "verify", "B1").out) and "It was hollow" in whole
    assert desk.json("baseline", "capture", "DEV1", "--allow-empty", "Campaign", code=3)["verdict"] == "hollow"
    said = desk.json("baseline", "capture", "DEV1", "--allow-empty", "Campaign", "--allow-empty", "TriggerSwitch__c")
    assert said["verdict"] == "usable"
    assert desk.json("baseline", "capture", "DEV1", "--allow-empty", "all", "--name", "Bare")["verdict"] == "usable"
    assert desk.json("reset", "prove", "DEV1")["verdict"] == "clean"
    desk.run("baseline", "capture", "DEV1", "--name", "Late", code=3)
    told = desk.run("diff", "DEV1")  # never against what is hollow, where something else is there
    assert "The newest baseline, Late, is hollow; this is against Bare." in told.err
    assert desk.json("forecast", "plans/r41.yaml", "--sandbox", "DEV1", code=3)["baseline"] == "Bare"


def test_without_records_in_scope_scripts_read_one_object_that_proposes_some(desk: Any) -> None:
    path = desk.folder / "rehearse.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("  records:")] + text[text.index("storage:") :])
    error = desk.refused("baseline", "capture", "SIT1", code=5)  # its stdout is one JSON object, without the table
    assert "Account, Automation__c, Case" in error["hint"] and "--metadata-only" in error["hint"]
    assert "Project__c" in desk.run("baseline", "capture", "SIT1", code=5).out


def test_only_an_object_in_scope_can_be_said_to_be_empty(desk: Any) -> None:
    error = desk.refused("baseline", "capture", "DEV1", "--allow-empty", "Acount", code=2)
    assert "Acount" in error["message"] and "Account" in error["hint"]


def test_a_diff_keeps_nothing_of_what_it_read(kept_desk: Any) -> None:
    store = kept_desk.folder / ".rehearse"

    def kept() -> list[str]:
        return sorted(str(one.relative_to(store)) for one in store.rglob("*") if "metadata.git/objects" not in str(one))

    before = kept()
    kept_desk.run("diff", "SIT1", "--values")
    kept_desk.run("reset", "plan", "SIT1", "--dry-run")
    kept_desk.run("reset", "prove", "SIT1", "--dry-run")
    kept_desk.run("baseline", "capture", "SIT1", "--dry-run")
    assert kept() == before
    assert kept_desk.json("baseline", "verify", "B1", "--sandbox", "SIT1", "--deep")["whole"]
