"""The one place where bytes leave: a requests session whose adapter holds every request against the guard.

TLS is always verified, against `ca_bundle` where one is given, whatever REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE say; every
call has a connect and a read time-out; proxies of the environment are honoured but never for this machine; nothing is
redirected; no .netrc is read. Clear http is refused except to this machine. What was checked is what is sent: the
check runs on the prepared request, in the adapter, after every normalisation.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from rehearse.errors import LoginError, OrgUnreachable
from rehearse.org import patience
from rehearse.org.guard import Outgoing

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class WireOptions:
    """What a test or a slow network may change; times in seconds. None of it touches the guard.

    `write_seconds` is longer than the platform's longest call (10 minutes), so that a reply is not given up early.
    After `idle_seconds` a write takes a new connection: one that a balancer dropped silently would make it doubtful.
    `largest_answer`: bytes, unpacked, of an answer that is held in memory; the largest of an org has some ten million.
    `retrieves_at_once`: what an org allows is not published (facts/metadata.md 2); Salto allows itself three.
    `on_call` hears ("before" | "after", method, path) around every exchange, `on_date` each answer's Date.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 180.0
    write_seconds: float = 630.0
    attempts: int = 6
    wait_seconds: float = 0.25
    longest_wait: float = 20.0
    first_poll: float = 0.1
    longest_poll: float = 10.0
    idle_seconds: float = 15.0
    retrieves_at_once: int = 3
    largest_answer: int = 128 << 20
    sleep: Sleep = field(default=time.sleep, repr=False)
    on_call: Callable[[str, str, str], None] | None = field(default=None, repr=False)
    on_date: Callable[[str], None] | None = field(default=None, repr=False)


class StreamedBody(Protocol):
    """A body of known length that is produced while it is sent."""

    def __iter__(self) -> Iterator[bytes]: ...
    def __len__(self) -> int: ...


Body = bytes | StreamedBody
Check = Callable[[Outgoing], None]


@dataclass(frozen=True)
class Exchange:
    """One request to send: everything but the session that sends it. `check` is the guard of this exchange."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    params: Mapping[str, str]
    body: Body | None = field(repr=False)
    patient: bool
    check: Check = field(repr=False)


class Transport:
    """A connection pool with our TLS, time-outs and guard; shared by one login's calls, safe for threads."""

    def __init__(self, ca_bundle: Path | None, options: WireOptions) -> None:
        self.options = options
        self._adapter = _GuardedAdapter(_verification(ca_bundle), options)

    def send(self, exchange: Exchange) -> requests.Response:
        """Send one request and return its response unread; the caller reads and closes it.

        No session of requests takes part: it would add cookies, .netrc logins, redirects and REQUESTS_CA_BUNDLE.
        Raises ProductionRefused before sending, OrgUnreachable for clear http to another machine, and requests' own
        exceptions for what goes wrong on the way: `wire` translates them.
        """
        prepared = requests.Request(
            exchange.method,
            exchange.url,
            headers={"User-Agent": "rehearse", "Accept": "*/*", "Accept-Encoding": "gzip", **exchange.headers},
            params=dict(exchange.params),
            data=exchange.body,
        ).prepare()
        response = self._adapter.exchange(prepared, exchange.check, exchange.patient)
        if self.options.on_date is not None:
            self.options.on_date(response.headers.get("Date", ""))
        return response

    def close(self) -> None:
        """Close every pooled connection."""
        self._adapter.close()


class _GuardedAdapter(HTTPAdapter):
    """The lowest layer that we own: no request reaches a socket without its check."""

    def __init__(self, verification: str | bool, options: WireOptions) -> None:
        self._verification = verification
        self._options = options
        self._used = time.monotonic()
        super().__init__(pool_connections=4, pool_maxsize=32, max_retries=0)

    def init_poolmanager(self, *how: Any, **more: Any) -> None:
        """The connections of this adapter, bounded in how long an answer may take."""
        super().init_poolmanager(*how, **more)
        patience.bound(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(proxy, **more)
        patience.bound(manager)
        return manager

    def exchange(self, request: requests.PreparedRequest, check: Check, patient: bool) -> requests.Response:
        """Check the request as it will leave, then send it."""
        url = request.url or ""
        if patient and time.monotonic() - self._used > self._options.idle_seconds:
            self.poolmanager.clear()
        self._used = time.monotonic()
        check(_describe(request, url))
        _refuse_clear_text(url)
        read = self._options.write_seconds if patient else self._options.read_seconds
        return super().send(
            request,
            stream=True,
            timeout=(self._options.connect_seconds, read),
            verify=self._verification,
            cert=None,
            proxies=proxies_for(url),
        )

    def send(self, *_: Any, **__: Any) -> requests.Response:
        """The ordinary door is shut: whoever comes this way brings no check."""
        raise AssertionError("a request reached the adapter without its check")


def _describe(request: requests.PreparedRequest, url: str) -> Outgoing:
    body: Any = request.body
    headers = {str(name): str(value) for name, value in request.headers.items()}
    if isinstance(body, str):
        body = body.encode("utf-8")
    if body is None or isinstance(body, bytes):
        return Outgoing(request.method or "", url, headers, body or None)
    return Outgoing(request.method or "", url, headers, None, streamed=True)


def _check_bundle(ca_bundle: Path, named_by: str) -> None:
    """An unreadable bundle is the user's mistake, and better said before a connection fails with it."""
    try:
        ssl.create_default_context(cafile=str(ca_bundle))
    except OSError as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else "holds no certificate"
        raise LoginError(f"The CA bundle {ca_bundle} {why}.", f"Correct {named_by}.") from error


def _verification(ca_bundle: Path | None) -> str | bool:
    """What certificates are held against: the workspace's bundle, the environment's (it may be a folder), or ours.

    Raises LoginError for one that is not there or holds no certificate.
    """
    if ca_bundle is not None:
        _check_bundle(ca_bundle, "tls.ca_bundle in rehearse.yaml")
        return str(ca_bundle)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if given := os.environ.get(name):
            if not Path(given).is_dir():
                _check_bundle(Path(given), f"the environment variable {name}, or set tls.ca_bundle in rehearse.yaml")
            return given
    return True


def is_this_machine(host: str) -> bool:
    """Whether a host is a loopback address or localhost, in the plain spellings only."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def proxies_for(url: str) -> dict[str, str]:
    """The proxies of the environment for an address; none for this machine, whatever NO_PROXY says."""
    if is_this_machine(urlsplit(url).hostname or ""):
        return {}
    return dict(get_environ_proxies(url))


def _refuse_clear_text(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_this_machine(parts.hostname or ""):
        raise OrgUnreachable(
            f"Nothing was sent to {parts.hostname}: the address is not https.",
            "Write the address of the org with https://.",
        )


def clean_origin(url: str, what: str) -> str:
    """`scheme://host[:port]` of an address that a user or an org gave, in the one spelling that is compared.

    Raises LoginError for anything that is not a plain http(s) address.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = (parts.hostname or "").lower()
    plain = parts.scheme in ("http", "https") and re.fullmatch(r"[a-z0-9.-]+", host)
    if not plain or parts.username or parts.password:
        raise LoginError(f"The {what} is not an https address.", "Write for example https://acme.my.salesforce.com.")
    default = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, default) else "")
