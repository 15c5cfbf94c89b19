"""A forecast of nothing is no forecast: what is no package is refused, and what no org would take is told."""

import zipfile
from pathlib import Path

import pytest

from rehearse.errors import UsageError
from rehearse.reset import forecast_read
from rehearse.reset.forecast_doubts import find_doubts
from rehearse.reset.forecast_package import open_package
from rehearse.reset.forecast_read import load_package

NS = "http://soap.sforce.com/2006/04/metadata"
LABELS = f'<CustomLabels xmlns="{NS}"><labels><fullName>Hi</fullName><value>hi</value></labels></CustomLabels>'


def manifest(*members: str) -> str:
    """A package.xml of `Type Name` members."""
    pairs = [one.split(" ", 1) for one in members]
    types = "".join(f"<types><members>{name}</members><name>{type}</name></types>" for type, name in pairs)
    return f'<Package xmlns="{NS}">{types}<version>67.0</version></Package>'


def packed(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"readme.md": "# hello"}, "nothing that could be deployed"),
        ({"package.xml": "<Package><types>"}, "is no manifest"),
        ({"package.xml": "<other/>", "classes/A.cls": "class A {}"}, "is no manifest"),
        ({"package.xml": manifest("ApexClass A"), "destructiveChanges.xml": "<"}, "destructiveChanges.xml of"),
        ({"package.xml": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>{manifest("A &x;")}'}, "no manifest"),
        ({"package.xml": manifest("ApexClass A"), "../../classes/A.cls": "class A {}"}, "lies beside it"),
        ({"package.xml": manifest("ApexClass A"), "classes/B.cls": "class B {}"}, "lies beside it"),
    ],
)
def test_what_is_no_package_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        load_package(packed(tmp_path / "p.zip", files))
    assert refused.value.hint and "passwd" not in refused.value.message.replace(str(tmp_path), "")


def test_an_empty_folder_is_refused_and_a_manifest_that_only_deletes_is_not(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="nothing that could be deployed"):
        load_package(tmp_path / "none")
    files = {"package.xml": manifest(), "destructiveChanges.xml": manifest("ApexClass Old")}
    assert load_package(packed(tmp_path / "p.zip", files)).deletes == (("ApexClass", "Old"),)


def test_a_folder_of_several_packages_is_not_one(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "classes").mkdir(parents=True)
        (tmp_path / name / "package.xml").write_text(manifest("ApexClass A"))
        (tmp_path / name / "classes" / "A.cls").write_text("class A {}")
    with pytest.raises(UsageError, match="several packages: one, two"):
        load_package(tmp_path)
    assert load_package(tmp_path / "two").members == {"ApexClass": frozenset({"A"})}


def test_a_package_that_no_org_takes_for_its_size_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast_read, "MOST_UNPACKED", 1000)
    path = packed(tmp_path / "p.zip", {"package.xml": manifest("ApexClass A"), "classes/A.cls": "0" * 5000})
    with pytest.raises(UsageError, match="more than 600 MB"):
        load_package(path)


def test_what_a_deployment_would_refuse_or_pass_over_is_told() -> None:
    members = ["ApexClass A", "CustomLabel Hi", "Layout Thing__c-Gr%C3%B6%C3%9Fe", "CustomField Thing__c.New__c"]
    files = {
        "package.xml": manifest(*members, "Report Sales/One", "Unheard Of", "ApexClass *", "Role Gone"),
        "classes/A.cls": "class A {}",
        "classes/A.cls-meta.xml": f'<ApexClass xmlns="{NS}"/>',
        "labels/CustomLabels.labels": LABELS,
        "layouts/Thing__c-Größe.layout": "<Layout",
        "objects/Thing__c.object": f'<CustomObject xmlns="{NS}"><label>Thing</label></CustomObject>',
        "reports/Sales/Other.report": f'<Report xmlns="{NS}"/>',
    }
    missing, broken, unnamed = find_doubts(open_package({name: text.encode() for name, text in files.items()}))
    assert "(CustomField Thing__c.New__c, Role Gone)" in missing and "would refuse" in missing
    assert "(layouts/Thing__c-Größe.layout)" in broken
    assert "(objects/Thing__c.object, reports/Sales/Other.report)" in unnamed and "not deployed" in unnamed


def test_a_sound_package_raises_no_doubt() -> None:
    files = {"package.xml": manifest("CustomLabels CustomLabels"), "labels/CustomLabels.labels": LABELS}
    assert find_doubts(open_package({name: text.encode() for name, text in files.items()})) == ()
    assert find_doubts(load_package(Path(__file__).parents[2] / "plans" / "r41" / "package")) == ()
