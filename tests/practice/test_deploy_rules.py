"""What a deployment may do to an org and what it may not: the rules that a reset rests on, asked of the engine."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from rehearse.practice import components, deploy, deploy_jobs, meta_flows, retrieve, rows
from rehearse.practice.deploy_model import Options
from rehearse.practice.estate import Estate
from rehearse.practice.meta_jobs import Job
from rehearse.practice.meta_package import Package, render_package
from rehearse.practice.soql_run import run_query

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
META = b'<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata"><apiVersion>67.0</apiVersion></ApexClass>'


@pytest.fixture
def org(seeded_estate):
    org = seeded_estate.sandbox("UATFULL")
    deploy.prepare(org)
    return org


def xml(root: str, inner: str) -> bytes:
    return f'<{root} xmlns="{NAMESPACE}">{inner}</{root}>'.encode()


def user(org: Any) -> str:
    return str(org.db.execute('SELECT "Id" FROM "User" WHERE "IsActive" = 1 ORDER BY "Id"').fetchone()[0])


def run(org: Any, files: dict[str, bytes] | None = None, **given: Any) -> dict[str, Any]:
    """One deployment; `members`, `pre`, `plain`, `post` are manifests, the rest options."""
    tree = dict(files or {})
    tree["package.xml"] = render_package(given.pop("members", {}), "67.0")
    for which, name in (("pre", "Pre"), ("plain", ""), ("post", "Post")):
        if which in given:
            tree[f"destructiveChanges{name}.xml"] = render_package(given.pop(which), "67.0")
    options = Options(**{"rollback_on_error": True, "ignore_warnings": True, "single_package": True, **given})
    body = retrieve.build_zip(tree, "", datetime(2026, 11, 23, tzinfo=UTC))
    request = {"options": {**options.__dict__}, "user_id": user(org), "created": org.stamp()}
    with org.transaction():
        return deploy_jobs.run(org, Job("0Af1", "deploy", "InProgress", request, body, {}, None)).result


def texts(result: dict[str, Any]) -> list[str]:
    return [one["problem"] for one in result["componentFailures"]]


def ok(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The successes of a deployment by full name; it must have succeeded."""
    assert result["status"] == "Succeeded", texts(result)
    return {one["fullName"]: one for one in result["componentSuccesses"]}


def field(name: str, inner: str, owner: str = "Account") -> dict[str, bytes]:
    return {f"objects/{owner}.object": xml("CustomObject", f"<fields><fullName>{name}</fullName>{inner}</fields>")}


TEXT = "<label>Fresh</label><length>40</length><type>Text</type>"


def add_field(org: Any, name: str = "Fresh__c", inner: str = TEXT, owner: str = "Account") -> dict[str, Any]:
    return run(org, field(name, inner, owner), members={"CustomField": [f"{owner}.{name}"]})


def apex(name: str, body: str) -> dict[str, bytes]:
    return {f"classes/{name}.cls": body.encode(), f"classes/{name}.cls-meta.xml": META}


def shown(org: Any, **members: Any) -> dict[str, str]:
    """What a retrieve shows, path -> text."""
    asked = Package({name: (one,) if isinstance(one, str) else tuple(one) for name, one in members.items()}, "67.0")
    return {path: body.decode() for path, body in retrieve.build_files(org, retrieve.resolve(org, asked), "x").items()}


