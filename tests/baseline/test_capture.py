"""Captures of the practice org: the same twice, exact about a change, whole after a kill, honest about what lacks."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearse.baseline.canonical_xml import NAMESPACE
from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.compare import compare
from rehearse.baseline.estimate import fetch_estimate
from rehearse.baseline.listing import ListingWork, fetch_listing, listing_threads
from rehearse.baseline.model import Capture, Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.verify import verify_capture
from rehearse.errors import GenerationChanged
from rehearse.events import Advanced, Event, Noted
from rehearse.org.connect import connect_reader
from rehearse.org.model import Login, MetadataType
from rehearse.org.reader import OrgReader
from rehearse.org.transport import WireOptions
from rehearse.practice.deploy import install

LONG = os.environ.get("REHEARSE_TEST") == "all"
EVERYTHING = Scope(objects=("*",))
FEW = Scope(metadata_include=("CustomLabels",), objects=("Account", "Contact", "Task"))
QUICK = WireOptions(attempts=3, first_poll=0.01, longest_poll=0.1, wait_seconds=0.01, longest_wait=0.02)


@pytest.fixture
def reader(practice: Any) -> Iterator[OrgReader]:
    org = practice.orgs["UATFULL"]
    login = Login("token", url=practice.url, secret=org.access_token)
    with connect_reader(login, ca_bundle=practice.ca_file, options=QUICK) as opened:
        yield opened


@pytest.fixture
def take(reader: OrgReader, store: CaptureStore) -> Callable[..., Capture]:
    def taken(scope: Scope = FEW, frozen: Capture | None = None, rest_rows: int = 2000, **options: Any) -> Capture:
        return capture(reader, CaptureRequest("UATFULL", scope, frozen, rest_rows), store, **options)

    return taken


def account(practice: Any, number: int = 0) -> str:
    query = f"SELECT Id FROM Account ORDER BY Id LIMIT 1 OFFSET {number}"
    found: str = practice.ask("UATFULL", "GET", "query", params={"q": query}).json()["records"][0]["Id"]
    return found


def new_account(practice: Any, name: str) -> str:
    made: str = practice.ask("UATFULL", "POST", "sobjects/Account", json={"Name": name}).json()["id"]
    return made


def change_account(practice: Any, id: str, **values: Any) -> None:
    answer = practice.ask("UATFULL", "PATCH", f"sobjects/Account/{id}", json=values)
    assert answer.status_code == 204, answer.text


def test_the_whole_seed_twice_is_one_snapshot(take: Any, store: CaptureStore, practice: Any) -> None:
    first = take(EVERYTHING)
    second = take(EVERYTHING, first, rest_rows=0)
    assert first.ulid != second.ulid and first.snapshot_id == second.snapshot_id
    assert compare(store, first, second) == ()
    assert (
        first.verdict,
        first.hollow,
        [one for one in first.coverage if one.state in ("unreadable", "not-retrieved")],
    ) == ("usable", (), [])
    assert first.component_count > 100 and first.record_count > 2500
    assert verify_capture(store, second.ulid, deep=True) == second
    held = {one.object: one.rows for one in first.objects}
    org = practice.estate.org(first.org_id)
    for name, rows in held.items():
        with org.lock:
            (expected,) = org.db.execute(f'SELECT COUNT(*) FROM "{name}" WHERE "IsDeleted" = 0').fetchone()
        assert rows == expected, name
    masked = {one.name: one.note for one in first.coverage if one.state == "masked"}
    assert masked and not any(field.type == "encryptedstring" for one in first.scope.objects for field in one.fields)
    leftovers = {one.name for one in (store.root / "scratch").iterdir()} if (store.root / "scratch").exists() else set()
    assert leftovers == set()
    assert {one.name for one in store.folder(first.ulid).iterdir() if one.is_file()} == {
        "manifest.json",
        "components.json",
        "listing.json",
    }


def test_rows_are_what_the_org_says(take: Any, store: CaptureStore, practice: Any) -> None:
    taken = take(Scope(metadata_include=(), objects=("Contact",)), rest_rows=0)
    rows = {row["Id"]: row for row in store.load_rows(taken.ulid, "Contact", None, ["LastName", "Description", "_by"])}
    query = "SELECT Id, LastName, Description, LastModifiedById FROM Contact"
    said = practice.ask("UATFULL", "GET", "query", params={"q": query}).json()["records"]
    assert len(said) == len(rows) > 0
    for one in said:
        row = rows[one["Id"]]
        assert (row["LastName"], row["Description"]) == (one["LastName"] or None, one["Description"] or None)
        assert row["_by"] == one["LastModifiedById"]


@pytest.mark.parametrize("rest_rows", [0, 2000])
def test_exactly_what_changed_is_found(take: Any, store: CaptureStore, practice: Any, rest_rows: int) -> None:
    changed, deleted = account(practice, 1), new_account(practice, "Soon gone")
    contact = {"LastName": "Goes too", "AccountId": deleted}
    child = practice.ask("UATFULL", "POST", "sobjects/Contact", json=contact).json()["id"]
    before = take(FEW, rest_rows=rest_rows)
    change_account(practice, changed, Description='now "quoted"\nand ☃')
    assert practice.ask("UATFULL", "DELETE", f"sobjects/Account/{deleted}").status_code == 204
    made = new_account(practice, "New one")
    after = take(FEW, before, rest_rows=rest_rows)
    changes = {(one.type, one.key): one for one in compare(store, before, after)}
    assert {key: changes[key].what for key in changes if key[0] == "Account"} == {
        ("Account", changed): "updated",
        ("Account", deleted): "deleted",
        ("Account", made): "created",
    }
    update = changes["Account", changed]
    assert [one.name for one in update.fields] == ["Description"]
    assert update.by.startswith("005") and update.at is not None and update.at >= before.started
    assert {key[1]: changes[key].what for key in changes if key[0] == "Contact"} == {child: "deleted"}
    (row,) = store.load_rows(after.ulid, "Account", [changed], ["Description"])
    assert row == {"Id": changed, "Description": 'now "quoted"\nand ☃'}


def test_exactly_the_component_that_changed_is_found(take: Any, store: CaptureStore, practice: Any) -> None:
    scope = Scope(objects=())
    before = take(scope)
    org = practice.estate.org(practice.orgs["UATFULL"].org_id)
    field = "<fields><fullName>Extra__c</fullName><label>Extra</label><length>20</length><type>Text</type></fields>"
    label = "<labels><fullName>Extra</fullName><language>en_US</language><protected>false</protected>"
    label += "<shortDescription>Extra</shortDescription><value>x</value></labels>"
    install(
        org,
        {
            "objects/Invoice__c.object": f'<CustomObject xmlns="{NAMESPACE}">{field}</CustomObject>'.encode(),
            "labels/CustomLabels.labels": f'<CustomLabels xmlns="{NAMESPACE}">{label}</CustomLabels>'.encode(),
        },
    )
    after = take(scope, before)
    changes = [(one.type, one.key, one.what) for one in compare(store, before, after)]
    assert [one for one in changes if one[0] != "Profile"] == [
        ("CustomField", "Invoice__c.Extra__c", "created"),
        ("CustomLabel", "Extra", "created"),
    ]
    shown = [field.name for one in compare(store, before, after) if one.type == "Profile" for field in one.fields]
    assert set(shown) <= {"fieldPermissions[Invoice__c.Extra__c]"}


def test_a_flow_version_is_found(take: Any, store: CaptureStore, practice: Any) -> None:
    scope = Scope(metadata_include=("Flow", "FlowDefinition"), objects=())
    before = take(scope)
    flows = [one for one in store.load_components(before.ulid) if one.type == "Flow"]
    name = flows[0].full_name
    (content,) = store.load_files(before.ulid, flows[0].files).values()
    org = practice.estate.org(practice.orgs["UATFULL"].org_id)
    install(org, {f"flows/{name}.flow": content.replace(b"<label>", b"<label>Newer ", 1)})
    changes = {(one.type, one.key): one for one in compare(store, before, take(scope, before))}
    assert set(changes) == {("Flow", name), ("FlowDefinition", name)}
    assert any(one.name.startswith("versions[") for one in changes["FlowDefinition", name].fields)


def test_one_retrieve_or_many_give_one_snapshot(take: Any, store: CaptureStore, practice: Any) -> None:
    scope = Scope(objects=())
    whole = take(scope)
    practice.estate.settings.put("retrieve_file_limit", 60)
    halved = take(scope, whole)
    assert [one for one in halved.coverage if one.state == "not-retrieved"] == []
    assert [(one.type, one.key, [two.name for two in one.fields][:4]) for one in compare(store, whole, halved)] == []
    assert whole.snapshot_id == halved.snapshot_id


class Killed(BaseException):
    """As if the process died here."""


@pytest.mark.parametrize("step", [1, 2, 4, 6, 9, 12] if LONG else [2, 9])
def test_a_killed_capture_is_continued(take: Any, store: CaptureStore, practice: Any, step: int) -> None:
    whole = take(FEW, rest_rows=0)
    count = 0

    def dying(event: Event) -> None:
        nonlocal count
        count += 1
        if count == step:
            raise Killed

    with pytest.raises(Killed):
        take(FEW, rest_rows=0, on_event=dying)
    assert store.load_all() == (whole,)
    change_account(practice, account(practice), Description="while nobody looked")
    events: list[Event] = []
    again = take(FEW, rest_rows=0, on_event=events.append)
    assert any(isinstance(one, Noted) and "Continuing" in one.text for one in events)
    assert verify_capture(store, again.ulid, deep=True) == again
    assert [(one.key, [two.name for two in one.fields]) for one in compare(store, whole, again)] == [
        (account(practice), ["Description"])
    ]
    assert len(list((store.root / "captures").iterdir())) == len(list((store.root / "keys").iterdir())) == 2


def test_types_that_share_a_list_call_are_listed_as_each_alone(
    reader: OrgReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the org does not list spoils no other, and is told; what lies elsewhere than its type is asked alone."""
    types = reader.fetch_metadata_types()
    broken = [*types, MetadataType("Nonsense", "nonsense", None, in_folder=False, meta_file=False)]
    together, spoilt = fetch_listing(reader, types), fetch_listing(reader, broken)
    alone: dict[str, tuple[str, ...]] = {}
    for one in types:
        with listing_threads() as pool:
            alone |= ListingWork(reader, [one], pool, flows=False).result().members
    assert together.members == spoilt.members == alone and len(alone) > 20
    assert together.items == spoilt.items
    assert [one.name for one in spoilt.coverage if one.state == "not-listable"] == ["Nonsense"]
    real = OrgReader.fetch_metadata_lists

    def mistaken(reader: OrgReader, asked: Any) -> Any:
        found = real(reader, asked) or {}
        return dict(zip(found, [*list(found.values())[1:], *list(found.values())[:1]], strict=True))

    monkeypatch.setattr(OrgReader, "fetch_metadata_lists", mistaken)
    assert fetch_listing(reader, types).members == alone


