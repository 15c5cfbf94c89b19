"""The proof that an org is a sandbox of the configured production: rule 4 of the design, as a value.

A `SandboxProof` cannot exist for anything else: building one runs every check and raises when something is missing or
wrong. It refuses to trust caches, host names alone, tokens or names typed by a user where production can be asked.
The host pattern counts only where production cannot be asked, and never for loopback addresses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rehearse.errors import GenerationChanged, NotASandbox
from rehearse.ids import is_same_name, to_18
from rehearse.org.model import Identity, SandboxCopy


@dataclass(frozen=True)
class ProductionWord:
    """What production says, read afresh: its own Organization row and the copies that name the asked org.

    `copies` is None where this login may not read SandboxProcess.
    """

    identity: Identity
    copies: Sequence[SandboxCopy] | None


@dataclass(frozen=True)
class SandboxProof:
    """An org (`identity`, read afresh) that is the sandbox `name`; raises NotASandbox or GenerationChanged when built.

    `word` is production's word (None without a production login); `confirmed_org_id` is what the user confirmed when
    adding the sandbox; `expected_org_id` is the generation that the caller works on.
    """

    name: str
    identity: Identity
    word: ProductionWord | None
    confirmed_org_id: str | None = None
    expected_org_id: str | None = None

    def __post_init__(self) -> None:
        _check_sandbox(self.name, self.identity)
        if self.word is not None:
            _check_production(self.name, self.identity, self.word.identity)
        if self.word is not None and self.word.copies is not None:
            _check_named(self.name, self.identity, self.word.copies)
        else:
            _check_confirmed(self.name, self.identity, self.confirmed_org_id)
        if self.expected_org_id is not None and to_18(self.expected_org_id) != self.identity.org_id:
            raise generation_changed(self.name, self.expected_org_id, self.identity.org_id)


def generation_changed(name: str, expected: str, found: str) -> GenerationChanged:
    """The error for an org id that is not the recorded one."""
    return GenerationChanged(
        f"{name} is not the org that it was: its id is {found}, expected was {expected}.",
        "The sandbox was refreshed; baselines and plans of the old generation are void. Capture a new baseline.",
    )


def is_local_or_bare(host: str) -> bool:
    """Whether a host (without port) is this machine, an address or a single word: none of them stands for a sandbox."""
    name = host.strip("[]").lower().rstrip(".")
    if name.endswith(".localhost") or "." not in name:
        return True
    # an address may also be written as 127.1 or 0x7f.0.0.1: no real host ends in a number
    return bool(re.fullmatch(r"(?:0x[0-9a-f]+|\d+)", name.rsplit(".", 1)[-1]))


def _check_sandbox(name: str, identity: Identity) -> None:
    if identity.is_sandbox is not True:
        raise NotASandbox(
            f"The login of {name} points at {identity.name}, which is not a sandbox; nothing was sent.",
            "Check the login of this sandbox: it may have been repointed at production.",
        )
    if identity.trial_expires is not None:
        raise NotASandbox(
            f"The login of {name} points at a trial or scratch org; nothing was sent.",
            "Only sandboxes of the configured production are written to.",
        )


def _check_production(name: str, identity: Identity, production: Identity) -> None:
    if production.is_sandbox is not False:
        raise NotASandbox(
            f"The production login points at {production.name}, which is a sandbox, so it cannot vouch for {name}.",
            "Correct the login of production.",
        )
    if production.org_id == identity.org_id:
        raise NotASandbox(f"The login of {name} points at production; nothing was sent.", "Correct its login.")


def _check_named(name: str, identity: Identity, copies: Sequence[SandboxCopy]) -> None:
    """Any Completed copy may name the org: a pending refresh already names the next one."""
    ours = [copy for copy in copies if copy.org_id == identity.org_id]
    if any(is_same_name(copy.name, name) and copy.state == "completed" for copy in ours):
        return
    others = sorted({copy.name for copy in ours if not is_same_name(copy.name, name)})
    if others:
        raise NotASandbox(
            f"Production says that the org behind the login of {name} is the sandbox {', '.join(others)}.",
            "Correct the login, or name the right sandbox.",
        )
    raise NotASandbox(
        f"Production knows no completed copy named {name} with the org id {identity.org_id}; nothing was sent.",
        "Check the login of the sandbox, its name, and that both logins belong to the same production.",
    )


def _check_confirmed(name: str, identity: Identity, confirmed: str | None) -> None:
    host = identity.host.rpartition(":")[0] if re.search(r":\d+$", identity.host) else identity.host
    if is_local_or_bare(host):
        raise NotASandbox(
            f"{name} is on a local address, and production was not there to vouch for it; nothing was sent.",
            "A practice workspace needs its production login as well.",
        )
    if confirmed is None or to_18(confirmed) != identity.org_id:
        raise NotASandbox(
            f"Production cannot be asked, and the org id of {name} was not confirmed as {identity.org_id}.",
            "Configure a production login that may read SandboxProcess, or confirm the org id by adding it again.",
        )
    if not re.match(rf"[a-z0-9-]+--{re.escape(name.lower())}\.sandbox\.[a-z0-9.-]+\Z", host.lower()):
        raise NotASandbox(
            f"Production cannot be asked, and the host {host} is not that of a sandbox named {name}.",
            "Configure a production login that may read SandboxProcess, or use the sandbox's My Domain address.",
        )
