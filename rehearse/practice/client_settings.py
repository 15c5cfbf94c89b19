"""How each known client is set up for one org of the practice world: its environment, its settings, a first command.

Only documented settings, as found with the clients themselves (clients.md): those that insist on HTTPS are given the CA
file, the others the plain address. Refuses nothing; it is data. Values hold tokens, so none of them is in a repr.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field

QUIET_CLI = ("SF_DISABLE_TELEMETRY", "SF_AUTOUPDATE_DISABLE", "SF_SKIP_NEW_VERSION_CHECK", "SF_DISABLE_LOG_FILE",
             "SF_USE_GENERIC_UNIX_KEYCHAIN", "SF_HIDE_RELEASE_NOTES", "SF_DISABLE_DNS_CHECK")  # fmt: skip
CHOSEN_VERSION = "62.0"  # for clients whose own default is older than what the practice org serves, and for login()


@dataclass(frozen=True)
class Door:
    """One org as clients see it: addresses, CA file, token, user, and the files with what logins need."""

    url: str
    http_url: str
    name: str
    org_id: str
    is_sandbox: bool
    ca_file: str
    username: str
    client_id: str
    client_secret_file: str
    password_file: str
    jwt_key_file: str
    access_token: str = field(repr=False)


@dataclass(frozen=True)
class ClientSettings:
    """What a client needs: variables of its environment, its own settings by name, and lines to begin with."""

    client: str
    title: str
    environment: dict[str, str] = field(repr=False)
    settings: dict[str, str] = field(repr=False)
    example: tuple[str, ...] = field(repr=False)


def describe_clients(door: Door) -> tuple[ClientSettings, ...]:
    """The settings of every known client for one org."""
    return (_sf(door), _cci(door), _sfdmu(door), _jsforce(door), _simple_salesforce(door), _soap(door))


def _audience(door: Door) -> str:
    return "https://test.salesforce.com" if door.is_sandbox else "https://login.salesforce.com"


def _sf(door: Door) -> ClientSettings:
    alias = shlex.quote(door.name)
    by_jwt = f"--client-id {door.client_id} --jwt-key-file {shlex.quote(door.jwt_key_file)} --username {door.username}"
    return ClientSettings(
        "sf",
        "Salesforce CLI (node 22.19 or newer)",
        {**dict.fromkeys(QUIET_CLI, "true"), "SF_ACCESS_TOKEN": door.access_token, "SF_AUDIENCE_URL": _audience(door),
         "NODE_EXTRA_CA_CERTS": door.ca_file},
        {"instance-url": door.http_url, "instance-url over HTTPS": door.url, "username": door.username,
         "client-id": door.client_id, "jwt-key-file": door.jwt_key_file},
        (
            f"sf org login access-token --instance-url {door.http_url} --no-prompt --alias {alias}",
            f"sf org login jwt --instance-url {door.http_url} {by_jwt} --alias {alias}",
            f"sf org display --target-org {alias}",
        ),
    )  # fmt: skip


def _cci(door: Door) -> ClientSettings:
    org = {
        "access_token": door.access_token,
        "instance_url": door.url,
        "id": f"{door.url}/id/{door.org_id}",
        "org_id": door.org_id,
        "username": door.username,
        "sandbox": door.is_sandbox,
    }
    name = door.name.lower()
    return ClientSettings(
        "cci",
        "CumulusCI",
        {
            "REQUESTS_CA_BUNDLE": door.ca_file,
            "CUMULUSCI_KEY": "0123456789abcdef",
            "CUMULUSCI_DISABLE_REFRESH": "1",
            f"CUMULUSCI_ORG_{name}": json.dumps(org),
        },
        {"instance_url": door.url, "access_token": door.access_token},
        (f"cci org info {name}", f"cci task run retrieve_unpackaged --org {name}"),
    )


def _sfdmu(door: Door) -> ClientSettings:
    org = {"name": door.name, "instanceUrl": door.http_url, "accessToken": door.access_token}
    return ClientSettings(
        "sfdmu",
        "SFDMU",
        {},
        {"instanceUrl": door.http_url, "accessToken": door.access_token, "apiVersion": CHOSEN_VERSION},
        (
            f'in export.json: "apiVersion": "{CHOSEN_VERSION}", "orgs": [{json.dumps(org)}]',
            f"sf sfdmu run --sourceusername {door.name}",
        ),
    )


def _jsforce(door: Door) -> ClientSettings:
    given = f"instanceUrl: '{door.http_url}', accessToken: '{door.access_token}'"
    return ClientSettings(
        "jsforce",
        "jsforce",
        {},
        {"instanceUrl": door.http_url, "accessToken": door.access_token, "loginUrl": door.http_url,
         "username": door.username, "password file": door.password_file, "clientId": door.client_id,
         "clientSecret file": door.client_secret_file},
        (f"new jsforce.Connection({{{given}}})",),
    )  # fmt: skip


def _simple_salesforce(door: Door) -> ClientSettings:
    return ClientSettings(
        "simple-salesforce",
        "simple-salesforce (HTTPS only)",
        {"REQUESTS_CA_BUNDLE": door.ca_file},
        {"instance_url": door.url, "session_id": door.access_token, "username": door.username,
         "password file": door.password_file, "consumer_key": door.client_id,
         "consumer_secret file": door.client_secret_file, "privatekey_file": door.jwt_key_file},
        (f"Salesforce(instance_url='{door.url}', session_id='{door.access_token}')",),
    )  # fmt: skip


def _soap(door: Door) -> ClientSettings:
    address = f"{door.http_url}/services/Soap/{{}}/{CHOSEN_VERSION}/{door.org_id}"
    return ClientSettings(
        "soap",
        "SOAP clients on the official WSDL (zeep and others)",
        {"REQUESTS_CA_BUNDLE": door.ca_file},
        {"metadata": address.format("m"), "partner": address.format("u"), "enterprise": address.format("c"),
         "enterprise WSDL": f"{door.http_url}/soap/wsdl.jsp?type=*&oauth_token={door.access_token}",
         "sessionId": door.access_token, "username": door.username, "password file": door.password_file},
        (f"login(): {door.http_url}/services/Soap/u/{CHOSEN_VERSION} (API 64.0 or older)",),
    )  # fmt: skip
