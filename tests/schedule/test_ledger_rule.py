"""What the interval counts from: each observed answer of the platform, and the dates that follow from it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rehearse import clock
from rehearse.schedule.ledger import Cycle, Refusal, build_availability, licence_name

NOW = clock.from_iso("2026-11-23T08:00:00Z")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INTERVAL = 29 * DAY
TOO_EARLY = "Refresh date hasn't been met"


def cycle(requested_days_ago: float, refused: tuple[tuple[float, str], ...] = (), **more: object) -> Cycle:
    """A Full copy that took 30 hours and was activated 60 hours after its request."""
    asked = NOW - requested_days_ago * DAY
    values: dict[str, object] = {
        "id": f"0GR{requested_days_ago}", "sandbox": "UAT", "licence": "FULL", "state": "completed", "org_id": None,
        "requested": asked, "copied": asked + 30 * HOUR, "activated": asked + 60 * HOUR,
        "refusals": tuple(Refusal(asked + INTERVAL + hours * HOUR, code, TOO_EARLY) for hours, code in refused),
    }  # fmt: skip
    return Cycle(**{**values, **more})  # type: ignore[arg-type]


def dates(*cycles: Cycle) -> tuple[float | None, float | None]:
    """Hours after request + interval at which a refresh is possible, and certain."""
    found = build_availability("UAT", None, cycles, NOW)
    base = cycles[-1].requested + INTERVAL
    shown = [None if one is None else (one - base) / HOUR for one in (found.possible_from, found.certain_from)]
    return shown[0], shown[1]


def accepted(hours: float) -> tuple[Cycle, Cycle]:
    """A history whose second request was taken so many hours after the first one's request + interval."""
    return cycle(40 + 29 + hours / 24), cycle(40)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ((cycle(10),), (0, 60)),
        (accepted(1), (0, 0)),  # neither the end nor the activation can be what counts
        (accepted(40), (0, 30)),  # the activation cannot be; the request or the end may
        (accepted(70), (0, 60)),  # tells nothing
        ((cycle(10, ((2, "X"),)),), (30, 60)),  # a refusal raises the date shown
        ((cycle(10, ((40, "X"),)),), (60, 60)),
        ((cycle(10, ((70, "X"),)),), (0, 60)),  # all dates had passed: it was about something else
        ((cycle(10, ((-5, "X"),)),), (0, 60)),  # too early by any rule
        ((cycle(10, ((2, "INSUFFICIENT_ACCESS"),)),), (0, 60)),  # not about dates
        ((cycle(80, ((2, "X"),)), cycle(40)), (30, 60)),  # what was learned holds for the next one
        ((cycle(110, ((2, "X"),)), *accepted(1)), (0, 0)),  # an acceptance overrules a doubt
        # what follows a copy that was dropped proves nothing: it may never have used up the interval
        ((cycle(69 + 1 / 24, state="discarded"), cycle(40)), (0, 60)),
        ((cycle(69 + 1 / 24, state="stopped"), cycle(40)), (0, 60)),
        # a refusal while the copy waited for its activation was about that
        ((cycle(40, ((2, "X"),), activated=NOW - 10 * DAY),), (0, 30 * 24)),
    ],
)
def test_each_answer_of_the_platform_gives_its_dates(history: tuple[Cycle, ...], expected: tuple[int, int]) -> None:
    assert dates(*history) == pytest.approx(expected)


@pytest.mark.parametrize(
    "changes",
    [{"by_hand": True}, {"licence": "PARTIAL"}, {"sandbox_id": "0GQ2"}],
    ids=lambda one: next(iter(one)),
)
def test_only_a_refresh_of_the_same_sandbox_that_production_reported_tells_anything(changes: dict[str, object]) -> None:
    before = cycle(40 + 29 + 1 / 24, sandbox_id="0GQ1", **{k: v for k, v in changes.items() if k == "licence"})
    assert dates(before, cycle(40, **{"sandbox_id": "0GQ1", **changes, "licence": "FULL"})) == (0, 60)


@pytest.mark.parametrize(
    "before",
    [
        (cycle(69 + 1 / 24, licence="PARTIAL"), cycle(40, licence="PARTIAL")),  # 5 days had long passed
        (cycle(100, ((-24 * 24 + 20, "X"),), licence="PARTIAL"),),  # refused after request + 5 days, before end + 5
    ],
)
def test_what_was_seen_of_another_licence_type_tells_nothing_of_this_one(before: tuple[Cycle, ...]) -> None:
    assert dates(*before, cycle(10)) == (0, 60)
    other = tuple(replace(one, licence="FULL") for one in before)
    assert build_availability("UAT", None, [*other, cycle(10, licence="PARTIAL")], NOW).certain_from == (
        NOW - 10 * DAY + 60 * HOUR + 5 * DAY
    )


def test_settled_and_evidence_say_what_was_seen() -> None:
    found = build_availability("UAT", None, accepted(1), NOW)
    assert found.settled and found.rule == "request" and "was accepted" in found.evidence
    refused = build_availability("UAT", None, [cycle(29.2, ((2, "X"),))], NOW)
    assert not refused.settled and "Refresh date hasn't been met" in refused.evidence
    assert refused.refreshable == "no" and "Refresh date hasn't been met" in refused.note


def test_a_configured_interval_makes_an_unknown_licence_type_known() -> None:
    found = build_availability("X", None, [cycle(10, licence="FULL_PLUS", interval=20 * DAY)], NOW)
    assert found.possible_from == NOW + 10 * DAY


def test_an_interval_is_that_of_the_licence_type_the_sandbox_has_now() -> None:
    before = cycle(80, licence="FULL_PLUS", interval=60 * DAY, sandbox_id="0GQ1")
    found = build_availability("X", None, [before, cycle(10, sandbox_id="0GQ2")], NOW)
    assert found.possible_from == NOW + 19 * DAY


def test_a_sandbox_that_is_made_again_is_not_the_org_of_its_namesake() -> None:
    before = cycle(80, sandbox_id="0GQ1", org_id="00D1")
    again = cycle(0.1, sandbox_id="0GQ2", org_id="00D2", state="copying", copied=None, activated=None)
    assert build_availability("X", None, [before, again], NOW).org_id is None


@pytest.mark.parametrize("given", ["Developer Pro", "developer_pro", "DEVELOPER-PRO", " Developer  Pro "])
def test_a_licence_type_has_one_spelling(given: str) -> None:
    assert licence_name(given) == "DEVELOPER_PRO"
