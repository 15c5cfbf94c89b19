"""The radar: each deadline once, near ones only, with the command that clears it; in status, report and calendar."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rehearse import clock
from rehearse.baseline.model import Baseline
from rehearse.refresh.model import Estimate, Progress
from rehearse.report.radar import Deadline, Sky, build_radar
from rehearse.report.refreshes import build_progress_blocks
from rehearse.report.sandboxes import SandboxLine
from rehearse.report.schedule import build_happenings
from rehearse.report.view import Paragraph
from rehearse.schedule.ledger import Cycle, build_availability
from rehearse.schedule.model import Booking
from rehearse.schedule.validations import find_open

NOW = clock.from_iso("2026-11-23T08:00:00Z")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def _line(requested_days_ago: float, **more: object) -> SandboxLine:
    asked = NOW - requested_days_ago * DAY
    values = {"state": "completed", "copied": asked + DAY, "activated": asked + 2 * DAY, **more}
    cycle = Cycle("0GR1", "UAT", "FULL", org_id="00D000000000001AAA", requested=asked, **values)  # type: ignore[arg-type]
    return SandboxLine(build_availability("UAT", "FULL", [cycle], NOW), None, None, None)


def _baseline(days_old: int, proof: int | None = None) -> Baseline:
    at = NOW - days_old * DAY
    shown = {"proof": "p", "proof_verdict": "clean", "proof_at": NOW - proof * DAY} if proof is not None else {}
    return Baseline("b1", "UAT", "00D", "c", "s", at, 1, 1, 1, "usable", "host", "store", "sha", **shown)  # type: ignore[arg-type]


def _daily(requested_days_ago: float) -> SandboxLine:
    asked = NOW - requested_days_ago * DAY
    cycle = Cycle("0GR1", "UAT", "DEVELOPER", "completed", None, asked, asked + HOUR, asked + HOUR)
    return SandboxLine(build_availability("UAT", "DEVELOPER", [cycle], NOW), None, None, None)


def _booking(hours: float, **more: object) -> Booking:
    start = NOW + hours * HOUR
    one = Booking("r41-dress", "UAT", start, start + HOUR, start + HOUR, "rehearsal", "R41", "dress")
    return replace(one, **more)  # type: ignore[arg-type]


def _refresh(hours: float) -> Booking:
    """The time in which a booked refresh changes the sandbox; its request was due a day ago."""
    return _booking(hours, id="refresh-uat", what="refresh", release=None, rehearsal=None, request=NOW - DAY)


_use = _booking(20, id="use", what="use", release=None, rehearsal=None)
CASES: list[tuple[str, list[SandboxLine], Sky, list[tuple[str, str]]]] = [
    ("nothing", [_line(10)], Sky(), []),
    ("pending", [_line(10, state="pending-activation", activated=None)], Sky(),
     [("activation", "rehearse refresh activate UAT")]),
    ("copying", [_line(1, state="copying", copied=None, activated=None)], Sky(),
     [("copy", "rehearse refresh watch UAT")]),
    ("stopped", [_line(1, state="stopped", copied=None, activated=None)], Sky(),
     [("copy", "rehearse refresh watch UAT")]),
    ("locked", [_line(90, state="locked")], Sky(), [("copy", "rehearse ledger list")]),
    ("a copy that takes its time", [_line(26, state="copying", copied=None, activated=None)], Sky(),
     [("copy", "rehearse refresh watch UAT")]),  # nothing of the refresh after it
    ("burned", [replace(_line(40), burned_by=_booking(-30, burns=True))], Sky(),
     [("burned", "rehearse refresh request UAT")]),
    ("ready list", [replace(_line(3), open_items=2)], Sky(), [("ready", "rehearse refresh ready UAT")]),
    ("planned", [_line(10)], Sky(bookings=(_refresh(20),)), [("request", "rehearse refresh request UAT")]),
    ("planned again", [_daily(2)], Sky(bookings=(replace(_refresh(50), request=NOW + 2 * DAY),)),
     [("request", "rehearse refresh request UAT")]),
    ("asked", [_line(1, state="copying", copied=None, activated=None)], Sky(bookings=(_refresh(20),)),
     [("copy", "rehearse refresh watch UAT")]),
    ("made", [_line(1, state="pending-activation", activated=None)], Sky(bookings=(_refresh(20),)),
     [("booking", "rehearse refresh activate UAT"), ("activation", "rehearse refresh activate UAT")]),
    ("dates", [_line(26)], Sky(), [("refresh", "rehearse refresh check UAT")] * 2),
    ("preview", [], Sky(previews=(("Spring", NOW + 9 * DAY), ("Summer", NOW + 90 * DAY), ("Past", NOW - DAY))),
     [("preview", "rehearse sandboxes")]),
    ("quick", [], Sky(validations=(("0Af1", NOW - 4 * DAY),)),
     [("validation", "sf project deploy quick --job-id 0Af1")]),
    ("late", [], Sky(validations=(("0Af1", NOW - 12 * DAY),)), [("validation", "sf project deploy validate")]),
    ("new", [], Sky(validations=(("0Af1", NOW - DAY),)), []),
    ("idle", [_line(150)], Sky(), [("idle", "rehearse baseline capture UAT")]),
    ("in use", [_line(150)], Sky(used={"UAT": NOW - 3 * DAY}), []),
    ("soon", [_line(10)], Sky(bookings=(_booking(20), _booking(40, id="later"))),
     [("booking", "rehearse baseline capture UAT")]),
    ("approval", [], Sky(bookings=(_booking(20, state="requested"),)),
     [("approval", "rehearse book confirm r41-dress")]),
    ("broken", [], Sky(bookings=(_booking(20),), broken={"r41-dress": "A freeze."}),
     [("broken", "rehearse plan plans/*.yaml --replan")]),
    ("moved", [], Sky(bookings=(_use,), broken={"use": "A freeze."}, free={"use": "rehearse book move use --from X"}),
     [("broken", "rehearse book move use --from X")]),
    ("no room", [], Sky(bookings=(_use,), broken={"use": "A freeze."}), [("broken", "rehearse book cancel use")]),
    ("of a sheet", [replace(_line(1, state="copying", copied=None, activated=None), listed=False)], Sky(),
     [("copy", "rehearse ledger show UAT")]),
    ("of no login", [replace(_line(150), can_log_in=False)], Sky(), [("idle", "rehearse ledger add UAT --used today")]),
    ("booked without a login", [replace(_line(10), can_log_in=False)], Sky(bookings=(_booking(20),)),
     [("booking", "rehearse book show r41-dress")]),
    ("booked in a sheet", [replace(_line(10), listed=False, can_log_in=False)], Sky(bookings=(_booking(20),)),
     [("booking", "rehearse book show r41-dress")]),
    ("burned without a login", [replace(_line(40), burned_by=_booking(-30, burns=True), can_log_in=False)], Sky(),
     [("burned", "rehearse refresh request UAT")]),
    ("baseline", [replace(_line(10), baseline=_baseline(31, 31))], Sky(),
     [("baseline", "rehearse baseline capture UAT")]),
    ("not proven since", [replace(_line(10), baseline=_baseline(5, 4), unproven=_booking(-9))], Sky(),
     [("proof", "rehearse reset prove UAT")]),
    ("proof", [replace(_line(10), baseline=_baseline(5, 29))], Sky(), [("proof", "rehearse reset prove UAT")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "lines", "sky", "expected"), CASES, ids=[one[0] for one in CASES])
def test_each_deadline_once_with_what_clears_it(
    name: str, lines: list[SandboxLine], sky: Sky, expected: list[tuple[str, str]]
) -> None:
    found = build_radar(lines, NOW, sky)
    assert [(one.kind, one.clear_with) for one in found] == expected
    assert [one.due for one in found] == sorted(one.due for one in found)


def test_what_waits_for_people_is_due_now() -> None:
    """A sandbox that licences lock was due at the expected end of a copy that had ended months ago."""
    (locked,) = build_radar([_line(90, state="locked")], NOW, Sky())
    (stopped,) = build_radar([_line(1, state="stopped", copied=None, activated=None)], NOW, Sky())
    assert locked.due == stopped.due == NOW and "licences are used up" in locked.what and "Support" in stopped.what


def test_a_copy_that_is_late_says_so_and_when_it_was_expected() -> None:
    (late,) = build_radar([_line(26, state="copying", copied=None, activated=None)], NOW, Sky())
    assert late.due < NOW and late.what.endswith("it takes longer than expected (P90)")
    estimate = Estimate(NOW - 2 * HOUR, NOW - HOUR, "3 earlier copies")
    (_, words) = build_progress_blocks(
        Progress("waiting", "It is copied.", estimate=estimate), clock.zone("Europe/Dublin"), NOW
    )
    assert isinstance(words, Paragraph) and "it takes longer" in words.text


def test_a_calendar_holds_each_deadline_once() -> None:
    line, one = replace(_line(26), baseline=_baseline(31)), _booking(20)
    due: tuple[Deadline, ...] = build_radar([line], NOW, Sky(bookings=(one,)))
    titles = [event.title for event in build_happenings([line], [one], NOW, due)]
    assert len(titles) == len(set(titles)) == 4
    uids = [event.uid for event in build_happenings([line], [one], NOW, due)]
    assert len(uids) == len(set(uids))


def test_a_calendar_holds_one_refresh_date_where_both_are_one() -> None:
    line = _line(10)
    settled = replace(line.availability, possible_from=line.availability.certain_from)
    titles = [one.title for one in build_happenings([replace(line, availability=settled)], [], NOW)]
    assert titles == ["UAT: refresh certain"]


def test_a_validation_waits_until_something_follows_it() -> None:
    def row(id: str, day: int, check: bool) -> dict[str, object]:
        return {"Id": id, "CheckOnly": check, "CompletedDate": f"2026-11-{day:02}T10:00:00.000+0000"}

    assert [one.id for one in find_open([row("a", 1, True), row("b", 3, True), row("c", 2, False)])] == ["b"]
    assert find_open([row("a", 1, True), row("c", 2, False)]) == () == find_open([])


def test_a_line_says_what_the_sandbox_is_good_for() -> None:
    line, burnt = _line(10), _booking(-9, burns=True)
    dirty = replace(_baseline(5, 2), proof_verdict="dirty")
    worse = [replace(line, baseline=dirty)]
    for more in ({"burned_by": burnt}, {"booking": _booking(0)}, {"open_items": 1}):
        worse.append(replace(worse[-1], **more))
    copying = replace(worse[-1], availability=_line(1, state="copying", copied=None).availability)
    found = [one.condition for one in (line, *worse, copying)]
    assert found == ["free", "dirty", "burned", "in-use", "not-ready", "copying"]


def test_an_entry_keeps_its_name_when_it_moves_and_says_how_often_it_was_changed() -> None:
    from icalendar import Calendar

    from rehearse.report.ical import render_ical

    def feed(days: float, line: SandboxLine) -> dict[str, int]:
        one = _booking(24 * days)
        due = build_radar([line], NOW, Sky(bookings=(one,), broken={one.id: "A freeze."}))
        happenings = build_happenings([], [one], NOW, due, {one.id: 3})
        events = Calendar.from_ical(render_ical("x", happenings, NOW)).walk("VEVENT")
        return {str(event["uid"]): int(event["sequence"]) for event in events}

    quick = _line(1, state="copying", copied=None, activated=None)
    slow = replace(quick, availability=replace(quick.availability, copy_p90=70 * HOUR))
    assert feed(1, quick) == feed(2, slow)
    assert feed(1, quick)["r41-dress@rehearse"] == 3 and len(feed(1, quick)) == 3


def test_the_open_list_of_a_new_sandbox_is_one_entry_whenever_it_is_looked_at() -> None:
    made = replace(_line(3, activated=None), open_items=2)  # a create: nobody activates it
    found = [build_happenings([], [], at, build_radar([made], at)) for at in (NOW, NOW + DAY)]
    assert found[0] == found[1] and found[0][0].uid.startswith("ready-UAT-")
