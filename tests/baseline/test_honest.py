"""What a capture says about itself: coverage of every class, standing facts, the hollow alarm, budget, bodies."""

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse import clock
from rehearse.baseline.bodies import load_body
from rehearse.baseline.budget import Budget
from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.compare import compare
from rehearse.baseline.coverage import outside_rows
from rehearse.baseline.estimate import fetch_estimate
from rehearse.baseline.export import export_capture
from rehearse.baseline.hollow import find_fieldless, find_missing
from rehearse.baseline.model import Capture, Component, Scope
from rehearse.baseline.prune_store import sweep
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.standing import apex_line
from rehearse.baseline.verify import verify_capture
from rehearse.errors import Damaged, StoppedPartWay
from rehearse.org.connect import connect_reader
from rehearse.org.model import Login, ObjectSummary
from rehearse.org.reader import OrgReader
from rehearse.org.transport import WireOptions
from rehearse.practice import apex_jobs
from rehearse.state import open_database

QUICK: dict[str, Any] = {
    "attempts": 3,
    "first_poll": 0.01,
    "longest_poll": 0.1,
    "wait_seconds": 0.01,
    "longest_wait": 0.02,
}
NOTHING = Scope(metadata_include=())
Take = Callable[..., Capture]


def connect(practice: Any, name: str, **options: Any) -> OrgReader:
    org = practice.production if name == "production" else practice.orgs[name]
    login = Login("token", url=practice.url, secret=org.access_token)
    return connect_reader(login, ca_bundle=practice.ca_file, options=WireOptions(**QUICK, **options))


@pytest.fixture
def reader(practice: Any) -> Iterator[OrgReader]:
    with connect(practice, "UATFULL") as opened:
        yield opened


@pytest.fixture
def take(reader: OrgReader, store: CaptureStore) -> Take:
    def taken(scope: Scope, **options: Any) -> Capture:
        return capture(reader, CaptureRequest("UATFULL", scope, **options), store)

    return taken


@pytest.fixture
def org(practice: Any) -> Any:
    return practice.estate.org(practice.orgs["UATFULL"].org_id)


def test_packages_schedules_and_the_release_are_held_whatever_the_scope(
    take: Take, store: CaptureStore, org: Any
) -> None:
    with org.lock:
        user, name = org.db.execute('SELECT "Id", "Username" FROM "User" WHERE "Alias" = \'admin\'').fetchone()
        (script,) = org.db.execute("SELECT name FROM meta_component WHERE type = 'ApexClass' LIMIT 1").fetchone()
    trigger = apex_jobs.schedule_apex(org, user, script, org.now() + timedelta(days=2))
    before = take(NOTHING)
    assert [(one.namespace, one.version) for one in before.packages] == [("tidemaps", "3.12.0.0")]
    found = next(one for one in before.schedules if one.name == f"{script} daily")
    assert (found.apex_class, found.owner, found.time_zone) == (script, name, "GMT") and found.next_fire
    assert apex_line(found) == f"System.schedule('{script} daily', '{found.expression}', new {script}());"
    assert "(67.0)" in before.release and before.read_by.startswith("005")
    apex_jobs.end_apex(org, trigger)
    after = take(NOTHING, frozen=before)
    assert [(one.type, one.key, one.what) for one in compare(store, before, after)] == [
        ("CronTrigger", f"{script} daily", "deleted")
    ]


def test_a_platform_upgrade_asks_for_a_new_baseline_and_reads_at_the_api_of_the_old_one(
    take: Take, practice: Any, reader: OrgReader, store: CaptureStore
) -> None:
    before = take(NOTHING)
    older = replace(before, release="Spring '26 (66.0)", api_version="66.0")
    said: list[str] = []
    request = CaptureRequest("UATFULL", NOTHING, frozen=older)
    after = capture(reader, request, store, lambda event: said.append(getattr(event, "text", "")))
    (told,) = [one for one in said if "upgraded" in one]
    assert "from Spring '26 (66.0) to Summer '26 (67.0)" in told and told.endswith("Take a new baseline.")
    assert after.api_version == "66.0" and "67.0" in after.release


def test_every_type_and_object_has_a_row(take: Take, reader: OrgReader) -> None:
    taken = take(Scope(metadata_include=("CustomLabels",), objects=("Payment__c",)))
    told = {(one.kind, one.name) for one in taken.coverage}
    assert {("records", one.name) for one in reader.fetch_objects()} <= told
    described = {("metadata", one.name) for one in reader.fetch_metadata_types()} - {("metadata", "CustomLabels")}
    assert described <= told and ("metadata", "CustomLabel") in told
    states = Counter(one.state for one in taken.coverage)
    assert states["masked"] == 1 and states["not-metadata"] > 3 and states["excluded"] > 20
    assert taken.verdict == "usable"


