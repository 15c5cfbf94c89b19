"""The checklist of metadata.md 8, row by row: what makes the practice org faithful enough to catch a client's bugs.

Each row's test goes through the cases that no other test of this folder shows; the details are held by their own.
"""

import time

import pytest

from rehearse.practice.faults import place

QUERIES = "<queries><type>{}</type></queries>"


@pytest.fixture(autouse=True)
def _calm(calm_practice):
    """Every test leaves the world without faults and with its usual settings."""


def listed(metadata, *types):
    return metadata.call("listMetadata", "".join(map(QUERIES.format, types)) + "<asOfVersion>67.0</asOfVersion>")


def test_metadata_8_endpoints_have_versions_and_tails_and_sessions_expire_on_demand(metadata, calm_practice, tools):
    token = calm_practice.orgs["UATFULL"].access_token
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><SessionHeader>'
        f"<sessionId>{token}</sessionId></SessionHeader></e:Header><e:Body><describeMetadata/></e:Body></e:Envelope>"
    )
    for tail in ("62.0", "67.0/00D000000000001", "63.0/deployRequest/0Af000000000001"):
        url = f"{calm_practice.http_url}/services/Soap/m/{tail}"
        assert calm_practice.session.post(url, data=body, timeout=20).status_code == 200
    calm_practice.faults.put(place("401", "check-deploy", nth=1))
    job = metadata.start_deploy({"package.xml": tools.manifest()})
    with pytest.raises(tools.Fault) as expired:
        metadata.wait("checkDeployStatus", job)
    assert (expired.value.status, expired.value.code) == (500, "sf:INVALID_SESSION_ID")
    assert metadata.wait("checkDeployStatus", job)["status"] == ["Succeeded"], "the job did not mind"


def test_metadata_8_a_list_has_its_traps(metadata, calm_practice, tools):
    described = metadata.call("describeMetadata", "<asOfVersion>67.0</asOfVersion>")[0]
    kinds = {one["xmlName"][0]: one for one in described["metadataObjects"]}
    assert kinds["CustomObject"]["childXmlNames"].count("CustomField") == 1 and kinds["Report"]["inFolder"] == ["true"]
    assert kinds["ApexClass"]["metaFile"] == ["true"] and described["partialSaveAllowed"] == ["true"]
    with pytest.raises(tools.Fault) as four:
        listed(metadata, "ApexClass", "Flow", "Layout", "Profile")
    assert four.value.code == "sf:LIMIT_EXCEEDED" and "No more than 3" in four.value.text
    with pytest.raises(tools.Fault) as spoilt:
        listed(metadata, "ApexClass", "NoSuchType")
    assert spoilt.value.code == "sf:INVALID_TYPE"
    assert listed(metadata, "StandardValueSet") == []
    calm_practice.estate.settings.put("unnamed_files", ["CustomLabel"])
    assert {one["fileName"][0] for one in listed(metadata, "CustomLabel")} == {None}
    dates = {one["lastModifiedDate"][0] for one in listed(metadata, "Settings")}
    assert dates == {"1970-01-01T00:00:00.000Z"}


def test_metadata_8_jobs_pass_their_states_over_several_polls_and_bad_gateways(metadata, calm_practice, tools):
    calm_practice.estate.settings.put("metadata_seconds", 0.4)
    calm_practice.estate.settings.put("finalizing_seconds", 0.4)
    job = metadata.start_deploy({"package.xml": tools.manifest()})
    seen, end = [], time.monotonic() + 20
    calm_practice.faults.put(place("502-html", "check-deploy", nth=2))
    while (not seen or seen[-1] != "Succeeded") and time.monotonic() < end:
        try:
            (told,) = metadata.call("checkDeployStatus", f"<asyncProcessId>{job}</asyncProcessId>")
        except Exception as error:  # an HTML page is no XML: whatever the parser says of it
            seen.append(type(error).__name__)
            continue
        if not seen or told["status"][0] != seen[-1]:
            seen.append(told["status"][0])
        time.sleep(0.02)
    broken = [one for one in seen if one not in ("Pending", "InProgress", "Finalizing", "Succeeded")]
    assert len(broken) == 1
    order = [one for one in seen if one not in broken]
    passed = list(dict.fromkeys(order))
    assert passed == [one for one in ("Pending", "InProgress", "Finalizing", "Succeeded") if one in passed]
    assert len(passed) > 2 and passed[-1] == "Succeeded", "a busy machine may miss one between two polls"


def test_metadata_8_a_retrieve_obeys_stars_tells_what_is_missing_and_has_limits(metadata, calm_practice):
    files, told = metadata.retrieve(CustomObject=["*", "Account"], Report="Nowhere/None", Flow="*", ApexClass="Nope")
    objects = {name for name in files if name.startswith("unpackaged/objects/")}
    assert "unpackaged/objects/Account.object" in objects and "unpackaged/objects/Contact.object" not in objects
    problems = " ".join(one["problem"][0] for one in told["messages"])
    assert "Entity of type 'ApexClass' named 'Nope' cannot be found" in problems
    for name, value in (("retrieve_file_limit", 3), ("retrieve_zip_bytes", 2_000)):
        calm_practice.estate.settings.put(name, value)
        files, told = metadata.retrieve(ApexClass="*", CustomObject="*")
        assert (files, told["status"], told["errorStatusCode"]) == ({}, ["Failed"], ["LIMIT_EXCEEDED"])
        calm_practice.estate.settings.clear(name)


def test_metadata_8_a_deployment_names_the_file_that_is_missing(metadata, tools):
    told = metadata.deploy({"package.xml": tools.manifest(ApexClass="Missing")})
    assert tools.problems(told) == [
        "An object 'Missing' of type ApexClass was named in package.xml, but was not found in zipped directory"
    ]
    assert told["status"] == ["Failed"]


