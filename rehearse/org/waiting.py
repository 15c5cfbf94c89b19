"""Waiting for work of the org: ask soon, then ever more rarely, up to ten seconds apart.

A pause is a tenth of the time waited so far, so that the end of a job is seen at most a tenth too late, at some fifty
questions for the first hundred seconds. It never gives up by itself: how long a copy, a job or a deployment may take
is the platform's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rehearse.org.transport import WireOptions

T = TypeVar("T")
_SHARE = 0.1


def count_questions(seconds: float, options: WireOptions) -> int:
    """How often `wait_until` asks for work that takes so long."""
    waited, asked = 0.0, 1
    while waited < seconds:
        waited += _pause(waited, options)
        asked += 1
    return asked


def _pause(waited: float, options: WireOptions) -> float:
    return min(max(options.first_poll, waited * _SHARE), options.longest_poll)


def wait_until(fetch: Callable[[], T], done: Callable[[T], bool], options: WireOptions) -> T:
    """Ask with `fetch` until `done` says yes to the answer, and return that answer."""
    waited = 0.0
    while True:
        answer = fetch()
        if done(answer):
            return answer
        pause = _pause(waited, options)
        options.sleep(pause)
        waited += pause
