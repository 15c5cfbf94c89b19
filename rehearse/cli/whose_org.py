"""Does a login lead to the org that it stands for in rehearse.yaml? Asked once a connection, before anything is read.

A mistyped alias may lead to production, or to another sandbox: what is read there would be kept, compared and proved as
if it were the named one. Writers prove more (rule 4 of the design); this is what reading can know at little cost: what
the org says of itself, what the ledger remembers, and, of an org that it does not know, what production says.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from rehearse.errors import LoginError, NotASandbox, OrgError
from rehearse.ids import is_same_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearse.org.connect import OrgReader
    from rehearse.state import Database


def require_production(name: str, reader: OrgReader) -> None:
    """Raise LoginError where the login of production leads to a sandbox."""
    if reader.is_sandbox:
        raise LoginError(
            f"The login of production ({name}) leads to {reader.host} ({reader.org_id}), which is a sandbox.",
            "Correct production.login in rehearse.yaml.",
        )


def require_itself(
    sandbox: str, reader: OrgReader, database: Database, connect_production: Callable[[], OrgReader | None]
) -> None:
    """Raise NotASandbox where the login of a sandbox leads to production, or to another sandbox."""
    from rehearse.schedule.ledger_store import load_cycles

    if not reader.is_sandbox:
        raise NotASandbox(
            f"The login of {sandbox} leads to {reader.host} ({reader.org_id}), which is no sandbox; nothing was read.",
            "Correct its login in rehearse.yaml: it may have been repointed at production.",
        )
    known = load_cycles(database).items()
    made = {name for name, cycles in known if any(one.org_id == reader.org_id for one in cycles)}
    if not made:
        with suppress(OrgError, LoginError):  # who cannot be asked says nothing; a writer asks again, and insists
            production = connect_production()
            made = {one.name for one in production.fetch_copies_of(reader.org_id)} if production else set()
    told = re.fullmatch(r"[a-z0-9-]+--([a-z0-9]+)\.sandbox\..*", reader.host.lower())
    names = sorted(made) or ([told[1]] if told else [])
    if names and not any(is_same_name(one, sandbox) for one in names):
        who = "Production says" if made else f"Its address {reader.host} says"
        raise NotASandbox(
            f"{who} that the org behind the login of {sandbox} is the sandbox {', '.join(names)}.",
            "Correct the login, or name the right sandbox.",
        )
