"""The forecast of packages and rows, from values alone: what is a change, which grade it has, and the verdict."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearse.baseline.components import read_components
from rehearse.baseline.keys import Keys
from rehearse.baseline.model import Capture, ObjectScope, ResolvedScope
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.source_tree import convert_source, read_source
from rehearse.errors import NotFound, UsageError
from rehearse.reset.forecast import BIN_KEEPS, ForecastInputs, RowChanges, Work, build_forecast
from rehearse.reset.forecast_doubts import find_doubts
from rehearse.reset.forecast_package import Known, find_component_changes, open_package
from rehearse.reset.forecast_read import load_package
from rehearse.reset.forecast_rows import RowFile, find_row_changes, read_rows
from rehearse.reset.model import Forecast
from rehearse.secret import Reference

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def xml(type: str, inner: str) -> bytes:
    return f"<{type} {NS}>{inner}</{type}>".encode()


def manifest(**members: str) -> bytes:
    types = "".join(
        f"<types>{''.join(f'<members>{one}</members>' for one in names.split())}<name>{type}</name></types>"
        for type, names in members.items()
    )
    return xml("Package", types)


def known(files: dict[str, bytes], *types: str) -> Known:
    components = {(one.type, one.full_name): one for one in read_components(files)}
    return Known(components, files, frozenset(types) if types else None)


def forecast(org: dict[str, bytes], package: dict[str, bytes], *types: str) -> Forecast:
    changes = find_component_changes(open_package(package), known(org, *types))
    return build_forecast(ForecastInputs(changes, (), (), NOW, NOW))


def told(found: Forecast) -> dict[str, tuple[str, str]]:
    return {f"{one.type}:{one.key}": (one.change, one.grade) for one in found.items}


FIELD = "<fields><fullName>{}</fullName><label>{}</label><type>Text</type></fields>"
ORG = {
    "objects/Trip__c.object": xml("CustomObject", FIELD.format("Day__c", "Day") + "<label>Trip</label>"),
    "classes/Guide.cls": b"class Guide {}",
    "classes/Guide.cls-meta.xml": xml("ApexClass", "<status>Active</status>"),
    "installedPackages/maps.installedPackage": xml("InstalledPackage", "<versionNumber>1.0</versionNumber>"),
    "profiles/Crew.profile": xml(
        "Profile", "<classAccesses><apexClass>Guide</apexClass><enabled>true</enabled></classAccesses>"
    ),
    "settings/Case.settings": xml("CaseSettings", "<notifyOwnerOnNewComment>true</notifyOwnerOnNewComment>"),
}


def test_what_is_the_same_already_is_no_change() -> None:
    package = {"package.xml": manifest(CustomObject="Trip__c", ApexClass="Guide", Profile="Crew"), **ORG}
    found = forecast(ORG, package)
    assert (found.items, found.verdict) == ((), "undoable")


def test_a_field_alone_says_nothing_about_its_object_and_what_the_manifest_leaves_out_is_not_deployed() -> None:
    inner = FIELD.format("Day__c", "Date") + FIELD.format("Night__c", "Night") + "<label>Journey</label>"
    package = {
        "package.xml": manifest(CustomField="Trip__c.Night__c"),
        "objects/Trip__c.object": xml("CustomObject", inner),
    }
    assert told(forecast(ORG, package)) == {
        "CustomField:Trip__c.Night__c": ("created", "exact"),
        "Profile:Crew": ("updated", "exact"),
    }
    whole = {**package, "package.xml": manifest(CustomObject="*")}
    assert told(forecast(ORG, whole)) == {
        "CustomField:Trip__c.Day__c": ("updated", "exact"),
        "CustomField:Trip__c.Night__c": ("created", "exact"),
        "CustomObject:Trip__c": ("updated", "exact"),
        "Profile:Crew": ("updated", "exact"),
    }


def test_a_deleted_object_takes_its_own_along_and_names_are_found_in_any_letter_case() -> None:
    package = {"package.xml": manifest(), "destructiveChangesPre.xml": manifest(CustomObject="TRIP__C Nobody__c")}
    assert told(forecast(ORG, package)) == {
        "CustomObject:Trip__c": ("deleted", "exact"),
        "CustomField:Trip__c.Day__c": ("deleted", "exact"),
    }


def test_a_deleted_class_is_missed_by_the_profiles_that_name_it() -> None:
    package = {"package.xml": manifest(), "destructiveChanges.xml": manifest(ApexClass="Guide")}
    assert told(forecast(ORG, package)) == {
        "ApexClass:Guide": ("deleted", "exact"),
        "Profile:Crew": ("updated", "exact"),
    }


def test_another_version_of_a_package_burns() -> None:
    newer = xml("InstalledPackage", "<versionNumber>2.0</versionNumber>")
    package = {"package.xml": manifest(InstalledPackage="maps"), "installedPackages/maps.installedPackage": newer}
    found = forecast(ORG, package)
    assert (found.verdict, told(found)) == ("burns", {"InstalledPackage:maps": ("updated", "impossible")})


def test_a_type_outside_the_scope_is_unknown_and_never_counts_as_undoable() -> None:
    package = {"package.xml": manifest(ApexClass="New"), "classes/New.cls": b"class New {}"}
    found = forecast(ORG, package, "CustomObject")
    assert (found.verdict, told(found)["ApexClass:New"][1]) == ("partly", "unknown")


def test_a_grant_for_something_new_goes_with_it_and_any_other_stays_as_an_entry() -> None:
    access = "<classAccesses><apexClass>{}</apexClass><enabled>true</enabled></classAccesses>"
    new = {"classes/New.cls": b"class New {}", "profiles/Crew.profile": xml("Profile", access.format("New"))}
    package = {"package.xml": manifest(ApexClass="New", Profile="Crew"), **new}
    assert told(forecast(ORG, package))["Profile:Crew"] == ("updated", "exact")
    package["profiles/Crew.profile"] = xml("Profile", access.format("Other"))
    assert told(forecast(ORG, package))["Profile:Crew"] == ("updated", "residue")


@pytest.mark.parametrize(
    ("work", "verdict", "grade"),
    [
        (Work("s", "manual", "Setup", "manual", "Setup = off"), "partly", "manual"),
        (Work("s", "manual", "Setup", "manual", no_return=True), "partly", "manual"),
        (Work("s", "manual", "Setup", "shell"), "partly", "unknown"),
        (Work("s", "manual", "Setup"), "partly", "unknown"),
        (Work("s", "manual", "Setup", no_return=True), "burns", "impossible"),
        (Work("s", "apex", "fix.apex"), "partly", "unknown"),
        (Work("s", "shell", "load.sh", "shell"), "partly", "unknown"),
    ],
)
def test_steps_that_nobody_can_foresee(work: Work, verdict: str, grade: str) -> None:
    found = build_forecast(ForecastInputs((), (), (work,), NOW, NOW))
    assert (found.verdict, found.items[0].grade) == (verdict, grade)


def test_the_bin_is_counted_from_the_baseline() -> None:
    taken = NOW - timedelta(days=3)
    assert build_forecast(ForecastInputs((), (), (), NOW, taken)).undelete_until == taken + BIN_KEEPS
    old = build_forecast(ForecastInputs((), (), (), NOW, NOW - timedelta(days=20)))
    assert any("older than the recycle bin" in one for one in old.warnings)
    none = build_forecast(ForecastInputs((), (), (), NOW))
    assert none.undelete_until is None
    assert any("no baseline" in one for one in none.warnings)


def test_a_deletion_of_a_type_outside_the_scope_is_unknown_and_not_nothing() -> None:
    gone = manifest(ValidationRule="Trip__c.Rule", Flow="Greeting-2", ApexClass="Guide Other", CustomObject="Trip__c")
    held = {path: body for path, body in ORG.items() if path.startswith("classes/")}
    found = forecast(held, {"package.xml": manifest(), "destructiveChanges.xml": gone}, "ApexClass")
    assert told(found) == {
        "ApexClass:Guide": ("deleted", "residue"),
        "CustomObject:Trip__c": ("deleted", "unknown"),
        "Flow:Greeting-2": ("deleted", "unknown"),
        "ValidationRule:Trip__c.Rule": ("deleted", "unknown"),
    }
    assert found.verdict == "partly"


@pytest.mark.parametrize(
    ("inner", "held", "grade"),
    [
        ("<type>Text</type>", {"Trip__c": frozenset({"Day__c"})}, "exact"),
        ("<type>Text</type>", {}, "manual"),
        ("<type>AutoNumber</type>", {"Trip__c": frozenset({"Day__c"})}, "manual"),
        ("<trackHistory>true</trackHistory><type>Text</type>", {"Trip__c": frozenset({"Day__c"})}, "residue"),
    ],
)
def test_what_a_package_deletes_is_promised_as_a_plan_promises_it(
    inner: str, held: dict[str, frozenset[str]], grade: str
) -> None:
    """A plan asks whether the baseline holds the values; the forecast called each deletion exact."""
    field = f"<fields><fullName>Day__c</fullName><label>Day</label>{inner}</fields>"
    org = {"objects/Trip__c.object": xml("CustomObject", f"{field}<label>Trip</label>")}
    place = replace(known(org, "CustomObject", "CustomField", "Profile", "PermissionSet"), held=held)
    gone = {"package.xml": manifest(), "destructiveChanges.xml": manifest(CustomField="Trip__c.Day__c")}
    changes = find_component_changes(open_package(gone), place)
    found = build_forecast(ForecastInputs(changes, (), (), NOW, NOW))
    assert told(found) == {"CustomField:Trip__c.Day__c": ("deleted", grade)}


def test_rows_by_what_the_table_knows_of_them() -> None:
    rows = (
        RowChanges("a", "User", "created", 2),
        RowChanges("b", "Contract", "updated", 1, frozenset({"activated"})),
        RowChanges("c", "Trip__c", "created", 3, frozenset({"object-added"})),
        RowChanges("d", "Trip__c", "deleted", 0),
        RowChanges("e", "AccountTeamMember", "deleted", 1, frozenset({"in-bin"})),
    )
    found = build_forecast(ForecastInputs((), rows, (), NOW, NOW))
    assert {one.key: one.grade for one in found.items} == {
        "a": "manual", "b": "impossible", "c": "exact", "e": "residue",
    }  # fmt: skip
    assert found.verdict == "burns"


def test_a_file_of_rows_without_a_baseline_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("Code__c,Name\nA,one\nB,two\n")
    (one,) = find_row_changes(None, None, RowFile("load", "Trip__c", "upsert", path, "Code__c"))
    assert (one.count, one.marks) == (2, {"no-baseline"})
    (added,) = find_row_changes(None, None, RowFile("load", "Trip__c", "insert", path), frozenset({"Trip__c"}))
    assert (added.what, added.marks) == ("created", {"object-added"})


def test_a_file_of_rows_of_an_object_behind_a_filter_or_outside_the_scope(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("Name\none\n")
    scope = ResolvedScope((), (ObjectScope("Trip__c", (), "Day__c > 2026-01-01"),))
    before = Capture("U", "s", "UAT", "00D", NOW, NOW, "67.0", scope, {}, (), 0, "", "", (), "usable")
    store = CaptureStore(tmp_path, Keys(tmp_path / "keys", Reference(file=str(tmp_path / "key"))))
    loads = [RowFile("load", one, "insert", path) for one in ("Trip__c", "Other__c")]
    rows = tuple(change for one in loads for change in find_row_changes(store, before, one))
    assert [one.marks for one in rows] == [{"filtered"}, {"outside-scope"}]
    items = build_forecast(ForecastInputs((), rows, (), NOW, NOW)).items
    assert [(one.hazard, one.grade) for one in items] == [
        ("created-behind-filter", "unknown"), ("rows-outside-scope", "unknown"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("objects", "document", "grade"),
    [
        ("ContentVersion ContentDocument", "", "exact"),
        ("ContentVersion ContentDocument", "069000000000001AAA", "impossible"),
        ("ContentVersion", "", "impossible"),
    ],
)
def test_a_new_file_goes_with_its_document_where_that_is_in_scope(
    tmp_path: Path, objects: str, document: str, grade: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"Title,ContentDocumentId\none,{document}\n")
    scope = ResolvedScope((), tuple(ObjectScope(one, ()) for one in objects.split()))
    before = Capture("U", "s", "UAT", "00D", NOW, NOW, "67.0", scope, {}, (), 0, "", "", (), "usable")
    store = CaptureStore(tmp_path, Keys(tmp_path / "keys", Reference(file=str(tmp_path / "key"))))
    rows = find_row_changes(store, before, RowFile("load", "ContentVersion", "insert", path))
    assert [one.grade for one in build_forecast(ForecastInputs((), rows, (), NOW, NOW)).items] == [grade]


@pytest.mark.parametrize(
    "content", [b"A,B\n1\n", b"A,B\n1,2,3\n", b'A\n"1\n', b"A\n\xff\xfe\n", b"", b"\n\n", b"A,B,A\n1,2,3\n"]
)
def test_a_file_that_is_no_table_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"rows\.csv"):
        list(read_rows(path))
    with pytest.raises(NotFound):
        list(read_rows(tmp_path / "nowhere.csv"))


SOURCE = {
    "force-app/main/default/objects/Trip__c/Trip__c.object-meta.xml": xml("CustomObject", "<label>Trip</label>"),
    "force-app/main/default/objects/Trip__c/fields/Day__c.field-meta.xml": xml(
        "CustomField", "<fullName>Day__c</fullName><label>Day</label><type>Text</type>"
    ),
    "force-app/main/default/classes/Guide.cls": b"class Guide {}",
    "force-app/main/default/classes/Guide.cls-meta.xml": xml("ApexClass", "<status>Active</status>"),
    "force-app/main/default/profiles/Crew.profile-meta.xml": ORG["profiles/Crew.profile"],
    "force-app/main/default/staticresources/Logo.svg": b"<svg/>",
    "force-app/main/default/staticresources/Logo.resource-meta.xml": xml("StaticResource", ""),
    "README.md": b"no metadata",
}


def test_source_format_means_what_the_metadata_api_means() -> None:
    found = convert_source(SOURCE)
    assert sorted(found) == [
        "classes/Guide.cls", "classes/Guide.cls-meta.xml", "objects/Trip__c.object", "profiles/Crew.profile",
        "staticresources/Logo.resource", "staticresources/Logo.resource-meta.xml",
    ]  # fmt: skip
    changes = find_component_changes(open_package(found, whole=True), known(ORG))
    assert [(one.type, one.key, one.what) for one in changes] == [("StaticResource", "Logo", "created")]


RARE = "force-app/main/default/"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("entitlementProcesses/gold.entitlementProcess-meta.xml", "EntitlementProcess gold"),
        ("externalClientApps/Shop.eca-meta.xml", "ExternalClientApplication Shop"),
        ("bots/Help/Help.bot-meta.xml", "Bot Help"),
        ("bots/Help/v1.botVersion-meta.xml", ""),
        ("territory2Models/EU/EU.territory2Model-meta.xml", "Territory2Model EU"),
        ("territory2Models/EU/rules/Big.territory2Rule-meta.xml", "Territory2Rule EU.Big"),
        ("siteDotComSites/Shop.site", "SiteDotCom Shop"),
        ("digitalExperiences/site/Shop1/sfdc_cms__view/home/content.json", "DigitalExperienceBundle site/Shop1"),
        ("reports/Sales.reportFolder-meta.xml", "Report Sales"),
        ("email/New.emailTemplateFolder-meta.xml", "EmailTemplate New"),
        ("skills/main/default/classes/Guide.cls", "ApexClass Guide"),
        ("lwc/jsconfig.json", ""),
        ("lwc/tile/__tests__/tile.test.js", ""),
        ("newThings/A.newThing-meta.xml", ""),
    ],
)
def test_files_of_less_usual_types_are_foreseen_too(tmp_path: Path, path: str, named: str) -> None:
    """They were left out without a word, so that the forecast of such a release said nothing about them."""
    found = read_components(convert_source({RARE + path: b"<a/>"}))
    assert [f"{one.type} {one.full_name}" for one in found] == ([named] if named else [])
    if path.endswith(("newThing-meta.xml", "botVersion-meta.xml")):
        for one in (RARE + path, RARE + "classes/Guide.cls", RARE + "classes/Guide.cls-meta.xml"):
            (tmp_path / one).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / one).write_bytes(b"<a/>")
        doubts = " ".join(find_doubts(load_package(tmp_path)))
        assert "not foreseen" in doubts.lower() and RARE + path in doubts


def test_a_folder_and_a_picture_are_the_same_in_both_formats() -> None:
    source = {
        "reports/Sales.reportFolder-meta.xml": xml("ReportFolder", "<name>Sales</name>"),
        "documents/Art/Logo.png": b"png",
        "documents/Art/Logo.document-meta.xml": xml("Document", "<name>Logo</name>"),
    }
    plain = {
        "reports/Sales-meta.xml": source["reports/Sales.reportFolder-meta.xml"],
        "documents/Art/Logo.png": b"png",
        "documents/Art/Logo.png-meta.xml": source["documents/Art/Logo.document-meta.xml"],
    }
    found = convert_source({RARE + path: content for path, content in source.items()})
    assert found == plain
    assert not find_component_changes(open_package(found, whole=True), known(plain))


def test_a_source_project_says_which_folders_count(tmp_path: Path) -> None:
    for path, content in {**SOURCE, "drafts/classes/Draft.cls": b"class Draft {}"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "force-app"}]}')
    assert "classes/Draft.cls" not in read_source(tmp_path)
    (tmp_path / "sfdx-project.json").write_text("{}")
    with pytest.raises(UsageError, match="package folders"):
        read_source(tmp_path)
    (tmp_path / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "force-app"}, {"path": "gone"}]}')
    with pytest.raises(UsageError, match="folder gone"):
        read_source(tmp_path)
    with pytest.raises(NotFound):
        read_source(tmp_path / "nowhere")


def test_a_part_of_an_object_that_is_no_metadata_is_refused() -> None:
    path = "force-app/main/default/objects/Trip__c/fields/Day__c.field-meta.xml"
    with pytest.raises(UsageError, match="Day__c"):
        convert_source({**SOURCE, path: b"junk"})
    assert convert_source({**SOURCE, "force-app/main/default/objects/Trip__c/.DS_Store": b"junk"})


def test_a_hollow_baseline_promises_nothing_of_what_it_may_lack() -> None:
    """What it lacks looks like something new, which a reset deletes: a back-out would take what was always there."""
    here = {"classes/Here.cls": b"class Here {}"}
    package = open_package({
        **here, "classes/Here.cls": b"class Here { Integer a; }", "classes/Lost.cls": b"class Lost {}",
        "package.xml": manifest(ApexClass="Here Lost"), "destructiveChanges.xml": manifest(ApexClass="Gone"),
    })  # fmt: skip
    for unseen, grades in ((frozenset[str](), {"Here": "exact", "Lost": "exact"}), (frozenset({"ApexClass"}), {
        "Here": "exact", "Lost": "unknown", "Gone": "unknown",
    })):  # fmt: skip
        changes = find_component_changes(package, replace(known(here, "ApexClass"), unseen=unseen))
        assert {one.key: one.grade for one in build_forecast(ForecastInputs(changes, (), (), NOW, NOW)).items} == grades
    assert build_forecast(ForecastInputs((), (), (), NOW, NOW)).verdict == "undoable"
    assert build_forecast(ForecastInputs((), (), (), NOW, NOW, sound=False)).verdict == "partly"
