"""simple-salesforce: every login mode. Its login hosts are fixed, so the session it is given leads them here."""

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed
from steps import Steps, need

step = Steps()
world = step.world
USER, PASSWORD, KEY, SECRET = (world[name] for name in ("username", "password", "client_id", "client_secret"))


class ToPractice(HTTPAdapter):
    """Sends what is meant for a login host of Salesforce to the practice org instead."""

    def send(self, request, *arguments, **options):
        host = request.url.split("/")[2]
        request.url = request.url.replace(f"https://{host}", world["url"], 1)
        return super().send(request, *arguments, **options)


def session():
    made = requests.Session()
    for host in ("test", "login", "tidewater--uatfull.sandbox.my"):
        made.mount(f"https://{host}.salesforce.com", ToPractice())
    return made


def use(**given):
    sf = Salesforce(session=session(), version="62.0", **given)
    found = sf.query("SELECT Id, Name FROM Account LIMIT 3")
    need(found["totalSize"] == 3, found)
    return f"{sf.auth_type}: 3 accounts from {sf.sf_instance}"


@step("login: session_id and instance_url")
def direct():
    return use(session_id=world["token"], instance_url=world["url"])


@step("login: SOAP with security token")
def by_security_token():
    return use(username=USER, password=PASSWORD, security_token=world["security_token"], domain="test")


@step("login: SOAP with organizationId")
def by_organization():
    return use(username=USER, password=PASSWORD, organizationId=world["org_id"], domain="test")


@step("login: OAuth password")
def by_password():
    return use(username=USER, password=PASSWORD, consumer_key=KEY, consumer_secret=SECRET, domain="test")


@step("login: JWT bearer")
def by_jwt():
    return use(username=USER, consumer_key=KEY, privatekey_file=world["jwt_key_file"], domain="test")


@step("login: client credentials")
def by_client():
    return use(consumer_key=KEY, consumer_secret=SECRET, domain="tidewater--uatfull.sandbox.my")


def refused(version, **given):
    try:
        Salesforce(session=session(), version=version, username=USER, domain="test", **given)
    except SalesforceAuthenticationFailed as refusal:
        return f"{refusal.code}: {refusal.message}"
    raise AssertionError("it was let in")


@step("login: wrong password is refused")
def wrong():
    said = refused("62.0", password="wrong", security_token="")
    need(said.startswith("INVALID_LOGIN"), said)
    return said


@step("login: SOAP at API 65.0 is refused")
def too_new():
    said = refused("65.0", password=PASSWORD, security_token="")
    need("UNSUPPORTED_API_VERSION" in said, said)
    return said
