"""Waiting for work of the org: ask soon, then ever more rarely, up to ten seconds apart.

It never gives up by itself: how long a copy, a job or a deployment may take is the platform's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rehearse.org.transport import WireOptions

T = TypeVar("T")


def wait_until(fetch: Callable[[], T], done: Callable[[T], bool], options: WireOptions) -> T:
    """Ask with `fetch` until `done` says yes to the answer, and return that answer."""
    pause = options.first_poll
    while True:
        answer = fetch()
        if done(answer):
            return answer
        options.sleep(pause)
        pause = min(pause * 1.5, options.longest_poll)
