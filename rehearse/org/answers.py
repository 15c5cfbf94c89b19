"""What a reply means: Salesforce's error codes before HTTP status, and requests' exceptions, as our errors.

Pure. It refuses to parse a page of HTML as an answer. The one distinction that matters for writes is kept in
`Verdict.undone`: whether the org certainly did nothing. No secret gets into a message: `scrub` comes first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from urllib3 import exceptions as urllib3_errors

from rehearse.errors import (
    AllowanceSpent,
    DiskFull,
    LoginError,
    OrgBusy,
    OrgError,
    OrgLimit,
    OrgRejected,
    OrgUncertain,
    OrgUnreachable,
    RehearseError,
    SessionExpired,
    UsageError,
)

_BUSY_STATUS = frozenset({408, 420, 425, 429, 500, 502, 503, 504})
# the org said no before doing anything
_NOTHING_DONE_STATUS = frozenset({420, 429})
_NOTHING_DONE = frozenset({"UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED"})
_BUSY_CODES = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG"})
_DEAD_SESSION = frozenset({"INVALID_SESSION_ID", "INVALID_AUTH_HEADER", "Bad_OAuth_Token", "INVALID_TOKEN"})
# a new login would be answered the same way (jsforce keeps the same list)
_HOPELESS = ("not attached to Agent", "not valid for use with the REST API")
_LIMIT_CODES = frozenset({"STORAGE_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED", "EXCEEDED_QUOTA", "API_DISABLED_FOR_ORG"})


@dataclass(frozen=True)
class Fault:
    """The first error of a reply in Salesforce's words; code is empty where the reply holds none."""

    code: str
    message: str
    html: bool = False
    fields: tuple[str, ...] = ()


def read_fault(content_type: str, body: bytes) -> Fault:
    """The error code and message of a JSON array, an OAuth object, a SOAP fault or a page of text."""
    text = body.decode("utf-8", "replace").strip()
    if text == "Bad_OAuth_Token":  # userinfo's whole answer to a dead token, whatever type it claims to be
        return Fault(text, "the token is not known")
    if "html" in content_type.lower() or re.match(r"(?is)<(?:!doctype\s+html|html)\b", text):
        return Fault("", "a web page instead of an answer", html=True)
    if text.startswith("<"):
        return _soap_fault(text)
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return Fault("", text[:300])
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict):
        return Fault("", text[:300])
    code = first.get("errorCode") or first.get("exceptionCode") or first.get("error") or ""
    message = first.get("message") or first.get("exceptionMessage") or first.get("error_description") or ""
    fields = first.get("fields")
    return Fault(str(code), str(message), fields=tuple(map(str, fields)) if isinstance(fields, list) else ())


def _soap_fault(text: str) -> Fault:
    code = re.search(r"<(?:\w+:)?faultcode[^>]*>\s*(?:\w+:)?([A-Za-z0-9_.]+)\s*<", text)
    said = re.search(r"<(?:\w+:)?faultstring[^>]*>(.*?)</(?:\w+:)?faultstring>", text, re.DOTALL)
    if not code:
        return Fault("", "an XML answer that is no SOAP fault")
    message = _unescape(said[1].strip()) if said else ""
    return Fault(code[1], message.removeprefix(f"{code[1]}: "))


def _unescape(text: str) -> str:
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, char)
    return text


def error_for(status: int, fault: Fault, doing: str, safe: bool) -> RehearseError:
    """The error of a reply that is not a success; for a call that is not `safe`, doubt becomes OrgUncertain."""
    code = fault.code
    if (code in _DEAD_SESSION or (status == 401 and not code)) and status != 200:
        return _session_error(fault, doing)
    if code == "REQUEST_LIMIT_EXCEEDED" and not re.search("concurrent", fault.message, re.IGNORECASE):
        return _limit(doing, fault, AllowanceSpent)
    if code in _BUSY_CODES or code == "REQUEST_LIMIT_EXCEEDED":
        return _busy(f"{doing}: the org is busy ({code}: {fault.message}).", safe or code in _NOTHING_DONE)
    if code in _LIMIT_CODES:
        return _limit(doing, fault)
    if status in _BUSY_STATUS and (not code or status in (503, 502, 504) or code == "UNKNOWN_EXCEPTION"):
        return _busy(
            f"{doing}: the org answered {_with_status(status, fault)}.", safe or status in _NOTHING_DONE_STATUS
        )
    if 300 <= status < 400:
        return OrgUnreachable(
            f"{doing}: the address answered with a redirect ({status}), which is not followed.",
            "The org may have moved: log in again, or correct the address of the login.",
        )
    if fault.html and status < 300:
        return _busy(f"{doing}: the org sent a web page instead of an answer.", safe)
    rejected = OrgRejected(code or f"HTTP_{status}", fault.message or "no reason given", doing)
    rejected.status, rejected.fields = status, fault.fields
    return rejected