FIELD_TYPES = [
    ("Text", "<length>40</length>", "string"),
    ("LongTextArea", "<length>4000</length><visibleLines>3</visibleLines>", "textarea"),
    ("Html", "<length>4000</length><visibleLines>3</visibleLines>", "textarea"),
    ("Checkbox", "<defaultValue>true</defaultValue>", "boolean"),
    ("Number", "<precision>10</precision><scale>2</scale>", "double"),
    ("Currency", "<precision>16</precision><scale>2</scale>", "currency"),
    ("Percent", "<precision>5</precision><scale>2</scale>", "percent"),
    ("Date", "", "date"),
    ("DateTime", "", "datetime"),
    ("Email", "", "email"),
    ("Phone", "", "phone"),
    ("Url", "", "url"),
    ("EncryptedText", "<length>20</length><maskChar>asterisk</maskChar><maskType>all</maskType>", "encryptedstring"),
    ("AutoNumber", "<displayFormat>T-{000}</displayFormat>", "string"),
    ("Lookup", "<referenceTo>Project__c</referenceTo><relationshipName>Tries</relationshipName>", "reference"),
    ("Location", "<displayLocationInDecimal>true</displayLocationInDecimal><scale>6</scale>", "location"),
    (
        "Picklist",
        "<valueSet><restricted>true</restricted><valueSetDefinition><value><fullName>A</fullName><default>true</default>"
        "</value></valueSetDefinition></valueSet>",
        "picklist",
    ),
]


@pytest.mark.parametrize("kind, inner, spelled", FIELD_TYPES, ids=[one[0] for one in FIELD_TYPES])
def test_a_deployed_field_is_there_at_once(org, kind, inner, spelled):
    done = ok(add_field(org, "Try__c", f"<label>Try</label>{inner}<type>{kind}</type>"))
    assert done["Account.Try__c"]["created"] and done["Account.Try__c"]["id"].startswith("00N")
    found = org.object("Account").find("Try__c")
    assert found is not None and found.type == spelled and found.custom
    column = "Try__Latitude__s" if kind == "Location" else "Try__c"
    assert len(list(run_query(org, f"SELECT Id, {column} FROM Account LIMIT 3").rows)) == 3


def test_formula_and_roll_up_fields_compute(org):
    ok(
        add_field(
            org,
            "Half__c",
            "<label>Half</label><formula>Total__c / 2</formula><precision>18</precision>"
            "<scale>2</scale><type>Number</type>",
            "Invoice__c",
        )
    )
    assert org.object("Invoice__c").find("Half__c").formula == "Total__c / 2"
    ok(
        add_field(
            org,
            "Count__c",
            "<label>Count</label><summaryForeignKey>InvoiceLine__c.Invoice__c</summaryForeignKey>"
            "<summaryOperation>count</summaryOperation><type>Summary</type>",
            "Invoice__c",
        )
    )
    counts = [row["Count__c"] for row in run_query(org, "SELECT Count__c FROM Invoice__c WHERE Count__c > 0").rows]
    assert counts


BROKEN_FIELDS = [
    ("<label>X</label><type>Nonsense</type>", "not a valid value for the enum 'FieldType'"),
    ("<label>X</label><referenceTo>No__c</referenceTo><type>Lookup</type>", "does not resolve to a valid sObject type"),
    ("<label>X</label><formula>Nope__c + 1</formula><precision>3</precision><scale>0</scale><type>Number</type>",
     "Field Nope__c does not exist. Check spelling."),
    ("<label>X</label><valueSet><valueSetName>Nobody</valueSetName></valueSet><type>Picklist</type>",
     "no GlobalValueSet named Nobody found"),
]  # fmt: skip


@pytest.mark.parametrize("inner, problem", BROKEN_FIELDS, ids=["type", "lookup", "formula", "value set"])
def test_a_field_that_names_nothing_is_refused_and_leaves_no_trace(org, inner, problem):
    result = add_field(org, "Bad__c", inner)
    assert result["status"] == "Failed" and problem in texts(result)[0]
    assert org.object("Account").find("Bad__c") is None
    assert components.find(org, "CustomField", "Account.Bad__c") is None


def test_metadata_8_containers_are_additive(org):
    before = set(components.names(org, "CustomField"))
    ok(add_field(org))
    assert set(components.names(org, "CustomField")) == before | {"Account.Fresh__c"}


