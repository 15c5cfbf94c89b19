"""The sandbox lifecycle over the Tooling API of production, as sandbox-and-auth.md 1, 2 and 2.10 have it.

The rules in depth are held by test_sandbox_*.py; here stands what a client sees on the wire. The tests tell one story
on one world, in the order of the file.
"""

import re
from datetime import timedelta

import pytest

SECTION_2_1 = {
    "Id", "SandboxName", "LicenseType", "Description", "AutoActivate", "ApexClassId", "TemplateId", "SourceId",
    "HistoryDays", "CopyChatter", "CopyArchivedActivities", "ActivationUserGroupId", "Features", "IsDeleted",
    "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp",
}  # fmt: skip
SECTION_2_2 = {
    "Id", "Status", "CopyProgress", "RefreshAction", "StartDate", "EndDate", "ActivatedDate", "ActivatedById",
    "SandboxInfoId", "SandboxName", "SandboxOrganization", "LicenseType", "TemplateId", "SourceId", "ApexClassId",
    "AutoActivate", "CopyChatter", "CopyArchivedActivities", "HistoryDays", "Description", "Features",
    "ActivationUserGroupId", "CreatedDate",
}  # fmt: skip
SECTION_2_4 = {
    "StageNumber", "StageType", "Status", "StartTime", "EndTime", "InfoLastUpdated", "EstimatedTotalWork",
    "ActualTotalWork", "IsActualWorkFinal", "CompletedWork",
}  # fmt: skip


def tooling(production, soql):
    answer = production("GET", "tooling/query", params={"q": soql})
    assert answer.status_code == 200, answer.text
    return answer.json()


def newest(production, name):
    fields = "Id, Status, SandboxOrganization, EndDate, CopyProgress, RefreshAction"
    which = f"WHERE SandboxName = '{name}' ORDER BY CreatedDate DESC LIMIT 1"
    soql = f"SELECT {fields} FROM SandboxProcess {which}"
    return tooling(production, soql)["records"][0]


def described(production, name):
    return {one["name"] for one in production("GET", f"tooling/sobjects/{name}/describe").json()["fields"]}


def info_id(production, name):
    return tooling(production, f"SELECT Id FROM SandboxInfo WHERE SandboxName = '{name}'")["records"][0]["Id"]


def until(shared_practice, production, name, label):
    """Let an hour pass again and again until the newest copy has this status."""
    for _ in range(200):
        if newest(production, name)["Status"] == label:
            return
        shared_practice.estate.clock.move(timedelta(hours=1))
    raise AssertionError(newest(production, name))


def test_sandbox_2_1_and_2_2_objects_have_the_documented_fields(production):
    assert described(production, "SandboxInfo") >= SECTION_2_1
    assert described(production, "SandboxProcess") >= SECTION_2_2


def test_sandbox_2_4_stages_have_the_documented_fields(production):
    assert described(production, "SandboxProcessStage") >= SECTION_2_4
    rows = tooling(production, "SELECT StageNumber, StageType, Status FROM SandboxProcessStage LIMIT 4")["records"]
    assert {row["Status"] for row in rows} <= {"Pending", "In Progress", "Completed"}
    assert {row["StageType"] for row in rows} <= {"In Queue", "Data Copy", "Pending Activation", "Activation"}


def test_sandbox_2_9_no_field_tells_the_next_refresh_date(production):
    for name in ("SandboxInfo", "SandboxProcess", "SandboxProcessStage"):
        assert not [field for field in described(production, name) if re.search("Next|Eligib|Available", field)]


def test_sandbox_2_6_records_have_the_envelope_and_dates_with_an_offset(production):
    found = tooling(production, "SELECT Id, CreatedDate, LicenseType FROM SandboxInfo LIMIT 1")
    assert found.keys() == {"size", "totalSize", "done", "queryLocator", "entityTypeName", "records"}
    row = found["records"][0]
    assert row["Id"].startswith("0GQ") and row["CreatedDate"].endswith("+0000")
    assert row["attributes"]["url"].startswith("/services/data/v67.0/tooling/sobjects/SandboxInfo/0GQ")


