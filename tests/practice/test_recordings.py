"""Answers of the practice org against recorded answers of real orgs: keys, types, status and headers.

The recordings are no part of the project; conftest.py leaves this module out where they are absent. A recorded null
says nothing about a type. Differences that are known stand in tables here, so that a new one fails.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from ruamel.yaml import YAML

from rehearse.practice.meta_types import TYPES
from rehearse.practice.person_secrets import ensure_password

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
SHARED = RECORDINGS / "cumulusci" / "tests" / "shared_cassettes"
UPSERTS = RECORDINGS / "cumulusci" / "tasks" / "bulkdata" / "tests" / "cassettes"
RESTFORCE = RECORDINGS / "restforce-db"
METAFORCE = RECORDINGS / "metaforce"
NEWER_KEYS = {"associateEntityType", "associateParentEntity", "sobjectDescribeOption"}  # older recordings lack them

# Flags of fields that differ from a recorded describe, on purpose or because nothing depends on them.
KNOWN_FLAGS = {
    "Account.Name": {"compoundFieldName", "extraTypeInfo", "idLookup"},
    "Case.CaseNumber": {"groupable"},
    "Case.Comments": {"aggregatable", "byteLength", "permissionable", "sortable"},
    "Case.IsEscalated": {"permissionable"},
    "Event.ActivityDate": {"aggregatable"},
    "Event.IsAllDayEvent": {"permissionable"},
    "Event.OwnerId": {"namePointing", "polymorphicForeignKey"},
    "Event.Subject": {"groupable"},
    "Opportunity.ExpectedRevenue": {"permissionable"},
    "Opportunity.FiscalQuarter": {"compoundFieldName"},
    "Opportunity.FiscalYear": {"compoundFieldName"},
    "Opportunity.ForecastCategoryName": {"defaultedOnCreate"},
    "Opportunity.IsPrivate": {"permissionable"},
    "Opportunity.Pricebook2Id": {"defaultedOnCreate"},
    "Opportunity.Probability": {"defaultedOnCreate"},
    "OpportunityContactRole.ContactId": {"searchPrefilterable"},
    "OpportunityContactRole.OpportunityId": {"searchPrefilterable"},
}
TOLD_IN_WORDS = {"label", "picklistValues", "inlineHelpText", "referenceTo"}


def load_yaml(path: Path) -> list[dict[str, Any]]:
    """The recorded interactions of a cassette."""
    found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    listed = found.get("interactions") or found.get("http_interactions") or [found]
    return [one for one in listed if "request" in one]


def find(path: Path, method: str, part: str) -> list[dict[str, Any]]:
    """The interactions of a cassette with this method whose address has this part."""
    return [
        one for one in load_yaml(path) if one["request"]["method"].upper() == method and part in one["request"]["uri"]
    ]


def body_of(interaction: dict[str, Any]) -> Any:
    return json.loads(interaction["response"]["body"]["string"])


def shape(value: Any) -> Any:
    """A JSON value as its type; numbers are one type."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "text", list: "list", dict: "object", type(None): "null"}[type(value)]


def differences(recorded: Any, answered: Any, at: str = "") -> list[str]:
    """Where an answer has not the keys and types of a recorded one."""
    if recorded is None or answered is None:
        return []
    if shape(recorded) != shape(answered):
        return [f"{at}: {shape(recorded)} recorded, {shape(answered)} answered"]
    if isinstance(recorded, dict):
        if at.endswith(".urls"):  # addresses of resources, many of which the practice org does not have
            return []
        missing = [f"{at}.{key}: not answered" for key in recorded.keys() - answered.keys()]
        added = [f"{at}.{key}: not recorded" for key in answered.keys() - recorded.keys() - NEWER_KEYS]
        kept = recorded.keys() & answered.keys()
        return [
            *missing,
            *added,
            *(one for key in kept for one in differences(recorded[key], answered[key], f"{at}.{key}")),
        ]
    if isinstance(recorded, list) and recorded and answered:
        return differences(recorded[0], answered[0], f"{at}[]")
    return []