def test_metadata_4_1_a_deleted_field_comes_back_empty_with_a_new_id_and_no_access(org):
    ok(add_field(org))
    first = components.find(org, "CustomField", "Account.Fresh__c").id
    grant = (
        "<label>P</label><fieldPermissions><editable>true</editable><field>Account.Fresh__c</field>"
        "<readable>true</readable></fieldPermissions>"
    )
    files = {"permissionsets/Fresh.permissionset": xml("PermissionSet", grant)}
    ok(run(org, files, members={"PermissionSet": ["Fresh"]}))
    row = next(iter(run_query(org, "SELECT Id FROM Account LIMIT 1").rows))["Id"]
    saved = rows.update(org, user(org), "Account", [{"Id": row, "Fresh__c": "kept"}])
    assert saved[0].success
    ok(run(org, plain={"CustomField": ["Account.Fresh__c"]}))
    assert org.object("Account").find("Fresh__c") is None
    assert "Fresh__c" not in shown(org, PermissionSet="Fresh")["permissionsets/Fresh.permissionset"]
    ok(add_field(org))
    assert components.find(org, "CustomField", "Account.Fresh__c").id != first
    assert [one["Fresh__c"] for one in run_query(org, f"SELECT Fresh__c FROM Account WHERE Id = '{row}'").rows] == [
        None
    ]


def test_metadata_3_6_profiles_merge_and_permission_sets_are_replaced(org):
    grant = "<userPermissions><enabled>true</enabled><name>{}</name></userPermissions>"
    for name in ("ViewSetup", "RunReports"):
        ok(run(org, {"profiles/Sales.profile": xml("Profile", grant.format(name))}, members={"Profile": ["Sales"]}))
        body = xml("PermissionSet", "<label>P</label>" + grant.format(name))
        ok(run(org, {"permissionsets/P.permissionset": body}, members={"PermissionSet": ["P"]}))
    profile = shown(org, Profile="Sales")["profiles/Sales.profile"]
    assert "ViewSetup" in profile and "RunReports" in profile
    replaced = shown(org, PermissionSet="P")["permissionsets/P.permissionset"]
    assert "ViewSetup" not in replaced and "RunReports" in replaced


def test_metadata_3_6_a_profile_shows_what_its_co_members_allow(org):
    alone = shown(org, Profile="Admin")["profiles/Admin.profile"]
    assert "fieldPermissions" not in alone and "userPermissions" in alone
    ok(add_field(org))
    together = shown(org, Profile="Admin", CustomObject="Account")["profiles/Admin.profile"]
    assert "<field>Account.Fresh__c</field>" in together
    assert "classAccesses" not in together


@pytest.mark.parametrize(
    "inner, problem",
    [
        ("<fieldPermissions><field>Account.No__c</field><readable>true</readable></fieldPermissions>",
         "In field: field - no CustomField named Account.No__c found"),
        ("<classAccesses><apexClass>Nobody</apexClass><enabled>true</enabled></classAccesses>",
         "In field: apexClass - no ApexClass named Nobody found"),
        ("<fieldPermissions><field>Invoice__c.Account__c</field><readable>true</readable></fieldPermissions>",
         "You cannot deploy to a required field: Invoice__c.Account__c"),
        ("<fieldPermissions><field>Account.Name</field><readable>true</readable></fieldPermissions>",
         "You cannot deploy to a required field: Account.Name"),
    ],
)  # fmt: skip
def test_access_to_nothing_is_refused(org, inner, problem):
    result = run(org, {"profiles/Sales.profile": xml("Profile", inner)}, members={"Profile": ["Sales"]})
    assert texts(result) == [problem]


def test_metadata_4_1_what_is_in_use_stays(org):
    ok(add_field(org))
    ok(
        run(
            org,
            apex("User1", "public class User1 { Account a = [SELECT Fresh__c FROM Account]; }"),
            members={"ApexClass": ["User1"]},
        )
    )
    refused = run(org, plain={"CustomField": ["Account.Fresh__c"]})
    assert "This custom field is referenced elsewhere in salesforce.com. : Apex Class - User1." in texts(refused)
    assert org.object("Account").find("Fresh__c") is not None
    ok(run(org, plain={"CustomField": ["Account.Fresh__c"], "ApexClass": ["User1"]}))
    assert org.object("Account").find("Fresh__c") is None