def test_metadata_8_bundles_are_replaced_and_permission_sets_too(metadata, tools):
    def bundle(**files):
        meta = tools.xml("LightningComponentBundle", "<apiVersion>62.0</apiVersion><isExposed>false</isExposed>")
        named = {f"lwc/tile/tile.{ending}": body for ending, body in files.items()}
        return {
            "package.xml": tools.manifest(LightningComponentBundle="tile"),
            "lwc/tile/tile.js-meta.xml": meta,
            **named,
        }

    assert metadata.deploy(bundle(js=b"export default class {}", html=b"<template></template>"))["status"] == [
        "Succeeded"
    ]
    assert metadata.deploy(bundle(js=b"export default class { x = 1 }"))["status"] == ["Succeeded"]
    files, _ = metadata.retrieve(LightningComponentBundle="tile")
    assert {name.rpartition("/")[2] for name in files if "/lwc/" in name} == {"tile.js", "tile.js-meta.xml"}

    def permissions(*names):
        given = "".join(
            f"<classAccesses><apexClass>{one}</apexClass><enabled>true</enabled></classAccesses>" for one in names
        )
        inner = f"<label>Replaced</label>{given}"
        path = "permissionsets/Replaced.permissionset"
        return {"package.xml": tools.manifest(PermissionSet="Replaced"), path: tools.xml("PermissionSet", inner)}

    classes = sorted(metadata.names("ApexClass"))[:2]
    assert metadata.deploy(permissions(*classes))["status"] == ["Succeeded"]
    assert metadata.deploy(permissions(classes[0]))["status"] == ["Succeeded"]
    files, _ = metadata.retrieve(PermissionSet="Replaced")
    assert files["unpackaged/permissionsets/Replaced.permissionset"].count(b"<classAccesses>") == 1


def test_metadata_8_deletions_go_before_and_after_and_warn_of_what_is_missing(metadata, tools):
    label = "<labels><fullName>{}</fullName><language>en_US</language><protected>false</protected>"
    label += "<shortDescription>x</shortDescription><value>x</value></labels>"
    made = {
        "package.xml": tools.manifest(CustomLabel=["Goes_first", "Goes_last"]),
        "labels/CustomLabels.labels": tools.xml("CustomLabels", label.format("Goes_first") + label.format("Goes_last")),
    }
    assert metadata.deploy(made)["status"] == ["Succeeded"]
    package = {
        "package.xml": tools.manifest(CustomLabel="Goes_first"),
        "labels/CustomLabels.labels": tools.xml("CustomLabels", label.format("Goes_first")),
        "destructiveChangesPre.xml": tools.manifest(CustomLabel=["Goes_first", "Never_was"]),
        "destructiveChangesPost.xml": tools.manifest(CustomLabel="Goes_last"),
    }
    told = metadata.deploy(package)
    assert told["status"] == ["Succeeded"]
    assert {"Goes_first", "Goes_last"} & metadata.names("CustomLabel") == {"Goes_first"}
    successes = told["details"][0]["componentSuccesses"]
    (warning,) = (one for one in successes if one["fullName"] == ["Never_was"])
    assert (warning["problemType"], warning["problem"]) == (["Warning"], ["No CustomLabel named: Never_was found"])


def test_metadata_8_flow_versions_are_switched_and_deleted_over_tooling(rest, metadata):
    fields = "Id, DeveloperName, ActiveVersionId, LatestVersionId"
    where = "DeveloperName = 'Case_Urgency'"
    soql = f"SELECT {fields} FROM FlowDefinition WHERE {where}"
    (flow,) = rest("GET", "tooling/query", params={"q": soql}).json()["records"]
    path = f"tooling/sobjects/FlowDefinition/{flow['Id']}"
    off = rest("PATCH", path, {"Metadata": {"activeVersionNumber": 0}})
    assert off.status_code == 204
    assert rest("GET", "tooling/query", params={"q": soql}).json()["records"][0]["ActiveVersionId"] is None
    assert rest("PATCH", path, {"Metadata": {"activeVersionNumber": 1}}).status_code == 204
    trail = rest.rows("SELECT Display FROM SetupAuditTrail WHERE Display LIKE '%Case_Urgency%'")
    assert trail, "whoever changes set-up leaves a trail"


def test_metadata_8_a_sandbox_that_tracks_its_source_lists_what_changed(calm_practice, rest, metadata, tools):
    dev = type(rest)(calm_practice, "DEV2")
    assert dev("GET", "tooling/sobjects/SourceMember/describe").status_code == 404
    calm_practice.estate.settings.put("source_tracking", ["DEV2"])
    assert dev("GET", "tooling/sobjects/SourceMember/describe").status_code == 200
    soap = type(metadata)(calm_practice, org="DEV2")
    soap.deploy(tools.text_field("Tracked__c"))
    soap.destroy(CustomField="Account.Tracked__c")
    soql = "SELECT MemberType, MemberName, IsNameObsolete, IsNewMember, RevisionCounter, ChangedBy FROM SourceMember"
    soql += " WHERE RevisionCounter > 0"
    found = dev("GET", "tooling/query", params={"q": soql}).json()["records"]
    (member,) = (one for one in found if one["MemberName"] == "Account.Tracked__c")
    assert (member["MemberType"], member["IsNameObsolete"], member["IsNewMember"]) == ("CustomField", True, True)
    assert member["ChangedBy"]
    assert rest("GET", "tooling/query", params={"q": "SELECT Id FROM SourceMember"}).status_code == 400
