"""The life of a copy in virtual time: every phase at its own right moment, however far the clock jumps."""

from datetime import timedelta

import pytest

from rehearse.practice import sandboxes
from rehearse.practice.http_errors import ApiError
from rehearse.practice.virtual_clock import START

MINUTE = timedelta(minutes=1)
TEMPLATE = "1ps000000000001"


def trace(company, info_id, steps):
    """The codes of the newest copy after each of these waits, in minutes."""
    seen = [company.newest(info_id).code]
    for minutes in steps:
        company.wait(minutes=minutes)
        seen.append(company.newest(info_id).code)
    return "".join(seen)


def test_a_new_full_sandbox_goes_through_its_codes(company):
    info_id = company.create()
    assert trace(company, info_id, [4, 1, 1199, 1, 10, 10, 10, 9, 1]) == "0022567881"


def test_sandbox_2_2_a_partial_copy_samples_first_and_shows_no_progress(company):
    info_id = company.create("SIT", "Partial", TemplateId=TEMPLATE)
    assert company.row(info_id)["CopyProgress"] is None
    assert trace(company, info_id, [5, 59, 1]) == "0XX2"
    assert company.row(info_id)["CopyProgress"] is None
    company.finish()
    assert company.row(info_id)["CopyProgress"] is None
    assert company.row(info_id)["Status"] == "Completed"


def test_sandbox_2_2_the_progress_of_a_copy_without_template_grows_to_100(company):
    info_id = company.create()
    seen = [company.row(info_id)["CopyProgress"]]
    for minutes in (5, 600, 599, 1):
        company.wait(minutes=minutes)
        seen.append(company.row(info_id)["CopyProgress"])
    assert seen == [0, 0, 50, 99, 100]


def test_rows_show_labels_beside_codes_and_an_org_id_of_15_characters(company):
    info_id = company.create()
    row = company.row(info_id)
    assert (row["Status"], row["_status_code"]) == ("Pending", "0")
    assert len(row["SandboxOrganization"]) == 15
    assert row["CreatedDate"] == "2026-11-23T08:00:00.000Z"
    company.wait(minutes=5 + 1200)
    assert (company.row(info_id)["Status"], company.row(info_id)["_status_code"]) == ("Activating", "5")
    company.estate.settings.put("activating_label", "")
    assert company.row(info_id)["Status"] == "Activating: Activation Confirmed"


def test_one_jump_gives_each_phase_its_own_time(company):
    info_id = company.create()
    company.wait(days=100)
    row = company.row(info_id)
    assert row["Status"] == "Completed"
    assert row["StartDate"] == "2026-11-23T08:05:00.000Z"
    assert row["EndDate"] == "2026-11-24T04:05:00.000Z"
    assert row["SystemModstamp"] == "2026-11-24T04:45:00.000Z"
    assert row["ActivatedDate"] is None


@pytest.mark.parametrize("jump", [True, False])
def test_sandbox_1_6_copies_run_one_after_another_in_the_order_of_requests(company, jump):
    first = company.create("AAA")
    second = company.create("BBB", "Developer")
    third = company.create("CCC", "Developer")
    if jump:
        company.wait(days=10)
    else:
        for _ in range(10 * 24):
            company.wait(hours=1)
    spans = [(company.newest(one).started - START, company.newest(one).ended - START) for one in (first, second, third)]
    assert spans == [
        (5 * MINUTE, 1205 * MINUTE),
        (1205 * MINUTE, 1250 * MINUTE),
        (1250 * MINUTE, 1295 * MINUTE),
    ]


def test_sandbox_1_6_a_small_copy_waits_in_the_queue_behind_a_large_one(company):
    company.create("AAA")
    small = company.create("BBB", "Developer")
    company.wait(hours=20)
    assert company.newest(small).code == "0"


def test_sandbox_1_3_a_refresh_waits_for_its_activation_while_the_old_org_lives_on(company):
    info_id = company.ready()
    old = company.estate.sandbox("UAT").org_id
    company.wait(days=29)
    company.refresh(info_id)
    company.finish()
    row = company.row(info_id)
    assert (row["Status"], row["ActivatedDate"]) == ("Pending Activation", None)
    assert row["EndDate"] is not None
    assert company.estate.sandbox("UAT").org_id == old
    assert row["SandboxOrganization"] != old[:15]
    company.wait(days=3)
    assert company.newest(info_id).code == "4"


def test_sandbox_1_3_an_activation_replaces_the_org_and_kills_its_tokens(company):
    info_id = company.ready()
    estate = company.estate
    old = estate.sandbox("UAT")
    old_id, token = old.org_id, estate.issue_token(old, company.admin_id)
    company.wait(days=29)
    company.refresh(info_id)
    company.finish()
    asked = estate.clock.now()
    company.activate(info_id)
    assert company.row(info_id)["RefreshAction"] == "ACTIVATE"
    company.wait(minutes=39)
    assert company.newest(info_id).code == "8"
    assert estate.token(token) is not None
    company.wait(minutes=1)
    row = company.row(info_id)
    assert row["Status"] == "Completed"
    assert company.newest(info_id).activated == asked + 40 * MINUTE
    assert row["ActivatedById"] == company.admin_id
    assert estate.token(token) is None
    assert not estate.org_path(old_id).exists()
    assert estate.sandbox("UAT").org_id[:15] == row["SandboxOrganization"] != old_id[:15]
    with pytest.raises(KeyError):
        estate.org(old_id)


