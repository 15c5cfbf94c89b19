"""Metadata SOAP on the wire, as metadata.md 1.1 to 1.5 have it."""

import pytest

DEPLOY_RESULT = {
    "checkOnly", "completedDate", "createdBy", "createdByName", "createdDate", "details", "done", "id",
    "ignoreWarnings", "lastModifiedDate", "numberComponentErrors", "numberComponentsDeployed",
    "numberComponentsTotal", "numberTestErrors", "numberTestsCompleted", "numberTestsTotal", "rollbackOnError",
    "runTestsEnabled", "startDate", "status", "success",
}  # fmt: skip
LABEL = (
    "<labels><fullName>{0}</fullName><language>en_US</language><protected>false</protected>"
    "<shortDescription>{0}</shortDescription><value>{0}</value></labels>"
)


def label(tools, name):
    return {
        "package.xml": tools.manifest(CustomLabel=name),
        "labels/CustomLabels.labels": tools.xml("CustomLabels", LABEL.format(name)),
    }


def record(type_name, inner):
    return f'<metadata xsi:type="{type_name}">{inner}</metadata>'


def errors(result):
    return [one["statusCode"][0] for one in result.get("errors", [])]


def test_metadata_1_1_a_dead_session_is_a_fault_with_500(metadata, shared_practice, tools):
    dead = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><SessionHeader xmlns="'
    dead += b'http://soap.sforce.com/2006/04/metadata"><sessionId>00D!x</sessionId></SessionHeader></e:Header>'
    dead += b'<e:Body><describeMetadata xmlns="http://soap.sforce.com/2006/04/metadata"/></e:Body></e:Envelope>'
    answer = metadata.post(dead)
    assert answer.status_code == 500
    assert "<faultcode>sf:INVALID_SESSION_ID</faultcode>" in answer.text
    assert "Invalid Session ID found in SessionHeader: Illegal Session" in answer.text


def test_metadata_1_1_capital_truths_and_unqualified_types_are_read(metadata):
    asked = "<retrieveRequest><apiVersion>60.0</apiVersion><singlePackage>True</singlePackage>stray"
    types = '<types xmlns=""><members>PaymentRouter</members><name>ApexClass</name></types>'
    job = metadata.call("retrieve", f"{asked}<unpackaged>{types}</unpackaged></retrieveRequest>")[0]["id"][0]
    result = metadata.wait("checkRetrieveStatus", job, "<includeZip>False</includeZip>")
    assert {one["fileName"][0] for one in result["fileProperties"]} >= {"unpackaged/classes/PaymentRouter.cls"}


def test_metadata_1_2_ids_have_their_prefixes_and_results_their_order(metadata, tools):
    started = metadata.call("retrieve", "<retrieveRequest><apiVersion>67.0</apiVersion></retrieveRequest>")[0]
    assert list(started) == ["done", "id", "state"] and started["id"][0].startswith("09S")
    assert metadata.start_deploy({"package.xml": tools.manifest()}).startswith("0Af")


def test_metadata_1_2_a_deploy_result_has_what_the_wsdl_says(metadata, tools):
    result = metadata.deploy(label(tools, "Wire_Label"))
    assert result.keys() == DEPLOY_RESULT
    told = result["details"][0]
    assert told.keys() == {"componentSuccesses", "runTestResult"}


def test_metadata_1_2_crud_takes_ten_and_each_record_has_its_result(metadata, tools):
    fields = [
        record("CustomLabel", f"<fullName>{name}</fullName><language>en_US</language><protected>false</protected>"
                              "<shortDescription>x</shortDescription><value>x</value>")
        for name in ("Crud_One", "not a name", "Crud_Two")
    ]  # fmt: skip
    one, bad, two = metadata.call("createMetadata", "".join(fields))
    assert one == {"fullName": ["Crud_One"], "success": ["true"]} and two["success"] == ["true"]
    assert bad["success"] == ["false"] and list(bad) == ["errors", "fullName", "success"]
    with pytest.raises(tools.Fault) as many:
        metadata.call("createMetadata", fields[0] * 11)
    assert many.value.code == "sf:LIMIT_EXCEEDED"


