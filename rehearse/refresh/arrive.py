"""A new generation arrives: is the org behind the login the one that production says it is? Then it is recorded once.

Refuses (NotASandbox, GenerationChanged) an org that is not the newest completed copy. Reads only; safe to run again.
"""

from __future__ import annotations

from datetime import datetime

from rehearse.org.proof import ProductionWord, SandboxProof
from rehearse.org.reader import OrgReader
from rehearse.refresh.ready_store import record_arrival
from rehearse.schedule.ledger import Cycle
from rehearse.state import Database


def check_arrival(name: str, cycle: Cycle, sandbox: OrgReader, production: OrgReader) -> None:
    """Ask the new org who it is and hold it against production's word (rule 4 of the design).

    Raises NotASandbox, GenerationChanged, and what a login raises while the new org does not answer yet.
    """
    identity = sandbox.fetch_identity()
    word = ProductionWord(production.fetch_identity(), production.fetch_copies_of(identity.org_id))
    SandboxProof(name, identity, word, expected_org_id=cycle.org_id)


def keep_arrival(database: Database, name: str, cycle: Cycle, by: str, now: datetime) -> bool:
    """Record a checked generation; False where it was recorded before."""
    return record_arrival(database, name, cycle.org_id or "", cycle.id, (by, now))
