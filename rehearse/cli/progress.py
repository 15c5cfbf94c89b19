"""Events of long work as progress: a live line on a terminal, else at most one line a minute. Always on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rehearse.cli.answers import printable
from rehearse.events import Advanced, Event, Finished, Noted, OnEvent, Started

_QUIET = 60.0
_TELLING = 2.0
"""Seconds of work before a rate means something."""
_RECENT = 60.0
"""Seconds that a rate is taken over: what a resumed capture counts off at once says nothing of what is left to do."""


class Pace:
    """How fast each piece of work has gone in the last minute, and how long the rest will take at that rate."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def tell(self, event: Advanced) -> str:
        """` · 1,400 rows/s, 12 min left`; nothing before there is anything to tell."""
        now, seen = self._now(), self._seen.setdefault(event.work, deque())
        if not seen or now - seen[-1][0] >= 1:
            seen.append((now, event.done))
        while len(seen) > 2 and now - seen[1][0] >= _RECENT:
            seen.popleft()
        passed, done = now - seen[0][0], event.done - seen[0][1]
        if passed < _TELLING or done <= 0:
            return ""
        rate = done / passed
        text = f" · {rate:,.0f} {event.unit}/s" if rate >= 1 else f" · {rate * 60:,.1f} {event.unit}/min"
        return f"{text}, {_span((event.total - event.done) / rate)} left" if event.total else text

    def start(self, work: str) -> None:
        """The work begins anew."""
        self._seen.pop(work, None)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def shown() -> Iterator[OnEvent]:
    """A listener for one command; what it drew on a terminal is wiped at the end of the block."""
    can_wipe = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    screen = _Live() if can_wipe else _Lines()
    try:
        yield screen.hear
    finally:
        screen.close()


class _Lines:
    """For logs and pipes: notes at once, progress once a minute."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._pace = Pace()

    def hear(self, event: Event) -> None:
        line = _line(event, self._pace)
        if isinstance(event, Noted):
            print(printable(event.text), file=sys.stderr)
        elif isinstance(event, Advanced) and time.monotonic() - self._last > _QUIET:
            self._last = time.monotonic()
            print(printable(line), file=sys.stderr)

    def close(self) -> None:
        """Nothing is left on a log to wipe."""


class _Live:
    """For a terminal: one line that is rewritten, a few times a second at most."""

    def __init__(self) -> None:
        self._last = 0.0
        self._pace = Pace()

    def hear(self, event: Event) -> None:
        line = _line(event, self._pace)
        if isinstance(event, Noted):
            self.close()
            print(printable(event.text), file=sys.stderr)
        elif isinstance(event, Started | Finished) or time.monotonic() - self._last > 0.1:
            self._last = time.monotonic()
            print(f"\r\033[2K{_cut(printable(line))}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        print("\r\033[2K", end="", file=sys.stderr, flush=True)


def _cut(line: str) -> str:
    """What of a line stays on one line of the terminal: the rest of a longer one would never be wiped."""
    from rich.cells import set_cell_size

    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        columns = 80
    return set_cell_size(line, min(100, columns - 1)).rstrip()


def _line(event: Event, pace: Pace) -> str:
    if isinstance(event, Advanced):
        of = f" of {event.total:,}" if event.total else ""
        return f"{event.work}: {event.done:,}{of} {event.unit}{pace.tell(event)}"
    if isinstance(event, Started):
        pace.start(event.work)
        return f"{event.work} …"
    return f"{event.work}: {event.note or 'done'}" if isinstance(event, Finished) else event.text