def test_leftovers_of_another_purpose_are_swept(take: Any, store: CaptureStore) -> None:
    def dying(event: Event) -> None:
        if isinstance(event, Advanced) and event.work == "records":
            raise Killed

    with pytest.raises(Killed):
        take(FEW, on_event=dying)
    taken = take(Scope(metadata_include=(), objects=("Account",)))
    assert [one.name for one in (store.root / "captures").iterdir()] == [taken.ulid]
    assert [one.name for one in (store.root / "keys").iterdir()] == [taken.ulid]


def test_a_comparison_sweeps_no_baseline_that_stopped_part_way(take: Any, store: CaptureStore) -> None:
    before = take(Scope(metadata_include=(), objects=("Account",)))

    def dying(event: Event) -> None:
        if isinstance(event, Advanced) and event.work == "records":
            raise Killed

    with pytest.raises(Killed):
        take(FEW, on_event=dying)
    take(Scope(metadata_include=(), objects=("Account",)), before)
    events: list[Event] = []
    take(FEW, on_event=events.append)
    assert any(isinstance(one, Noted) and "Continuing" in one.text for one in events)


def test_what_changes_while_the_capture_runs_is_read_again(take: Any, store: CaptureStore, practice: Any) -> None:
    changed, deleted = account(practice, 3), new_account(practice, "Soon gone")
    meddled: list[str] = []

    def meddling(event: Event) -> None:
        if isinstance(event, Advanced) and event.work == "metadata" and not meddled:
            change_account(practice, changed, Description="late")
            practice.ask("UATFULL", "DELETE", f"sobjects/Account/{deleted}")
            meddled.append(new_account(practice, "Late"))

    taken = take(FEW, rest_rows=0, on_event=meddling)
    rows = {row["Id"]: row["Description"] for row in store.load_rows(taken.ulid, "Account", None, ["Description"])}
    assert rows[changed] == "late" and deleted not in rows and meddled[0] in rows
    assert taken.verdict == "usable"
    assert verify_capture(store, taken.ulid, deep=True) == taken
    assert compare(store, taken, take(FEW, taken)) == ()


