"""The Salesforce CLI: logins, and what it asks about an org."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from tests.clients.check import Check, need, run_client
from tests.clients.sf import ALIASES, environment, sf, sf_status, sf_text
from tests.clients.world import World


def log_in(org: str, world: World) -> str:
    """sf org login access-token."""
    client = world.client("sf", org)
    address = client["settings"]["instance-url"]
    command = ["org", "login", "access-token", "--instance-url", address, "--no-prompt", "--alias", ALIASES[org]]
    done = sf(world, *command, more=client["environment"])
    need(done["orgId"] == world.org(org)["org_id"], done)
    need(done["username"] == world.org(org)["username"], done)
    return f"{done['username']} {done['orgId']}"


def log_in_by_jwt(world: World) -> str:
    """sf org login jwt."""
    client = world.client("sf", "UATFULL")
    given = client["settings"]
    flags = [f"--{name}={given[name]}" for name in ("instance-url", "username", "client-id", "jwt-key-file")]
    home = world.folder / "homes" / "sf-jwt"
    command = [*world.tools.sf, "org", "login", "jwt", *flags, "--alias", "byjwt", "--json"]
    variables = {**environment(world), **client["environment"]}
    done = run_client(command, home, variables)
    need(done.returncode == 0, done.stdout)
    asked = run_client(
        [*world.tools.sf, "data", "query", "-q", "SELECT Id FROM Account LIMIT 1", "-o", "byjwt"], home, variables
    )
    need(asked.returncode == 0 and "001" in asked.stdout, asked.stderr)
    return f"{given['username']} logged in by JWT and queried"


def log_in_by_refresh_token(world: World) -> str:
    """sf org login sfdx-url with a refresh token of the web flow, over HTTPS with the CA file; then a dead token."""
    access, one = world.access("UATFULL"), world.org("UATFULL")
    redirect = "http://localhost:1717/OauthRedirect"
    asked = {"response_type": "code", "client_id": "PlatformCLI", "redirect_uri": redirect}
    form = {"username": one["username"], "password": Path(access["password_file"]).read_text(encoding="ascii")}
    page, token = (f"{access['url']}/services/oauth2/{name}" for name in ("authorize", "token"))
    answer = requests.post(page, params=asked, data=form, verify=access["ca_file"], allow_redirects=False, timeout=30)
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    grant = {"grant_type": "authorization_code", "client_id": "PlatformCLI", "code": code}
    kept = requests.post(token, data=grant, verify=access["ca_file"], timeout=30).json()["refresh_token"]
    url_file = world.folder / "url.txt"
    url_file.write_text(f"force://PlatformCLI::{kept}@{urlsplit(access['url']).netloc}", encoding="ascii")
    variables = environment(world)
    del variables["SF_ACCESS_TOKEN"]
    home = world.folder / "homes" / "sf-url"
    command = ["org", "login", "sfdx-url", "--sfdx-url-file", str(url_file), "--alias", "byurl", "--json"]
    done = run_client([*world.tools.sf, *command], home, variables)
    need(done.returncode == 0, done.stdout + done.stderr)
    asking = [*world.tools.sf, "data", "query", "-q", "SELECT Id FROM Account LIMIT 1", "-o", "byurl"]
    found = run_client(asking, home, variables)
    need(found.returncode == 0 and "001" in found.stdout, found.stderr)
    return "logged in with a refresh token over HTTPS and queried"


def refuse_bad_token(world: World) -> str:
    """A dead token is refused in the CLI's own words."""
    address = world.client("sf", "UATFULL")["settings"]["instance-url"]
    dead = f"{world.org('UATFULL')['org_id'][:15]}!dead.token.that.never.was"
    command = ["org", "login", "access-token", "--instance-url", address, "--no-prompt"]
    status, body = sf_status(world, *command, more={"SF_ACCESS_TOKEN": dead})
    need(status != 0 and "Bad_OAuth_Token" in str(body), body)
    return f"status {status}: {body['message']}"


