"""The Tooling API as clients use it: envelope, codes against labels, flow versions, sandboxes, what is not there."""

import pytest


@pytest.fixture
def practice(calm_practice):
    """One world for the tests of this module; those that move its clock or end its server have their own."""
    return calm_practice


def query(practice, soql, org="UATFULL"):
    answer = practice.ask(org, "GET", "tooling/query", params={"q": soql})
    assert answer.status_code == 200, answer.text
    return answer.json()


def versions(practice, flow="Invoice_Reminder"):
    soql = (
        "SELECT Id, DefinitionId, VersionNumber, Status FROM Flow"
        f" WHERE Definition.DeveloperName = '{flow}' ORDER BY VersionNumber"
    )
    return query(practice, soql)["records"]


def test_the_envelope(practice):
    found = query(practice, "SELECT Id, Name FROM ApexClass ORDER BY Name LIMIT 1")
    assert list(found) == ["size", "totalSize", "done", "queryLocator", "entityTypeName", "records"]
    assert found["size"] == found["totalSize"] == 1 and found["done"] is True
    assert found["entityTypeName"] == "ApexClass"
    assert "/tooling/sobjects/ApexClass/01p" in found["records"][0]["attributes"]["url"]


def test_status_compares_codes_and_answers_labels(practice):
    done = query(practice, "SELECT Status FROM SandboxProcess WHERE Status = '1'", "production")
    assert done["records"] and {one["Status"] for one in done["records"]} == {"Completed"}
    assert query(practice, "SELECT Id FROM SandboxProcess WHERE Status = 'Completed'", "production")["records"] == []


def test_the_newest_copy_comes_first_and_names_its_org(practice):
    soql = "SELECT Id, SandboxName, SandboxOrganization, CreatedDate FROM SandboxProcess ORDER BY CreatedDate DESC"
    rows = query(practice, soql, "production")["records"]
    dates = [one["CreatedDate"] for one in rows]
    assert dates == sorted(dates, reverse=True) and dates[0].endswith("+0000")
    newest = next(one for one in rows if one["SandboxName"] == "UATFULL")
    assert newest["SandboxOrganization"] == practice.orgs["UATFULL"].org_id[:15]


