"""A planted past: rows as if it had happened, one live org, and a past that cannot have been is refused."""

from datetime import timedelta

import pytest

from rehearse.practice import sandboxes
from rehearse.practice.http_errors import ApiError
from rehearse.practice.sandbox_history import PastCopy, SandboxHistory, add_sandbox_history
from rehearse.practice.virtual_clock import START

DAY = timedelta(days=1)


def past(days_ago, *, refresh=True, ending="completed"):
    requested = START - days_ago * DAY
    activated = requested + 2 * DAY if refresh and ending == "completed" else None
    return PastCopy(requested, requested + DAY, activated, ending)


def plant(company, *copies, name="UAT", licence="FULL"):
    return add_sandbox_history(company.estate, SandboxHistory(name, licence, company.admin_id, copies))


def test_a_planted_past_is_one_sandbox_with_all_its_rows_and_one_live_org(company):
    org = plant(company, past(100, refresh=False), past(60), past(31))
    (info,) = sandboxes.query_rows(company.estate, "SandboxInfo")
    assert info["CreatedDate"] == "2026-08-15T08:00:00.000Z"
    rows = sandboxes.query_rows(company.estate, "SandboxProcess")
    assert [one["Status"] for one in rows] == ["Completed"] * 3
    assert [one["ActivatedDate"] is None for one in rows] == [False, False, True]
    assert rows[0]["CreatedDate"] == "2026-10-23T08:00:00.000Z"
    assert rows[0]["EndDate"] == "2026-10-24T08:00:00.000Z"
    assert rows[0]["SandboxOrganization"] == org.org_id[:15]
    assert org.is_sandbox
    assert company.estate.sandbox("UAT") is org
    assert len(list((company.estate.folder / "orgs").glob("*.db"))) == 2


def test_the_interval_counts_from_the_planted_request(company):
    plant(company, past(100, refresh=False), past(10))
    (info,) = sandboxes.query_rows(company.estate, "SandboxInfo")
    with pytest.raises(ApiError, match="INVALID_OPERATION"):
        company.refresh(info["Id"])
    company.wait(days=19)
    company.refresh(info["Id"])
    company.finish()
    assert company.row(info["Id"])["Status"] == "Pending Activation"


def test_a_discarded_last_refresh_leaves_the_org_before_it(company):
    org = plant(company, past(100, refresh=False), past(40, ending="discarded"))
    rows = sandboxes.query_rows(company.estate, "SandboxProcess")
    assert [one["Status"] for one in rows] == ["Deleted", "Completed"]
    assert rows[1]["SandboxOrganization"] == org.org_id[:15]


def test_a_waiting_refresh_can_be_activated(company):
    org = plant(company, past(100, refresh=False), past(20, ending="waiting"))
    old = org.org_id
    (info,) = sandboxes.query_rows(company.estate, "SandboxInfo")
    company.activate(info["Id"])
    company.finish()
    assert company.estate.sandbox("UAT").org_id != old


def test_a_planted_sandbox_has_a_client_that_survives_its_refresh(company):
    plant(company, past(100, refresh=False))
    client = next(one for one in company.estate.tokens.clients() if one.sandbox == "UAT")
    before = company.estate.org_of_client(client).org_id
    (info,) = sandboxes.query_rows(company.estate, "SandboxInfo")
    company.refresh(info["Id"], AutoActivate=True)
    company.finish()
    assert company.estate.org_of_client(company.estate.client(client.client_id)).org_id != before


def test_a_planted_partial_sandbox_can_be_refreshed_with_what_its_row_shows(company):
    plant(company, past(100, refresh=False), name="SIT", licence="PARTIAL")
    (info,) = sandboxes.query_rows(company.estate, "SandboxInfo")
    assert company.row(info["Id"])["CopyProgress"] is None
    company.refresh(info["Id"], "Partial", TemplateId=info["TemplateId"])


@pytest.mark.parametrize(
    "copies",
    [
        (),
        (past(50),),
        (past(50, refresh=False), past(60)),
        (past(50, refresh=False), past(1)),
        (past(50, refresh=False), past(40, ending="waiting"), past(5)),
        (past(50, refresh=False, ending="discarded"),),
        (past(50, refresh=False), past(40, refresh=False)),
    ],
)
def test_a_past_that_cannot_have_been_is_refused(company, copies):
    with pytest.raises(ValueError, match="UAT"):
        plant(company, *copies)
    assert sandboxes.query_rows(company.estate, "SandboxProcess") == []
