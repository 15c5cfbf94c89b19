"""The wire: one login's way to one org, with one retry policy, one re-login, and the guard on every request.

A token and its permit are one value (`Grant`): a write leaves only with a token that was itself proven to belong to
the sandbox, so a re-login starts closed again and other threads keep the old grant until the new one is proven.
Only calls that are safe to repeat are repeated after a lost reply; a lost reply of any other call raises OrgUncertain.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import tenacity
from urllib3.exceptions import HTTPError

from rehearse.errors import OrgBusy, OrgError, SessionExpired
from rehearse.org import answers, guard
from rehearse.org.guard import Outgoing, Permit
from rehearse.org.model import Session
from rehearse.org.proof import SandboxProof
from rehearse.org.transport import Body, Exchange, Transport, WireOptions, clean_origin

T = TypeVar("T")
_FAULT_BYTES = 256_000


@dataclass(frozen=True)
class Grant:
    """A token and what may be sent with it. Open needs a proof, which cannot exist for anything but the sandbox."""

    session: Session
    permit: Permit = "closed"
    proof: SandboxProof | None = None

    def __post_init__(self) -> None:
        host = urlsplit(self.session.instance_url).netloc
        if self.permit == "open" and (self.proof is None or self.proof.identity.host != host):
            raise AssertionError("an open wire needs the proof of the host that it opens for")


@dataclass(frozen=True)
class Call:
    """One request, apart from host and token. `doing` begins every error message ("reading rows of Account").

    `body` may be made from the token (SOAP carries it inside). `safe`: may be sent again after a lost reply.
    `secrets` stand in the body and are struck out of whatever the org says about it. `large`: the answer goes to a
    file, or is the contents of one; any other is held to `WireOptions.largest_answer`.
    """

    method: str
    path: str
    doing: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Callable[[str], Body] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    safe: bool = True
    with_token: bool = True
    secrets: tuple[str, ...] = field(default=(), repr=False)
    large: bool = False


class Wire:
    """One org, one login. `log_in` fetches a new token (None: impossible), `grant_for` decides what it may do."""

    def __init__(
        self,
        transport: Transport,
        grant: Grant,
        log_in: Callable[[], Session] | None = None,
        grant_for: Callable[[Session], Grant] = Grant,
    ) -> None:
        self._transport = transport
        self._grant = grant
        self._log_in = log_in
        self._grant_for = grant_for
        self._renewing = threading.RLock()
        self._own_jobs: set[str] = set()
        self.options: WireOptions = transport.options
        self.api_usage: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"Wire({self._grant.session.instance_url}, {self._grant.permit})"

    @property
    def instance_url(self) -> str:
        return self._grant.session.instance_url

    @property
    def host(self) -> str:
        return urlsplit(self._grant.session.instance_url).netloc

    @property
    def permit(self) -> Permit:
        return self._grant.permit

    @property
    def transport(self) -> Transport:
        return self._transport

    def probe(self, session: Session | None = None) -> Wire:
        """A closed wire without re-login over the same transport: what a proof asks with, about exactly this token."""
        return Wire(self._transport, Grant(session or self._grant.session))

    @property
    def session(self) -> Session:
        return self._grant.session

    @property
    def proof(self) -> SandboxProof | None:
        """What was proven about the token in use; None where nothing was, or the proof failed."""
        return self._grant.proof

    def renew(self, stale: Session) -> SandboxProof | None:
        """Log in again, unless somebody did since `stale` was in use, and answer what was proven about the new token.

        None where this login cannot be renewed. Raises what the login and its proof raise.
        """
        return None if self._log_in is None else self._renew(Grant(stale)).proof

    def open_for_writing(self, session: Session, proof: SandboxProof) -> None:
        """Open the wire for the token that was just proven; one that was replaced meanwhile was proven by itself."""
        with self._renewing:
            if self._grant.session is session:
                self._grant = Grant(session, "open", proof)

    def close_for_writing(self, session: Session) -> None:
        """Close the wire for a token whose proof failed."""
        with self._renewing:
            if self._grant.session is session:
                self._grant = Grant(session)

    def own(self, job_id: str) -> None:
        """Remember a query job as ours: only such jobs may be aborted and deleted."""
        self._own_jobs.add(job_id)

    def owns(self, job_id: str) -> bool:
        return job_id in self._own_jobs

    def fetch(self, call: Call) -> requests.Response:
        """Send a call and read its whole reply into memory; raises the errors of `stream`."""
        return self.stream(call, _read_whole)

    def stream(self, call: Call, consume: Callable[[requests.Response], T]) -> T:
        """Send a call and hand its unread reply to `consume`, inside the retry: `consume` may run several times.

        Raises ProductionRefused, SessionExpired, OrgRejected, OrgLimit, OrgBusy, OrgUnreachable, and OrgUncertain
        when the reply of a call that is not safe was lost.
        """
        policy = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.options.attempts),
            wait=tenacity.wait_random_exponential(multiplier=self.options.wait_seconds, max=self.options.longest_wait),
            retry=tenacity.retry_if_exception_type(OrgBusy),
            sleep=self.options.sleep,
            reraise=True,
        )
        try:
            result: T = policy(self._once_with_renewal, call, consume)
            return result
        except OrgBusy as error:
            if isinstance(error.__cause__, requests.exceptions.RequestException | HTTPError):
                raise answers.unreachable_after(error) from error.__cause__
            raise

    def _once_with_renewal(self, call: Call, consume: Callable[[requests.Response], T]) -> T:
        grant = self._grant
        try:
            return self._once(grant, call, consume)
        except SessionExpired:
            if self._log_in is None or not call.with_token:
                raise
            return self._once(self._renew(grant), call, consume)

    def _renew(self, stale: Grant) -> Grant:
        """A new grant in place of a stale one; threads that met the same stale token share one login."""
        with self._renewing:
            if self._grant.session is not stale.session:
                return self._grant
            assert self._log_in is not None
            self._grant = self._grant_for(self._log_in())
            return self._grant

    def _once(self, grant: Grant, call: Call, consume: Callable[[requests.Response], T]) -> T:
        try:
            return self._exchange(grant, call, consume)
        except (requests.exceptions.RequestException, HTTPError, EOFError) as error:
            raise answers.error_for_exception(
                error, call.doing, urlsplit(grant.session.instance_url).netloc, call.safe
            ) from error

    def _exchange(self, grant: Grant, call: Call, consume: Callable[[requests.Response], T]) -> T:
        exchange = self._prepare(grant, call)
        self._tell("before", call)
        response = self._transport.send(exchange)
        with contextlib.closing(response):
            self._note_usage(response)
            content_type = response.headers.get("Content-Type", "")
            if response.status_code >= 300 or "html" in content_type.lower():
                fault = answers.read_fault(content_type, _read_some(response))
                fault = answers.scrub(fault, (grant.session.access_token, *call.secrets))
                raise answers.error_for(response.status_code, fault, call.doing, call.safe)
            if not call.large:
                _hold_to(response, self.options.largest_answer, call)
            result = consume(response)
        self._tell("after", call)
        return result

    def _prepare(self, grant: Grant, call: Call) -> Exchange:
        token = grant.session.access_token
        origin = clean_origin(grant.session.instance_url, "address of the org")
        headers = dict(call.headers)
        if call.with_token and not call.path.startswith("/services/Soap/"):
            headers["Authorization"] = f"Bearer {token}"

        def check(sent: Outgoing) -> None:
            self._check(sent, grant, origin)

        return Exchange(
            method=call.method,
            url=origin + call.path,
            headers=headers,
            params=call.params,
            body=call.body(token) if callable(call.body) else call.body,
            patient=not call.safe,
            check=check,
        )

    def _check(self, sent: Outgoing, grant: Grant, origin: str) -> None:
        guard.check(sent, grant.permit, origin, self._own_jobs)

    def _tell(self, moment: str, call: Call) -> None:
        if self.options.on_call is not None:
            self.options.on_call(moment, call.method, call.path)

    def _note_usage(self, response: requests.Response) -> None:
        """`Sforce-Limit-Info: api-usage=18/5000; …`: calls used and allowed in the last 24 hours."""
        for part in response.headers.get("Sforce-Limit-Info", "").split(";"):
            name, _, value = part.strip().partition("=")
            used, slash, most = value.partition("/")
            if name == "api-usage" and slash and used.isdigit() and most.isdigit():
                self.api_usage = (int(used), int(most))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


def _hold_to(response: requests.Response, most: int, call: Call) -> None:
    """Read no more of an answer than this, counted as it is unpacked: a few kilobytes may become all the memory."""
    raw: Any = response.raw
    pieces = raw.stream

    def stream(*how: Any, **more: Any) -> Iterator[bytes]:
        taken = 0
        for piece in pieces(*how, **more):
            taken += len(piece)
            if taken > most:
                raise answers.too_large(call.doing, most, call.safe)
            yield piece

    raw.stream = stream


def _read_whole(response: requests.Response) -> requests.Response:
    """Read the body here, so that a broken one meets the retry policy."""
    _ = response.content
    return response


def _read_some(response: requests.Response) -> bytes:
    """The beginning of an error body; what breaks while reading it changes nothing about the status."""
    found = b""
    try:
        for piece in response.iter_content(65_536):
            found += piece
            if len(found) > _FAULT_BYTES:
                break
    except (requests.exceptions.RequestException, HTTPError):
        return found
    return found


def unreadable(call: Call) -> OrgError:
    """The error for a reply of this call that cannot be read; OrgUncertain when it is not safe to repeat."""
    return answers.unreadable(call.doing, call.safe)
