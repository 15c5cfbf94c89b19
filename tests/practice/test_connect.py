"""The way into the practice world: logins that work, secrets in files, a workspace that reads."""

import json
import stat
from pathlib import Path

import pytest
import requests

from rehearse.practice import connect
from rehearse.practice.control import ControlError, Status


@pytest.fixture
def status(practice):
    return Status(practice.server.folder, True, None, practice.url, practice.http_url)


def test_every_org_is_listed_and_every_login_works(practice, status):
    access = connect.connect(practice.server.folder, status)
    names = [org.name for org in access.orgs]
    assert names == ["production", "DEV1", "DEV2", "PERFFULL", "SIT1", "UATFULL"]
    for org in access.orgs:
        secret = Path(org.client_secret_file)
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        form = {"grant_type": "client_credentials", "client_id": org.client_id, "client_secret": secret.read_text()}
        token = requests.post(
            access.url + "/services/oauth2/token", data=form, verify=access.ca_file, timeout=10
        ).json()
        assert token["access_token"].startswith(org.org_id[:15])
        headers = {"Authorization": f"Bearer {org.access_token}"}
        me = requests.get(access.http_url + "/services/oauth2/userinfo", headers=headers, timeout=10).json()
        assert (me["organization_id"], me["preferred_username"]) == (org.org_id, org.username)
        assert org.is_sandbox is (org.name != "production")
        assert org.access_token not in repr(org)
    assert json.loads(json.dumps(access.as_json()))["orgs"][0]["name"] == "production"


def test_the_workspace_holds_no_secret_and_is_never_overwritten(practice, status, tmp_path):
    path = connect.write_workspace(practice.server.folder, status, tmp_path / "team")
    text = path.read_text()
    assert "clock: org" in text
    for org in practice.orgs.values():
        assert org.client_secret not in text and org.client_id in text
    with pytest.raises(ControlError):
        connect.write_workspace(practice.server.folder, status, tmp_path / "team")
    assert path.read_text() == text


def test_the_workspace_reads_as_the_product_reads_it(practice, status, tmp_path):
    from rehearse.workspace.read import load_workspace

    path = connect.write_workspace(practice.server.folder, status, tmp_path)
    workspace = load_workspace(path)
    assert workspace.clock == "org"
    assert [one.name for one in workspace.sandboxes] == ["DEV1", "DEV2", "PERFFULL", "SIT1", "UATFULL"]
    assert workspace.production is not None and workspace.production.control is not None
    assert {"Account", "Invoice__c", "Payment__c"} <= set(workspace.scope.objects)


def test_nothing_to_connect_to_is_said(practice):
    with pytest.raises(ControlError):
        connect.connect(practice.server.folder, Status(practice.server.folder, False))


def test_known_clients_get_settings_for_the_org_that_is_asked_for(practice, status):
    access = connect.connect(practice.server.folder, status, "uatfull")
    assert access.clients_for == "UATFULL"
    clients = {one.client: one for one in access.clients}
    assert set(clients) == {"sf", "cci", "sfdmu", "jsforce", "simple-salesforce", "soap"}
    assert clients["sf"].settings["instance-url"] == practice.http_url
    assert clients["simple-salesforce"].environment == {"REQUESTS_CA_BUNDLE": str(practice.ca_file)}
    org = json.loads(clients["cci"].environment["CUMULUSCI_ORG_uatfull"])
    assert (org["instance_url"], org["org_id"]) == (practice.url, practice.orgs["UATFULL"].org_id)
    for one in access.clients:
        assert practice.orgs["UATFULL"].org_id[:15] + "!" not in repr(one)
    for path in (access.password_file, access.security_token_file, access.jwt_key_file):
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    with pytest.raises(ControlError, match="no org NOWHERE"):
        connect.connect(practice.server.folder, status, "NOWHERE")
