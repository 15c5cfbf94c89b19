"""How far a pass of an apply has come: the changes of its plan that are settled, out of all of them.

A change is settled once it was written, found equal, given up or left to somebody; what has to wait for the next pass
is not. A running total, so that a listener can tell the rate and the time left; the object is told with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rehearse.events import Advanced, OnEvent, Started, ignore
from rehearse.reset.model import Action


@dataclass
class Progress:
    """One pass: its name, how many changes it has, and which of them are left."""

    on_event: OnEvent = ignore
    work: str = ""
    total: int = 0
    left: set[str] = field(default_factory=set)

    def start(self, work: str, actions: Iterable[Action]) -> None:
        """A pass begins."""
        self.work, self.left = work, {one.id for one in actions}
        self.total = len(self.left)
        self.on_event(Started(work, self.total, "changes"))

    def settle(self, action: Action) -> None:
        """Count a change of this pass, once."""
        if action.id in self.left:
            self.left.discard(action.id)
            self.on_event(Advanced(self.work, self.total - len(self.left), self.total, "changes"))
