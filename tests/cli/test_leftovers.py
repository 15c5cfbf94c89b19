"""What a command says of a sandbox that still holds half of a reset or the canary of a drill, on whichever machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearse import clock, lock
from rehearse.cli.desk import Desk, open_desk
from rehearse.cli.leftovers import find_broken_off, tell_of_leftovers
from rehearse.journal import Journal
from rehearse.reset.broken_off import load_broken_off
from rehearse.reset.drill_progress import note_drill

ORG = "00D000000000001AAA"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    (tmp_path / "rehearse.yaml").write_text(
        "version: 1\ntimezone: Europe/Dublin\nsandboxes:\n  DEV1: {type: DEVELOPER}\n"
    )
    monkeypatch.chdir(tmp_path)
    with open_desk() as found:
        yield found


def begin(desk: Desk, run: str, sandbox: str = "DEV1") -> None:
    with lock.hold(desk.database, sandbox, f"reset {run}", clock.now()) as held:
        journal = Journal(desk.database, held, run)
        journal.close(journal.open("begin", {"began": clock.iso(clock.now()), "org": ORG}), {})


def drill(desk: Desk, *, plan: str = "", over: bool = False) -> None:
    with lock.hold(desk.database, "DEV1", "drill", clock.now()) as held:
        note_drill(Journal(desk.database, held, "01DRILL"), ORG, plan=plan, over=over)


def test_half_of_a_reset_is_told_before_it_gets_into_a_baseline(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    begin(desk, "01AAAAAAAAAAAAAAAAAAAAAAAA")
    tell_of_leftovers(desk, "DEV1", "00Danother")  # it was refreshed since
    tell_of_leftovers(desk, "DEV2", ORG)
    assert capsys.readouterr().err == ""
    tell_of_leftovers(desk, "DEV1", ORG)
    told = capsys.readouterr().err
    assert "half put back" in told and "rehearse reset plan DEV1" in told, "its plan lies on another machine"
    plans = desk.workspace.storage.folder / "plans"
    plans.mkdir(parents=True)
    (plans / "01AAAAAAAAAAAAAAAAAAAAAAAA.json").write_text("{}")
    tell_of_leftovers(desk, "DEV1", ORG)
    assert "rehearse reset apply 01AAAAAAAAAA --confirm DEV1" in capsys.readouterr().err


def test_a_reset_that_was_begun_on_another_machine_is_half_done_here_too(desk: Desk) -> None:
    begin(desk, "01A")
    (found,) = find_broken_off(desk)
    assert (found.run, found.next_command) == ("01A", "rehearse reset plan DEV1")


def test_the_canary_of_an_interrupted_drill_is_told_before_it_gets_into_a_baseline(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    drill(desk)
    tell_of_leftovers(desk, "DEV1", "00Danother")
    assert capsys.readouterr().err == ""
    tell_of_leftovers(desk, "DEV1", ORG)
    assert "rehearse drill DEV1 --confirm DEV1 --remove" in capsys.readouterr().err
    drill(desk, over=True)
    tell_of_leftovers(desk, "DEV1", ORG)
    assert capsys.readouterr().err == ""


def test_what_a_drill_resets_is_no_reset_of_the_sandbox(desk: Desk) -> None:
    begin(desk, "01A")
    drill(desk, plan="01B")
    begin(desk, "01B")
    assert [one.run for one in load_broken_off(desk.database, clock.now())] == ["01A"], "a drill took nothing over"
