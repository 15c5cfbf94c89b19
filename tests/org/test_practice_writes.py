"""OrgWriter and ProductionControl against the practice org: every call at least once, and what a lost reply means."""

import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse.errors import NotFound, OrgRejected, OrgUncertain, UsageError
from rehearse.events import Advanced, Event
from rehearse.org.bulk_csv import write_bulk_csv

LABELS = """<?xml version="1.0" encoding="UTF-8"?>
<CustomLabels xmlns="http://soap.sforce.com/2006/04/metadata"><labels><fullName>{name}</fullName>
<language>en_US</language><protected>false</protected><shortDescription>x</shortDescription><value>R&amp;D</value></labels>
</CustomLabels>"""
MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<Package xmlns="http://soap.sforce.com/2006/04/metadata"><types><members>{name}</members><name>CustomLabel</name></types>
<version>67.0</version></Package>"""


def label_zip(folder: Path, name: str) -> Path:
    path = folder / "deploy.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("package.xml", MANIFEST.format(name=name))
        file.writestr("labels/CustomLabels.labels", LABELS.format(name=name))
    return path


def test_rows_are_written_and_each_answers_for_itself(doors: Any) -> None:
    writer = doors.writer("UATFULL")
    good, bad = writer.insert_rows("Account", [{"Name": "a\n“b”🙂", "Phone": None}, {"Phone": "1"}])
    assert good.success and good.id and not bad.success and bad.id is None
    assert (bad.errors[0].code, bad.errors[0].fields) == ("REQUIRED_FIELD_MISSING", ("Name",))
    (updated,) = writer.update_rows("Account", [{"Id": good.id, "Phone": "1", "Name": "b"}])
    assert updated.success and updated.id == good.id
    writer.update_rows("Account", [{"Id": good.id, "Phone": None}])
    row = writer.reader.fetch_by_ids("Account", [good.id], ["Name", "Phone"])[good.id]
    assert row == {"Id": good.id, "Name": "b", "Phone": None}
    deleted, missing = writer.delete_rows([good.id, "001000000000001AAA"])
    assert deleted.success and not missing.success and missing.errors[0].code
    (back,) = writer.undelete_rows([good.id])
    assert back.success and back.id == good.id
    (again,) = writer.undelete_rows([good.id])
    assert not again.success and again.errors[0].code == "UNDELETE_FAILED"
    assert good.id in writer.reader.fetch_by_ids("Account", [good.id], ["Name"])


def test_rows_are_updated_only_if_they_did_not_change(doors: Any) -> None:
    """One goes alone, several as the parts of one call, each under its own condition; the others are written."""
    writer = doors.writer("UATFULL")
    ids = [str(made.id) for made in writer.insert_rows("Account", [{"Name": "a"}] * 5)]
    now = writer.reader.fetch_server_time()
    good, late = now + timedelta(seconds=5), now - timedelta(hours=1)

    def update(since: dict[str, Any], **values: str) -> list[tuple[str, tuple[str, ...]]]:
        rows = [{"Id": one, **values} for one in since]
        known = {one: at for one, at in since.items() if at is not None}
        saved = writer.update_rows_if_unchanged("Account", rows, known)
        assert [one.id for one in saved] == list(since)
        return [("ok", ()) if one.success else (one.errors[0].code, one.errors[0].fields) for one in saved]

    changed = ("PRECONDITION_FAILED", ())
    assert update({ids[0]: good}, Name="b @{r0.id}") == [("ok", ())]
    assert update({ids[0]: late}, Name="c") == [changed]
    assert update({ids[0]: good}, Nonsense__c="c") == [("INVALID_FIELD", ("Nonsense__c",))]
    assert update(dict(zip(ids[1:], (good, late, None, good), strict=True)), Name="d") == [
        ("ok", ()), changed, ("ok", ()), ("ok", ())
    ]  # fmt: skip
    name_missing = ("REQUIRED_FIELD_MISSING", ("Name",))
    assert update({ids[1]: good, ids[2]: late}, Name="") == [name_missing, changed]
    with pytest.raises(UsageError):
        update({ids[1]: good, ids[2]: good}, Name="@{r0.id}")
    stored = writer.reader.fetch_by_ids("Account", ids, ["Name"])
    assert [stored[one]["Name"] for one in ids] == ["b @{r0.id}", "d", "a", "d", "d"]


def test_a_guarded_update_whose_reply_is_lost_is_doubtful_and_not_repeated(doors: Any) -> None:
    writer = doors.writer("UATFULL")
    ids = [str(made.id) for made in writer.insert_rows("Account", [{"Name": "a"}] * 2)]
    at = dict.fromkeys(ids, writer.reader.fetch_server_time() + timedelta(seconds=5))
    for method, some in (("PATCH", ids[:1]), ("POST", ids)):
        doors.practice.faults.add((method, "/sobjects/Account|/composite$"), do="lose-reply")
        with pytest.raises(OrgUncertain):
            writer.update_rows_if_unchanged("Account", [{"Id": one, "Name": method} for one in some], at)
        stored = writer.reader.fetch_by_ids("Account", some, ["Name"])
        assert {row["Name"] for row in stored.values()} == {method}


def test_a_bulk_job_runs_only_when_it_is_closed(doors: Any, tmp_path: Path) -> None:
    writer = doors.writer("UATFULL")
    before = writer.reader.fetch_count("SELECT COUNT() FROM Account")
    rows = tmp_path / "rows.csv"
    names = ['a "quoted", name', "line\r\nend", " edges ", "a\u2028b"]
    write_bulk_csv(rows, ["Name", "Phone"], [*((name, None) for name in names), (None, "1")])
    job = writer.open_ingest("Account", "insert")
    assert job.state == "Open"
    writer.upload_ingest(job.id, rows)
    assert writer.fetch_ingest(job.id).state == "Open"
    assert writer.reader.fetch_count("SELECT COUNT() FROM Account") == before
    writer.close_ingest(job.id)
    writer.close_ingest(job.id)
    done = writer.wait_ingest(job.id)
    assert (done.state, done.processed, done.failed) == ("JobComplete", 5, 1)
    made = list(writer.fetch_ingest_results(job.id, "successful"))
    assert sorted(row["Name"] for row in made) == sorted(names)
    (failed,) = writer.fetch_ingest_results(job.id, "failed")
    assert "REQUIRED_FIELD_MISSING" in failed["sf__Error"]
    assert list(writer.fetch_ingest_results(job.id, "unprocessed")) == []
    ids = [row["sf__Id"] for row in made]
    stored = writer.reader.fetch_by_ids("Account", ids, ["Name"])
    assert {row["Name"] for row in stored.values()} == {row["Name"].strip() for row in made}, "the platform trims"


def test_null_is_written_and_empty_is_left_alone(doors: Any, tmp_path: Path) -> None:
    writer = doors.writer("UATFULL")
    made = writer.insert_rows("Account", [{"Name": "a", "Phone": "1"}, {"Name": "b", "Phone": "2"}])
    rows = tmp_path / "rows.csv"
    write_bulk_csv(rows, ["Id", "Phone"], [(made[0].id, None), (made[1].id, "")])
    job = writer.open_ingest("Account", "update")
    writer.upload_ingest(job.id, rows)
    writer.close_ingest(job.id)
    assert writer.wait_ingest(job.id).failed == 0
    stored = writer.reader.fetch_by_ids("Account", [one.id for one in made], ["Phone"])
    assert [stored[one.id]["Phone"] for one in made] == [None, "2"]


def test_a_job_that_was_aborted_never_runs(doors: Any, tmp_path: Path) -> None:
    writer = doors.writer("UATFULL")
    job = writer.open_ingest("Account", "insert")
    writer.abort_ingest(job.id)
    writer.abort_ingest(job.id)
    assert writer.fetch_ingest(job.id).state == "Aborted"
    with pytest.raises(UsageError):
        writer.insert_rows("Account", [])


def test_a_deployment_and_its_messages(doors: Any, tmp_path: Path) -> None:
    writer = doors.writer("UATFULL")
    check = writer.wait_deploy(writer.start_deploy(label_zip(tmp_path, "New_Label"), check_only=True))
    assert check.success and check.check_only
    names = {one.full_name for one in writer.reader.fetch_metadata_items("CustomLabel")}
    assert "New_Label" not in names
    heard: list[Event] = []
    result = writer.wait_deploy(writer.start_deploy(label_zip(tmp_path, "New_Label")), heard.append)
    assert (result.deployed, result.total) == (1, 1)
    assert Advanced("deployment", 1, 1, "components") in heard
    assert result.success and result.done, result
    assert any(one.full_name == "New_Label" and one.created for one in result.messages)
    assert "New_Label" in {one.full_name for one in writer.reader.fetch_metadata_items("CustomLabel")}
    missing = tmp_path / "missing.zip"
    with zipfile.ZipFile(missing, "w") as file:
        file.writestr("package.xml", MANIFEST.format(name="Absent").replace("CustomLabel", "ApexClass"))
    broken = writer.wait_deploy(writer.start_deploy(missing))
    assert broken.done and not broken.success
    assert any(not one.success and one.problem for one in broken.messages)


def test_flow_versions_are_switched_and_deleted(doors: Any) -> None:
    writer = doors.writer("UATFULL")
    soql = "SELECT Definition.DeveloperName, VersionNumber, Status FROM Flow"
    versions: dict[str, list[int]] = {}
    for row in writer.reader.fetch_tooling_rows(soql):
        versions.setdefault(str(row["Definition.DeveloperName"]), []).append(int(row["VersionNumber"]))
    name, numbers = max(versions.items(), key=lambda item: len(item[1]))
    assert len(numbers) > 1

    def active() -> object:
        (row,) = writer.reader.fetch_tooling_rows(
            f"SELECT ActiveVersion.VersionNumber FROM FlowDefinition WHERE DeveloperName = '{name}'"
        )
        return row["ActiveVersion.VersionNumber"]

    writer.set_active_flow_version(name, 0)
    assert active() is None
    writer.set_active_flow_version(name, min(numbers))
    assert active() == min(numbers)
    writer.delete_flow_version(name, max(numbers))
    with pytest.raises(NotFound):
        writer.delete_flow_version(name, max(numbers))
    with pytest.raises(NotFound):
        writer.set_active_flow_version("No_Such' OR 'x", 1)


@pytest.mark.parametrize("deed", ["lose-reply", "truncate"])
def test_a_write_whose_reply_is_lost_was_done_once(doors: Any, deed: str, tmp_path: Path) -> None:
    writer = doors.writer("UATFULL")
    before = writer.reader.fetch_count("SELECT COUNT() FROM Account")
    doors.practice.faults.add(("POST", "/composite/sobjects"), do=deed)
    with pytest.raises(OrgUncertain):
        writer.insert_rows("Account", [{"Name": "once"}])
    assert writer.reader.fetch_count("SELECT COUNT() FROM Account") == before + 1
    doors.practice.faults.add(("SOAP", "deploy"), do=deed)
    with pytest.raises(OrgUncertain):
        writer.start_deploy(label_zip(tmp_path, "New_Label"))
    rows = list(writer.reader.fetch_tooling_rows("SELECT Id, Status FROM DeployRequest ORDER BY CreatedDate DESC"))
    assert len(rows) == 1
    writer.wait_deploy(str(rows[0]["Id"]))


@pytest.mark.parametrize("deed", ["500", "503-html"])
def test_a_server_error_to_a_write_is_doubtful_and_not_repeated(doors: Any, deed: str) -> None:
    writer = doors.writer("UATFULL")
    before = writer.reader.fetch_count("SELECT COUNT() FROM Account")
    doors.practice.faults.add(("POST", "/composite/sobjects"), do=deed)
    with pytest.raises(OrgUncertain):
        writer.insert_rows("Account", [{"Name": "once"}])
    assert writer.reader.fetch_count("SELECT COUNT() FROM Account") == before


def test_a_lock_and_a_dead_session_are_met_without_the_caller(doors: Any) -> None:
    writer = doors.writer("UATFULL")
    before = writer.reader.fetch_count("SELECT COUNT() FROM Account")
    doors.practice.faults.add(("POST", "/composite/sobjects"), do="lock-row")
    assert writer.insert_rows("Account", [{"Name": "once"}])[0].success
    doors.practice.faults.add(("POST", "/composite/sobjects"), do="401")
    assert writer.insert_rows("Account", [{"Name": "once"}])[0].success
    doors.practice.faults.add(("SOAP", "undelete"), do="401")
    assert not writer.undelete_rows(["001000000000001AAA"])[0].success
    assert writer.reader.fetch_count("SELECT COUNT() FROM Account") == before + 2


def test_bulk_survives_lost_replies_at_every_step(doors: Any, tmp_path: Path) -> None:
    writer = doors.writer("UATFULL")
    rows = tmp_path / "rows.csv"
    write_bulk_csv(rows, ["Name"], [("a",), ("b",)])
    faults = doors.practice.faults
    faults.add(("POST", "/jobs/ingest"), do="lose-reply")
    job = writer.open_ingest("Account", "insert")
    writer.upload_ingest(job.id, rows)
    faults.add(("PATCH", "/jobs/ingest"), do="lose-reply")
    writer.close_ingest(job.id)
    assert (writer.wait_ingest(job.id).processed, writer.fetch_ingest(job.id).failed) == (2, 0)
    second = writer.open_ingest("Account", "insert")
    faults.add(("PUT", "/batches"), do="lose-reply")
    with pytest.raises(OrgUncertain):
        writer.upload_ingest(second.id, rows)
    writer.abort_ingest(second.id)


# the control of production


def test_the_lifecycle_of_a_sandbox(doors: Any) -> None:
    doors.practice.allow_refresh = True
    clock = doors.practice.estate.clock
    control = doors.control()
    dev1 = next(one for one in control.fetch_sandboxes() if one.name == "DEV1")
    clock.move(timedelta(days=2))
    control.request_refresh(dev1, {"AutoActivate": False})
    copy = next(one for one in control.fetch_sandbox_copies() if one.name == "DEV1")
    assert copy.state in ("pending", "copying")
    refreshed = next(one for one in control.fetch_sandboxes() if one.name == "DEV1")
    assert refreshed.description == dev1.description, "a field that is not sent again is emptied"
    clock.move(timedelta(hours=6))
    waiting = next(one for one in control.fetch_sandbox_copies() if one.name == "DEV1")
    assert waiting.state == "pending-activation" and waiting.id == copy.id
    control.activate(waiting.id)
    clock.move(timedelta(hours=6))
    done = next(one for one in control.fetch_sandbox_copies() if one.name == "DEV1")
    assert done.state == "completed" and done.org_id != doors.practice.orgs["DEV1"].org_id


def test_a_refusal_keeps_its_words_and_a_lost_reply_is_never_sent_again(doors: Any) -> None:
    doors.practice.allow_refresh = True
    control = doors.control()
    records = {one.name: one for one in control.fetch_sandboxes()}
    with pytest.raises(OrgRejected) as raised:
        control.request_refresh(records["UATFULL"])
    assert "efresh" in raised.value.org_message
    doors.practice.estate.clock.move(timedelta(days=3))
    before = len(control.fetch_sandbox_copies())
    doors.practice.faults.add(("PATCH", "/SandboxInfo/"), do="lose-reply")
    with pytest.raises(OrgUncertain):
        control.request_refresh(records["DEV2"])
    assert len(control.fetch_sandbox_copies()) == before + 1
    patches = [one for one in doors.practice.production_requests() if one.method == "PATCH"]
    assert len(patches) == 2


def test_a_copy_is_discarded(doors: Any) -> None:
    doors.practice.allow_refresh = True
    clock = doors.practice.estate.clock
    control = doors.control()
    dev1 = next(one for one in control.fetch_sandboxes() if one.name == "DEV1")
    clock.move(timedelta(days=2))
    control.request_refresh(dev1, {"AutoActivate": False})
    clock.move(timedelta(hours=8))
    copy = next(one for one in control.fetch_sandbox_copies() if one.name == "DEV1")
    control.discard(copy.id)
    clock.move(timedelta(hours=1))
    assert copy.id not in [one.id for one in control.fetch_sandbox_copies() if one.state == "pending-activation"]


def test_a_package_with_nothing_in_it_and_a_file_that_is_none(doors: Any, tmp_path: Path) -> None:
    writer = doors.writer("UATFULL")
    with pytest.raises(UsageError):
        writer.start_deploy(tmp_path / "missing.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as file:
        file.writestr("package.xml", MANIFEST.replace("<types>", "<!--").replace("</types>", "-->"))
    assert writer.wait_deploy(writer.start_deploy(tmp_path / "empty.zip")).success