def recorded_describe(name: str) -> Any:
    return body_of(load_yaml(SHARED / f"GET_sobjects_{name}_describe.yaml")[0])


@pytest.mark.parametrize(
    "name", ["Account", "Case", "Contact", "Event", "Lead", "Opportunity", "OpportunityContactRole"]
)
def test_a_describe_has_the_recorded_keys_types_and_flags(shared_practice, name):
    recorded = recorded_describe(name)
    answer = shared_practice.ask("UATFULL", "GET", f"sobjects/{name}/describe")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    got = answer.json()
    assert differences({**recorded, "fields": []}, {**got, "fields": []}) == []
    mine = {field["name"]: field for field in got["fields"]}
    found: dict[str, set[str]] = {}
    for field in recorded["fields"]:
        if field["name"] in mine:
            own = mine[field["name"]]
            assert own.keys() == field.keys()
            flags = {key for key in field if key not in TOLD_IN_WORDS and field[key] != own[key]}
            if flags:
                found[f"{name}.{field['name']}"] = flags
    assert found == {key: flags for key, flags in KNOWN_FLAGS.items() if key.startswith(f"{name}.")}
    standard = {field for field in mine if not field.endswith("__c")} - {"RecordTypeId"}
    assert standard <= {field["name"] for field in recorded["fields"]}  # no invented field


def test_a_custom_objects_describe_has_the_recorded_keys(shared_practice):
    recorded = recorded_describe("Custom__c")
    summary = shared_practice.ask("UATFULL", "GET", "sobjects").json()["sobjects"]
    name = next(one["name"] for one in summary if one["custom"] and one["name"].endswith("__c"))
    got = shared_practice.ask("UATFULL", "GET", f"sobjects/{name}/describe").json()
    assert differences({**recorded, "childRelationships": []}, {**got, "childRelationships": []}) == []


def test_the_global_describe_has_the_recorded_keys_and_flags(shared_practice):
    recorded = body_of(load_yaml(SHARED / "GET_sobjects_Global_describe.yaml")[0])
    got = shared_practice.ask("UATFULL", "GET", "sobjects").json()
    assert differences(recorded, got) == []
    mine = {one["name"]: one for one in got["sobjects"]}
    found = {
        (one["name"], key)
        for one in recorded["sobjects"]
        if one["name"] in mine
        for key in one.keys() - {"label", "labelPlural", "urls"}
        if one[key] != mine[one["name"]][key]
    }
    assert found == {
        ("Event", "keyPrefix"),  # the recording was cleaned of these two
        ("Lead", "keyPrefix"),
        ("Event", "mergeable"),
        ("Organization", "searchable"),
    }


def test_a_row_is_created_changed_and_deleted_as_recorded(shared_practice):
    cassette = next(RESTFORCE.rglob("updates_the_record_in_Salesforce_with_the_passed_attributes.yml"))
    created = find(cassette, "POST", "/sobjects/")[0]["response"]
    answer = shared_practice.ask("UATFULL", "POST", "sobjects/Contact", json={"LastName": "Recorded"})
    assert answer.status_code == created["status"]["code"]
    assert differences(json.loads(created["body"]["string"]), answer.json()) == []
    assert answer.headers["Location"].endswith(f"/sobjects/Contact/{answer.json()['id']}")
    assert_headers(created, answer)
    path = f"sobjects/Contact/{answer.json()['id']}"
    for method, given in (("PATCH", {"Title": "Reader"}), ("DELETE", None)):
        old = find(cassette, method, "/sobjects/")[0]["response"]
        done = shared_practice.ask("UATFULL", method, path, json=given)
        assert (done.status_code, done.text) == (old["status"]["code"], old["body"]["string"] or "")
        assert_headers(old, done)


def assert_headers(recorded: dict[str, Any], answer: Any) -> None:
    """Hold that an answer has the recorded headers, but for those of Salesforce's own front."""
    of_the_front = {"set-cookie", "pragma", "transfer-encoding", "date", "content-encoding", "vary", "connection"}
    names = {name.lower() for name in recorded["headers"]} - of_the_front
    assert names <= {name.lower() for name in answer.headers}, names
    for name in ("Content-Type", "Expires"):
        if name in recorded["headers"]:
            assert answer.headers[name] == recorded["headers"][name][0]


