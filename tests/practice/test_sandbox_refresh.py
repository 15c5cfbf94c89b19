"""Refreshing, cloning, activating and deleting sandboxes: when it is granted, and every refusal with its code."""

from datetime import timedelta

import pytest

from rehearse.practice import sandboxes
from rehearse.practice.http_errors import ApiError

TEMPLATE = "1ps000000000001"
DAYS = {"DEVELOPER": 1, "DEVELOPER_PRO": 1, "PARTIAL": 5, "FULL": 29}


@pytest.mark.parametrize("licence", list(DAYS))
def test_sandbox_1_1_a_refresh_is_refused_until_the_interval_of_the_request_is_over(company, licence):
    more = {"TemplateId": TEMPLATE} if licence == "PARTIAL" else {}
    requested = company.estate.clock.now()
    info_id = company.ready("UAT", licence, **more)
    for _ in range(2):
        opens = requested + timedelta(days=DAYS[licence])
        company.estate.clock.set(opens - timedelta(milliseconds=1))
        early = company.refused(lambda: company.refresh(info_id, licence, **more), "INVALID_OPERATION")
        assert early.message == "Refresh date hasn't been met"
        company.estate.clock.set(opens)
        requested = opens
        company.refresh(info_id, licence, AutoActivate=True, **more)
        company.finish()


@pytest.mark.parametrize(
    ("counts_from", "late"),
    [("request", timedelta()), ("end", timedelta(minutes=1205)), ("activation", timedelta(days=7))],
)
def test_sandbox_1_2_what_the_interval_counts_from_is_a_setting(company, counts_from, late):
    company.estate.settings.put("interval_counts_from", counts_from)
    company.estate.settings.put("activated_date_at", "request")
    info_id = company.ready()
    company.wait(days=60)
    requested = company.estate.clock.now()
    company.refresh(info_id)
    company.estate.clock.set(requested + timedelta(days=7))
    company.activate(info_id)
    company.estate.clock.set(requested + late + timedelta(days=29, milliseconds=-1))
    company.refused(lambda: company.refresh(info_id), "INVALID_OPERATION")
    company.wait(milliseconds=1)
    company.refresh(info_id)


def test_the_code_and_text_of_an_early_refresh_are_settings(company):
    company.estate.settings.put("too_early_code", "FIELD_INTEGRITY_EXCEPTION")
    company.estate.settings.put("too_early_message", "Come back later")
    info_id = company.ready()
    company.refused(lambda: company.refresh(info_id), "FIELD_INTEGRITY_EXCEPTION", text="Come back later")


def test_a_refresh_is_refused_while_a_copy_waits_runs_or_wants_a_decision(company):
    info_id = company.create("DEV", "Developer")
    busy = lambda: company.refused(lambda: company.refresh(info_id, "Developer"), "INVALID_STATUS")  # noqa: E731
    busy()
    company.wait(minutes=10)
    busy()
    company.finish()
    company.wait(days=1)
    company.refresh(info_id, "Developer")
    busy()
    company.finish()
    company.wait(days=2)
    assert company.newest(info_id).code == "4"
    busy()
    company.refused(lambda: sandboxes.delete(company.estate, info_id, company.admin_id), "INVALID_STATUS")
    company.activate(info_id)
    busy()


def test_sandbox_2_5_a_refresh_must_send_its_licence_type(company):
    info_id = company.ready()
    company.wait(days=29)
    company.refused(
        lambda: sandboxes.refresh(company.estate, info_id, {"AutoActivate": True}, company.admin_id),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        fields=["LicenseType"],
    )


def test_sandbox_2_5_a_refresh_keeps_what_is_not_sent_but_loses_the_description(company):
    info_id = company.ready("UAT", "Full", Description="ours", HistoryDays=30, TemplateId=TEMPLATE)
    company.wait(days=29)
    company.refresh(info_id)
    (row,) = sandboxes.query_rows(company.estate, "SandboxInfo")
    assert (row["Description"], row["HistoryDays"], row["TemplateId"][:15]) == (None, 30, TEMPLATE)
    company.finish()
    company.activate(info_id)
    company.finish()
    company.wait(days=29)
    company.estate.settings.put("refresh_clears_unsent", [])
    company.refresh(info_id, Description="again")
    assert sandboxes.query_rows(company.estate, "SandboxInfo")[0]["Description"] == "again"


def test_a_refresh_may_change_the_licence_type_and_the_old_type_says_when(company):
    info_id = company.ready("UAT", "Developer")
    company.wait(days=1)
    company.refresh(info_id, "Full", AutoActivate=True)
    company.finish()
    assert company.row(info_id)["LicenseType"] == "FULL"
    company.wait(days=2)
    company.refused(lambda: company.refresh(info_id, "Developer"), "INVALID_OPERATION")


def test_a_refresh_may_rename_and_both_names_stay_taken_until_it_is_active(company):
    info_id = company.ready("DEV", "Developer")
    company.wait(days=1)
    company.refresh(info_id, "Developer", SandboxName="DEVX")
    for name in ("DEV", "DEVX"):
        company.refused(lambda name=name: company.create(name, "Developer"), "DUPLICATE_VALUE", text=info_id)
    company.finish()
    company.activate(info_id)
    company.finish()
    assert company.estate.sandbox("DEV") is None
    assert company.estate.sandbox("DEVX") is not None
    company.create("DEV", "Developer")


