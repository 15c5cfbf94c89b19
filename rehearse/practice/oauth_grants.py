"""The grants of the token endpoint: who gets a token for what, in Salesforce's words.

client_credentials, authorization_code (sandboxAuth and web login), refresh_token, password and JWT bearer. A person's
org is found by the username, which is unique in the world; a client of production reaches every org, a client of a
sandbox only that one. Refuses everything else with `{"error", "error_description"}`. No secret is echoed or logged.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.x509 import load_pem_x509_certificate
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearse.practice import auth
from rehearse.practice.org_state import OrgState
from rehearse.practice.person_secrets import ensure_jwt_certificate, is_password
from rehearse.practice.tokens import Client

CLI_CLIENT = "PlatformCLI"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
CLOCK_SKEW = 60  # seconds

Grant = Callable[[Request, dict[str, str]], Response]


class Refused(Exception):
    """A grant that is not given: the OAuth error and its description."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


def base_url(request: Request) -> str:
    """Scheme, host and port that this request asked."""
    return f"{request.url.scheme}://{request.url.netloc}"


def answer_grant(request: Request, form: dict[str, str]) -> Response:
    """The answer of the token endpoint to a form."""
    grant = GRANTS.get(form.get("grant_type", ""))
    try:
        if grant is None:
            raise Refused("unsupported_grant_type", "grant type not supported")
        return grant(request, form)
    except Refused as refusal:
        body = {"error": refusal.code, "error_description": refusal.description}
        return JSONResponse(body, status_code=400)


def token_answer(request: Request, org: OrgState, user_id: str, more: dict[str, Any] | None = None) -> Response:
    """A new token of a user; `more` adds to the answer or replaces a part of it. Raises Refused."""
    try:
        token = request.app.state.estate.issue_token(org, user_id)
    except KeyError:
        raise Refused("invalid_grant", "no such org") from None
    auth.remember(request.scope["state"], org, user_id)
    identity = f"{base_url(request)}/id/{org.org_id}/{user_id}"
    issued = str(int(datetime.now(UTC).timestamp() * 1000))
    signed = hmac.new(token.encode(), (identity + issued).encode(), hashlib.sha256).digest()
    answer = {
        "access_token": token,
        "signature": base64.b64encode(signed).decode(),
        "scope": "api",
        "instance_url": base_url(request),
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued,
        **(more or {}),
    }
    return JSONResponse(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def find_client(request: Request, form: dict[str, str], *, with_secret: bool) -> Client | None:
    """The client of a form, None for the Salesforce CLI's own, which has no secret. Raises Refused."""
    client_id, estate = form.get("client_id", ""), request.app.state.estate
    if client_id == CLI_CLIENT:
        return None
    client: Client | None = estate.client(client_id)
    if client is None:
        raise Refused("invalid_client_id", "client identifier invalid")
    given = form.get("client_secret", "")
    if (with_secret or given) and not hmac.compare_digest(client.client_secret.encode(), given.encode()):
        raise Refused("invalid_client", "invalid client credentials")
    return client


def find_person(request: Request, username: str, client: Client | None) -> tuple[OrgState, str] | None:
    """Org and id of an active user whom this client may log in; None when there is none."""
    estate = request.app.state.estate
    found: tuple[OrgState, str] | None = estate.find_user(username) if username else None
    if found is None or client is None or client.sandbox is None:
        return found
    return found if estate.org_of_client(client) is found[0] else None


def _client_credentials(request: Request, form: dict[str, str]) -> Response:
    client = find_client(request, form, with_secret=True)
    if client is None:
        raise Refused("invalid_client_id", "client identifier invalid")
    org = request.app.state.estate.org_of_client(client)
    if org is None:
        raise Refused("invalid_grant", "no such org")
    return token_answer(request, org, client.user_id)


def _code(request: Request, form: dict[str, str]) -> Response:
    find_client(request, form, with_secret=False)
    found = request.app.state.estate.redeem_code(form.get("code", ""))
    if found is None:
        raise Refused("invalid_grant", "expired authorization code")
    org, user_id = found
    kept = request.app.state.estate.tokens.issue_refresh(org.org_id[:15], user_id)
    return token_answer(request, org, user_id, {"refresh_token": kept, "scope": "refresh_token api web"})


def _refresh(request: Request, form: dict[str, str]) -> Response:
    find_client(request, form, with_secret=False)
    estate = request.app.state.estate
    session = estate.tokens.find_refresh(form.get("refresh_token", ""))
    if session is None:
        raise Refused("invalid_grant", "expired access/refresh token")
    try:
        org = estate.org(session.org)
    except KeyError:
        raise Refused("invalid_grant", "expired access/refresh token") from None
    return token_answer(request, org, session.user_id, {"scope": "refresh_token api web"})


def _password(request: Request, form: dict[str, str]) -> Response:
    client = find_client(request, form, with_secret=True)
    found = find_person(request, form.get("username", ""), client)
    if found is None or not is_password(request.app.state.estate.folder, form.get("password", "")):
        raise Refused("invalid_grant", "authentication failure")
    return token_answer(request, *found)


def _jwt(request: Request, form: dict[str, str]) -> Response:
    """JWT bearer: RS256, `iss` a client, `sub` a username, `aud` a login address, `exp` not yet over.

    Times are those of the machine, as its clients use them; the virtual clock has no say in a client's own stamps. How
    far away `exp` may be is not checked: the Salesforce CLI sends milliseconds there and is let in.
    """
    claims = _read_assertion(request, form.get("assertion", ""))
    client = request.app.state.estate.client(str(claims["iss"]))
    if client is None:
        raise Refused("invalid_client_id", "client identifier invalid")
    if str(claims["aud"]).rstrip("/") not in (*AUDIENCES, base_url(request)):
        raise Refused("invalid_grant", "audience is invalid")
    found = find_person(request, str(claims["sub"]), client)
    if found is None:
        raise Refused("invalid_grant", "user hasn't approved this consumer")
    return token_answer(request, *found)


def _read_assertion(request: Request, assertion: str) -> dict[str, Any]:
    certificate = ensure_jwt_certificate(request.app.state.estate.folder).read_bytes()
    key = load_pem_x509_certificate(certificate).public_key()
    options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        claims: dict[str, Any] = jwt.decode(assertion, key, algorithms=["RS256"], options=options)  # type: ignore[arg-type]
        left = float(claims["exp"]) - datetime.now(UTC).timestamp()
        fit = all(isinstance(claims.get(name), str) for name in ("iss", "sub", "aud"))
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise Refused("invalid_grant", "invalid assertion") from None
    if not fit or left < -CLOCK_SKEW:
        raise Refused("invalid_grant", "invalid assertion")
    return claims


GRANTS: dict[str, Grant] = {
    "client_credentials": _client_credentials,
    "authorization_code": _code,
    "refresh_token": _refresh,
    "password": _password,
    JWT_BEARER: _jwt,
}