def test_a_deleted_row_is_refused_as_recorded(shared_practice):
    cassette = next(RESTFORCE.rglob("wants_to_build_a_new_record.yml"))
    old = next(one["response"] for one in load_yaml(cassette) if one["response"]["status"]["code"] == 404)
    row = shared_practice.ask("UATFULL", "POST", "sobjects/Contact", json={"LastName": "Gone"}).json()["id"]
    shared_practice.ask("UATFULL", "DELETE", f"sobjects/Contact/{row}")
    again = shared_practice.ask("UATFULL", "DELETE", f"sobjects/Contact/{row}")
    assert (again.status_code, again.json()) == (404, json.loads(old["body"]["string"]))


def test_a_query_answers_as_recorded(shared_practice):
    cassette = next(RESTFORCE.rglob("updates_the_record_in_Salesforce_with_the_passed_attributes.yml"))
    old = find(cassette, "GET", "/query")[0]["response"]
    recorded = json.loads(old["body"]["string"])
    answer = shared_practice.ask(
        "UATFULL", "GET", "query", params={"q": "SELECT Id, SystemModstamp, Name FROM Contact LIMIT 1"}
    )
    got = answer.json()
    assert {**recorded, "records": []}.keys() == {**got, "records": []}.keys()
    assert recorded["records"][0]["attributes"].keys() == got["records"][0]["attributes"].keys()
    assert recorded["records"][0]["SystemModstamp"].endswith("+0000")
    assert got["records"][0]["SystemModstamp"].endswith("+0000")
    assert_headers(old, answer)


@pytest.mark.parametrize(
    ("file", "method", "path", "status"),
    [
        ("query_error_response", "GET", "query?q=SELECT+Nope+FROM+Account", 400),
        ("sobject_describe_error_response", "GET", "sobjects/Nope/describe", 404),
        ("sobject_find_error_response", "GET", "sobjects/Account/23foo", 404),
        ("delete_error_response", "DELETE", "sobjects/Account/rid", 404),
        ("upsert_error_response", "PATCH", "sobjects/Account/Namez/1", 404),
        ("write_error_response", "POST", "sobjects/Account", 400),
    ],
)
def test_an_error_has_the_recorded_code_and_keys(shared_practice, file, method, path, status):
    recorded = json.loads((RECORDINGS / "restforce" / "sobject" / f"{file}.json").read_text(encoding="utf-8"))
    given = {"foo": 1} if method in ("POST", "PATCH") else None
    answer = shared_practice.ask("UATFULL", method, path, json=given)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, recorded[0]["errorCode"])
    assert answer.json()[0].keys() - {"fields"} == recorded[0].keys()


def test_a_dead_session_is_told_as_recorded(shared_practice):
    recorded = json.loads((RECORDINGS / "restforce" / "expired_session_response.json").read_text(encoding="utf-8"))
    url = f"{shared_practice.http_url}/services/data/v67.0/limits"
    answer = shared_practice.session.get(url, headers={"Authorization": "Bearer 00D000000000001!dead"}, timeout=10)
    assert (answer.status_code, answer.json()) == (401, recorded)


@pytest.mark.parametrize("file", ["get_deleted_success_response", "get_updated_success_response"])
def test_replication_answers_as_recorded(shared_practice, file):
    recorded = json.loads((RECORDINGS / "restforce" / "sobject" / f"{file}.json").read_text(encoding="utf-8"))
    which = file.split("_")[1]
    row = shared_practice.ask("UATFULL", "POST", "sobjects/Contact", json={"LastName": "Passing"}).json()["id"]
    shared_practice.ask("UATFULL", "DELETE", f"sobjects/Contact/{row}")
    shared_practice.estate.clock.move(timedelta(minutes=2))
    window = {"start": "2026-11-23T07:00:00Z", "end": "2026-11-23T09:00:00Z"}
    answer = shared_practice.ask("UATFULL", "GET", f"sobjects/Contact/{which}/", params=window)
    assert differences(recorded, answer.json()) == []