@pytest.mark.parametrize("deed", ["truncate", "lose-reply", "503-html"] if LONG else ["truncate"])
def test_broken_pages_are_fetched_again(take: Any, store: CaptureStore, practice: Any, deed: Any) -> None:
    whole = take(FEW, rest_rows=0)
    practice.faults.add(("GET", r"/results\?|/results$"), nth=1, do=deed, times=2)
    assert take(FEW, whole, rest_rows=0).snapshot_id == whole.snapshot_id


def test_a_scope_names_what_is_not_there(take: Any) -> None:
    taken = take(Scope(metadata_include=("CustomLabels",), objects=("Account", "Ghost__c", "Campaign")))
    assert [one.name for one in taken.coverage if one.state == "unreadable"] == ["Ghost__c"]
    assert taken.verdict == "hollow" and taken.hollow == ("Campaign",)


def test_a_filter_is_frozen_with_the_capture(take: Any, store: CaptureStore, practice: Any) -> None:
    name = "A name that only one has"
    change_account(practice, account(practice), Name=name)
    events: list[Event] = []
    scope = Scope(
        metadata_include=(), objects=("Account",), where={"Account": f"Name = '{name}' AND CreatedDate <= TODAY"}
    )
    taken = take(scope, on_event=events.append)
    assert [row["Id"] for row in store.load_rows(taken.ulid, "Account", None, [])] == [account(practice)]
    assert "TODAY" not in (taken.scope.objects[0].where or "")
    assert any(isinstance(one, Noted) and "Name" in one.text for one in events)
    assert take(scope, taken).scope == taken.scope