def test_metadata_4_2_changing_the_code_first_lets_a_post_deletion_through(org):
    ok(add_field(org))
    ok(
        run(
            org,
            apex("User1", "public class User1 { Account a; String f = a.Fresh__c; }"),
            members={"ApexClass": ["User1"]},
        )
    )
    files = apex("User1", "public class User1 { Account a; }")
    assert (
        run(org, files, members={"ApexClass": ["User1"]}, pre={"CustomField": ["Account.Fresh__c"]})["status"]
        == "Failed"
    )
    ok(run(org, files, members={"ApexClass": ["User1"]}, post={"CustomField": ["Account.Fresh__c"]}))


REFUSED_DELETIONS = [
    ({"RecordType": ["Invoice__c.Credit_Note"]}, "Cannot delete record type through API"),
    ({"CustomField": ["Account.Industry"]}, None),
    ({"CustomObject": ["Account"]}, "Cannot delete standard object: Account"),
    ({"Workflow": ["Invoice__c"]}, "Cannot delete Workflow through API: Invoice__c"),
    ({"Layout": ["Routing__c-Routing Layout"]}, "You cannot delete the only page layout of an object"),
    ({"Flow": ["Invoice_Reminder-1"]}, "The flow version is active and cannot be deleted. Deactivate it first."),
    ({"Flow": ["Invoice_Reminder"]}, "insufficient access rights on cross-reference id"),
    ({"Nonsense": ["X"]}, "Unknown type name 'Nonsense' specified in destructiveChanges.xml"),
]


@pytest.mark.parametrize("members, problem", REFUSED_DELETIONS, ids=[str(one[0]) for one in REFUSED_DELETIONS])
def test_metadata_4_1_what_cannot_be_deleted(org, members, problem):
    result = run(org, plain=members)
    if problem is None:
        assert [one["problemType"] for one in result["componentSuccesses"] if one.get("problem")] == ["Warning"]
    else:
        assert result["status"] == "Failed" and texts(result) == [problem]


def test_metadata_1_4_a_missing_member_is_a_warning_that_counts_only_where_asked(org):
    ignored = ok(run(org, plain={"ApexClass": ["Nobody"]}))
    assert ignored["Nobody"]["problem"] == "No ApexClass named: Nobody found" and not ignored["Nobody"]["deleted"]
    assert ignored["Nobody"]["problemType"] == "Warning"
    assert run(org, plain={"ApexClass": ["Nobody"]}, ignore_warnings=False)["status"] == "Failed"


def test_metadata_4_1_a_removed_picklist_value_stays_inactive(org):
    value = "<value><fullName>{}</fullName><default>false</default></value>"
    inner = (
        "<label>P</label><type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition>{}"
        "</valueSetDefinition></valueSet>"
    )
    ok(add_field(org, "Pick__c", inner.format(value.format("A") + value.format("B"))))
    ok(add_field(org, "Pick__c", inner.format(value.format("A"))))
    values = {one.name: one.active for one in org.object("Account").find("Pick__c").values}
    assert values == {"A": True, "B": False}
    assert "<isActive>false</isActive>" in shown(org, CustomField="Account.Pick__c")["objects/Account.object"]
    ok(add_field(org, "Pick__c", inner.format(value.format("A") + value.format("B"))))
    assert all(one.active for one in org.object("Account").find("Pick__c").values)


def test_metadata_4_1_a_value_set_in_use_is_seen_as_before_the_deployment(org):
    shared = components.names(org, "GlobalValueSet")[0]
    users = [one.name for one in components.load_type(org, "CustomField") if f">{shared}<".encode() in one.xml]
    assert users
    result = run(org, plain={"GlobalValueSet": [shared], "CustomField": users})
    assert any("GlobalValueSet is referenced elsewhere" in one for one in texts(result))