def test_sandbox_1_3_auto_activate_needs_nobody(company):
    info_id = company.ready()
    company.wait(days=29)
    company.refresh(info_id, AutoActivate=True)
    company.wait(days=2)
    process = company.newest(info_id)
    assert process.code == "1"
    assert process.activated == process.ended + 40 * MINUTE
    assert process.activated_by == company.admin_id


def test_sandbox_1_3_a_discarded_copy_leaves_the_old_org_and_uses_up_the_interval(company):
    info_id = company.ready()
    old = company.estate.sandbox("UAT").org_id
    company.wait(days=29)
    company.refresh(info_id)
    company.finish()
    process = company.newest(info_id)
    sandboxes.discard(company.estate, process.id, company.admin_id)
    assert company.newest(info_id).code == "F"
    company.finish()
    assert company.row(info_id)["Status"] == "Deleted"
    assert company.estate.sandbox("UAT").org_id == old
    assert not company.estate.org_path(process.org).exists()
    with pytest.raises(ApiError) as refusal:
        company.refresh(info_id)
    assert refusal.value.code == "INVALID_OPERATION"
    company.estate.settings.put("discarded_refresh_counts", False)
    company.refresh(info_id)


def test_sandbox_1_3_a_copy_that_nobody_activates_is_dropped_after_30_days(company):
    info_id = company.ready()
    company.wait(days=29)
    company.refresh(info_id)
    company.finish()
    copied = company.newest(info_id).copied
    company.wait(days=60)
    process = company.newest(info_id)
    assert (process.code, process.discarded) == ("D", True)
    assert process.modified == copied + timedelta(days=30) + 10 * MINUTE
    assert company.estate.sandbox("UAT") is not None


def test_sandbox_1_4_a_sandbox_that_nobody_uses_for_180_days_is_deleted(company):
    info_id = company.ready()
    ready = company.estate.clock.now()
    company.wait(days=170)
    company.estate.issue_token(company.estate.sandbox("UAT"), company.admin_id)
    company.wait(days=179)
    assert company.newest(info_id).code == "1"
    company.wait(days=2)
    assert company.estate.sandbox("UAT") is None
    assert company.newest(info_id).modified == ready + timedelta(days=350) + 15 * MINUTE
    assert company.newest(info_id).code == "D"
    assert sandboxes.query_rows(company.estate, "SandboxInfo") == []


def test_every_copy_stays_as_a_row_newest_first(company):
    info_id = company.ready()
    for _ in range(2):
        company.wait(days=29)
        company.refresh(info_id, AutoActivate=True)
        company.finish()
    found = sandboxes.query_rows(company.estate, "SandboxProcess")
    assert [one["SandboxInfoId"] for one in found] == [info_id] * 3
    assert [one["CreatedDate"] for one in found] == sorted((one["CreatedDate"] for one in found), reverse=True)
    assert len({one["SandboxOrganization"] for one in found}) == 3


def test_sandbox_2_4_stages_follow_the_copy(company):
    company.create("AAA")
    info_id = company.create("BBB", "Developer")

    def stages():
        rows = sandboxes.query_rows(company.estate, "SandboxProcessStage")
        own = [one for one in rows if one["SandboxProcessId"] == company.newest(info_id).id]
        return [(one["StageNumber"], one["StageType"], one["Status"]) for one in own], own

    shown, own = stages()
    assert shown == [(0, "In Queue", "In Progress"), (1, "Data Copy", "Pending")]
    assert own[0]["EstimatedTotalWork"] == 1
    company.finish()
    shown, own = stages()
    assert shown == [(0, "In Queue", "Completed"), (1, "Data Copy", "Completed")]
    assert own[1]["IsActualWorkFinal"]
    assert own[1]["CompletedWork"] == own[1]["ActualTotalWork"] == 45
    company.wait(days=1)
    company.refresh(info_id, "Developer")
    company.finish()
    assert stages()[0][2:] == [(2, "Pending Activation", "In Progress"), (3, "Activation", "Pending")]
    rows = sandboxes.query_rows(company.estate, "SandboxProcessStage")
    assert len({one["Id"] for one in rows}) == len(rows)


def test_end_date_and_activated_date_follow_their_settings(company):
    company.estate.settings.put("end_date_at", "completed")
    company.estate.settings.put("activated_date_at", "request")
    info_id = company.create("DEV", "Developer")
    company.wait(minutes=50)
    assert company.row(info_id)["EndDate"] is None
    company.finish()
    assert company.newest(info_id).ended == START + 90 * MINUTE
    company.wait(days=1)
    company.refresh(info_id, "Developer")
    company.finish()
    asked = company.estate.clock.now()
    company.activate(info_id)
    company.finish()
    assert company.newest(info_id).activated == asked