def test_a_refreshed_sandbox_is_not_compared(take: Any, reader: OrgReader, store: CaptureStore) -> None:
    from dataclasses import replace

    taken = take(Scope(metadata_include=(), objects=("Account",)))
    with pytest.raises(GenerationChanged):
        take(FEW, replace(taken, org_id="00D000000000009AAA"))
    assert fetch_estimate(reader, Scope(objects=("Account",))).rows == taken.record_count
    assert {one.name: one.rows for one in fetch_estimate(reader, Scope()).objects}["Account"] == taken.record_count


def test_an_estimate_is_near_what_is_stored(
    take: Any, reader: OrgReader, store: CaptureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all rows of few it is exact but for the encryption; a sample comes from the middle and the end."""
    lines = Scope(metadata_include=("CustomLabels",), objects=("InvoiceLine__c",))
    taken = take(lines)
    stored = sum((store.folder(taken.ulid) / part.path).stat().st_size for part in taken.objects[0].parts)
    monkeypatch.setattr("rehearse.baseline.estimate._SAMPLE_ROWS", 500)
    (exact,) = fetch_estimate(reader, lines).objects
    assert 0.98 < exact.disk / stored < 1.02
    monkeypatch.setattr("rehearse.baseline.estimate._SAMPLE_ROWS", 100)
    (sampled,) = fetch_estimate(reader, lines).objects
    assert 2 * 500 > sampled.rows == exact.rows > 2 * 100
    assert 0.9 < sampled.bytes / exact.bytes < 1.1 and 0.8 < sampled.disk / stored < 1.2
    assert (sampled.bytes, sampled.disk) != (exact.bytes, exact.disk)


def test_bulk_leaves_no_job_and_no_page_behind(take: Any, store: CaptureStore, practice: Any) -> None:
    take(FEW, rest_rows=0)
    jobs = practice.ask("UATFULL", "GET", "jobs/query").json()["records"]
    assert jobs == []
    assert not [one for one in Path(store.root).rglob("*") if one.suffix in (".csv", ".zip", ".tmp")]
