"""The production filter, by every trick that we know of: pure functions, no network."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.errors import ProductionRefused
from rehearse.org import guard
from rehearse.org.guard import Outgoing
from rehearse.org.soap_request import METADATA, PARTNER, build_envelope

ORIGIN = "https://acme.my.salesforce.com"
DATA = "/services/data/v67.0"
JOB = "750000000000001AAA"
ROW = "001000000000001AAA"
INFO = "0GQ000000000001AAA"
PROCESS = "0GR000000000001AAA"
JSON = {"Content-Type": "application/json"}
XML = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}


def send(method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Outgoing:
    data = json.dumps(body).encode() if body is not None and not isinstance(body, bytes) else body
    return Outgoing(method, ORIGIN + path, headers or {}, data)


def passes(sent: Outgoing, permit: guard.Permit = "closed", own: tuple[str, ...] = (JOB,)) -> bool:
    try:
        guard.check(sent, permit, ORIGIN, own)
    except ProductionRefused:
        return False
    return True


READS = [
    "/services/data",
    "/services/data/",
    DATA,
    f"{DATA}/",
    f"{DATA}/query?q=SELECT+Id+FROM+Account",
    f"{DATA}/query/?q=SELECT+Id+FROM+Account",
    f"{DATA}/queryAll?q=SELECT+Id+FROM+Account+WHERE+Name+%3D+%27for+view%27",
    f"{DATA}/query/0r8xx0000000001-2000",
    f"{DATA}/limits/",
    f"{DATA}/limits/recordCount?sObjects=Account,Contact",
    f"{DATA}/sobjects",
    f"{DATA}/sobjects/Account/describe",
    f"{DATA}/sobjects/Invoice__c/{ROW}?fields=Id,Name",
    f"{DATA}/sobjects/ContentVersion/068000000000001AAA/VersionData",
    f"{DATA}/sobjects/Account/deleted/?start=2026-11-01T00:00:00Z&end=2026-11-02T00:00:00Z",
    f"{DATA}/jobs/query",
    f"{DATA}/jobs/query/{JOB}",
    f"{DATA}/jobs/query/{JOB}/results?locator=abc&maxRecords=5000",
    f"{DATA}/jobs/query/{JOB}/resultPages",
    f"{DATA}/tooling/query?q=SELECT+Id+FROM+SandboxProcess",
    f"{DATA}/tooling/sobjects/SandboxInfo/{INFO}",
    "/services/oauth2/userinfo",
]

REFUSED_GETS = [
    # GETs that act
    f"{DATA}/tooling/executeAnonymous?anonymousBody=delete+x%3B",
    f"{DATA}/tooling/executeanonymous/?anonymousBody=x",
    f"{DATA}/tooling/executeAnonymous",
    f"{DATA}/tooling/runTestsSynchronous?classnames=A",
    f"{DATA}/tooling/runTestsAsynchronous?classids=A",
    f"{DATA}/tooling/sobjects/ApexExecutionOverlayAction",
    "/services/apexrest/anything",
    "/services/apexrest",
    "/services/oauth2/revoke?token=x",
    "/services/oauth2/authorize?response_type=code",
    "/secur/logout.jsp",
    "/secur/frontdoor.jsp?sid=x",
    "/services/async/67.0/job",
    f"{DATA}/chatter/users/me",
    f"{DATA}/ui-api/records/{ROW}?updateMru=true",
    f"{DATA}/sobjects/Account/listviews/00B000000000001/results",
    f"{DATA}/search?q=FIND+%7Bx%7D",
    f"{DATA}/actions/custom/flow/Do_It",
    f"{DATA}/process/rules",
    f"{DATA}/wave/query",
    "/",
    "/001000000000001",
    # writes by SOQL
    f"{DATA}/query?q=SELECT+Id+FROM+Account+FOR+VIEW",
    f"{DATA}/query?q=SELECT+Id+FROM+Account+for%0A+reference",
    f"{DATA}/query?q=SELECT+Id+FROM+Account+WHERE+Name%3D%27x%27+FOR+UPDATE",
    f"{DATA}/queryAll?q=SELECT+Id+FROM+Account%09FOR%09VIEW",
    f"{DATA}/query?q=SELECT+Id+FROM+KnowledgeArticleVersion+UPDATE+VIEWSTAT",
    f"{DATA}/query?q=SELECT+Id+FROM+Account+WHERE+Name%3D%27a%5C%27+FOR+VIEW%27+FOR+VIEW",
    # another method in disguise
    f"{DATA}/query?q=SELECT+Id+FROM+Account&_HttpMethod=PATCH",
    f"{DATA}/sobjects/Account/{ROW}?_HttpMethod=DELETE",
    f"{DATA}/sobjects/Account/{ROW}?_httpmethod=DELETE",
    f"{DATA}/sobjects/Account/{ROW}?%5FHttpMethod=DELETE",
    f"{DATA}/sobjects/Account/{ROW}?%255FHttpMethod=DELETE",
    f"{DATA}/sobjects/Account/{ROW}?fields=Id;_HttpMethod=DELETE",
    f"{DATA}/query?q=SELECT+Id+FROM+Account&q=SELECT+Id+FROM+Account+FOR+VIEW",
    f"{DATA}/query?q=SELECT+Id+FROM+Account&oauth_token=other",
    # spelling
    f"{DATA}//sobjects",
    "//services/data/v67.0/sobjects",
    f"{DATA}/sobjects/../tooling/executeAnonymous",
    f"{DATA}/./sobjects",
    f"{DATA}/sobjects/%2e%2e/tooling/executeAnonymous",
    f"{DATA}/sobjects%2fAccount%2fdescribe",
    f"{DATA}/sobjects;x=y/Account/describe",
    f"{DATA}/sobjects/Account/describe%20",
    f"{DATA}/sobjects/Account/describe ",
    f"{DATA}/sobjects/Account/describe%00",
    f"{DATA}/sobjects\\Account",
    f"{DATA}/QUERY?q=SELECT+Id+FROM+Account",
    f"{DATA}/Sobjects",
    "/Services/Data/v67.0/sobjects",
    "/services/data/v67/sobjects",
    "/services/data/v67.0x/sobjects",
    "/services/data/latest/sobjects",
    f"{DATA}/sobjects#/tooling",
    f"{DATA}/sobjécts",
    f"{DATA}/query/../../apexrest/x",
    f"{DATA}/query/a/b",
    f"{DATA}/sobjects/Account/{ROW}/Contacts/Extra",
]


@pytest.mark.parametrize("path", READS)
def test_reads_pass(path: str) -> None:
    assert passes(send("GET", path))


@pytest.mark.parametrize("path", REFUSED_GETS)
@pytest.mark.parametrize("permit", ["closed", "control"])
def test_gets_that_act_or_are_spelled_strangely_are_refused(path: str, permit: guard.Permit) -> None:
    assert not passes(send("GET", path), permit)


def test_a_get_with_a_body_is_refused() -> None:
    assert not passes(send("GET", f"{DATA}/sobjects", {"Name": "x"}))
    assert not passes(Outgoing("GET", f"{ORIGIN}{DATA}/sobjects", {}, None, streamed=True))


WRITES = [
    ("POST", f"{DATA}/sobjects/Account", {"Name": "x"}),
    ("PATCH", f"{DATA}/sobjects/Account/{ROW}", {"Name": "x"}),
    ("PUT", f"{DATA}/sobjects/Account/{ROW}", {"Name": "x"}),
    ("DELETE", f"{DATA}/sobjects/Account/{ROW}", None),
    ("POST", f"{DATA}/sobjects/Account/{ROW}?_HttpMethod=PATCH", {"Name": "x"}),
    (
        "POST",
        f"{DATA}/composite",
        {"compositeRequest": [{"method": "GET", "url": f"{DATA}/limits", "referenceId": "a"}]},
    ),
    ("POST", f"{DATA}/composite/batch", {"batchRequests": [{"method": "GET", "url": "v67.0/limits"}]}),
    ("POST", f"{DATA}/composite/graph", {"graphs": []}),
    ("POST", f"{DATA}/composite/tree/Account", {"records": []}),
    ("POST", f"{DATA}/composite/sobjects", {"records": []}),
    ("PATCH", f"{DATA}/composite/sobjects", {"records": []}),
    ("DELETE", f"{DATA}/composite/sobjects?ids={ROW}", None),
    ("POST", f"{DATA}/composite/sobjects/Account", {"ids": [ROW], "fields": ["Id"]}),
    ("POST", f"{DATA}/jobs/ingest", {"object": "Account", "operation": "insert"}),
    ("PUT", f"{DATA}/jobs/ingest/{JOB}/batches", b"Name\nx\n"),
    ("PATCH", f"{DATA}/jobs/ingest/{JOB}", {"state": "UploadComplete"}),
    ("DELETE", f"{DATA}/jobs/ingest/{JOB}", None),
    ("POST", "/services/async/67.0/job", b"<jobInfo/>"),
    ("POST", f"{DATA}/tooling/sobjects/ApexClass", {"Body": "x"}),
    ("POST", f"{DATA}/tooling/executeAnonymous", {"anonymousBody": "x"}),
    ("PATCH", f"{DATA}/tooling/sobjects/FlowDefinition/300000000000001", {"Metadata": {"activeVersionNumber": 0}}),
    ("DELETE", f"{DATA}/tooling/sobjects/Flow/301000000000001", None),
    ("POST", f"{DATA}/tooling/runTestsAsynchronous", {"tests": []}),
    ("POST", f"{DATA}/metadata/deployRequest", b"zip"),
    ("PATCH", f"{DATA}/metadata/deployRequest/0Af000000000001AAA", {"deployResult": {"status": "Canceling"}}),
    ("POST", "/services/apexrest/x", {}),
    ("POST", "/services/oauth2/revoke", b"token=x"),
    ("POST", f"{DATA}/actions/standard/emailSimple", {"inputs": []}),
    ("POST", f"{DATA}/sobjects/Event__e", {"A__c": 1}),
    ("POST", f"{DATA}/query?q=SELECT+Id+FROM+Account", None),
    ("POST", f"{DATA}/parameterizedSearch", {"q": "x"}),
    ("HEAD", f"{DATA}/sobjects", None),
    ("OPTIONS", f"{DATA}/sobjects", None),
    ("get", f"{DATA}/sobjects", None),
    ("GET ", f"{DATA}/sobjects", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("permit", ["closed", "control"])
def test_writes_are_refused(method: str, path: str, body: object, permit: guard.Permit) -> None:
    assert not passes(send(method, path, body, JSON), permit)


@pytest.mark.parametrize(
    "host", ["https://evil.example", "http://acme.my.salesforce.com", "https://acme.my.salesforce.com:8443"]
)
@pytest.mark.parametrize("permit", ["closed", "control", "open"])
def test_no_wire_speaks_to_another_host(host: str, permit: guard.Permit) -> None:
    assert not passes(Outgoing("GET", f"{host}{DATA}/limits"), permit)


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.my.salesforce.com@evil.example/services/data",
        "https://user:pw@acme.my.salesforce.com/services/data",
        "https://acme.my.salesforce.com.evil.example/services/data",
        "https://acme.my.salesforce.com\\@evil.example/services/data",
    ],
)
def test_hosts_in_disguise_are_refused(url: str) -> None:
    assert not passes(Outgoing("GET", url), "open")


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override", "X-Original-URL", " X-HTTP-Method "]
)
@pytest.mark.parametrize("permit", ["closed", "control", "open"])
def test_headers_that_override_the_method_are_refused(name: str, permit: guard.Permit) -> None:
    assert not passes(send("GET", f"{DATA}/limits", headers={name: "PATCH"}), permit)


def test_a_host_header_may_not_name_another_host() -> None:
    assert not passes(send("GET", f"{DATA}/limits", headers={"host": "production.my.salesforce.com"}), "open")


# own query jobs


def new_job(**changes: object) -> dict[str, object]:
    return {"operation": "query", "query": "SELECT Id FROM Account", **changes}


def test_own_query_jobs_may_be_started_aborted_and_deleted() -> None:
    assert passes(send("POST", f"{DATA}/jobs/query", new_job(), JSON))
    assert passes(send("POST", f"{DATA}/jobs/query", new_job(operation="queryAll"), JSON))
    assert passes(send("PATCH", f"{DATA}/jobs/query/{JOB}", {"state": "Aborted"}, JSON))
    assert passes(send("DELETE", f"{DATA}/jobs/query/{JOB}"))


@pytest.mark.parametrize(
    "body",
    [
        new_job(operation="delete"),
        new_job(operation="insert", object="Account"),
        new_job(object="Account"),
        new_job(query="SELECT Id FROM Account FOR VIEW"),
        new_job(query=None),
        {"operation": "query"},
        [new_job()],
        b'{"operation":"query","operation":"hardDelete","query":"SELECT Id FROM Account"}',
        b"not json",
        b"",
    ],
)
def test_a_new_job_must_be_a_query(body: object) -> None:
    assert not passes(send("POST", f"{DATA}/jobs/query", body, JSON))


def test_other_peoples_query_jobs_are_left_alone() -> None:
    assert not passes(send("DELETE", f"{DATA}/jobs/query/{JOB}"), own=())
    assert not passes(
        send("PATCH", f"{DATA}/jobs/query/{JOB}", {"state": "Aborted"}, JSON), own=("750000000000002AAA",)
    )
    assert not passes(send("PATCH", f"{DATA}/jobs/query/{JOB}", {"state": "UploadComplete"}, JSON))
    assert not passes(send("PATCH", f"{DATA}/jobs/query/{JOB}", {"state": "Aborted", "x": 1}, JSON))
    assert not passes(send("DELETE", f"{DATA}/jobs/query/{JOB}?_HttpMethod=PATCH"))
    assert not passes(send("POST", f"{DATA}/jobs/query/{JOB}", new_job(), JSON))


# SOAP


def soap(operation: str, namespace: str = METADATA, area: str = "m", **options: object) -> Outgoing:
    body = options.pop("body", None) or build_envelope(namespace, operation, {"asOfVersion": "67.0"}, "token")
    headers = {**XML, **options}  # type: ignore[dict-item]
    return Outgoing("POST", f"{ORIGIN}/services/Soap/{area}/67.0", headers, body)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "operation", ["describeMetadata", "listMetadata", "retrieve", "checkRetrieveStatus", "checkDeployStatus"]
)
def test_metadata_reads_pass(operation: str) -> None:
    assert passes(soap(operation))
    assert passes(soap(operation, SOAPAction=operation))
    assert passes(soap(operation, SOAPAction=f'"{operation}"'))


def test_the_partner_service_only_tells_the_time() -> None:
    assert passes(soap("getServerTimestamp", PARTNER, "u"))
    for operation in (
        "create",
        "update",
        "delete",
        "undelete",
        "emptyRecycleBin",
        "login",
        "retrieve",
        "logout",
        "merge",
    ):
        assert not passes(soap(operation, PARTNER, "u"))


@pytest.mark.parametrize(
    "operation",
    [
        "deploy", "deployRecentValidation", "cancelDeploy", "createMetadata", "updateMetadata", "upsertMetadata",
        "deleteMetadata", "renameMetadata", "readMetadata", "executeAnonymous", "DescribeMetadata", "describemetadata",
    ],
)  # fmt: skip
def test_other_metadata_operations_are_refused(operation: str) -> None:
    assert not passes(soap(operation))
    assert not passes(soap(operation), "control")
    assert not passes(soap(operation, SOAPAction="describeMetadata"))


def test_the_namespace_and_the_service_must_fit_the_operation() -> None:
    assert not passes(soap("describeMetadata", PARTNER))
    assert not passes(soap("describeMetadata", "urn:enterprise.soap.sforce.com"))
    assert not passes(soap("getServerTimestamp", PARTNER, "m"))
    assert not passes(soap("listMetadata", METADATA, "u"))
    for area in ("T", "c", "s", "class/X", "M", "U"):
        assert not passes(soap("listMetadata", METADATA, area))


def test_a_soap_action_that_disagrees_is_refused() -> None:
    assert not passes(soap("describeMetadata", SOAPAction="deploy"))


@pytest.mark.parametrize(
    "kind",
    ["multipart/related; type=text/xml", "text/xml; charset=UTF-7", "text/xml; charset=utf-16", "application/json", ""],
)
def test_the_content_type_must_be_xml_in_utf_8(kind: str) -> None:
    assert passes(soap("describeMetadata", **{"Content-Type": "text/xml"}))
    assert not passes(soap("describeMetadata", **{"Content-Type": kind}))


@pytest.mark.parametrize("kind", ["application/xml", "application/json; charset=utf-16", "text/plain", ""])
def test_a_json_body_must_say_so(kind: str) -> None:
    assert not passes(send("POST", f"{DATA}/jobs/query", new_job(), {"Content-Type": kind}))


@pytest.mark.parametrize(
    "name", ["X-SFDC-Session", "Transfer-Encoding", "Content-Encoding", "Cookie", "Sforce-Auto-Assign", "Expect", "X-A"]
)
@pytest.mark.parametrize("permit", ["closed", "control"])
def test_headers_that_we_never_send_are_refused(name: str, permit: guard.Permit) -> None:
    assert passes(send("GET", f"{DATA}/limits", headers={"Accept": "x", "Authorization": "Bearer x"}), permit)
    assert not passes(send("GET", f"{DATA}/limits", headers={name: "x"}), permit)
    assert not passes(send("GET", f"{DATA}/limits", headers={"Accept": "x", "accept": "y"}), "open")


GOOD = build_envelope(METADATA, "describeMetadata", {"asOfVersion": "67.0"}, "token")
EXTRA = f'<deploy xmlns="{METADATA}"><ZipFile>x</ZipFile></deploy>'.encode()


@pytest.mark.parametrize(
    "body",
    [
        GOOD.replace(b"</soapenv:Body>", EXTRA + b"</soapenv:Body>"),
        GOOD.replace(b"<soapenv:Body>", b"<soapenv:Body>" + EXTRA),
        GOOD.replace(b"</soapenv:Body>", b"</soapenv:Body><soapenv:Body>" + EXTRA + b"</soapenv:Body>"),
        GOOD.replace(b"</soapenv:Envelope>", EXTRA + b"</soapenv:Envelope>"),
        GOOD.replace(b"<soapenv:Header>", b'<x:Body xmlns:x="urn:x">' + EXTRA + b"</x:Body><soapenv:Header>"),
        GOOD.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1),
        GOOD.replace(b"?>", b'?><?xml-stylesheet href="x"?>', 1),
        GOOD.replace(b'encoding="UTF-8"', b'encoding="UTF-7"'),
        GOOD.replace(b'encoding="UTF-8"', b'encoding="ISO-8859-1"'),
        GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        b"\xef\xbb\xbf" + GOOD,
        b" " + GOOD,
        GOOD + EXTRA,
        GOOD[:-5],
        GOOD.replace(b"schemas.xmlsoap.org/soap/envelope", b"www.w3.org/2003/05/soap-envelope"),
        GOOD.replace(b"<describeMetadata>", b"<describeMetadata/>").replace(b"</describeMetadata>", b""),
        b"",
        b"{}",
    ],
)
def test_envelopes_that_could_be_read_in_two_ways_are_refused(body: bytes) -> None:
    assert passes(Outgoing("POST", f"{ORIGIN}/services/Soap/m/67.0", XML, GOOD))
    assert not passes(Outgoing("POST", f"{ORIGIN}/services/Soap/m/67.0", XML, body))


def test_a_comment_or_text_cannot_hide_a_second_operation() -> None:
    assert passes(
        Outgoing("POST", f"{ORIGIN}/services/Soap/m/67.0", XML, GOOD.replace(b"67.0", b"<!--" + b"x" + b"-->"))
    )
    prefixed = GOOD.replace(b"<describeMetadata>", b'<d:deploy xmlns:d="' + METADATA.encode() + b'">')
    assert not passes(
        Outgoing(
            "POST", f"{ORIGIN}/services/Soap/m/67.0", XML, prefixed.replace(b"</describeMetadata>", b"</d:deploy>")
        )
    )


def test_soap_has_no_query_no_other_method_and_no_streamed_body() -> None:
    assert not passes(Outgoing("POST", f"{ORIGIN}/services/Soap/m/67.0?x=1", XML, GOOD))
    assert not passes(Outgoing("PUT", f"{ORIGIN}/services/Soap/m/67.0", XML, GOOD))
    assert not passes(Outgoing("POST", f"{ORIGIN}/services/Soap/m/67.0", XML, None, streamed=True))
    assert not passes(Outgoing("POST", f"{ORIGIN}/services/Soap/m/67.0/../m/67.0", XML, GOOD))


# the control of production

LIFECYCLE = [
    ("PATCH", f"{DATA}/tooling/sobjects/SandboxInfo/{INFO}", {"LicenseType": "FULL"}),
    ("PATCH", f"{DATA}/tooling/sobjects/SandboxProcess/{PROCESS}", {"RefreshAction": "ACTIVATE"}),
    ("PATCH", f"{DATA}/tooling/sobjects/SandboxProcess/{PROCESS}", {"RefreshAction": "DISCARD"}),
]


@pytest.mark.parametrize(("method", "path", "body"), LIFECYCLE)
def test_only_the_control_may_change_sandboxes(method: str, path: str, body: object) -> None:
    assert passes(send(method, path, body, JSON), "control")
    assert not passes(send(method, path, body, JSON), "closed")
    assert not passes(send(method, f"{path}?_HttpMethod=DELETE", body, JSON), "control")
    assert not passes(send(method, path.replace("Sandbox", "sandbox"), body, JSON), "control")
    assert not passes(send(method, path.replace("/tooling", ""), body, JSON), "control")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{DATA}/tooling/sobjects/SandboxProcess", {"RefreshAction": "ACTIVATE"}),
        ("DELETE", f"{DATA}/tooling/sobjects/SandboxProcess/{PROCESS}", None),
        ("PATCH", f"{DATA}/tooling/sobjects/SandboxProcess/{PROCESS}", {"RefreshAction": "ACTIVATE", "SourceId": "x"}),
        ("PATCH", f"{DATA}/tooling/sobjects/SandboxProcess/{PROCESS}", {"RefreshAction": "activate"}),
        ("PATCH", f"{DATA}/tooling/sobjects/SandboxInfo/{PROCESS}", {"LicenseType": "FULL"}),
        ("PATCH", f"{DATA}/tooling/sobjects/SandboxInfo/{INFO}", None),
        ("POST", f"{DATA}/tooling/sobjects/SandboxInfo", {"SandboxName": "UAT", "LicenseType": "FULL"}),
        ("DELETE", f"{DATA}/tooling/sobjects/SandboxInfo", None),
        ("DELETE", f"{DATA}/tooling/sobjects/SandboxInfo/{INFO}", None),
        ("DELETE", f"{DATA}/tooling/sobjects/SandboxInfo/{INFO}", {"x": 1}),
        ("PUT", f"{DATA}/tooling/sobjects/SandboxInfo/{INFO}", {"LicenseType": "FULL"}),
        ("POST", f"{DATA}/tooling/sobjects/SandboxInfo/{INFO}", {"LicenseType": "FULL"}),
        ("POST", f"{DATA}/tooling/sandboxAuth", {"sandboxName": "UAT"}),
        ("POST", f"{DATA}/tooling/sobjects/ApexClass", {"Body": "x"}),
    ],
)
def test_the_control_can_do_nothing_else(method: str, path: str, body: object) -> None:
    assert not passes(send(method, path, body, JSON), "control")


# the token request

TOKEN = f"{ORIGIN}/services/oauth2/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def token_passes(sent: Outgoing) -> bool:
    try:
        guard.check_token_request(sent, ORIGIN)
    except ProductionRefused:
        return False
    return True


def test_a_login_sends_nothing_but_the_token_request() -> None:
    body = b"grant_type=client_credentials&client_id=a&client_secret=b"
    assert token_passes(Outgoing("POST", TOKEN, FORM, body))
    assert not token_passes(Outgoing("GET", TOKEN, FORM, body))
    assert not token_passes(Outgoing("POST", TOKEN + "?x=1", FORM, body))
    assert not token_passes(Outgoing("POST", TOKEN + "/", FORM, body))
    assert not token_passes(Outgoing("POST", TOKEN, {}, body))
    assert not token_passes(Outgoing("POST", TOKEN, FORM, b"grant_type=password&username=a"))
    assert not token_passes(Outgoing("POST", TOKEN, FORM, None, streamed=True))
    assert not token_passes(Outgoing("POST", f"{ORIGIN}/services/oauth2/revoke", FORM, body))
    assert not token_passes(Outgoing("POST", "https://evil.example/services/oauth2/token", FORM, body))


def test_a_closed_wire_sends_no_token_request_either() -> None:
    assert not passes(Outgoing("POST", TOKEN, FORM, b"grant_type=client_credentials"))


# what an open wire may do, and properties


@pytest.mark.parametrize(
    ("method", "path", "body"), [one for one in WRITES if one[0] in ("POST", "PATCH", "DELETE")][:4]
)
def test_an_open_wire_may_write_to_its_own_host(method: str, path: str, body: object) -> None:
    allowed = "_HttpMethod" not in path
    assert passes(send(method, path, body, JSON), "open") is allowed


@settings(deadline=None)
@given(
    method=st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]),
    path=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    body=st.none() | st.binary(max_size=80),
)
def test_nothing_that_is_not_a_get_passes_by_chance(method: str, path: str, body: bytes | None) -> None:
    assert not passes(Outgoing(method, f"{ORIGIN}/services/{path}", JSON, body), own=())


@settings(deadline=None)
@given(
    st.sampled_from(READS), st.integers(0, 60), st.sampled_from(["/", ".", "%", ";", "\\", " ", "A", "é", "#", "\n"])
)
def test_a_read_with_one_strange_character_in_its_path_passes_only_if_it_still_is_a_read(
    path: str, at: int, extra: str
) -> None:
    bare, mark, query = path.partition("?")
    at = min(at, len(bare))
    changed = bare[:at] + extra + bare[at:] + mark + query
    if passes(send("GET", changed)):
        assert extra in "/A" and "//" not in changed
        assert not any(word in changed for word in ("executeAnonymous", "apexrest", "runTests", "composite"))


@pytest.mark.parametrize(
    ("soql", "effect"),
    [
        ("SELECT Id FROM Account WHERE Name = 'for view'", False),
        ("SELECT Id FROM Account WHERE Name = 'it\\'s for view'", False),
        ("SELECT Id, For__c FROM Viewer__c", False),
        ("SELECT Id FROM Account FOR VIEW", True),
        ("SELECT Id FROM Account WHERE Name = 'x\\\\' FOR VIEW", True),
        ("SELECT Id FROM Account FOR\tREFERENCE", True),
        ("SELECT Id FROM Account for  update", True),
        ("SELECT Id FROM Account LIMIT 1FOR VIEW", True),
    ],
)
def test_soql_that_writes_is_recognised(soql: str, effect: bool) -> None:
    assert guard.soql_has_effect(soql) is effect
