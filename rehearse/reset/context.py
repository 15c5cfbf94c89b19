"""The named limits that a run of apply works within, and whom it asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearse import clock
from rehearse.reset.model import Action


def never(actions: Sequence[Action]) -> bool:
    """The answer of nobody: no deletion that the plan does not name."""
    return False


@dataclass(frozen=True)
class ApplySettings:
    """Named limits of apply. `uncertain_for`: how long a lost write may still take effect (the platform's longest
    call); `now` and `sleep` are injected by tests. `ask_more` is asked before rows are deleted that the plan does not
    name and that our own writes made (automation); it answers whether they may go. `keep_newer`: go on although the
    org moved since the plan was made, and leave alone what moved. `read_batch` rows are read right before they are
    written in calls of `batch`: more would save reads, and leave somebody's newer edit longer without protection."""

    max_passes: int = 6
    batch: int = 200
    read_batch: int = 400
    insert_batch: int = 2000
    lock_tries: int = 4
    uncertain_for: timedelta = timedelta(minutes=10)
    poll: float = 5.0
    continue_within: timedelta = timedelta(hours=24)
    now: Callable[[], datetime] = clock.now
    sleep: Callable[[float], None] = time.sleep
    ask_more: Callable[[Sequence[Action]], bool] = never
    keep_newer: bool = False
