"""Asking production for refreshes on the practice org: sent once, looked up when the reply is lost, refusals kept.

One world for all: each test takes a sandbox of its own. At the end every request that production received is held
against the list of what it may receive.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse import clock, lock, state
from rehearse.baseline.index import Baselines
from rehearse.baseline.model import Baseline
from rehearse.errors import AllowanceSpent, OrgUncertain, StoppedPartWay
from rehearse.journal import load_entries
from rehearse.org.connect import OrgReader, connect_reader
from rehearse.org.model import Login
from rehearse.practice import admin
from rehearse.refresh.act import Actor, ActSettings, Door, find_open, open_actor, run_of, was_asked_by_us
from rehearse.refresh.arrive import check_arrival, keep_arrival
from rehearse.refresh.loss import _is_copy, fetch_losses
from rehearse.refresh.model import Since
from rehearse.refresh.observe import observe
from rehearse.refresh.ready_store import load_arrival
from rehearse.schedule.ledger import build_availability
from rehearse.schedule.ledger_stages import load_stages
from rehearse.schedule.ledger_store import load_cycles

READ_SOAP = {"describeMetadata", "listMetadata", "retrieve", "checkRetrieveStatus", "getServerTimestamp"}
SHORT = ActSettings(timedelta(seconds=0), timedelta(seconds=0), 0.0)
PATIENT = ActSettings(timedelta(minutes=10), timedelta(seconds=0), 0.0)


class World:
    """A practice world, a workspace database, and production as it is asked."""

    def __init__(self, practice: Any, database: state.Database) -> None:
        self.practice, self.database = practice, database
        self.production: OrgReader = connect_reader(self.login("production"), ca_bundle=practice.ca_file)

    def login(self, name: str) -> Login:
        org = self.practice.production if name == "production" else self.practice.orgs[name]
        return Login("client_credentials", url=self.practice.url, client_id=org.client_id, secret=org.client_secret)

    def door(self) -> Door:
        return Door(self.login("production"), self.practice.ca_file, self.production.org_id)

    @property
    def now(self) -> datetime:
        return self.production.fetch_server_time()

    @contextmanager
    def actor(self, sandbox: str, settings: ActSettings = SHORT) -> Iterator[Actor]:
        with (
            lock.hold(self.database, sandbox, "test", clock.now()) as held,
            open_actor(self.door(), (self.database, held), settings) as actor,
        ):
            yield actor

    def request(self, sandbox: str, settings: ActSettings = SHORT) -> Any:
        with self.actor(sandbox, settings) as actor:
            return actor.request(actor.fetch_record(), "me", self.now)

    def cycles(self, sandbox: str) -> Any:
        observe(self.production, self.database, self.now)
        return load_cycles(self.database)[sandbox]

    def move(self, length: timedelta) -> None:
        admin.move_clock(self.practice.estate, length)

    def asked(self, method: str) -> int:
        return sum(1 for one in self.practice.production_requests() if one.method == method)


@pytest.fixture(scope="module")
def world(shared_practice: Any, module_folder: Path) -> Iterator[World]:
    database = state.open_database(module_folder)
    made = World(shared_practice, database)
    try:
        yield made
    finally:
        made.production.close()
        database.close()
    assert [one for one in shared_practice.production_requests() if not _may_be_received(one)] == []


def _may_be_received(one: Any) -> bool:
    """Design section 1, as far as these tests go: reads, the token request, and the sandbox lifecycle."""
    if one.operation is not None:
        return one.operation in READ_SOAP
    lifecycle = one.method == "PATCH" and re.search(r"/tooling/sobjects/Sandbox(Info|Process)/\w+$", one.path)
    return one.method == "GET" or one.path == "/services/oauth2/token" or bool(lifecycle)


def test_a_refresh_is_asked_for_once_with_every_field_and_turned_into_a_new_org(world: World) -> None:
    before = world.cycles("DEV1")[-1]
    with world.actor("DEV1") as actor:
        record = actor.fetch_record()
        taken = actor.request(record, "me", world.now)
        assert taken.copy is not None and taken.copy.id != before.id and not taken.found and taken.differs == ()
        actor._journal.open("refresh", {"sandbox": record.id, "newest": before.id, "by": "me"})  # killed after the call
        sent, again = world.asked("PATCH"), actor.request(record, "me", world.now)
        assert again.found and again.copy == taken.copy and world.asked("PATCH") == sent
        after = actor.fetch_record()
    assert {**after.fields, "AutoActivate": None} == {**record.fields, "AutoActivate": None}
    assert after.fields["AutoActivate"] is False
    cycle = world.cycles("DEV1")[-1]
    assert cycle.state in ("pending", "copying") and cycle.expected_p50 is not None
    assert build_availability("DEV1", None, world.cycles("DEV1"), world.now).refreshable == "no"

    world.move(timedelta(hours=2))
    cycle = world.cycles("DEV1")[-1]
    assert cycle.state == "pending-activation" and cycle.copied and cycle.started
    assert [one.number for one in load_stages(world.database)[cycle.id]] == [0, 1, 2, 3]

    index = Baselines(world.database)
    common: dict[str, Any] = {
        "sandbox": "DEV1", "capture": "01", "snapshot_id": "a" * 64, "taken_at": world.now, "records": 1,
        "components": 1, "bytes": 1, "verdict": "usable", "host": "h", "store": "s", "manifest_sha256": "b",
    }  # fmt: skip
    index.add(Baseline(name="B1", org_id=str(before.org_id), **common))
    copy = replace(taken.copy, id=cycle.id)
    with world.actor("DEV1") as actor:
        assert actor.activate(copy, "me").copy.state == "activating"  # type: ignore[union-attr]
        actor._journal.open("activate", {"copy": copy.id, "by": "me"})  # as a kill after the call leaves it
    sent = world.asked("PATCH")
    assert find_open(world.database, "dev1") == {"activate"}
    with world.actor("DEV1", PATIENT) as actor:
        assert actor.activate(copy, "me").found and world.asked("PATCH") == sent
    assert find_open(world.database, "DEV1") == set() and was_asked_by_us(world.database, "DEV1", copy.id)
    with world.actor("SIT1") as actor:
        actor._journal.close(actor._journal.open("activate", {"copy": copy.id}), {"copy": copy.id})
    assert not was_asked_by_us(world.database, "SIT1", copy.id), "it was activated here, and asked for elsewhere"
    world.move(timedelta(hours=1))
    cycle = world.cycles("DEV1")[-1]
    assert cycle.state == "completed" and cycle.activated and index.find("B1").voided is not None

    with connect_reader(world.login("DEV1"), ca_bundle=world.practice.ca_file) as reader:
        check_arrival("dev1", cycle, reader, world.production)
        assert keep_arrival(world.database, "DEV1", cycle, "me", world.now)
        assert not keep_arrival(world.database, "dev1", cycle, "me", world.now)
    assert load_arrival(world.database, "DEV1", str(cycle.org_id)) is not None


def test_the_refusal_of_a_refresh_that_comes_too_early_is_kept_with_its_text(world: World) -> None:
    sent = world.asked("PATCH")
    taken = world.request("UATFULL")
    assert world.asked("PATCH") == sent + 1
    assert taken.copy is None and taken.refusal.text == "Refresh date hasn't been met"
    last = world.cycles("UATFULL")[-1]
    assert [one.text for one in last.refusals] == ["Refresh date hasn't been met"]
    found = build_availability("UATFULL", None, world.cycles("UATFULL"), world.now)
    assert "Refresh date hasn't been met" in found.note and not found.settled


def test_what_the_org_certainly_did_not_do_may_be_asked_for_again_at_once(world: World) -> None:
    """A limit stood in the journal as a request whose end nobody knows: the next one had to wait ten minutes."""
    with world.actor("UATFULL", PATIENT) as actor:
        record = actor.fetch_record()
        copy = actor.fetch_newest(record.id)
        assert copy is not None
        for path in ("/tooling/sobjects/SandboxInfo", "/tooling/sobjects/SandboxProcess"):
            world.practice.faults.add(("PATCH", path), do="403-limit")
        with pytest.raises(AllowanceSpent):
            actor.request(record, "me", world.now)
        with pytest.raises(AllowanceSpent):
            actor.activate(copy, "me")
    assert find_open(world.database, "UATFULL") == set()


def test_a_lost_reply_is_looked_up_and_never_sent_again(world: World) -> None:
    world.practice.faults.add(("PATCH", "/tooling/sobjects/SandboxInfo"), do="lose-reply")
    sent = world.asked("PATCH")
    taken = world.request("PERFFULL", PATIENT)
    assert taken.found and taken.copy.state in ("pending", "copying")
    again = world.request("PERFFULL", PATIENT)
    assert again.refusal is not None, "the first request was taken: a second one is refused by the platform"
    assert world.asked("PATCH") == sent + 2
    kinds = [(one.kind, one.result) for one in load_entries(world.database, run_of("PERFFULL"))]
    assert kinds[0] == ("refresh", {"copy": taken.copy.id})


def test_after_a_kill_nothing_is_sent_before_it_is_known_what_became_of_the_request(world: World) -> None:
    def nothing(*args: object) -> None:
        raise OrgUncertain("lost")

    with world.actor("DEV2", PATIENT) as actor, pytest.MonkeyPatch.context() as patch:
        world.move(timedelta(days=2))
        record = actor.fetch_record()
        patch.setattr(actor._control, "request_refresh", nothing)
        with pytest.raises(StoppedPartWay):
            actor.request(record, "me", world.now)
    sent = world.asked("PATCH")
    with pytest.raises(StoppedPartWay, match="may have been taken"):
        world.request("DEV2", PATIENT)
    assert world.asked("PATCH") == sent
    taken = world.request("DEV2", SHORT)  # the platform's longest call is over: it never arrived
    assert taken.copy is not None and not taken.found and world.asked("PATCH") == sent + 1
    results = [one.result for one in load_entries(world.database, run_of("DEV2"))]
    assert results == [{"taken": False}, {"copy": taken.copy.id}]


def test_a_lost_reply_to_a_discard_leaves_the_old_org_and_the_ledger_says_discarded(world: World) -> None:
    world.move(timedelta(days=2))
    if world.cycles("DEV2")[-1].state != "pending-activation":  # the test before this one ran in another process
        world.request("DEV2")
        world.move(timedelta(days=2))
    cycle = world.cycles("DEV2")[-1]
    assert cycle.state == "pending-activation"
    old = build_availability("DEV2", None, world.cycles("DEV2"), world.now).org_id
    world.practice.faults.add(("PATCH", "/tooling/sobjects/SandboxProcess"), do="lose-reply")
    world.practice.estate.settings.put("discarded_ends_as", "1")  # as some orgs may show it: it was discarded by us
    with world.actor("DEV2", PATIENT) as actor:
        copy = actor.fetch_newest(cycle.sandbox_id)
        assert copy is not None and actor.discard(copy, "me").found
    world.move(timedelta(hours=1))
    cycles = world.cycles("DEV2")
    world.practice.estate.settings.clear("discarded_ends_as")
    found = build_availability("DEV2", None, cycles, world.now)
    assert cycles[-1].state == "discarded" and found.org_id == old and found.state == "completed"
    assert found.requested == cycles[-1].requested, "a discarded refresh is assumed to use up the interval"


def test_suspended_and_stopped_copies_are_told_apart(world: World) -> None:
    from rehearse.refresh.progress import build_progress

    world.move(timedelta(days=6))
    taken = world.request("SIT1")
    assert taken.copy is not None
    with world.actor("DEV2") as actor:  # whose newest copy is older than that of another sandbox
        newest = actor.fetch_newest(actor.fetch_record().id)
        assert newest is not None and newest.id == world.cycles("DEV2")[-1].id != taken.copy.id
    world.move(timedelta(hours=2))
    admin.hold_copy(world.practice.estate, "SIT1", "suspend", 90)
    found = build_progress("SIT1", world.cycles("SIT1"), ())
    assert found.verdict == "suspended" and "by itself" in found.words
    world.move(timedelta(hours=3))
    admin.hold_copy(world.practice.estate, "SIT1", "stop")
    found = build_progress("SIT1", world.cycles("SIT1"), ())
    assert found.verdict == "stopped" and "Salesforce Support" in found.words and "watch" in found.run_next


def test_stages_are_read_whichever_column_names_their_copy_and_left_out_under_one_that_nobody_knows(
    world: World,
) -> None:
    before = world.production.fetch_copy_stages()
    settings = world.practice.estate.settings
    try:
        settings.put("stage_parent_field", "SandboxProcess")
        assert {one.copy_id for one in world.production.fetch_copy_stages()} == {one.copy_id for one in before} != set()
        settings.put("stage_parent_field", "Parent")
        assert world.production.fetch_copy_stages() == () and world.cycles("DEV1")
    finally:
        settings.clear("stage_parent_field")


def test_a_baseline_is_never_voided_by_an_older_org(world: World) -> None:
    """Production names every copy `Locked` while licences are missing: nothing was refreshed."""
    force = next(one for one in reversed(world.cycles("UATFULL")) if one.state == "completed")
    index = Baselines(world.database)
    common: dict[str, Any] = {
        "capture": "02", "snapshot_id": "a" * 64, "taken_at": world.now, "records": 1, "components": 1, "bytes": 1,
        "verdict": "usable", "host": "h", "store": "s", "manifest_sha256": "b",
    }  # fmt: skip
    index.add(Baseline(name="kept", sandbox="UATFULL", org_id=str(force.org_id), **common))
    admin.lock_sandboxes(world.practice.estate, locked=True)
    try:
        assert world.cycles("UATFULL")[-1].state == "locked"
    finally:
        admin.lock_sandboxes(world.practice.estate, locked=False)
    assert index.find("kept").voided is None
    assert world.cycles("UATFULL")[-1].state == "completed"


def test_the_loss_guard_names_what_somebody_changed_and_nobody_else(world: World) -> None:
    force = world.cycles("UATFULL")[-1]
    org = world.practice.orgs["UATFULL"]
    with connect_reader(world.login("UATFULL"), ca_bundle=world.practice.ca_file) as reader:
        since = Since(force.activated, force.requested)
        quiet = fetch_losses(reader, world.production, since, ["Account"])
        assert quiet.is_empty and quiet.not_asked == ()
        row = next(iter(reader.fetch_rows("SELECT Id FROM Account LIMIT 1")))
        answer = world.practice.ask("UATFULL", "PATCH", f"sobjects/Account/{row['Id']}", json={"Name": "Changed here"})
        assert answer.status_code == 204
        body = {"Username": "only@here.example", "LastName": "Guest", "Email": "a@b.example", "Alias": "gue",
                "ProfileId": next(iter(reader.fetch_rows("SELECT Id FROM Profile LIMIT 1")))["Id"],
                "TimeZoneSidKey": "Europe/Dublin", "LocaleSidKey": "en_IE", "EmailEncodingKey": "UTF-8",
                "LanguageLocaleKey": "en_US"}  # fmt: skip
        assert world.practice.ask("UATFULL", "POST", "sobjects/User", json=body).status_code == 201
        losses = fetch_losses(reader, world.production, since, ["Account", "Contact"])
    assert org.is_sandbox
    assert [(one.where, one.count) for one in losses.records] == [("Account", 1)]
    assert "only@here.example" in {one.item.removeprefix("user ") for one in losses.keepsakes}
    assert all("Changed here" not in str(one) for one in (losses.records, losses.keepsakes, losses.setup))


def _soap(world: World, org: str, operation: str, inner: str) -> None:
    token = world.practice.orgs[org].access_token
    ours = "http://soap.sforce.com/2006/04/metadata"
    body = (
        f'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Header><SessionHeader xmlns="{ours}"><sessionId>'
        f'{token}</sessionId></SessionHeader></Header><Body><{operation} xmlns="{ours}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{inner}</{operation}></Body></Envelope>'
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    answer = world.practice.session.post(f"{world.practice.http_url}/services/Soap/m/67.0", data=body, headers=headers)
    assert "<success>true</success>" in answer.text, answer.text


def test_the_loss_guard_names_components_by_what_production_has_of_them(world: World) -> None:
    force = world.cycles("UATFULL")[-1]
    label = "<language>en_US</language><protected>false</protected><shortDescription>x</shortDescription>"
    changes = [
        f'<metadata xsi:type="CustomLabel"><fullName>{name}</fullName>{label}<value>v</value></metadata>'
        for name in ("Only_Here", "No_Route")
    ]
    _soap(world, "UATFULL", "createMetadata", changes[0])
    _soap(world, "UATFULL", "updateMetadata", changes[1])
    _soap(world, "UATFULL", "deleteMetadata", "<type>CustomLabel</type><fullNames>Visit_Done</fullNames>")
    _soap(
        world,
        "UATFULL",
        "createMetadata",
        '<metadata xsi:type="NamedCredential"><fullName>Bank</fullName><label>Bank</label><endpoint>https://b.example'
        "</endpoint><principalType>Anonymous</principalType><protocol>NoAuthentication</protocol></metadata>",
    )
    with connect_reader(world.login("UATFULL"), ca_bundle=world.practice.ca_file) as reader:
        losses = fetch_losses(reader, world.production, Since(force.activated, force.requested), [])
        alone = fetch_losses(reader, None, Since(force.activated, force.requested), [])
        world.practice.faults.add(("GET", "Username.*User"), nth=2, do="406")  # the second asks production
        hidden = fetch_losses(reader, world.production, Since(force.activated, force.requested), [])
    assert [one.partition(":")[0] for one in hidden.not_asked] == ["User of production"]
    assert not [one for one in hidden.keepsakes if one.item.startswith("user ")], "nobody knows who is in production"
    labels = {one.name: one.state for one in losses.components if one.type == "CustomLabel"}
    assert labels == {"Only_Here": "only here", "No_Route": "differs from production", "Visit_Done": "deleted here"}
    assert [(one.item, one.why) for one in losses.keepsakes if "Bank" in one.item] == [
        ("NamedCredential Bank", "its secret is not in any package")
    ]
    assert not [one for one in losses.keepsakes if "Label" in one.item] and losses.not_asked == ()
    assert {one.who for one in losses.setup} and all(one.count and one.where for one in losses.setup)
    # without production nothing is compared, nobody is called deleted, and no user is called one of this org alone
    assert {one.state for one in alone.components} == {"not compared"}
    assert {one.name for one in alone.components} >= {"Only_Here", "No_Route", "Bank"}
    assert not [one for one in alone.keepsakes if one.item.startswith("user ")]


def test_a_username_is_a_copy_of_productions_with_the_sandbox_behind_it() -> None:
    copies = ("Ana@acme.com.uat", "ana@acme.com", "x1ana@acme.com.uat")
    assert all(_is_copy(one, "ana@acme.com") for one in copies)
    assert not any(_is_copy(one, "ana@acme.com") for one in ("ben@acme.com.uat", "ana@acme.com.ie.uat"))
