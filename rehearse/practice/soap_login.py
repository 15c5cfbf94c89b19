"""SOAP `login` and the user that it and `getUserInfo` describe, in the element order of the partner WSDL.

`login` is served up to API 64.0: from 65.0 on Salesforce has it no more [sandbox-and-auth.md 4.3]. Refuses unknown
users, inactive ones and wrong passwords with the same LoginFault. Promise: a session that was given is an ordinary
access token of that user's org.
"""

from collections.abc import Mapping
from typing import Any

from lxml import etree
from starlette.requests import Request

from rehearse.practice import auth
from rehearse.practice.http_errors import ApiError
from rehearse.practice.oauth_grants import base_url
from rehearse.practice.org_state import OrgState
from rehearse.practice.person_secrets import is_password
from rehearse.practice.soap_forms import dialect_of, render_value

NEWEST_LOGIN = 64
WRONG = "Invalid username, password, security token; or user locked out."
GONE = "SOAP API login() is not available in API version 65.0 and later"
USER_COLUMNS = ("Username", "FirstName", "LastName", "Email", "ProfileId", "UserRoleId", "TimeZoneSidKey",
                "LanguageLocaleKey", "LocaleSidKey")  # fmt: skip


def login(request: Request, root: etree._Element) -> str:
    """The LoginResult of `login`. Raises ApiError UNSUPPORTED_API_VERSION or INVALID_LOGIN."""
    version = request.state.api_version or "64.0"
    if float(version) > NEWEST_LOGIN:
        raise ApiError(500, "UNSUPPORTED_API_VERSION", GONE)
    asked = next(root.iter("{*}login"))
    username, password = (asked.findtext(f"{{*}}{name}") or "" for name in ("username", "password"))
    estate = request.app.state.estate
    found = estate.find_user(username) if username else None
    if found is None or not is_password(estate.folder, password):
        raise ApiError(500, "INVALID_LOGIN", WRONG)
    org, user_id = found
    scope = root.findtext(".//{*}LoginScopeHeader/{*}organizationId") or org.org_id
    if scope.strip()[:15] != org.org_id[:15]:
        raise ApiError(500, "INVALID_LOGIN", WRONG)
    try:
        token = estate.issue_token(org, user_id)
    except KeyError:
        raise ApiError(500, "INVALID_LOGIN", WRONG) from None
    auth.remember(request.scope["state"], org, user_id)
    address = f"{base_url(request)}/services/Soap/{{}}/{version}/{org.org_id[:15]}"
    facts = {
        "metadataServerUrl": address.format("m"),
        "passwordExpired": "false",
        "sandbox": str(org.is_sandbox).lower(),
        "serverUrl": address.format(dialect_of(request.url.path).letter),
        "sessionId": token,
        "userId": user_id,
    }
    return f"<result>{_elements(facts)}<userInfo>{_elements(describe_user(org, user_id))}</userInfo></result>"


def user_info(request: Request, root: etree._Element) -> str:
    """The result of `getUserInfo`."""
    return f"<result>{_elements(describe_user(request.state.org, request.state.user_id))}</result>"


def describe_user(org: OrgState, user_id: str) -> dict[str, str | None]:
    """GetUserInfoResult of a user, in WSDL order; None is nil."""
    known = [name for name in USER_COLUMNS if org.object("User").find(name) is not None]
    columns = ", ".join(f'"{name}"' for name in known)
    with org.lock:
        company = org.db.execute('SELECT "Name" FROM "Organization"').fetchone()[0]
        row = org.db.execute(f'SELECT {columns} FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
    user: dict[str, Any] = dict(zip(known, row, strict=True)) if row is not None else {}
    language = user.get("LanguageLocaleKey") or "en_US"
    return {
        "accessibilityMode": "false",
        "chatterExternal": "false",
        "currencySymbol": "€",
        "orgAttachmentFileSizeLimit": "5242880",
        "orgDefaultCurrencyIsoCode": "EUR",
        "orgDefaultCurrencyLocale": "de_DE",
        "orgDisallowHtmlAttachments": "false",
        "orgHasPersonAccounts": str(org.object("Account").find("IsPersonAccount") is not None).lower(),
        "organizationId": org.org_id,
        "organizationMultiCurrency": "false",
        "organizationName": company,
        "profileId": user.get("ProfileId"),
        "roleId": user.get("UserRoleId"),
        "sessionSecondsValid": "7200",
        "userDefaultCurrencyIsoCode": None,
        "userEmail": user.get("Email"),
        "userFullName": " ".join(part for part in (user.get("FirstName"), user.get("LastName")) if part),
        "userId": user_id,
        "userLanguage": language,
        "userLocale": user.get("LocaleSidKey") or language,
        "userName": user.get("Username"),
        "userTimeZone": user.get("TimeZoneSidKey") or "GMT",
        "userType": "Standard",
        "userUiSkin": "Theme3",
    }


def _elements(facts: Mapping[str, str | None]) -> str:
    return "".join(render_value(name, value) for name, value in facts.items())
