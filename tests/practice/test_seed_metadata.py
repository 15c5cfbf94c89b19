"""The company's metadata: the same for a seed, whole, well-formed, and accepted by the org with every rule."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from rehearse.practice import components, meta_flows, play_client, play_package, play_records, seed_metadata
from rehearse.practice.components import Author
from rehearse.practice.deploy_apply import apply_plan
from rehearse.practice.deploy_items import build_plan
from rehearse.practice.deploy_model import Options, Outcome
from rehearse.practice.deploy_zip import open_package
from rehearse.practice.estate import Estate
from rehearse.practice.org_state import OrgState
from rehearse.practice.seed_xml import METADATA, ordered, render_component

PLANS = Path(__file__).parents[2] / "plans"


def deploy(org: OrgState, files: dict[str, bytes]) -> list[Outcome]:
    options = Options(ignore_warnings=True, rollback_on_error=True, single_package=True, test_level="NoTestRun")
    user_id = org.db.execute('SELECT "Id" FROM "User" WHERE "Alias" = \'release\'').fetchone()[0]
    plan = build_plan(open_package(play_client.pack(files)), options)
    return apply_plan(org, plan, options, Author(user_id, org.stamp()))


@pytest.fixture
def sandbox(seeded_estate: Estate) -> Iterator[OrgState]:
    org = seeded_estate.sandbox("UATFULL")
    assert org is not None
    yield org


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    assert seed_metadata.build_files(1) == seed_metadata.build_files(1)
    assert seed_metadata.build_files(1) != seed_metadata.build_files(2)


def test_there_are_a_hundred_components_of_many_types(sandbox: OrgState) -> None:
    members = seed_metadata.list_members(seed_metadata.build_files())
    assert len(members) >= 20
    assert sum(len(names) for names in members.values()) >= 80
    kinds = {
        kind: components.names(sandbox, kind)
        for kind in ("CustomField", "RecordType", "ValidationRule", "ListView", "CompactLayout", "FieldSet", "WebLink")
    }
    assert all(kinds.values())
    assert len(kinds["CustomField"]) >= 100


def test_every_file_is_well_formed_and_named_by_the_manifest() -> None:
    files = seed_metadata.build_files()
    for path, body in files.items():
        if not path.startswith(("classes", "triggers", "lwc", "staticresources")) or path.endswith("-meta.xml"):
            assert etree.fromstring(body).tag.startswith(f"{{{METADATA}}}"), path
    rest = {path: body for path, body in files.items() if path != "package.xml"}
    assert seed_metadata.with_manifest(rest) == files


def test_xml_escapes_what_has_to_be_escaped() -> None:
    body = render_component("Thing", ordered("A", value="<&>\"'", flag=True, many=["1", "2"]))
    root = etree.fromstring(body)
    assert [child.text for child in root] == ["A", "true", "1", "2", "<&>\"'"]


def test_the_org_takes_the_whole_company_again_as_unchanged(sandbox: OrgState) -> None:
    outcomes = deploy(sandbox, seed_metadata.build_files(1))
    assert len(outcomes) > 200
    assert [one for one in outcomes if not one.success or one.problem] == []
    assert [one.name for one in outcomes if one.created or one.changed or one.deleted] == []


def test_flows_have_versions_and_one_is_active_in_an_older_one(sandbox: OrgState) -> None:
    found = {(one.flow, one.number): one.status for one in meta_flows.load_versions(sandbox)}
    assert found[("Invoice_Reminder", 1)] == "Active"
    assert found[("Invoice_Reminder", 2)] == "Draft"
    assert found[("Case_Urgency", 2)] == "Active"
    assert found[("Plan_a_Visit", 1)] == "Draft"


def test_the_package_of_r41_deploys_and_does_every_kind_of_change(sandbox: OrgState) -> None:
    outcomes = deploy(sandbox, play_package.build_package())
    assert [one for one in outcomes if not one.success or one.problem] == []
    created = {one.type for one in outcomes if one.created}
    changed = {one.type for one in outcomes if one.changed}
    deleted = {one.type for one in outcomes if one.deleted}
    assert {"CustomObject", "CustomField", "ApexClass", "ApexTrigger", "Layout", "PermissionSet"} <= created
    assert {"CustomField", "ValidationRule", "Flow", "ApexClass", "Layout", "PermissionSet", "Profile"} <= changed
    assert {"ApexClass", "ValidationRule", "ListView", "CustomLabel", "Report"} <= deleted
    assert {(one.flow, one.number): one.status for one in meta_flows.load_versions(sandbox)}[
        ("Invoice_Reminder", 3)
    ] == "Active"


def test_the_plan_holds_the_package_and_the_rows_that_the_team_uses() -> None:
    root = PLANS / "r41" / "package"
    on_disk = {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*") if one.is_file()}
    assert on_disk == play_package.build_package()
    lines = (PLANS / "r41" / "routing.csv").read_text(encoding="utf-8").splitlines()
    rows = play_records.routing_rows()
    assert lines == [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
