"""What a flow is on both sides of a comparison, by its versions: which acts, which are lost, which stands for which.

A retrieve shows only the newest version of a flow (facts/metadata.md 0, 5), so a baseline holds the contents of that
one alone. Numbers are names only while nothing was renumbered: once the newest version was deleted and deployed again,
the live newest one stands for it, and no other number says anything. Pure; claims nothing that contents do not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rehearse.reset.inputs import FlowState, MetadataBook

NO_FLOW = FlowState(0, ())


@dataclass(frozen=True)
class FlowPair:
    """One flow in the baseline and now; `same`: whether the contents of the newest versions are equal, if known."""

    before: FlowState
    after: FlowState
    same: bool | None

    @cached_property
    def newest(self) -> int:
        """The version of the baseline whose contents it holds; 0 where it has none."""
        return max(self.before.versions, default=0)

    @cached_property
    def stand_in(self) -> int | None:
        """The live version that holds the contents of the baseline's newest one, as far as numbers and contents say."""
        if self.newest in self.after.versions:
            return self.newest
        return max(self.after.versions) if self.same and self.after.versions else None

    @cached_property
    def goal(self) -> int | None:
        """The live version that has to be active, 0 for none; None where it is not there (any more, or yet)."""
        active = self.before.active
        if not active:
            return 0
        if active == self.newest:
            return self.stand_in
        renumbered = self.same and self.stand_in != self.newest
        return active if active in self.after.versions and not renumbered else None

    @property
    def active_lost(self) -> bool:
        """Whether the version that acted is gone, and no baseline holds what was in it."""
        return self.goal is None and self.before.active != self.newest

    @property
    def newest_lost(self) -> bool:
        """Whether the newest version is gone, so that it has to be deployed again."""
        return bool(self.newest) and self.stand_in is None

    @property
    def added(self) -> tuple[int, ...]:
        """The versions that the rehearsal made, newest first."""
        known = {*self.before.versions, self.stand_in}
        return tuple(sorted((one for one in self.after.versions if one not in known), reverse=True))

    @property
    def edited_in_place(self) -> bool:
        """Whether the newest version has its number and other contents."""
        return self.same is False and self.newest == max(self.after.versions, default=0)

    @property
    def lost(self) -> tuple[int, ...]:
        """The numbers of the baseline that no version has any more."""
        return tuple(sorted(set(self.before.versions) - set(self.after.versions)))


def flow_pair(book: MetadataBook, name: str) -> FlowPair:
    """Both sides of a flow, by its developer name."""
    sides = [found.get(("Flow", name)) for found in (book.before, book.after)]
    before, after = (one.digest if one else None for one in sides)
    states = book.flows_before.get(name, NO_FLOW), book.flows_after.get(name, NO_FLOW)
    return FlowPair(*states, same=None if before is None or after is None else before == after)


def flow_marks(book: MetadataBook, name: str) -> set[str]:
    """Marks of a changed flow."""
    pair = flow_pair(book, name)
    if pair.active_lost:
        return {"active-lost"}
    kept = set(pair.after.versions) or {1}  # a flow that is deployed again counts its versions from one
    return {"version-lost"} if set(pair.before.versions) - kept else set()


def flow_residue(book: MetadataBook, name: str) -> str | None:
    """What is left of a flow that acts as it did, in words; None when the difference is more than lost numbers."""
    pair = flow_pair(book, name)
    if not pair.same or pair.added or pair.goal != pair.after.active or not pair.lost:
        return None
    again = {} if pair.stand_in in (None, pair.newest) else {pair.newest: pair.stand_in}
    older = [one for one in pair.lost if one not in again]
    told = [f"older versions are lost: {', '.join(str(one) for one in older)}"] if older else []
    return "; ".join((*told, *(f"version {old} is now version {new}" for old, new in again.items())))


def flow_of(full_name: str) -> str:
    """The developer name of a flow, whichever of its two types a name is about (old files were `Name-3`)."""
    return full_name.partition("-")[0]