def test_sandbox_2_3_where_takes_codes_and_rows_have_labels(production):
    by_code = tooling(production, "SELECT Status FROM SandboxProcess WHERE Status NOT IN ('D', 'E')")["records"]
    assert by_code and {row["Status"] for row in by_code} <= {"Completed", "Pending Activation"}
    assert tooling(production, "SELECT Id FROM SandboxProcess WHERE Status = 'Completed'")["size"] == 0


def test_sandbox_1_4_use_is_counted_by_licence_type(production):
    soql = "SELECT LicenseType, COUNT(Id) FROM SandboxInfo GROUP BY LicenseType"
    found = {row["LicenseType"]: row["expr0"] for row in tooling(production, soql)["records"]}
    assert found == {"DEVELOPER": 2, "FULL": 2, "PARTIAL": 1}


@pytest.mark.parametrize(
    ("asked", "code", "text"),
    [
        ({"SandboxName": "UATFULL", "LicenseType": "DEVELOPER"}, "DUPLICATE_VALUE",
         "duplicate value found: SandboxName duplicates value on record with id: 0GQ"),
        ({"SandboxName": "NOTYPE"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
         "License Type: bad value for restricted picklist field: "),
        ({"SandboxName": "ELEVENCHARS", "LicenseType": "DEVELOPER"}, "STRING_TOO_LONG", ""),
    ],
)  # fmt: skip
def test_sandbox_2_7_refusals_have_the_known_codes_and_texts(production, asked, code, text):
    status, found, message = production.error("POST", "tooling/sobjects/SandboxInfo", asked)
    assert (status, found) == (400, code) and text in message


def test_sandbox_2_7_an_unknown_column_is_refused_by_name(production):
    asked = {"SandboxName": "COLUMN", "LicenseType": "DEVELOPER", "NextRefresh": "x"}
    status, code, text = production.error("POST", "tooling/sobjects/SandboxInfo", asked)
    assert (status, code) == (400, "INVALID_FIELD")
    assert "No such column 'NextRefresh' on sobject of type SandboxInfo" in text


def test_sandbox_2_7_an_early_refresh_is_refused_with_the_codes_of_the_settings(shared_practice, production):
    settings, path = shared_practice.estate.settings, f"tooling/sobjects/SandboxInfo/{info_id(production, 'UATFULL')}"
    refused = production.error("PATCH", path, {"LicenseType": "FULL"})
    assert refused == (400, settings["too_early_code"], settings["too_early_message"])


def test_sandbox_2_5_a_new_sandbox_is_201_and_passes_its_codes(shared_practice, production):
    answer = production("POST", "tooling/sobjects/SandboxInfo", {"SandboxName": "FACT", "LicenseType": "Developer"})
    assert answer.status_code == 201
    made = answer.json()
    assert made == {"id": made["id"], "success": True, "errors": [], "warnings": [], "infos": []}
    row = newest(production, "FACT")
    assert row["Status"] == "Pending" and row["Id"].startswith("0GR")
    assert len(row["SandboxOrganization"]) == 15, "a pending row names its org already, with 15 characters"
    seen = set()
    for _ in range(200):
        seen.add(newest(production, "FACT")["Status"])
        if "Completed" in seen:
            break
        shared_practice.estate.clock.move(timedelta(minutes=10))
    assert seen == {"Pending", "Processing", "Activating", "Completed"}
    assert newest(production, "FACT")["EndDate"]


def test_sandbox_2_5_a_refresh_is_204_and_waits_for_its_activation(shared_practice, production):
    shared_practice.estate.clock.move(timedelta(days=2))
    before = newest(production, "FACT")
    path = f"tooling/sobjects/SandboxInfo/{info_id(production, 'FACT')}"
    answer = production("PATCH", path, {"LicenseType": "DEVELOPER", "AutoActivate": False})
    assert (answer.status_code, answer.content) == (204, b"")
    after = newest(production, "FACT")
    assert after["Id"] != before["Id"] and after["SandboxOrganization"] != before["SandboxOrganization"]
    auth = {"clientId": "PlatformCLI", "sandboxName": "FACT", "callbackUrl": "http://localhost:1717/OauthRedirect"}
    assert production.error("POST", "tooling/sandboxAuth", auth)[1] == "INVALID_STATUS"
    until(shared_practice, production, "FACT", "Pending Activation")
    old = shared_practice.estate.sandbox("FACT")
    assert old.org_id[:15] == before["SandboxOrganization"], "the old sandbox lives until the activation"


def test_sandbox_2_5_an_activation_is_204_and_gives_the_new_org(shared_practice, production):
    waiting = newest(production, "FACT")
    path = f"tooling/sobjects/SandboxProcess/{waiting['Id']}"
    answer = production("PATCH", path, {"RefreshAction": "ACTIVATE"})
    assert (answer.status_code, answer.content) == (204, b"")
    until(shared_practice, production, "FACT", "Completed")
    assert shared_practice.estate.sandbox("FACT").org_id[:15] == waiting["SandboxOrganization"]
    auth = {"clientId": "PlatformCLI", "sandboxName": "FACT", "callbackUrl": "http://localhost:1717/OauthRedirect"}
    answer = production("POST", "tooling/sandboxAuth", auth)
    assert answer.status_code == 200
    assert answer.json().keys() == {"authUserName", "authCode", "instanceUrl", "loginUrl"}
    assert answer.json()["authUserName"].endswith(".fact")


def test_sandbox_2_5_only_a_waiting_copy_takes_an_action_and_nothing_else_is_written(production):
    path = f"tooling/sobjects/SandboxProcess/{newest(production, 'FACT')['Id']}"
    assert production("PATCH", path, {"RefreshAction": "DISCARD"}).status_code == 400
    assert production("PATCH", path, {"Status": "Completed"}).status_code == 400


def test_sandbox_2_5_a_deletion_is_204_and_blocks_the_name_for_a_while(shared_practice, production):
    path = f"tooling/sobjects/SandboxInfo/{info_id(production, 'FACT')}"
    assert production("DELETE", path).status_code == 204
    asked = {"SandboxName": "FACT", "LicenseType": "DEVELOPER"}
    assert production.error("POST", "tooling/sobjects/SandboxInfo", asked)[1] == "DUPLICATE_VALUE"
    shared_practice.estate.clock.move(timedelta(hours=2))
    assert production("POST", "tooling/sobjects/SandboxInfo", asked).status_code == 201
    soql = "SELECT Id FROM SandboxProcess WHERE SandboxName = 'FACT' ORDER BY CreatedDate DESC"
    assert tooling(production, soql)["size"] >= 3, "the rows of earlier copies stay"


def test_sandbox_3_the_organization_says_what_it_is(rest, production):
    fields = "Id, Name, InstanceName, IsSandbox, TrialExpirationDate, NamespacePrefix, OrganizationType"
    soql = f"SELECT {fields} FROM Organization"
    (sandbox,), (real,) = rest.rows(soql), production.rows(soql)
    assert (sandbox["IsSandbox"], real["IsSandbox"]) == (True, False)
    assert sandbox["TrialExpirationDate"] is None and sandbox["Id"] != real["Id"]
    asked = f"SELECT SandboxName FROM SandboxProcess WHERE SandboxOrganization = '{sandbox['Id'][:15]}'"
    assert tooling(production, asked)["records"][0]["SandboxName"] == "UATFULL"


def test_sandbox_3_scratch_orgs_are_not_known(rest):
    answer = rest("GET", "query", params={"q": "SELECT Id FROM ScratchOrgInfo"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
