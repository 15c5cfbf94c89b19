"""The nouns of a refresh on its way: what stands against it, what it takes, how far it is, what is left to do after it.

Frozen values; no I/O. No record value is in any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rehearse.schedule.model import Booking

Verdict = Literal["waiting", "suspended", "stopped", "decide", "done", "discarded", "gone", "none"]


@dataclass(frozen=True)
class Answer:
    """`yes`, `maybe` (between the two dates, only the platform knows) or `no`, and what stands against it."""

    refreshable: Literal["yes", "maybe", "no"]
    possible_from: datetime | None
    certain_from: datetime | None
    reasons: tuple[str, ...]
    bookings: tuple[Booking, ...]


@dataclass(frozen=True)
class Obstacle:
    """Something that stands against an activation; `lifted_by` is the option that overrides it, empty for none."""

    text: str
    lifted_by: str = ""


@dataclass(frozen=True)
class Touch:
    """What one person changed since the last refresh: in set-up (`where` is a section) or in the rows of an object."""

    who: str
    where: str
    count: int
    last: datetime
    example: str = ""


@dataclass(frozen=True)
class LostComponent:
    """A component that is not as in production: only here, differs from production, not compared, or deleted here."""

    type: str
    name: str
    by: str
    at: datetime | None
    state: str


@dataclass(frozen=True)
class Keepsake:
    """Something that no tool brings back after a refresh: it becomes an item of the ready list, with its owner."""

    item: str
    owner: str
    why: str


@dataclass(frozen=True)
class Since:
    """Since when a sandbox is in use, and when its copy began; no beginning where it was not copied from production."""

    in_use: datetime
    copy_began: datetime | None


@dataclass(frozen=True)
class Losses:
    """Everything that a refresh would take, and what could not be asked."""

    since: datetime
    setup: tuple[Touch, ...] = ()
    records: tuple[Touch, ...] = ()
    components: tuple[LostComponent, ...] = ()
    keepsakes: tuple[Keepsake, ...] = ()
    not_asked: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody would lose anything that we know of."""
        return not (self.setup or self.records or self.components)


@dataclass(frozen=True)
class Estimate:
    """When a copy is expected to be made: P50 and P90, and from what that comes."""

    p50: datetime
    p90: datetime
    basis: str


@dataclass(frozen=True)
class Progress:
    """One copy: what it is at, its place in the queue (0 = next), percent of the copying, the estimate, and the words
    that say it; `run_next` is the command to run now, empty where only time helps."""

    verdict: Verdict
    words: str
    queue_place: int | None = None
    percent: int | None = None
    estimate: Estimate | None = None
    deadline: datetime | None = None
    run_next: str = ""


@dataclass(frozen=True)
class ReadyItem:
    """One thing to do before a refreshed sandbox is ready: who owns it, why it is there, and who ticked it when."""

    item: str
    owner: str = ""
    why: str = ""
    ticked_by: str = ""
    ticked_at: datetime | None = None
    note: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it was ticked."""
        return self.ticked_at is not None
