"""The estate folder: made once, copied whole, closed to others; orgs come and go with their tokens."""

import shutil
import stat
from datetime import timedelta

import pytest

from rehearse.practice.estate import Estate
from rehearse.practice.sandbox_engine import pulse


def test_a_new_estate_has_a_production_and_nothing_else(tmp_path):
    estate = Estate.create(tmp_path / "world", seed=7)
    try:
        assert estate.orgs() == (estate.production,)
        assert not estate.production.is_sandbox
        assert estate.org(estate.production.org_id) is estate.org(estate.production.org_id[:15]) is estate.production
        assert (estate.seed, estate.sandbox_name(estate.production.org_id)) == (7, None)
        with pytest.raises(FileExistsError):
            Estate.create(tmp_path / "world")
    finally:
        estate.close()


def test_only_the_owner_can_read_the_folder(tmp_path):
    fresh = Estate.create(tmp_path / "fresh")
    fresh.close()
    assert stat.S_IMODE(fresh.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((fresh.folder / "estate.db").stat().st_mode) == 0o600


def test_a_folder_without_an_estate_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        Estate.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_copied_folder_is_a_second_world(company, tmp_path):
    company.ready("DEV", "Developer")
    token = company.estate.issue_token(company.estate.sandbox("DEV"), company.admin_id)
    company.estate.close()
    shutil.copytree(company.estate.folder, tmp_path / "other")
    first, second = Estate.open(company.estate.folder), Estate.open(tmp_path / "other")
    try:
        assert second.token(token)[1] == company.admin_id
        assert second.clock.now() == first.clock.now()
        second.clock.move(timedelta(days=1))
        with second.production.transaction() as db:
            db.execute('DELETE FROM "Account"')
        assert second.clock.now() > first.clock.now()
        assert first.production.db.execute('SELECT count(*) FROM "Account"').fetchone() == (6,)
    finally:
        first.close()
        second.close()


def test_a_token_names_its_org_and_user_and_nothing_in_the_file_can_be_used_as_one(company):
    estate = company.estate
    token = estate.issue_token(estate.production, company.admin_id)
    assert token.startswith(f"{estate.production.org_id[:15]}!")
    assert estate.token(token) == (estate.production, company.admin_id)
    assert estate.token(token + "x") is None
    assert estate.token("") is None
    stored = estate.file.load_rows("SELECT digest FROM tokens")[0]["digest"]
    assert estate.token(stored) is None


def test_an_org_that_is_coming_or_gone_cannot_be_reached(company):
    company.create("DEV", "Developer")
    coming = company.rows.processes()[0].org
    with pytest.raises(KeyError):
        company.estate.org(coming)
    company.finish()
    sandbox = company.estate.org(coming)
    token = company.estate.issue_token(sandbox, company.admin_id)
    company.estate.set_org_gone(coming)
    assert company.estate.token(token) is None
    with pytest.raises(KeyError):
        company.estate.org(coming)
    with pytest.raises(KeyError):
        company.estate.org("00D000000000000AAA")


def test_a_user_is_found_by_a_username_in_any_case_in_whichever_org(company):
    company.ready("DEV", "Developer")
    assert company.estate.find_user("BOB@acme.example") == (company.estate.production, company.user_ids[1])
    assert company.estate.find_user("bob@acme.example.dev") == (company.estate.sandbox("DEV"), company.user_ids[1])
    assert company.estate.find_user("nobody@acme.example") is None
    with company.estate.production.transaction() as db:
        db.execute('UPDATE "User" SET "IsActive" = 0')
    assert company.estate.find_user("bob@acme.example") is None


def test_the_first_pulse_starts_the_clock(tmp_path):
    estate = Estate.create(tmp_path / "world")
    try:
        assert not estate.clock.read().started
        pulse(estate)
        assert estate.clock.read().started
    finally:
        estate.close()


def test_leftover_files_of_a_gone_org_are_swept_when_the_estate_opens(company):
    company.ready("DEV", "Developer")
    org = company.estate.sandbox("DEV").org_id
    company.estate.mark_gone(org)  # killed before the files were dropped
    path = company.estate.org_path(org)
    assert path.exists()
    company.estate.close()
    Estate.open(company.estate.folder).close()
    assert not path.exists()
