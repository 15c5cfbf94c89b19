"""The door of this room: from a login to an OrgReader, an OrgWriter or a ProductionControl.

A reader's wire stays closed for ever. A writer exists only for an org that proved rule 4 of the design, and proves it
again after every re-login and whenever `confirm` is called. The control of production can do nothing but the sandbox
lifecycle. No parameter here lifts any of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rehearse.errors import LoginError, OrgRejected, SessionExpired, UsageError
from rehearse.org import logins, rest, sandboxes
from rehearse.org.control import ProductionControl
from rehearse.org.model import Identity, Login, Session
from rehearse.org.proof import ProductionWord, SandboxProof, generation_changed
from rehearse.org.reader import OrgReader
from rehearse.org.transport import Transport, WireOptions
from rehearse.org.wire import Grant, Wire
from rehearse.org.writer import OrgWriter

__all__ = [
    "OrgReader",
    "OrgWriter",
    "ProductionControl",
    "SandboxClaim",
    "WireOptions",
    "connect_control",
    "connect_reader",
    "connect_writer",
]

T = TypeVar("T")
# what production answers to a login that may not read SandboxProcess
_MAY_NOT_READ = frozenset({"INVALID_TYPE", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INVALID_FIELD"})


@dataclass(frozen=True)
class SandboxClaim:
    """What the caller says about an org before it may be written to; the proof checks it.

    `confirmed_org_id`: confirmed by the user when adding the sandbox, used only where production cannot be asked.
    `expected_org_id`: the generation that a baseline or plan belongs to.
    """

    name: str
    production: OrgReader | None = None
    confirmed_org_id: str | None = None
    expected_org_id: str | None = None


def connect_reader(
    login: Login,
    *,
    ca_bundle: Path | None = None,
    api_version: str | None = None,
    options: WireOptions | None = None,
) -> OrgReader:
    """Log in to read; raises LoginError, SessionExpired, OrgUnreachable. Works for production and sandboxes alike."""
    transport = Transport(ca_bundle, options or WireOptions())
    return _closing_on_error(transport, lambda: _build_reader(login, transport, api_version))


def _build_reader(login: Login, transport: Transport, api_version: str | None) -> OrgReader:
    _check_version(api_version)
    session = logins.fetch_session(login, transport)
    probe = Wire(transport, Grant(session))
    version = api_version or rest.fetch_newest_version(probe)
    org_id, is_sandbox = rest.RestReader(probe, version).fetch_org_id()

    def grant_for(fresh: Session) -> Grant:
        """A login may have been repointed: two orgs must never be read as one."""
        found, _ = rest.RestReader(Wire(transport, Grant(fresh)), version).fetch_org_id()
        if found != org_id:
            raise generation_changed("The org behind this login", org_id, found)
        return Grant(fresh)

    wire = Wire(transport, Grant(session), _log_in(login, transport), grant_for)
    wire.api_usage = probe.api_usage  # what the first replies said need not be asked for
    return OrgReader(wire, version, org_id, is_sandbox=is_sandbox)


def _check_version(api_version: str | None) -> None:
    if api_version is not None and not re.fullmatch(r"\d{2,3}\.0", api_version):
        raise UsageError(f"{api_version!r} is not an API version.", "Write for example 67.0.")


def connect_writer(
    login: Login,
    proof: SandboxClaim,
    *,
    ca_bundle: Path | None = None,
    api_version: str | None = None,
    options: WireOptions | None = None,
) -> OrgWriter:
    """Log in to write, to nothing but the sandbox of the claim.

    Raises NotASandbox when any part of rule 4 is missing, GenerationChanged when it is another generation than
    expected, and what `connect_reader` raises.
    """
    transport = Transport(ca_bundle, options or WireOptions())
    return _closing_on_error(transport, lambda: _build_writer(login, proof, transport, api_version))


def _build_writer(login: Login, claim: SandboxClaim, transport: Transport, api_version: str | None) -> OrgWriter:
    _check_version(api_version)
    session = logins.fetch_session(login, transport)
    probe = Wire(transport, Grant(session))
    version = api_version or rest.fetch_newest_version(probe)
    first = _prove(probe, version, claim, claim.expected_org_id)
    org_id = first.identity.org_id

    def grant_for(fresh: Session) -> Grant:
        proof = _prove(Wire(transport, Grant(fresh)), version, claim, org_id)
        return Grant(fresh, "open", proof)

    wire = Wire(transport, Grant(session, "open", first), _log_in(login, transport), grant_for)
    wire.api_usage = probe.api_usage

    def confirm() -> Identity:
        return _confirm(wire, version, claim, org_id)

    return OrgWriter(wire, OrgReader(wire, version, org_id, is_sandbox=True), confirm)


def _confirm(wire: Wire, version: str, claim: SandboxClaim, org_id: str) -> Identity:
    """Prove again, about the token in use or the one that a new login gave; whatever goes wrong leaves the wire closed.

    Of the org everything is asked again but who the user is: a token belongs to one user for as long as it lives.
    """
    session, known = wire.session, wire.proof.identity if wire.proof else None
    try:
        try:
            proof = _prove(wire.probe(session), version, claim, org_id, known)
        except SessionExpired:
            renewed = wire.renew(session)
            if renewed is None:
                raise
            return renewed.identity
    except BaseException:
        wire.close_for_writing(wire.session)
        raise
    wire.open_for_writing(session, proof)
    return proof.identity


def _prove(
    probe: Wire, version: str, claim: SandboxClaim, expected: str | None, known: Identity | None = None
) -> SandboxProof:
    """Ask the org and production afresh, and build the proof, which is where the rules are."""
    identity = rest.RestReader(probe, version).fetch_identity(known)
    word = None
    if claim.production is not None:
        production = claim.production.fetch_identity()
        try:
            copies = claim.production.fetch_copies_of(identity.org_id)
            word = ProductionWord(production, copies)
        except OrgRejected as error:
            if error.org_code not in _MAY_NOT_READ:
                raise
            word = ProductionWord(production, None)
    return SandboxProof(claim.name, identity, word, claim.confirmed_org_id, expected)


def connect_control(
    login: Login,
    *,
    expected_org_id: str | None = None,
    ca_bundle: Path | None = None,
    options: WireOptions | None = None,
) -> ProductionControl:
    """Log in to production for the sandbox lifecycle; `expected_org_id`: the production that dates and copies were read
    from. Raises LoginError when the login points at a sandbox, or at another production, which may have a sandbox of
    the same name."""
    transport = Transport(ca_bundle, options or WireOptions())
    return _closing_on_error(transport, lambda: _build_control(login, transport, expected_org_id))


def _build_control(login: Login, transport: Transport, expected: str | None) -> ProductionControl:
    session = logins.fetch_session(login, transport)
    probe = Wire(transport, Grant(session))
    version = rest.fetch_newest_version(probe)
    org_id = _production_id(probe, version)
    if expected is not None and expected != org_id:
        raise LoginError(
            f"The control login points at the production {org_id}, and the login that reads at {expected}: nothing was "
            "asked of either.",
            "Both belong to one production: correct production.control or production.login.",
        )

    def grant_for(fresh: Session) -> Grant:
        found = _production_id(Wire(transport, Grant(fresh)), version)
        if found != org_id:
            raise generation_changed("The production behind this login", org_id, found)
        return Grant(fresh, "control")

    wire = Wire(transport, Grant(session, "control"), _log_in(login, transport), grant_for)
    reader = OrgReader(wire, version, org_id, is_sandbox=False)
    return ProductionControl(reader, sandboxes.SandboxLifecycle(wire, version))


def _production_id(probe: Wire, version: str) -> str:
    identity = rest.RestReader(probe, version).fetch_identity()
    if identity.is_sandbox:
        raise LoginError(
            f"The control login points at {identity.name}, which is a sandbox.",
            "Sandboxes are created and refreshed from production: correct production.control.",
        )
    return identity.org_id


def _log_in(login: Login, transport: Transport) -> Callable[[], Session] | None:
    if not logins.can_renew(login):
        return None
    return lambda: logins.fetch_session(login, transport)


def _closing_on_error(transport: Transport, build: Callable[[], T]) -> T:
    try:
        return build()
    except BaseException:
        transport.close()
        raise
