"""Field-level security, where its setting is on: what nobody gave access to is in no describe, query or row."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def secured(shared_practice):
    shared_practice.estate.settings.put("field_security", True)


@pytest.fixture(scope="module")
def field(metadata, tools):
    """A new field that nobody has access to."""
    assert metadata.deploy(tools.text_field("Secret__c"))["status"] == ["Succeeded"]
    return "Secret__c"


def grant(metadata, tools, *, edit):
    inner = (
        f"<fieldPermissions><editable>{str(edit).lower()}</editable><field>Account.Secret__c</field>"
        "<readable>true</readable></fieldPermissions>"
    )
    files = {"package.xml": tools.manifest(Profile="Admin"), "profiles/Admin.profile": tools.xml("Profile", inner)}
    assert metadata.deploy(files)["status"] == ["Succeeded"]


def described(rest):
    return {one["name"]: one for one in rest("GET", "sobjects/Account/describe").json()["fields"]}


def test_metadata_4_1_the_seed_gives_the_release_user_every_field(rest):
    assert "Secret__c" not in described(rest)
    org = rest.practice.estate.sandbox("UATFULL")
    for name in ("Account", "Invoice__c", "Payment__c"):
        shown = {one["name"] for one in rest("GET", f"sobjects/{name}/describe").json()["fields"]}
        assert {one.name for one in org.object(name).fields} - shown == set()


def test_metadata_4_1_a_new_field_is_hidden_from_everybody(rest, field):
    assert field not in described(rest)
    soql = {"q": f"SELECT {field} FROM Account LIMIT 1"}
    assert rest.error("GET", "query", params=soql)[:2] == (400, "INVALID_FIELD")
    assert rest.error("POST", "jobs/query", {"operation": "query", "query": soql["q"]})[0] == 400
    assert rest.error("POST", "sobjects/Account", {"Name": "x", field: "y"})[1] == "INVALID_FIELD"
    row = rest.create("Account", Name="Open")
    assert field not in rest("GET", f"sobjects/Account/{row}").json()


def test_metadata_4_1_reading_does_not_mean_writing(rest, field, metadata, tools):
    grant(metadata, tools, edit=False)
    assert described(rest)[field]["updateable"] is False
    row = rest.create("Account", Name="Readable")
    assert rest.rows(f"SELECT {field} FROM Account WHERE Id = '{row}'")[0][field] is None
    assert rest.error("PATCH", f"sobjects/Account/{row}", {field: "y"})[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert rest.ingest("update", "Account", f"Id,{field}\n{row},y\n")["numberRecordsFailed"] == 1


def test_metadata_4_1_whoever_may_edit_does(rest, field, metadata, tools):
    grant(metadata, tools, edit=True)
    row = rest.create("Account", **{"Name": "Writable", field: "y"})
    job = rest.query_job(f"SELECT {field} FROM Account WHERE Id = '{row}'")
    assert rest("GET", f"jobs/query/{job['id']}/results").text == f'"{field}"\n"y"\n'


def test_metadata_4_1_automation_and_formulas_see_all(rest):
    assert rest.rows("SELECT Id FROM Invoice__c LIMIT 1")
    assert rest.create("Case", Subject="Still works")
