"""Creating sandboxes: what is granted, and every refusal with its code, changing nothing."""

import pytest

from rehearse.practice import sandboxes

TEMPLATE = "1ps000000000001"


def test_a_created_sandbox_shows_what_was_asked_for(company):
    info_id = company.create("UAT", "full", Description="release rehearsal", HistoryDays=30, CopyChatter=True)
    (row,) = sandboxes.query_rows(company.estate, "SandboxInfo")
    assert row["Id"] == info_id
    assert len(info_id) == 18
    assert info_id.startswith("0GQ")
    assert (row["SandboxName"], row["LicenseType"], row["Description"]) == ("UAT", "FULL", "release rehearsal")
    assert (row["HistoryDays"], row["CopyChatter"], row["AutoActivate"], row["SourceId"]) == (30, True, False, None)
    process = company.row(info_id)
    assert process["Id"].startswith("0GR")
    assert (process["Description"], process["LicenseType"]) == ("release rehearsal", "FULL")


def test_no_row_tells_when_the_next_refresh_is_possible(company):
    company.ready()
    for name in ("SandboxInfo", "SandboxProcess", "SandboxProcessStage"):
        for row in sandboxes.query_rows(company.estate, name):
            assert not [one for one in row if "next" in one.lower() or "eligib" in one.lower()]
    with pytest.raises(KeyError):
        sandboxes.query_rows(company.estate, "Sandbox")


@pytest.mark.parametrize("sent", ["Developer", "developer_pro", "DEVELOPER PRO", "FULL"])
def test_sandbox_1_1_licence_types_are_read_in_any_case_and_answered_in_one(company, sent):
    info_id = company.create("UAT", sent)
    assert company.row(info_id)["LicenseType"] == sent.upper().replace(" ", "_")


@pytest.mark.parametrize("sent", [None, "", "Complete"])
def test_a_missing_or_unknown_licence_type_is_refused(company, sent):
    request = {"SandboxName": "UAT"} if sent is None else {"SandboxName": "UAT", "LicenseType": sent}
    company.refused(
        lambda: sandboxes.create(company.estate, request, company.admin_id),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        text="License Type: bad value for restricted picklist field: ",
        fields=["LicenseType"],
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ElevenChars", "STRING_TOO_LONG"),
        ("UA T", "INVALID_INPUT"),
        ("UAT-1", "INVALID_INPUT"),
        ("Ünï", "INVALID_INPUT"),
    ],
)
def test_sandbox_2_7_a_bad_name_is_refused(company, name, code):
    company.refused(lambda: company.create(name), code, fields=["SandboxName"])


def test_a_name_is_required(company):
    company.refused(
        lambda: sandboxes.create(company.estate, {"LicenseType": "FULL"}, company.admin_id),
        "REQUIRED_FIELD_MISSING",
        fields=["SandboxName"],
    )


def test_sandbox_2_7_a_name_in_use_is_refused_in_any_case_with_the_id_that_holds_it(company):
    info_id = company.create("UAT")
    text = f"duplicate value found: SandboxName duplicates value on record with id: {info_id}"
    company.refused(lambda: company.create("uat", "Developer"), "DUPLICATE_VALUE", text=text)


def test_sandbox_1_4_the_name_of_a_sandbox_is_free_only_when_its_deletion_is_over(company):
    info_id = company.ready("DEV", "Developer")
    sandboxes.delete(company.estate, info_id, company.admin_id)
    assert sandboxes.query_rows(company.estate, "SandboxInfo") == []
    assert company.row(info_id)["Status"] == "Deleting"
    assert company.estate.sandbox("DEV") is None
    company.refused(lambda: company.create("DEV", "Developer"), "DUPLICATE_VALUE", text=info_id)
    company.finish()
    assert company.row(info_id)["Status"] == "Deleted"
    assert company.create("DEV", "Developer") != info_id


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"NextRefresh": "x"}, "INVALID_FIELD", ()),
        ({"CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ("CreatedDate",)),
        ({"AutoActivate": "yes"}, "JSON_PARSER_ERROR", ("AutoActivate",)),
        ({"HistoryDays": 15}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ("HistoryDays",)),
        ({"Features": '["SandboxStorage"]'}, "INVALID_INPUT", ("Features",)),
        ({"Description": "x" * 1001}, "STRING_TOO_LONG", ("Description",)),
        ({"TemplateId": "nonsense"}, "MALFORMED_ID", ("TemplateId",)),
    ],
)
def test_fields_that_cannot_be_are_refused(company, fields, code, named):
    company.refused(lambda: company.create(**fields), code, fields=named)


@pytest.mark.parametrize("licence", ["DEVELOPER", "DEVELOPER_PRO", "PARTIAL"])
@pytest.mark.parametrize("fields", [{"HistoryDays": 10}, {"CopyChatter": True}, {"CopyArchivedActivities": True}])
def test_histories_and_chatter_are_for_full_sandboxes(company, licence, fields):
    more = {"TemplateId": TEMPLATE} if licence == "PARTIAL" else {}
    company.refused(lambda: company.create("X", licence, **more, **fields), "INVALID_INPUT", fields=list(fields))


def test_sandbox_1_5_a_template_is_required_optional_or_forbidden_by_licence_type(company):
    company.refused(lambda: company.create("P", "Partial"), "REQUIRED_FIELD_MISSING", fields=["TemplateId"])
    company.create("P", "Partial", TemplateId=TEMPLATE)
    company.create("F", "Full", TemplateId=TEMPLATE)
    company.refused(
        lambda: company.create("D", "Developer", TemplateId=TEMPLATE), "INVALID_INPUT", fields=["TemplateId"]
    )


def test_an_access_group_may_be_made_compulsory_for_developer_sandboxes(company):
    company.estate.settings.put("activation_group_required", True)
    company.refused(
        lambda: company.create("D", "Developer"), "REQUIRED_FIELD_MISSING", fields=["ActivationUserGroupId"]
    )
    company.create("D", "Developer", ActivationUserGroupId="00G000000000001")
    company.create("F", "Full")


def test_sandbox_1_4_licences_run_out_and_larger_ones_are_used_up_for_smaller_sandboxes(company):
    company.estate.settings.put("licences", {"FULL": 1, "PARTIAL": 1, "DEVELOPER_PRO": 0, "DEVELOPER": 1})
    company.create("D1", "Developer")
    company.create("D2", "Developer")  # takes the Partial licence
    company.refused(lambda: company.create("P1", "Partial"), "REQUIRED_FIELD_MISSING", fields=["TemplateId"])
    company.create("P1", "Partial", TemplateId=TEMPLATE)  # takes the Full licence
    for name, licence in (("F1", "Full"), ("D3", "Developer")):
        company.refused(lambda name=name, licence=licence: company.create(name, licence), "LIMIT_EXCEEDED")


def test_sandbox_1_4_deleting_frees_the_licence_unless_a_setting_lets_it_rest(company):
    company.estate.settings.put("licences", {"FULL": 1})
    info_id = company.ready("F1")
    company.refused(lambda: company.create("F2"), "LIMIT_EXCEEDED")
    sandboxes.delete(company.estate, info_id, company.admin_id)
    company.finish()
    company.estate.settings.put("deleted_licence_rests", True)
    company.refused(lambda: company.create("F2"), "LIMIT_EXCEEDED")
    company.estate.settings.put("deleted_licence_rests", False)
    company.create("F2")
