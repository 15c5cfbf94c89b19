"""The view and the levers of the person at the practice world: clock, status, clients, mishaps."""

from datetime import timedelta

import pytest

from rehearse.practice import admin
from rehearse.practice.http_errors import ApiError
from rehearse.practice.virtual_clock import START


def test_the_world_is_shown_with_what_no_api_tells(company):
    company.ready("UAT")
    company.create("DEV", "Developer")
    world = admin.show_world(company.estate)
    assert world.production_id == company.estate.production.org_id
    dev, uat = world.sandboxes
    assert (dev.name, dev.status, dev.org_id) == ("DEV", "Pending", None)
    assert (uat.name, uat.code, uat.org_id) == ("UAT", "1", company.estate.sandbox("UAT").org_id)
    assert uat.refresh_from == START + timedelta(days=29)
    assert world.now == company.estate.clock.now()
    assert world.paused


def test_moving_the_clock_does_what_has_become_due(company):
    info_id = company.create("DEV", "Developer")
    assert admin.next_event(company.estate) == START + timedelta(minutes=5)
    assert admin.move_clock(company.estate, timedelta(hours=3)) == START + timedelta(hours=3)
    assert company.newest(info_id).code == "1"
    assert admin.next_event(company.estate) is None
    with pytest.raises(ValueError, match="go back"):
        admin.set_clock(company.estate, START)


def test_every_org_has_a_client_with_a_secret_of_its_own(company):
    company.ready("DEV", "Developer")
    shown = company.estate.tokens.clients()
    assert [one.sandbox for one in shown] == [None, "DEV"]
    assert all(len(one.client_secret) == 64 for one in shown)


def test_only_a_running_copy_can_be_held_and_only_a_held_one_resumed(company):
    company.create("DEV", "Developer")
    with pytest.raises(ApiError, match="INVALID_STATUS"):
        admin.hold_copy(company.estate, "DEV", "suspend")
    company.wait(minutes=10)
    admin.hold_copy(company.estate, "dev", "suspend")
    company.wait(days=10)
    assert company.rows.processes()[0].code == "S"
    admin.resume_copy(company.estate, "DEV")
    assert company.rows.processes()[0].code == "2"
    with pytest.raises(ApiError, match="INVALID_STATUS"):
        admin.resume_copy(company.estate, "DEV")
    with pytest.raises(ApiError, match="NOT_FOUND"):
        admin.resume_copy(company.estate, "NONE")
