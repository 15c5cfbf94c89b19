"""Components out of packages, and packages out of components."""

import io
import zipfile
from pathlib import Path

import pytest

from rehearse.baseline.canonical_xml import NAMESPACE
from rehearse.baseline.compare_components import compare_content
from rehearse.baseline.component_types import TypeTable
from rehearse.baseline.components import is_body, name_file, read_components, read_flow_versions, read_package
from rehearse.baseline.packages import build_deploy_files, build_package_xml, read_package_xml
from rehearse.errors import NotFound, UsageError
from rehearse.org.model import MetadataType


def xml(type: str, inner: str = "") -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{type} xmlns="{NAMESPACE}">{inner}</{type}>\n'.encode()


def zipped(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()


FIELD = "<fields><fullName>{0}</fullName><type>Text</type></fields>"
FILES = {
    "package.xml": xml("Package"),
    "objects/A__c.object": xml("CustomObject", FIELD.format("X__c") + "<label>A</label>" + FIELD.format("Y__c")),
    "objects/Account.object": xml("CustomObject", FIELD.format("Z__c")),
    "labels/CustomLabels.labels": xml("CustomLabels", "<labels><fullName>Hi</fullName><value>hi</value></labels>"),
    "workflows/Account.workflow": xml("Workflow", "<rules><fullName>R</fullName><active>true</active></rules>"),
    "classes/A.cls": b"class A {}",
    "classes/A.cls-meta.xml": xml("ApexClass", "<apiVersion>60.0</apiVersion>"),
    "lwc/one/one.js": b"export default 1",
    "lwc/one/one.js-meta.xml": xml("LightningComponentBundle"),
    "reports/Sales-meta.xml": xml("ReportFolder"),
    "reports/Sales/Won.report": xml("Report"),
    "layouts/Account-Account %28x%29 Layout.layout": xml("Layout"),
    "staticresources/S.resource": zipped({"a": b"1"}),
    "staticresources/S.resource-meta.xml": xml("StaticResource"),
    "settings/Account.settings": xml("AccountSettings"),
    "somethings/N.something": xml("Something"),
}


def test_every_component_is_found_once() -> None:
    assert [(one.type, one.full_name) for one in read_components(FILES)] == [
        ("ApexClass", "A"),
        ("CustomField", "A__c.X__c"),
        ("CustomField", "A__c.Y__c"),
        ("CustomField", "Account.Z__c"),
        ("CustomLabel", "Hi"),
        ("CustomObject", "A__c"),
        ("CustomObject", "Account"),
        ("Layout", "Account-Account %28x%29 Layout"),
        ("LightningComponentBundle", "one"),
        ("Report", "Sales"),
        ("Report", "Sales/Won"),
        ("Settings", "Account"),
        ("StaticResource", "S"),
        ("WorkflowRule", "Account.R"),
        ("somethings", "N.something"),
    ]


def changed(files: dict[str, bytes]) -> set[tuple[str, str]]:
    before = {(one.type, one.full_name): one.digest for one in read_components(FILES)}
    after = {(one.type, one.full_name): one.digest for one in read_components({**FILES, **files})}
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("classes/A.cls", b"class A { }", {("ApexClass", "A")}),
        ("classes/A.cls-meta.xml", xml("ApexClass", "<apiVersion>61.0</apiVersion>"), {("ApexClass", "A")}),
        ("lwc/one/one.html", b"<template/>", {("LightningComponentBundle", "one")}),
        ("staticresources/S.resource", zipped({"a": b"2"}), {("StaticResource", "S")}),
        ("objects/A__c.object", xml("CustomObject", "<label>B</label>" + FIELD.format("X__c") + FIELD.format("Y__c")),
         {("CustomObject", "A__c")}),
        ("objects/A__c.object", xml("CustomObject", "<label>A</label>" + FIELD.format("X__c")),
         {("CustomField", "A__c.Y__c")}),
        ("objects/A__c.object",
         xml("CustomObject", FIELD.format("Y__c") + FIELD.format("X__c") + "<label>A</label>"), set()),
        ("workflows/Lead.workflow", xml("Workflow"), set()),
    ],
)  # fmt: skip
def test_a_change_of_a_file_is_a_change_of_its_component(
    path: str, content: bytes, expected: set[tuple[str, str]]
) -> None:
    assert changed({path: content}) == expected


