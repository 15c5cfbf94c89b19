"""Progress of long work: a rate and the time left, once there is enough to tell them from."""

from rehearse.cli.progress import Pace
from rehearse.events import Advanced


def test_a_rate_and_the_time_left() -> None:
    moments = iter([0.0, 0.0, 1.0, 10.0, 10.0, 10.0])
    pace = Pace(lambda: next(moments))
    assert pace.tell(Advanced("records", 1_000, 100_000, "rows")) == ""
    assert pace.tell(Advanced("records", 15_000, 100_000, "rows")) == " · 1,400 rows/s, 61 s left"
    pace.start("records")
    assert pace.tell(Advanced("records", 20_000, 100_000, "rows")) == ""
