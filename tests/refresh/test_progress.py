"""How far a copy is, in words; what stands against an activation; what a new generation must be made ready with."""

from datetime import timedelta

import pytest

from rehearse import clock
from rehearse.lock import Lock
from rehearse.org.model import CopyStage
from rehearse.refresh.ask import build_letter
from rehearse.refresh.decide import activation_deadline, find_obstacles
from rehearse.refresh.model import Keepsake, ReadyItem
from rehearse.refresh.progress import build_progress, estimate_copy, expected_ends
from rehearse.refresh.ready import build_items, is_ready
from rehearse.schedule.ledger import Cycle
from rehearse.schedule.model import Booking

NOW = clock.from_iso("2026-11-23T08:00:00Z")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def cycle(state: str, days_ago: float = 1, **more: object) -> Cycle:
    asked = NOW - days_ago * DAY
    made = asked + 20 * HOUR if state in ("pending-activation", "activating", "completed", "discarded") else None
    values = {"id": f"0GR{days_ago}", "sandbox": "UAT", "licence": "FULL", "state": state, "org_id": "00D1"}
    return Cycle(**{**values, "requested": asked, "copied": made, "activated": None, **more})  # type: ignore[arg-type]


def stage(number: int, estimated: int | None, actual: int | None = None, done: int | None = None) -> CopyStage:
    return CopyStage("0GR", number, "x", "In Progress", NOW, None, estimated, actual, done)


@pytest.mark.parametrize(
    ("state", "verdict", "says", "run_next"),
    [
        ("pending", "waiting", "queue", "watch"),
        ("copying", "waiting", "old sandbox still works", "watch"),
        ("suspended", "suspended", "by itself", "watch"),
        ("stopped", "stopped", "0GR1", "watch"),
        ("pending-activation", "decide", "decide", "activate UAT --confirm UAT"),
        ("activating", "waiting", "nobody can use it", "watch"),
        ("completed", "done", "00D1", "ready"),
        ("discarding", "waiting", "old sandbox stays", "watch"),
        ("discarded", "discarded", "stays as it was", ""),
        ("locked", "stopped", "licences are used up", "ledger list"),
        ("deleted", "gone", "deleted", ""),
    ],
)
def test_each_state_has_its_words_and_its_next_command(state: str, verdict: str, says: str, run_next: str) -> None:
    found = build_progress("UAT", [cycle("completed", 60), cycle(state)], ())
    assert found.verdict == verdict and says in found.words and run_next in found.run_next
    assert bool(found.run_next) == bool(run_next)


def test_stages_tell_the_place_in_the_queue_and_the_share_of_the_final_work() -> None:
    queued = build_progress("UAT", [cycle("pending")], [stage(0, 2)])
    assert queued.queue_place == 2 and "2 sandbox(es) before it" in queued.words
    guessed = build_progress("UAT", [cycle("copying", progress=7)], [stage(1, 200, None, 50)])
    assert guessed.percent == 25
    final = build_progress("UAT", [cycle("copying")], [stage(1, 200, 100, 50)])
    assert final.percent == 50
    assert build_progress("UAT", [cycle("copying", progress=7)], ()).percent == 7
    assert build_progress("UAT", [cycle("copying")], ()).percent is None, "a copy by a template shows no progress"
    assert build_progress("UAT", [cycle("copying")], [stage(1, 100, None, 500)]).percent == 100


def test_the_estimate_counts_from_the_copies_before_it_in_the_queue() -> None:
    own = [cycle("completed", 90), cycle("completed", 50)]
    last = cycle("pending", 0.5)
    alone = estimate_copy(last, [*own, last])
    assert alone is not None and alone.p50 == last.requested + 20 * HOUR and "2 earlier" in alone.basis
    other = cycle("copying", 0.6, sandbox="PERF", expected_p50=NOW + 5 * HOUR, expected_p90=NOW + 9 * HOUR)
    ahead = expected_ends({"UAT": [last], "PERF": [other]}, last)
    behind = estimate_copy(last, own, ahead)
    assert behind is not None and (behind.p50, behind.p90) == (NOW + 25 * HOUR, NOW + 29 * HOUR)
    assumed = estimate_copy(last, ())
    assert assumed is not None and assumed.p90 == last.requested + 48 * HOUR and "assumed" in assumed.basis
    assert estimate_copy(cycle("pending", licence="FULL_PLUS"), ()) is None


def test_an_activation_is_held_back_by_whoever_has_the_sandbox_before_it_is_ready() -> None:
    waiting = cycle("pending-activation", 3)

    def booked(start: float, what: str = "use") -> Booking:
        begin = NOW + start * HOUR
        return Booking(f"b{start}", "UAT", begin, begin + HOUR, begin + HOUR, what, why="tests")  # type: ignore[arg-type]

    bookings = [booked(-5), booked(-0.5), booked(5), booked(7), booked(1, "refresh")]
    found = find_obstacles(waiting, bookings, (), NOW, 6 * HOUR)
    assert len(found) == 2 and all(one.lifted_by == "--over-bookings" for one in found)
    held = Lock("uat", "01", "ana", "reset", NOW, "host", "1/1")
    assert "ana works on it" in find_obstacles(waiting, (), (held,), NOW, 6 * HOUR)[0].text
    assert find_obstacles(cycle("copying"), (), (), NOW, HOUR)[0].lifted_by == ""
    assert find_obstacles(None, (), (), NOW, HOUR)
    assert find_obstacles(waiting, (), (), NOW, HOUR) == ()
    assert activation_deadline(waiting) == NOW - 3 * DAY + 20 * HOUR + 30 * DAY
    assert activation_deadline(cycle("completed")) is None


def test_the_list_masks_copied_records_and_names_what_no_tool_brings_back() -> None:
    kept = [Keepsake("schedule Nightly", "Ana", "why")]
    assert build_items("PARTIAL", None, kept)[0].item == "masking finished"
    assert "masking finished" not in {one.item for one in build_items("DEVELOPER", None, ())}
    own = build_items("FULL", [ReadyItem("ours", "Bob")], kept)
    assert [(one.item, one.owner) for one in own] == [("ours", "Bob"), ("schedule Nightly", "Ana")]
    assert not is_ready(()) and not is_ready(own)
    assert is_ready([ReadyItem("x", "Bob", ticked_by="Bob", ticked_at=NOW)])


def test_the_letter_names_every_setting_that_must_stay() -> None:
    lines = build_letter("request", "ACME", "UAT", {"HistoryDays": 30, "Description": None, "CopyChatter": False})
    assert "  HistoryDays: 30" in lines and "  CopyChatter: False" in lines
    assert not any("Description" in one for one in lines)
    assert "0GR9" in " ".join(build_letter("activate", "ACME", "UAT", {}, "0GR9"))
