"""A drill leaves nothing behind, wherever it is killed, and settles what a canary can settle."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse import clock, lock
from rehearse.baseline.index import Baselines
from rehearse.events import Event, Noted, OnEvent, ignore
from rehearse.reset.assumptions import ASSUMPTIONS, list_unconfirmed
from rehearse.reset.broken_off import load_broken_off
from rehearse.reset.context import ApplySettings
from rehearse.reset.drill_answers import keep_answers, load_answers
from rehearse.reset.drill_canary import OBJECT
from rehearse.reset.drill_facts import QUESTIONS, settle
from rehearse.reset.drill_progress import find_progress, is_drill_open
from rehearse.reset.drill_run import Bench, DrillResult, abandon_drill, run_drill
from rehearse.reset.model import Settled

FACTS = 30
"""The call at which the drill is killed that then also asks the open questions."""
LONG = os.environ.get("REHEARSE_TEST") == "all"


class Killed(BaseException):
    """What no code of ours catches."""


def hold_drill(lab: Any, settled: list[Settled] | None = None, on_event: OnEvent = ignore) -> DrillResult:
    with lock.hold(lab.database, "UATFULL", "drill", clock.now()) as held:
        ask = (lambda hand: settled.extend(settle(hand))) if settled is not None else None
        return run_drill(replace(bench(lab, held), on_event=on_event), ask)


def bench(lab: Any, held: lock.Lock) -> Bench:
    settings = ApplySettings(keep_newer=True, uncertain_for=timedelta(0), poll=0.0, sleep=lambda seconds: None)
    folder = lab.folder / "drills"
    return Bench("UATFULL", lab.writer, lab.store, lab.database, held, folder, clock.now, ignore, settings)


@pytest.fixture
def quiet(lab: Any) -> Iterator[Any]:
    """At the end of the test the org is what it was, and the workspace holds nothing of the drill."""
    before = lab.photograph(("Routing__c", "PermissionSetAssignment"))
    yield lab
    lab.hook = None
    assert lab.photograph(("Routing__c", "PermissionSetAssignment")) == before
    assert lab.org.find_object(OBJECT) is None
    assert lab.store.load_all() == () and Baselines(lab.database).load() == ()
    assert list((lab.folder / "drills").iterdir()) == []


@pytest.mark.parametrize("kill", [FACTS, *range(2, 90, 3)] if LONG else [FACTS])
def test_a_drill_that_was_killed_goes_on_and_leaves_nothing(quiet: Any, kill: int) -> None:
    calls = 0

    def hook(when: str, method: str, path: str) -> None:
        nonlocal calls
        calls += when == "before"
        if when == "before" and calls == kill:
            raise Killed

    quiet.hook = hook
    heard: list[Event] = []
    with pytest.raises(Killed):
        hold_drill(quiet, on_event=heard.append)
    quiet.hook = None
    assert find_progress(quiet.folder / "drills", "UATFULL") is not None
    assert is_drill_open(quiet.database, "UATFULL", quiet.writer.org_id), "also where the folder is not at hand"
    assert (
        not is_drill_open(quiet.database, "UATFULL", "00Danother")
        and load_broken_off(quiet.database, clock.now()) == ()
    )
    quiet.writer = quiet._connect()
    found: list[Settled] = []
    result = hold_drill(quiet, found if kill == FACTS else None, heard.append)
    assert not [one for one in heard if isinstance(one, Noted) and "rehearse.yaml" in one.text], "a scope of its own"
    assert not is_drill_open(quiet.database, "UATFULL", quiet.writer.org_id)
    assert result.clean and result.continued and {one.outcome for one in result.items} == {"restored"}
    assert {one.type for one in result.items} == {OBJECT, "CustomField", "PermissionSet", "ValidationRule"}
    if kill == FACTS:
        check_answers(quiet, found)


def check_answers(lab: Any, found: list[Settled]) -> None:
    """What a canary can settle is settled, kept for its production, and confirms what proofs assume."""
    answers = {one.question: one.answer for one in found if one.settled}
    assert set(answers) == {one.key for one in QUESTIONS if one.ask is not None}
    assert answers["data 8.4"].startswith("yes") and answers["metadata 9.1"].startswith("no")
    keep_answers(lab.database, "00D1", "DEV1", found, clock.now())
    open_ones = [Settled("data 8.2", "no answer: asleep", False)]
    keep_answers(lab.database, "00D1", "DEV1", open_ones, clock.now())
    kept = load_answers(lab.database, "00D1")
    assert kept["data 8.2"].settled, "an answer is not lost because a later drill got none"
    assert load_answers(lab.database, "00D2") == {}
    asked = [one for one in ASSUMPTIONS if one.question]
    assert len(list_unconfirmed(kept)) == len(ASSUMPTIONS) - len(asked)


def test_a_drill_that_nobody_goes_on_with_is_removed(quiet: Any) -> None:
    def hook(when: str, method: str, path: str) -> None:
        if when == "before" and method == "POST" and path.endswith("/composite/sobjects"):
            raise Killed

    quiet.hook = hook
    heard: list[Event] = []
    with pytest.raises(Killed):
        hold_drill(quiet, on_event=heard.append)
    quiet.hook = None
    quiet.writer = quiet._connect()
    with lock.hold(quiet.database, "UATFULL", "drill", clock.now()) as held:
        abandon_drill(bench(quiet, held))


def test_an_answer_that_says_otherwise_is_told() -> None:
    answers = {"data 8.5": Settled("data 8.5", "no"), "metadata 9.2": Settled("metadata 9.2", "?", False)}
    told = list_unconfirmed(answers)
    assert any("undelete takes 200" in one and one.endswith("a drill says otherwise: no") for one in told)
    assert any("made again" in one and "--facts settles it" in one for one in told)


def test_the_progress_of_another_generation_is_void(tmp_path: Path) -> None:
    assert find_progress(tmp_path, "DEV1") is None
