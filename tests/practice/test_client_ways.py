"""Ways of other people's clients that nothing else asks for (clients.md): each was met with the client itself."""

from rehearse.practice.meta_xml import NAMESPACE


def ask(practice, path):
    headers = {"Authorization": f"Bearer {practice.orgs['UATFULL'].access_token}"}
    return practice.session.get(practice.http_url + path, headers=headers, timeout=20)


def test_the_cli_asks_with_a_doubled_slash(practice):
    assert ask(practice, "//services/data//v67.0/limits/").status_code == 200


def test_a_bare_key_in_record_counts_means_all(practice):
    every = ask(practice, "/services/data/v67.0/limits/recordCount?sObjects").json()["sObjects"]
    one = ask(practice, "/services/data/v67.0/limits/recordCount?sObjects=Account").json()["sObjects"]
    assert len(every) > 5 and [row["name"] for row in one] == ["Account"]


def test_tooling_describes_classes_and_knows_no_source_members(practice):
    names = [one["name"] for one in ask(practice, "/services/data/v67.0/tooling/sobjects").json()["sobjects"]]
    assert {"ApexClass", "Flow"} <= set(names) and "Account" not in names
    described = ask(practice, "/services/data/v67.0/tooling/sobjects/apexclass/describe")
    assert "Body" in [one["name"] for one in described.json()["fields"]]
    assert ask(practice, "/services/data/v67.0/tooling/sobjects/SourceMember/describe").status_code == 404
    assert ask(practice, "/services/data/v67.0/tooling/sobjects/Account/describe").status_code == 404


def test_read_metadata_declares_its_namespace_once(practice):
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<SessionHeader xmlns="{NAMESPACE}"><sessionId>{practice.orgs["UATFULL"].access_token}</sessionId>'
        f'</SessionHeader></e:Header><e:Body><readMetadata xmlns="{NAMESPACE}"><type>CustomObject</type>'
        "<fullNames>Invoice__c</fullNames></readMetadata></e:Body></e:Envelope>"
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    answer = practice.session.post(
        f"{practice.http_url}/services/Soap/m/62.0", data=body.encode(), headers=headers, timeout=20
    )
    assert answer.status_code == 200 and "<fullName>Invoice__c</fullName>" in answer.text
    assert answer.text.count(f'xmlns="{NAMESPACE}"') == 1