def display(world: World) -> str:
    """sf org display."""
    found = sf(world, "org", "display", "-o", "uat")
    need(found["connectedStatus"] == "Connected" and found["id"] == world.org("UATFULL")["org_id"], found)
    return f"{found['connectedStatus']}, API {found['apiVersion']}"


def list_orgs(world: World) -> str:
    """sf org list --all."""
    found = sf(world, "org", "list", "--all")
    states = [one["connectedStatus"] for kind in found.values() for one in kind]
    need(states and set(states) == {"Connected"}, found)
    return f"{len(states)} entries, all Connected"


def metadata_types(world: World) -> str:
    """sf org list metadata-types."""
    found = sf(world, "org", "list", "metadata-types", "-o", "uat")
    names = {one["xmlName"] for one in found["metadataObjects"]}
    need(len(names) >= 20 and {"CustomObject", "ApexClass", "Flow", "Profile"} <= names, names)
    return f"{len(names)} types"


def metadata_items(kind: str, world: World) -> str:
    """sf org list metadata."""
    found = sf(world, "org", "list", "metadata", "-m", kind, "-o", "uat")
    need(found and all(one["type"] == kind and one["fullName"] for one in found), found)
    return f"{len(found)} of {kind}, such as {found[-1]['fullName']}"


def limits(world: World) -> str:
    """sf org list limits."""
    found = {one["name"]: one for one in sf(world, "org", "list", "limits", "-o", "uat")}
    daily = found["DailyApiRequests"]
    need(0 < daily["remaining"] <= daily["max"], daily)
    return f"{len(found)} limits, DailyApiRequests {daily['remaining']} of {daily['max']}"


def record_counts(world: World) -> str:
    """sf org list sobject record-counts, of all and of one."""
    every = sf(world, "org", "list", "sobject", "record-counts", "-o", "uat")
    one = sf(world, "org", "list", "sobject", "record-counts", "-s", "Account", "-o", "uat")
    need(len(every) > 5 and one[0]["count"] == world.count("UATFULL", "SELECT COUNT() FROM Account"), one)
    return f"{len(every)} objects; Account {one[0]['count']}"


def sobject_list(world: World) -> str:
    """sf sobject list."""
    found = sf(world, "sobject", "list", "-s", "custom", "-o", "uat")
    need("Invoice__c" in found, found)
    return f"{len(found)} custom objects"


def sobject_describe(world: World) -> str:
    """sf sobject describe, plain and Tooling."""
    found = sf(world, "sobject", "describe", "-s", "Invoice__c", "-o", "uat")
    need(found["name"] == "Invoice__c" and found["keyPrefix"] and len(found["fields"]) > 10, found)
    tooling = sf(world, "sobject", "describe", "-s", "ApexClass", "-t", "-o", "uat")
    need(any(one["name"] == "Body" for one in tooling["fields"]), tooling)
    return f"Invoice__c {len(found['fields'])} fields; Tooling ApexClass {len(tooling['fields'])}"


def api_request(world: World) -> str:
    """sf api request rest."""
    text = sf_text(world, "api", "request", "rest", "/services/data/v67.0/limits", "-o", "uat")
    need('"DailyApiRequests"' in text, text)
    return f"{len(text)} characters of limits"


LOGINS = tuple(Check("sf", f"org login access-token ({name})", partial(log_in, name)) for name in ALIASES)
CHECKS = (
    *LOGINS,
    Check("sf", "org login jwt", log_in_by_jwt),
    Check("sf", "org login sfdx-url (refresh token, HTTPS)", log_in_by_refresh_token),
    Check("sf", "org login access-token, dead token", refuse_bad_token),
    Check("sf", "org display", display),
    Check("sf", "org list --all", list_orgs),
    Check("sf", "org list metadata-types", metadata_types),
    *(
        Check("sf", f"org list metadata {one}", partial(metadata_items, one))
        for one in ("CustomObject", "ApexClass", "Flow")
    ),
    Check("sf", "org list limits", limits),
    Check("sf", "org list sobject record-counts", record_counts),
    Check("sf", "sobject list", sobject_list),
    Check("sf", "sobject describe", sobject_describe),
    Check("sf", "api request rest", api_request),
)
