"""What a retrieve shows of an org: wildcards, standard objects, children, flows, limits; jobs that outlive a kill."""

import io
import json
import time
import zipfile
from typing import Any

import pytest

from rehearse.practice import components, deploy, meta_jobs, meta_list, retrieve, retrieve_jobs
from rehearse.practice.estate import Estate
from rehearse.practice.meta_package import Package, parse_package


@pytest.fixture
def org(seeded_estate):
    org = seeded_estate.sandbox("UATFULL")
    deploy.prepare(org)
    return org


def run(
    org: Any, job_id: str = "09S1", single: bool = False, **members: Any
) -> tuple[dict[str, bytes], dict[str, Any]]:
    asked = {name: (one,) if isinstance(one, str) else tuple(one) for name, one in members.items()}
    done = retrieve.run(org, retrieve.RetrieveRequest(job_id, Package(asked, "67.0"), single))
    if done.zip is None:
        return {}, done.result
    with zipfile.ZipFile(io.BytesIO(done.zip)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}, done.result


def objects(files: dict[str, bytes]) -> set[str]:
    return {path.split("/")[-1].removesuffix(".object") for path in files if path.endswith(".object")}


def test_metadata_3_a_wildcard_takes_custom_objects_only(org):
    custom, _ = run(org, CustomObject="*")
    assert "Invoice__c" in objects(custom) and "Account" not in objects(custom)
    both, _ = run(org, CustomObject=["*", "Account"])
    assert objects(both) == objects(custom) | {"Account"}


def test_metadata_3_a_standard_object_shows_what_may_be_customised(org):
    text = run(org, CustomObject="Account")[0]["unpackaged/objects/Account.object"].decode()
    assert "<fullName>Region__c</fullName>" in text
    assert "<fullName>AnnualRevenue</fullName>" not in text and "<nameField>" not in text


def test_metadata_3_named_children_come_without_their_siblings(org):
    files, _ = run(org, CustomField="Invoice__c.Total__c", ValidationRule="Payment__c.Nothing")
    text = files["unpackaged/objects/Invoice__c.object"].decode()
    assert text.count("<fields>") == 1 and "<label>Invoice</label>" not in text


@pytest.mark.parametrize(
    "members, problem",
    [
        ({"CustomField": "*"}, "Entity of type 'CustomField' named '*' cannot be found"),
        ({"Report": "*"}, "Entity of type 'Report' named '*' cannot be found"),
        ({"ApexClass": "Nobody"}, "Entity of type 'ApexClass' named 'Nobody' cannot be found"),
        ({"Nonsense": "X"}, "Entity type: 'Nonsense' is unknown"),
    ],
)
def test_what_is_not_there_is_a_message(org, members, problem):
    files, result = run(org, **members)
    assert [one["problem"] for one in result["messages"]] == [problem]
    assert result["success"] and list(files) == ["unpackaged/package.xml"]


def test_the_manifest_lists_what_was_resolved(org):
    files, result = run(org, ApexClass="*", Flow=["Invoice_Reminder", "Nobody"])
    listed = parse_package(files["unpackaged/package.xml"])
    assert listed.names("Flow") == ("Invoice_Reminder",)
    assert set(listed.names("ApexClass")) == set(components.names(org, "ApexClass"))
    told = {(one["type"], one["fullName"]) for one in result["fileProperties"]}
    assert ("Flow", "Invoice_Reminder") in told and ("Package", "unpackaged/package.xml") in told
    assert not any(one["fileName"].endswith("-meta.xml") for one in result["fileProperties"])


def test_metadata_4_1_only_the_newest_version_of_a_flow_is_seen(org):
    text = run(org, Flow="Invoice_Reminder")[0]["unpackaged/flows/Invoice_Reminder.flow"].decode()
    assert "<status>Draft</status>" in text  # version 1 is the active one
    definition = run(org, FlowDefinition="Invoice_Reminder")[0]
    assert b"<activeVersionNumber>1<" in definition["unpackaged/flowDefinitions/Invoice_Reminder.flowDefinition"]


