"""Files: ContentVersion with bodies over REST, ContentDocument, ContentDocumentLink [data.md 1.5 and 4 row 29]."""

import hashlib
import json
from base64 import b64encode

import pytest

BODY = bytes(range(256)) * 16


@pytest.fixture(scope="module")
def ask(shared_practice):
    def asked(method, path, **how):
        return shared_practice.ask("DEV1", method, path, **how)

    return asked


def create(ask, name, **values):
    answer = ask("POST", f"sobjects/{name}", json=values)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def query(ask, soql):
    answer = ask("GET", "query", params={"q": soql})
    assert answer.status_code == 200, answer.text
    return [{k: v for k, v in row.items() if k != "attributes"} for row in answer.json()["records"]]


@pytest.fixture
def version(ask):
    """A file that was published on a new account: (account, version)."""
    account = create(ask, "Account", Name="With a drawing")
    data = b64encode(BODY).decode()
    made = create(ask, "ContentVersion", PathOnClient="pump.PDF", VersionData=data, FirstPublishLocationId=account)
    return account, made


def test_data_4_row_29_a_version_makes_its_document_and_links(ask, version):
    account, made = version
    row = ask("GET", f"sobjects/ContentVersion/{made}").json()
    document = row["ContentDocumentId"]
    assert (row["Title"], row["FileExtension"], row["FileType"], row["VersionNumber"]) == ("pump", "pdf", "PDF", "1")
    assert (row["ContentSize"], row["Checksum"], row["IsLatest"]) == (len(BODY), hashlib.md5(BODY).hexdigest(), True)
    assert ask("GET", row["VersionData"]).content == BODY
    kept = ask("GET", f"sobjects/ContentDocument/{document}").json()
    assert (kept["LatestPublishedVersionId"], kept["Title"], kept["ContentSize"]) == (made, "pump", len(BODY))
    links = query(
        ask, f"SELECT LinkedEntityId, ShareType FROM ContentDocumentLink WHERE ContentDocumentId = '{document}'"
    )
    assert {(one["LinkedEntityId"][:3], one["ShareType"]) for one in links} == {("005", "I"), ("001", "V")}
    assert account in {one["LinkedEntityId"] for one in links}


def test_data_4_row_29_a_second_version_becomes_the_latest_and_no_version_can_be_deleted(ask, version):
    made = version[1]
    document = ask("GET", f"sobjects/ContentVersion/{made}").json()["ContentDocumentId"]
    data = b64encode(b"new").decode()
    second = create(ask, "ContentVersion", PathOnClient="pump2.txt", VersionData=data, ContentDocumentId=document)
    found = query(ask, f"SELECT Id, IsLatest, VersionNumber FROM ContentVersion WHERE ContentDocumentId = '{document}'")
    assert sorted((one["VersionNumber"], one["IsLatest"]) for one in found) == [("1", False), ("2", True)]
    assert ask("GET", f"sobjects/ContentDocument/{document}").json()["LatestPublishedVersionId"] == second
    for row_id in (made, second):
        assert ask("DELETE", f"sobjects/ContentVersion/{row_id}").status_code == 400
    assert ask("POST", "sobjects/ContentDocument", json={"Title": "By hand"}).status_code == 400


def test_data_4_row_29_a_document_goes_and_comes_back_with_its_versions(ask, version, shared_practice):
    account, made = version
    document = ask("GET", f"sobjects/ContentVersion/{made}").json()["ContentDocumentId"]
    assert ask("DELETE", f"sobjects/ContentDocument/{document}").status_code == 204
    assert ask("GET", f"sobjects/ContentVersion/{made}").status_code == 404
    script = f"Database.undelete('{document}');"
    assert ask("GET", "tooling/executeAnonymous", params={"anonymousBody": script}).json()["success"] is True
    assert ask("GET", f"sobjects/ContentVersion/{made}/VersionData").content == BODY
    assert len(query(ask, f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{account}'")) == 1


def test_a_document_is_linked_once_to_a_row(ask, version):
    account, made = version
    document = ask("GET", f"sobjects/ContentVersion/{made}").json()["ContentDocumentId"]
    again = {"ContentDocumentId": document, "LinkedEntityId": account, "ShareType": "V"}
    answer = ask("POST", "sobjects/ContentDocumentLink", json=again)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "DUPLICATE_VALUE")
    other = create(ask, "Account", Name="Another")
    create(ask, "ContentDocumentLink", **{**again, "LinkedEntityId": other})


@pytest.mark.parametrize("values", [{"PathOnClient": "x.txt"}, {"VersionData": "QUI="}])
def test_a_version_needs_a_name_and_bytes(ask, values):
    answer = ask("POST", "sobjects/ContentVersion", json=values)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")


def test_data_1_5_links_demand_a_filter_in_rest_and_in_bulk(ask, version):
    for soql in ("SELECT Id FROM ContentDocumentLink", "SELECT Id FROM ContentDocumentLink WHERE ShareType = 'V'"):
        answer = ask("GET", "query", params={"q": soql})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "MALFORMED_QUERY")
        job = ask("POST", "jobs/query", json={"operation": "query", "query": soql})
        assert job.status_code == 400
    assert query(ask, f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN ('{version[0]}')")


def test_a_body_may_come_as_a_part_of_its_own(ask):
    given = {"PathOnClient": "part.bin", "Title": "In parts"}
    parts = {
        "entity_content": (None, json.dumps(given), "application/json"),
        "VersionData": ("part.bin", BODY, "application/octet-stream"),
    }
    answer = ask("POST", "sobjects/ContentVersion", files=parts)
    assert answer.status_code == 201, answer.text
    assert ask("GET", f"sobjects/ContentVersion/{answer.json()['id']}/VersionData").content == BODY
    broken = ask("POST", "sobjects/ContentVersion", files={"other": (None, "x", "text/plain")})
    assert broken.status_code == 400
