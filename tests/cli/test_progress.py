"""Progress of long work: a rate and the time left, once there is enough to tell them from."""

import fcntl
import os
import struct
import sys
import termios

import pytest

from rehearse.cli.progress import Pace, shown
from rehearse.events import Advanced, Started


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


def test_a_line_of_progress_stays_on_one_line_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    monkeypatch.setenv("TERM", "xterm")
    with open(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with shown() as hear:
            hear(Started("records of Überweisung__c " * 9, unit="rows"))
        drawn = os.read(master, 10_000).decode()
        monkeypatch.setenv("TERM", "dumb")
        with shown() as hear:
            hear(Started("records", unit="rows"))
        terminal.write("end")
        terminal.flush()
        assert os.read(master, 10_000) == b"end"  # nothing that such a terminal could not wipe
    os.close(master)
    assert max(len(one.replace("\033[2K", "")) for one in drawn.split("\r")) == 59
