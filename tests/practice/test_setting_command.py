"""`rehearse practice setting` beside a world: what it keeps, what it shows, and what it refuses in one sentence."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from rehearse.cli import practice
from rehearse.cli.practice_setting import app
from rehearse.errors import RehearseError, UsageError
from rehearse.practice.settings import KNOBS


@pytest.fixture
def run(company_folder, tmp_path):
    home = shutil.copytree(company_folder, tmp_path / "world")

    def run(*words):
        return CliRunner().invoke(app, [*words, "--folder", str(home)], catch_exceptions=False).output

    return run


def test_every_setting_is_shown_with_what_it_decides(run):
    shown = json.loads(run("list", "--json"))["settings"]
    assert [one["name"] for one in shown] == [one.name for one in KNOBS]
    assert all(one["value"] == one["default"] and one["meaning"] for one in shown)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("bin_days", "2", 2),
        ("copy_stops_schedules", "false", False),
        ("interval_counts_from", "end", "end"),
        ("too_early_message", "429", "429"),
        ("undated_types", '["Flow"]', ["Flow"]),
        ("licences", '{"FULL": 3}', {"FULL": 3}),
    ],
)
def test_a_setting_is_changed_and_goes_back(run, name, text, value):
    (one,) = json.loads(run("put", name, text, "--json"))["settings"]
    assert (one["name"], one["value"]) == (name, value)
    assert name in run("list", "--changed")
    assert "Every setting has its default." in run("clear", name)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("put", "bin_dayz", "2"), "no setting bin_dayz"),
        (("put", "bin_days", "many"), "is like 15"),
        (("put", "bin_days", "true"), "is like 15"),
        (("put", "interval_counts_from", "whim"), "is one of request, end, activation"),
        (("clear", "nothing"), "no setting nothing"),
    ],
)
def test_what_is_no_setting_or_no_value_is_refused(run, words, text):
    with pytest.raises(UsageError, match=text):
        run(*words)


@pytest.mark.parametrize("words", [("--https-port", "99999"), ("--http-port", "-1"), ("--rate", "-1")])
def test_ports_and_rates_that_are_none_start_nothing(words, tmp_path):
    done = CliRunner().invoke(practice.app, ["up", *words, "--folder", str(tmp_path / "world")])
    assert done.exit_code == 2 and not list(tmp_path.iterdir())


def test_a_world_that_is_no_database_is_told_in_a_sentence(run, tmp_path):
    (tmp_path / "world" / "estate.db").write_bytes(b"garbage")
    with pytest.raises(RehearseError, match="cannot be read or written: file is not a database"):
        run("list")