def test_metadata_4_1_a_flow_gets_versions_and_status_alone_changes_nothing(org):
    before = meta_flows.load_versions(org, "Plan_a_Visit")
    text = before[-1].xml.decode()
    members = {"Flow": ["Plan_a_Visit"]}
    same = ok(run(org, {"flows/Plan_a_Visit.flow": text.replace("Draft", "Active").encode()}, members=members))
    assert not same["Plan_a_Visit"]["changed"]
    ok(
        run(
            org,
            {"flows/Plan_a_Visit.flow": text.replace("<label>Plan a Visit", "<label>Plan the Visit").encode()},
            members=members,
        )
    )
    after = meta_flows.load_versions(org, "Plan_a_Visit")
    assert [one.number for one in after] == [1, 2]
    ok(run(org, plain={"Flow": ["Plan_a_Visit-2"]}))
    assert meta_flows.load_versions(org, "Plan_a_Visit") == before
    ok(run(org, plain={"Flow": ["Plan_a_Visit-*"]}))
    assert meta_flows.load_versions(org, "Plan_a_Visit") == before


def test_validation_rules_are_live(org):
    rule = (
        "<validationRules><fullName>No_Zed</fullName><active>true</active><errorConditionFormula>LEFT(Name, 1) = "
        "&quot;Z&quot;</errorConditionFormula><errorMessage>No Z.</errorMessage></validationRules>"
    )
    files = {"objects/Account.object": xml("CustomObject", rule)}
    ok(run(org, files, members={"ValidationRule": ["Account.No_Zed"]}))
    refused = rows.insert(org, user(org), "Account", [{"Name": "Zebra"}])[0]
    assert not refused.success and "No Z." in str(refused.errors)
    ok(run(org, plain={"ValidationRule": ["Account.No_Zed"]}))
    assert "No Z." not in str(rows.insert(org, user(org), "Account", [{"Name": "Zebra"}])[0].errors)


def test_an_object_takes_its_parts_along(org):
    inner = (
        "<label>Box</label><pluralLabel>Boxes</pluralLabel><nameField><label>Box</label><type>Text</type></nameField>"
        "<deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>"
        f"<fields><fullName>Size__c</fullName>{TEXT}</fields>"
    )
    files = {
        "objects/Box__c.object": xml("CustomObject", inner),
        "layouts/Box__c-Box Layout.layout": xml(
            "Layout",
            "<layoutSections><layoutColumns><layoutItems><field>Size__c</field></layoutItems></layoutColumns></layoutSections>",
        ),
    }
    ok(run(org, files, members={"CustomObject": ["Box__c"], "Layout": ["Box__c-Box Layout"]}))
    assert rows.insert(org, user(org), "Box__c", [{"Name": "One", "Size__c": "L"}])[0].success
    ok(run(org, plain={"CustomObject": ["Box__c"]}))
    assert org.find_object("Box__c") is None
    assert components.find(org, "Layout", "Box__c-Box Layout") is None


def test_metadata_8_rollback_takes_everything_back_and_partial_keeps_what_holds(org):
    files = {**apex("Good", "public class Good {}"), **apex("Bad", "public class Bad { No_Such__c x; }")}
    members = {"ApexClass": ["Good", "Bad"]}
    all_or_nothing = run(org, files, members=members)
    assert all_or_nothing["status"] == "Failed" and not all_or_nothing["success"]
    assert texts(all_or_nothing) == ["Variable does not exist: No_Such__c"]
    assert components.find(org, "ApexClass", "Good") is None
    partial = run(org, files, members=members, rollback_on_error=False)
    assert partial["status"] == "SucceededPartial" and partial["success"]
    assert components.find(org, "ApexClass", "Good") is not None
    assert components.find(org, "ApexClass", "Bad") is None


