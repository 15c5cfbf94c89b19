"""OAuth of the practice org: tokens for client credentials and sandbox codes, and who a token belongs to.

Serves `/services/oauth2/token`, `/services/oauth2/userinfo` and `/id/ORG/USER`. Refuses in Salesforce's words:
`invalid_client_id`, `invalid_client`, `invalid_grant`, `unsupported_grant_type`. Promise: `instance_url` is the scheme,
host and port that was asked, so a client that came over plain HTTP stays there, and no secret is ever echoed or logged.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearse.practice import auth
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState

CLI_CLIENT = "PlatformCLI"
USER_FIELDS = ("Username", "FirstName", "LastName", "Email", "IsActive", "TimeZoneSidKey", "LanguageLocaleKey")


def base_url(request: Request) -> str:
    """Scheme, host and port that this request asked."""
    return f"{request.url.scheme}://{request.url.netloc}"


def oauth_error(code: str, description: str, status: int = 400) -> JSONResponse:
    """An error of the token endpoint."""
    return JSONResponse({"error": code, "error_description": description}, status_code=status)


def read_form(request: Request) -> dict[str, str]:
    """The form of a token request, first value of each name; client id and secret may come by basic auth."""
    body = request.state.body.decode("utf-8", errors="replace")
    form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
    for name, value in request.query_params.items():
        form.setdefault(name, value)
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return form
        form.setdefault("client_id", client_id)
        form.setdefault("client_secret", secret)
    return form


def post_token(request: Request) -> Response:
    """POST /services/oauth2/token for client_credentials and, for a sandboxAuth code, authorization_code."""
    form = read_form(request)
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        return _grant_client(request, form)
    if grant == "authorization_code":
        return _grant_code(request, form)
    return oauth_error("unsupported_grant_type", "grant type not supported")


def _grant_client(request: Request, form: dict[str, str]) -> Response:
    estate = request.app.state.estate
    client = estate.client(form.get("client_id", ""))
    if client is None:
        return oauth_error("invalid_client_id", "client identifier invalid")
    if not hmac.compare_digest(client.client_secret.encode(), form.get("client_secret", "").encode()):
        return oauth_error("invalid_client", "invalid client credentials")
    org = estate.org_of_client(client)
    if org is None:
        return oauth_error("invalid_grant", "no such org")
    return _token_answer(request, org, client.user_id)


def _grant_code(request: Request, form: dict[str, str]) -> Response:
    estate = request.app.state.estate
    if form.get("client_id") != CLI_CLIENT and estate.client(form.get("client_id", "")) is None:
        return oauth_error("invalid_client_id", "client identifier invalid")
    found = estate.redeem_code(form.get("code", ""))
    if found is None:
        return oauth_error("invalid_grant", "expired authorization code")
    return _token_answer(request, *found)


def _token_answer(request: Request, org: OrgState, user_id: str) -> Response:
    try:
        token = request.app.state.estate.issue_token(org, user_id)
    except KeyError:
        return oauth_error("invalid_grant", "no such org")
    auth.remember(request.scope["state"], org, user_id)
    identity = f"{base_url(request)}/id/{org.org_id}/{user_id}"
    issued = str(int(datetime.now(UTC).timestamp() * 1000))
    signed = hmac.new(token.encode(), (identity + issued).encode(), hashlib.sha256).digest()
    return JSONResponse(
        {
            "access_token": token,
            "signature": base64.b64encode(signed).decode(),
            "scope": "api",
            "instance_url": base_url(request),
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
        },
        headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
    )


def _load_user(org: OrgState, user_id: str) -> dict[str, Any]:
    known = [name for name in USER_FIELDS if org.object("User").find(name) is not None]
    columns = ", ".join(f'"{name}"' for name in known)
    with org.lock:
        row = org.db.execute(f'SELECT {columns} FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
    user = dict(zip(known, row, strict=True)) if row is not None else {}
    user["Name"] = " ".join(part for part in (user.get("FirstName"), user.get("LastName")) if part)
    return user


def _describe_user(request: Request, org: OrgState, user_id: str) -> dict[str, Any]:
    user = _load_user(org, user_id)
    base, version = base_url(request), "{version}"
    rest = f"{base}/services/data/v{version}/"
    return {
        "user_id": user_id,
        "organization_id": org.org_id,
        "preferred_username": user.get("Username"),
        "nickname": str(user.get("Username") or "").partition("@")[0],
        "name": user.get("Name"),
        "email": user.get("Email"),
        "email_verified": True,
        "given_name": user.get("FirstName"),
        "family_name": user.get("LastName"),
        "zoneinfo": user.get("TimeZoneSidKey"),
        "user_type": "STANDARD",
        "active": bool(user.get("IsActive")),
        "urls": {
            "enterprise": f"{base}/services/Soap/c/{version}/{org.org_id}",
            "metadata": f"{base}/services/Soap/m/{version}/{org.org_id}",
            "partner": f"{base}/services/Soap/u/{version}/{org.org_id}",
            "rest": rest,
            "sobjects": f"{rest}sobjects/",
            "query": f"{rest}query/",
            "tooling_rest": f"{rest}tooling/",
        },
    }


def _session_of(request: Request) -> tuple[OrgState, str]:
    """The session of userinfo and identity, which refuse with 403 where the REST resources say 401."""
    token = auth.bearer_token(request.scope)
    if not token:
        raise ApiError(403, "Missing_OAuth_Token", "Missing_OAuth_Token")
    session = request.app.state.estate.token(token)
    if session is None:
        raise ApiError(403, "Bad_OAuth_Token", "Bad_OAuth_Token")
    auth.remember(request.scope["state"], *session)
    org, user_id = session
    return org, user_id


def userinfo(request: Request) -> Response:
    """GET or POST /services/oauth2/userinfo: the user of the token. A bad token is a 403 in plain text."""
    try:
        org, user_id = _session_of(request)
    except ApiError as error:
        return Response(error.code, status_code=error.status, media_type="text/html")
    about = _describe_user(request, org, user_id)
    return JSONResponse({"sub": f"{base_url(request)}/id/{org.org_id}/{user_id}", **about})


def identity(request: Request) -> Response:
    """GET /id/ORG/USER: the identity resource of the token's own user."""
    try:
        org, user_id = _session_of(request)
    except ApiError as error:
        return Response(error.code, status_code=error.status, media_type="text/html")
    asked = (request.path_params["org_id"][:15], request.path_params["user_id"][:15])
    if asked != (org.org_id[:15], user_id[:15]):
        raise ApiError(404, "NOT_FOUND", auth.MISSING)
    about = _describe_user(request, org, user_id)
    about["username"] = about["preferred_username"]
    about["display_name"] = about["name"]
    return JSONResponse({"id": f"{base_url(request)}/id/{org.org_id}/{user_id}", "asserted_user": True, **about})


routes = [
    Route("/services/oauth2/token", post_token, methods=["POST"]),
    Route("/services/oauth2/userinfo", userinfo, methods=["GET", "POST"]),
    Route("/id/{org_id}/{user_id}", identity, methods=["GET"]),
]