def test_folders_come_by_name(org):
    folder = components.names(org, "ReportFolder")[0]
    report = meta_list.listed(org, "Report", folder)[0].name
    files, _ = run(org, Report=[folder, report])
    assert {f"unpackaged/reports/{folder}-meta.xml", f"unpackaged/reports/{report}.report"} <= set(files)


def test_bytes_that_are_no_text_come_back_unchanged(org):
    files, _ = run(org, StaticResource="LetterFont")
    assert files["unpackaged/staticresources/LetterFont.resource"] == bytes(range(256)) * 9


def test_the_same_retrieve_gives_the_same_bytes(org):
    members = {"CustomObject": ["*", "Account"], "Profile": "*", "Workflow": "*", "CustomLabels": "*"}
    org.clock.pause()
    assert run(org, **members)[0] == run(org, **members)[0]
    assert run(org, **members)[0] != run(org, "09S2", **members)[0]


def test_everything_installs_into_an_empty_org_and_looks_the_same(org, tmp_path):
    kinds = {one["xmlName"] for one in meta_list.describe(org)["metadataObjects"]} - {"FlowDefinition", "Report"}
    members = {kind: ("*",) for kind in kinds} | {"CustomObject": ("*", "Account", "Case", "Contact", "Opportunity")}
    files, _ = run(org, single=True, **members)
    estate = Estate.create(tmp_path / "empty")
    try:
        deploy.install(estate.production, files)
        again, _ = run(estate.production, single=True, **members)
    finally:
        estate.close()
    assert again == files


def test_metadata_2_too_many_files_are_refused(org, seeded_estate):
    seeded_estate.settings.put("retrieve_file_limit", 5)
    files, result = run(org, ApexClass="*")
    assert files == {} and result["status"] == "Failed" and not result["success"]
    assert result["errorStatusCode"] == "LIMIT_EXCEEDED"


def test_an_unknown_package_fails(org):
    request = retrieve.RetrieveRequest("09S1", Package(), package_names=("Nobody",))
    result = retrieve.run(org, request).result
    assert result["errorStatusCode"] == "INVALID_CROSS_REFERENCE_KEY" and "No package named" in result["errorMessage"]


@pytest.mark.parametrize("state", ["Pending", "InProgress"])
def test_a_job_of_a_killed_process_is_done_when_somebody_asks(org, state):
    job_id = org.new_id("09S")
    asked = {"members": {"ApexClass": ["*"]}, "version": "67.0", "single_package": True}
    with org.transaction() as db:
        db.execute(
            "INSERT INTO meta_job (id, kind, state, position, request, result) VALUES (?, 'retrieve', ?, 1, ?, '{}')",
            (job_id, state, json.dumps({**asked, "package_names": [], "specific_files": []})),
        )
    until = time.monotonic() + 20
    while not retrieve_jobs.status(org, job_id, include_zip=False)["done"]:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert retrieve_jobs.status(org, job_id[:15], include_zip=True)["zipFile"]
    assert [one.state for one in meta_jobs.load_all(org, "retrieve")] == ["Succeeded"]


def test_roles_profiles_and_permission_sets_are_rows_too(org):
    for type_name, table, column in (("Role", "UserRole", "DeveloperName"), ("PermissionSet", "PermissionSet", "Name")):
        rows = dict(org.db.execute(f'SELECT "{column}", "Id" FROM "{table}"').fetchall())
        assert {one.name: one.id for one in components.load_type(org, type_name)}.items() <= rows.items()
    linked = org.db.execute('SELECT count(*) FROM "UserRole" WHERE "ParentRoleId" IS NOT NULL').fetchone()[0]
    assert linked == sum(1 for one in components.load_type(org, "Role") if b"<parentRole>" in one.xml) > 0
