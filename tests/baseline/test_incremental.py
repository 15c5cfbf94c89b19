"""Increments: whatever changed in between, an incremental capture and a full one have the same snapshot id."""

import base64
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from rehearse.baseline import incremental, silent_changes
from rehearse.baseline.bodies import load_body
from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.compare import compare
from rehearse.baseline.model import Capture, Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.repair import repair_capture
from rehearse.baseline.store_model import Damage
from rehearse.baseline.verify import verify_capture
from rehearse.org.connect import connect_reader
from rehearse.org.model import Login
from rehearse.org.reader import OrgReader
from rehearse.org.transport import WireOptions
from rehearse.practice import rows
from rehearse.practice.deploy import install
from rehearse.practice.org_state import OrgState

OBJECTS = ("Account", "Contact", "Invoice__c", "InvoiceLine__c", "Project__c", "Routing__c", "Task")
SCOPE = Scope(metadata_include=("RemoteSiteSetting",), objects=OBJECTS, may_be_empty=("all",))
FOLDERS = ("Report Receivables", "Report Service")
QUICK = WireOptions(attempts=3, first_poll=0.01, longest_poll=0.1, wait_seconds=0.01, longest_wait=0.02)
SEEDS = range(1, 30 if os.environ.get("REHEARSE_TEST") == "all" else 2)


@pytest.fixture
def reader(practice: Any) -> Iterator[OrgReader]:
    org = practice.orgs["UATFULL"]
    login = Login("token", url=practice.url, secret=org.access_token)
    with connect_reader(login, ca_bundle=practice.ca_file, options=QUICK) as opened:
        yield opened


@pytest.fixture
def take(reader: OrgReader, store: CaptureStore) -> Callable[..., Capture]:
    def taken(base: Capture | None = None, rest_rows: int = 20, scope: Scope = SCOPE) -> Capture:
        return capture(reader, CaptureRequest("UATFULL", scope, rest_rows=rest_rows, base=base), store)

    taken.store = store  # type: ignore[attr-defined]
    return taken


@pytest.fixture
def world(practice: Any) -> "World":
    return World(practice.estate.org(practice.orgs["UATFULL"].org_id))


class World:
    """Somebody who changes the sandbox at random, in its own database."""

    def __init__(self, org: OrgState) -> None:
        self.org = org
        with org.lock:
            self.user = str(org.db.execute('SELECT "Id" FROM "User" WHERE "Alias" = \'admin\'').fetchone()[0])

    def ids(self, object: str, deleted: bool = False) -> list[str]:
        with self.org.lock:
            found = self.org.db.execute(
                f'SELECT "Id" FROM "{object}" WHERE "IsDeleted" = ? ORDER BY "Id"', (int(deleted),)
            ).fetchall()
        return [str(row[0]) for row in found]

    def change(self, chance: random.Random) -> None:
        object = chance.choice(("Account", "Contact", "Task", "Routing__c", "Project__c"))
        field = {"Routing__c": "Remark__c", "Project__c": "Name"}.get(object, "Description")
        what = chance.choice(("update", "update", "insert", "delete", "hard", "undelete", "parent"))
        live, binned = self.ids(object), self.ids(object, deleted=True)
        if what == "update":
            chosen = chance.sample(live, min(len(live), chance.randint(1, 5)))
            values = [{"Id": one, field: f"changed {chance.random()}"} for one in chosen]
            rows.update(self.org, self.user, object, values, automation=False)
        elif what == "insert" and object in ("Account", "Contact"):
            made = {"Name": "New"} if object == "Account" else {"LastName": "New"}
            rows.insert(self.org, self.user, object, [made], automation=False)
        elif what in ("delete", "hard") and live:
            rows.delete(self.org, self.user, [chance.choice(live)], hard=what == "hard")
        elif what == "undelete" and binned:
            rows.undelete(self.org, self.user, [chance.choice(binned)])
        elif what == "parent":  # clears or takes along what points at it
            rows.delete(self.org, self.user, [chance.choice(self.ids("Account"))])


