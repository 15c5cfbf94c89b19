"""What production says about its sandboxes, kept for good: clones, discarded copies, deleted and recreated names."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rehearse import clock, state
from rehearse.errors import UsageError
from rehearse.org.model import SandboxCopy, SandboxRecord, SandboxState
from rehearse.schedule.ledger import Cycle, Refusal, build_availability
from rehearse.schedule.ledger_outlook import build_next_dates
from rehearse.schedule.ledger_sandboxes import is_gone, load_sandboxes, record_sandboxes
from rehearse.schedule.ledger_store import (
    load_cycles,
    record_copies,
    record_refusal,
    remove_cycle,
    save_cycles,
    set_discarded,
)

NOW = clock.from_iso("2026-11-23T08:00:00Z")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[state.Database]:
    made = state.open_database(tmp_path)
    yield made
    made.close()


def info(number: int, name: str, licence: str = "FULL", source: int | None = None) -> SandboxRecord:
    of = None if source is None else f"0GQ{source}"
    return SandboxRecord(f"0GQ{number}", name, licence, None, False, None, of, {})


def copy(number: int, of: int, days_ago: float, state: SandboxState = "completed", **more: object) -> SandboxCopy:
    asked = NOW - days_ago * DAY
    made = None if state in ("pending", "copying") else asked + 30 * HOUR
    values: dict[str, object] = {
        "id": f"0GR{number}", "sandbox_id": f"0GQ{of}", "name": "UATFull", "licence": "FULL", "state": state,
        "label": state, "org_id": f"00D{number}", "requested": asked, "copied": made, "activated": None,
    }  # fmt: skip
    return SandboxCopy(**{**values, **more})  # type: ignore[arg-type]


def test_a_clone_has_the_licence_of_its_source_and_names_it(database: state.Database) -> None:
    record_sandboxes(database, [info(1, "UATFull"), info(2, "Child", "", 1), info(3, "Grand", "", 2)], NOW)
    record_copies(database, [copy(7, 3, 5, name="Grand", licence="")], NOW)
    cycle = load_cycles(database)["GRAND"][0]
    assert (cycle.licence, cycle.clone_of) == ("FULL", "Child")
    assert build_availability("Grand", None, [cycle], NOW).possible_from == NOW + 24 * DAY


def test_a_source_that_is_gone_or_clones_in_a_circle_do_no_harm(database: state.Database) -> None:
    record_sandboxes(database, [info(1, "A", "", 2), info(2, "B", "", 1), info(3, "C", "", 9)], NOW)
    assert [one.licence for one in load_sandboxes(database)] == ["", "", ""]
    record_copies(database, [copy(1, 1, 5, name="A", licence="")], NOW)
    assert load_cycles(database)["A"][0].licence == "?"


def test_a_dropped_copy_is_discarded_and_its_sandbox_lives_on(database: state.Database) -> None:
    record_sandboxes(database, [info(1, "UATFull")], NOW)
    record_copies(database, [copy(2, 1, 5, "deleted"), copy(1, 1, 60)], NOW)
    cycles = load_cycles(database)["uatfull"]
    assert [one.state for one in cycles] == ["completed", "discarded"]
    found = build_availability("UATFULL", None, cycles, NOW)
    assert (found.org_id, found.state, found.requested) == ("00D1", "completed", NOW - 5 * DAY)
    assert found.refreshable == "no" and not is_gone(load_sandboxes(database), "uatfull", cycles)


def test_a_dropped_copy_is_discarded_also_when_production_has_forgotten_those_before_it(
    database: state.Database,
) -> None:
    record_sandboxes(database, [info(1, "UATFull")], NOW)
    record_copies(database, [copy(1, 1, 60)], NOW)
    record_copies(database, [copy(2, 1, 35, "deleted")], NOW)
    found = build_availability("UATFULL", None, load_cycles(database)["UATFULL"], NOW)
    assert (found.state, found.refreshable, found.org_id) == ("completed", "yes", "00D1")


def test_a_sheet_that_knows_the_activation_only_makes_no_second_refresh_of_it(database: state.Database) -> None:
    record_copies(database, [copy(1, 1, 20, activated=NOW - 16 * DAY)], NOW)
    day = NOW - 16 * DAY - 8 * HOUR
    sheet = Cycle("sheet:1", "UATFull", "FULL", "completed", None, day, day + DAY, day + DAY, by_hand=True)
    save_cycles(database, [replace(sheet, source="sheet")], NOW)
    cycles = load_cycles(database)["UATFULL"]
    assert [one.id for one in cycles] == ["0GR1"], "the 29 days would count from the activation"


@pytest.mark.parametrize("label", ["deleted", "completed"])
def test_what_we_discarded_stays_discarded_whatever_production_calls_it(
    database: state.Database, label: SandboxState
) -> None:
    record_sandboxes(database, [info(1, "UATFull")], NOW)
    old, new = copy(1, 1, 60), copy(2, 1, 5, "pending-activation")
    record_copies(database, [old, new], NOW)
    set_discarded(database, "0GR2")
    for seen in ("discarding", label):
        record_copies(database, [old, copy(2, 1, 5, seen)], NOW)  # type: ignore[arg-type]
    assert load_cycles(database)["UATFULL"][-1].state == "discarded"
    assert build_availability("UATFULL", None, load_cycles(database)["UATFULL"], NOW).org_id == "00D1"


def test_a_deleted_sandbox_is_gone_until_one_of_its_name_is_made_again(database: state.Database) -> None:
    record_sandboxes(database, [info(1, "UATFull")], NOW)
    record_copies(database, [copy(1, 1, 60)], NOW)
    record_sandboxes(database, [], NOW + DAY)
    cycles = load_cycles(database)["UATFULL"]
    assert is_gone(load_sandboxes(database), "UATFULL", cycles) and len(cycles) == 1
    record_sandboxes(database, [info(2, "uatfull", "PARTIAL")], NOW + 2 * DAY)
    record_copies(database, [copy(2, 2, 1, name="uatfull", licence="PARTIAL")], NOW + 2 * DAY)
    cycles = load_cycles(database)["UATFULL"]
    assert not is_gone(load_sandboxes(database), "UATFULL", cycles)
    assert [(one.sandbox_id, one.licence) for one in cycles] == [("0GQ1", "FULL"), ("0GQ2", "PARTIAL")]
    found = build_availability("UATFULL", None, cycles, NOW + 2 * DAY)
    assert found.type == "PARTIAL" and not found.settled, "a new sandbox proves nothing about the old one's interval"
    assert found.copy_p50 == 30 * HOUR and found.copy_p90 == 30 * HOUR


def test_a_sandbox_that_production_lists_no_more_has_no_dates_and_is_no_org(database: state.Database) -> None:
    record_sandboxes(database, [info(1, "UATFull"), info(2, "Other")], NOW)
    record_copies(database, [copy(1, 1, 90), copy(2, 1, 60)], NOW)
    record_sandboxes(database, [info(2, "Other")], NOW + DAY)
    record_copies(database, [copy(1, 1, 90), copy(2, 1, 60)], NOW)  # its rows stay, and tell of no end
    cycles = load_cycles(database)["UATFULL"]
    found = build_availability("UATFULL", None, cycles, NOW)
    assert (found.state, found.refreshable, found.possible_from, found.org_id) == ("deleted", "no", None, None)
    assert found.note == "it was deleted in Salesforce" and not build_next_dates(found, cycles, None, NOW)
    record_sandboxes(database, [], NOW + 2 * DAY)  # a login that may not see them any more
    assert build_availability("UATFULL", None, load_cycles(database)["UATFULL"], NOW).refreshable == "yes"


def test_a_copy_that_waits_or_was_dropped_is_not_the_sandbox_yet(database: state.Database) -> None:
    for label in ("pending-activation", "discarding", "deleted"):
        record_sandboxes(database, [info(1, "UATFull")], NOW)
        record_copies(database, [copy(1, 1, 60), copy(2, 1, 5, label)], NOW)  # type: ignore[arg-type]
        found = build_availability("UATFULL", None, load_cycles(database)["UATFULL"], NOW)
        assert found.live_since == NOW - 60 * DAY + 30 * HOUR and found.copied == NOW - 5 * DAY + 30 * HOUR


def test_production_forgets_and_the_ledger_does_not(database: state.Database) -> None:
    record_copies(database, [copy(1, 1, 60), copy(2, 1, 20)], NOW)
    record_copies(database, [copy(3, 1, 0, "pending")], NOW)
    cycles = load_cycles(database)["UATFULL"]
    assert [one.id for one in cycles] == ["0GR1", "0GR2", "0GR3"]
    assert cycles[-1].expected_p50 == cycles[-1].expected_p90 == NOW + 30 * HOUR
    record_copies(database, [copy(3, 1, 0, "completed")], NOW + 2 * DAY)
    last = load_cycles(database)["UATFULL"][-1]
    assert last.state == "completed" and last.expected_p50 == NOW + 30 * HOUR, "what was expected is kept"


def test_a_sandbox_that_licences_lock_is_still_the_org_that_it_was(database: state.Database) -> None:
    old, new = copy(1, 1, 60), copy(2, 1, 20, "locked", activated=NOW - 18 * DAY)
    record_copies(database, [old, new], NOW)
    found = build_availability("UATFULL", None, load_cycles(database)["UATFULL"], NOW)
    assert found.org_id == "00D2" and found.refreshable == "no" and "locked" in found.note
    record_copies(database, [old, copy(2, 1, 20, "locked")], NOW)  # it was waiting for its activation
    assert build_availability("UATFULL", None, load_cycles(database)["UATFULL"], NOW).org_id == "00D1"


def test_what_one_sandbox_proved_holds_for_the_others_of_its_type(database: state.Database) -> None:
    early = copy(2, 1, 70 - 29 - 0.5)
    other, partial = copy(3, 2, 10, name="PERF"), copy(4, 3, 10, name="SIT1", licence="PARTIAL")
    record_copies(database, [copy(1, 1, 70), early, other, partial], NOW)
    ledger = load_cycles(database)
    found = build_availability("PERF", None, ledger["PERF"], NOW)
    assert found.settled and found.certain_from == NOW + 19 * DAY and "another sandbox" in found.evidence
    own = build_availability("UATFULL", None, ledger["UATFULL"], NOW)
    assert own.settled and own.evidence.startswith("the request of "), "its own request settled it, and is named"
    assert not build_availability("SIT1", None, ledger["SIT1"], NOW).settled


def test_refused_requests_belong_to_the_refresh_before_them(database: state.Database) -> None:
    record_copies(database, [copy(1, 1, 60), copy(2, 1, 20)], NOW)
    for days, name in ((40, "UATFULL"), (1, "uatfull"), (70, "UATFULL")):
        record_refusal(database, name, Refusal(NOW - days * DAY, "X", f"{days} days ago"))
    first, second = load_cycles(database)["UATFULL"]
    assert [one.text for one in first.refusals] == ["40 days ago"]
    assert [one.text for one in second.refusals] == ["1 days ago"]


def test_what_a_person_wrote_counts_until_production_tells_of_it(database: state.Database) -> None:
    asked = NOW - 20 * DAY
    hand = Cycle("hand:1", "uatfull", "FULL", "copying", None, asked - HOUR, None, None, by_hand=True, source="hand")
    save_cycles(database, [hand], NOW)
    assert [one.id for one in load_cycles(database)["UATFULL"]] == ["hand:1"]
    record_copies(database, [copy(2, 1, 20)], NOW)
    assert [one.id for one in load_cycles(database)["UATFULL"]] == ["0GR2"]
    with pytest.raises(UsageError):
        save_cycles(database, [Cycle("0GR2", "UATFULL", "FULL", "completed", None, asked, None, None)], NOW)
    with pytest.raises(UsageError):
        remove_cycle(database, load_cycles(database)["UATFULL"][0])
