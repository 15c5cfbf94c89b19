"""Resets that wait to be continued, as the journal tells them."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from rehearse import clock, lock
from rehearse.cli.reset import telling_of_a_break
from rehearse.errors import (
    GenerationChanged,
    Locked,
    OrgRejected,
    OrgUnreachable,
    RehearseError,
    StalePlan,
    StoppedPartWay,
)
from rehearse.journal import Journal
from rehearse.reset.broken_off import load_broken_off
from rehearse.state import open_database


def test_a_reset_that_began_and_did_not_end_is_told_until_a_later_one_takes_over(tmp_path: Path) -> None:
    database, now = open_database(tmp_path), clock.now()

    def begin(run: str, sandbox: str, *, end: bool) -> None:
        with lock.hold(database, sandbox, f"reset {run}", now) as held:
            journal = Journal(database, held, run)
            journal.close(journal.open("begin", {}), {})
            if end:
                journal.close(journal.open("end", {"passes": 1}), {})

    begin("01A", "UAT", end=False)
    begin("01B", "SIT", end=True)
    (found,) = load_broken_off(database, clock.now())
    assert (found.sandbox, found.run) == ("UAT", "01A") and "half put back" in str(found)
    assert load_broken_off(database, clock.now(), {"UAT"}) == ()  # it is at work
    assert found.next_command == "rehearse reset apply 01A --confirm UAT"
    (later,) = load_broken_off(database, clock.now() + timedelta(hours=25))  # half put back still, but planned anew
    assert later.next_command == "rehearse reset plan UAT"
    begin("01C", "UAT", end=True)
    assert load_broken_off(database, clock.now()) == ()
    database.close()


def test_an_apply_that_breaks_off_says_that_the_sandbox_is_half_put_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database, made = open_database(tmp_path), SimpleNamespace(id="01D", sandbox="UAT")
    desk = SimpleNamespace(database=database)
    with pytest.raises(KeyboardInterrupt), telling_of_a_break(desk, made):  # type: ignore[arg-type]
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "", "nothing had been written"
    with lock.hold(database, "UAT", "reset 01D", clock.now()) as held:
        journal = Journal(database, held, "01D")
        journal.close(journal.open("begin", {}), {})
    with pytest.raises(KeyboardInterrupt), telling_of_a_break(desk, made):  # type: ignore[arg-type]
        raise KeyboardInterrupt
    assert "half put back" in capsys.readouterr().err
    with lock.hold(database, "UAT", "reset 01D", clock.now()), pytest.raises(Locked), telling_of_a_break(desk, made):  # type: ignore[arg-type]
        lock.take(database, "UAT", "a second one", clock.now())
    assert capsys.readouterr().err == "", "nothing was broken off where somebody is at work"
    ends: list[tuple[Exception, type[RehearseError]]] = [
        (OrgUnreachable("gone"), StoppedPartWay),
        (OrgRejected("X", "no", "doing"), OrgRejected),
    ]
    for error, kind in ends:
        with pytest.raises(kind), telling_of_a_break(desk, made):  # type: ignore[arg-type]
            raise error
    told: list[tuple[RehearseError, str]] = [
        (OrgRejected("X", "no", "doing"), "The same command goes on."),
        (StalePlan("It is not what was saved.", "Make a new one."), "Go on with: rehearse reset plan UAT"),
        (GenerationChanged("It was refreshed.", "Capture a new baseline."), ""),
    ]
    for one, way in told:
        capsys.readouterr()
        with pytest.raises(type(one)), telling_of_a_break(desk, made):  # type: ignore[arg-type]
            raise one
        said = capsys.readouterr().err
        assert way in said and bool(said) is bool(way), "one way on is told, and none where nothing is half put back"
    database.close()