def test_a_discarded_rename_leaves_the_old_name(company):
    info_id = company.ready("DEV", "Developer")
    company.wait(days=1)
    company.refresh(info_id, "Developer", SandboxName="DEVX")
    company.finish()
    sandboxes.discard(company.estate, company.newest(info_id).id, company.admin_id)
    company.finish()
    assert [one["SandboxName"] for one in sandboxes.query_rows(company.estate, "SandboxInfo")] == ["DEV"]
    assert company.estate.sandbox("DEV") is not None


def test_sandbox_1_5_a_clone_has_the_licence_type_of_its_source(company):
    source = company.ready("UAT")
    clone = sandboxes.create(company.estate, {"SandboxName": "COPY", "SourceId": source[:15]}, company.admin_id)
    assert company.row(clone)["LicenseType"] == "FULL"
    assert company.row(clone)["SourceId"] == source


@pytest.mark.parametrize("source", ["0GQ000000000009", None])
def test_a_clone_needs_another_sandbox_that_exists(company, source):
    own = company.ready("DEV", "Developer")
    company.wait(days=1)
    request = {"SourceId": source or own}
    company.refused(
        lambda: sandboxes.refresh(company.estate, own, request, company.admin_id),
        "INVALID_INPUT",
        fields=["SourceId"],
    )


def test_sandbox_1_5_a_clone_is_refused_with_a_licence_type_or_from_a_busy_source_or_without_its_features(company):
    source = company.ready("DEV", "Developer", Features='["SandboxStorage"]')
    both = {"SandboxName": "C", "SourceId": source, "LicenseType": "Developer"}
    company.refused(
        lambda: sandboxes.create(company.estate, both, company.admin_id),
        "INVALID_INPUT",
        fields=["LicenseType"],
    )
    bare = {"SandboxName": "C", "SourceId": source}
    company.refused(
        lambda: sandboxes.create(company.estate, bare, company.admin_id),
        "INVALID_INPUT",
        text="You must specify the Features that were added to the sandbox being cloned.",
        fields=["Features"],
    )
    company.wait(days=1)
    company.refresh(source, "Developer")
    busy = {**bare, "Features": '["SandboxStorage"]'}
    company.refused(
        lambda: sandboxes.create(company.estate, busy, company.admin_id),
        "INVALID_STATUS",
        fields=["SourceId"],
    )


def test_sandbox_2_2_only_the_newest_row_in_pending_activation_takes_an_action(company):
    info_id = company.ready("DEV", "Developer")
    first = company.newest(info_id).id
    company.wait(days=1)
    company.refresh(info_id, "Developer")
    running = company.newest(info_id).id

    def act(process_id, action):
        return lambda: sandboxes.change_process(company.estate, process_id, {"RefreshAction": action}, company.admin_id)

    for process_id in (first, running):
        for action in ("ACTIVATE", "DISCARD"):
            company.refused(act(process_id, action), "INVALID_STATUS", fields=["RefreshAction"])
    company.finish()
    company.refused(act(first, "ACTIVATE"), "INVALID_STATUS", fields=["RefreshAction"])
    company.refused(
        act(running, "RESTART"),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        fields=["RefreshAction"],
    )
    act(running[:15], "ACTIVATE")()
    company.refused(act(running, "DISCARD"), "INVALID_STATUS", fields=["RefreshAction"])


def test_sandbox_2_2_nothing_else_of_a_process_can_be_written(company):
    info_id = company.ready("DEV", "Developer")
    process_id = company.newest(info_id).id
    company.refused(
        lambda: sandboxes.change_process(company.estate, process_id, {"Status": "1"}, company.admin_id),
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        fields=["status"],
    )


def test_unknown_and_deleted_ids_are_not_found(company):
    info_id = company.ready("DEV", "Developer")
    sandboxes.delete(company.estate, info_id, company.admin_id)
    for request in (
        lambda: company.refresh(info_id, "Developer"),
        lambda: sandboxes.delete(company.estate, info_id, company.admin_id),
        lambda: sandboxes.delete(company.estate, "0GQ000000000009", company.admin_id),
        lambda: sandboxes.activate(company.estate, "0GR000000000009", company.admin_id),
    ):
        assert company.refused(request, "NOT_FOUND").status == 404


def test_a_deletion_inside_the_interval_is_a_setting(company):
    info_id = company.ready()
    company.estate.settings.put("delete_inside_interval", False)
    company.refused(lambda: sandboxes.delete(company.estate, info_id, company.admin_id), "INVALID_OPERATION")
    company.wait(days=29)
    sandboxes.delete(company.estate, info_id, company.admin_id)


def test_sandbox_2_8_sandbox_auth_waits_for_a_usable_copy(company):
    def ask(name="UAT"):
        return sandboxes.sandbox_auth(company.estate, {"sandboxName": name}, company.admin_id, "http://127.0.0.1:1")

    info_id = company.create()
    with pytest.raises(ApiError, match="INVALID_STATUS"):
        ask()
    company.finish()
    answer = ask("uat")
    assert answer["authUserName"] == "ann@acme.example.uat"
    assert answer["instanceUrl"] == answer["loginUrl"] == "http://127.0.0.1:1"
    org, user_id = company.estate.redeem_code(answer["authCode"])
    assert (org.org_id, user_id) == (company.estate.sandbox("UAT").org_id, company.admin_id)
    assert company.estate.redeem_code(answer["authCode"]) is None
    company.wait(days=29)
    company.refresh(info_id)
    company.finish()
    with pytest.raises(ApiError, match="INVALID_STATUS"):
        ask()
    with pytest.raises(ApiError, match="NOT_FOUND"):
        ask("NONE")
