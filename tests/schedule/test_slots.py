"""Free times that a refused booking is offered: free, on the grid, as long as asked, in hours where the wish was."""

from datetime import timedelta
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse import clock
from rehearse.schedule.model import Booking, Closed, Window
from rehearse.schedule.slots import Calendar, find_elsewhere, find_slots, is_free

MONDAY = clock.from_iso("2026-11-23T09:00:00Z")
HOUR = timedelta(hours=1)


def _use(name: str, sandbox: str, start: int, hours: int) -> Booking:
    begin = MONDAY + start * HOUR
    return Booking(name, sandbox, begin, begin + hours * HOUR, begin + (hours + 1) * HOUR, "use")


def test_the_next_free_times_go_around_bookings_resets_blackouts_and_nights(worlds: SimpleNamespace) -> None:
    closed = (Closed("run", Window(MONDAY + 24 * HOUR, MONDAY + 48 * HOUR), ("UAT",)),)
    calendar = Calendar((_use("a", "UAT", 0, 3), _use("b", "SIT", 0, 1)), closed, worlds.policy())
    wish = Window(MONDAY, MONDAY + 3 * HOUR)
    found = [(one.window.start - MONDAY) / HOUR for one in find_slots(calendar, "UAT", wish)]
    assert found == [4, 48, 51]  # after the hour of its reset; Tuesday is closed; the night is no time to work
    assert find_elsewhere(calendar, ["SIT", "DEV"], wish)[0].sandbox == "DEV"
    night = Window(MONDAY + 20 * HOUR, MONDAY + 23 * HOUR)
    assert find_slots(calendar, "UAT", night)[0].window == night


def test_outside_the_hours_a_gap_between_two_bookings_is_offered(worlds: SimpleNamespace) -> None:
    saturday, half = MONDAY + 5 * 24 * HOUR, HOUR / 2
    taken = [(saturday + n * HOUR, saturday + n * HOUR + half) for n in range(12)]
    bookings = tuple(Booking(f"b{n}", "UAT", *one, one[1], "use") for n, one in enumerate(taken))
    calendar = Calendar(bookings, (), worlds.policy())
    found = find_slots(calendar, "UAT", Window(saturday + half / 3, saturday + half / 3 + half))
    assert [(one.window.start - saturday) / HOUR for one in found] == [0.5, 1.5, 2.5]


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    busy=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 20)), max_size=8),
    start=st.integers(0, 100),
    hours=st.integers(1, 12),
)
def test_whatever_is_booked_an_offered_time_is_free(
    busy: list[tuple[int, int]], start: int, hours: int, worlds: SimpleNamespace
) -> None:
    bookings = tuple(_use(str(number), "UAT", *one) for number, one in enumerate(busy))
    calendar = Calendar(bookings, (), worlds.policy())
    wish = Window(MONDAY + start * HOUR, MONDAY + (start + hours) * HOUR)
    found = find_slots(calendar, "UAT", wish)
    assert found
    for one in found:
        assert is_free(calendar, "UAT", one.window) and one.window.start >= wish.start
        assert one.window.end - one.window.start == hours * HOUR
