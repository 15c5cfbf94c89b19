"""SOAP login: up to API 64.0, for users of any org, with the faults that clients look into."""

import pytest
from lxml import etree

from rehearse.practice.person_secrets import ensure_password, ensure_security_token


@pytest.fixture
def practice(calm_practice):
    """One world for the tests of this module: none of them disturbs the next."""
    return calm_practice


ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:u="urn:partner.soap.sforce.com"><e:Header>{head}</e:Header><e:Body><u:login><u:username>{username}'
    "</u:username><u:password>{password}</u:password></u:login></e:Body></e:Envelope>"
)


def log_in(practice, version="62.0", head="", **changes):
    folder = practice.server.folder
    given = {"username": practice.orgs["UATFULL"].username, "password": ensure_password(folder).read_text(), **changes}
    return practice.session.post(
        f"{practice.http_url}/services/Soap/u/{version}",
        data=ENVELOPE.format(head=head, **given).encode(),
        headers={"Content-Type": "text/xml", "SOAPAction": "login"},
        timeout=20,
    )


@pytest.mark.parametrize("version", ["51.0", "62.0", "64.0"])
def test_login_gives_a_session_and_addresses_with_the_org(practice, version):
    answer = log_in(practice, version)
    assert answer.status_code == 200, answer.text
    result = next(etree.fromstring(answer.content).iter("{*}result"))
    org = practice.orgs["UATFULL"]
    names = [etree.QName(one).localname for one in result]
    assert names == ["metadataServerUrl", "passwordExpired", "sandbox", "serverUrl", "sessionId", "userId", "userInfo"]
    assert result.findtext("{*}sandbox") == "true"
    assert result.findtext("{*}serverUrl") == f"{practice.http_url}/services/Soap/u/{version}/{org.org_id[:15]}"
    info = result.find("{*}userInfo")
    assert info.findtext("{*}organizationId") == org.org_id
    assert info.findtext("{*}userName") == org.username
    told = [etree.QName(one).localname for one in info]
    assert told[0] == "accessibilityMode" and told[-1] == "userUiSkin" and len(told) > 15
    headers = {"Authorization": f"Bearer {result.findtext('{*}sessionId')}"}
    address = f"{practice.http_url}/services/data/v{version}/limits"
    assert practice.session.get(address, headers=headers, timeout=20).status_code == 200


def test_the_security_token_may_follow_the_password(practice):
    folder = practice.server.folder
    both = ensure_password(folder).read_text() + ensure_security_token(folder).read_text()
    assert log_in(practice, password=both).status_code == 200


@pytest.mark.parametrize("version", ["65.0", "67.0"])
def test_login_is_gone_from_65_on(practice, version):
    answer = log_in(practice, version)
    root = etree.fromstring(answer.content)
    assert answer.status_code == 500
    assert root.findtext(".//faultcode") == "sf:UNSUPPORTED_API_VERSION"
    assert root.findtext(".//{*}exceptionCode") == "UNSUPPORTED_API_VERSION"


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong"},
        {"password": ""},
        {"username": "nobody@tidewater.example"},
        {"username": ""},
        {"head": "<u:LoginScopeHeader><u:organizationId>00D000000000001</u:organizationId></u:LoginScopeHeader>"},
    ],
)
def test_a_wrong_login_is_a_login_fault(practice, changes):
    root = etree.fromstring(log_in(practice, **changes).content)
    assert root.findtext(".//faultcode") == "sf:INVALID_LOGIN"
    fault = root.find(".//detail")[0]
    assert etree.QName(fault).localname == "LoginFault"
    assert fault.findtext("{*}exceptionMessage") == ("Invalid username, password, security token; or user locked out.")


def test_an_inactive_user_is_refused(practice):
    org = practice.estate.org(practice.orgs["UATFULL"].org_id)
    with org.transaction() as db:
        db.execute('UPDATE "User" SET "IsActive" = 0 WHERE "Username" = ?', (practice.orgs["UATFULL"].username,))
    assert log_in(practice).status_code == 500