def test_collections_answer_as_recorded(shared_practice):
    cassette = UPSERTS / "TestUpsert.test_upsert__rest.yaml"
    rows = [{"attributes": {"type": "Account"}, "Name": "Sitwell"}]
    for method, part, path in (
        ("POST", "composite/sobjects", "composite/sobjects"),
        ("PATCH", "composite/sobjects/Contact/Email", "composite/sobjects/Contact/Email"),
    ):
        if method == "PATCH":
            rows = [{"attributes": {"type": "Contact"}, "LastName": "Cain", "Email": "cain@recorded.example"}]
        old = find(cassette, method, part)[0]["response"]
        answer = shared_practice.ask("UATFULL", method, path, json={"allOrNone": False, "records": rows})
        assert answer.status_code == old["status"]["code"]
        assert differences(json.loads(old["body"]["string"]), answer.json()) == []


def test_a_failing_part_of_a_composite_is_told_as_recorded(shared_practice):
    folder = RECORDINGS / "cumulusci" / "utils"
    old = body_of(find(next(folder.rglob("TestCompositeParallelSalesforce.test_errors.yaml")), "POST", "composite")[0])
    part = {"method": "GET", "url": "/services/data/v67.0/nowhere", "referenceId": "one"}
    answer = shared_practice.ask("UATFULL", "POST", "composite", json={"compositeRequest": [part]})
    assert answer.status_code == 200
    assert differences(old, answer.json()) == []
    assert answer.json()["compositeResponse"][0]["body"] == old["compositeResponse"][0]["body"]


def test_an_unknown_object_in_a_query_is_told_as_recorded(shared_practice):
    folder = RECORDINGS / "cumulusci" / "utils"
    old = body_of(
        find(next(folder.rglob("TestCountSObjects.test_count_sobjects__errors.yaml")), "POST", "composite")[0]
    )
    recorded = next(one["body"][0] for one in old["compositeResponse"] if one["httpStatusCode"] == 400)
    answer = shared_practice.ask("UATFULL", "GET", "query", params={"q": "select count() from XYZZY"})
    assert (answer.status_code, answer.json()) == (400, [recorded])


def test_record_counts_answer_as_recorded(shared_practice):
    cassette = RECORDINGS / "cumulusci" / "core" / "tests" / "cassettes" / "TestDatasetsE2E.test_datasets_e2e.yaml"
    recorded = body_of(find(cassette, "GET", "recordCount")[0])
    answer = shared_practice.ask("UATFULL", "GET", "limits/recordCount?sObjects=Account")
    assert differences(recorded, answer.json()) == []


def test_the_organization_row_has_the_recorded_types(shared_practice):
    recorded = body_of(load_yaml(SHARED / "GET_sobjects_Organization.yaml")[0])
    org = shared_practice.orgs["UATFULL"].org_id
    got = shared_practice.ask("UATFULL", "GET", f"sobjects/Organization/{org}").json()
    wrong = [one for one in differences(recorded, got) if not one.endswith("not answered")]
    assert wrong == []


def test_the_resource_list_leads_to_the_identity_as_recorded(shared_practice):
    cassette = next(path for path in RESTFORCE.rglob("*.yml") if find(path, "GET", "/id/") and at_root(path))
    listed = body_of(at_root(cassette)[0])
    got = shared_practice.ask("UATFULL", "GET", "").json()
    assert {"identity", "limits", "query", "queryAll", "sobjects", "tooling"} <= listed.keys() & got.keys()
    person = body_of(find(cassette, "GET", "/id/")[0])
    address = got["identity"].split("/id/")[1]
    answer = shared_practice.ask("UATFULL", "GET", f"/id/{address}")
    assert answer.status_code == 200
    assert differences(person, answer.json()) == []


def at_root(path: Path) -> list[dict[str, Any]]:
    """The interactions that ask for the resource list."""
    return [one for one in find(path, "GET", "<api_version>/") if one["request"]["uri"].endswith("<api_version>/")]


