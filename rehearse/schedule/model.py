"""The nouns of planning: what is free, what is booked, what is wanted, what came out. Frozen values; no I/O.

Every window is half-open, [start, end), in aware instants. A schedule that places nothing is a result, not an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from rehearse.clock import Hours, Span
from rehearse.schedule.ledger import Cycle, Rule

if TYPE_CHECKING:  # `status` needs no release, and starts without its classes
    from rehearse.release.model import Release


@dataclass(frozen=True)
class Window:
    """A stretch of time, half-open. Raises ValueError for naive instants or an end before the start."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware instants")
        if self.end < self.start:
            raise ValueError("a window ends before it starts")

    def overlaps(self, other: Window) -> bool:
        """Whether the two share any instant."""
        return self.start < other.end and other.start < self.end


Prepare = Literal["refresh", "reset", "none"]
BookingState = Literal["requested", "confirmed"]


@dataclass(frozen=True)
class Booking:
    """Something that has a sandbox for a while: a rehearsal, an advance, a data refresh, or plain use.

    `end` is the end of the work; until `free_at` (hold and reset) nothing else may have the sandbox. `burns`: from its
    end the sandbox is unusable until the next refresh is ready.
    """

    id: str
    sandbox: str
    start: datetime
    end: datetime
    free_at: datetime
    what: Literal["rehearsal", "advance", "refresh", "use"]
    release: str | None = None
    rehearsal: str | None = None
    kind: str | None = None
    prepare: Prepare = "none"
    ready_by: datetime | None = None
    burns: bool = False
    by: str = ""
    why: str = ""
    request: datetime | None = None
    """When the copy of a booked refresh is to be requested."""
    state: BookingState = "confirmed"
    """`requested` waits for somebody's approval; it holds its time all the same."""

    @property
    def label(self) -> str:
        """How people call it: `R41 mock`, `R41 advance`, or the reason that was given."""
        if self.release:
            return f"{self.release} {self.rehearsal or self.what}"
        return self.why or self.what


@dataclass(frozen=True)
class Closed:
    """A time in which nothing may run; `sandboxes` empty means all."""

    name: str
    window: Window
    sandboxes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Somebody:
    """A person whom rehearsals need: own zone, optional own hours, absences."""

    name: str
    zone: ZoneInfo
    hours: Hours | None
    away: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Supply:
    """One sandbox as the planner sees it: history, what it is, what is booked in it."""

    name: str
    type: str | None
    tags: tuple[str, ...]
    cycles: tuple[Cycle, ...]
    bookings: tuple[Booking, ...] = ()
    reset_time: timedelta = timedelta(hours=2)
    copy_time: timedelta | None = None
    possible: bool = False
    """A refresh may be asked for from its *possible* date on, whatever `plan_with` says: a way out that is tried."""


@dataclass(frozen=True)
class Policy:
    """The team's calendar and what may be assumed about refreshes (formats.md)."""

    zone: ZoneInfo
    hours: Hours
    grid: timedelta
    horizon: Span
    prefer: Literal["few", "fresh"] = "few"
    clock: Rule = "learn"
    plan_with: Literal["certain", "possible"] = "certain"
    usable_during_copy: bool = True
    settle: timedelta = timedelta(hours=6)


@dataclass(frozen=True)
class Wish:
    """Everything that one planning is about. `burns` names rehearsals (release, name) that a forecast says burn."""

    now: datetime
    policy: Policy
    supplies: tuple[Supply, ...]
    releases: tuple[Release, ...]
    closed: tuple[Closed, ...] = ()
    people: tuple[Somebody, ...] = ()
    burns: frozenset[tuple[str, str]] = frozenset()
    advanced: frozenset[tuple[str, str]] = frozenset()
    """(release, sandbox) pairs whose release was applied for keeps already."""
    replan: bool = False
    earlier: tuple[tuple[tuple[str, str], datetime], ...] = ()
    """Rehearsals (release, name) that are asked to start before an instant, whatever is lifted; for `plan why`."""


@dataclass(frozen=True)
class Refresh:
    """A refresh that the schedule asks for, or a copy that runs already (`running`)."""

    sandbox: str
    request: datetime
    copied: datetime
    activate: datetime
    ready: datetime
    running: bool = False
    off: datetime | None = None
    """From when the sandbox cannot be used, where that is not the activation."""


@dataclass(frozen=True)
class Advance:
    """A release applied to a sandbox for keeps, with a new baseline after it."""

    sandbox: str
    release: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Goal:
    """What one goal cost: its value, the best possible bound, and whether it is proven best."""

    name: Literal["unplaced", "moves", "refreshes", "advances", "distance", "unrepeatable"]
    value: int
    bound: int
    proven: bool


@dataclass(frozen=True)
class Reason:
    """One rule of a clash; the names that do not apply are None."""

    rule: str
    text: str
    rehearsal: str | None = None
    release: str | None = None
    sandbox: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Repair:
    """One way out; `checked` is True when solving again with it placed everything of the clash."""

    change: str
    text: str
    checked: bool


@dataclass(frozen=True)
class Unplaced:
    """A rehearsal that did not fit, why, and the ways out."""

    rehearsal: str
    release: str
    kind: str
    reasons: tuple[Reason, ...]
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """What came out: bookings of rehearsals, refreshes, advances, what was not placed, and how good it is."""

    bookings: tuple[Booking, ...]
    refreshes: tuple[Refresh, ...]
    advances: tuple[Advance, ...]
    unplaced: tuple[Unplaced, ...]
    goals: tuple[Goal, ...]
    warnings: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether every goal is proven best."""
        return all(one.proven for one in self.goals)


@dataclass(frozen=True)
class WhyHere:
    """The answer for one placed rehearsal.

    `by`: rules, a goal (`goal`, and what it would cost), that it has begun, that it starts now, or that time ran out.
    """

    booking: Booking
    by: Literal["rules", "goal", "begun", "now", "nothing", "time"]
    text: str
    reasons: tuple[Reason, ...] = ()
    goal: Goal | None = None
    would_cost: int | None = None