def test_what_is_hidden_from_the_login_makes_a_capture_partial(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    real = OrgReader.fetch_schema

    def hiding(reader: OrgReader, object: str) -> Any:
        schema = real(reader, object)
        return replace(schema, fields=tuple(one for one in schema.fields if one.name != "CreditLimit__c"))

    monkeypatch.setattr(OrgReader, "fetch_schema", hiding)
    taken = take(Scope(metadata_include=(), objects=("Account",)))
    (hidden,) = [one for one in taken.coverage if one.state == "unreadable"]
    assert (hidden.name, hidden.count) == ("Account (hidden fields)", 1) and "CreditLimit__c" in hidden.note
    assert taken.verdict == "partial"


def test_a_retrieve_that_always_fails_ends_in_a_hollow_capture(
    take: Take, practice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice.estate.settings.put("retrieve_file_limit", 0)
    asked: list[int] = []
    real = OrgReader.retrieve

    def counted(*given: Any) -> Any:
        asked.append(1)
        return real(*given)

    monkeypatch.setattr(OrgReader, "retrieve", counted)
    taken = take(Scope(objects=()))
    assert taken.verdict == "hollow" and {"ApexClass", "CustomObject"} <= set(taken.hollow)
    refused = [one for one in taken.coverage if one.state == "not-retrieved" and "LIMIT_EXCEEDED" in one.note]
    assert len({(one.name, one.note.rpartition(": ")[2]) for one in refused}) == len(refused) > 10
    (profiles,) = [one for one in taken.coverage if (one.name, one.state) == ("Profile", "not-retrieved")]
    assert (
        profiles.count == len(taken.manifest["Profile"]) == 4
    )  # they come along with every retrieve, and came with none
    assert len(asked) < 30


def test_an_object_whose_rows_and_counts_an_org_keeps_to_itself_is_hollow(take: Take, practice: Any) -> None:
    practice.faults.add(("GET", r"/query.*FROM( |\+|%20)Lead"), do="empty", times=99)
    taken = take(Scope(metadata_include=(), objects=("Lead", "Routing__c")))
    assert (taken.verdict, taken.hollow) == ("hollow", ("Lead",))


def test_the_alarm_counts_members_and_fields() -> None:
    listed = {"ApexClass": ("A", "B%20C"), "Report": ("F", "F/One"), "StandardValueSet": ("X",), "Layout": ("L",)}
    held = {"ApexClass": {"B C"}, "Report": {"F/One"}, "Layout": {"other spelling of L"}}
    assert find_missing(listed, held, frozenset()) == {"ApexClass": ("A",)}
    assert find_missing(listed, held, {("ApexClass", "A")}) == {}
    assert find_missing({"Report": ("F",)}, {}, frozenset()) == {"Report": ("F",)}
    field = Component("CustomField", "Account.One__c", "", ())
    (row,) = find_fieldless({"Account": 2, "Gone__c": 1}, [field], {"Account"})
    assert (row.name, row.count, row.state) == ("Account (fields)", 1, "not-retrieved")


def test_left_out_objects_say_why() -> None:
    summaries = [ObjectSummary(name, None, True, False, True, True) for name in ("A__c", "A__Share", "CronTrigger")]
    rows = outside_rows([], [*summaries, ObjectSummary("Hidden", None, False, False, False, False)], {("records", "A")})
    notes = {one.name: (one.state, one.note) for one in rows if one.kind == "records"}
    assert notes["A__c"] == ("excluded", "not in scope.records") and notes["Hidden"][0] == "not-listable"
    assert "along with" in notes["A__Share"][1] and "nothing can write it back" in notes["CronTrigger"][1]


def test_production_is_captured_and_receives_only_reads(practice: Any, store: CaptureStore) -> None:
    with connect(practice, "production") as production:
        scope = Scope(metadata_include=("ApexClass", "CustomObject"), objects=("Account",))
        taken = capture(production, CaptureRequest("production", scope, rest_rows=0), store)
        assert taken.verdict == "usable" and taken.record_count > 0
        found = fetch_estimate(production, Scope(objects=("account", "Ghost__c")), [taken])
    assert found.rows == taken.record_count and found.bytes > found.disk > 0 and found.calls > 10
    assert {one.name: bool(one.note) for one in found.objects} == {"Account": False, "Ghost__c": True}


def test_past_the_budget_a_capture_stops_and_is_continued(practice: Any, store: CaptureStore, tmp_path: Path) -> None:
    database = open_database(tmp_path / "workspace")
    try:
        budget = Budget(database, 0.5, "UATFULL")
        with connect(practice, "UATFULL", on_call=budget.heard) as reader:
            budget.begin(reader)
            budget._most = budget._spent + 60
            request = CaptureRequest("UATFULL", Scope(metadata_include=(), objects=("Account", "Contact")), rest_rows=0)
            with pytest.raises(StoppedPartWay, match="budget of 50 %"):
                for _ in range(9):
                    capture(reader, request, store)
            budget.save()
            kept = {one.ulid for one in store.load_all()}
        later = Budget(database, 0.5, "UATFULL")
        with connect(practice, "UATFULL", on_call=later.heard) as reader:
            later.begin(reader)
            assert 60 <= later._spent < 90  # what the first connection used counts
            ulids = {one.name for one in (store.root / "captures").iterdir()}
            assert capture(reader, request, store).ulid in ulids - kept or ulids == kept
            forgotten = Budget(database, 0.5, "UATFULL")
            forgotten.begin(reader, clock.now() + timedelta(days=2))
            assert forgotten._spent == 0
    finally:
        database.close()


def test_a_killed_job_is_taken_back_and_only_its_missing_pages_are_read(practice: Any, store: CaptureStore) -> None:
    practice.estate.settings.put("bulk_page_rows", 30)
    scope = Scope(metadata_include=(), objects=("Account",))
    pages: list[str] = []

    class Killed(BaseException):
        """As if the process died here."""

    def dying(moment: str, method: str, path: str) -> None:
        if moment == "before" and path.endswith("/results"):
            pages.append(path)
            if len(pages) == 5:
                raise Killed
        assert len(pages) < 5 or method != "DELETE"

    request = CaptureRequest("UATFULL", scope, rest_rows=0)
    with connect(practice, "UATFULL", on_call=dying) as reader, pytest.raises(Killed):
        capture(reader, request, store)
    again: list[str] = []
    started: list[str] = []

    def counting(moment: str, method: str, path: str) -> None:
        if moment == "before" and path.endswith("/results"):
            again.append(path)
        if moment == "before" and method == "POST" and path.endswith("/jobs/query"):
            started.append(path)

    with connect(practice, "UATFULL", on_call=counting) as reader:
        taken = capture(reader, request, store)
        assert started == [] and {one.split("/")[-2] for one in again} == {pages[0].split("/")[-2]}
        assert 0 < len(again) < len(taken.objects[0].parts)
        whole = capture(reader, request, store)
    assert taken.snapshot_id == whole.snapshot_id and not list(store.folder(taken.ulid).glob("*/job.json"))


def test_contents_of_files_are_kept_and_compared(
    take: Take, store: CaptureStore, practice: Any, tmp_path: Path
) -> None:
    account = practice.ask("UATFULL", "GET", "query", params={"q": "SELECT Id FROM Account LIMIT 1"}).json()
    parent = account["records"][0]["Id"]
    content = bytes(range(256)) * 40
    sent = {"Name": "a.bin", "ParentId": parent, "Body": base64.b64encode(content).decode()}
    id = practice.ask("UATFULL", "POST", "sobjects/Attachment", json=sent).json()["id"]
    scope = Scope(metadata_include=(), objects=("Attachment",), files=True)
    before = take(scope)
    (row,) = store.load_rows(before.ulid, "Attachment", [id], ["Body"])
    assert load_body(store, before.ulid, "Attachment", str(row["Body"])) == content
    stored = b"".join(one.read_bytes() for one in store.folder(before.ulid).rglob("*") if one.is_file())
    assert content[:64] not in stored
    assert sweep(store, (), clock.now()).files == 0  # what rows name is not what nobody names
    assert verify_capture(store, before.ulid, deep=True) == before
    export_capture(store, before, "B1", tmp_path / "out")
    assert [one.read_bytes() for one in (tmp_path / "out" / "records" / "Attachment").iterdir()] == [content]
    changed = {"Body": base64.b64encode(content[::-1]).decode()}
    assert practice.ask("UATFULL", "PATCH", f"sobjects/Attachment/{id}", json=changed).status_code == 204
    (change,) = compare(store, before, take(scope, frozen=before))
    assert {one.name for one in change.fields} >= {"Body"} and change.key == id
    (body,) = store.folder(before.ulid).glob("Attachment/bodies/*")
    body.write_bytes(body.read_bytes()[:-1] + b"x")
    with pytest.raises(Damaged, match="bodies"):
        verify_capture(store, before.ulid, deep=True)
    body.unlink()
    with pytest.raises(Damaged, match=f"Attachment {id}"):
        verify_capture(store, before.ulid, deep=True)
