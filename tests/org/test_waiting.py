"""How long a wait pauses between two questions: measured in what it sleeps, never in time."""

from rehearse.org.transport import WireOptions
from rehearse.org.waiting import count_questions, wait_until


def _pauses_until(end: float) -> list[float]:
    """The pauses of a wait for a job that ends `end` seconds after the first question."""
    pauses: list[float] = []
    options = WireOptions(sleep=pauses.append)
    wait_until(lambda: sum(pauses), lambda waited: waited >= end, options)
    return pauses


def test_the_end_is_seen_at_most_a_tenth_too_late() -> None:
    for end in (0.05, 0.95, 5.1, 33.0, 99.0):
        assert sum(_pauses_until(end)) <= end * 1.1 + 0.1


def test_a_long_wait_asks_every_ten_seconds_and_a_short_one_ten_times_a_second() -> None:
    pauses = _pauses_until(3600.0)
    assert min(pauses) == 0.1 and max(pauses) == 10.0 and pauses == sorted(pauses)
    assert sum(1 for _ in pauses) < 420


def test_questions_are_counted_before_they_are_asked() -> None:
    for end in (0.0, 0.05, 0.95, 5.1, 99.0, 3600.0):
        assert count_questions(end, WireOptions()) == len(_pauses_until(end)) + 1


def test_an_answer_that_is_done_at_once_costs_no_pause() -> None:
    assert _pauses_until(0.0) == []
