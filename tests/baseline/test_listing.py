"""Listing in the background: a command that fails does not wait for calls that have not begun."""

import threading

import pytest

from rehearse.baseline.listing import LISTS_AT_ONCE, listing_threads


def test_what_has_not_begun_is_dropped_when_the_block_fails() -> None:
    begun, may_end = threading.Semaphore(0), threading.Event()

    def call() -> None:
        begun.release()
        may_end.wait()

    asked = []
    with pytest.raises(KeyError), listing_threads() as pool:
        asked = [pool.submit(call) for _ in range(LISTS_AT_ONCE + 3)]
        for _ in range(LISTS_AT_ONCE):
            begun.acquire()
        asked[-1].add_done_callback(lambda _: may_end.set())  # those that run end when the last one was dropped
        raise KeyError
    assert [one.cancelled() for one in asked] == [False] * LISTS_AT_ONCE + [True] * 3