def test_metadata_1_2_crud_tells_new_from_old(metadata):
    inner = "<fullName>Account.Crud__c</fullName><label>Crud</label><length>{}</length><type>Text</type>"
    made = metadata.call("createMetadata", record("CustomField", inner.format(20)))[0]
    assert made["success"] == ["true"], made
    again = metadata.call("createMetadata", record("CustomField", inner.format(20)))[0]
    assert errors(again) == ["DUPLICATE_DEVELOPER_NAME"]
    changed = metadata.call("upsertMetadata", record("CustomField", inner.format(30)))[0]
    assert (changed["created"], changed["success"]) == (["false"], ["true"])
    nowhere = metadata.call("updateMetadata", record("CustomField", inner.replace("Crud", "Nope").format(3)))[0]
    assert errors(nowhere) == ["INVALID_CROSS_REFERENCE_KEY"]
    names = "<type>CustomField</type><fullNames>Account.Crud__c</fullNames><fullNames>Account.Nope__c</fullNames>"
    gone, missing = metadata.call("deleteMetadata", names)
    assert gone["success"] == ["true"] and errors(missing) == ["INVALID_CROSS_REFERENCE_KEY"]
    assert "Account.Crud__c" not in metadata.names("CustomField")


def test_metadata_1_2_all_or_none_takes_every_record_back(metadata):
    inner = (
        "<fullName>{}</fullName><language>en_US</language><protected>false</protected>"
        "<shortDescription>x</shortDescription><value>x</value>"
    )
    both = record("CustomLabel", inner.format("Crud_Good")) + record("CustomLabel", inner.format("bad name"))
    header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
    told = metadata.call("createMetadata", both, header)
    assert [one["success"] for one in told] == [["false"], ["false"]]
    assert "Crud_Good" not in metadata.names("CustomLabel")


def test_metadata_1_2_a_container_that_is_deleted_takes_its_children(metadata, tools):
    body = (
        "<deploymentStatus>Deployed</deploymentStatus><fields><fullName>Kind__c</fullName><label>Kind</label>"
        "<length>9</length><type>Text</type></fields><label>Fact</label><nameField><label>Name</label>"
        "<type>Text</type></nameField><pluralLabel>Facts</pluralLabel><sharingModel>ReadWrite</sharingModel>"
    )
    files = {
        "package.xml": tools.manifest(CustomObject="Fact__c"),
        "objects/Fact__c.object": tools.xml("CustomObject", body),
    }
    assert metadata.deploy(files)["status"] == ["Succeeded"]
    assert "Fact__c.Kind__c" in metadata.names("CustomField")
    metadata.call("deleteMetadata", "<type>CustomObject</type><fullNames>Fact__c</fullNames>")
    assert "Fact__c.Kind__c" not in metadata.names("CustomField")


@pytest.mark.parametrize(
    ("name", "deletable", "parent"),
    [("CustomField", "true", "CustomObject"), ("ApexClass", "false", None), ("Report", "true", "ReportFolder")],
)
def test_metadata_1_2_describe_value_type_says_what_crud_may_and_who_the_parent_is(metadata, name, deletable, parent):
    asked = f"<type>{{http://soap.sforce.com/2006/04/metadata}}{name}</type>"
    told = metadata.call("describeValueType", asked)[0]
    assert {"apiCreatable", "apiDeletable", "apiReadable", "apiUpdatable", "valueTypeFields"} <= told.keys()
    assert told["apiDeletable"] == [deletable]
    found = told["parentField"][0]["foreignKeyDomain"][0] if "parentField" in told else None
    assert found == parent


def test_metadata_1_2_a_validation_with_tests_is_deployed_without_them(metadata, tools):
    files = {
        "package.xml": tools.manifest(ApexClass="QuickFact"),
        "classes/QuickFact.cls": b"@IsTest\nprivate class QuickFact { @IsTest static void works() {} }",
        "classes/QuickFact.cls-meta.xml": tools.xml("ApexClass", "<apiVersion>67.0</apiVersion>"),
    }
    validated = metadata.deploy(files, checkOnly=True, testLevel="RunLocalTests")
    assert validated["status"] == ["Succeeded"] and "QuickFact" not in metadata.names("ApexClass")
    (quick,) = metadata.call("deployRecentValidation", f"<validationId>{validated['id'][0]}</validationId>")
    done = metadata.wait("checkDeployStatus", quick)
    assert (done["status"], done["checkOnly"], done["numberTestsTotal"]) == (["Succeeded"], ["false"], ["0"])
    assert "QuickFact" in metadata.names("ApexClass")
    with pytest.raises(tools.Fault):
        metadata.call("deployRecentValidation", f"<validationId>{quick}</validationId>")


def test_metadata_1_3_a_retrieve_says_what_is_missing_and_lists_what_it_found(metadata):
    files, result = metadata.retrieve(ApexClass=["PaymentRouter", "Nobody"])
    assert b"Nobody" not in files["unpackaged/package.xml"] and b"PaymentRouter" in files["unpackaged/package.xml"]
    assert result["messages"][0]["problem"] == ["Entity of type 'ApexClass' named 'Nobody' cannot be found"]
    names = [one["fullName"][0] for one in result["fileProperties"]]
    assert len(names) == 2, "one for the class and one for package.xml; none for the companion"


