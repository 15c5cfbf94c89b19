"""`rehearse practice clock` and `reset` beside a world: what they do to it, and what they refuse in one sentence."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from rehearse.cli.practice import app
from rehearse.errors import NotConfirmed, UsageError


@pytest.fixture
def run(company_folder, tmp_path):
    home = shutil.copytree(company_folder, tmp_path / "world")

    def run(*words):
        answer = CliRunner().invoke(app, [*words, "--folder", str(home)], catch_exceptions=False, standalone_mode=False)
        if answer.exception is not None:
            raise answer.exception
        return answer.output

    return run


def test_the_clock_is_moved_set_stopped_and_sped_up(run):
    assert json.loads(run("clock", "--move", "29d", "--json"))["now"].startswith("2026-12-22T08:00:00")
    assert json.loads(run("clock", "--set", "2027-01-15T00:00:00Z", "--json"))["now"].startswith("2027-01-15T00:00:00")
    assert json.loads(run("clock", "--speed", "60", "--json"))["speed"] == 60
    assert json.loads(run("clock", "--resume", "--json"))["paused"] is False
    assert "It is stopped" in run("clock", "--pause")
    still = json.loads(run("clock", "--json"))
    assert still["paused"] is True and still["next_step"] is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--set", "2020-01-01T00:00:00Z"), "cannot go back"),
        (("--move", "9999999d"), "duration|2200"),
        (("--set", "9999-01-01T00:00:00Z"), "2200"),
        (("--speed", "-1"), "speed above 0"),
        (("--pause", "--resume"), "at once"),
    ],
)
def test_what_the_clock_cannot_do_is_refused(run, words, text):
    with pytest.raises(UsageError, match=text) as refused:
        run("clock", *words)
    assert not str(refused.value).endswith("..")


def test_a_reset_wants_to_be_confirmed(run):
    with pytest.raises(NotConfirmed):
        run("reset")
