"""The practice clock: starts at a constant, moves on, never back, and is the same in every process."""

from datetime import UTC, datetime, timedelta

import pytest

from rehearse.practice.estate_file import EstateFile
from rehearse.practice.virtual_clock import START, VirtualClock


@pytest.fixture
def file(tmp_path):
    opened = EstateFile(tmp_path / "estate.db")
    VirtualClock(opened).create()
    yield opened
    opened.close()


def test_a_new_world_stands_still_at_the_constant_start(file):
    clock = VirtualClock(file)
    assert datetime(2026, 11, 23, 8, tzinfo=UTC) == START
    assert clock.now() == START == clock.now()
    assert not clock.read().started


def test_moving_and_setting_go_forward_by_exactly_that_much(file):
    clock = VirtualClock(file)
    assert clock.move(timedelta(days=29)) == START + timedelta(days=29)
    assert clock.now() == START + timedelta(days=29)
    assert clock.set(START + timedelta(days=30)) == START + timedelta(days=30)


def test_the_clock_never_goes_back(file):
    clock = VirtualClock(file)
    clock.move(timedelta(hours=1))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(START)
    with pytest.raises(ValueError, match="zone"):
        clock.set(datetime(2027, 1, 1))  # noqa: DTZ001
    assert clock.now() == START + timedelta(hours=1)


def test_the_clock_ends_in_2200(file):
    clock = VirtualClock(file)
    for amount in (timedelta(days=200 * 366), timedelta.max):
        with pytest.raises(ValueError, match="2200"):
            clock.move(amount)
    with pytest.raises(ValueError, match="2200"):
        clock.set(datetime(9999, 12, 31, tzinfo=UTC))
    clock.set(datetime(2199, 12, 31, tzinfo=UTC))
    clock.start()
    clock.run_at(1_000_000)
    while clock.now() < datetime(2200, 1, 1, tzinfo=UTC):
        pass


def test_a_started_clock_runs_and_a_paused_one_does_not(file):
    clock = VirtualClock(file)
    clock.run_at(1_000_000)
    clock.start()
    while clock.now() == START:
        pass
    stopped = clock.pause()
    assert stopped > START
    assert clock.now() == stopped
    clock.start()  # a second start is no resume
    assert clock.now() == stopped
    assert clock.resume() == stopped
    while clock.now() == stopped:
        pass
    assert clock.now() > stopped


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), 2_000_000])
def test_a_speed_outside_the_bounds_is_refused(file, speed):
    with pytest.raises(ValueError, match="speed"):
        VirtualClock(file).run_at(speed)
    assert VirtualClock(file).read().speed == 1.0


def test_another_process_sees_the_same_clock(file, tmp_path):
    VirtualClock(file).move(timedelta(days=3))
    other = EstateFile(tmp_path / "estate.db")
    try:
        assert VirtualClock(other).now() == START + timedelta(days=3)
        VirtualClock(other).move(timedelta(days=1))
        assert VirtualClock(file).now() == START + timedelta(days=4)
    finally:
        other.close()


def test_creating_again_changes_nothing(file):
    VirtualClock(file).move(timedelta(days=2))
    VirtualClock(file).create()
    assert VirtualClock(file).now() == START + timedelta(days=2)
