"""Query jobs begun before their turn: the org works on the next ones while the pages of others come over the line.

Only so many wait at a time; whoever comes to an object whose job was not begun begins it himself, and never twice. A
job that nobody comes for, because the capture broke off, is written down: the continued capture takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_AHEAD = 16
"""An org queues the jobs that it does not run at once, so more would only wait there."""
_BEGUN_AT_ONCE = 4


class JobsAhead(Generic[T]):
    """Jobs by the name of their object, begun in this order; `begin` gives a begun job or raises what the org says."""

    def __init__(self, begin: Mapping[str, Callable[[], T]]) -> None:
        self._waiting = dict(begin)
        self._begun: dict[str, Future[T]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(_BEGUN_AT_ONCE)
        for _ in range(MOST_AHEAD):
            self._begin_next()

    def take(self, name: str, begin: Callable[[], T]) -> T:
        """The job of an object, begun now where it was not yet; the next one takes its place."""
        with self._lock:
            future = self._begun.pop(name, None)
            self._waiting.pop(name, None)
        self._begin_next()
        return begin() if future is None else future.result()

    def close(self) -> None:
        """Begin nothing more."""
        with self._lock:
            self._waiting.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin_next(self) -> None:
        with self._lock:
            if self._waiting:
                name = next(iter(self._waiting))
                self._begun[name] = self._pool.submit(self._waiting.pop(name))