@pytest.mark.parametrize("seed", SEEDS)
def test_an_increment_is_what_a_full_capture_is(
    take: Any, store: CaptureStore, world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incremental, "MOST_DELTAS", 2)
    chance = random.Random(seed)
    last = take()
    for number in range(4):
        for _ in range(chance.randint(0, 8)):
            world.change(chance)
        monkeypatch.setattr(silent_changes, "_A_PAGE", chance.choice((1, 3, 2_000)))
        increment, full = take(as_long_ago(last) if number == 1 else last), take()
        assert {one.object: one.filled for one in increment.objects} == {
            one.object: one.filled for one in full.objects
        }, seed
        assert {one.object: (one.rows, one.digest_sum) for one in increment.objects} == {
            one.object: (one.rows, one.digest_sum) for one in full.objects
        }, seed
        assert increment.snapshot_id == full.snapshot_id and increment.verdict == "usable"
        verify_capture(store, increment.ulid, deep=True)
        assert compare(store, increment, full) == ()
        last = increment


def as_long_ago(capture: Capture) -> Capture:
    """A capture of the time when references were not counted yet."""
    objects = (
        replace(one, filled={}, parts=tuple(replace(part, filled={}) for part in one.parts)) for one in capture.objects
    )
    return replace(capture, objects=tuple(objects))


def test_an_object_that_did_not_change_takes_two_calls(take: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What moved, and what there is; and nothing of its stored rows is read again."""
    scope = Scope(metadata_include=(), objects=("InvoiceLine__c",))
    base = take(scope=scope)
    asked: list[str] = []
    real = OrgReader.fetch_rows

    def listening(reader: OrgReader, soql: str, **more: Any) -> Any:
        asked.append(soql)
        return real(reader, soql, **more)

    monkeypatch.setattr(OrgReader, "fetch_rows", listening)
    monkeypatch.setattr(CaptureStore, "open_parts", None)
    increment = take(base, scope=scope)
    assert increment.snapshot_id == base.snapshot_id and increment.objects[0].filled == base.objects[0].filled
    assert sum(" FROM InvoiceLine__c" in one for one in asked) == 2
    assert any(number for number in increment.objects[0].filled.values())


def test_metadata_that_did_not_change_is_not_retrieved(take: Any, reader: OrgReader, practice: Any) -> None:
    scope = Scope(objects=())
    base = take(scope=scope)
    asked: list[str] = []
    real = OrgReader.retrieve
    org = practice.estate.org(practice.orgs["UATFULL"].org_id)

    def listening(reader: OrgReader, manifest: Any, *more: Any) -> Any:
        asked.extend(f"{type} {name}" for type, names in manifest.items() for name in names)
        return real(reader, manifest, *more)

    (path,) = next(one.files for one in take.store.load_components(base.ulid) if one.type == "RemoteSiteSetting")
    content = take.store.load_files(base.ulid, [path])[path]
    install(org, {path: content.replace(b"https://", b"https://new-")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OrgReader, "retrieve", listening)
        increment = take(base, scope=scope)
    full = take(scope=scope)
    assert increment.snapshot_id == full.snapshot_id != base.snapshot_id and increment.verdict == "usable"
    assert sum(one.startswith("RemoteSiteSetting") for one in asked) == 1
    assert not any(one.startswith(("Report", "StaticResource")) and one not in FOLDERS for one in asked)
    assert any(one.startswith("Profile") for one in asked) and increment.manifest == full.manifest


def test_contents_of_files_come_along_when_layers_are_folded(
    take: Any, store: CaptureStore, practice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when a damaged capture is repaired: nobody else has them once the base is pruned."""
    account = practice.ask("UATFULL", "GET", "query", params={"q": "SELECT Id FROM Account LIMIT 1"}).json()
    sent = [
        {"Name": f"{one}.bin", "ParentId": account["records"][0]["Id"], "Body": base64.b64encode(one * 99).decode()}
        for one in (b"old", b"new")
    ]
    kept = practice.ask("UATFULL", "POST", "sobjects/Attachment", json=sent[0]).json()["id"]
    scope = Scope(metadata_include=(), objects=("Attachment",), files=True)
    base = take(rest_rows=0, scope=scope)
    practice.ask("UATFULL", "POST", "sobjects/Attachment", json=sent[1])
    monkeypatch.setattr(incremental, "MOST_DELTAS", 0)
    folded = take(base, rest_rows=0, scope=scope)
    assert {part.capture for one in folded.objects for part in one.parts} == {""}
    repaired = repair_capture(store, folded, Damage(folded.ulid, {}, None))
    for one in (folded, repaired):
        verify_capture(store, one.ulid, deep=True)
        (row,) = store.load_rows(one.ulid, "Attachment", [kept], ["Body"])
        assert load_body(store, one.ulid, "Attachment", str(row["Body"])) == b"old" * 99
