"""The production filter: what may be sent over a wire whose org did not prove that it is a sandbox.

Pure functions over (method, URL, headers, body, ids of our own query jobs). Everything that is not on the short list of
design section 1 is refused by name, path, query parameter, body and SOAP operation; a spelling that is not exactly the
listed one (`//`, `..`, encoded or mixed-case letters, `;`) counts as not listed. That a request is a GET does not make
it harmless: executeAnonymous, runTests, revoke and Apex REST act by GET, and `FOR VIEW` writes by SOQL.
The promise: no option, no login and no re-login widens this list; it can be left only by a `SandboxProof`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from rehearse.errors import ProductionRefused
from rehearse.org import soap_request

Permit = Literal["closed", "control", "open"]

_VERSION = r"/services/data/v\d{2,3}\.0"
_ID = r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?"
_CURSOR = r"[A-Za-z0-9_-]{1,200}"
_NAME = r"[A-Za-z][A-Za-z0-9_]{0,120}"

# path pattern (after the version) -> the query parameters that it may carry
_GET: Mapping[str, frozenset[str]] = {
    r"/?": frozenset(),
    r"/(?:tooling/)?(?:query|queryAll)/?": frozenset({"q"}),
    rf"/(?:tooling/)?(?:query|queryAll)/{_CURSOR}": frozenset(),
    r"/limits/?": frozenset(),
    r"/limits/recordCount/?": frozenset({"sObjects"}),
    r"/(?:tooling/)?sobjects/?": frozenset(),
    rf"/(?:tooling/)?sobjects/{_NAME}/describe/?": frozenset(),
    rf"/(?:tooling/)?sobjects/{_NAME}/{_ID}": frozenset({"fields"}),
    rf"/sobjects/{_NAME}/{_ID}/{_NAME}": frozenset(),
    rf"/sobjects/{_NAME}/(?:updated|deleted)/?": frozenset({"start", "end"}),
    r"/jobs/(?:query|ingest)/?": frozenset({"queryLocator", "jobType"}),
    rf"/jobs/(?:query|ingest)/{_ID}/?": frozenset(),
    rf"/jobs/query/{_ID}/results/?": frozenset({"locator", "maxRecords"}),
    rf"/jobs/query/{_ID}/result[pP]ages/?": frozenset({"locator"}),
    rf"/metadata/deployRequest/{_ID}/?": frozenset({"includeDetails"}),
}
_PLAIN_GET = re.compile(r"/services/data/?|/services/oauth2/userinfo")
_TOKEN = "/services/oauth2/token"
_OWN_JOB = re.compile(rf"{_VERSION}/jobs/query/({_ID})/?")
_NEW_JOB = re.compile(rf"{_VERSION}/jobs/query/?")
_SANDBOX_INFO_ROW = re.compile(rf"{_VERSION}/tooling/sobjects/SandboxInfo/0GQ[A-Za-z0-9]{{12}}(?:[A-Za-z0-9]{{3}})?")
_SANDBOX_PROCESS_ROW = re.compile(
    rf"{_VERSION}/tooling/sobjects/SandboxProcess/0GR[A-Za-z0-9]{{12}}(?:[A-Za-z0-9]{{3}})?"
)
_SOAP = re.compile(rf"/services/Soap/([mu])/\d{{2,3}}\.0(?:/{_ID})?")
_SOAP_READS: Mapping[str, tuple[str, frozenset[str]]] = {
    "m": (
        "http://soap.sforce.com/2006/04/metadata",
        frozenset({"describeMetadata", "listMetadata", "retrieve", "checkRetrieveStatus", "checkDeployStatus"}),
    ),
    "u": ("urn:partner.soap.sforce.com", frozenset({"getServerTimestamp"})),
}
_GRANTS = frozenset({"client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"})
# anything else in a header might make the org read the request in another way
_HEADERS = frozenset(
    {"user-agent", "accept", "accept-encoding", "authorization", "content-type", "content-length", "soapaction"}
)
_XML = re.compile(r"text/xml(?:; ?charset=utf-8)?", re.IGNORECASE)
_JSON = re.compile(r"application/json(?:; ?charset=utf-8)?", re.IGNORECASE)
_OVERRIDES = frozenset(
    {"x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"}
)
_LITERAL = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)
_SOQL_EFFECT = re.compile(
    r"(?<![A-Za-z_])(?:FOR\s+(?:VIEW|REFERENCE|UPDATE)|UPDATE\s+(?:TRACKING|VIEWSTAT))(?![A-Za-z0-9_])", re.IGNORECASE
)


@dataclass(frozen=True)
class Outgoing:
    """One request as it will leave: the absolute URL after every normalisation; `body` None means none.

    `streamed` says that there is a body which cannot be looked into; a closed wire refuses it.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    streamed: bool = False

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> str:
        return urlsplit(self.url).query

    def header(self, name: str) -> str:
        """The value of a header whatever its case, or an empty text."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


def check(sent: Outgoing, permit: Permit, origin: str, own_jobs: Collection[str] = ()) -> None:
    """Refuse what this wire may not send; `origin` is the scheme, host and port that the token was given for.

    Raises ProductionRefused before anything is sent. An open wire is only held to its own host and to plain spelling.
    """
    _check_origin(sent, origin)
    _check_spelling(sent)
    if permit == "open":
        return
    if not {name.lower() for name in sent.headers} <= _HEADERS:
        raise _refusal(sent, "it carries a header that we do not send")
    if _is_read(sent) or _is_soap_read(sent) or _is_own_query_job(sent, own_jobs):
        return
    if permit == "control" and _is_sandbox_lifecycle(sent):
        return
    raise _refusal(sent, "it is not on the list of what production may receive")


def check_token_request(sent: Outgoing, origin: str) -> None:
    """Refuse anything but the OAuth token request; used by the logins, which have no token yet.

    Raises ProductionRefused.
    """
    _check_origin(sent, origin)
    _check_spelling(sent)
    form = parse_qsl((sent.body or b"").decode("utf-8", "replace"))
    grants = [value for name, value in form if name == "grant_type"]
    is_form = sent.header("content-type") == "application/x-www-form-urlencoded"
    right_form = is_form and len(grants) == 1 and grants[0] in _GRANTS
    if sent.method != "POST" or sent.path != _TOKEN or sent.query or sent.streamed or not right_form:
        raise _refusal(sent, "a login sends nothing but the token request")


def soql_has_effect(soql: str) -> bool:
    """Whether a query writes although it reads: FOR VIEW / REFERENCE stamp rows as viewed, FOR UPDATE locks them."""
    return bool(_SOQL_EFFECT.search(_LITERAL.sub("''", soql)))


def _check_origin(sent: Outgoing, origin: str) -> None:
    # urlsplit drops tabs and line ends: what is checked would not be what is sent
    if not re.fullmatch(r"[\x21-\x7e]+", sent.url) or "\\" in sent.url:
        raise ProductionRefused("A request was not sent: its address is not spelled plainly.")
    try:
        parts = urlsplit(sent.url)
    except ValueError:
        raise ProductionRefused("A request was not sent: its address cannot be read.") from None
    if f"{parts.scheme}://{parts.netloc}" != origin:
        raise _refusal(sent, "it goes to another host than the one that the token was given for")
    host = sent.header("host")
    if host and host != parts.netloc:
        raise _refusal(sent, "its Host header names another host")


def _check_spelling(sent: Outgoing) -> None:
    """Tricks that make a proxy or the org read another method or path than the one that was checked."""
    path = sent.path
    if sent.method not in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        raise _refusal(sent, "its method is not one that we use")
    if not path.startswith("/services/") or not re.fullmatch(r"[A-Za-z0-9/._-]+", path):
        raise _refusal(sent, "its path is not spelled plainly")
    if "//" in path or any(part in (".", "..") for part in path.split("/")):
        raise _refusal(sent, "its path is not spelled plainly")
    if urlsplit(sent.url).fragment or "#" in sent.url or ";" in sent.query:
        raise _refusal(sent, "its address is not spelled plainly")
    names = [name.strip().lower() for name in sent.headers]
    if len(set(names)) != len(names) or any(name in _OVERRIDES for name in names):
        raise _refusal(sent, "a header asks the org to read it as another method or path")
    if any("_httpmethod" in unquote(unquote(name)).lower() for name, _ in _parameters(sent)):
        raise _refusal(sent, "a parameter asks the org to read it as another method")


def _parameters(sent: Outgoing) -> list[tuple[str, str]]:
    return parse_qsl(sent.query, keep_blank_values=True)


def _has_body(sent: Outgoing) -> bool:
    return sent.streamed or bool(sent.body)


def _is_read(sent: Outgoing) -> bool:
    if sent.method != "GET" or _has_body(sent):
        return False
    given = _parameters(sent)
    names = [name for name, _ in given]
    if _PLAIN_GET.fullmatch(sent.path):
        return not given
    versioned = re.match(_VERSION, sent.path)
    if not versioned or len(names) != len(set(names)):
        return False
    rest = sent.path[versioned.end() :]
    allowed = next((known for pattern, known in _GET.items() if re.fullmatch(pattern, rest)), None)
    if allowed is None or not set(names) <= allowed:
        return False
    return not any(name == "q" and soql_has_effect(value) for name, value in given)


def _is_soap_read(sent: Outgoing) -> bool:
    path = _SOAP.fullmatch(sent.path)
    if not path or sent.method != "POST" or sent.query or sent.streamed or not sent.body:
        return False
    if not _XML.fullmatch(sent.header("content-type")):
        return False
    namespace, operations = _SOAP_READS[path[1]]
    operation = soap_request.read_operation(sent.body)
    if operation is None or operation.namespace != namespace or operation.name not in operations:
        return False
    return sent.header("soapaction").strip('"') in ("", operation.name)


def _is_own_query_job(sent: Outgoing, own_jobs: Collection[str]) -> bool:
    if sent.query or sent.streamed:
        return False
    if sent.method == "POST" and _NEW_JOB.fullmatch(sent.path):
        body = _json_object(sent)
        soql = body.get("query")
        return (
            set(body) <= {"operation", "query", "contentType", "columnDelimiter", "lineEnding"}
            and body.get("operation") in ("query", "queryAll")
            and isinstance(soql, str)
            and not soql_has_effect(soql)
        )
    own = _OWN_JOB.fullmatch(sent.path)
    if not own or own[1] not in own_jobs:
        return False
    if sent.method == "PATCH":
        return _json_object(sent) == {"state": "Aborted"}
    return sent.method == "DELETE" and not sent.body


def _is_sandbox_lifecycle(sent: Outgoing) -> bool:
    """A refresh, an activation, a discard: nothing here creates a sandbox, and nothing can delete one."""
    if sent.query or sent.streamed or sent.method != "PATCH":
        return False
    if _SANDBOX_INFO_ROW.fullmatch(sent.path):
        return bool(_json_object(sent))
    if _SANDBOX_PROCESS_ROW.fullmatch(sent.path):
        return _json_object(sent) in ({"RefreshAction": "ACTIVATE"}, {"RefreshAction": "DISCARD"})
    return False


def _json_object(sent: Outgoing) -> dict[str, object]:
    """The JSON object of a body, or an empty one for anything else, also when a key stands twice."""
    if not _JSON.fullmatch(sent.header("content-type")):
        return {}

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    try:
        value = json.loads((sent.body or b"").decode("utf-8"), object_pairs_hook=unique)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _refusal(sent: Outgoing, why: str) -> ProductionRefused:
    return ProductionRefused(
        f"{sent.method} {sent.path} was not sent: {why}.",
        "Only an org that proves to be a sandbox of the configured production receives anything that could change it.",
    )
