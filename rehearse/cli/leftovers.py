"""What a sandbox may still hold of work that was broken off: half of a reset, or the canary of a drill.

The journal tells it, which a team shares: on which machine the work was done does not matter. Refuses nothing; a
command that would take such leftovers for the sandbox itself says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rehearse import clock, lock
from rehearse.cli.answers import say
from rehearse.ids import is_same_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from rehearse.cli.desk import Desk
    from rehearse.reset.broken_off import BrokenOff


def find_broken_off(desk: Desk) -> tuple[BrokenOff, ...]:
    """The resets that wait to be continued, but for those that are at work; one whose plan lies on another machine is
    planned anew here."""
    return _load(desk, {one.sandbox for one in lock.load_locks(desk.database) if not lock.is_dead(one)})


def tell_of_leftovers(desk: Desk, sandbox: str, org_id: str) -> None:
    """Say that a sandbox holds leftovers, so that nobody takes them for what it should hold; to be asked by whoever
    only reads it, or holds its lock."""
    from rehearse.reset.drill_progress import is_drill_open

    if is_drill_open(desk.database, sandbox, org_id):
        clear = f"rehearse drill {sandbox} --confirm {sandbox} --remove"
        say(f"note: A drill in {sandbox} was interrupted, and its canary is there: {clear}")
    for one in _load(desk, ()):
        if is_same_name(one.sandbox, sandbox) and one.org_id == org_id and not _is_proven_since(desk, one):
            say(f"note: {one}. Go on with: {one.next_command}")


def _load(desk: Desk, at_work: Collection[str]) -> tuple[BrokenOff, ...]:
    from rehearse.reset.broken_off import load_broken_off

    found = load_broken_off(desk.database, clock.now(), at_work)
    here = {one.run for one in found if (desk.workspace.storage.plans / f"{one.run}.json").exists()}
    return tuple(replace(one, resumable=one.resumable and one.run in here) for one in found)


def _is_proven_since(desk: Desk, broken: BrokenOff) -> bool:
    """Whether a proof says since what the sandbox holds."""
    proofs = [one.proof_at for one in desk.baselines().load(broken.sandbox) if one.org_id == broken.org_id]
    return any(at is not None and at > broken.began for at in proofs)
