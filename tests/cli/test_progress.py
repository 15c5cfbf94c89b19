"""Progress of long work: a rate and the time left, once there is enough to tell them from."""

from rehearse.cli.progress import Pace
from rehearse.events import Advanced


def test_a_rate_and_the_time_left() -> None:
    moments = iter([0.0, 10.0, 10.0])
    pace = Pace(lambda: next(moments))
    assert pace.tell(Advanced("records", 1_000, 100_000, "rows")) == ""
    assert pace.tell(Advanced("records", 15_000, 100_000, "rows")) == " · 1,400 rows/s, 61 s left"
    pace.start("records")
    assert pace.tell(Advanced("records", 20_000, 100_000, "rows")) == ""


def test_what_a_resumed_capture_has_already_says_nothing_of_the_rate() -> None:
    moments = iter(float(one) for one in range(100))
    pace = Pace(lambda: next(moments))
    for kept in (200_000, 400_000):
        pace.tell(Advanced("records", kept, 500_000, "rows"))
    told = [pace.tell(Advanced("records", 400_000 + 1_000 * second, 500_000, "rows")) for second in range(1, 70)]
    assert told[-1] == " · 1,000 rows/s, 31 s left"