@pytest.mark.parametrize("name", ["SandboxInfo", "SandboxProcess", "SourceMember"])
def test_what_a_sandbox_does_not_have(practice, name):
    answer = practice.ask("UATFULL", "GET", "tooling/query", params={"q": f"SELECT Id FROM {name}"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
    assert practice.ask("UATFULL", "GET", f"tooling/sobjects/{name}/describe").status_code == 404


def test_plain_objects_are_answered_too(practice):
    found = query(practice, "SELECT Id, IsSandbox FROM Organization")
    assert found["records"][0]["IsSandbox"] is True
    assert query(practice, "SELECT IsSourceTrackingSandboxesEnabled FROM SourceTrackingSettings")["size"] == 1


def test_unknown_columns_are_refused(practice):
    answer = practice.ask("UATFULL", "GET", "tooling/query", params={"q": "SELECT Nope FROM Flow"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_columns_for_the_cli(practice):
    asked = {"q": "SELECT Id, Status FROM Flow", "columns": "true"}
    found = practice.ask("UATFULL", "GET", "tooling/query", params=asked).json()
    assert [one["columnName"] for one in found["columnMetadata"]] == ["Id", "Status"]


def test_metadata_4_1_a_flow_version_is_activated_and_deleted(practice):
    one, two = versions(practice)
    assert (one["Status"], two["Status"]) == ("Active", "Draft")
    path = f"tooling/sobjects/FlowDefinition/{one['DefinitionId']}"

    def activate(number):
        return practice.ask("UATFULL", "PATCH", path, json={"Metadata": {"activeVersionNumber": number}})

    assert activate(2).status_code == 204
    assert [each["Status"] for each in versions(practice)] == ["Obsolete", "Active"]
    refused = practice.ask("UATFULL", "DELETE", f"tooling/sobjects/Flow/{two['Id']}")
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "DELETE_FAILED")
    assert activate(1).status_code == 204
    assert practice.ask("UATFULL", "DELETE", f"tooling/sobjects/Flow/{two['Id']}").status_code == 204
    assert [each["VersionNumber"] for each in versions(practice)] == [1]
    assert activate(0).status_code == 204
    assert [each["Status"] for each in versions(practice)] == ["Obsolete"]
    assert activate(7).status_code == 400
    definition = query(
        practice, "SELECT ActiveVersionId, LatestVersionId FROM FlowDefinition WHERE DeveloperName = 'Invoice_Reminder'"
    )["records"][0]
    assert definition["ActiveVersionId"] is None and definition["LatestVersionId"] == one["Id"]


def test_a_flow_version_with_its_metadata(own_practice):
    one = versions(own_practice)[0]
    row = own_practice.ask("UATFULL", "GET", f"tooling/sobjects/Flow/{one['Id']}").json()
    assert row["VersionNumber"] == 1 and row["Metadata"]["status"] == "Active"
    assert isinstance(row["Metadata"]["recordUpdates"], list)
    assert own_practice.ask("UATFULL", "GET", "tooling/sobjects/Flow/301000000000000AAA").status_code == 404


def test_sandboxes_are_asked_for_on_production_only(practice):
    asked = {"SandboxName": "NEWDEV", "LicenseType": "DEVELOPER"}
    assert practice.ask("UATFULL", "POST", "tooling/sobjects/SandboxInfo", json=asked).status_code == 404
    made = practice.ask("production", "POST", "tooling/sobjects/SandboxInfo", json=asked)
    assert made.status_code == 201 and made.json()["success"] is True and made.json()["id"].startswith("0GQ")
    soql = f"SELECT Status FROM SandboxProcess WHERE SandboxInfoId = '{made.json()['id']}'"
    assert query(practice, soql, "production")["size"] == 1


def test_a_refresh_inside_the_interval_is_refused(practice):
    info = query(practice, "SELECT Id FROM SandboxInfo WHERE SandboxName = 'UATFULL'", "production")["records"][0]
    path = f"tooling/sobjects/SandboxInfo/{info['Id']}"
    refused = practice.ask("production", "PATCH", path, json={"LicenseType": "FULL"})
    assert refused.status_code == 400 and refused.json()[0]["errorCode"]
    assert practice.ask("production", "PUT", path).status_code == 405
    assert practice.ask("production", "PATCH", "tooling/sobjects/Flow/301000000000000", json={}).status_code in (
        404,
        405,
    )
    assert practice.ask("production", "PATCH", path, data="{").status_code == 400


def test_describes_and_single_rows(practice):
    listed = practice.ask("UATFULL", "GET", "tooling/sobjects").json()["sobjects"]
    assert {"Flow", "DeployRequest"} <= {one["name"] for one in listed}
    assert "SandboxInfo" not in {one["name"] for one in listed}
    described = practice.ask("production", "GET", "tooling/sobjects/SandboxInfo/describe").json()
    assert {"SandboxName", "LicenseType", "AutoActivate"} <= {one["name"] for one in described["fields"]}
    info = query(practice, "SELECT Id FROM SandboxInfo WHERE SandboxName = 'DEV1'", "production")["records"][0]
    row = practice.ask("production", "GET", f"tooling/sobjects/SandboxInfo/{info['Id']}").json()
    assert (row["SandboxName"], row["LicenseType"]) == ("DEV1", "DEVELOPER")


def test_sandbox_2_8_sandbox_auth_gives_a_code(practice):
    body = {"sandboxName": "DEV1", "callbackUrl": "http://localhost:1717/OauthRedirect"}
    answer = practice.ask("production", "POST", "tooling/sandboxAuth", json=body)
    assert answer.status_code == 200
    assert list(answer.json()) == ["authUserName", "authCode", "instanceUrl", "loginUrl"]
    assert practice.ask("UATFULL", "POST", "tooling/sandboxAuth", json=body).status_code == 404
