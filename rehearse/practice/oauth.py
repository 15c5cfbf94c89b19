"""OAuth of the practice org over HTTP: the token endpoint, and who a token belongs to.

Serves `/services/oauth2/token` (its grants are in oauth_grants), `/services/oauth2/userinfo` and `/id/ORG/USER`.
Refuses dead tokens with 403 where REST says 401. Promise: `instance_url` is the scheme, host and port that was asked,
so a client that came over plain HTTP stays there, and no secret is ever echoed or logged.
"""

import base64
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearse.practice import auth
from rehearse.practice.http_errors import ApiError
from rehearse.practice.oauth_grants import answer_grant, base_url
from rehearse.practice.org_state import OrgState

USER_FIELDS = ("Username", "FirstName", "LastName", "Email", "IsActive", "TimeZoneSidKey", "LanguageLocaleKey")


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
    """POST /services/oauth2/token for every grant that oauth_grants knows."""
    return answer_grant(request, read_form(request))


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
    return JSONResponse(_identity_of(request, org, user_id))


def _identity_of(request: Request, org: OrgState, user_id: str) -> dict[str, Any]:
    """The identity resource, with the keys of a recorded one."""
    user, about = _load_user(org, user_id), _describe_user(request, org, user_id)
    base, zone = base_url(request), str(user.get("TimeZoneSidKey") or "UTC")
    offset = org.now().astimezone(ZoneInfo(zone)).replace(month=1, day=1).utcoffset()
    return {
        "id": f"{base}/id/{org.org_id}/{user_id}",
        "asserted_user": True,
        "user_id": user_id,
        "organization_id": org.org_id,
        "username": about["preferred_username"],
        "nick_name": about["nickname"],
        "display_name": about["name"],
        "email": about["email"],
        "email_verified": True,
        "first_name": about["given_name"],
        "last_name": about["family_name"],
        "timezone": zone,
        "photos": {"picture": f"{base}/profilephoto/005/F", "thumbnail": f"{base}/profilephoto/005/T"},
        **dict.fromkeys(("addr_street", "addr_city", "addr_state", "addr_country", "addr_zip", "mobile_phone")),
        "mobile_phone_verified": False,
        "status": {"created_date": None, "body": None},
        "urls": about["urls"],
        "active": about["active"],
        "user_type": "STANDARD",
        "language": user.get("LanguageLocaleKey") or "en_US",
        "locale": user.get("LocaleSidKey") or "en_US",
        "utcOffset": int(offset.total_seconds() * 1000) if offset is not None else 0,
        "last_modified_date": str(user.get("SystemModstamp") or "").replace("Z", "+0000"),
        "is_app_installed": True,
    }


routes = [
    Route("/services/oauth2/token", post_token, methods=["POST"]),
    Route("/services/oauth2/userinfo", userinfo, methods=["GET", "POST"]),
    Route("/id/{org_id}/{user_id}", identity, methods=["GET"]),
]
