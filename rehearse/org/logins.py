"""From a Login to a Session: sf alias, client credentials, JWT bearer, or a given token and address.

The only request that leaves here is the OAuth token request, held by the guard. SOAP login is not offered (gone from
API 65.0). Secrets appear in no message, and an org's error description is shown only without them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from rehearse import clock
from rehearse.errors import LoginError, OrgRejected
from rehearse.org import guard, sf_cli
from rehearse.org.guard import Outgoing
from rehearse.org.model import Login, Session
from rehearse.org.transport import Transport, clean_origin
from rehearse.org.wire import Call, Grant, Wire

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TEST, _LOGIN = "https://test.salesforce.com", "https://login.salesforce.com"
# Salesforce takes assertions that expire within 3 minutes
_JWT_LIFE = timedelta(minutes=3)


def fetch_session(login: Login, transport: Transport) -> Session:
    """A new token for a login; raises LoginError, OrgUnreachable, OrgBusy. A given token is not tried."""
    if login.kind == "sf":
        return _checked(sf_cli.fetch_session(login.alias))
    origin = clean_origin(login.url, "address of the login")
    if login.kind == "token":
        return _checked(Session(origin, login.secret.strip(), login.username))
    if login.kind == "client_credentials":
        form = {"grant_type": "client_credentials", "client_id": login.client_id, "client_secret": login.secret}
        return _ask_for_token(transport, origin, form, login)
    return _log_in_by_jwt(transport, origin, login)


def can_renew(login: Login) -> bool:
    """Whether a dead token can be replaced without the user."""
    return login.kind != "token"


def _checked(session: Session) -> Session:
    """requests would put a malformed header value into its error, so the shape is checked before."""
    token = session.access_token
    if token.startswith(sf_cli.REDACTED):
        raise LoginError(
            "The access token is the placeholder of a redacted one.", "Use: sf org auth show-access-token."
        )
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise LoginError("The access token is empty or holds characters that no token has.", "Copy it again.")
    return session


def audiences(origin: str) -> tuple[str, ...]:
    """The audiences to try for a JWT at an address: which is right cannot be told from the host.

    `SF_AUDIENCE_URL` overrides, as it does for the Salesforce CLI.
    """
    given = os.environ.get("SF_AUDIENCE_URL")
    if given:
        return (given,)
    sandbox = ".sandbox." in origin or origin == _TEST
    first = (_TEST, _LOGIN) if sandbox else (_LOGIN, _TEST)
    return tuple(dict.fromkeys((*first, origin)))


def _log_in_by_jwt(transport: Transport, origin: str, login: Login) -> Session:
    refusals: list[OrgRejected] = []
    for audience in audiences(origin):
        form = {"grant_type": _JWT_GRANT, "assertion": _sign(login, audience)}
        try:
            return _ask_for_token(transport, origin, form, login)
        except LoginError as error:
            if not isinstance(error.__cause__, OrgRejected):
                raise
            refusals.append(error.__cause__)
    said = "; ".join(dict.fromkeys(f"{one.org_code}: {one.org_message}" for one in refusals))
    raise LoginError(
        f"{urlsplit(origin).netloc} refused the JWT login of {login.username} ({said}).",
        "Check the username, the client id, that its app has this certificate, and that the user is pre-authorised.",
    )


def _sign(login: Login, audience: str) -> str:
    import jwt  # only this login needs it

    claims = {
        "iss": login.client_id,
        "sub": login.username,
        "aud": audience,
        "exp": int((clock.now() + _JWT_LIFE).timestamp()),
    }
    try:
        return jwt.encode(claims, login.key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise LoginError("The private key of the JWT login cannot be read.", "It must be an RSA key as PEM.") from error


def _ask_for_token(transport: Transport, origin: str, form: Mapping[str, str], login: Login) -> Session:
    wire = _TokenWire(transport, Grant(Session(origin, "")))
    doing = f"Logging in at {urlsplit(origin).netloc}"
    call = Call(
        "POST",
        "/services/oauth2/token",
        doing,
        body=urlencode(form).encode("ascii"),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        with_token=False,
        secrets=tuple(value for name, value in form.items() if name != "grant_type"),
    )
    try:
        answer: Any = json.loads(wire.fetch(call).content)
        token, instance = str(answer["access_token"]), str(answer["instance_url"])
    except OrgRejected as error:
        said = f"{error.org_code}: {error.org_message}"
        raise LoginError(f"{doing} was refused ({said}).", "Check the client id, the secret and the user.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LoginError(f"{doing}: the answer holds no token.", "Check the address of the login.") from error
    return _checked(Session(clean_origin(instance, "instance address in the answer"), token, login.username))


class _TokenWire(Wire):
    """A wire that can send nothing but the token request."""

    def _check(self, sent: Outgoing, grant: Grant, origin: str) -> None:
        guard.check_token_request(sent, origin)
