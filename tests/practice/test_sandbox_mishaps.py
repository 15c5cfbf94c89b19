"""Mishaps of copies: suspended, stopped, locked, killed half-way, and two processes on one folder."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from rehearse.practice import admin
from rehearse.practice.estate import Estate
from rehearse.practice.http_errors import ApiError
from rehearse.practice.sandbox_engine import pulse
from rehearse.practice.sandbox_rows import SandboxRows
from rehearse.practice.virtual_clock import START

MINUTE = timedelta(minutes=1)


def test_sandbox_2_3_a_suspended_copy_recovers_and_loses_only_the_pause(company):
    info_id = company.create()
    company.wait(minutes=5 + 600)
    admin.hold_copy(company.estate, "UAT", "suspend", 30)
    assert company.row(info_id)["Status"] == "Suspended"
    assert company.row(info_id)["CopyProgress"] == 50
    company.wait(days=5)
    assert company.newest(info_id).ended == START + (5 + 1200 + 30) * MINUTE


def test_sandbox_2_3_a_stopped_copy_frees_the_queue_and_can_be_queued_again(company):
    info_id = company.create()
    other = company.create("DEV", "Developer")
    company.wait(minutes=10)
    admin.hold_copy(company.estate, "UAT", "stop")
    company.wait(days=3)
    assert company.row(info_id)["Status"] == "Stopped"
    assert company.newest(other).started == START + 10 * MINUTE
    admin.resume_copy(company.estate, "UAT")
    company.finish()
    assert company.row(info_id)["Status"] == "Completed"


def test_sandbox_1_4_locked_sandboxes_refuse_everything_until_unlocked(company):
    info_id = company.ready("DEV", "Developer")
    company.wait(days=2)
    admin.lock_sandboxes(company.estate, locked=True)
    assert company.row(info_id)["Status"] == "Locked"
    for request in (lambda: company.refresh(info_id, "Developer"), lambda: company.create("NEW", "Developer")):
        with pytest.raises(ApiError) as refusal:
            request()
        assert refusal.value.code == "INSUFFICIENT_ACCESS"
    admin.lock_sandboxes(company.estate, locked=False)
    company.refresh(info_id, "Developer")


def test_a_step_that_a_killed_process_left_is_done_by_the_next_pulse(company):
    info_id = company.create("DEV", "Developer")
    company.estate.clock.move(timedelta(minutes=49))
    pulse(company.estate)
    assert company.newest(info_id).code == "2"
    # killed while building: a half-written file lies there, and the row still says Processing
    target = company.estate.org_path(company.newest(info_id).org)
    target.with_name(f"{target.name}.new").write_bytes(b"half")
    company.estate.clock.move(timedelta(days=1))
    pulse(company.estate)
    assert company.newest(info_id).code == "1"
    assert company.estate.sandbox("DEV").is_sandbox
    assert [one.name for one in target.parent.iterdir() if ".new" in one.name] == []


def test_two_estates_of_one_folder_do_not_copy_twice(company):
    info_id = company.create("DEV", "Developer")
    other = Estate.open(company.estate.folder)
    try:
        company.estate.clock.move(timedelta(days=1))
        pulse(other)
        pulse(company.estate)
        assert [one.code for one in SandboxRows(other.file).processes(info_id)] == ["1"]
        assert company.estate.sandbox("DEV").org_id == other.sandbox("DEV").org_id
    finally:
        other.close()


def test_a_request_under_way_in_the_old_org_ends_in_peace(company):
    info_id = company.ready("DEV", "Developer")
    old = company.estate.sandbox("DEV")
    company.wait(days=1)
    company.refresh(info_id, "Developer", AutoActivate=True)
    with old.transaction() as db:
        company.finish()
        assert db.execute('SELECT count(*) FROM "User"').fetchone() == (3,)
    assert company.estate.sandbox("DEV") is not old


def test_pulses_of_many_threads_beside_writers_neither_hang_nor_copy_twice(company):
    infos = [company.create(name, "Developer") for name in ("AAA", "BBB", "CCC")]
    production = company.estate.production

    def write(number):
        with production.transaction() as db:
            db.execute('UPDATE "Account" SET "Site" = ?', (production.stamp(),))
        company.estate.clock.move(timedelta(minutes=10))
        pulse(company.estate)
        return number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(40), timeout=60)) == list(range(40))
    assert [company.newest(one).code for one in infos] == ["1", "1", "1"]
    assert [company.newest(one).started - START for one in infos] == [5 * MINUTE, 50 * MINUTE, 95 * MINUTE]
    assert len(company.estate.orgs()) == 4