# ---- SOAP


def tags(element: etree._Element) -> Any:
    """The local names below an element, each once, in order."""
    found: dict[str, Any] = {}
    for child in element:
        name = etree.QName(child).localname
        found[name] = {**found.get(name, {}), **tags(child)}
    return found


def soap(practice: Any, kind: str, operation: str, inner: str = "", token: str | None = None) -> etree._Element:
    space = {"u": "urn:partner.soap.sforce.com", "m": "http://soap.sforce.com/2006/04/metadata"}[kind]
    session = practice.orgs["UATFULL"].access_token if token is None else token
    body = (
        f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="{space}"><e:Header><SessionHeader>'
        f"<sessionId>{session}</sessionId></SessionHeader></e:Header><e:Body><{operation}>{inner}</{operation}>"
        "</e:Body></e:Envelope>"
    )
    url = f"{practice.http_url}/services/Soap/{kind}/60.0"
    answer = practice.session.post(url, data=body, headers={"Content-Type": "text/xml"}, timeout=20)
    return etree.fromstring(answer.content)


def recorded_tags(path: str) -> Any:
    return tags(etree.parse(str(METAFORCE / path)).getroot())


def test_a_dead_session_is_the_recorded_fault(shared_practice):
    assert tags(soap(shared_practice, "u", "getServerTimestamp", token="00D!x")) == recorded_tags(
        "foo/invalid_session.xml"
    )


def test_a_failed_login_is_the_recorded_fault(shared_practice):
    inner = "<username>nobody@x.example</username><password>wrong</password>"
    assert tags(soap(shared_practice, "u", "login", inner)) == recorded_tags("login/failure.xml")


def test_a_login_has_the_recorded_elements_in_their_order(shared_practice):
    org, folder = shared_practice.orgs["UATFULL"], shared_practice.estate.folder
    password = ensure_password(folder).read_text(encoding="ascii")
    inner = f"<username>{org.username}</username><password>{password}</password>"
    got = tags(soap(shared_practice, "u", "login", inner))
    info = got["Body"]["loginResponse"]["result"]["userInfo"]
    assert info.pop("chatterExternal") == {} and info.pop("orgDefaultCurrencyLocale") == {}  # newer than the recording
    want = recorded_tags("login/success.xml")
    assert got == want
    assert list(info) == list(want["Body"]["loginResponse"]["result"]["userInfo"])


def test_the_metadata_describe_has_the_recorded_elements(shared_practice):
    got = tags(soap(shared_practice, "m", "describeMetadata", "<asOfVersion>60.0</asOfVersion>"))
    assert got == recorded_tags("describe_metadata/success.xml")


def test_the_metadata_list_has_the_recorded_elements(shared_practice):
    inner = "<queries><type>ApexClass</type></queries><asOfVersion>60.0</asOfVersion>"
    got = tags(soap(shared_practice, "m", "listMetadata", inner))["Body"]["listMetadataResponse"]["result"]
    old = recorded_tags("list_metadata/objects.xml")["Body"]["listMetadataResponse"]["result"]
    assert old.keys() - got.keys() <= {"namespacePrefix"}
    assert got.keys() - old.keys() == {"manageableState"}  # in newer versions


def test_an_empty_list_is_an_empty_answer(shared_practice):
    inner = "<queries><type>Report</type></queries><asOfVersion>60.0</asOfVersion>"
    assert tags(soap(shared_practice, "m", "listMetadata", inner)) == recorded_tags("list_metadata/no_result.xml")


def test_metadata_types_have_the_directories_and_suffixes_of_a_real_describe():
    known = json.loads((METAFORCE.parent / "source-deploy-retrieve" / "describe.json").read_text(encoding="utf-8"))
    for one in TYPES:
        if one.name == "Settings":  # there every settings type stands by itself
            continue
        real = known[one.name]
        told = (real["directoryName"], real.get("suffix") or "", real["inFolder"], real["metaFile"])
        assert told == (one.directory, one.suffix, bool(one.folder), one.content), one.name
        assert real["hasChildren"] or not one.children, one.name