def test_metadata_1_4_a_validation_changes_nothing(org):
    before = list(org.db.execute("SELECT type, name, xml FROM meta_component ORDER BY type, name"))
    result = run(org, apex("Good", "public class Good {}"), members={"ApexClass": ["Good"]}, check_only=True)
    assert ok(result)["Good"]["created"]
    assert list(org.db.execute("SELECT type, name, xml FROM meta_component ORDER BY type, name")) == before


def test_metadata_8_package_and_zip_must_agree(org):
    files = apex("Good", "public class Good {}")
    missing = run(org, files, members={"ApexClass": ["Good", "Other"]})
    assert texts(missing) == [
        "An object 'Other' of type ApexClass was named in package.xml, but was not found in zipped directory"
    ]
    ok(run(org, files, members={"ApexClass": ["Good", "Other"]}, allow_missing_files=True))
    unnamed = ok(run(org, files, members={}))
    assert unnamed["Good"]["problem"] == "Not in package.xml"


def test_metadata_6_1_setup_changes_leave_a_trail(org):
    ok(run(org, apex("Good", "public class Good {}"), members={"ApexClass": ["Good"]}))
    ok(run(org, plain={"ApexClass": ["Good"]}))
    trail = run_query(
        org, "SELECT Action, Display FROM SetupAuditTrail ORDER BY CreatedDate DESC, Id DESC LIMIT 2"
    ).rows
    assert [one["Display"] for one in trail] == ["Deleted ApexClass Good", "Created ApexClass Good"]


def test_a_deployment_outlives_the_process_that_took_it(estate_folder):
    tree = {**apex("Later", "public class Later {}"), "package.xml": render_package({"ApexClass": ["Later"]}, "67.0")}
    body = retrieve.build_zip(tree, "", datetime(2026, 11, 23, tzinfo=UTC))
    estate = Estate.open(estate_folder)
    estate.settings.put("metadata_seconds", 0.2)
    org = estate.sandbox("UATFULL")
    assert org is not None
    deploy.prepare(org)
    job = deploy_jobs.start(org, user(org), body, Options(rollback_on_error=True, single_package=True))
    estate.close()  # before the job could begin
    estate = Estate.open(estate_folder)
    try:
        org = estate.sandbox("UATFULL")
        assert org is not None and components.find(org, "ApexClass", "Later") is None
        until = time.monotonic() + 20
        while not (told := deploy_jobs.status(org, job.id, details=False))["done"]:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert told["status"] == "Succeeded"
        assert components.find(org, "ApexClass", "Later") is not None
    finally:
        estate.close()


def test_metadata_4_2_a_quick_action_leaves_its_layout_first(org):
    name = components.names(org, "QuickAction")[0]
    users = [one for one in components.load_type(org, "Layout") if f">{name}<".encode() in one.xml]
    if not users:
        layout = components.names(org, "Layout")[0]
        text = components.find(org, "Layout", layout).xml.decode()
        item = (
            f"<platformActionList><platformActionListItems><actionName>{name}</actionName></platformActionListItems>"
            "</platformActionList></Layout>"
        )
        files = {f"layouts/{layout}.layout": text.replace("</Layout>", item).encode()}
        ok(run(org, files, members={"Layout": [layout]}))
        users = [components.find(org, "Layout", layout)]
    refused = run(org, plain={"QuickAction": [name]})
    assert "This QuickAction is referenced elsewhere" in texts(refused)[0]
    cleared = {}
    for one in users:
        text = re.sub(r"\s*<(platformActionList|quickActionList)>.*?</\1>", "", one.xml.decode(), flags=re.DOTALL)
        cleared[f"layouts/{one.name}.layout"] = text.encode()
    members = {"Layout": [one.name for one in users]}
    together = run(org, cleared, members=members, post={"QuickAction": [name]})
    assert "This QuickAction is referenced elsewhere" in texts(together)[0]
    ok(run(org, cleared, members=members))
    ok(run(org, plain={"QuickAction": [name]}))
