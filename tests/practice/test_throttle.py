"""The shared rate, with a clock of its own: nothing here waits."""

import asyncio
import random

import pytest

from rehearse.practice.throttle import CHUNK, Throttle, stream_range


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds


def take(throttle, path, size, **options):
    async def read():
        return b"".join([piece async for piece in stream_range(path, [(0, size)], throttle, **options)])

    return asyncio.run(read())


@pytest.fixture
def body(tmp_path):
    path = tmp_path / "result.csv"
    path.write_bytes(random.Random(1).randbytes(3_000_000))
    return path


def test_a_rate_makes_a_body_take_its_time(body):
    clock = Clock()
    assert take(Throttle(lambda: 1_000_000, clock.now, clock.sleep), body, 3_000_000) == body.read_bytes()
    assert clock.time == pytest.approx(2.9, abs=0.2), "three seconds, less the last piece"


def test_no_rate_waits_for_nothing(body):
    clock = Clock()
    throttle = Throttle(lambda: None, clock.now, clock.sleep)
    assert take(throttle, body, 3_000_000) == body.read_bytes()
    assert clock.time == 0
    assert asyncio.run(throttle.chunk_size()) == CHUNK


def test_two_bodies_share_the_rate(body):
    clock = Clock()
    throttle = Throttle(lambda: 1_000_000, clock.now, clock.sleep)

    async def both():
        async def one():
            async for _ in stream_range(body, [(0, 1_000_000)], throttle):
                pass

        await asyncio.gather(one(), one())

    asyncio.run(both())
    assert clock.time == pytest.approx(2.0, abs=0.25)


def test_a_changed_rate_is_seen_within_a_second(body):
    clock = Clock()
    rates = iter([100_000, *[0] * 10])
    take(Throttle(lambda: next(rates), clock.now, clock.sleep), body, 3_000_000)
    assert clock.time <= 1.2
