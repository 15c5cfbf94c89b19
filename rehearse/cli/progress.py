"""Events of long work as progress: a live line on a terminal, else at most one line a minute. Always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rehearse.events import Advanced, Event, Finished, Noted, OnEvent, Started

_QUIET = 60.0


@contextmanager
def shown() -> Iterator[OnEvent]:
    """A listener for one command; what it drew on a terminal is wiped at the end of the block."""
    screen = _Live() if sys.stderr.isatty() else _Lines()
    try:
        yield screen.hear
    finally:
        screen.close()


class _Lines:
    """For logs and pipes: notes at once, progress once a minute."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def hear(self, event: Event) -> None:
        if isinstance(event, Noted):
            print(event.text, file=sys.stderr)
        elif isinstance(event, Advanced) and time.monotonic() - self._last > _QUIET:
            self._last = time.monotonic()
            print(_line(event), file=sys.stderr)

    def close(self) -> None:
        """Nothing is left on a log to wipe."""


class _Live:
    """For a terminal: one line that is rewritten, a few times a second at most."""

    def __init__(self) -> None:
        self._last = 0.0

    def hear(self, event: Event) -> None:
        if isinstance(event, Noted):
            self.close()
            print(event.text, file=sys.stderr)
        elif isinstance(event, Started | Finished) or time.monotonic() - self._last > 0.1:
            self._last = time.monotonic()
            print(f"\r\033[2K{_line(event)[:100]}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        print("\r\033[2K", end="", file=sys.stderr, flush=True)


def _line(event: Event) -> str:
    if isinstance(event, Advanced):
        of = f" of {event.total:,}" if event.total else ""
        return f"{event.work}: {event.done:,}{of} {event.unit}"
    if isinstance(event, Started):
        return f"{event.work} …"
    return f"{event.work}: {event.note or 'done'}" if isinstance(event, Finished) else event.text