@pytest.mark.parametrize(("place", "value"), [(6, 1), (8, 99), (42, 200)], ids=["locked", "packed", "elsewhere"])
def test_a_zip_that_cannot_be_read_is_told_of_or_compared_as_it_is(tmp_path: Path, place: int, value: int) -> None:
    """Entries under a password, packed in a way that nobody knows, or said to lie elsewhere."""
    odd = bytearray(zipped({"package.xml": b"<Package/>"}))
    entry, directory = 0, odd.index(b"PK\1\2")
    odd[directory + place + 2 if place < 42 else directory + place] = value
    if place < 42:
        odd[entry + place] = value
    (tmp_path / "p.zip").write_bytes(odd)
    with pytest.raises(UsageError, match="no whole zip file"):
        read_package(tmp_path / "p.zip")
    files = {"staticresources/S.resource": bytes(odd), "staticresources/S.resource-meta.xml": xml("StaticResource")}
    assert [(one.type, one.full_name) for one in read_components(files)] == [("StaticResource", "S")]


def test_zips_are_compared_by_their_entries() -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a", (2020, 1, 1, 0, 0, 0)), b"1")
    assert changed({"staticresources/S.resource": body.getvalue()}) == set()
    assert changed({"staticresources/S.resource": body.getvalue()[:-10]}) == {("StaticResource", "S")}


LIST = "<types><members>A</members><members>B</members><name>ApexClass</name></types>"
TURNED = "<types><members>B</members><members>A</members><name>ApexClass</name></types>"


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("staticresources/S.resource", {"staticresources/S.resource-meta.xml": xml("StaticResource")}),
        ("documents/F/D.xml", {"documents/F/D.xml-meta.xml": xml("Document")}),
        ("classes/A.cls", {}),
        ("lwc/one/one.xml", {"lwc/one/one.js-meta.xml": xml("LightningComponentBundle")}),
        ("odds/O.odd", {"odds/O.odd-meta.xml": xml("Odd")}),
    ],
)
def test_a_body_that_is_metadata_itself_counts_by_its_bytes(path: str, more: dict[str, bytes]) -> None:
    """A package.xml kept as a static resource is a file like any other: its lines are not ours to put in order."""
    sides = [{path: xml("Package", inner), **more} for inner in (LIST, TURNED)]
    described = [MetadataType("Odd", "odds", "odd", False, True)]
    (before,), (after,) = (read_components(one, types=described) for one in sides)
    assert before.digest != after.digest
    assert [one.name for one in compare_content(before, after, *sides)] == [path]
    assert read_components({**sides[0], f"{path}-meta.xml": xml("X", "<b>1</b><a/>")}, types=described) == (
        read_components({**sides[0], f"{path}-meta.xml": xml("X", "<a/><b>1</b>")}, types=described)
    )


def test_a_package_with_and_without_a_top_folder(tmp_path: Path) -> None:
    (tmp_path / "plain.zip").write_bytes(zipped(FILES))
    (tmp_path / "wrapped.zip").write_bytes(zipped({f"unpackaged/{name}": body for name, body in FILES.items()}))
    (tmp_path / "broken.zip").write_bytes(zipped(FILES)[:-30])
    for path, body in FILES.items():
        (tmp_path / "folder" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / path).write_bytes(body)
    assert read_package(tmp_path / "plain.zip") == FILES
    assert read_package(tmp_path / "wrapped.zip") == FILES
    assert read_package(tmp_path / "folder") == FILES
    with pytest.raises(UsageError):
        read_package(tmp_path / "broken.zip")
    with pytest.raises(NotFound):
        read_package(tmp_path / "none.zip")


