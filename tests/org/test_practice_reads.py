"""OrgReader against the practice org: every call at least once, over TLS."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse.errors import LoginError, NotFound, OrgRejected, OrgUnreachable, SessionExpired, UsageError
from rehearse.events import Event, Finished, Started
from rehearse.ids import to_18
from rehearse.org import rest
from rehearse.org.model import Login


def test_identity_time_and_limits(doors: Any) -> None:
    reader = doors.reader("production")
    assert reader.api_usage, "what the replies to the login said is known without asking"
    identity = reader.fetch_identity()
    assert (identity.org_id, identity.is_sandbox) == (doors.practice.production.org_id, False)
    assert identity.username == doors.practice.production.username
    assert identity.org_id == reader.org_id and identity.host == reader.host
    assert abs(reader.fetch_server_time() - doors.practice.estate.clock.now()) < timedelta(minutes=5)
    limits = reader.fetch_limits()
    assert limits["DailyApiRequests"].maximum > 0
    used, most = reader.api_usage
    assert 0 < used < most
    assert reader.api_version == "67.0"
    assert doors.practice.production.client_secret not in repr(reader)


def test_objects_and_schemas(doors: Any) -> None:
    reader = doors.reader("UATFULL")
    objects = {one.name: one for one in reader.fetch_objects()}
    assert objects["Account"].queryable and objects["Account"].key_prefix == "001"
    schema = reader.fetch_schema("InvoiceLine__c")
    parent = schema.field("Invoice__c")
    assert parent is not None and parent.is_master_detail and parent.reference_to == ("Invoice__c",)
    assert schema.createable and schema.field("Id") is not None and schema.field("Nonsense") is None
    children = {(child.object, child.field): child for child in reader.fetch_schema("Invoice__c").children}
    assert children[("InvoiceLine__c", "Invoice__c")].cascade_delete
    with pytest.raises(OrgRejected) as raised:
        reader.fetch_schema("Nonsense__c")
    assert raised.value.org_code == "NOT_FOUND"


def test_rows_are_flat_and_paged(doors: Any) -> None:
    reader = doors.reader("UATFULL")
    count = reader.fetch_count("SELECT COUNT() FROM InvoiceLine__c")
    rows = list(reader.fetch_rows("SELECT Id, Invoice__r.Account__r.Name, Invoice__c FROM InvoiceLine__c"))
    assert len(rows) == count
    assert set(rows[0]) == {"Id", "Invoice__r.Account__r.Name", "Invoice__c"}
    accounts = list(reader.fetch_rows("SELECT id, Parent.Name, Parent.Owner.Name, OwnerId FROM Account"))
    orphans = [row for row in accounts if row["Parent.Name"] is None]
    assert orphans and all(set(row) == {"Id", "Parent.Name", "Parent.Owner.Name", "OwnerId"} for row in accounts)
    with pytest.raises(UsageError):
        list(reader.fetch_rows("SELECT Id, (SELECT Id FROM Contacts) FROM Account"))
    with pytest.raises(OrgRejected) as raised:
        list(reader.fetch_rows("SELECT Nonsense FROM Account"))
    assert raised.value.org_code == "INVALID_FIELD"


def test_more_rows_than_one_page(doors: Any) -> None:
    reader = doors.reader("UATFULL")
    biggest = max(
        ("Account", "Contact", "InvoiceLine__c", "Task"),
        key=lambda name: reader.fetch_count(f"SELECT COUNT() FROM {name}"),
    )
    rows = list(reader.fetch_rows(f"SELECT Id FROM {biggest} ORDER BY Id"))
    assert len({row["Id"] for row in rows}) == reader.fetch_count(f"SELECT COUNT() FROM {biggest}")


def test_rows_by_id_take_several_calls_for_many_ids_and_many_fields(doors: Any) -> None:
    calls: list[str] = []
    reader = doors.reader("UATFULL", options=doors.options(on_call=lambda *what: calls.append(" ".join(what))))
    ids = [str(row["Id"]) for row in reader.fetch_rows("SELECT Id FROM InvoiceLine__c LIMIT 1500")]
    missing = [to_18(f"{ids[0][:3]}000000{number:06}") for number in range(500)]
    calls.clear()
    rows = reader.fetch_by_ids("InvoiceLine__c", [*missing, *ids, ids[0][:15]], ["Name", "Invoice__r.Name"])
    assert set(rows) == set(ids)
    assert rows[ids[0]]["Id"] == ids[0] and "Invoice__r.Name" in rows[ids[0]]
    assert len([call for call in calls if call.startswith("before")]) > 1
    assert reader.fetch_by_ids("Contact", [], ["Name"]) == {}


def test_a_field_list_that_fills_an_address_is_split(doors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = doors.reader("UATFULL")
    fields = [one.name for one in reader.fetch_schema("Contact").fields if one.type != "address"]
    ids = [str(row["Id"]) for row in reader.fetch_rows("SELECT Id FROM Contact LIMIT 50")]
    whole = reader.fetch_by_ids("Contact", ids, [*fields, "Name"])
    monkeypatch.setattr(rest, "URI_BYTES", 600)
    assert reader.fetch_by_ids("Contact", ids, fields) == whole
    assert set(whole) == set(ids) and set(whole[ids[0]]) == set(fields)


def test_tooling_rows(doors: Any) -> None:
    reader = doors.reader("UATFULL")
    rows = list(reader.fetch_tooling_rows("SELECT Id, DeveloperName, ActiveVersion.VersionNumber FROM FlowDefinition"))
    assert rows and all("ActiveVersion.VersionNumber" in row for row in rows)


def test_bulk_query_from_start_to_deletion(doors: Any, tmp_path: Path) -> None:
    reader = doors.reader("production")
    heard: list[Event] = []
    job = reader.start_query_job("SELECT Id, Name, Owner.Name FROM Account")
    assert job.operation == "query" and job.object == "Account"
    done = reader.wait_query_job(job.id, heard.append)
    assert done.state == "JobComplete" and done.processed == reader.fetch_count("SELECT COUNT() FROM Account")
    assert isinstance(heard[0], Started) and isinstance(heard[-1], Finished)
    rows = 0
    for number, locator in enumerate(reader.fetch_page_locators(job.id)):
        page = reader.download_page(job.id, locator, tmp_path / f"{number}.csv")
        text = page.path.read_bytes().decode()
        parsed = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert (len(parsed) - 1, tuple(parsed[0])) == (page.rows, page.columns)
        rows += page.rows
    assert rows == done.processed
    reader.delete_query_job(job.id)
    with pytest.raises(OrgRejected):
        reader.wait_query_job(job.id)
    with pytest.raises(OrgRejected):
        reader.start_query_job("SELECT Name, COUNT(Id) FROM Account GROUP BY Name")


def test_deleted_rows_by_bulk_and_rest(doors: Any, tmp_path: Path) -> None:
    writer = doors.writer("UATFULL")
    (made,) = writer.insert_rows("Account", [{"Name": "to go"}])
    assert made.id is not None
    writer.delete_rows([made.id])
    reader = writer.reader
    assert reader.fetch_by_ids("Account", [made.id], ["Name"]) == {}
    assert reader.fetch_by_ids("Account", [made.id], ["IsDeleted"], deleted=True)[made.id]["IsDeleted"] is True
    job = reader.wait_query_job(reader.start_query_job("SELECT Id FROM Account", deleted=True).id)
    page = reader.download_page(job.id, None, tmp_path / "page.csv")
    assert made.id in page.path.read_text()


def test_a_job_of_an_interrupted_run_can_be_taken_back(doors: Any) -> None:
    job = doors.reader("production").start_query_job("SELECT Id FROM Account")
    later = doors.reader("production")
    with pytest.raises(NotFound):
        later.delete_query_job(job.id)
    assert later.adopt_query_job(job.id).id == job.id
    later.wait_query_job(job.id)
    later.delete_query_job(job.id)


def test_metadata_is_described_listed_and_retrieved(doors: Any, tmp_path: Path) -> None:
    reader = doors.reader("production")
    types = {one.name: one for one in reader.fetch_metadata_types()}
    assert types["ApexClass"].suffix == "cls" and types["ApexClass"].meta_file
    assert "CustomField" in types["CustomObject"].children
    items = reader.fetch_metadata_items("ApexClass")
    assert [one.full_name for one in items] == sorted({one.full_name for one in items})
    assert items[0].type == "ApexClass" and items[0].id
    manifest = {"ApexClass": tuple(one.full_name for one in items), "CustomObject": ("Invoice__c", "R&D__c")}
    result = reader.retrieve(manifest, tmp_path / "r.zip")
    with zipfile.ZipFile(result.zip_path) as file:
        assert file.testzip() is None
        names = [name.rpartition("/")[2] for name in file.namelist()]
    assert "Invoice__c.object" in names and f"{items[0].full_name}.cls" in names
    assert result.files == len(items) + 2  # the object and package.xml; companions do not count
    assert any("R&D__c" in message for message in result.messages)
    with pytest.raises(OrgRejected):
        reader.fetch_metadata_items("Nonsense")


def test_sandboxes_and_their_copies(doors: Any) -> None:
    reader = doors.reader("production")
    records = {one.name: one for one in reader.fetch_sandboxes()}
    assert set(records) == {"UATFULL", "PERFFULL", "SIT1", "DEV1", "DEV2"}
    assert records["UATFULL"].licence == "FULL" and records["UATFULL"].fields["Description"]
    copies = reader.fetch_sandbox_copies()
    assert [one.requested for one in copies] == sorted((one.requested for one in copies), reverse=True)
    newest = next(one for one in copies if one.name == "UATFULL")
    assert newest.org_id == doors.practice.orgs["UATFULL"].org_id
    assert newest.state == "completed" and newest.copied is not None and newest.requested < newest.copied
    assert all(one.requested.tzinfo is not None for one in copies)
    named = reader.fetch_copies_of(doors.practice.orgs["SIT1"].org_id)
    assert {one.name for one in named} == {"SIT1"}
    assert reader.fetch_copies_of("00D000000000000AAA") == ()


# connecting


def test_the_ca_bundle_holds_whatever_the_environment_says(
    doors: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    assert doors.reader("production").org_id == doors.practice.production.org_id


def test_without_a_setting_the_environment_counts(doors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(doors.practice.ca_file))
    assert doors.reader("production", ca_bundle=None).org_id == doors.practice.production.org_id


def test_an_unknown_authority_is_said_at_once(doors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    slept: list[float] = []
    with pytest.raises(OrgUnreachable, match="certificate") as raised:
        doors.reader("production", ca_bundle=None, options=doors.options(sleep=slept.append))
    assert raised.value.hint is not None and "ca_bundle" in raised.value.hint
    assert slept == []


def test_a_bundle_that_is_no_certificate_is_said(doors: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nonsense")
    with pytest.raises(LoginError, match="holds no certificate"):
        doors.reader("production", ca_bundle=bad)


def test_clear_http_works_on_this_machine(doors: Any) -> None:
    login = doors.login("production", doors.practice.http_url)
    assert doors.reader("production", login=login, ca_bundle=None).org_id == doors.practice.production.org_id


def test_a_wrong_secret_and_a_dead_token_are_login_errors(doors: Any) -> None:
    org = doors.practice.production
    wrong = Login("client_credentials", url=doors.practice.url, client_id=org.client_id, secret="wrong-secret")
    with pytest.raises(LoginError, match="invalid"):
        doors.reader("production", login=wrong)
    dead = Login("token", url=doors.practice.url, secret="00D000000000000!dead")
    with pytest.raises(SessionExpired):
        doors.reader("production", login=dead)


def test_a_given_token_and_an_older_version_work(doors: Any) -> None:
    token = Login("token", url=doors.practice.url, secret=doors.practice.orgs["SIT1"].access_token)
    reader = doors.reader("SIT1", login=token, api_version="58.0")
    assert reader.org_id == doors.practice.orgs["SIT1"].org_id
    assert reader.fetch_count("SELECT COUNT() FROM Account") > 0
    assert reader.fetch_server_time() > datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(UsageError, match="API version"):
        doors.reader("SIT1", login=token, api_version="67")


@pytest.mark.parametrize("deed", ["500", "503-html", "lose-reply", "401", "truncate", "lock-row"])
def test_reads_survive_every_fault_once(doors: Any, deed: str, tmp_path: Path) -> None:
    reader = doors.reader("production")
    faults = doors.practice.faults
    faults.add(("GET", "/query"), do=deed)
    assert reader.fetch_count("SELECT COUNT() FROM Account") > 0
    faults.add(("SOAP", "getServerTimestamp"), do=deed)
    assert reader.fetch_server_time() > datetime(2026, 1, 1, tzinfo=UTC)
    faults.add(("POST", "/jobs/query"), do=deed)
    job = reader.wait_query_job(reader.start_query_job("SELECT Id, Name FROM Account").id)
    faults.add(("GET", "/results"), do=deed)
    assert reader.download_page(job.id, None, tmp_path / "page.csv").rows == job.processed
    faults.add(("SOAP", "checkRetrieveStatus"), nth=2, do=deed)
    result = reader.retrieve({"CustomLabels": ("CustomLabels",)}, tmp_path / "r.zip")
    assert zipfile.is_zipfile(result.zip_path)
