"""What a reset was allowed to let out of its sandbox, journalled under its plan: a killed apply goes on with it.

Said once is enough for a run that began to write; a plan that never began asks again. Holds names and reasons, never
an address. Refuses nothing: the egress gate decides.
"""

from __future__ import annotations

from collections.abc import Iterable

from rehearse.journal import Entry, Journal
from rehearse.reset.listed import listed
from rehearse.reset.model import Allowed

LET_OUT = "egress"
"""The kind of the journal entries that say what was let through."""
_NAMED = 5


def load_let_out(entries: Iterable[Entry]) -> tuple[Allowed, ...]:
    """What was let through in the runs of a plan so far, each with its last reason; none before the first write."""
    entries = tuple(entries)
    if not any(one.kind == "begin" for one in entries):
        return ()
    told = [row for one in entries if one.kind == LET_OUT for row in one.detail["allowed"]]
    return tuple({row["name"]: Allowed(row["name"], row["reason"]) for row in told}.values())


def list_remembered(allowed: Iterable[Allowed]) -> tuple[str, ...]:
    """A sentence for each reason for which something was let through before a run was broken off."""
    reasons: dict[str, list[str]] = {}
    for one in allowed:
        reasons.setdefault(one.reason, []).append(one.name)
    return tuple(
        f"--allow-egress {listed(names, _NAMED)} is remembered from the run that was broken off: {reason}"
        for reason, names in reasons.items()
    )


def note_let_out(journal: Journal, allowed: Iterable[Allowed]) -> None:
    """Journal what this run lets through, before it writes. Raises Locked."""
    told = [{"name": one.name, "reason": one.reason} for one in allowed]
    if told:
        journal.close(journal.open(LET_OUT, {"allowed": told}), {})


def join_allowed(*groups: Iterable[Allowed]) -> tuple[Allowed, ...]:
    """Each name once, with the reason of the last group that has it."""
    return tuple({one.name: one for group in groups for one in group}.values())