def _session_error(fault: Fault, doing: str) -> RehearseError:
    if any(text in fault.message for text in _HOPELESS):
        return LoginError(f"{doing}: the org answered {fault.code}: {fault.message}", "Use another way to log in.")
    return SessionExpired(
        f"{doing}: the token is no longer valid ({fault.code or 'HTTP 401'}).",
        "Log in again. If the sandbox was refreshed, its old tokens are dead and its baseline is void.",
    )


def _limit(doing: str, fault: Fault, kind: type[OrgLimit] = OrgLimit) -> OrgLimit:
    return kind(
        f"{doing}: a limit of the org is used up ({fault.code}: {fault.message})",
        "Wait until the limit recovers (daily limits count the last 24 hours), then run the same command again.",
    )


def _busy(message: str, undone: bool) -> OrgError:
    if undone:
        return OrgBusy(message, "Try again in some minutes.")
    return _uncertain(message)


def _uncertain(message: str) -> OrgUncertain:
    return OrgUncertain(
        f"{message.rstrip('.')}; whether it was carried out is not known.",
        "Run the same command again: it first looks up what happened.",
    )


def _with_status(status: int, fault: Fault) -> str:
    return f"{status} {fault.code}: {fault.message}" if fault.code else f"{status} ({fault.message or 'no text'})"


def error_for_exception(error: Exception, doing: str, host: str, safe: bool) -> RehearseError:
    """Our error for what requests raised; certain refusals to connect are never doubtful, even for a write."""
    causes = _causes(error)
    if any(_is_certificate(one) for one in causes):
        return OrgUnreachable(
            f"{doing}: the certificate of {host} is not trusted.",
            "Set tls.ca_bundle in rehearse.yaml to the certificate of the authority that signs it.",
        )
    never_sent = isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError) or any(
        isinstance(one, urllib3_errors.NewConnectionError | urllib3_errors.NameResolutionError) for one in causes
    )
    if never_sent:
        return OrgBusy(f"{doing}: no connection to {host}.", "Check the address, the network and the proxy settings.")
    if isinstance(error, requests.exceptions.Timeout) or any(
        isinstance(one, urllib3_errors.ReadTimeoutError) for one in causes
    ):
        return _busy(f"{doing}: {host} stopped answering.", safe)
    return _busy(f"{doing}: the connection to {host} broke off.", safe)


def unreachable_after(error: OrgBusy) -> OrgUnreachable:
    """What a broken connection is called once every repetition met it again."""
    return OrgUnreachable(error.message, error.hint or "Check the network, then run the same command again.")


def unreadable(doing: str, safe: bool) -> OrgError:
    """The error for a reply that says success but cannot be read to its end."""
    return _busy(f"{doing}: the answer broke off or makes no sense.", safe)


@contextmanager
def making_sense(doing: str, safe: bool = True) -> Iterator[None]:
    """What an answer of another shape than expected runs into, inside the block, as an unreadable answer.

    A gateway may say 200 and send anything; only what builds values out of an answer belongs inside.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError, UsageError) as error:
        raise unreadable(doing, safe) from error


def too_large(doing: str, most: int, safe: bool) -> OrgError:
    """The error for an answer that goes on where no org's does; it is not asked for again."""
    message = f"{doing}: the answer has more than {most} bytes; the rest was not read."
    if not safe:
        return _uncertain(message)
    return OrgUnreachable(message, "No org answers so much at once: check the address of the login, and the proxy.")


def _causes(error: BaseException) -> list[BaseException]:
    """The chain of an exception, with the reason and arguments that urllib3 wraps."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or any(one is known for known in found):
            continue
        found.append(one)
        # ssl.SSLError has a `reason` too, but a text
        wrapped = (getattr(one, "reason", None), *one.args)
        waiting += [one.__cause__, one.__context__, *(each for each in wrapped if isinstance(each, BaseException))]
    return found


def _is_certificate(error: BaseException) -> bool:
    return type(error).__name__ in ("SSLCertVerificationError", "CertificateError")


def scrub(fault: Fault, secrets: tuple[str, ...]) -> Fault:
    """The fault with every secret struck out: an echo of our own token must not reach a message."""
    code, message = fault.code, fault.message
    for secret in secrets:
        if len(secret) > 7:
            code, message = code.replace(secret, "[secret]"), message.replace(secret, "[secret]")
    return Fault(code, message, fault.html, fault.fields)


def unwritable(path: Path, error: OSError) -> DiskFull:
    """The error for what came and could not be kept in a file; a scratch file without a name is told by its folder."""
    where = str(path.resolve().parent) if path.is_relative_to("/proc") else str(path)
    return DiskFull(f"{where} could not be written: {error.strerror}.", "Free some space and run again.")