def test_metadata_1_3_an_unknown_package_is_refused(metadata, tools):
    asked = "<retrieveRequest><apiVersion>67.0</apiVersion><packageNames>Nope</packageNames></retrieveRequest>"
    job = metadata.call("retrieve", asked)[0]["id"][0]
    result = metadata.wait("checkRetrieveStatus", job)
    assert result["errorStatusCode"] == ["INVALID_CROSS_REFERENCE_KEY"]
    assert result["errorMessage"] == ["No package named 'Nope' found"]
    assert result["zipFile"] == [None], "a nil element and not a text"


def test_metadata_1_3_an_over_large_retrieve_is_limit_exceeded(metadata, shared_practice):
    shared_practice.estate.settings.put("retrieve_file_limit", 1)
    try:
        _, result = metadata.retrieve(ApexClass="*")
    finally:
        shared_practice.estate.settings.clear("retrieve_file_limit")
    assert result["errorStatusCode"] == ["LIMIT_EXCEEDED"] and result["status"] == ["Failed"]


def test_metadata_1_3_value_set_translations_have_no_type_in_a_list(metadata, tools):
    names = sorted(metadata.names("GlobalValueSet"))
    body = "<valueTranslation><masterLabel>A</masterLabel><translation>B</translation></valueTranslation>"
    name, kind = f"{names[0]}-de", "GlobalValueSetTranslation"
    path = f"globalValueSetTranslations/{name}.globalValueSetTranslation"
    files = {"package.xml": tools.manifest(**{kind: name}), path: tools.xml(kind, body)}
    result = metadata.deploy(files)
    assert result["status"] == ["Succeeded"], tools.problems(result)
    (listed,) = metadata.list("GlobalValueSetTranslation")
    assert listed["type"] is None and listed["fileName"].endswith(".globalValueSetTranslation")


def test_metadata_1_4_warnings_count_only_where_they_are_not_ignored(metadata, tools):
    files = {"package.xml": tools.manifest(), "destructiveChanges.xml": tools.manifest(ApexClass="Nobody")}
    strict, lenient = metadata.deploy(files, ignoreWarnings=False), metadata.deploy(files)
    assert strict["status"] != ["Succeeded"] or strict["details"][0]["componentFailures"]
    assert lenient["status"] == ["Succeeded"]
    told = [one for one in lenient["details"][0]["componentSuccesses"] if "problem" in one]
    assert told[0]["problem"] == ["No ApexClass named: Nobody found"] and told[0]["problemType"] == ["Warning"]
    assert told[0]["fileName"][0].endswith("destructiveChanges.xml")


def test_metadata_1_4_what_package_xml_names_must_be_in_the_zip_unless_allowed(metadata, tools):
    files = {"package.xml": tools.manifest(ApexClass="Absent")}
    refused = metadata.deploy(files)
    text = "An object 'Absent' of type ApexClass was named in package.xml, but was not found in zipped directory"
    assert refused["status"] == ["Failed"] and tools.problems(refused) == [text]
    assert metadata.deploy(files, allowMissingFiles=True)["status"] == ["Succeeded"]


@pytest.mark.parametrize("name", ["1st", "two words", "Ends_", "Two__Lines"])
def test_metadata_1_4_names_follow_the_rule(metadata, tools, name):
    (text,) = tools.problems(metadata.deploy(label(tools, name)))
    assert text.startswith("The Custom Label API name can only contain underscores and alphanumeric characters.")


def test_metadata_1_5_rest_deploys_and_cancels_like_soap(rest):
    assert rest.error("GET", "metadata/deployRequest/0Af000000000000")[:2] == (404, "NOT_FOUND")
    asked = {"validatedDeployRequestId": "0Af000000000000"}
    assert rest.error("POST", "metadata/deployRequest", asked)[:2] == (404, "NOT_FOUND")


def test_metadata_2_a_request_over_fifty_megabytes_is_refused(metadata, tools):
    with pytest.raises(tools.Fault) as refused:
        metadata.call("describeMetadata", " " * 52_428_800)
    assert "Maximum size of request reached. Maximum size of request is 52428800 bytes." in refused.value.text


def test_metadata_1_4_settings_are_told_under_a_type_of_their_own(metadata, tools):
    files, _ = metadata.retrieve(Settings="*")
    path, body = next((path, body) for path, body in sorted(files.items()) if "/settings/" in path)
    name = path.rpartition("/")[2].removesuffix(".settings")
    result = metadata.deploy({"package.xml": tools.manifest(Settings=name), f"settings/{name}.settings": body})
    told = {one["fullName"][0]: one["componentType"][0] for one in result["details"][0]["componentSuccesses"]}
    assert told[name] == f"{name}Settings"
