"""The egress gate: could what a reset writes leave the sandbox, by e-mail or to an endpoint of production?

A copy of an org brings along the endpoints of its production: an active named credential, remote site or outbound
message that still points there lets automation, set off by our writes, call the real systems. The gate is closed while
e-mail is open, or while such an endpoint equals one of production's; each may be let through by name (a * in it takes
many), with a reason that plan and proof keep. What could not be asked is closed too. Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from rehearse.baseline.canonical_xml import parse_xml, tag_of, text_of
from rehearse.baseline.components import read_package
from rehearse.baseline.writing import nameless_file
from rehearse.errors import GateClosed
from rehearse.events import OnEvent, Started, ignore
from rehearse.org.connect import OrgReader
from rehearse.org.email_probe import Deliverability
from rehearse.reset.listed import listed
from rehearse.reset.model import Allowed

EMAIL = "email"
"""The name by which e-mail is let through."""

ENDPOINTS = "endpoints"
"""The name by which endpoints are let through that could not be compared: production has no login here."""

TYPES = ("NamedCredential", "RemoteSiteSetting", "Workflow")
_NAMED = 5


@dataclass(frozen=True)
class Endpoint:
    """An active way out of an org: the component's type and name, and the address as it stands there."""

    type: str
    name: str
    url: str


@dataclass(frozen=True)
class Leak:
    """One reason to keep the gate closed; `name` is what `--allow-egress` takes."""

    name: str
    why: str


def fetch_leaks(
    sandbox: OrgReader, production: OrgReader | None, email: tuple[Deliverability, str], on_event: OnEvent = ignore
) -> tuple[Leak, ...]:
    """Every way out that is open now, e-mail first; `email` is what the sandbox's writer was told. Raises OrgError."""
    on_event(Started("Asking what could leave the sandbox"))
    return (*_email(*email), *fetch_shared(sandbox, production))


def require_no_egress(leaks: Iterable[Leak], allowed: Collection[str]) -> tuple[str, ...]:
    """The leaks that were let through, as sentences. Raises GateClosed naming the others."""
    leaks = tuple(leaks)
    open_ones = [one for one in leaks if not _is_let(one.name, allowed)]
    if open_ones:
        what = listed([one.why for one in open_ones], _NAMED, "; ")
        flags = " ".join(f"--allow-egress {_quoted(one.name)}" for one in open_ones[:_NAMED])
        many = " (a name may hold a * for many)" if len(open_ones) > _NAMED else ""
        raise GateClosed(
            f"What a reset writes could leave the sandbox: {what}.",
            f"Switch it off in the sandbox, or let it through: {flags} --reason TEXT{many}.",
        )
    return tuple(_first([f"let through: {one.why}" for one in leaks]))


def list_asked(leaks: Iterable[Leak], allowed: Collection[str]) -> tuple[str, ...]:
    """What an apply will ask for, as sentences."""
    asked = [one for one in leaks if not _is_let(one.name, allowed)]
    return tuple(
        _first([f"{one.why}; apply will ask for --allow-egress {_quoted(one.name)} --reason TEXT" for one in asked])
    )


def used(leaks: Iterable[Leak], allowed: Iterable[Allowed]) -> tuple[Allowed, ...]:
    """What was let through, each by its own name, for the proof; the last that lets it through gives the reason."""
    allowed = tuple(allowed)[::-1]
    reasons = {one.name: [given.reason for given in allowed if _is_let(one.name, [given.name])] for one in leaks}
    return tuple(Allowed(name, found[0]) for name, found in reasons.items() if found)


def _is_let(name: str, allowed: Iterable[str]) -> bool:
    """A pattern lets endpoints through; e-mail, and endpoints that nobody can see, only their own name."""
    by_name = name in (EMAIL, ENDPOINTS)
    return any(name == one or ("*" in one and not by_name and fnmatchcase(name, one)) for one in allowed)


def _first(sentences: list[str]) -> list[str]:
    more = len(sentences) - _NAMED
    return [*sentences[:_NAMED], *([f"and {more:,} more"] if more > 0 else [])]


def _quoted(name: str) -> str:
    return name if name.replace("_", "").replace(".", "").isalnum() else f'"{name}"'


def _email(state: Deliverability, why: str) -> Iterator[Leak]:
    if state == "open":
        yield Leak(EMAIL, "e-mail deliverability is All email")
    elif state == "not asked":
        yield Leak(EMAIL, f"the org does not say whether it lets e-mail out ({why})")


def fetch_shared(sandbox: OrgReader, production: OrgReader | None) -> Iterator[Leak]:
    """The active endpoints of the sandbox that production uses too, whatever they are called there."""
    ours = fetch_endpoints(sandbox)
    if not ours:
        return
    if production is None:
        yield Leak(ENDPOINTS, f"{len(ours)} endpoints cannot be compared: production has no login in rehearse.yaml")
        return
    theirs = {plain_url(one.url) for one in fetch_endpoints(production, active=False)}
    for one in ours:
        if plain_url(one.url) in theirs:
            yield Leak(one.name, f"{one.type} {one.name} points where production's does")


def fetch_endpoints(reader: OrgReader, *, active: bool = True) -> tuple[Endpoint, ...]:
    """The endpoints of an org by one retrieve, only the active ones unless told; types the org lacks are left out."""
    known = {one.name for one in reader.fetch_metadata_types()}
    manifest = {type: ("*",) for type in TYPES if type in known}
    if not manifest:
        return ()
    with nameless_file() as path:
        reader.retrieve(manifest, path)
        files = read_package(path)
    found = [one for name in sorted(files) for one in read_endpoints(name, files[name], active=active)]
    return tuple(sorted(found, key=lambda one: (one.type, one.name)))


def read_endpoints(path: str, content: bytes, *, active: bool) -> Iterator[Endpoint]:
    """The endpoints in one metadata file. An outbound message counts as active: flows and approvals send it too."""
    root = parse_xml(content)
    if root is None:
        return
    name = path.rpartition("/")[2].partition(".")[0]
    kind = tag_of(root)
    if kind == "RemoteSiteSetting" and (not active or text_of(root, "isActive") == "true"):
        yield Endpoint(kind, name, text_of(root, "url"))
    elif kind == "NamedCredential" and (not active or text_of(root, "calloutStatus") != "Disabled"):
        yield from (Endpoint(kind, name, url) for url in _credential_urls(root))
    elif kind == "Workflow":
        for one in root:
            if tag_of(one) == "outboundMessages":
                yield Endpoint(
                    "WorkflowOutboundMessage", f"{name}.{text_of(one, 'fullName')}", text_of(one, "endpointUrl")
                )


def _credential_urls(root: Any) -> Iterator[str]:
    """The address in either form of a named credential: `endpoint`, or a parameter of the type Url."""
    if url := text_of(root, "endpoint"):
        yield url
    for one in root:
        if tag_of(one) == "namedCredentialParameters" and text_of(one, "parameterType") == "Url":
            yield text_of(one, "parameterValue")


def plain_url(url: str) -> str:
    """An address as it is compared: host in small letters, no default port, no slash at the end."""
    parts = urlsplit(url.strip())
    try:
        port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    except ValueError:
        return url.strip()
    host = (parts.hostname or "").lower()
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme.lower()}://{host}{port}{parts.path.rstrip('/')}{query}"
