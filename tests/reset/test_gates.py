"""The quiet gate: running work closes it, recent edits of others are named."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from rehearse import clock
from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Scope
from rehearse.cli.gate import QuietGate, after_ourselves, expect_first, expect_reading, read_patience, tell_passed
from rehearse.errors import GateClosed, UsageError
from rehearse.events import Event, Noted
from rehearse.org.reader import OrgReader
from rehearse.practice import apex_jobs
from rehearse.reset.gates import PAUSE, RECENT, Noise, Patience, await_quiet, fetch_noise, require_quiet
from rehearse.reset.prove import ProofRequest, prove


def test_a_quiet_org_says_nothing(lab: Any) -> None:
    assert [one for one in fetch_noise(lab.writer.reader, ("Routing__c",)) if one.blocks] == []


def test_a_queued_job_closes_the_gate_and_an_edit_is_named(lab: Any) -> None:
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "theirs"}, by="admin")
    noise = fetch_noise(lab.writer.reader, ("Routing__c",))
    assert any("1 rows of Routing__c" in warning for warning in require_quiet(noise))
    with lab.org.transaction() as db:
        columns = [row[1] for row in db.execute('PRAGMA table_info("AsyncApexJob")')]
        values = {"Id": "707000000000001AAA", "Status": "Queued", "JobType": "BatchApex", "IsDeleted": 0}
        known = {name: value for name, value in values.items() if name in columns}
        marks = ", ".join("?" for _ in known)
        names = ", ".join(f'"{name}"' for name in known)
        db.execute(f'INSERT INTO "AsyncApexJob" ({names}) VALUES ({marks})', tuple(known.values()))
    with pytest.raises(GateClosed, match="Apex jobs"):
        require_quiet(fetch_noise(lab.writer.reader, ()))


def test_what_could_not_be_asked_is_named() -> None:
    assert require_quiet([Noise("deployments", "not asked: INVALID_TYPE", False)]) == (
        "deployments: not asked: INVALID_TYPE",
    )


def test_waiting_ends_with_quiet_or_with_the_bound() -> None:
    busy, mine = Noise("bulk loads of somebody else", "insert of Account by Ada", True), Noise("was", "it", False, True)
    slept: list[float] = []
    looks = iter([[busy], [mine], []])
    patience = Patience(timedelta(minutes=1), strict=True, sleep=slept.append)
    assert await_quiet(lambda: next(looks), patience) == ()
    assert slept == [15.0, 15.0]
    slept.clear()
    with pytest.raises(GateClosed, match="Ada"):
        await_quiet(lambda: [busy], patience)
    assert sum(slept) == 60
    assert await_quiet(lambda: [mine], Patience()) == ("was: it",)


def test_a_load_of_somebody_else_and_a_due_schedule_are_named(lab: Any) -> None:
    jobs = "/services/data/v67.0/jobs/ingest"
    with lab.org.lock:
        (script,) = lab.org.db.execute("SELECT name FROM meta_component WHERE type = 'ApexClass' LIMIT 1").fetchone()
    apex_jobs.schedule_apex(lab.org, lab.user("admin"), script, lab.org.now() + timedelta(minutes=5))
    apex_jobs.start_apex(lab.org, lab.user("admin"), script)
    token = lab.server.estate.issue_token(lab.org, lab.user("loader"))
    started = requests.post(
        lab.server.http_url + jobs,
        json={"object": "Account", "operation": "insert"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    ).json()
    put = lab.server.http_url + f"{jobs}/{started['id']}"
    headers = {"Authorization": f"Bearer {token}"}
    requests.put(f"{put}/batches", data="Name\nA\n", headers={**headers, "Content-Type": "text/csv"}, timeout=10)
    real = OrgReader.fetch_load_jobs(lab.writer.reader)
    assert [one.object for one in real] == ["Account"]
    with pytest.raises(GateClosed) as closed:
        require_quiet(fetch_noise(lab.writer.reader, ()))
    said = closed.value.message
    assert "stopped in Setup > Scheduled Jobs" in str(closed.value.hint)
    assert expect_first(lab.writer.reader, ("Account", "Nothing__c")) == RECENT  # a few hundred rows
    assert lab.writer.reader.fetch_record_counts()["Account"] == len(lab.pick('"Account" WHERE "IsDeleted" = 0'))
    assert f"{script} (BatchApex) by" in said and f"{script} daily at" in said and " UTC by " in said
    assert "ScheduledApex" not in said


@pytest.mark.parametrize("ends", [True, False])
def test_a_capture_that_waited_at_the_gate_asks_anew_and_one_that_did_not_get_through_leaves_nothing(
    lab: Any, ends: bool
) -> None:
    with lab.org.lock:
        (script,) = lab.org.db.execute("SELECT name FROM meta_component WHERE type = 'ApexClass' LIMIT 1").fetchone()
    job = apex_jobs.start_apex(lab.org, lab.user("admin"), script)

    def pause(_: float) -> None:
        if ends:
            lab.update("Routing__c", {"Id": route, "Remark__c": "written while it waited"}, by="admin")
            apex_jobs.end_apex(lab.org, job)
        waited.append(lab.org.now())

    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    waited: list[Any] = []
    said: list[Event] = []
    before = {one.name for one in (lab.store.root / "captures").glob("*")}
    scope, patience = (
        Scope(metadata_include=(), objects=("Routing__c",), objects_exclude=("NoSuch__c",)),
        Patience(PAUSE, sleep=pause),
    )
    gate = QuietGate(lab.writer.reader, scope, patience, RECENT, said.append)
    request = CaptureRequest("UATFULL", scope, gate=gate)
    if not ends:
        with pytest.raises(GateClosed, match="Apex jobs"):
            capture(lab.writer.reader, request, lab.store, said.append)
        assert {one.name for one in (lab.store.root / "captures").glob("*")} == before
        return
    taken = capture(lab.writer.reader, request, lab.store, said.append)
    assert len(waited) == 1 and taken.started >= waited[0].replace(microsecond=0)
    (row,) = [one for one in lab.store.load_rows(taken.ulid, "Routing__c", [route], ["Remark__c"])]
    assert row["Remark__c"] == "written while it waited"
    assert len([one for one in said if isinstance(one, Noted) and "NoSuch__c" in one.text]) == 1


def test_a_closed_gate_says_how_much_it_does_not_name() -> None:
    noise = [Noise(f"work {number}", "by Ada", True) for number in range(5)]
    with pytest.raises(GateClosed, match="work 2 .by Ada.; and 2 more"):
        require_quiet(noise)


def test_a_reset_waits_for_writes_of_others_only_where_it_is_told_to() -> None:
    mine = Noise("written in the last 10 minutes", "2 rows of Account, by Ada", False, True)
    slept: list[float] = []
    hasty, patient = read_patience("0m"), replace(read_patience("1m"), sleep=slept.append)
    assert await_quiet(lambda: [mine], hasty) == (f"{mine.what}: {mine.detail}",)
    with pytest.raises(GateClosed, match="Ada") as closed:
        await_quiet(lambda: [mine], patient)
    assert sum(slept) == 60 and "without --wait" in closed.value.hint
    proof = after_ourselves(patient)  # writes of others during an apply are graded, not awaited
    assert not proof.strict and proof.bound > patient.bound and await_quiet(lambda: [mine], proof)
    with pytest.raises(UsageError):
        read_patience("2bd")


def test_a_proof_rests_on_nobody_going_on_with_what_the_gate_let_pass(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",))
    request = ProofRequest("B1", before, clock.now(), busy=("written in the last 10 minutes: 1 rows, by Ada",))
    proof = prove(lab.writer.reader, lab.store, request)
    assert proof.verdict == "clean" and proof.assumptions[-1].endswith("1 rows, by Ada")


def test_production_never_stands_still_and_is_read_all_the_same_where_somebody_says_so() -> None:
    noise = [Noise("Apex jobs queued or running", "1: Nightly by Ada", True), Noise("was", "it", False, True)]
    assert require_quiet(noise, Patience(strict=False, open=True)) == (
        "Apex jobs queued or running: 1: Nightly by Ada", "was: it",
    )  # fmt: skip
    with pytest.raises(GateClosed):
        require_quiet(noise, Patience(strict=False))


def test_what_is_due_is_asked_for_as_long_as_the_work_may_take() -> None:
    """A first capture by the rows there are, later ones and resets by what went before."""
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    took = Took(at, at + timedelta(hours=4))
    assert (expect_reading(took), expect_reading(took, full=False)) == (timedelta(hours=6), timedelta(hours=1.2))  # type: ignore[arg-type]
    assert expect_reading(Took(at, at)) == expect_reading(None) == RECENT  # type: ignore[arg-type]
    assert expect_first(Counted({"Account": 5_040_000, "Lead": 9}), ["Account"]) == timedelta(hours=1)  # type: ignore[arg-type]


@dataclass
class Took:
    """When a capture began and ended."""

    started: datetime
    ended: datetime


@dataclass
class Counted:
    """An org that tells how many rows it has."""

    counts: dict[str, int]

    def fetch_record_counts(self) -> dict[str, int]:
        return self.counts


def test_what_the_gate_let_pass_is_told_once_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    tell_passed(("was: it", "new: this"), told=("was: it",))
    assert capsys.readouterr().err == "note: new: this\n"