def test_deploying_every_component_alone_brings_just_it() -> None:
    for one in read_components(FILES):
        files = build_deploy_files([(one.type, one.full_name)], FILES, "67.0")
        brought = {(two.type, two.full_name): two.digest for two in read_components(files)}
        assert brought[(one.type, one.full_name)] == one.digest
        assert brought.keys() - {(one.type, one.full_name)} <= {("CustomObject", one.full_name.partition(".")[0])}
        assert read_package_xml(files["package.xml"]) == {one.type: (one.full_name,)}


def test_deploying_all_components_brings_all() -> None:
    wanted = [(one.type, one.full_name) for one in read_components(FILES)]
    assert read_components(build_deploy_files(wanted, FILES, "67.0")) == read_components(FILES)


def test_deploying_what_is_not_stored() -> None:
    with pytest.raises(NotFound):
        build_deploy_files([("ApexClass", "B")], FILES, "67.0")


def test_manifests_escape_names() -> None:
    members = {"Layout": ["A-R&D <x>"], "CustomObject": ["B", "A"], "ApexClass": []}
    manifest = build_package_xml(members, "67.0")
    assert read_package_xml(manifest) == {"CustomObject": ("A", "B"), "Layout": ("A-R&D <x>",)}
    assert manifest.index(b"CustomObject") < manifest.index(b"Layout")


def test_flow_versions() -> None:
    one = "<versions><number>{}</number><status>{}</status></versions>"
    versions = one.format(1, "Inactive") + one.format(2, "Active")
    found = read_flow_versions(xml("FlowDefinition", f"<activeVersionNumber>2</activeVersionNumber>{versions}"))
    assert (found.active, dict(found.versions)) == (2, {1: "Inactive", 2: "Active"})
    assert read_flow_versions(xml("FlowDefinition")).active is None


@pytest.mark.parametrize(
    ("path", "type", "name"),
    [
        ("territory2Models/EU/EU.territory2Model", "Territory2Model", "EU"),
        ("territory2Models/EU/territories/France.territory2", "Territory2", "EU.France"),
        ("territory2Models/EU/rules/Big.territory2Rule", "Territory2Rule", "EU.Big"),
        ("experiences/Shop1.site-meta.xml", "ExperienceBundle", "Shop1"),
        ("experiences/Shop1/config/home.json", "ExperienceBundle", "Shop1"),
        ("digitalExperiences/site/Shop1/Shop1.digitalExperience-meta.xml", "DigitalExperienceBundle", "site/Shop1"),
        ("digitalExperiences/site/Shop1/sfdc_cms__view/home/content.json", "DigitalExperienceBundle", "site/Shop1"),
        ("documents/Art/Logo.png", "Document", "Art/Logo.png"),
        ("genAiFunctions/Find/input/schema.json", "GenAiFunction", "Find"),
    ],
)
@pytest.mark.parametrize("described", [False, True])
def test_names_are_those_that_manifests_take(path: str, type: str, name: str, described: bool) -> None:
    """As lists and manifests name them, whatever directory and suffix an org describes (territories, rules)."""
    rows = [
        MetadataType("Territory2", "territories", "territory2", False, False),
        MetadataType("Territory2Rule", "rules", "territory2Rule", False, False),
        MetadataType("Territory2Model", "territory2Models", "territory2Model", False, False),
        MetadataType("ExperienceBundle", "experiences", "site", False, False),
        MetadataType("DigitalExperienceBundle", "digitalExperiences", "digitalExperience", False, True),
        MetadataType("Document", "documents", None, True, False),
        MetadataType("GenAiFunction", "genAiFunctions", "genAiFunction", False, False),
    ]
    found = name_file(path, TypeTable(rows if described else ()))
    assert found is not None and (found[0].type, found[1]) == (type, name)
    assert is_body(found[0], "documents/Art/Logo.png") or type != "Document"
