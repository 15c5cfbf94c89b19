"""JSON and SOQL that nobody means: refused in Salesforce's form, whatever it is."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

some = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def any_of(words):
    return st.sampled_from(words.split())


words = any_of(
    "SELECT FROM WHERE Id Name Account Contact COUNT() ( ) , ' \" \\ = != < LIKE IN NOT AND OR NULL true 0 -1 1e999 "
    "LIMIT OFFSET ORDER BY GROUP HAVING TYPEOF END USING SCOPE FOR VIEW ALL ROWS TODAY LAST_N_DAYS:999999999999 "
    "2026-13-45T99:99:99Z Owner.Owner.Name (SELECT Id FROM Contacts) FIELDS(ALL) \0 é \ud83d 🙂 ; -- /*"
)
soql = st.one_of(
    st.lists(words, max_size=14).map(" ".join),
    st.lists(words, max_size=8).map(lambda more: "SELECT Id FROM Account WHERE " + " ".join(more)),
    st.text(max_size=60),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(
        ["001", "0" * 18, "Account", "GET", "/services/data/v67.0/query?q=x", "@{a.b}", "Id", "2026-99-99"]
    ),
)
names = st.one_of(
    any_of(
        "attributes type records allOrNone compositeRequest method url referenceId body id Id Name ids fields object "
        "operation query contentType lineEnding columnDelimiter state richInput batchRequests graphs graphId "
        "SandboxName LicenseType RefreshAction deployOptions externalIdFieldName Owner NumberOfEmployees"
    ),
    st.text(max_size=8),
)
trees = st.recursive(
    leaves, lambda one: st.lists(one, max_size=3) | st.dictionaries(names, one, max_size=4), max_leaves=12
)
json_paths = st.sampled_from(
    [
        ("POST", "sobjects/Account"),
        ("PATCH", "sobjects/Account/001000000000001AAA"),
        ("PATCH", "sobjects/Invoice__c/ExternalNumber__c/x"),
        ("POST", "composite"),
        ("POST", "composite/batch"),
        ("POST", "composite/graph"),
        ("POST", "composite/tree/Account"),
        ("POST", "composite/sobjects"),
        ("PATCH", "composite/sobjects"),
        ("POST", "composite/sobjects/Account"),
        ("POST", "jobs/query"),
        ("POST", "jobs/ingest"),
        ("PATCH", "jobs/ingest/750000000000001AAA"),
        ("POST", "tooling/sobjects/SandboxInfo"),
        ("PATCH", "tooling/sobjects/FlowDefinition/300000000000001AAA"),
        ("PATCH", "metadata/deployRequest/0Af000000000001AAA"),
        ("POST", "metadata/deployRequest"),
        ("POST", "tooling/sandboxAuth"),
        ("POST", "/services/async/67.0/job"),
    ]
)


# ---- JSON


@given(asked=json_paths, body=st.one_of(trees.map(lambda one: json.dumps(one).encode()), st.binary(max_size=40)))
@some
def test_any_json_or_none_is_answered(world, asked, body):
    world.ask(*asked, data=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        '{"Name": "x"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"Name": "bom"}',
        b'{"Name": "\xff\xfe"}',
        b'{"Name": NaN}',
        b'{"NumberOfEmployees": 1e400}',
        b'{"NumberOfEmployees": ' + b"9" * 5000 + b"}",
        b'{"Name": "\\ud800"}',
        b'{"Name": "' + b"x" * 1_000_000 + b'"}',
    ],
)
@pytest.mark.parametrize("path", ["sobjects/Account", "composite/sobjects", "jobs/query"])
def test_odd_json_is_answered(world, path, body):
    world.ask("POST", path, data=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("attributes", [None, "Account", [], {"type": None}, {"type": ["Account"]}])
def test_a_row_without_a_readable_type_is_refused(world, attributes):
    for method, path in (("POST", ""), ("PATCH", ""), ("PATCH", "/Account/CustomerNumber__c")):
        body = {"records": [{"attributes": attributes, "Name": "x"}]}
        answer = world.ask(method, f"composite/sobjects{path}", json=body)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_INPUT")


@pytest.mark.parametrize("tests", [1, True, "A", {"A": 1}, [None, 2]])
def test_tests_to_run_that_are_no_list_of_names_are_answered(world, tests):
    options = json.dumps({"deployOptions": {"runTests": tests, "testLevel": 5}})
    parts = {"json": (None, options, "application/json"), "file": ("a.zip", b"no zip")}
    world.ask("POST", "metadata/deployRequest", files=parts)


DIGITS = ["9" * 5000, "²", "٣", "1_0", "1e999999999"]


@pytest.mark.parametrize("digits", DIGITS)
def test_digits_that_are_no_number_are_answered(world, digits):
    world.ask("GET", "jobs/query", params={"queryLocator": digits})
    job = world.ask("POST", "jobs/query", json={"operation": "query", "query": "SELECT Id FROM Account"}).json()["id"]
    world.ask("GET", f"jobs/query/{job}/results", params={"maxRecords": digits, "locator": digits})
    world.ask("GET", f"query/01gxx0000000001AAA-{digits}")
    hint = f"batchSize={digits}".encode("latin-1", "ignore")
    world.ask("GET", "query", params={"q": "SELECT Id FROM Account LIMIT 1"}, headers={"Sforce-Query-Options": hint})
    for asked in (f"NumberOfEmployees > {digits}", f"CreatedDate = LAST_N_DAYS:{digits}", f"Id = null LIMIT {digits}"):
        world.ask("GET", "query", params={"q": f"SELECT Id FROM Account WHERE {asked}"})
    world.ask("POST", "parameterizedSearch", json={"q": "ab", "overallLimit": digits})
    url = "/services/data/v67.0/query?q=SELECT+Id+FROM+Account+LIMIT+1"
    quoted = f"/services/data/v67.0/sobjects/Account/@{{a.records[{digits}].Id}}"
    asked = [{"method": "GET", "url": one, "referenceId": name} for one, name in ((url, "a"), (quoted, "b"))]
    world.ask("POST", "composite", json={"compositeRequest": asked})
    world.ask("GET", "tooling/executeAnonymous", params={"anonymousBody": f"System.abortJob({digits});"})
    for field in ("AnnualRevenue", "NumberOfEmployees", "BillingLatitude"):
        answer = world.ask("POST", "sobjects/Account", json={"Name": "x", field: digits})
        assert answer.status_code == 400, answer.text
    world.practice.session.get(f"{world.url}/services/async/{digits}.0/job/750", timeout=10).close()
    world.no_bug()


# ---- SOQL


@given(text=soql, path=st.sampled_from(["query", "queryAll", "tooling/query"]))
@some
def test_any_soql_is_answered(world, path, text):
    text = text.encode("utf-8", "replace").decode()
    world.ask("GET", path, params={"q": text})


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Id FROM Account WHERE " + "(" * 3000 + "Id = null" + ")" * 3000,
        "SELECT Id FROM Account WHERE " + "NOT " * 3000 + "Id = null",
        "SELECT Id FROM Account WHERE Name = 'a'" + " OR Name = 'a'" * 900,
        "SELECT Id FROM Account LIMIT 99999999999999999999999",
        "SELECT Id FROM Account LIMIT 1 OFFSET 2001",
        "SELECT " + "Parent." * 400 + "Name FROM Account",
        "SELECT Id FROM Account WHERE NumberOfEmployees = 1" + "0" * 400,
        "SELECT Id FROM Account WHERE CreatedDate > 9999-12-31T23:59:59Z OR CreatedDate = NEXT_N_YEARS:9999",
        "SELECT Id FROM Account WHERE Name LIKE '" + "%_" * 300 + "'",
    ],
)
def test_absurd_soql_is_answered(world, text):
    world.ask("GET", "query", params={"q": text})
    world.ask("POST", "jobs/query", json={"operation": "query", "query": text})


# ---- SOSL


@pytest.mark.parametrize(
    "text",
    [
        "FIND {" + "(" * 3000 + "ab" + ")" * 3000 + "}",
        "FIND {" + "ab OR " * 3000 + "ab}",
        "FIND {" + "*?" * 5000 + "ab}",
        'FIND {"' + "ab " * 5000 + '"}',
        "FIND {ab} RETURNING " + "Account," * 3000 + "Account",
        "FIND {ab} RETURNING Account(Id WHERE " + "(" * 3000 + ")",
        "FIND {ab} LIMIT 99999999999999999999999",
        "FIND {\\} RETURNING Nothing(x)",
    ],
)
def test_absurd_sosl_is_answered(world, text):
    world.ask("POST", "parameterizedSearch", json={"q": text, "sobjects": [{"name": "Account", "where": text[:200]}]})
    if len(text) < 10_000:
        world.ask("GET", "search", params={"q": text})
