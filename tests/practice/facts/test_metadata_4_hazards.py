"""What a deployment does that a reset has to know, as metadata.md 4 and 8 have it, asked over the wire."""

import pytest


def tooling(rest, soql):
    return rest("GET", "tooling/query", params={"q": soql}).json()["records"]


def values(body):
    """The values of a StandardValueSet file: its entries by name, and whether each is active."""
    found = {}
    for part in body.decode().split("<standardValue>")[1:]:
        name = part.split("<fullName>")[1].split("</fullName>")[0]
        found[name] = "<isActive>false</isActive>" not in part
    return found


def test_metadata_4_1_a_deleted_field_lies_in_its_bin_under_another_name(metadata, rest, tools):
    files = tools.text_field("Passing__c")
    assert metadata.deploy(files)["status"] == ["Succeeded"]
    soql = "SELECT Id, DeveloperName FROM CustomField WHERE DeveloperName LIKE 'Passing%'"
    (before,) = tooling(rest, soql)
    metadata.destroy(CustomField="Account.Passing__c")
    (binned,) = tooling(rest, soql)
    assert (binned["DeveloperName"], binned["Id"]) == ("Passing_del", before["Id"])
    assert "Account.Passing__c" not in metadata.names("CustomField")
    assert metadata.deploy(files)["status"] == ["Succeeded"]
    both = {one["DeveloperName"]: one["Id"] for one in tooling(rest, soql)}
    assert both.keys() == {"Passing", "Passing_del"} and both["Passing"] != before["Id"]
    done = metadata.deploy(
        {"package.xml": tools.manifest(), "destructiveChanges.xml": tools.manifest(CustomField="Account.Passing__c")},
        purgeOnDelete=True,
    )
    assert done["status"] == ["Succeeded"] and len(tooling(rest, soql)) == 1, "a purged field is gone at once"


def test_metadata_1_3_standard_value_sets_are_not_listed_but_retrieved(metadata):
    assert metadata.list("StandardValueSet") == []
    files, _ = metadata.retrieve(StandardValueSet="Industry")
    found = values(files["unpackaged/standardValueSets/Industry.standardValueSet"])
    assert found["Agriculture"] is True


def test_metadata_4_1_a_standard_value_that_is_left_out_becomes_inactive(metadata, rest, tools):
    path, kind = "standardValueSets/CaseOrigin.standardValueSet", "StandardValueSet"

    def deploy(*names):
        entries = "".join(
            f"<standardValue><fullName>{one}</fullName><default>false</default><label>{one}</label></standardValue>"
            for one in names
        )
        body = tools.xml(kind, f"<sorted>false</sorted>{entries}")
        result = metadata.deploy({"package.xml": tools.manifest(**{kind: "CaseOrigin"}), path: body})
        assert result["status"] == ["Succeeded"], tools.problems(result)
        fields = rest("GET", "sobjects/Case/describe").json()["fields"]
        (origin,) = (one for one in fields if one["name"] == "Origin")
        return {one["value"]: one["active"] for one in origin["picklistValues"]}

    assert deploy("Phone", "Email", "Web", "Pigeon")["Pigeon"] is True
    after = deploy("Phone", "Email", "Web")
    assert after == {"Phone": True, "Email": True, "Web": True, "Pigeon": False}
    files, _ = metadata.retrieve(StandardValueSet="CaseOrigin")
    assert values(files[f"unpackaged/{path}"])["Pigeon"] is False


def test_metadata_4_1_record_types_are_not_deleted_by_the_api(metadata, tools):
    name = sorted(metadata.names("RecordType"))[0]
    assert tools.problems(metadata.destroy(RecordType=name)) == ["Cannot delete record type through API"]


def test_metadata_4_3_a_star_in_a_destructive_manifest_does_nothing_and_succeeds(metadata):
    before = metadata.names("Flow")
    assert metadata.destroy(Flow="Invoice_Reminder-*")["status"] == ["Succeeded"]
    assert metadata.names("Flow") == before


def test_metadata_4_1_a_flow_is_deleted_by_version_and_not_by_name(metadata, tools):
    refused = tools.problems(metadata.destroy(Flow="Invoice_Reminder"))
    assert refused == ["insufficient access rights on cross-reference id"]


def test_metadata_4_3_an_identical_file_is_a_success_that_changed_nothing(metadata, tools):
    files = tools.text_field("Same__c")
    metadata.deploy(files)
    told = metadata.deploy(files)["details"][0]["componentSuccesses"]
    (field,) = (one for one in told if one["fullName"] == ["Account.Same__c"])
    assert (field["changed"], field["created"], field["deleted"]) == (["false"], ["false"], ["false"])


def test_metadata_8_deployments_of_one_org_run_one_after_another(metadata, shared_practice, tools):
    shared_practice.estate.settings.put("metadata_seconds", 0.2)
    try:
        first = metadata.start_deploy({"package.xml": tools.manifest()})
        second = metadata.start_deploy({"package.xml": tools.manifest()})
        (told,) = metadata.call("checkDeployStatus", f"<asyncProcessId>{second}</asyncProcessId>")
        assert told["status"] == ["Pending"]
        assert metadata.wait("checkDeployStatus", first)["status"] == ["Succeeded"]
        assert metadata.wait("checkDeployStatus", second)["status"] == ["Succeeded"]
    finally:
        shared_practice.estate.settings.clear("metadata_seconds")


@pytest.mark.parametrize("bump", [True, False])
def test_metadata_8_a_deleted_field_bumps_layouts_where_the_setting_says_so(metadata, shared_practice, tools, bump):
    shared_practice.estate.settings.put("deleted_field_bumps", bump)
    name = f"Bump{bump}__c"

    def dates():
        return {
            one["fullName"]: one["lastModifiedDate"] for one in metadata.list("Layout") if "Account-" in one["fullName"]
        }

    try:
        metadata.deploy(tools.text_field(name))
        before = dates()
        metadata.destroy(CustomField=f"Account.{name}")
        assert before and (dates() != before) is bump
    finally:
        shared_practice.estate.settings.clear("deleted_field_bumps")


def test_metadata_6_1_a_child_does_not_move_the_date_of_its_parent(metadata, tools):
    def date():
        return next(one["lastModifiedDate"] for one in metadata.list("CustomObject") if one["fullName"] == "Invoice__c")

    before = date()
    assert metadata.deploy(tools.text_field("Child__c", "Invoice__c"))["status"] == ["Succeeded"]
    assert date() == before
    assert "Invoice__c.Child__c" in metadata.names("CustomField")


def test_metadata_3_5_a_star_takes_all_settings_together_and_no_reports(metadata):
    files, result = metadata.retrieve(Settings="*", Report="*")
    assert [path for path in files if path.startswith("unpackaged/settings/")]
    assert not [path for path in files if path.startswith("unpackaged/reports/")]
    assert any("Report" in one["problem"][0] for one in result["messages"])


def test_metadata_3_3_a_folder_is_a_member_of_its_content_type(metadata):
    folder = sorted(metadata.names("ReportFolder"))[0]
    files, _ = metadata.retrieve(Report=folder)
    assert [path for path in files if path.startswith(f"unpackaged/reports/{folder}")]
